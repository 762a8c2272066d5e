"""Changes in the media roots as they happen: file system events to folders to scan.

Events only add folders to a set; when it has been quiet for a while, the set is handed over.
Roots whose file system tells of no changes, and those with more folders than may be watched, are
looked through at intervals instead, and the owner can read why.
"""

import asyncio
import contextlib
import errno
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from mediaserver.library.disks import Disks, NoAnswer
from mediaserver.library.names.pictures import is_art_only
from mediaserver.library.names.subtitles import is_subtitle
from mediaserver.library.roots import Rules, relative
from mediaserver.library.scanning.listing import Identity
from mediaserver.library.watching import mounts
from mediaserver.library.watching.gathering import Gathered, Gathering
from mediaserver.media_types import by_suffix, is_playlist
from mediaserver.patience import bounded

logger = logging.getLogger(__name__)

_EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileClosedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]
"""Not FileModifiedEvent: one a write while a file is copied, and its closing tells the same."""

_LOSSES = "watchdog.observers"
"""The logger in which watchdog, and nowhere else, tells that the kernel's queue ran over."""


ENOUGH = 0.99
"""Part of the folders that must be watched; some come and go while we count."""


REFRESH_SECONDS = 60.0
"""What watching roots that have come may take before others are looked at again."""
STOP_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Watched:
    """How a root's changes are noticed: by events, or by looking through it at intervals; some
    need both. ``reason``: why it is looked through."""

    events: bool
    polled: bool = False
    reason: str | None = None


