"""What a scan does to the index: security.md M1, M5, M6, M8, T2, F1, F3, F7, F9; style.md 4.4."""

import contextlib
import errno
import itertools
import logging
import os
import resource
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mediaserver.library.database import driver_of
from mediaserver.library.readers.pool import ReaderPool
from mediaserver.library.roots import Rules
from mediaserver.library.scanner import Scanner, ScanProgress
from mediaserver.library.scanning.walk import Target
from tests.library.privileges import permissions_count
from tests.library.scanning import Scene
from tests.make_media import film, picture


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    scene = Scene(tmp_path)
    yield scene
    scene.close()


# ---- found, changed, gone


def test_the_first_scan_finds_media_files_at_any_depth(scene: Scene) -> None:
    scene.sound("one.wav")
    scene.sound("Artist/Album/two.wav")
    (scene.root / "three.jpg").write_bytes(picture("JPEG"))
    (scene.root / "notes.txt").write_text("not media")
    summary = scene.scan()
    assert scene.files() == {"one.wav", "Artist/Album/two.wav", "three.jpg"}
    assert (summary.seen, summary.added, summary.unreadable) == (3, 3, 0)


def test_folders_without_media_do_not_enter_the_index(scene: Scene) -> None:
    (scene.root / "Empty" / "Emptier").mkdir(parents=True)
    scene.sound("Full/one.wav")
    scene.scan()
    assert set(scene.folders()) == {"", "Full"}


def test_a_second_scan_of_unchanged_files_reads_none_and_changes_nothing(scene: Scene) -> None:
    for number in range(20):
        scene.sound(f"Album/{number}.wav", value=number)
    scene.scan()
    update_id = scene.indexer.system_update_id
    scene.changes.clear()
    summary = scene.scan()
    assert scene.readers.names == []
    assert summary.seen == 20
    assert scene.changes == []
    assert scene.indexer.system_update_id == update_id


def test_only_an_added_file_is_read(scene: Scene) -> None:
    scene.sound("one.wav")
    scene.scan()
    scene.sound("two.wav")
    scene.scan()
    assert scene.readers.names == ["two.wav"]
    assert scene.files() == {"one.wav", "two.wav"}


def test_a_change_that_leaves_size_and_second_alike_is_seen(scene: Scene) -> None:
    """A retag in place within the same second is missed by servers that compare seconds."""
    path = scene.sound("one.wav", value=1)
    os.utime(path, ns=(1_700_000_000_100_000_000, 1_700_000_000_100_000_000))
    scene.scan()
    before = scene.known()["one.wav"]
    scene.sound("one.wav", value=2)
    os.utime(path, ns=(1_700_000_000_200_000_000, 1_700_000_000_200_000_000))
    assert scene.scan().changed == 1
    after = scene.known()["one.wav"]
    assert after.key == before.key
    assert after.fingerprint != before.fingerprint


def test_a_change_of_size_with_the_old_time_put_back_is_seen(scene: Scene) -> None:
    path = scene.sound("one.wav")
    status = path.stat()
    scene.scan()
    with path.open("ab") as file:
        file.write(b"more")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert scene.scan().changed == 1


def test_removed_files_and_folders_leave_the_index(scene: Scene) -> None:
    scene.sound("one.wav").unlink()
    scene.sound("two.wav")
    gone = scene.sound("Gone/three.wav")
    scene.sound("one.wav")
    scene.scan()
    (scene.root / "one.wav").unlink()
    gone.unlink()
    gone.parent.rmdir()
    summary = scene.scan()
    assert scene.files() == {"two.wav"}
    assert summary.removed == 2
    assert "Gone" not in scene.folders()


def test_a_file_that_comes_back_gets_its_key_back(scene: Scene) -> None:
    path = scene.sound("one.wav")
    scene.sound("two.wav")
    scene.scan()
    key = scene.known()["one.wav"].key
    path.unlink()
    scene.scan()
    scene.sound("one.wav")
    scene.scan()
    assert scene.known()["one.wav"].key == key


# ---- moved


def test_a_renamed_file_keeps_its_key_and_is_not_read_again(scene: Scene) -> None:
    path = scene.sound("one.wav")
    scene.scan()
    key = scene.known()["one.wav"].key
    path.rename(scene.root / "uno.wav")
    summary = scene.scan()
    assert scene.readers.names == []
    assert (summary.moved, summary.added, summary.removed) == (1, 0, 0)
    assert {path: file.key for path, file in scene.known().items()} == {"uno.wav": key}


def test_a_file_that_is_renamed_after_its_disk_was_mounted_anew_keeps_its_key(
    scene: Scene,
) -> None:
    """Btrfs, NFS, disks in another order: st_dev is another number each time (stat(2))."""
    path = scene.sound("Album/one.wav")
    scene.scan()
    key, told = scene.known()["Album/one.wav"].key, len(scene.changes)
    with scene.database.begin() as connection:
        for table in ("items", "folders", "roots"):
            driver_of(connection).execute(f"UPDATE {table} SET device = device + 1")  # noqa: S608
    scene.scan()
    assert scene.readers.names == []
    assert len(scene.changes) == told
    path.rename(scene.root / "Album" / "uno.wav")
    scene.scan()
    assert scene.readers.names == []
    assert scene.known()["Album/uno.wav"].key == key


@pytest.mark.parametrize(("source", "target"), [("A", "Z"), ("Z", "A")])
def test_a_file_moved_between_folders_keeps_its_key_whichever_is_looked_at_first(
    scene: Scene, source: str, target: str
) -> None:
    path = scene.sound(f"{source}/one.wav", value=1)
    scene.sound("A/stays.wav", value=2)
    scene.sound("Z/stays.wav", value=3)
    scene.scan()
    key = scene.known()[f"{source}/one.wav"].key
    path.rename(scene.root / target / "one.wav")
    scene.scan()
    assert scene.readers.names == []
    assert scene.known()[f"{target}/one.wav"].key == key
    assert f"{source}/one.wav" not in scene.files()


