"""Changes in the media roots as they happen: file system events to folders to scan.

Events only add folders to a set; when it has been quiet for a while, the set is handed over.
Roots whose file system tells of no changes, and those with more folders than may be watched, be it
from the beginning or since folders were added, are looked through at intervals instead, and the
owner can read why.
"""

import asyncio
import contextlib
import errno
import logging
import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, ObservedWatch

from mediaserver.library.disks import Disks, NoAnswer
from mediaserver.library.roots import Rules
from mediaserver.library.scanning.listing import Identity
from mediaserver.library.watching import mounts
from mediaserver.library.watching.events import EVENTS, LOSSES, Handler, Losses
from mediaserver.library.watching.gathering import Gathered, Gathering
from mediaserver.patience import bounded

logger = logging.getLogger(__name__)

SPARE_FOLDER = "/proc"
"""What is watched for a moment to see whether any more may be; no media are in it."""

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
        self._limit: int | None = None
        self._limits: tuple[int | None, int | None] | None = None
        """Those of the system, if they keep us from watching everything."""
        self._grown: set[bytes] = set()
        """Roots in which folders were made since it was looked whether all are watched."""
        self._devices: dict[bytes, int | None] = {}
        """What roots lay on when it was decided how they are watched: another file system may be
        mounted there later. None: there was nothing; roots that did not answer are missing."""
        self._setting_up = threading.Lock()
        """Held while watches are set, which may hang at what is mounted inside a root."""
        self._losses = Losses(self._lost)
        self.watched: dict[bytes, Watched] = {}
        """By root; empty before :meth:`start`."""

    async def start(self) -> None:
        """Begin to watch; what changes from now on will be told.

        Where the system does not let us, roots are to be looked through.
        """
        # watchdog warns of folders that were made so fast that it met them twice; it copes.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning, "watchdog")
        self._limit, self._limits = mounts.max_watches(), None
        try:
            observer = Observer()
            observer.start()
        except OSError as error:
            reason = mounts.why_none(error)
            logger.warning("media roots are looked through at intervals: %s", reason)
            watched = Watched(events=False, polled=True, reason=reason)
            self.watched = dict.fromkeys(self._roots, watched)
            self._limits = _limits()
            return
        self._observer = observer
        losses = logging.getLogger(LOSSES)
        losses.addHandler(self._losses)
        if not losses.isEnabledFor(logging.WARNING):
            losses.setLevel(logging.WARNING)
        await bounded(self._plan, None)
        await bounded(self._watch, None)

    async def close(self) -> None:
        """Stop watching; nothing is told any more. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        logging.getLogger(LOSSES).removeHandler(self._losses)
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

    @property
    def has_grown(self) -> bool:
        """Whether folders were made since the last :meth:`refresh`."""
        return bool(self._grown)

    @property
    def may_do_better(self) -> bool:
        """Whether the limits are others now that kept us from watching everything."""
        return self._limits is not None and self._limits != _limits()

    async def restart(self) -> None:
        """Begin anew; what happened since the watching ended was not told."""
        await self.close()
        self._watches.clear()
        self._folders.clear()
        self._setting_up = threading.Lock()
        await self.start()

    async def refresh(self) -> set[bytes]:
        """Watch roots that have come, or are another folder than before (mounted since), and see
        whether the folders made meanwhile are watched.

        The roots are returned in which something may have changed and was not told. None are
        while something mounted in a root hangs.
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
        planned: dict[bytes, Watched] = {}
        for root in self._roots:
            try:
                device = self._disks.ask(root, partial(_device, root))
                if root in self._devices and self._devices[root] == device:
                    continue
                planned[root] = self._planned(root)
            except NoAnswer as error:
                if root not in self.watched:
                    self._decide(root, Watched(events=False, polled=True, reason=error.strerror))
                continue
            self._devices[root] = device
        if self._limit is not None:
            refused = mounts.too_many(self._folders, self._limit)
            for root in planned.keys() & refused.keys():
                planned[root] = Watched(events=False, polled=True, reason=refused[root])
                self._limits = _limits()
        for root, watched in planned.items():
            self._decide(root, watched)

    def _decide(self, root: bytes, watched: Watched) -> None:
        before = self.watched.get(root)
        self.watched[root] = watched
        if watched.reason is not None and (before is None or before.reason != watched.reason):
            logger.warning(
                "media root %s is looked through at intervals: %s",
                os.fsdecode(root),
                watched.reason,
            )

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

    def _watch(self) -> set[bytes]:
        if not self._setting_up.acquire(blocking=False):
            return set()
        try:
            grown = self._grown.copy()
            self._grown -= grown
            self._plan_more()
            renewed = self._watch_roots()
            return renewed | self._look_for_refusals(renewed | grown)
        finally:
            self._setting_up.release()

    def _look_for_refusals(self, roots: set[bytes]) -> set[bytes]:
        """Those of the roots where not all folders could be watched: watchdog keeps silent about
        that. They are looked through as well from now on."""
        roots = {root for root in roots & self._folders.keys() if not self.watched[root].polled}
        if not roots or self._has_room():
            return set()
        for root in self._folders:
            count = partial(mounts.count_folders, root, sys.maxsize)
            with contextlib.suppress(NoAnswer):
                self._folders[root] = self._disks.ask(root, count)
        wanted = sum(self._folders.values())
        granted = mounts.watches_in_use()
        remedy = mounts.remedy(wanted)
        reason = f"{granted} of {wanted} folders are watched, and no more may be; {remedy}"
        for root in roots:
            self._decide(root, Watched(events=True, polled=True, reason=reason))
        self._limits = _limits()
        return roots

    def _has_room(self) -> bool:
        """Whether another folder may be watched."""
        if self._observer is None:
            return True
        try:
            watch = self._observer.schedule(FileSystemEventHandler(), SPARE_FOLDER)
        except OSError as error:
            return error.errno != errno.ENOSPC
        self._observer.unschedule(watch)
        return True

    def _watch_roots(self) -> set[bytes]:
        renewed = set()
        for root, watched in tuple(self.watched.items()):
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
                Handler(root, self._rules, self._changed, self._grown.add),
                os.fsdecode(root),
                recursive=True,
                event_filter=EVENTS,
            )
        except OSError as error:
            reason = error.strerror or str(error)
            if error.errno == errno.ENOSPC:
                reason += f"; {mounts.remedy(self._folders.get(root, 1))}"
                self._limits = _limits()
            self._decide(root, Watched(events=False, polled=True, reason=reason))
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


def _limits() -> tuple[int | None, int | None]:
    return mounts.max_watches(), mounts.max_instances()


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
