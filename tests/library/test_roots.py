"""Roots that are there, and roots that only seem to be (security.md F7); what waits for a scan."""

import os
from pathlib import Path

import pytest

from mediaserver.library.indexer import KnownRoot
from mediaserver.library.roots import Presence, Rules, look
from mediaserver.library.scanning.requests import Requests
from mediaserver.library.watching.gathering import Gathered


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Album").mkdir()
    return tmp_path


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The folders that are listed."""
    seen: list[bytes] = []
    scandir = os.scandir

    def record(path: bytes) -> object:
        seen.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", record)
    return seen


def device_of(path: Path) -> int:
    return path.stat().st_dev


# ---- is it there?


def test_a_root_with_a_familiar_name_in_it_is_there_whatever_its_device(root: Path) -> None:
    """Network shares and USB disks get another st_dev each time they are mounted."""
    state = look(os.fsencode(root), device=device_of(root) + 1, known={b"Album", b"Gone"})
    assert (state.device, state.reason) == (device_of(root), None)


def test_a_folder_on_another_device_with_nothing_familiar_is_not_the_root(root: Path) -> None:
    """What shows where nothing is mounted: the folder below, with a note in it, say."""
    state = look(os.fsencode(root), device=device_of(root) + 1, known={b"Music"})
    assert state.device is None
    assert "not mounted" in (state.reason or "")


def test_a_root_whose_contents_were_exchanged_on_the_same_device_is_there(root: Path) -> None:
    assert look(os.fsencode(root), device=device_of(root), known={b"Music"}).device is not None


def test_another_disk_mounted_in_place_of_the_first_is_the_root_now() -> None:
    proc = Path("/proc")
    if not proc.is_mount():
        pytest.skip("no /proc")
    state = look(b"/proc", device=device_of(proc) + 1, known={b"Music"})
    assert state.device == device_of(proc)


def test_an_empty_root_is_there_if_nothing_was_known_in_it(tmp_path: Path) -> None:
    assert look(os.fsencode(tmp_path), device=None, known=set()).device is not None
    assert look(os.fsencode(tmp_path), device=None, known={b"Music"}).device is None


def test_a_root_that_is_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert look(os.fsencode(tmp_path / "file"), device=None, known=set()).reason == (
        "it is not a folder"
    )


def test_roots_that_come_go_fill_and_empty_are_noticed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    path = os.fsencode(root)
    presence = Presence([path])
    presence.changed()
    assert presence.changed() == set()
    root.mkdir()
    assert presence.changed() == {path}
    (root / "one").touch()
    assert presence.changed() == {path}
    (root / "two").touch()
    assert presence.changed() == set()
    root.rename(tmp_path / "away")
    assert presence.changed() == {path}


def test_a_root_is_listed_again_only_after_a_change_so_that_its_disk_may_sleep(
    root: Path, listed: list[bytes]
) -> None:
    path = os.fsencode(root)
    presence = Presence([path], wall_clock=lambda: root.stat().st_ctime + 60)
    presence.changed()
    presence.changed()
    assert listed == [path]
    (root / "Album").rmdir()
    assert presence.changed() == {path}
    assert listed == [path, path]


def test_a_root_that_changed_just_now_is_looked_at_again(root: Path, listed: list[bytes]) -> None:
    """Its times may not tell of another change so soon (FAT: 2 s)."""
    path = os.fsencode(root)
    presence = Presence([path], wall_clock=lambda: root.stat().st_ctime + 1)
    presence.changed()
    presence.changed()
    assert listed == [path, path]


# ---- rules


def test_a_path_lies_in_its_root_and_not_in_one_of_a_similar_name() -> None:
    rules = Rules([b"/media/music", b"/media/music2"])
    assert rules.locate(b"/media/music2/a") == (b"/media/music2", b"a")
    assert rules.locate(b"/media/music") == (b"/media/music", b"")
    assert rules.locate(b"/media/musical") is None


def test_the_file_system_itself_may_be_a_root() -> None:
    assert Rules([b"/"]).locate(b"/srv/a") == (b"/", b"srv/a")


def test_a_pattern_with_a_slash_is_matched_from_the_root_on() -> None:
    rules = Rules([b"/m"], ignore=["Music/*/Scans"])
    assert rules.by_path(b"Music/Album/Scans/1.jpg") is not None
    assert rules.by_path(b"Other/Music/Album/Scans") is None


def test_a_pattern_of_a_name_is_matched_at_any_depth() -> None:
    rules = Rules([b"/m"], ignore=["Scans", "b\xf6se*"])
    assert rules.by_path(b"Music/Album/scans/1.jpg") is not None
    assert rules.by_path("böse Datei.mp3".encode()) is not None
    assert rules.by_path(b"Music/Scans of old/1.jpg") is None


# ---- what waits for a scan

ROOTS = [
    KnownRoot(number, path, "", None, available=True, reason=None, scanned=True)
    for number, path in enumerate((b"/a", b"/b"), 1)
]
RULES = Rules([b"/a", b"/b"])


def targets(requests: Requests) -> list[tuple[bytes, bytes, bool]]:
    found = requests.targets(ROOTS, RULES)
    return [(target.root.path, target.path, target.deep) for target in found]


def test_everything_is_each_root_with_all_that_is_below() -> None:
    wanted = Requests(everything=True, trees={b"/a/x"}, folders={b"/b/y"})
    assert targets(wanted) == [(b"/a", b"", True), (b"/b", b"", True)]


def test_a_folder_below_a_tree_is_not_scanned_twice() -> None:
    wanted = Requests(trees={b"/a/x", b"/a/x/y"}, folders={b"/a/x/y/z", b"/a/x", b"/a/xy"})
    assert targets(wanted) == [(b"/a", b"x", True), (b"/a", b"xy", False)]


def test_folders_outside_of_the_roots_are_not_scanned() -> None:
    assert targets(Requests(trees={b"/c"}, folders={b"/ab"})) == []


def test_requests_are_merged() -> None:
    wanted = Requests(folders={b"/a/x"})
    wanted.merge(Requests(trees={b"/b"}))
    wanted.add(Gathered(frozenset({b"/a/y"})))
    assert targets(wanted) == [(b"/a", b"x", False), (b"/a", b"y", False), (b"/b", b"", True)]
    assert wanted
    assert not Requests()


def test_requests_cover_what_they_lead_to() -> None:
    wanted = Requests(trees={b"/a/x"}, folders={b"/b"})
    assert wanted.cover(b"/a/x/y")
    assert wanted.cover(b"/b")
    assert not wanted.cover(b"/b/z")
    assert Requests(everything=True).cover(b"/b/z")