@pytest.mark.parametrize(("source", "target"), [("A", "Z"), ("Z", "A")])
def test_a_file_copied_elsewhere_and_removed_keeps_its_key(
    scene: Scene, source: str, target: str
) -> None:
    """What a move to another disk is: another inode, another time, the same contents."""
    path = scene.sound(f"{source}/one.wav", value=1)
    scene.sound("A/stays.wav", value=2)
    scene.sound("Z/stays.wav", value=3)
    scene.scan()
    key = scene.known()[f"{source}/one.wav"].key
    copy = scene.root / target / "one.wav"
    copy.write_bytes(path.read_bytes())
    assert copy.stat().st_ino != path.stat().st_ino
    path.unlink()
    summary = scene.scan()
    assert scene.known()[f"{target}/one.wav"].key == key
    assert (summary.moved, summary.added) == (1, 0)


def test_a_copy_is_another_file(scene: Scene) -> None:
    path = scene.sound("one.wav")
    scene.scan()
    key = scene.known()["one.wav"].key
    (scene.root / "copy.wav").write_bytes(path.read_bytes())
    scene.scan()
    known = scene.known()
    assert known["one.wav"].key == key
    assert known["copy.wav"].key != key


def test_a_hard_link_is_another_file(scene: Scene) -> None:
    path = scene.sound("one.wav")
    scene.scan()
    key = scene.known()["one.wav"].key
    (scene.root / "link.wav").hardlink_to(path)
    scene.scan()
    known = scene.known()
    assert known["one.wav"].key == key
    assert known["link.wav"].key != key


def test_a_renamed_folder_keeps_its_key_and_all_keys_below(scene: Scene) -> None:
    scene.sound("Artist/Album/one.wav", value=1)
    scene.sound("Artist/Album/two.wav", value=2)
    scene.scan()
    folders = scene.folders()
    keys = {path.rpartition("/")[2]: file.key for path, file in scene.known().items()}
    (scene.root / "Artist").rename(scene.root / "The Artist")
    summary = scene.scan()
    assert scene.readers.names == []
    assert summary.removed == 0
    assert scene.folders() == {
        "": folders[""],
        "The Artist": folders["Artist"],
        "The Artist/Album": folders["Artist/Album"],
    }
    assert {path.rpartition("/")[2]: file.key for path, file in scene.known().items()} == keys


@pytest.mark.parametrize(("source", "target"), [("A", "Z"), ("Z", "A")])
def test_a_folder_moved_into_another_keeps_its_key(scene: Scene, source: str, target: str) -> None:
    scene.sound(f"{source}/Album/one.wav", value=1)
    scene.sound("A/stays.wav", value=2)
    scene.sound("Z/stays.wav", value=3)
    scene.scan()
    key = scene.folders()[f"{source}/Album"]
    (scene.root / source / "Album").rename(scene.root / target / "Album")
    scene.scan()
    assert scene.folders()[f"{target}/Album"] == key
    assert f"{source}/Album" not in scene.folders()
    assert scene.readers.names == []


def test_a_folder_moved_to_another_root_keeps_its_key(tmp_path: Path) -> None:
    scene = Scene(tmp_path, roots=("first", "second"))
    scene.sound("Album/one.wav")
    scene.scan()
    key = scene.known()["first/Album/one.wav"].key
    (scene.root / "Album").rename(scene.roots[1] / "Album")
    scene.sound("other.wav")
    scene.scan()
    assert scene.known()["second/Album/one.wav"].key == key
    assert scene.files() == {"second/Album/one.wav", "first/other.wav"}
    scene.close()


def test_files_taken_out_of_a_folder_that_is_then_removed_keep_their_keys(scene: Scene) -> None:
    path = scene.sound("Old/one.wav")
    scene.scan()
    key = scene.known()["Old/one.wav"].key
    path.rename(scene.root / "one.wav")
    path.parent.rmdir()
    scene.scan()
    assert {path: file.key for path, file in scene.known().items()} == {"one.wav": key}


# ---- unknown is not gone


def test_a_folder_that_cannot_be_listed_keeps_its_files(scene: Scene) -> None:
    scene.sound("Closed/one.wav")
    scene.sound("two.wav")
    scene.scan()
    closed = scene.root / "Closed"
    closed.chmod(0)
    with permissions_count():
        summary = scene.scan()
    assert scene.files() == {"Closed/one.wav", "two.wav"}
    assert summary.removed == 0
    reason = summary.troubled[os.fsencode(closed)]
    assert os.strerror(errno.EACCES) in reason
    assert "d---------" in reason


def test_a_scan_without_free_descriptors_removes_nothing(scene: Scene) -> None:
    """security.md F9: EMFILE says nothing about the folder."""
    scene.sound("Album/one.wav", value=1)
    scene.sound("Album/two.wav", value=2)
    scene.scan()
    (scene.root / "Album" / "one.wav").unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir())
    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 2, hard))
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        summary = scene.scan()
    finally:
        for descriptor in taken:
            os.close(descriptor)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert summary.troubled == {os.fsencode(scene.root): os.strerror(errno.EMFILE)}
    assert scene.files() == {"Album/one.wav", "Album/two.wav"}
    assert scene.indexer.roots()[0].available
    scene.scan()
    assert scene.files() == {"Album/two.wav"}


def test_a_file_that_may_not_be_read_is_tried_again_at_each_scan(scene: Scene) -> None:
    path = scene.sound("one.wav")
    path.chmod(0)
    with permissions_count():
        scene.scan()
        assert scene.known()["one.wav"].reason == os.strerror(errno.EACCES)
        scene.scan()
        assert scene.readers.names == ["one.wav"]
        path.chmod(0o644)
        summary = scene.scan()
    assert scene.known()["one.wav"].reason is None
    assert summary.troubled == {}
    scene.scan()
    assert scene.readers.names == []


