"""Which roots can tell of changes by themselves, and what inotify lets us watch (Linux)."""

import contextlib
import ctypes
import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mediaserver.library.disks import moved
from mediaserver.library.roots import relative

MOUNTS = Path("/proc/self/mounts")
MAX_WATCHES = Path("/proc/sys/fs/inotify/max_user_watches")
MAX_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")
DESCRIPTORS = Path("/proc/self/fdinfo")

SILENT = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "virtiofs", "vboxsf", "prl_fs", "vmhgfs"}
    | {"afs", "coda", "ceph", "glusterfs", "lustre", "gpfs", "davfs", "ncpfs", "ocfs2", "gfs2"}
    | {"drvfs", "autofs"}  # of Windows, and one that is not mounted before somebody looks
)
"""File systems on which others make changes that this machine's kernel does not hear of. Those of
FUSE are among them (sshfs, rclone, ...), but for these:"""

POOLING = frozenset(
    {"fuse.mergerfs", "fuse.shfs", "fuse.mhddfs", "fuse.unionfs", "fuse.unionfs-fuse"}
    | {"fuse.bindfs", "fuse.gocryptfs", "fuse.encfs", "fuse.cryfs", "fakeowner"}
)
"""File systems that show folders of this machine in another way: pools of disks (Unraid's shfs,
mergerfs), encrypted folders. What is changed through them is told of (programs and shares of a NAS
mostly do so), what is changed on the disks behind them is not."""

SPARE = 0.9
"""Part of the watches that we may need; other programs of the same user want some too."""

_OCTAL = re.compile(rb"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Silence:
    """Types of file systems that tell of no changes: the one of a root, and any mounted below;
    ``some``: of one in either place that tells of some."""

    root: str | None = None
    below: str | None = None
    some: str | None = None


def silence(root: bytes, mounts: bytes) -> Silence:
    """What is silent in a root (absolute, resolved).

    ``mounts`` is the text of ``/proc/self/mounts`` (proc_pid_mounts(5)). FUSE is silent but for
    ``fuseblk``, whose disks are this machine's own, and :data:`POOLING`.
    """
    at, own = b"", ""
    below: str | None = None
    some: str | None = None
    for line in mounts.splitlines():
        fields = line.split(b" ")
        if len(fields) < 3:
            continue
        point = _OCTAL.sub(lambda match: bytes([int(match[1], 8)]), fields[1])
        kind = fields[2].decode("ascii", "replace")
        if relative(point, root) is not None:
            if len(point) >= len(at):  # of several on one point the last one shows
                at, own = point, kind
        elif relative(root, point) is not None:
            below = kind if _is_silent(kind) else below
            some = kind if kind in POOLING else some
    return Silence(own if _is_silent(own) else None, below, own if own in POOLING else some)


def _is_silent(kind: str) -> bool:
    fuse = kind == "fuse" or kind.startswith("fuse.")
    return kind in SILENT or (fuse and kind not in POOLING)


def count_folders(path: bytes, limit: int) -> int:
    """Folders at and below a path that can be watched; stops beyond ``limit``.

    inotify wants the permission to read (inotify_add_watch(2)); without it, as with the
    ``lost+found`` of root's, there is nothing in a folder for us anyway.
    """
    count = 0
    stack = [path]
    while stack and count <= limit:
        moved()
        try:
            with os.scandir(stack.pop()) as entries:
                folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        count += 1
        stack += folders
    return count


def too_many(roots: Mapping[bytes, int], limit: int) -> dict[bytes, str]:
    """Roots that would need more watches than there are, and what to do about it.

    ``roots`` with their numbers of folders; the small ones are watched first.
    """
    refused: dict[bytes, str] = {}
    wanted, used = sum(roots.values()), 0
    for root, count in sorted(roots.items(), key=lambda item: item[1]):
        if used + count <= limit * SPARE:
            used += count
            continue
        refused[root] = f"it has {count} folders, more than may be watched here; {remedy(wanted)}"
    return refused


def remedy(wanted: int) -> str:
    """What an owner can do to have so many folders watched."""
    return f"allow it with `sysctl -w fs.inotify.max_user_watches={_round_up(wanted)}`"


def watches_in_use(descriptors: Path = DESCRIPTORS) -> int | None:
    """The inotify watches of this process (proc_pid_fdinfo(5)); None where it is not told."""
    count = 0
    try:
        for descriptor in descriptors.iterdir():
            with contextlib.suppress(FileNotFoundError):  # the one that lists the folder
                count += descriptor.read_bytes().count(b"inotify wd:")
    except OSError:
        return None
    return count


def why_none(error: OSError) -> str:
    """Why nothing can be watched at all, and what to do about it (inotify_init(2))."""
    reason = f"the system does not let us watch ({error.strerror or error})"
    if error.errno != errno.EMFILE or not _can_open():
        return reason
    instances = max_instances() or 0
    wanted = _round_up(instances, least=1024)
    return f"{reason}; allow it with `sysctl -w fs.inotify.max_user_instances={wanted}`"


def why_none_here() -> str | None:
    """:func:`why_none` for this very program, which tries; None: it could watch."""
    try:
        descriptor = ctypes.CDLL(None, use_errno=True).inotify_init1(os.O_CLOEXEC)
    except AttributeError:  # not Linux
        return None
    if descriptor < 0:
        number = ctypes.get_errno()
        return why_none(OSError(number, os.strerror(number)))
    os.close(descriptor)
    return None


def _can_open() -> bool:
    """Whether this program may have more files open: the same EMFILE stands for that limit."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))
    except OSError:
        return False
    return True


def _round_up(wanted: int, least: int = 1 << 19) -> int:
    """Twice as many as are wanted now, as a power of two."""
    return max(least, 1 << (2 * wanted - 1).bit_length())


def max_watches(path: Path = MAX_WATCHES) -> int | None:
    """The limit of inotify watches for this user; None where the system tells none."""
    return _number(path)


def max_instances(path: Path = MAX_INSTANCES) -> int | None:
    """How many programs of this user may watch at once; None where the system tells no limit."""
    return _number(path)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None


def read_mounts(path: Path = MOUNTS) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
