"""What vanished at one place and turned up at another: files, folders and playlists that keep
their keys.

Whatever turns up is compared with what is known by (device, inode), a file once it has been read
also by its fingerprint. Moved it is only if it is gone where it was known, and gone must be
certain: nothing is gone from a root that is not available or from a file system that is not
mounted (security.md F7, F9).

Many file systems get another device number each time they are mounted. Where a folder that was
known under one number shows familiar names under another, the two are the same file system.
"""

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from mediaserver.library.disks import Disks, moved
from mediaserver.library.indexer import (
    FileStatus,
    Indexer,
    KnownFile,
    KnownFolder,
    KnownPlaylist,
)
from mediaserver.library.roots import Rules, shared_end
from mediaserver.library.scanning.folder_tree import FolderTree
from mediaserver.library.scanning.listing import file_status


class Moves:
    """The moves of one scan; nobody is taken twice. ``available``: whether a root, by its
    absolute path, can be looked at."""

    def __init__(
        self,
        indexer: Indexer,
        known: FolderTree,
        rules: Rules,
        disks: Disks,
        available: Callable[[bytes], bool],
    ) -> None:
        self._indexer = indexer
        self._known = known
        self._rules = rules
        self._disks = disks
        self._available = available
        self.files: set[int] = set()
        """Keys of the files that have moved."""
        self._former: dict[int, set[int]] = {}
        """Device numbers of before, by those of now."""
        self.folders: set[int] = set()
        self.playlists: set[int] = set()

    @property
    def count(self) -> int:
        return len(self.files) + len(self.folders) + len(self.playlists)

    def mounted_anew(self, before: int, now: int) -> None:
        """What was known under one device number has another now."""
        self._former.setdefault(now, set()).add(before)

    def _devices(self, now: int) -> Iterator[int]:
        """The numbers under which what is on a device now may be known."""
        yield now
        yield from self._former.get(now, ())

    def file_by_inode(self, status: FileStatus) -> KnownFile | None:
        """The known file that is now where this status is from: its contents are known too."""
        for device in self._devices(status.device):
            for known in self._indexer.files_by_inode(device, status.inode):
                if _same(known.status, status) and self._take(known):
                    return known
        return None

    def file_by_fingerprint(self, fingerprint: bytes, path: bytes) -> KnownFile | None:
        """The known file with these contents, if it is no longer where it was; of several the
        one whose path ends most like this one."""
        if not fingerprint:
            return None
        candidates = self._indexer.files_by_fingerprint(fingerprint)
        if len(candidates) > 1:
            candidates.sort(key=lambda known: -shared_end(self._path_of(known), path))
        return next((known for known in candidates if self._take(known)), None)

    def _path_of(self, known: KnownFile) -> bytes:
        return (self._indexer.path_of(known.folder) or b"") + b"/" + known.name

    def _take(self, known: KnownFile) -> bool:
        if known.key in self.files:
            return False
        folder = self._indexer.path_of(known.folder)
        if folder is None or not self._is_gone(folder + b"/" + known.name, known.status.device):
            return False
        self.files.add(known.key)
        return True

    def playlist_by_inode(self, status: FileStatus) -> KnownPlaylist | None:
        """The known playlist that is now where this status is from."""
        for device in self._devices(status.device):
            for known in self._indexer.playlists_by_inode(device, status.inode):
                folder = self._indexer.path_of(known.folder)
                if (
                    _same(known.status, status)
                    and folder is not None
                    and known.key not in self.playlists
                    and self._is_gone(folder + b"/" + known.name, device)
                ):
                    self.playlists.add(known.key)
                    return known
        return None

    def folder_by_inode(self, path: bytes, device: int, inode: int) -> KnownFolder | None:
        """The known folder that is now at an absolute path.

        Numbers of inodes are used again at once by some file systems (ext4), and so are names
        such as ``01.mp3``: what is in it must be the same, too.
        """
        candidates = (
            known
            for number in self._devices(device)
            for known in self._indexer.folders_by_inode(number, inode)
        )
        for known in candidates:
            if known.parent is None or known.key in self.folders:
                continue
            before = self._indexer.path_of(known.key)
            if before is None or not self._is_gone(before, known.device):
                continue
            if self._holds_the_same(path, known):
                self.folders.add(known.key)
                return known
        return None

    def _holds_the_same(self, path: bytes, folder: KnownFolder) -> bool:
        self._known.load(folder.root_id)
        files: dict[bytes, KnownFile | KnownPlaylist] = {
            **self._indexer.known_files(folder.key),
            **self._indexer.known_playlists(folder.key),
        }
        folders = {name: below.inode for name, below in self._known.below(folder.key).items()}
        statuses = {name: file.status for name, file in files.items()}
        try:
            return self._disks.ask(path, partial(_holds_the_same, path, statuses, folders))
        except OSError:
            return False

    def _is_gone(self, path: bytes, device: int) -> bool:
        """Whether nothing is at an absolute path any more, on the device that held it."""
        located = self._rules.locate(path)
        if located is None or not self._available(located[0]):
            return False
        try:
            now = self._disks.ask(path, partial(_device_without, path))
        except OSError:
            return False
        return now is not None and device in self._devices(now)


def _same(one: FileStatus, other: FileStatus) -> bool:
    return (one.size, one.mtime_ns) == (other.size, other.mtime_ns)


def _holds_the_same(
    path: bytes, files: Mapping[bytes, FileStatus], folders: Mapping[bytes, int]
) -> bool:
    """Whether a folder holds a file as it was, or most of what it held although that has changed.
    ``folders``: inodes by names."""
    inodes = {**folders, **{name: status.inode for name, status in files.items()}}
    alike = 0
    with os.scandir(path) as entries:
        for entry in entries:
            moved()
            if entry.name not in inodes:
                continue
            now = file_status(entry.stat(follow_symlinks=False))
            if now.inode != inodes[entry.name]:
                continue
            before = files.get(entry.name)
            if before is not None and _same(before, now):
                return True
            alike += 1
    return 2 * alike > len(inodes)


def _device_without(path: bytes) -> int | None:
    """The device that an absolute path would be on; None: something is there."""
    try:
        os.lstat(path)
        return None
    except (FileNotFoundError, NotADirectoryError):
        pass
    while path not in (b"", b"/"):
        path = os.path.dirname(path)  # noqa: PTH120 - a path of bytes
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return os.stat(path).st_dev  # noqa: PTH116
    return None