def test_what_the_system_refuses_again_and_again_is_told_once(
    scene: Scene, caplog: pytest.LogCaptureFixture
) -> None:
    """security.md F4; such files are tried again at each scan, every few minutes."""
    caplog.set_level(logging.INFO)
    for path in (scene.sound("one.wav"), scene.root / "list.m3u"):
        path.touch()
        path.chmod(0)
    with permissions_count():
        for _ in range(3):
            scene.scan()
    told = [line for line in caplog.messages if "cannot be read" in line]
    assert len(told) == 2


# ---- media roots


def test_a_root_that_is_missing_keeps_its_files_and_is_said_to_be(scene: Scene) -> None:
    scene.sound("one.wav")
    scene.scan()
    key = scene.known()["one.wav"].key
    away = scene.root.with_name("away")
    scene.root.rename(away)
    summary = scene.scan()
    (root,) = scene.indexer.roots()
    assert (root.available, root.reason) == (False, "it does not exist")
    assert list(summary.unavailable) == [os.fsencode(scene.root)]
    assert scene.known()["one.wav"].key == key
    away.rename(scene.root)
    scene.scan()
    assert scene.indexer.roots()[0].available
    assert scene.known()["one.wav"].key == key
    assert scene.readers.names == []


def test_a_root_that_is_empty_all_at_once_is_taken_for_not_mounted(scene: Scene) -> None:
    path = scene.sound("Album/one.wav")
    scene.scan()
    away = scene.root.with_name("away")
    (scene.root / "Album").rename(away)
    scene.scan()
    (root,) = scene.indexer.roots()
    assert not root.available
    assert "not mounted" in (root.reason or "")
    assert scene.files() == {"Album/one.wav"}
    away.rename(path.parent)
    scene.scan()
    assert scene.indexer.roots()[0].available


def test_a_root_that_may_not_be_read_tells_who_may(scene: Scene) -> None:
    scene.sound("one.wav")
    scene.scan()
    scene.root.chmod(0)
    with permissions_count():
        scene.scan()
    scene.root.chmod(0o755)
    (root,) = scene.indexer.roots()
    assert not root.available
    assert "d---------" in (root.reason or "")
    assert scene.files() == {"one.wav"}


def test_a_root_that_was_never_scanned_may_be_empty(scene: Scene) -> None:
    scene.scan()
    (root,) = scene.indexer.roots()
    assert root.available
    assert root.device == scene.root.stat().st_dev


def test_one_missing_root_does_not_keep_the_others_from_being_scanned(tmp_path: Path) -> None:
    scene = Scene(tmp_path, roots=("first", "second"))
    scene.root.rmdir()
    scene.sound("one.wav", root=scene.roots[1])
    scene.scan()
    assert scene.files() == {"second/one.wav"}
    scene.close()


def test_a_copy_of_a_file_in_an_unmounted_root_does_not_take_its_key(tmp_path: Path) -> None:
    scene = Scene(tmp_path, roots=("first", "second"))
    path = scene.sound("one.wav")
    scene.sound("other.wav", root=scene.roots[1])
    scene.scan()
    key = scene.known()["first/one.wav"].key
    (scene.roots[1] / "copy.wav").write_bytes(path.read_bytes())
    scene.root.rename(tmp_path / "away")
    scene.scan()
    known = scene.known()
    assert known["first/one.wav"].key == key
    assert known["second/copy.wav"].key != key
    scene.close()


# ---- files that are not what they seem


def test_a_broken_file_keeps_its_name_and_the_reason(scene: Scene) -> None:
    (scene.root / "broken.flac").write_bytes(b"fLaC" + b"\xff" * 40)
    scene.sound("good.wav")
    summary = scene.scan()
    assert scene.files() == {"broken.flac", "good.wav"}
    assert scene.known()["broken.flac"].reason
    assert scene.known()["good.wav"].reason is None
    assert summary.unreadable == 1
    scene.scan()
    assert scene.readers.names == []


def test_fifos_sockets_and_devices_are_left_alone(scene: Scene) -> None:
    os.mkfifo(scene.root / "pipe.mp3")
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(os.fspath(scene.root / "socket.mp3"))
        (scene.root / "zero.mp3").symlink_to("/dev/zero")
        scene.sound("good.wav")
        scene.scan()
    assert scene.files() == {"good.wav"}


def test_a_fifo_named_as_a_cover_keeps_nobody_waiting(scene: Scene) -> None:
    os.mkfifo(scene.root / "cover.jpg")
    scene.sound("good.wav")
    scene.scan()
    assert scene.files() == {"good.wav"}


def test_hidden_files_trash_and_what_the_owner_ignores_are_left_out(tmp_path: Path) -> None:
    scene = Scene(tmp_path, ignore=("*.sample.wav", "Backup", "Album/Extra/*"))
    for path in (
        ".hidden.wav",
        ".hidden/one.wav",
        "@eaDir/one.wav",
        "#recycle/one.wav",
        "$RECYCLE.BIN/one.wav",
        "lost+found/one.wav",
        "System Volume Information/one.wav",
        "film.SAMPLE.wav",
        "Artist/Backup/one.wav",
        "Album/Extra/one.wav",
        "Extra/kept.wav",
        "kept.wav",
    ):
        scene.sound(path)
    scene.scan()
    assert scene.files() == {"Extra/kept.wav", "kept.wav"}
    scene.close()


def test_names_that_are_no_unicode_are_kept_as_they_are(scene: Scene) -> None:
    name = b"caf\xe9 \xff\n<&>.wav"
    path = os.path.join(os.fsencode(scene.root), name)  # noqa: PTH118 - bytes
    os.rename(scene.sound("one.wav"), path)  # noqa: PTH104
    scene.scan()
    (file,) = scene.known().values()
    assert file.name == name
    scene.scan()
    assert scene.readers.names == []


