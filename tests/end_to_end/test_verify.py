"""``mediaserver verify``: what an owner runs after an accident."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.end_to_end.program import Program, run
from tests.make_media import sound

pytestmark = pytest.mark.end_to_end


@pytest.fixture
def media_root(tmp_path: Path) -> Path:
    root = tmp_path / "Media"
    root.mkdir()
    for number in range(3):
        track = sound(root / f"track {number}.wav", seconds=1)
        os.utime(track, (1_000_000_000, 1_000_000_000))  # a file just written is waited for
    return root


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


def verify(media_root: Path, home: Path) -> tuple[int, list[str]]:
    done = run("verify", media_root, "--data-dir", home / "data", home=home)
    assert "Traceback" not in done.stderr
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_what_is_sound_is_said_to_be(media_root: Path, home: Path) -> None:
    run("scan", media_root, "--data-dir", home / "data", home=home)
    code, lines = verify(media_root, home)
    assert code == 0
    assert lines[:2] == ["index: sound", "files: 3 looked at"]


def test_what_differs_is_mended_and_told(media_root: Path, home: Path) -> None:
    run("scan", media_root, "--data-dir", home / "data", home=home)
    (media_root / "track 0.wav").unlink()
    with closing(sqlite3.connect(home / "data" / "index.sqlite", isolation_level=None)) as index:
        index.execute("UPDATE folders SET audio_items = 7")
        index.execute("DELETE FROM item_facets WHERE facet_kind = 'genre'")
    stale = home / "data" / "cache" / "art" / "ab" / "abcd"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"of nothing")
    catalogue = home / "data" / "catalogue"
    catalogue.write_bytes(b"of no use")

    code, lines = verify(media_root, home)

    assert code == 0
    index_line, catalogue_line, files, pictures = lines
    assert index_line.startswith("index: mended: ")
    assert "1 counts of folders" in index_line
    assert "3 places of files in views" in index_line
    assert catalogue_line == "catalogue: of no use, removed; it is made anew"
    assert not catalogue.exists()
    assert files == "files: 2 looked at, 1 were there no more"
    assert "removed 1 without a source" in pictures
    assert not stale.exists()
    assert verify(media_root, home)[1][0] == "index: sound"


def test_an_index_that_is_no_database_any_more_is_made_anew(media_root: Path, home: Path) -> None:
    run("scan", media_root, "--data-dir", home / "data", home=home)
    (home / "data" / "index.sqlite").write_bytes(b"something else" * 1000)
    code, lines = verify(media_root, home)
    assert code == 0
    assert "set-aside" in lines[0]
    assert lines[1] == "files: 3 looked at, 3 were missing in the index"


def test_what_cannot_be_looked_at_is_no_success(media_root: Path, home: Path) -> None:
    run("scan", media_root, "--data-dir", home / "data", home=home)
    media_root.rename(media_root.with_name("away"))
    code, lines = verify(media_root, home)
    assert code == 1
    assert any(line.startswith(f"not checked: {media_root}") for line in lines)


def test_a_server_that_runs_is_not_disturbed(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        code, lines = verify(media_root, home)
        assert code == 1
        assert str(program.process.pid) in lines[0]
        assert program.library()["items"] == 3


def test_without_media_roots_the_index_is_left_alone(media_root: Path, home: Path) -> None:
    """The files of roots that are named nowhere any more would be dropped from it."""
    run("scan", media_root, "--data-dir", home / "data", home=home)

    done = run("verify", "--data-dir", home / "data", home=home)

    assert done.returncode == 2
    assert "no folder to serve" in done.stderr
    assert "3 looked at" in verify(media_root, home)[1][1]
    with closing(sqlite3.connect(home / "data" / "index.sqlite")) as index:
        (count,) = index.execute("SELECT count(*) FROM tombstones").fetchone()
    assert count == 0


def test_nobody_else_reads_what_it_writes(media_root: Path, home: Path) -> None:
    """As for serve, whatever umask it was started with."""
    umask = os.umask(0)
    try:
        verify(media_root, home)
    finally:
        os.umask(umask)

    for path in (home / "data").rglob("*"):
        assert not path.stat().st_mode & 0o027, path
