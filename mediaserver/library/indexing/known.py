"""What the index knows of the disk, for those who compare the two.

Questions are functions of the SQLite connection; they run by the ten thousand during a scan.
"""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

MANY = 100
"""Files of the same contents, of which no more are looked at."""
_MASK = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class FileStatus:
    """What ``stat`` says of a file. ``mtime_ns`` is in nanoseconds since 1970."""

    size: int
    mtime_ns: int
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file as the index has it."""

    key: int
    name: bytes
    status: FileStatus
    fingerprint: bytes
    folder: int
    reason: str | None
    """Why it is unreadable, None if it is not: the scanner tries again what the system refused."""


@dataclass(frozen=True, slots=True)
class KnownPlaylist:
    """A playlist file as the index has it; ``reason`` tells why it could not be read."""

    key: int
    name: bytes
    status: FileStatus
    folder: int
    reason: str | None


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


def stored(number: int) -> int:
    """A number of 64 bits as SQLite can hold it: signed.

    Inodes of some network and FUSE file systems, and times after 2262, use the highest bit.
    """
    number &= _MASK
    return number - (1 << 64) if number >> 63 else number


def _unsigned(number: int) -> int:
    return number & _MASK


def _time(number: int) -> int:
    """Nanoseconds since 1970; what claims to be before 1823 is after 2262."""
    return number if number > -(1 << 62) else number & _MASK


def roots(connection: sqlite3.Connection) -> list[KnownRoot]:
    rows = connection.execute(
        "SELECT id, path, name, device, available, reason, scanned FROM roots ORDER BY id"
    )
    return [
        KnownRoot(
            root_id,
            path,
            name,
            None if device is None else _unsigned(device),
            bool(available),
            reason,
            bool(scanned),
        )
        for root_id, path, name, device, available, reason, scanned in rows
    ]


_FILES = (
    "SELECT id, name, size, mtime_ns, device, inode, fingerprint, folder_id, reason FROM items "
)


def known_files(connection: sqlite3.Connection, folder: int) -> dict[bytes, KnownFile]:
    """The files of a folder by their names (index ``items_by_name``)."""
    rows = connection.execute(_FILES + "WHERE folder_id = ? AND part = 0", (folder,))
    return {file.name: file for file in _files(rows)}


def file(connection: sqlite3.Connection, folder: int, name: bytes) -> KnownFile | None:
    rows = connection.execute(
        _FILES + "WHERE folder_id = ? AND name = ? AND part = 0", (folder, name)
    )
    return next(iter(_files(rows)), None)


def files_by_inode(connection: sqlite3.Connection, device: int, inode: int) -> list[KnownFile]:
    rows = connection.execute(
        _FILES + "WHERE inode = ? AND device = ? AND part = 0", (stored(inode), stored(device))
    )
    return _files(rows)


def files_by_fingerprint(connection: sqlite3.Connection, fingerprint: bytes) -> list[KnownFile]:
    """Files of the same contents; of very many some."""
    rows = connection.execute(
        _FILES + "WHERE fingerprint = ? AND part = 0 LIMIT ?", (fingerprint, MANY)
    )
    return _files(rows)


def _files(rows: Iterable[Any]) -> list[KnownFile]:
    return [
        KnownFile(
            key,
            name,
            FileStatus(size, _time(mtime_ns), device & _MASK, inode & _MASK),
            fingerprint,
            folder,
            reason,
        )
        for key, name, size, mtime_ns, device, inode, fingerprint, folder, reason in rows
    ]


_PLAYLISTS = "SELECT id, name, size, mtime_ns, device, inode, folder_id, reason FROM playlists "


def known_playlists(connection: sqlite3.Connection, folder: int) -> dict[bytes, KnownPlaylist]:
    """The playlists of a folder by their names (index ``playlists_by_name``)."""
    rows = connection.execute(_PLAYLISTS + "WHERE folder_id = ?", (folder,))
    return {playlist.name: playlist for playlist in _playlists(rows)}


def playlist(connection: sqlite3.Connection, folder: int, name: bytes) -> KnownPlaylist | None:
    rows = connection.execute(_PLAYLISTS + "WHERE folder_id = ? AND name = ?", (folder, name))
    return next(iter(_playlists(rows)), None)


def playlists_by_inode(
    connection: sqlite3.Connection, device: int, inode: int
) -> list[KnownPlaylist]:
    rows = connection.execute(
        _PLAYLISTS + "WHERE inode = ? AND device = ?", (stored(inode), stored(device))
    )
    return _playlists(rows)


def _playlists(rows: Iterable[Any]) -> list[KnownPlaylist]:
    return [
        KnownPlaylist(
            key,
            name,
            FileStatus(size, _time(mtime_ns), device & _MASK, inode & _MASK),
            folder,
            reason,
        )
        for key, name, size, mtime_ns, device, inode, folder, reason in rows
    ]


_FOLDERS = "SELECT id, root_id, path, parent_id, device, inode, mtime_ns FROM folders "


def known_folders(connection: sqlite3.Connection, root_id: int) -> dict[bytes, KnownFolder]:
    """All folders of a root by their path (index ``folders_by_path``)."""
    rows = connection.execute(_FOLDERS + "WHERE root_id = ?", (root_id,))
    return {folder.path: folder for folder in _folders(rows)}


def folder(connection: sqlite3.Connection, root_id: int, path: bytes) -> KnownFolder | None:
    """A folder by its path relative to its root (index ``folders_by_path``)."""
    rows = connection.execute(_FOLDERS + "WHERE root_id = ? AND path = ?", (root_id, path))
    return next(iter(_folders(rows)), None)


def folders_in(connection: sqlite3.Connection, parent: int) -> list[KnownFolder]:
    """The folders directly in a folder (index ``folders_of_parent``)."""
    return _folders(connection.execute(_FOLDERS + "WHERE parent_id = ?", (parent,)))


def has_folders(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM folders LIMIT 1").fetchone() is not None


def folders_by_inode(connection: sqlite3.Connection, device: int, inode: int) -> list[KnownFolder]:
    rows = connection.execute(
        _FOLDERS + "WHERE inode = ? AND device = ?", (stored(inode), stored(device))
    )
    return _folders(rows)


def _folders(rows: Iterable[Any]) -> list[KnownFolder]:
    return [
        KnownFolder(key, root_id, path, parent, device & _MASK, inode & _MASK, _time(mtime_ns))
        for key, root_id, path, parent, device, inode, mtime_ns in rows
    ]


_ART = (
    "SELECT folders.id, name, mime_type, width, height, art.mtime_ns"
    " FROM folders JOIN art ON art.id = art_id AND folder_id = folders.id "
)


def folder_art(connection: sqlite3.Connection, root_id: int) -> dict[int, ArtFile]:
    """The picture files in folders of a root that stand for these, by the folder's key."""
    rows = connection.execute(_ART + "WHERE root_id = ?", (root_id,))
    return {row[0]: ArtFile(*row[1:]) for row in rows}


def art_of_folder(connection: sqlite3.Connection, folder: int) -> ArtFile | None:
    """The picture file in a folder that stands for it."""
    row = connection.execute(_ART + "WHERE folders.id = ?", (folder,)).fetchone()
    return None if row is None else ArtFile(*row[1:])


def path_of(connection: sqlite3.Connection, folder: int) -> bytes | None:
    """The absolute path of a folder."""
    row = connection.execute(
        "SELECT roots.path, folders.path FROM folders JOIN roots ON roots.id = root_id "
        "WHERE folders.id = ?",
        (folder,),
    ).fetchone()
    return None if row is None else joined(*row)


def joined(root: bytes, path: bytes) -> bytes:
    """An absolute path of a root's and one relative to it (empty: the root's own)."""
    if not path:
        return root
    return root + path if root.endswith(b"/") else root + b"/" + path