def test_a_file_that_vanishes_before_it_is_read_is_not_noted(scene: Scene) -> None:
    path = scene.sound("one.wav")
    scene.sound("two.wav")
    scene.readers.before = lambda _: path.unlink(missing_ok=True)
    scene.scan()
    assert scene.files() == {"two.wav"}


def test_a_folder_that_vanishes_before_its_files_are_read_is_not_noted(scene: Scene) -> None:
    path = scene.sound("Album/one.wav")
    scene.sound("Best/two.wav")

    def remove(_: bytes) -> None:
        path.unlink(missing_ok=True)
        if path.parent.exists():
            path.parent.rmdir()

    scene.readers.before = remove
    scene.scan()
    assert scene.files() == {"Best/two.wav"}


# ---- links


def test_links_are_not_followed_unless_wanted(scene: Scene) -> None:
    path = scene.sound("Album/one.wav")
    (scene.root / "link.wav").symlink_to(path)
    (scene.root / "Link").symlink_to(path.parent)
    scene.scan()
    assert scene.files() == {"Album/one.wav"}


def test_links_that_leave_the_roots_are_never_followed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, follow_links=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    secret = scene.sound("one.wav").rename(outside / "secret.wav")
    (scene.root / "link.wav").symlink_to(secret)
    (scene.root / "Link").symlink_to(outside)
    (scene.root / "Dots").symlink_to("../outside")
    (scene.root / "dead.wav").symlink_to("nowhere.wav")
    scene.sound("kept.wav")
    scene.scan()
    assert scene.files() == {"kept.wav"}
    scene.close()


def test_links_inside_the_roots_are_followed_when_wanted(tmp_path: Path) -> None:
    scene = Scene(tmp_path, follow_links=True)
    path = scene.sound("Album/one.wav")
    (scene.root / "link.wav").symlink_to(path)
    (scene.root / "Link").symlink_to(path.parent)
    scene.scan()
    assert scene.files() == {"Album/one.wav", "link.wav", "Link/one.wav"}
    scene.scan()
    assert scene.readers.names == []
    scene.close()


def test_links_to_hidden_folders_are_not_followed(tmp_path: Path) -> None:
    scene = Scene(tmp_path, follow_links=True)
    (scene.root / "Link").symlink_to(scene.sound(".private/one.wav").parent)
    scene.sound("kept.wav")
    scene.scan()
    assert scene.files() == {"kept.wav"}
    scene.close()


def test_loops_of_links_come_to_an_end(tmp_path: Path) -> None:
    scene = Scene(tmp_path, follow_links=True)
    scene.sound("A/one.wav")
    scene.sound("B/two.wav")
    (scene.root / "A" / "self").symlink_to(".")
    (scene.root / "A" / "up").symlink_to("..")
    (scene.root / "A" / "b").symlink_to("../B")
    (scene.root / "B" / "a").symlink_to("../A")
    scene.scan()
    assert scene.files() == {
        "A/one.wav",
        "B/two.wav",
        "A/b/two.wav",
        "B/a/one.wav",
    }
    scene.close()


def test_folders_deeper_than_the_limit_are_not_looked_into(scene: Scene) -> None:
    scene.sound("/".join(["d"] * 32) + "/kept.wav")
    scene.sound("/".join(["d"] * 33) + "/deep.wav")
    scene.scan()
    assert scene.files() == {"/".join(["d"] * 32) + "/kept.wav"}


# ---- art


def art_of(scene: Scene) -> dict[str, str]:
    """Names of the picture files that stand for folders, by folder."""
    root = scene.indexer.roots()[0].root_id
    art = scene.indexer.folder_art(root)
    return {path: os.fsdecode(art[key].name) for path, key in scene.folders().items() if key in art}


def art_of_items(scene: Scene) -> set[str]:
    """Names of the picture files that stand for items."""
    rows = scene.database.read_now(
        lambda connection: (
            driver_of(connection)
            .execute("SELECT art.name FROM items JOIN art ON art.id = items.art_id")
            .fetchall()
        )
    )
    return {os.fsdecode(name) for (name,) in rows}


def test_a_cover_among_music_stands_for_the_folder_and_is_no_photo(scene: Scene) -> None:
    scene.sound("Album/one.wav")
    (scene.root / "Album" / "Folder.jpg").write_bytes(picture("JPEG", (300, 300)))
    (scene.root / "Album" / "cover.png").write_bytes(picture("PNG", (200, 100)))
    (scene.root / "Album" / "booklet.jpg").write_bytes(picture("JPEG"))
    (scene.root / "Album" / "beach.jpg").write_bytes(picture("JPEG"))
    scene.scan()
    assert scene.files() == {"Album/one.wav", "Album/beach.jpg"}
    assert art_of(scene) == {"Album": "cover.png"}
    scene.changes.clear()
    scene.scan()
    assert scene.changes == []


def test_a_cover_beside_the_folders_of_discs_stands_for_the_album(scene: Scene) -> None:
    scene.sound("Album/CD1/one.wav")
    (scene.root / "Album" / "cover.jpg").write_bytes(picture("JPEG", (300, 300)))
    scene.scan()
    assert scene.files() == {"Album/CD1/one.wav"}
    assert art_of(scene) == {"Album": "cover.jpg"}
    assert art_of_items(scene) == {"cover.jpg"}


def test_a_photo_called_cover_among_photos_is_a_photo(scene: Scene) -> None:
    (scene.root / "cover.jpg").write_bytes(picture("JPEG"))
    (scene.root / "beach.jpg").write_bytes(picture("JPEG"))
    scene.scan()
    assert scene.files() == {"cover.jpg", "beach.jpg"}