class Watcher:
    """Watches roots from :meth:`start` to :meth:`close`; both, and the timers, are the loop's.

    ``on_quiet`` is called on the loop with what has changed.
    """

    def __init__(
        self,
        roots: Sequence[bytes],
        rules: Rules,
        on_quiet: Callable[[Gathered], None],
        *,
        disks: Disks | None = None,
        quiet_seconds: float = 2.0,
    ) -> None:
        self._roots = tuple(roots)
        self._rules = rules
        self._disks = disks or Disks()
        self._on_quiet = on_quiet
        self._loop = asyncio.get_running_loop()
        # Not the loop's clock: uvloop's stands still while the loop waits.
        self._clock = time.monotonic
        self._gathering = Gathering(quiet_seconds, self._clock)
        self._timer: asyncio.TimerHandle | None = None
        self._observer: BaseObserver | None = None
        self._watches: dict[bytes, tuple[ObservedWatch, Identity]] = {}
        self._folders: dict[bytes, int] = {}
        """How many there were in each root that was to be watched."""
        self._limit = mounts.max_watches()
        self._devices: dict[bytes, int | None] = {}
        """What roots lay on when it was decided how they are watched: another file system may be
        mounted there later. None: there was nothing; roots that did not answer are missing."""
        self._setting_up = threading.Lock()
        """Held while watches are set, which may hang at what is mounted inside a root."""
        self._losses = _Losses(self._lost)
        self.watched: dict[bytes, Watched] = {}
        """By root; empty before :meth:`start`."""

    async def start(self) -> None:
        """Begin to watch; what changes from now on will be told.

        Where the system does not let us, roots are to be looked through.
        """
        # watchdog warns of folders that were made so fast that it met them twice; it copes.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning, "watchdog")
        try:
            observer = Observer()
            observer.start()
        except OSError as error:
            reason = f"the system does not let us watch ({error.strerror or error})"
            if error.errno == errno.EMFILE:
                reason += "; allow it with `sysctl -w fs.inotify.max_user_instances=1024`"
            logger.warning("%s", reason)
            watched = Watched(events=False, polled=True, reason=reason)
            self.watched = dict.fromkeys(self._roots, watched)
            return
        self._observer = observer
        losses = logging.getLogger(_LOSSES)
        losses.addHandler(self._losses)
        if not losses.isEnabledFor(logging.WARNING):
            losses.setLevel(logging.WARNING)
        await bounded(self._plan, None)
        await bounded(self._watch, None)
        await asyncio.to_thread(self._check)
        for root, watched in self.watched.items():
            if watched.reason is not None:
                logger.warning(
                    "media root %s is looked through at intervals: %s",
                    os.fsdecode(root),
                    watched.reason,
                )

    async def close(self) -> None:
        """Stop watching; nothing is told any more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        logging.getLogger(_LOSSES).removeHandler(self._losses)
        observer, self._observer = self._observer, None
        if observer is not None:

            def end() -> None:
                observer.stop()
                observer.join()

            try:
                await bounded(end, STOP_SECONDS)
            except TimeoutError:
                logger.warning("what watches the media roots hangs; it is left alone")

    @property
    def alive(self) -> bool:
        """Whether changes are still noticed, as far as they ever were."""
        observer = self._observer
        return observer is None or (
            observer.is_alive() and all(emitter.is_alive() for emitter in observer.emitters)
        )

    async def restart(self) -> None:
        """Begin anew; what happened since the watching ended was not told."""
        await self.close()
        self._watches.clear()
        self._folders.clear()
        self._setting_up = threading.Lock()
        await self.start()

    async def refresh(self) -> set[bytes]:
        """Watch roots that have come, or are another folder than before (mounted since).

        Those roots are returned: what changed in them meanwhile was not told. None are while
        something mounted in a root hangs.
        """
        with contextlib.suppress(TimeoutError):
            return await bounded(self._watch, REFRESH_SECONDS)
        return set()

    def later(self, folder: bytes) -> None:
        """Have a folder scanned after the next quiet; from the loop."""
        if self._gathering.add(folder):
            self._set_timer()

    # ---- in other threads

    def _plan(self) -> None:
        self.watched = {}
        self._devices.clear()
        self._plan_more()

    def _plan_more(self) -> None:
        """Decide how roots are watched that have not answered before, or are elsewhere now."""
        planned = set()
        for root in self._roots:
            try:
                device = self._disks.ask(root, partial(_device, root))
                if root in self._devices and self._devices[root] == device:
                    continue
                self.watched[root] = self._planned(root)
            except NoAnswer as error:
                silent = Watched(events=False, polled=True, reason=error.strerror)
                self.watched.setdefault(root, silent)
                continue
            self._devices[root] = device
            planned.add(root)
        if self._limit is not None:
            refused = mounts.too_many(self._folders, self._limit)
            for root in planned & refused.keys():
                self.watched[root] = Watched(events=False, polled=True, reason=refused[root])

    def _planned(self, root: bytes) -> Watched:
        # The table is read last: some file systems are mounted when somebody looks.
        path = self._disks.ask(root, partial(os.path.realpath, root))
        watched = _how(mounts.silence(path, mounts.read_mounts()), self._rules)
        if watched.events and self._limit is not None:
            count = partial(mounts.count_folders, root, self._limit)
            self._folders[root] = self._disks.ask(root, count)
        else:
            self._folders.pop(root, None)
        return watched

    def _check(self) -> None:
        """Look whether all was granted: watchdog keeps silent about folders it may not watch."""
        wanted = sum(self._folders[root] for root in self._watches if root in self._folders)
        granted = mounts.watches_in_use()
        if granted is None or granted >= wanted * ENOUGH:
            return
        reason = f"only {granted} of {wanted} folders could be watched; {mounts.remedy(wanted)}"
        for root in self._watches:
            self.watched[root] = Watched(events=True, polled=True, reason=reason)

    def _watch(self) -> set[bytes]:
        if not self._setting_up.acquire(blocking=False):
            return set()
        try:
            self._plan_more()
            return self._watch_roots()
        finally:
            self._setting_up.release()

    def _watch_roots(self) -> set[bytes]:
        renewed = set()
        for root, watched in self.watched.items():
            if not watched.events:
                self._unschedule(root)
                continue
            try:
                status = self._disks.ask(root, partial(os.stat, root))
            except OSError:
                continue
            identity = (status.st_dev, status.st_ino)
            before = self._watches.get(root)
            if before is not None and before[1] == identity:
                continue
            if self._schedule(root, identity):
                renewed.add(root)
        return renewed

    def _schedule(self, root: bytes, identity: Identity) -> bool:
        observer = self._observer
        if observer is None:
            return False
        self._unschedule(root)
        try:
            watch = observer.schedule(
                _Handler(root, self._rules, self._changed),
                os.fsdecode(root),
                recursive=True,
                event_filter=_EVENTS,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            self.watched[root] = Watched(events=False, polled=True, reason=reason)
            logger.warning("media root %s cannot be watched: %s", os.fsdecode(root), reason)
            return False
        self._watches[root] = (watch, identity)
        return True

    def _unschedule(self, root: bytes) -> None:
        before = self._watches.pop(root, None)
        if before is not None and self._observer is not None:
            self._observer.unschedule(before[0])

    def _changed(self, folder: bytes) -> None:
        if self._gathering.add(folder):
            self._loop.call_soon_threadsafe(self._set_timer)

    def _lost(self) -> None:
        if self._gathering.add_everything():
            self._loop.call_soon_threadsafe(self._set_timer)

    # ---- on the loop

    def _set_timer(self) -> None:
        due = self._gathering.due()
        if self._observer is not None and self._timer is None and due is not None:
            self._timer = self._loop.call_later(max(0.0, due - self._clock()), self._look)

    def _look(self) -> None:
        self._timer = None
        due = self._gathering.due()
        if due is not None and due > self._clock():
            self._set_timer()  # more has changed since the timer was set
        elif due is not None:
            self._on_quiet(self._gathering.take())


def _device(path: bytes) -> int | None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        return os.stat(path).st_dev  # noqa: PTH116
    return None


def _how(silence: mounts.Silence, rules: Rules) -> Watched:
    if silence.root is not None:
        reason = f"its file system ({silence.root}) does not tell of changes"
        return Watched(events=False, polled=True, reason=reason)
    reason = ""
    if silence.below is not None:
        reason = f"a file system in it ({silence.below}) does not tell of changes"
    elif silence.some is not None:
        reason = f"what is changed behind its file system ({silence.some}) is not told"
    elif rules.follow_links:
        reason = "what lies behind links does not tell of changes"
    return Watched(events=True, polled=bool(reason), reason=reason or None)


class _Handler(FileSystemEventHandler):
    """In watchdog's thread: an event to the folders that it changes."""

    def __init__(self, root: bytes, rules: Rules, changed: Callable[[bytes], None]) -> None:
        self._root = root
        self._rules = rules
        self._changed = changed

    def dispatch(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                folder = self.folder_of(os.fsencode(path), is_directory=event.is_directory)
                if folder is not None:
                    self._changed(folder)

    def folder_of(self, path: bytes, *, is_directory: bool) -> bytes | None:
        """The folder whose listing an event changes; None: nothing in the library changes."""
        inside = relative(self._root, path)
        if inside is None:
            return None
        if not inside:
            return self._root
        if not is_directory and not _concerns(path):
            return None
        if self._rules.by_path(inside) is not None:
            return None
        return path.rpartition(b"/")[0]


def _concerns(path: bytes) -> bool:
    """Whether the name of a file is of media, or of what belongs to media."""
    known = by_suffix(path) is not None
    return known or is_playlist(path) or is_subtitle(path) or is_art_only(path)


class _Losses(logging.Handler):
    """Hears watchdog say that events were lost; it tells nobody else (watchdog 7)."""

    def __init__(self, lost: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._told = lost

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._told()
