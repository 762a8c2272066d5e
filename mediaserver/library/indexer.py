"""All writing to the index: changes in transactions, update ids, and who is told of them.

Everything here runs in the one writer thread. A :class:`Batch` is one transaction: what it is
told goes to the tables at once, what follows from it (counts, values of views, update ids) when
it ends. A batch that fails leaves the index as it was.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from mediaserver.library.database import Database
from mediaserver.library.objects import Change, MediaFacts
from mediaserver.library.views import DEFAULT_VIEWS, View


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What ``stat`` says of a file. ``mtime_ns`` is in nanoseconds since 1970."""

    size: int
    mtime_ns: int
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as the index has it. ``state`` is ``ready`` or ``unreadable``."""

    key: int
    name: bytes
    status: FileStatus
    state: str
    fingerprint: bytes
    folder: int
    reason: str | None
    """Why it is unreadable: the scanner tries again what the system refused."""


@dataclass(frozen=True, slots=True)
class KnownFolder:
    """A folder as the index has it; ``path`` is relative to its root, empty for the root."""

    key: int
    root_id: int
    path: bytes
    parent: int | None
    device: int
    inode: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class KnownRoot:
    """A media root as the index has it; ``scanned``: once as a whole."""

    root_id: int
    path: bytes
    name: str
    device: int | None
    available: bool
    reason: str | None
    scanned: bool


@dataclass(frozen=True, slots=True)
class ArtFile:
    """A picture file in a folder that stands for the folder and what is in it."""

    name: bytes
    mime_type: str
    width: int
    height: int
    mtime_ns: int


class Indexer:
    """Answers what the index knows of the disk, and writes what has changed there.

    Inside of a batch the questions see what the batch has written so far.
    """

    def __init__(
        self,
        database: Database,
        *,
        views: Sequence[View] = DEFAULT_VIEWS,
        on_change: Callable[[Change], None] = lambda change: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        raise NotImplementedError

    on_change: Callable[[Change], None]
    """Called in the writer thread after a commit that changed what control points see."""

    def roots(self) -> list[KnownRoot]:
        raise NotImplementedError

    def known_folders(self, root_id: int) -> dict[bytes, KnownFolder]:
        """All folders of a root by their path, relative to the root."""
        raise NotImplementedError

    def known_files(self, folder: int) -> dict[bytes, KnownFile]:
        """The files of a folder (by its key) by their names."""
        raise NotImplementedError

    def file(self, folder: int, name: bytes) -> KnownFile | None:
        raise NotImplementedError

    def files_by_inode(self, device: int, inode: int) -> list[KnownFile]:
        """Files that may be the one now found elsewhere: moved, or another link to it."""
        raise NotImplementedError

    def files_by_fingerprint(self, fingerprint: bytes) -> list[KnownFile]:
        raise NotImplementedError

    def folders_by_inode(self, device: int, inode: int) -> list[KnownFolder]:
        raise NotImplementedError

    def folder_art(self, root_id: int) -> dict[int, ArtFile]:
        """The picture files that stand for folders of a root, by the folder's key."""
        raise NotImplementedError

    def path_of(self, folder: int) -> bytes | None:
        """The absolute path of a folder."""
        raise NotImplementedError

    def files_in(self, root_id: int) -> int:
        """How many files of a root are known."""
        raise NotImplementedError

    @property
    def system_update_id(self) -> int:
        raise NotImplementedError

    @contextmanager
    def batch(self) -> Iterator["Batch"]:
        """One transaction. On leaving: all that follows is written, committed, and told.

        An exception inside undoes the whole batch.
        """
        raise NotImplementedError


class Batch:
    """Changes that become visible together."""

    def put_root(self, path: bytes, name: str) -> int:
        """A media root by its absolute path; keeps what is known of it. New ones are available.

        Returns its ``root_id``.
        """
        raise NotImplementedError

    def set_root(
        self, root_id: int, *, available: bool, reason: str | None, device: int | None
    ) -> None:
        """Whether the root is there. What is in a root that is not there is hidden, and kept."""
        raise NotImplementedError

    def root_scanned(self, root_id: int) -> None:
        """The root has been scanned as a whole: from now on, a file that turns up is new.

        Files put before count as added when they were last modified (or now, if that is later),
        so that "recently added" means something after the first scan.
        """
        raise NotImplementedError

    def remove_root(self, root_id: int) -> None:
        """Forget a root that is no longer configured, with everything in it."""
        raise NotImplementedError

    def put_folder(
        self,
        root_id: int,
        path: bytes,
        *,
        parent: int | None,
        device: int,
        inode: int,
        mtime_ns: int,
    ) -> int:
        """A folder by its path relative to the root (``b""``, without ``parent``: the root's own).

        Returns its key, the same as before if the folder is known.
        """
        raise NotImplementedError

    def put_item(self, folder: int, name: bytes, status: FileStatus, facts: MediaFacts) -> int:
        """A new or changed file of a folder; returns its key, which a known file keeps.

        A new file gets the key and date of a vanished one of the same path or fingerprint.
        """
        raise NotImplementedError

    def set_status(self, key: int, status: FileStatus) -> None:
        """The file's status has changed, its contents have not."""
        raise NotImplementedError

    def move_item(self, key: int, folder: int, name: bytes, status: FileStatus) -> None:
        """The file is at another place now. What was known there before is removed first."""
        raise NotImplementedError

    def remove_item(self, key: int) -> None:
        """The file is gone; its key is kept in mind for 180 days."""
        raise NotImplementedError

    def move_folder(self, key: int, root_id: int, path: bytes, parent: int) -> None:
        """The folder is at another place now, with everything below it."""
        raise NotImplementedError

    def remove_folder(self, key: int) -> None:
        """The folder is gone, with everything below it."""
        raise NotImplementedError

    def set_folder_art(self, folder: int, art: ArtFile | None) -> None:
        """The picture file that stands for a folder and its items without embedded art."""
        raise NotImplementedError