def test_a_cover_that_is_no_picture_gives_way_to_the_next(scene: Scene) -> None:
    scene.sound("one.wav")
    (scene.root / "cover.jpg").write_text("<html>not found</html>")
    (scene.root / "folder.jpg").write_bytes(picture("JPEG"))
    scene.scan()
    assert art_of(scene) == {"": "folder.jpg"}


def test_a_cover_that_goes_stands_for_nothing_any_more(scene: Scene) -> None:
    scene.sound("one.wav")
    (scene.root / "cover.jpg").write_bytes(picture("JPEG"))
    scene.scan()
    (scene.root / "cover.jpg").unlink()
    scene.scan()
    assert art_of(scene) == {}


def test_a_picture_of_a_films_name_stands_for_it_alone(scene: Scene) -> None:
    """The folder's stands for the others; a film's own art is told before the film is read."""
    scene.sound("A.wav")
    scene.sound("B.wav")
    (scene.root / "A.jpg").write_bytes(picture("JPEG", (300, 300)))
    (scene.root / "cover.jpg").write_bytes(picture("JPEG", (200, 200)))
    (scene.root / "B-fanart.jpg").write_bytes(picture("JPEG"))
    scene.scan()
    assert scene.files() == {"A.wav", "B.wav"}
    assert art_by_item(scene) == {"A.wav": "A.jpg", "B.wav": "cover.jpg"}
    scene.changes.clear()
    scene.scan()
    assert scene.changes == []


def test_a_picture_beside_a_film_is_followed(scene: Scene) -> None:
    scene.sound("A.wav")
    scene.scan()
    assert art_by_item(scene) == {"A.wav": None}
    (scene.root / "A.tbn").write_bytes(picture("JPEG"))
    scene.scan()
    assert art_by_item(scene) == {"A.wav": "A.tbn"}
    (scene.root / "A-poster.jpg").write_bytes(picture("JPEG"))
    scene.scan()
    assert art_by_item(scene) == {"A.wav": "A-poster.jpg"}
    (scene.root / "A-poster.jpg").write_text("no picture")
    scene.scan()
    assert art_by_item(scene) == {"A.wav": "A.tbn"}
    (scene.root / "A-poster.jpg").unlink()
    (scene.root / "A.wav").rename(scene.root / "B.wav")
    scene.changes.clear()
    scene.scan()
    assert art_by_item(scene) == {"B.wav": None}
    assert len(scene.changes) == 1


def art_by_item(scene: Scene) -> dict[str, str | None]:
    """Names of picture files, by the name of the item."""
    rows = scene.database.read_now(
        lambda connection: (
            driver_of(connection)
            .execute("SELECT items.name, art.name FROM items LEFT JOIN art ON art.id = art_id")
            .fetchall()
        )
    )
    return {os.fsdecode(item): name and os.fsdecode(name) for item, name in rows}


def artist_art(scene: Scene) -> dict[str, str]:
    """Names of picture files by the artist they are for."""
    rows = scene.database.read_now(
        lambda connection: (
            driver_of(connection)
            .execute("SELECT artist, name FROM art WHERE artist IS NOT NULL")
            .fetchall()
        )
    )
    return {artist: os.fsdecode(name) for artist, name in rows}


def test_a_picture_in_an_artists_folder_stands_for_the_artist(scene: Scene) -> None:
    scene.sound("Rosa/Sea/one.wav")
    scene.sound("Ida/Sea/one.wav")
    (scene.root / "Rosa" / "artist.jpg").write_bytes(picture("JPEG"))
    (scene.root / "Ida" / "folder.jpg").write_bytes(picture("JPEG"))
    (scene.root / "Ida" / "Sea" / "folder.jpg").write_bytes(picture("JPEG"))
    scene.scan()
    assert artist_art(scene) == {"rosa": "artist.jpg", "ida": "folder.jpg"}
    assert art_of(scene) == {"Rosa": "artist.jpg", "Ida": "folder.jpg", "Ida/Sea": "folder.jpg"}
    (scene.root / "Rosa").rename(scene.root / "Tove")
    (scene.root / "Ida" / "folder.jpg").unlink()
    scene.scan()
    assert artist_art(scene) == {"tove": "artist.jpg"}


# ---- subtitles


def video(scene: Scene, name: str) -> None:
    path = scene.root / name
    path.parent.mkdir(exist_ok=True)
    film(path, seconds=0.1)


def subtitles(scene: Scene) -> dict[str, list[tuple[str, str, str, str]]]:
    """Names, languages, formats and notes of subtitles, by the video's path."""
    paths = {key: path for path, key in scene.folders().items()}
    root = scene.indexer.roots()[0].root_id
    found: dict[str, list[tuple[str, str, str, str]]] = {}
    for folder, sidecars in scene.indexer.sidecars(root).items():
        for one in sidecars.subtitles:
            video = f"{paths[folder]}/{os.fsdecode(one.video)}".lstrip("/")
            told = (os.fsdecode(one.name), one.language, one.format, one.note)
            found.setdefault(video, []).append(told)
    return found


def test_subtitles_beside_a_film_are_known(scene: Scene) -> None:
    video(scene, "A/Film.mkv")
    for name in ("Film.en.srt", "Film.forced.ass", "film.DE.vtt", "Other.srt"):
        (scene.root / "A" / name).write_text("")
    scene.scan()
    assert scene.files() == {"A/Film.mkv"}
    assert subtitles(scene) == {
        "A/Film.mkv": [
            ("film.DE.vtt", "de", "vtt", ""),
            ("Film.en.srt", "en", "srt", ""),
            ("Film.forced.ass", "", "ssa", "forced"),
        ]
    }
    scene.changes.clear()
    scene.scan()
    assert scene.changes == []


