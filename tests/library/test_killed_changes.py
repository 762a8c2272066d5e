"""Scans of much that has moved, and roots that are being forgotten, killed at any moment.

What follows from them is the same as if nothing had happened (security.md F1). First scans are
killed in ``end_to_end/test_killed_scans.py``.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaserver.library.database import driver_of
from tests.library.index_check import problems
from tests.library.scanning import Scene

ROOTS = ("media", "more")
FOLDERS = 12
FILES = 5
"""In each folder."""

SCAN = """
import sys
from pathlib import Path
from mediaserver.library.scanning import outbox
from tests.library.scanning import Scene
outbox.MAX_CHANGES = 5
scene = Scene(Path(sys.argv[1]), roots=("media", "more"))
scene.indexer.on_change = lambda change: print(change.system_update_id, flush=True)
scene.scan()
scene.close()
"""

FORGET = """
import sys
from pathlib import Path
from mediaserver.library import indexer
from mediaserver.library.former_roots import forget_former_roots, hide_former_roots
from tests.library.scanning import Scene
indexer.AT_ONCE = 4
scene = Scene(Path(sys.argv[1]), roots=("more",))
scene.indexer.on_change = lambda change: print(change.system_update_id, flush=True)
configured = [bytes(root) for root in scene.roots]
hide_former_roots(scene.indexer, configured)
forget_former_roots(scene.indexer, configured, lambda: False)
scene.close()
"""


def run_and_kill(script: str, folder: Path, changes: int) -> None:
    """Kill a program that tells of each change, soon after it has told of so many."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        for _ in range(changes):
            process.stdout.readline()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Two roots that have been scanned; no two files have the same contents."""
    scene = Scene(tmp_path, roots=ROOTS)
    for number in range(FOLDERS):
        for track in range(FILES):
            value = number * FILES + track
            path = scene.sound(f"Album {number}/{track}.wav", value=value)
            # Numbers of inodes are used again: size and time tell the files apart.
            os.utime(path, (1_000_000_000 + value, 1_000_000_000 + value))
        names = "".join(f"{track}.wav\n" for track in range(FILES))
        (scene.root / f"Album {number}" / "all.m3u").write_text(names)
    scene.sound("other.wav", value=10_000, root=scene.roots[1])
    scene.scan()
    scene.close()
    yield tmp_path
    scene = Scene(tmp_path, roots=ROOTS)
    with scene.database.begin() as connection:
        assert problems(driver_of(connection)) == []
    assert scene.indexer.check() == {}
    scene.close()


def keys(folder: Path, *, scan: bool = False) -> dict[str, int]:
    """Of items by their paths."""
    scene = Scene(folder, roots=ROOTS)
    if scan:
        scene.scan()
    found = {path: file.key for path, file in scene.known().items()}
    scene.close()
    return found


def move_about(folder: Path) -> dict[str, str]:
    """Move everything; where what was in the album is now, by the number of the album."""
    media, more = (folder / name for name in ROOTS)
    places = {}
    for number in range(FOLDERS):
        album = media / f"Album {number}"
        match number % 4:
            case 0:
                place = album.rename(media / f"Renamed {number}")
            case 1:
                place = album.rename(more / f"Moved {number}")
            case 2:
                place = more / f"Copied {number}"
                shutil.copytree(album, place)
                shutil.rmtree(album)
            case _:
                place = media / f"Emptied {number}"
                place.mkdir()
                for path in album.iterdir():
                    path.rename(place / path.name)
        places[f"Album {number}"] = str(place.relative_to(folder))
    return places


@pytest.mark.parametrize("killed_after", [(0, 1), (2, 4), (3, 3), (7, 1), (11,)])
def test_after_scans_that_were_killed_everything_that_moved_is_the_same(
    folder: Path, killed_after: tuple[int, ...]
) -> None:
    before = keys(folder)
    places = move_about(folder)
    for changes in killed_after:
        run_and_kill(SCAN, folder, changes)
    expected = {"more/other.wav": before.pop("more/other.wav")}
    for path, key in before.items():
        _, album, name = path.split("/")
        expected[f"{places[album]}/{name}"] = key
    assert keys(folder, scan=True) == expected


@pytest.mark.parametrize("killed_after", [(0, 1), (1, 1), (2, 3), (5, 20)])
def test_a_root_is_forgotten_and_remembered_however_often_that_is_killed(
    folder: Path, killed_after: tuple[int, ...]
) -> None:
    before = keys(folder)
    left = []
    for changes in killed_after:
        run_and_kill(FORGET, folder, changes)
        left.append(len(keys(folder)))
    assert left == sorted(left, reverse=True)
    assert keys(folder, scan=True) == before
