"""Media roots: what inside them belongs to the library, and whether they are there at all.

A name decides first (hidden, trash of a NAS, a pattern of the owner's), then what it is: regular
files and folders, links only where the owner wants them and only to what lies inside the roots
(security.md T2, M5, M6, M8). Paths are bytes, as the file system has them; relative paths have
neither a leading nor a trailing slash, the root itself is ``b""``.

A root that is not there is not empty (security.md F7): :func:`look` tells the difference.
"""

import errno
import fnmatch
import os
import re
import stat
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import NamedTuple

from mediaserver.library.disks import Disks, moved
from mediaserver.library.readers.naming import clean

MAX_DEPTH = 32
"""Folders inside each other that are looked into."""

TRASH = frozenset(
    {b"@eadir", b"@recycle", b"@recently-snapshot", b"@tmp", b"@sharebin", b"@transcode"}  # NAS
    | {b"#recycle", b"#snapshot", b"network trash folder", b"temporary items"}
    | {b"$recycle.bin", b"recycler", b"recycled", b"system volume information"}  # Windows
    | {b"lost+found"}
)
"""Folders that systems make for themselves, in lower case (those with a dot are hidden anyway)."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Why something is not in the library: a sentence's end, for people."""

    reason: str


HIDDEN = Exclusion("its name begins with a dot: hidden")
TRASHED = Exclusion("a folder that a system keeps for itself (recycle bin, snapshots, index)")
LINK = Exclusion("a symbolic link, and follow_links is off")
LINK_OUT = Exclusion("a symbolic link that leads out of the media roots")
LINK_DEAD = Exclusion("a symbolic link that leads nowhere")
LINK_LOOP = Exclusion("a symbolic link to a folder that holds it, or below another such link")
LINK_EXCLUDED = Exclusion("a symbolic link to something that is left out itself")
TOO_DEEP = Exclusion(f"more than {MAX_DEPTH} folders deep")
NOT_REGULAR = Exclusion("neither a regular file nor a folder")


class Rules:
    """What is inside the roots. ``roots`` are absolute paths; ``ignore`` are fnmatch patterns.

    A pattern with a slash is matched against the path relative to the root, any other against
    the name alone; the case of ASCII letters does not matter.
    """

    def __init__(
        self, roots: Sequence[bytes], *, ignore: Iterable[str] = (), follow_links: bool = False
    ) -> None:
        self.follow_links = follow_links
        self._roots = tuple(roots)
        self._names: list[tuple[re.Pattern[bytes], Exclusion]] = []
        self._paths: list[tuple[re.Pattern[bytes], Exclusion]] = []
        for pattern in ignore:
            compiled = _compiled(pattern.strip("/"))
            rules = self._paths if "/" in pattern.strip("/") else self._names
            rules.append((compiled, Exclusion(f"ignored by the pattern {pattern!r}")))

    def by_name(self, name: bytes, parent: bytes) -> Exclusion | None:
        """What the name alone decides of an entry in ``parent``, a relative path."""
        if name[:1] == b".":
            return HIDDEN
        if name.lower() in TRASH:
            return TRASHED
        for pattern, exclusion in self._names:
            if pattern.match(name):
                return exclusion
        if self._paths:
            path = join(parent, name)
            for pattern, exclusion in self._paths:
                if pattern.match(path):
                    return exclusion
        return None

    def by_path(self, path: bytes) -> Exclusion | None:
        """The first component of a relative path that is left out decides."""
        parent = b""
        for name in path.split(b"/") if path else ():
            exclusion = self.by_name(name, parent)
            if exclusion is not None:
                return exclusion
            parent = join(parent, name)
        return None

    def link_target(self, path: bytes) -> bytes | Exclusion:
        """Where a symbolic link (absolute path) leads to, resolved; or why nobody follows it."""
        if not self.follow_links:
            return LINK
        try:
            target = os.path.realpath(path, strict=True)
        except OSError:
            return LINK_DEAD
        for root in self._roots:
            inside = relative(os.path.realpath(root), target)
            if inside is not None:
                return target if self.by_path(inside) is None else LINK_EXCLUDED
        return LINK_OUT

    def locate(self, path: bytes) -> tuple[bytes, bytes] | None:
        """The root that an absolute path lies in, and the path relative to it."""
        for root in self._roots:
            inside = relative(root, path)
            if inside is not None:
                return root, inside
        return None


def join(parent: bytes, name: bytes) -> bytes:
    return parent + b"/" + name if parent else name


def relative(root: bytes, path: bytes) -> bytes | None:
    """``path`` relative to ``root``; None if it lies elsewhere."""
    if path == root:
        return b""
    prefix = root if root.endswith(b"/") else root + b"/"
    return path[len(prefix) :] if path.startswith(prefix) else None