def test_subtitles_that_come_are_renamed_or_go_are_noticed(scene: Scene) -> None:
    """Control points are told that the film has changed."""
    video(scene, "Film.mkv")
    scene.scan()
    before, after = scene.root / "Film.srt", scene.root / "Film.fr.srt"
    actions: list[tuple[Callable[[], object], list[tuple[str, str, str, str]]]] = [
        (lambda: before.write_text(""), [("Film.srt", "", "srt", "")]),
        (lambda: before.rename(after), [("Film.fr.srt", "fr", "srt", "")]),
        (after.unlink, []),
    ]
    for act, expected in actions:
        scene.changes.clear()
        act()
        scene.scan()
        assert subtitles(scene).get("Film.mkv", []) == expected
        assert len(scene.changes) == 1


def test_subtitles_in_a_folder_of_their_own_are_known_and_followed(scene: Scene) -> None:
    video(scene, "A/Film.mkv")
    (scene.root / "A" / "Subs").mkdir()
    (scene.root / "A" / "Subs" / "2_English.srt").write_text("")
    scene.scan()
    assert subtitles(scene) == {"A/Film.mkv": [("Subs/2_English.srt", "en", "srt", "")]}
    (scene.root / "A" / "Subs" / "3_French.srt").write_text("")
    scene.scan("A/Subs")
    assert [name for name, *_ in subtitles(scene)["A/Film.mkv"]] == [
        "Subs/2_English.srt",
        "Subs/3_French.srt",
    ]


def test_subtitles_in_a_folder_of_each_video_are_known_and_followed(scene: Scene) -> None:
    video(scene, "A/E1.mkv")
    video(scene, "A/E2.mkv")
    for name in ("E1", "E2", "Other"):
        (scene.root / "A" / "Subs" / name).mkdir(parents=True)
        (scene.root / "A" / "Subs" / name / "2_English.srt").write_text("")
    scene.scan()
    assert subtitles(scene) == {
        f"A/{name}.mkv": [(f"Subs/{name}/2_English.srt", "en", "srt", "")] for name in ("E1", "E2")
    }
    (scene.root / "A" / "Subs" / "E2" / "2_English.srt").unlink()
    scene.scan("A/Subs/E2")
    assert list(subtitles(scene)) == ["A/E1.mkv"]


def test_subtitles_of_a_folder_that_cannot_be_listed_are_not_gone(scene: Scene) -> None:
    video(scene, "Film.mkv")
    below = scene.root / "Subs"
    below.mkdir()
    (below / "English.srt").write_text("")
    scene.scan()
    below.chmod(0)
    with permissions_count():
        scene.scan()
    below.chmod(0o700)
    assert [name for name, *_ in subtitles(scene)["Film.mkv"]] == ["Subs/English.srt"]


# ---- single folders


def test_a_scan_of_one_folder_looks_at_no_other(scene: Scene) -> None:
    scene.sound("A/one.wav")
    scene.sound("B/one.wav")
    scene.scan()
    scene.sound("A/two.wav")
    scene.sound("B/two.wav")
    scene.scan("A")
    assert scene.files() == {"A/one.wav", "A/two.wav", "B/one.wav"}


