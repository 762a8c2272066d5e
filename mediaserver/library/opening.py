"""The one way from the index to an open media file (security.md T2, M5).

The index says where a file was; what is there now may be a link out of the media root, a FIFO, or
nothing. So the path is first opened without opening what it names (``O_PATH``: no waiting, no
effect on devices), then the kernel is asked where that really is and what it is, and only then is
that very thing opened for reading. Nothing can be put in its place in between.
"""

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from mediaserver.library.errors import LibraryError

_LOOK = getattr(os, "O_PATH", os.O_RDONLY) | os.O_NONBLOCK | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY

TRIES = 100
"""Looks at a path whose file is replaced again and again: programs that write tags rename a new
file over the old one, and a television does not ask twice. A thread may have to wait between two
steps of a look, and lose several in a row; what is removed is known to be gone at the next look."""

_GONE = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.EINVAL})


class FileGone(LibraryError):  # noqa: N818 - says what happened
    """Nothing that may be served is at the path (any more)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FileUnavailable(LibraryError):  # noqa: N818 - says what happened
    """It cannot be told: the media root is missing, the disk fails, descriptors are used up."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file opened for reading, and what it was at that moment. To be closed."""

    descriptor: int
    path: bytes
    """Where it really is: through no link, and inside a media root."""
    size: int
    mtime_ns: int
    inode: int

    def close(self) -> None:
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def open_media(path: bytes, root: bytes, *more_roots: bytes) -> OpenFile:
    """Open a media file for reading. Blocks as long as its disk needs.

    ``path`` is absolute. Links are followed as far as they stay inside the media root, or inside
    one of ``more_roots``. Raises FileGone or FileUnavailable.
    """
    inside = [real for each in (root, *more_roots) if (real := _real_root(each)) is not None]
    if not inside:
        raise FileUnavailable("the media root is not there")
    for _ in range(TRIES):
        opened = _opened(path, inside)
        if opened is not None:
            return opened
    raise FileGone("removed")


def _opened(path: bytes, inside: Sequence[bytes]) -> OpenFile | None:
    """None: what was there has been removed, or replaced, since it was looked at."""
    try:
        descriptor = os.open(path, _LOOK)
    except OSError as error:
        raise _translated(error) from error
    except ValueError as error:
        raise FileGone("not a path") from error
    try:
        status, real = _checked(descriptor, inside)
        if not status.st_nlink:
            return None
        opened = os.open(_name(descriptor), _READ)
    except OSError as error:
        raise _translated(error) from error
    finally:
        os.close(descriptor)
    return OpenFile(opened, real, status.st_size, status.st_mtime_ns, status.st_ino)


def _real_root(root: bytes) -> bytes | None:
    """Where a media root really is, as a prefix of paths; None if it is not there."""
    try:
        descriptor = os.open(root, _LOOK | os.O_DIRECTORY)
        try:
            real = _real(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        return None
    return real if real.endswith(b"/") else real + b"/"


def _checked(descriptor: int, inside: Sequence[bytes]) -> tuple[os.stat_result, bytes]:
    """What something is and where, if it may be served. Raises FileGone, OSError."""
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise FileGone("not a regular file")
    real = _real(descriptor)
    if not any(real.startswith(root) for root in inside):
        raise FileGone("outside the media root")
    return status, real


def _real(descriptor: int) -> bytes:
    """The path that the kernel has for something open."""
    return os.readlink(_name(descriptor))  # noqa: PTH115 - a path of bytes


def _name(descriptor: int) -> bytes:
    return b"/proc/self/fd/%d" % descriptor


def _translated(error: OSError) -> LibraryError:
    if error.errno in _GONE:
        return FileGone(error.strerror or str(error))
    return FileUnavailable(error.strerror or str(error))
