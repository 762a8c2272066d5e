import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from mediaserver.data_directory import (
    DataDirectory,
    DataDirectoryError,
    Holder,
    read_holder,
    read_udn,
)


def test_the_udn_is_a_random_uuid_and_survives_a_restart(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as data:
        first = data.next_identity()
    with DataDirectory(tmp_path) as data:
        second = data.next_identity()

    assert uuid.UUID(first.udn.removeprefix("uuid:")).version == 4
    assert second.udn == first.udn


def test_bootid_rises_at_every_start_even_if_the_clock_was_set_back(tmp_path: Path) -> None:
    """UDA 1.1 §1.2.2: BOOTID.UPNP.ORG increases on each initial announcement."""
    with DataDirectory(tmp_path, wall_clock=lambda: 1_700_000_000.0) as data:
        first = data.next_identity()
    with DataDirectory(tmp_path, wall_clock=lambda: 1_600_000_000.0) as data:
        second = data.next_identity()

    assert second.boot_id == first.boot_id + 1


def test_bootid_is_a_31_bit_number_that_rises_after_2038(tmp_path: Path) -> None:
    times = [2.0**31 - 2, 2.0**31 - 2, 2.0**31 + 100, 2.0**31 + 100, 2.0**31 + 500]
    clock = iter(times)
    found = []
    for _ in times:
        with DataDirectory(tmp_path, wall_clock=lambda: next(clock)) as data:
            found.append(data.next_identity().boot_id)
    assert found == [2**31 - 2, 2**31 - 1, 100, 101, 500]


def test_a_bootid_that_rose_while_running_is_exceeded_by_the_next_start(tmp_path: Path) -> None:
    with DataDirectory(tmp_path, wall_clock=lambda: 100.0) as data:
        data.next_identity()
        data.store_boot_id(107)
    with DataDirectory(tmp_path, wall_clock=lambda: 101.0) as data:
        assert data.next_identity().boot_id == 108


def test_a_second_program_is_refused_in_one_line_that_names_the_first(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib\n"
        "from mediaserver.data_directory import DataDirectory\n"
        "DataDirectory(pathlib.Path(sys.argv[1]))\n"
    )
    with DataDirectory(tmp_path):
        other = subprocess.run(
            [sys.executable, "-c", program, str(tmp_path)],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
        )

    assert other.returncode != 0
    assert f"in use by another mediaserver (process {os.getpid()})" in other.stderr


def test_the_folder_can_be_used_again_after_it_was_closed(tmp_path: Path) -> None:
    DataDirectory(tmp_path).close()
    with DataDirectory(tmp_path) as data:
        assert data.path == tmp_path


def test_a_path_that_is_a_file_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DataDirectoryError, match=str(tmp_path / "data")):
        DataDirectory(tmp_path / "data")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "\x00" * 20,
        "[1]",
        "null",
        "7",
        "[]",
        '{"udn": 7, "boot_id": 1}',
        '{"udn": "uuid:x"}',
    ],
)
def test_a_damaged_identity_is_kept_aside_and_a_new_one_made(tmp_path: Path, text: str) -> None:
    (tmp_path / "identity.json").write_text(text)
    with DataDirectory(tmp_path, wall_clock=lambda: 5.0) as data:
        identity = data.next_identity()

    assert (tmp_path / "identity.json.damaged-5").read_text() == text
    assert json.loads((tmp_path / "identity.json").read_text())["udn"] == identity.udn


def test_an_identity_that_cannot_be_read_is_not_replaced(tmp_path: Path) -> None:
    """A disk with a bad day must not make every control point forget the server."""
    (tmp_path / "identity.json").mkdir()
    with (
        DataDirectory(tmp_path) as data,
        pytest.raises(DataDirectoryError, match=r"identity\.json cannot be read"),
    ):
        data.next_identity()


def test_a_disk_that_is_full_is_told_in_one_line(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as data:
        before = data.next_identity()
        # What writing to it does when there is no room (full(4)).
        (tmp_path / "identity.json.new").symlink_to("/dev/full")
        with pytest.raises(DataDirectoryError, match="cannot be written to: No space left"):
            data.next_identity()
        (tmp_path / "identity.json.new").unlink()
        assert data.next_identity().udn == before.udn


def test_the_folder_is_made_for_its_owner_and_group_alone(tmp_path: Path) -> None:
    """security.md 2."""
    with DataDirectory(tmp_path / "a" / "b") as data:
        assert data.path.stat().st_mode & 0o007 == 0
        assert (data.path / "lock").stat().st_mode & 0o007 == 0


def test_everything_is_in_the_one_folder(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as data:
        assert data.index.parent == data.cache.parent == tmp_path


def test_closing_twice_closes_nobody_else_s_file(tmp_path: Path) -> None:
    data = DataDirectory(tmp_path)
    data.close()
    with (tmp_path / "other").open("w") as other:
        data.close()
        other.write("still open")


def test_no_temporary_file_is_left(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as data:
        data.next_identity()
        data.store_boot_id(7)
    assert {path.name for path in tmp_path.iterdir()} == {"identity.json", "lock"}


# ---- seen by other commands


def test_others_can_see_who_uses_a_folder_and_where_it_serves(tmp_path: Path) -> None:
    with DataDirectory(tmp_path) as data:
        assert read_holder(tmp_path) == Holder(os.getpid(), None)
        data.note_port(8200)
        assert read_holder(tmp_path) == Holder(os.getpid(), 8200)
    assert read_holder(tmp_path) is None


def test_looking_who_uses_a_folder_makes_nothing(tmp_path: Path) -> None:
    assert read_holder(tmp_path / "none") is None
    assert read_udn(tmp_path / "none") is None
    assert list(tmp_path.iterdir()) == []


def test_a_start_after_a_look_is_not_refused(tmp_path: Path) -> None:
    with DataDirectory(tmp_path):
        read_holder(tmp_path)
    read_holder(tmp_path)
    with DataDirectory(tmp_path) as data:
        assert data.next_identity().udn == read_udn(tmp_path)


def test_a_damaged_identity_is_none_to_others_and_stays_where_it_is(tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text("{}")
    assert read_udn(tmp_path) is None
    assert (tmp_path / "identity.json").read_text() == "{}"