def test_a_scan_of_one_folder_asks_the_index_of_no_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one changed file costs must not grow with the library."""
    for name in ("A", "B", "B/C"):
        scene.sound(f"{name}/one.wav")
        (scene.root / name / "cover.png").write_bytes(picture("PNG", (8, 8)))
    scene.scan()
    scene.sound("A/two.wav")
    (scene.root / "A/new").mkdir()
    scene.sound("B/C/one.wav").rename(scene.root / "A/new/moved.wav")
    folders = len(scene.folders())
    asked: list[int] = []

    def of_all(root_id: int) -> dict[bytes, object]:
        asked.append(root_id)
        return {}

    for name in ("known_folders", "folder_art", "sidecars"):
        monkeypatch.setattr(scene.indexer, name, of_all)
    scene.scan("A")
    monkeypatch.undo()
    assert asked == []
    assert folders == 4
    assert scene.files() == {"A/one.wav", "A/two.wav", "A/new/moved.wav", "B/one.wav"}


def test_a_folder_that_has_moved_into_the_one_that_is_scanned_keeps_its_key(scene: Scene) -> None:
    scene.sound("A/one.wav")
    scene.sound("B/Album/Disc 1/two.wav")
    scene.scan()
    before = scene.known()["B/Album/Disc 1/two.wav"].key
    (scene.root / "B/Album").rename(scene.root / "A/Album")
    summary = scene.scan("A")
    assert scene.known()["A/Album/Disc 1/two.wav"].key == before
    assert (summary.moved, summary.added, scene.readers.names) == (1, 0, [])


def test_a_folder_with_very_many_files_is_looked_at_in_many_steps(scene: Scene) -> None:
    """Between two steps others get their turn: the readers, and who wants the scan to stop."""
    for number in range(2500):
        (scene.root / f"{number}.mp3").touch()
    steps = itertools.count()
    summary = scene.scan(stopped=lambda: next(steps) > 1)
    assert not summary.complete
    assert summary.seen == 0


def test_a_new_folder_is_scanned_with_all_below_it(scene: Scene) -> None:
    scene.sound("one.wav")
    scene.scan()
    scene.sound("New/Deeper/two.wav")
    scene.scan("")
    assert scene.files() == {"one.wav", "New/Deeper/two.wav"}


def test_a_vanished_folder_is_noticed_in_the_nearest_one_that_is_there(scene: Scene) -> None:
    path = scene.sound("Artist/Album/one.wav")
    scene.sound("Artist/single.wav")
    scene.scan()
    path.unlink()
    path.parent.rmdir()
    scene.scan("Artist/Album")
    assert scene.files() == {"Artist/single.wav"}


def test_a_hidden_folder_is_not_scanned_when_asked_for(scene: Scene) -> None:
    scene.sound(".private/one.wav")
    scene.scan(".private", deep=True)
    assert scene.files() == set()


# ---- growing files


def test_a_file_changed_a_moment_ago_is_left_for_later(scene: Scene) -> None:
    path = scene.sound("Album/one.wav")
    changed = path.stat().st_mtime_ns
    scene.now_ns = changed + 1_900_000_000
    assert scene.scan().unsettled == {os.fsencode(path.parent)}
    assert scene.files() == set()
    scene.now_ns = changed + 2_000_000_000
    assert scene.scan().unsettled == set()
    assert scene.files() == {"Album/one.wav"}


def test_a_new_folder_that_is_asked_for_with_the_one_it_is_in_is_read_once(scene: Scene) -> None:
    """As happens when files of both were still being written before."""
    scene.sound("one.wav")
    scene.sound("New/two.wav")
    scene.sound("New/Deeper/three.wav")
    summary = scene.scan("", "New", "New/Deeper")
    assert sorted(scene.readers.names) == ["one.wav", "three.wav", "two.wav"]
    assert (summary.seen, summary.added) == (3, 3)


def test_a_known_file_that_grows_stays_as_it_is_until_it_is_quiet(scene: Scene) -> None:
    path = scene.sound("one.wav")
    scene.scan()
    before = scene.known()["one.wav"]
    with path.open("ab") as file:
        file.write(b"more")
    scene.now_ns = path.stat().st_mtime_ns + 1
    scene.scan()
    assert scene.known()["one.wav"] == before


@pytest.mark.parametrize(
    "name",
    [
        ".one.wav.Ab3dE1",  # rsync(1), --temp-dir
        ".syncthing.one.wav.tmp",  # Syncthing's documentation, "Understanding synchronization"
        "one.wav.part",  # Firefox, curl's and many others' habit
        "one.wav.crdownload",  # Chromium
        "one.wav.!qB",  # qBittorrent, "Append .!qB extension to incomplete files"
        "one.wav.!ut",
        "one.wav.tmp",
        "one.wav.filepart",  # WinSCP
        "one.wav.aria2",  # aria2c(1), control file
    ],
)
def test_a_copy_under_way_in_another_name_is_read_when_it_gets_its_own(
    scene: Scene, name: str
) -> None:
    path = scene.sound("Album/one.wav")
    under_way = path.rename(path.with_name(name))
    scene.now_ns = path.parent.stat().st_mtime_ns
    summary = scene.scan()
    assert summary.seen == 0
    assert summary.unsettled == frozenset()
    os.utime(under_way, ns=(0, 10**18))  # as rsync -t does, before it renames
    under_way.rename(path)
    assert scene.scan("Album").added == 1
    assert scene.files() == {"Album/one.wav"}


def _written(path: Path, contents: bytes, second: int) -> None:
    """As a copy under way leaves it at that moment."""
    path.write_bytes(contents)
    os.utime(path, ns=(second * 10**9, second * 10**9))


def test_a_copy_that_paused_is_read_again_when_it_is_whole(scene: Scene) -> None:
    path = scene.sound("one.wav")
    whole = path.read_bytes()
    _written(path, whole[:300], 100)
    scene.now_ns = 103 * 10**9
    scene.scan()
    partly = scene.known()["one.wav"]
    _written(path, whole, 110)
    scene.now_ns = 111 * 10**9
    assert scene.scan().unsettled == {os.fsencode(scene.root)}
    scene.now_ns = 112 * 10**9
    assert scene.scan().changed == 1
    known = scene.known()["one.wav"]
    assert (known.key, known.status.size) == (partly.key, len(whole))


@pytest.mark.parametrize("last", [120, 50])
def test_a_copy_whose_room_was_made_before_is_read_again_when_it_is_whole(
    scene: Scene, last: int
) -> None:
    """Over SMB a file has its size at once and nothing in it; some give it the time of the
    original in the end, which lies in the past."""
    path = scene.sound("one.wav")
    whole = path.read_bytes()
    _written(path, bytes(len(whole)), 100)
    scene.now_ns = 101 * 10**9
    assert scene.scan().unsettled == {os.fsencode(scene.root)}
    assert scene.readers.names == []
    scene.now_ns = 103 * 10**9
    scene.scan()
    empty = scene.known()["one.wav"]
    assert empty.reason is not None
    _written(path, whole, last)
    scene.now_ns = 130 * 10**9
    assert scene.scan().changed == 1
    known = scene.known()["one.wav"]
    assert (known.key, known.reason) == (empty.key, None)


def test_a_file_from_the_future_is_read(scene: Scene) -> None:
    path = scene.sound("one.wav")
    scene.now_ns = path.stat().st_mtime_ns - 3_600_000_000_000
    scene.scan()
    assert scene.files() == {"one.wav"}


def test_who_scans_once_takes_growing_files_as_they_are(scene: Scene) -> None:
    scene.now_ns = scene.sound("one.wav").stat().st_mtime_ns
    assert scene.scan(settle=False).added == 1


# ---- stopping, going on, telling


def test_a_stopped_scan_keeps_what_it_has_and_the_next_one_goes_on(scene: Scene) -> None:
    for number in range(10):
        scene.sound(f"{number}.wav", value=number)
        scene.sound(f"Album {number}/one.wav", value=100 + number)
    summary = scene.scan(stopped=lambda: len(scene.readers.names) >= 5)
    first = list(scene.readers.names)
    assert not summary.complete
    assert len(scene.files()) == len(first) == 5
    scene.scan()
    assert len(scene.readers.names) == 15
    assert len(scene.files()) == 20


def test_a_stopped_scan_removes_nothing(scene: Scene) -> None:
    scene.sound("one.wav").unlink()
    path = scene.sound("one.wav")
    scene.sound("two.wav")
    scene.scan()
    path.unlink()
    scene.sound("three.wav")
    scene.scan(stopped=lambda: bool(scene.readers.names))
    assert "one.wav" in scene.files()


def test_progress_tells_of_every_file_in_the_end(scene: Scene) -> None:
    for number in range(7):
        scene.sound(f"{number}.wav", value=number)
    told: list[ScanProgress] = []
    scene.scan(progress=told.append)
    last = told[-1]
    assert (last.seen, last.read, last.pending, last.walking) == (7, 7, 0, False)
    assert last.remaining_seconds == 0.0


def test_the_end_of_a_scan_is_estimated_while_folders_are_still_listed(scene: Scene) -> None:
    """Of four albums alike one has been read after a second: three more to come."""
    scanning = ScanProgress(read=10, walked=0.25, files_per_second=10.0, seconds=1.0)
    assert scanning.expected == 40
    assert scanning.remaining_seconds == 3.0
    assert ScanProgress(read=10, walked=0.001, files_per_second=10.0).remaining_seconds is None
    unchanged = ScanProgress(seen=10, walked=0.5, seconds=2.0)
    assert (unchanged.expected, unchanged.remaining_seconds) == (None, 2.0)


def test_what_part_of_the_folders_has_been_looked_at_is_told(scene: Scene) -> None:
    for number in range(4):
        for disc in range(number):
            scene.sound(f"Album {number}/{disc}/one.wav", value=10 * number + disc)
    scene.sound("Album 0/one.wav")
    clock = itertools.count()
    scene.scanner.clock = lambda: float(next(clock))
    told: list[ScanProgress] = []
    scene.scan(progress=told.append)
    walked = [round(progress.walked, 3) for progress in told]
    # Of four albums the second has a folder, the third two of them, the last one three.
    assert sorted(set(walked)) == [0, 0.25, 0.5, 0.625, 0.75, 0.833, 0.917, 1]
    assert walked == sorted(walked)


def test_a_scan_through_worker_processes_finds_the_same(scene: Scene) -> None:
    for number in range(40):
        scene.sound(f"Album {number % 4}/{number}.wav", value=number)
    (scene.root / "broken.flac").write_bytes(b"fLaC" + b"\xff" * 40)
    pool = ReaderPool(2)
    try:
        scanner = Scanner(scene.indexer, pool, Rules([os.fsencode(scene.root)]))
        summary = scanner.scan([Target(scene.indexer.roots()[0])], settle=False)
    finally:
        pool.close()
    assert (summary.added, summary.unreadable) == (41, 1)
    assert len(scene.files()) == 41


def test_a_scan_ends_when_its_pool_is_closed(scene: Scene) -> None:
    scene.sound("one.wav")
    pool = ReaderPool(1)
    pool.close()
    scanner = Scanner(scene.indexer, pool, Rules([os.fsencode(scene.root)]))
    assert not scanner.scan([Target(scene.indexer.roots()[0])], settle=False).complete


# ---- mounted anew under another device number


def renumber(scene: Scene) -> None:
    """As if the disk had had another number when it was last seen."""
    with scene.database.begin() as connection:
        for table in ("items", "folders", "playlists", "roots"):
            driver_of(connection).execute(f"UPDATE {table} SET device = device + 1")  # noqa: S608


def test_what_was_renamed_while_its_disk_was_away_keeps_its_keys(scene: Scene) -> None:
    """Unmounted, renamed by another machine, and mounted again under another number."""
    path = scene.sound("Album/one.wav")
    scene.sound("Album/two.wav")
    scene.sound("Other/three.wav")
    (scene.root / "Other" / "list.m3u").write_text("three.wav\n")
    scene.scan()
    before, folders = scene.known(), scene.folders()
    playlists = {one.key for one in scene.indexer.known_playlists(folders["Other"]).values()}
    renumber(scene)
    path.rename(scene.root / "Album" / "uno.wav")
    (scene.root / "Other" / "list.m3u").rename(scene.root / "Other" / "new.m3u")
    (scene.root / "Other").rename(scene.root / "Another")
    scene.scan()
    assert scene.readers.names == []
    assert {name: file.key for name, file in scene.known().items()} == {
        "Album/uno.wav": before["Album/one.wav"].key,
        "Album/two.wav": before["Album/two.wav"].key,
        "Another/three.wav": before["Other/three.wav"].key,
    }
    assert scene.folders()["Another"] == folders["Other"]
    after = scene.indexer.known_playlists(folders["Other"])
    assert {one.key for one in after.values()} == playlists
    assert list(after) == [b"new.m3u"]


def test_what_was_copied_and_removed_while_its_disk_was_away_keeps_its_key(scene: Scene) -> None:
    path = scene.sound("Album/one.wav")
    scene.sound("Album/two.wav")
    scene.scan()
    key = scene.known()["Album/one.wav"].key
    renumber(scene)
    (scene.root / "Album" / "uno.wav").write_bytes(path.read_bytes())
    path.unlink()
    scene.scan()
    assert scene.known()["Album/uno.wav"].key == key


def test_a_file_of_a_disk_that_is_away_is_not_taken_for_moved(scene: Scene) -> None:
    """The folder that a disk was mounted on shows another device, and nothing familiar."""
    path = scene.sound("Disk/one.wav")
    scene.sound("two.wav")
    scene.scan()
    key = scene.known()["Disk/one.wav"].key
    with scene.database.begin() as connection:
        for table in ("items", "folders"):
            driver_of(connection).execute(
                f"UPDATE {table} SET device = device + 1 WHERE id IN (?, ?)",  # noqa: S608
                (key, scene.folders()["Disk"]),
            )
    (scene.root / "copy.wav").write_bytes(path.read_bytes())
    path.unlink()
    scene.scan()
    assert scene.known()["Disk/one.wav"].key == key
    assert scene.known()["copy.wav"].key != key
