"""Opening media files: only regular files, only inside the media root (security.md T2, M5)."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mediaserver.library.opening import FileGone, FileUnavailable, open_media


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file outside the media root."""
    path = tmp_path / "secret"
    path.write_bytes(b"secret")
    return path


def content(path: Path, root: Path, *more_roots: Path) -> bytes:
    with open_media(os.fsencode(path), os.fsencode(root), *map(os.fsencode, more_roots)) as file:
        status = os.fstat(file.descriptor)
        assert (file.size, file.inode) == (status.st_size, status.st_ino)
        assert file.mtime_ns == status.st_mtime_ns
        return os.pread(file.descriptor, 100, 0)


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_file_of_any_name_is_opened(root: Path) -> None:
    path = root / os.fsdecode(b"\xff\xfe a'b\"\n.mp3")
    path.write_bytes(b"music")
    assert content(path, root) == b"music"


def test_a_link_inside_the_root_is_followed(root: Path) -> None:
    (root / "folder").mkdir()
    (root / "folder" / "song.mp3").write_bytes(b"music")
    (root / "link.mp3").symlink_to("folder/song.mp3")
    assert content(root / "link.mp3", root) == b"music"


def test_what_is_open_knows_where_it_really_is(root: Path) -> None:
    (root / "song.mp3").write_bytes(b"music")
    (root / "link.mp3").symlink_to("song.mp3")
    with open_media(bytes(root / "link.mp3"), bytes(root)) as file:
        assert file.path == bytes((root / "song.mp3").resolve())


def test_a_link_to_another_root_is_followed_if_that_is_allowed(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "song.mp3").write_bytes(b"music")
    (root / "link.mp3").symlink_to(other / "song.mp3")
    assert content(root / "link.mp3", root, other) == b"music"
    with pytest.raises(FileGone):
        content(root / "link.mp3", root)


def test_a_root_that_is_a_link_itself_is_followed(root: Path, tmp_path: Path) -> None:
    (root / "song.mp3").write_bytes(b"music")
    link = tmp_path / "link"
    link.symlink_to(root)
    assert content(link / "song.mp3", link) == b"music"


def test_a_link_out_of_the_root_is_not_opened(root: Path, canary: Path) -> None:
    (root / "song.mp3").symlink_to(canary)
    with pytest.raises(FileGone):
        content(root / "song.mp3", root)


def test_a_folder_that_became_a_link_out_of_the_root_is_not_entered(
    root: Path, canary: Path
) -> None:
    (root / "album").symlink_to(canary.parent)
    with pytest.raises(FileGone):
        content(root / "album" / canary.name, root)


def test_dots_do_not_lead_out_of_the_root(root: Path, canary: Path) -> None:
    with pytest.raises(FileGone):
        content(root / ".." / canary.name, root)


def test_a_folder_whose_name_begins_like_the_root_is_not_inside(root: Path, tmp_path: Path) -> None:
    near = tmp_path / "root2"
    near.mkdir()
    (near / "song.mp3").write_bytes(b"music")
    (root / "song.mp3").symlink_to(near / "song.mp3")
    with pytest.raises(FileGone):
        content(root / "song.mp3", root)


def test_what_is_no_regular_file_is_not_opened_and_not_waited_for(root: Path) -> None:
    os.mkfifo(root / "pipe.mp3")
    (root / "folder.mp3").mkdir()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(root / "s.mp3"))
        for name in ("pipe.mp3", "folder.mp3", "s.mp3", "missing.mp3"):
            with pytest.raises(FileGone):
                content(root / name, root)


def test_a_device_is_not_opened(root: Path) -> None:
    (root / "null.mp3").symlink_to("/dev/null")
    with pytest.raises(FileGone):
        content(root / "null.mp3", root, Path("/"))


def test_a_loop_of_links_is_no_file(root: Path) -> None:
    (root / "a.mp3").symlink_to("a.mp3")
    with pytest.raises(FileGone):
        content(root / "a.mp3", root)


@pytest.mark.parametrize("name", [b"a" * 300, b"a\0b", b"a/" * 3000])
def test_an_impossible_name_is_no_file(root: Path, name: bytes) -> None:
    with pytest.raises(FileGone):
        open_media(os.fsencode(root) + b"/" + name, os.fsencode(root))


def test_a_missing_root_is_unavailable_not_empty(tmp_path: Path) -> None:
    # security.md F7
    with pytest.raises(FileUnavailable):
        content(tmp_path / "gone" / "song.mp3", tmp_path / "gone")


def test_a_failing_disk_is_unavailable(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    working = os.open

    def failing(path: bytes, flags: int) -> int:
        if path.endswith(b"song.mp3"):
            raise OSError(5, "Input/output error")
        return working(path, flags)

    monkeypatch.setattr(os, "open", failing)
    with pytest.raises(FileUnavailable, match="Input/output error"):
        open_media(os.fsencode(root / "song.mp3"), os.fsencode(root))


def test_a_refused_file_leaves_no_descriptor_open(root: Path, canary: Path) -> None:
    (root / "song.mp3").symlink_to(canary)
    before = open_descriptors()
    for _ in range(10):
        with pytest.raises(FileGone):
            content(root / "song.mp3", root)
    assert open_descriptors() == before


REPLACER = """
import os, sys
print("at work", flush=True)
while True:
    with open(sys.argv[1] + ".new", "wb") as file:
        file.write(b"new")
    os.replace(file.name, sys.argv[1])
"""


def test_a_file_that_is_replaced_meanwhile_is_there_all_the_same(tmp_path: Path) -> None:
    """rename(2): at no moment is there nothing of that name."""
    path = tmp_path / "a.mp3"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", REPLACER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as replacer:
        try:
            assert replacer.stdout is not None
            replacer.stdout.readline()
            for _ in range(3000):
                open_media(bytes(path), bytes(tmp_path)).close()
        finally:
            replacer.kill()
