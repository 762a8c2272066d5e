"""Folders where the system refused something, and when they are tried again.

A file without the permission to read it may stay so for years: to list its folder every few
minutes would keep a disk from its sleep for nothing. So it is tried more and more seldom; but when
what was refused is another than before (its mode, its owner, its time), it is tried at once.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from mediaserver.library.disks import Disks

MAX_WAIT = 4 * 3600.0
"""Seconds between two tries at most."""
MAX_WATCHED = 1000
"""Refused files and folders that are looked at for changes: in a millisecond or two."""


@dataclass(slots=True)
class _Trouble:
    reason: str
    wait: float
    due: float
    stamps: dict[bytes, object] = field(default_factory=dict)
    """What the refused looked like, by its path."""
    all_watched: bool = True


class Troubles:
    """``first``: seconds until a folder is tried again; doubled each time, up to some hours.

    ``clock`` is in seconds, and never goes back. One thread may note while another one asks.
    """

    def __init__(
        self,
        first: float,
        *,
        disks: Disks | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._disks = disks or Disks()
        self._clock = clock
        self._known: dict[bytes, _Trouble] = {}

    @property
    def reasons(self) -> dict[bytes, str]:
        """By folder (absolute)."""
        return {folder: trouble.reason for folder, trouble in self._known.items()}

    def note(
        self,
        troubled: Mapping[bytes, str],
        refused: Mapping[bytes, Collection[bytes]],
        scanned: Callable[[bytes], bool],
    ) -> dict[bytes, str]:
        """What a scan met; what of it is new, or refused for another reason than before.

        ``scanned``: whether a folder was in the scan. ``refused``: by folder the files that were
        refused; without any it was the folder itself.
        """
        new: dict[bytes, str] = {}
        known = {folder: one for folder, one in self._known.items() if not scanned(folder)}
        left = MAX_WATCHED - sum(len(one.stamps) for one in known.values())
        for folder, reason in troubled.items():
            before = self._known.get(folder)
            if before is not None and before.reason == reason:
                wait = min(2 * before.wait, MAX_WAIT)
            else:
                wait, new[folder] = self._first, reason
            paths = refused.get(folder) or (folder,)
            trouble = _Trouble(reason, wait, self._clock() + wait, self._stamps(paths, left))
            trouble.all_watched = len(trouble.stamps) == len(paths)
            left -= len(trouble.stamps)
            known[folder] = trouble
        self._known = known
        return new

    def due(self) -> set[bytes]:
        """The folders to be tried now."""
        known, now = self._known, self._clock()
        changed = {folder for folder, one in known.items() if self._has_changed(one)}
        if changed:
            # Somebody is mending; some of it is not watched, perhaps.
            changed |= {folder for folder, one in known.items() if not one.all_watched}
        due = changed | {folder for folder, one in known.items() if one.due <= now}
        for folder in due:
            one = known[folder]
            if folder in changed:
                one.wait = self._first
            one.due = now + one.wait
        return due

    def _has_changed(self, trouble: _Trouble) -> bool:
        stamps = self._stamps(trouble.stamps, len(trouble.stamps))
        changed = stamps != trouble.stamps
        trouble.stamps = stamps
        return changed

    def _stamps(self, paths: Iterable[bytes], limit: int) -> dict[bytes, object]:
        return {path: self._stamp(path) for path in islice(paths, max(0, limit))}

    def _stamp(self, path: bytes) -> object:
        """What changes when a file or folder does, of which nothing is read (stat(2))."""
        try:
            status = self._disks.ask(path, partial(os.stat, path))
        except OSError as error:
            return error.errno
        return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_mode
