"""A first scan that is killed again and again comes to what an undisturbed one comes to."""

import json
import os
import random
import sqlite3
import struct
import urllib.request
from contextlib import closing
from pathlib import Path

import pytest

from mediaserver import urls
from tests.end_to_end.program import Program, run
from tests.library.index_check import problems
from tests.patience import PATIENCE

pytestmark = pytest.mark.end_to_end

FOLDERS = 100
FILES = 30
"""In each folder; enough that a scan takes several transactions."""

Known = dict[bytes, tuple[int, str]]
"""Paths relative to the media root: the number in the object id, and the title."""


@pytest.fixture(scope="module")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("killed") / "Media"
    for number in range(FOLDERS):
        artist = f"Artist {number % 7}"
        folder = root / artist / f"Album {number}" / ("CD1" if number % 5 == 0 else "")
        folder.mkdir(parents=True)
        for track in range(FILES):
            path = folder / f"{track:02d}.wav"
            path.write_bytes(tagged_sound(f"Song {track}", artist, f"Album {number}"))
            os.utime(path, (1_000_000_000, 1_000_000_000))  # a file just written is waited for
    return root


def tagged_sound(title: str, artist: str, album: str) -> bytes:
    """A WAV file of four samples with a ``LIST INFO``; no two of them are the same."""
    tags = b"INFO" + b"".join(
        chunk(name, text.encode() + b"\0")
        for name, text in ((b"INAM", title), (b"IART", artist), (b"IPRD", album))
    )
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    body = chunk(b"fmt ", form) + chunk(b"LIST", tags) + chunk(b"data", bytes(8))
    return chunk(b"RIFF", b"WAVE" + body)


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


@pytest.fixture(scope="module")
def undisturbed(media_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Known:
    home = tmp_path_factory.mktemp("undisturbed")
    done = run("scan", media_root, "--data-dir", home / "data", home=home)
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(home / "data" / "index.sqlite")) as index:
        return known(index)


def known(index: sqlite3.Connection) -> Known:
    """Every folder and file; fails if anything is there twice."""
    rows = index.execute(
        "SELECT path, id, title FROM folders UNION ALL "
        "SELECT path || '/' || name, items.id, items.title FROM items "
        "JOIN folders ON folders.id = folder_id"
    ).fetchall()
    found = {os.fsencode(path): (key, title) for path, key, title in rows}
    assert len(found) == len(rows)
    return found


def update_id(home: Path) -> int:
    with closing(sqlite3.connect(home / "data" / "index.sqlite")) as index:
        row = index.execute("SELECT value FROM settings WHERE name = 'system_update_id'").fetchone()
    return int(row[0]) if row else 0


def wait_for_files_read(program: Program, number: int) -> None:
    """Wait until a scan has read so many files, or has ended."""

    def enough() -> bool:
        with urllib.request.urlopen(program.url + urls.STATUS[1:], timeout=PATIENCE) as answer:  # noqa: S310
            scan = json.load(answer)["scan"]
        return scan["done"] >= number or scan["last_ended_ago"] is not None

    program.wait_for(enough, f"{number} files")


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_first_scan_ends_as_an_undisturbed_one(
    media_root: Path, undisturbed: Known, tmp_path: Path, seed: int
) -> None:
    """security.md F1. CDS:1 §2.5.20: SystemUpdateID never falls."""
    chance = random.Random(seed)  # noqa: S311 - not secrecy
    update_ids = [0]
    for _ in range(3):
        program = Program(media_root, home=tmp_path)
        try:
            wait_for_files_read(program, chance.randrange(FOLDERS * FILES))
        finally:
            program.kill()
        update_ids.append(update_id(tmp_path))
    with Program(media_root, home=tmp_path) as program:
        program.wait_until_scanned(items=FOLDERS * FILES)
    update_ids.append(update_id(tmp_path))

    assert update_ids == sorted(update_ids)
    with closing(sqlite3.connect(tmp_path / "data" / "index.sqlite")) as index:
        assert known(index) == undisturbed
        assert problems(index) == []
