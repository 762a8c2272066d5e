"""F1, F4, F5: the index full, closed, locked or damaged, at start and while it is served."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.program import Program, run
from tests.security import hostile
from tests.security.wire import ask, browse, numbers, objects

pytestmark = pytest.mark.end_to_end


def titles(program: Program) -> set[str]:
    return {str(each.findtext("{*}title")) for each in objects(browse(program, ObjectID="vma"))}


ALL = {"track 0", "track 1", "track 2"}


def add(root: Path, name: str) -> None:
    """A file that is to be read at once."""
    path = root / f"{name}.wav"
    path.write_bytes(hostile.wav(sum(name.encode())))
    os.utime(path, (1_000_000_000, 1_000_000_000))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode:
        pytest.skip("needs root, to mount a tmpfs")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill_up(place: Path) -> None:
    """Let not a byte be free on a file system."""
    with (place / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def complaints(program: Program) -> int:
    return sum(" ERROR " in line or " WARNING " in line for line in program.log.splitlines())


def test_a_full_disk_stops_scans_and_nothing_else(media_root: Path, small_disk: Path) -> None:
    """F4: served from the index, said once, tried again; and all is well when there is room."""
    home = small_disk / "home"
    home.mkdir()
    # The log of the test must not be on the full disk.
    (home / "log").symlink_to(media_root.parent / "log")
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        fill_up(small_disk)
        for number in range(200):
            add(media_root, f"new {number}")
        program.process.send_signal(1)
        program.wait_for(lambda: program.health()["problems"], "a problem")
        said = complaints(program)

        for _ in range(50):
            assert titles(program) >= ALL
            assert ask(program, "/").status == 200
        assert "disk is full" in program.log
        assert complaints(program) <= said + 2

        (small_disk / "filler").unlink()
        program.wait_until_scanned(items=203)
        program.wait_for(lambda: program.health()["problems"] == [], "the end of the problem")
    with contextlib.closing(sqlite3.connect(home / "data" / "index.sqlite")) as index:
        assert index.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_start_on_a_full_disk_ends_in_one_line(media_root: Path, small_disk: Path) -> None:
    fill_up(small_disk)
    options = ("--interface", "lo", "--port", "0", "--log-level", "error")

    ended = run("serve", media_root, "--data-dir", small_disk / "data", *options, home=small_disk)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "No space left" in ended.stderr or "full" in ended.stderr


def test_a_disk_that_becomes_read_only_is_served_from(media_root: Path, small_disk: Path) -> None:
    home = small_disk / "home"
    home.mkdir()
    (home / "log").symlink_to(media_root.parent / "log")
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        # What holds files open for writing keeps a remount from happening, a bind does not.
        for flags in ("bind", "remount,bind,ro"):
            data = str(home / "data")
            subprocess.run(["mount", "-o", flags, data, data], check=True)
        try:
            add(media_root, "new")
            program.process.send_signal(1)
            assert ask(program, "/health").status == 200
            assert titles(program) >= ALL
            path = browse(program, ObjectID="vma")
            assert numbers(path)[1] >= 3
        finally:
            subprocess.run(["umount", "-l", str(home / "data")], check=True)
        program.wait_until_scanned(items=4)


@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE"])
def test_an_index_locked_by_another_program_is_served_from(
    media_root: Path, home: Path, mode: str
) -> None:
    """F4: in WAL mode readers go on; the scan is tried again."""
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        index = program.data_dir / "index.sqlite"
        with contextlib.closing(sqlite3.connect(index, isolation_level=None)) as other:
            other.execute(f"BEGIN {mode}")
            add(media_root, "new")
            program.process.send_signal(1)
            program.wait_for(lambda: program.health()["problems"], "a problem")
            assert titles(program) == ALL
            assert "locked" in program.log
            other.execute("ROLLBACK")
        program.wait_until_scanned(items=4)
        program.wait_for(lambda: program.health()["problems"] == [], "the end of the problem")


def test_a_start_with_a_locked_index_ends_in_one_line(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
    index = program.data_dir / "index.sqlite"
    with contextlib.closing(sqlite3.connect(index, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        options = ("--interface", "lo", "--port", "0", "--log-level", "error")
        ended = run("serve", media_root, "--data-dir", program.data_dir, *options, home=home)

    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "locked" in ended.stderr


def _cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _overwrite_middle(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 3)
        file.write(os.urandom(path.stat().st_size // 3))


def _overwrite_start(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(os.urandom(200))


def _other_schema(path: Path) -> None:
    path.unlink()
    with contextlib.closing(sqlite3.connect(path)) as index:
        index.execute("CREATE TABLE items (x)")
        index.commit()


def _stray_log(path: Path) -> None:
    path.with_name(path.name + "-wal").write_bytes(os.urandom(50_000))


def _log_without_index(path: Path) -> None:
    path.unlink()
    _stray_log(path)


def _no_index_but_a_folder(path: Path) -> None:
    path.unlink()
    path.with_name(path.name + "-damaged").write_bytes(b"")


@pytest.mark.parametrize(
    "damage",
    [
        _cut,
        _empty,
        _overwrite_middle,
        _overwrite_start,
        _other_schema,
        _stray_log,
        _log_without_index,
        _no_index_but_a_folder,
    ],
)
def test_whatever_became_of_the_index_a_start_serves_all_under_the_same_ids(
    media_root: Path, home: Path, damage: object
) -> None:
    """F5, F1: SystemUpdateID does not go back either."""
    assert callable(damage)
    with Program(media_root, home=home) as first:
        first.wait_until_scanned(items=3)
        before, udn = first.health()["system_update_id"], first.udn
        known = {each.get("id") for each in objects(browse(first, ObjectID="vma"))}
    damage(first.data_dir / "index.sqlite")

    with Program(media_root, home=home) as second:
        second.wait_until_scanned(items=3)
        assert second.udn == udn
        assert {each.get("id") for each in objects(browse(second, ObjectID="vma"))} == known
        after = second.health()["system_update_id"]
        assert isinstance(before, int)
        assert isinstance(after, int)
        if damage is not _log_without_index and damage is not _no_index_but_a_folder:
            assert after >= before


def test_an_index_damaged_while_it_is_served_is_replaced(media_root: Path, home: Path) -> None:
    """F5: nobody has to start anything anew."""
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        index = program.data_dir / "index.sqlite"
        with contextlib.closing(sqlite3.connect(index)) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        with index.open("r+b") as file:
            size = index.stat().st_size
            for page in range(0, size, 4096):
                file.seek(page)
                file.write(os.urandom(4096))
        for number in range(3):
            add(media_root, f"new {number}")
        program.process.send_signal(1)

        def seen() -> bool:
            answer = browse(program, ObjectID="vma")
            return answer.status == 200 and numbers(answer)[1] == 6

        program.wait_for(seen, "a new index")
        assert "damaged" in program.log
        assert program.wait_until_scanned()["items"] == 6
    assert (program.data_dir / "index.sqlite.set-aside").exists()


def test_a_data_directory_that_is_removed_does_not_end_it(media_root: Path, home: Path) -> None:
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        kept = program.data_dir.rename(program.data_dir.with_name("gone"))
        try:
            assert ask(program, "/health").status == 200
            assert titles(program) == ALL
        finally:
            kept.rename(program.data_dir)
