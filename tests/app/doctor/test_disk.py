"""What is seen of real folders and a real index; and that nothing is changed by looking."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaserver.app.doctor import disk
from mediaserver.app.doctor.library import IndexedRoot
from tests.library.privileges import permissions_count
from tests.library.scanning import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    for name in ("one.wav", "Album/two.wav", "Album/Disc/three.wav"):
        scene.sound(name)
    (scene.root / "broken.mp3").write_bytes(b"")
    scene.scan()
    yield scene
    scene.close()


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


# ---- the data directory


def test_a_data_directory_that_can_be_written_to(tmp_path: Path) -> None:
    facts = disk.look_at_data_directory(tmp_path)
    assert (facts.exists, facts.error) == (True, None)
    assert facts.free is not None
    assert facts.free > 0
    assert contents(tmp_path) == set()


def test_one_that_is_not_there_yet_is_not_made(tmp_path: Path) -> None:
    facts = disk.look_at_data_directory(tmp_path / "a" / "b")
    assert (facts.exists, facts.error) == (False, None)
    assert contents(tmp_path) == set()


def test_one_that_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with permissions_count():
        assert disk.look_at_data_directory(tmp_path).error == "Permission denied"
        assert "is closed to this user" in str(disk.look_at_data_directory(tmp_path / "x").error)
    tmp_path.chmod(0o700)


def test_one_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    assert "is not a folder" in str(disk.look_at_data_directory(tmp_path / "file" / "data").error)


# ---- the index


def test_an_index_in_use(scene: Scene) -> None:
    facts = disk.look_at_index(scene.database.path, held=True)
    assert (facts.exists, facts.damage, facts.error, facts.checked) == (True, None, None, True)
    assert (facts.items, facts.unreadable) == (4, 1)
    [root] = facts.roots
    assert root.path == os.fsencode(scene.root)
    assert root.known == {b"one.wav", b"broken.mp3", b"Album"}
    assert root.folders == 3
    assert root.device == scene.root.stat().st_dev


def test_beside_an_index_that_nobody_uses_nothing_is_written(scene: Scene) -> None:
    path = scene.database.path
    scene.close()
    before = contents(path.parent)
    facts = disk.look_at_index(path, held=False)
    assert (facts.items, facts.error) == (4, None)
    assert contents(path.parent) == before


def test_no_index_is_none(tmp_path: Path) -> None:
    assert not disk.look_at_index(tmp_path / "index.sqlite", held=False).exists
    assert contents(tmp_path) == set()


def test_what_is_no_index_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    path.write_bytes(b"this is a letter " * 500)
    assert disk.look_at_index(path, held=False).damage is not None


def test_a_damaged_page_is_found(scene: Scene) -> None:
    path = scene.database.path
    with sqlite3.connect(path) as connection:
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'items'")
        [(size,)] = connection.execute("PRAGMA page_size")
    connection.close()
    scene.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 64)
    assert disk.look_at_index(path, held=False).damage is not None


def test_an_index_without_our_tables_cannot_be_asked(tmp_path: Path) -> None:
    path = tmp_path / "index.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE something (else_ TEXT)")
    connection.close()
    assert "settings" in str(disk.look_at_index(path, held=False).error)


def test_an_index_that_takes_too_long_is_not_checked_and_asked_all_the_same(
    tmp_path: Path,
) -> None:
    scene = Scene(tmp_path)
    with scene.database.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE large (value INTEGER PRIMARY KEY)")
        connection.exec_driver_sql(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)"
            " INSERT INTO large SELECT i FROM n"
        )
    facts = disk.look_at_index(scene.database.path, held=True, seconds=-1)
    scene.close()
    assert (facts.checked, facts.error, facts.damage) == (False, None, None)
    assert len(facts.roots) == 1


# ---- media roots


def test_a_media_root_that_is_there(tmp_path: Path) -> None:
    facts = disk.look_at_root(os.fsencode(tmp_path), None)
    assert (facts.path, facts.reason, facts.answered) == (str(tmp_path), None, True)


def test_one_that_is_not(tmp_path: Path) -> None:
    assert disk.look_at_root(os.fsencode(tmp_path / "x"), None).reason == "it does not exist"


def test_an_empty_one_was_not_empty_before(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path)
    indexed = IndexedRoot(path=path, device=1, known=frozenset({b"Album"}), folders=2)
    assert "not mounted?" in str(disk.look_at_root(path, indexed).reason)


def test_folders_are_counted_unless_the_index_knows(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    path = os.fsencode(tmp_path)
    assert disk.count_folders(path, None) == 3
    indexed = IndexedRoot(path=path, device=1, known=frozenset(), folders=70)
    assert disk.count_folders(path, indexed) == 70