def shared_end(one: bytes, other: bytes) -> int:
    """In how many names two paths agree, counted from their ends."""
    names = zip(reversed(one.split(b"/")), reversed(other.split(b"/")), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], names))


def _compiled(pattern: str) -> re.Pattern[bytes]:
    # As fnmatch does for bytes: every byte is one character.
    text = fnmatch.translate(os.fsencode(pattern).decode("latin-1"))
    return re.compile(text.encode("latin-1"), re.IGNORECASE)


# ---- is it there?


@dataclass(frozen=True, slots=True)
class RootState:
    """``device`` is st_dev of the root's folder; None: not available, and ``reason`` why.

    ``certain`` False: it may well be there, this program lacks the means to look.
    """

    device: int | None
    reason: str | None = None
    certain: bool = True
    familiar: bool = False
    """Something that was known in it was seen there."""


_OURS = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors that say nothing about what is on the disk (security.md F9)."""


def look(path: bytes, *, device: int | None, known: Collection[bytes]) -> RootState:
    """Whether a root can be scanned.

    ``device`` is st_dev when it was last seen, ``known`` the names of files and folders directly
    in it that the index knows. A root that shows none of them is taken for not mounted when it
    is empty, or when it lies on another file system than before without being a mount point
    itself: what shows then is the folder below the missing mount. A mere change of st_dev means
    nothing, as many file systems get another number with each mount.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - a path of bytes
        if not stat.S_ISDIR(status.st_mode):
            return RootState(None, "it is not a folder")
        with os.scandir(path) as entries:
            empty, familiar = True, False
            for entry in entries:
                moved()
                empty = False
                if entry.name in known:
                    familiar = True
                    break
    except OSError as error:
        return RootState(None, explain_error(path, error), certain=error.errno not in _OURS)
    if known and not familiar:
        if empty:
            return RootState(None, "it is empty, which it was not before: not mounted?")
        if device is not None and device != status.st_dev and not _is_mount_point(path, status):
            return RootState(None, "another file system than before is there: not mounted?")
    return RootState(status.st_dev, familiar=familiar)


def _is_mount_point(path: bytes, status: os.stat_result) -> bool:
    try:
        parent = os.stat(os.path.join(path, b".."))  # noqa: PTH116, PTH118 - a path of bytes
    except OSError:
        return False
    return parent.st_dev != status.st_dev or parent.st_ino == status.st_ino


def explain_error(path: bytes, error: OSError) -> str:
    """A system's error at a path for people; who may not read what, where permission lacks."""
    if error.errno == errno.ENOENT:
        return "it does not exist"
    reason = clean(error.strerror or str(error))
    if error.errno not in (errno.EACCES, errno.EPERM):
        return reason
    user = f"this program runs as {_user_name(os.geteuid())}"
    try:
        status = os.stat(path)  # noqa: PTH116 - a path of bytes
    except OSError:
        return f"{reason}: a folder above it is closed; {user}"
    mode, owner = stat.filemode(status.st_mode), _user_name(status.st_uid)
    return f"{reason}: {mode}, owned by {owner}; {user}"


def _user_name(uid: int) -> str:
    # Deferred: needed for complaints alone, and not there on every system.
    import pwd

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


SETTLED_SECONDS = 5.0
"""Times of folders are as coarse as 2 s (FAT): what changed just now may change unseen."""


class _Glance(NamedTuple):
    """What a root was: ``mark``; and what ``stat`` said, if that would tell of a change."""

    mark: object
    stamp: object = None


class Presence:
    """Notices that roots come and go: mounted, unmounted, emptied, opened, closed, or silent.

    Looks often, so it lists a root only if ``stat``, which the system answers from memory, says
    that something has changed: a disk may go to sleep.
    """

    def __init__(
        self,
        roots: Iterable[bytes],
        *,
        disks: Disks | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._disks = disks or Disks()
        self._glances = dict.fromkeys(roots, _Glance(None))
        self._wall_clock = wall_clock

    def changed(self) -> set[bytes]:
        """Roots that have become something else since the last call; at first all of them."""
        changed = set()
        for path, before in self._glances.items():
            glance = self._glance(path, before)
            self._glances[path] = glance
            if glance.mark != before.mark:
                changed.add(path)
        return changed

    def _glance(self, path: bytes, before: _Glance) -> _Glance:
        now = self._wall_clock()
        try:
            return self._disks.ask(path, partial(_glance, path, before, now))
        except OSError as error:
            return _Glance(error.errno)


def _glance(path: bytes, before: _Glance, now: float) -> _Glance:
    status = os.stat(path)  # noqa: PTH116 - a path of bytes
    stamp = status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns
    if stamp == before.stamp:
        return before
    with os.scandir(path) as entries:
        mark = status.st_dev, status.st_ino, any(True for _ in entries)
    settled = now - max(status.st_mtime, status.st_ctime) > SETTLED_SECONDS
    return _Glance(mark, stamp if settled else None)
