"""Whether the file at the path of an open index is still that index, and what to do if not.

A file that was deleted lives on for those who have it open, and is gone with them: all that was
indexed since would be lost at the next start. It is written again from what is open.
"""

import contextlib
import sqlite3
from enum import Enum
from pathlib import Path

from mediaserver.library import index_file
from mediaserver.library.errors import IndexUnusable

Identity = tuple[int, int]
"""(device, inode)."""


class Place(Enum):
    """What is at the path of an index that is open."""

    SAME = "the index"
    GONE = "nothing"
    OTHER = "another file"


def identity_of(path: Path) -> Identity:
    status = path.stat()
    return status.st_dev, status.st_ino


def place_of(path: Path, identity: Identity) -> Place:
    """What is at the path now; what the system does not tell is taken for the same."""
    try:
        if identity_of(path) == identity:
            return Place.SAME
        return Place.OTHER if path.stat().st_size else Place.GONE
    except FileNotFoundError:
        return Place.GONE
    except OSError:
        return Place.SAME


def save(source: sqlite3.Connection, path: Path) -> Path:
    """Write an index that is open, and has no file any more, beside its path; then
    :func:`put_back`. Raises :class:`.errors.IndexUnusable`."""
    draft = index_file.beside(path, ".restored")
    try:
        draft.unlink(missing_ok=True)
        index_file.create(draft)
        with contextlib.closing(index_file.connect(draft)) as target:
            source.backup(target)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        reason = error.strerror if isinstance(error, OSError) else error
        raise IndexUnusable(
            f"index {path}: it was deleted, and cannot be written again ({reason})"
        ) from error
    return draft


def put_back(draft: Path, path: Path) -> None:
    """Let what :func:`save` has written be the index; nobody has the old one open any more.

    Raises :class:`.errors.IndexUnusable`.
    """
    try:
        index_file.remove_log(path)
        draft.replace(path)
    except OSError as error:
        raise IndexUnusable(f"index {path}: {error.strerror or error}") from error
