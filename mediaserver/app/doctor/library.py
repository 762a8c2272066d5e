"""Checks of what is on the disks: configuration, data directory, index, media roots."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mediaserver.app.doctor.findings import Check, Finding, failure, ok, unknown, warning
from mediaserver.config import Problem
from mediaserver.library.watching.mounts import too_many
from mediaserver.web.wording import count, size, things

SYSCTL_FILE = "/etc/sysctl.d/60-mediaserver.conf"
_SYSCTL = re.compile(r"sysctl -w (\S+=\d+)")

NO_SPACE = 100_000_000
LITTLE_SPACE = 1_000_000_000
"""Bytes free. The picture cache takes half a gigabyte unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataDirectoryFacts:
    path: Path
    exists: bool = True
    error: str | None = None
    """Why nothing can be written there (or the folder not be made); None: it can."""
    free: int | None = None
    """Bytes; None where the system does not tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedRoot:
    """What the index knows of a media root."""

    path: bytes
    device: int | None
    known: frozenset[bytes]
    """Names directly in it."""
    folders: int
    """At any depth, itself included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexFacts:
    path: Path
    exists: bool = True
    damage: str | None = None
    error: str | None = None
    """Why it could not be looked at."""
    checked: bool = True
    """False: there was no time to read all of it."""
    items: int = 0
    unreadable: int = 0
    roots: tuple[IndexedRoot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RootFacts:
    path: str
    reason: str | None = None
    """Why it is not available; None: it is."""
    answered: bool = True
    """False: the file system gave no answer in time."""
    told_by_server: bool = False
    silent: str | None = None
    """The type of its file system if that tells of no changes (``nfs4``)."""


def configuration(file: Path | None, problems: Sequence[Problem] = ()) -> list[Finding]:
    """One finding for each mistake."""
    if not problems:
        return [ok(Check.CONFIGURATION, f"{file or 'no file, defaults'}: read, no mistakes")]
    return [
        failure(
            Check.CONFIGURATION,
            str(problem),
            "correct it; config.example.toml shows every key, `mediaserver check-config` tries it",
        )
        for problem in problems
    ]


def data_directory(facts: DataDirectoryFacts, *, held: bool) -> Finding:
    """``held``: a server of ours uses it at the moment."""
    if facts.error is not None:
        found = f"{facts.path} cannot be written to: {facts.error}"
        if held:
            return unknown(
                Check.DATA_DIRECTORY,
                f"{found}; the server that runs can",
                "run doctor as the user that the server runs as",
            )
        return failure(
            Check.DATA_DIRECTORY,
            found,
            "give the folder to the user that mediaserver runs as (`chown`), or name another one "
            "with --data-dir or server.data_dir",
        )
    if not facts.exists:
        return ok(Check.DATA_DIRECTORY, f"{facts.path}: not there yet, can be made")
    return ok(Check.DATA_DIRECTORY, f"{facts.path}: can be written to")


def disk_space(facts: DataDirectoryFacts) -> Finding:
    if facts.free is None:
        return unknown(Check.DISK_SPACE, f"{facts.path}: the system does not tell what is free")
    found = f"{size(facts.free)} free for {facts.path}"
    remedy = "make room there, or move the data directory to a larger disk (server.data_dir)"
    if facts.free < NO_SPACE:
        return failure(Check.DISK_SPACE, found, remedy)
    if facts.free < LITTLE_SPACE:
        return warning(
            Check.DISK_SPACE, found, f"{remedy}; delivery.art_cache_mb limits the pictures in it"
        )
    return ok(Check.DISK_SPACE, found)


def index(facts: IndexFacts) -> Finding:
    if facts.damage is not None:
        return failure(
            Check.INDEX,
            f"{facts.path} is damaged: {facts.damage}",
            "restart the server: it sets the file aside and scans anew; if that happens again, "
            "test disk and memory",
        )
    if facts.error is not None:
        return unknown(
            Check.INDEX,
            f"{facts.path} cannot be opened: {facts.error}",
            "run doctor as the user that the server runs as",
        )
    if not facts.exists:
        return ok(Check.INDEX, "there is none yet: it is made by the first scan")
    if not facts.checked:
        return unknown(Check.INDEX, f"{facts.path} opens; too large to check all of it here")
    return ok(Check.INDEX, f"{facts.path} opens and is sound")


def media_roots(roots: Sequence[RootFacts], *, poll_seconds: int) -> list[Finding]:
    if not roots:
        return [
            failure(
                Check.MEDIA_ROOT,
                "no media root is configured: there is nothing to serve",
                "name the folders: `mediaserver serve FOLDER...`, or library.roots in the file",
            )
        ]
    return [_media_root(root, poll_seconds) for root in roots]


def _media_root(root: RootFacts, poll_seconds: int) -> Finding:
    if not root.answered:
        return failure(
            Check.MEDIA_ROOT,
            "its file system does not answer",
            "a network share whose server is off, or a disk that fails: look at `dmesg`, "
            "mount it again",
            about=root.path,
        )
    if root.reason is not None:
        teller = "the server says: " if root.told_by_server else ""
        return failure(
            Check.MEDIA_ROOT, f"{teller}{root.reason}", _remedy(root.reason), about=root.path
        )
    if root.silent is not None:
        return ok(
            Check.MEDIA_ROOT,
            f"readable; on {root.silent} changes are noticed within {poll_seconds} s",
            about=root.path,
        )
    return ok(Check.MEDIA_ROOT, "readable", about=root.path)


def _remedy(reason: str) -> str:
    lower = reason.lower()
    if "permission" in lower or "not permitted" in lower:
        return (
            "let that user in: read and enter (rx) for every folder from / to this one; "
            "`namei -l FOLDER` shows which is closed"
        )
    if "mounted" in lower:
        return "mount it; what it holds is hidden meanwhile, not forgotten"
    return "correct its path, or mount what belongs there; in Docker, is it passed with -v?"


def items(facts: IndexFacts, *, scanning: bool) -> Finding:
    """``scanning``: the running server is at it."""
    if scanning:
        return ok(Check.ITEMS, f"{things(facts.items, 'item')} so far, a scan is running")
    if facts.error is not None and not facts.items:
        return unknown(Check.ITEMS, "the index cannot be asked")
    if not facts.exists:
        return unknown(
            Check.ITEMS,
            "nothing has been scanned yet",
            "start the server, or run `mediaserver scan`",
        )
    if not facts.items:
        return warning(
            Check.ITEMS,
            "the library is empty",
            "`mediaserver why FILE` tells for one of your files why it is not served",
        )
    return ok(Check.ITEMS, f"{things(facts.items, 'item')} in the library")


def unreadable_files(number: int) -> Finding:
    if not number:
        return ok(Check.UNREADABLE, "no file was found unreadable")
    return warning(
        Check.UNREADABLE,
        f"{things(number, 'file')} could not be read; they are served under their names only",
        "the server's page lists them; `mediaserver why FILE` tells what is wrong with one",
    )


def watches(
    folders: Mapping[bytes, int],
    limit: int | None,
    *,
    told: Mapping[str, str] | None = None,
    refusal: str | None = None,
    poll_seconds: int,
) -> Finding:
    """``folders``: how many there are in each root whose file system tells of changes.

    ``told``: why the running server looks through roots at intervals; None if none tells.
    ``refusal``: why nothing at all could be watched by who runs doctor.
    """
    late = f"changes show within {poll_seconds} s only"
    if told is None:
        told = {"for this user": refusal} if refusal is not None else {}
    for where, reason in told.items():
        problem, _, remedy = reason.partition("; ")
        if remedy:  # others cannot be helped, and are told with their media root
            return warning(Check.WATCHES, f"{where}: {problem}; {late}", _for_good(remedy))
    if limit is None:
        return unknown(
            Check.WATCHES, f"this system has no inotify: changes show within {poll_seconds} s"
        )
    refused = too_many(folders, limit)
    wanted = sum(folders.values())
    if not refused:
        return ok(
            Check.WATCHES, f"{things(wanted, 'folder')} to watch, {count(limit)} may be watched"
        )
    root, reason = next(iter(refused.items()))
    problem, _, remedy = reason.partition("; ")
    return warning(
        Check.WATCHES,
        f"{root.decode(errors='replace')}: {problem}; {late}",
        _for_good(remedy),
    )


def _for_good(remedy: str) -> str:
    """A remedy that holds until the next start of the machine, and how it holds after it."""
    setting = _SYSCTL.search(remedy)
    if setting is None:
        return remedy
    return f"{remedy}, and for good: `echo {setting[1]} | sudo tee -a {SYSCTL_FILE}`"
