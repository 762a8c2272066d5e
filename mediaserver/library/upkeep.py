"""The index kept true to the disk: scans in the background, and what makes them start.

Changes are noticed by the watcher; roots that come and go, by looking at them every few seconds;
what tells of no changes is looked through at intervals. All requests are merged into the next
scan. Scans run in the writer thread, everything else here on the event loop.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import TypeVar

from mediaserver.library.database import Database
from mediaserver.library.disks import NO_ANSWER, PATIENCE, Disks
from mediaserver.library.errors import IndexUnusable
from mediaserver.library.former_roots import forget_former_roots, hide_former_roots
from mediaserver.library.index_place import Place
from mediaserver.library.indexer import Indexer, KnownRoot
from mediaserver.library.indexing.touched import Moment
from mediaserver.library.objects import Change
from mediaserver.library.readers.pool import ReaderPoolError
from mediaserver.library.roots import Presence, Rules
from mediaserver.library.scanner import Reads, Scanner, ScanProgress, ScanSummary
from mediaserver.library.scanning.requests import Requests
from mediaserver.library.scanning.writer import WriterThread
from mediaserver.library.troubles import Troubles
from mediaserver.library.views import View
from mediaserver.library.watcher import Watched, Watcher
from mediaserver.library.watching.gathering import Gathered
from mediaserver.patience import bounded
from mediaserver.supervision import Supervisor

logger = logging.getLogger(__name__)

T = TypeVar("T")

CHECK_SECONDS = 10.0
"""Between two looks at whether roots have come or gone."""
MAX_RETRY_SECONDS = 300.0
STOP_SECONDS = 5.0
"""What the writer thread may take to end; it may hang on a share that has gone away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """In seconds."""

    quiet: float = 2.0
    """How long a folder must be unchanged before it is read."""
    poll: float = 300.0
    """How often folders are looked through that tell of no changes."""
    check: float = CHECK_SECONDS
    """How often roots are looked at."""
    silence: float = PATIENCE
    """How long a disk or share may keep us waiting without any progress."""
    retry: float = 5.0
    """After a scan that failed; doubled each time, up to some minutes."""


@dataclass(frozen=True, slots=True)
class IndexCheck:
    """``mended``: what was wrong, as the number of rows by table (:mod:`.indexing.checking`);
    ``notes`` for the owner, if the index had to be made anew."""

    mended: Mapping[str, int]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class UpkeepState:
    """What goes on, for people."""

    scanning: bool = False
    progress: ScanProgress = field(default_factory=ScanProgress)
    """Of the scan that runs, or ran last."""
    roots: tuple[KnownRoot, ...] = ()
    last_scan: ScanSummary | None = None
    last_scan_ended: float | None = None
    """By the event loop's clock."""
    troubled: dict[bytes, str] = field(default_factory=dict)
    """Folders where the system refused something; they are tried again and again."""
    failure: str | None = None
    """Why the last scan failed as a whole."""
    index_failure: str | None = None
    """Why an index that was damaged or deleted cannot be made again."""
    notes: tuple[str, ...] = ()


class Upkeep:
    """``roots``: absolute paths and titles. ``on_change`` is called on the event loop."""

    def __init__(
        self,
        database: Database,
        pool: Reads,
        roots: Mapping[bytes, str],
        rules: Rules,
        views: Sequence[View],
        *,
        internet_radio: bool = False,
        timing: Timing,
        on_change: Callable[[Change], None],
        supervisor: Supervisor | None = None,
    ) -> None:
        self._database = database
        self._pool = pool
        self._roots = dict(roots)
        self._rules = rules
        self._views = tuple(views)
        self._internet_radio = internet_radio
        self._timing = timing
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._writer: WriterThread | None = None
        self._indexer: Indexer | None = None
        self._closing = Event()
        self._watcher: Watcher | None = None
        self._disks = Disks(self._roots, patience=timing.silence)
        self._presence = Presence(self._roots, disks=self._disks)
        self._troubles = Troubles(timing.poll, disks=self._disks)
        self._supervisor = supervisor or Supervisor()
        self._tasks: list[asyncio.Task[None]] = []
        self._retry: asyncio.TimerHandle | None = None
        self._requests = Requests()
        self._wanted = asyncio.Event()
        self._failures = 0
        self._next_scan: asyncio.Future[ScanSummary] = self._loop.create_future()
        self.state = UpkeepState()
        self.system_update_id = 0

    # ---- life

    async def open(self) -> list[str]:
        """Open the index and note the roots in it. Returns notes. Raises IndexUnusable."""
        self._writer = WriterThread()
        try:
            notes = await self._in_writer(self._open)
        except BaseException:
            await self.close()
            raise
        self.state.notes = tuple(notes)
        return notes

    def start(self) -> None:
        """Watch and scan in the background."""
        self._tasks = [
            self._supervisor.start("library scans", self._scan_and_watch),
            self._supervisor.start("library roots", self._tend),
        ]

    def stop_scanning(self) -> None:
        """For good: a scan that runs ends at its next file."""
        self._closing.set()

    async def close(self) -> None:
        """End everything and close the index. The pool must have been closed. Idempotent."""
        self._closing.set()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        self._next_scan.cancel()
        if self._retry is not None:
            self._retry.cancel()
        if self._watcher is not None:
            await self._watcher.close()
        await asyncio.to_thread(self._disks.close)
        writer, self._writer = self._writer, None
        if writer is not None and not await asyncio.to_thread(writer.stop, STOP_SECONDS):
            logger.warning("a scan hangs; the program ends without it")
            return
        await asyncio.to_thread(self._database.close)

    async def scan_once(self, progress: Callable[[ScanProgress], None]) -> ScanSummary:
        """Scan all roots now; files that may still be growing are read as they are.

        ``progress`` is called on the event loop. Raises IndexUnusable, ReaderPoolError.
        """

        def tell(current: ScanProgress) -> None:
            self._loop.call_soon_threadsafe(progress, current)

        wanted = Requests(everything=True)
        summary = await self._in_writer(lambda: self._scan(wanted, settle=False, tell=tell))
        self._note(summary)
        return summary

    async def check_index(self) -> IndexCheck:
        """Check the index against itself, and mend it or set it aside. Raises IndexUnusable."""
        return await self._in_writer(self._check)

    async def forget_touched(self, known: Moment) -> None:
        """Nobody needs to know what was changed up to a state. Raises IndexUnusable."""

        def forget() -> None:
            if self._indexer is not None:
                self._indexer.forget_touched(known)

        await self._in_writer(forget)

    def request(self, wanted: Requests) -> None:
        """Have folders scanned as soon as the scan that runs has ended."""
        if wanted:
            self._requests.merge(wanted)
            self._wanted.set()

    async def next_scan(self) -> ScanSummary:
        """What the scan found that ends next without failing."""
        return await asyncio.shield(self._next_scan)

    @property
    def watched(self) -> Mapping[bytes, Watched]:
        """How changes in roots are noticed; empty until that is known."""
        return self._watcher.watched if self._watcher is not None else {}

    # ---- in the background, on the loop

    async def _scan_and_watch(self) -> None:
        """Watch first, so that nothing that happens during the first scan is missed."""
        await asyncio.to_thread(self._presence.changed)
        if self._watcher is not None:  # of an attempt that failed
            await self._watcher.close()
        self._watcher = Watcher(
            tuple(self._roots),
            self._rules,
            self._changed,
            disks=self._disks,
            quiet_seconds=self._timing.quiet,
        )
        # Meanwhile; where it fails, so does the scan, which tells.
        forgetting = asyncio.ensure_future(self._in_writer(self._forget_former_roots))
        await self._watch(self._watcher)
        await asyncio.gather(forgetting, return_exceptions=True)
        self.request(Requests(everything=True))
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            wanted, self._requests = self._requests, Requests()
            if not wanted:
                continue
            try:
                summary = await self._in_writer(lambda: self._scan(wanted))  # noqa: B023
            except Exception as error:  # whatever it is, the next scan may go well
                await self._failed(error, wanted)
            else:
                self._note(summary)

    async def _watch(self, watcher: Watcher) -> None:
        """Begin to watch. What hangs in a root holds up no scan: there is another afterwards."""
        starting = asyncio.create_task(watcher.start())
        try:
            await asyncio.wait_for(asyncio.shield(starting), self._timing.silence)
        except TimeoutError:
            logger.warning("watching the media roots takes long; they are scanned meanwhile")
            starting.add_done_callback(lambda _: self.request(Requests(everything=True)))
            self._tasks.append(starting)
        except asyncio.CancelledError:
            starting.cancel()
            raise

    async def _tend(self) -> None:
        """Notice roots that come and go, and look through what does not tell of changes."""
        looked = self._loop.time()
        while True:
            await asyncio.sleep(self._timing.check)
            if self._watcher is None:
                continue
            due = self._loop.time() - looked >= self._timing.poll
            if due:
                looked = self._loop.time()
            try:
                await self._tend_index()
                self.request(await self._look_around(self._watcher, everywhere=due))
            except Exception:  # the next look may go well
                logger.exception("cannot look at the media roots")

    async def _look_around(self, watcher: Watcher, *, everywhere: bool) -> Requests:
        """Roots that have come or gone; ``everywhere``: also all that does not tell of changes."""
        wanted = Requests(trees=await asyncio.to_thread(self._presence.changed))
        wanted.trees |= self._answering_again()
        if not watcher.alive or watcher.may_do_better:
            if not watcher.alive:
                logger.warning("changes were not noticed any more: watching begins anew")
            await watcher.restart()
            wanted.everything = True
        elif wanted or watcher.has_grown:
            wanted.trees |= await watcher.refresh()
        wanted.folders |= await bounded(self._troubles.due, None)
        if everywhere:
            wanted.trees |= {path for path, how in watcher.watched.items() if how.polled}
        return wanted

    def _answering_again(self) -> set[bytes]:
        """Roots that did not answer a scan, and may do so now: perhaps no look fell between."""
        return {
            root.path
            for root in self.state.roots
            if root.reason == NO_ANSWER and not self._disks.hangs(root.path)
        }

    def _changed(self, gathered: Gathered) -> None:
        wanted = Requests()
        wanted.add(gathered)
        self.request(wanted)

    def _note(self, summary: ScanSummary) -> None:
        self.state.last_scan = summary
        self.state.last_scan_ended = self._loop.time()
        self.state.failure, self._failures = None, 0
        if self._watcher is not None:
            for folder in summary.unsettled:
                self._watcher.later(folder)
        told, self._next_scan = self._next_scan, self._loop.create_future()
        told.set_result(summary)

    async def _failed(self, error: Exception, wanted: Requests) -> None:
        """The same complaint is not made again and again (security.md F4)."""
        text = error.reason if isinstance(error, IndexUnusable) else f"{error}"
        if text != self.state.failure:
            self.state.failure = text
            if isinstance(error, IndexUnusable | ReaderPoolError | OSError):
                logger.error("cannot scan: %s", text)
            else:
                logger.error("a scan failed", exc_info=error)
        if self._database.damaged:
            await self._mend_index()
        delay = min(self._timing.retry * 2**self._failures, MAX_RETRY_SECONDS)
        self._failures += 1
        self._retry = self._loop.call_later(delay, self.request, wanted)

    async def _tend_index(self) -> None:
        """See that the index is on its disk; not while a scan runs, which has the one thread."""
        if self.state.scanning:
            return
        place = await bounded(lambda: self._database.place, None)
        if place is not Place.SAME or self._database.damaged or not self._database.is_open:
            await self._mend_index()
            return
        self.state.index_failure = None
        if self._database.log_bytes:
            await self._in_writer(self._carry_over)

    async def _mend_index(self) -> None:
        """The same complaint is not made again and again (security.md F4, F5)."""
        try:
            notes = await self._in_writer(self._mended)
        except IndexUnusable as error:
            if error.reason != self.state.index_failure:
                logger.error("%s", error.reason)
            self.state.index_failure = error.reason
            return
        self.state.index_failure = None
        self.state.notes += tuple(notes)
        self.request(Requests(everything=True))

    async def _in_writer(self, job: Callable[[], T]) -> T:
        if self._writer is None:
            raise IndexUnusable("the library is closed")
        return await asyncio.wrap_future(self._writer.submit(job))

    # ---- in the writer thread

    def _open(self, least_update_id: int = 0) -> list[str]:
        notes = self._database.open(least_update_id=least_update_id)
        indexer = Indexer(self._database, views=self._views, on_change=self._told)
        self._indexer = indexer
        hide_former_roots(indexer, self._roots)
        known = {root.path: root for root in indexer.roots()}
        new = [
            (path, title)
            for path, title in self._roots.items()
            if path not in known or known[path].name != title
        ]
        if new:
            with indexer.batch() as batch:
                for path, title in new:
                    batch.put_root(path, title)
        if indexer.internet_radio != self._internet_radio:
            with indexer.batch() as batch:
                batch.allow_internet_radio(allowed=self._internet_radio)
        self.state.roots = tuple(indexer.roots())
        self.system_update_id = indexer.system_update_id
        return notes

    def _mended(self) -> list[str]:
        """Make an index that is damaged, deleted or replaced usable again; what was wrong."""
        place = self._database.place
        if self._database.is_open and not self._database.damaged:
            if place is Place.SAME:
                return []
            if place is Place.GONE:
                notes = ["the index was deleted while it was in use: it has been written again"]
                notes += self._database.put_back()
                logger.warning("index %s: %s", self._database.path, notes[0])
                return notes
        notes = []
        if place is Place.OTHER:
            notes.append("the index was replaced by another file: that one is used from now on")
            logger.warning("index %s: %s", self._database.path, notes[0])
        self._database.close()
        # Control points have been told of later states than the one there may be in it.
        return notes + self._open(self.system_update_id + 1)

    def _carry_over(self) -> None:
        """Carry the log of the index over; when that fails, another time will do."""
        try:
            self._database.carry_over()
        except IndexUnusable as error:
            logger.debug("%s", error.reason)

    def _check(self) -> IndexCheck:
        if self._indexer is None:
            raise IndexUnusable("the library is closed")
        try:
            with self._database.writing_much():
                return IndexCheck(self._indexer.check())
        except IndexUnusable:
            if not self._database.damaged:
                raise
        except Exception as error:  # rows that make no sense make anything fail
            logger.debug("the index cannot be checked", exc_info=True)
            self._database.condemn(str(error))
        notes = tuple(self._mended())
        self.state.notes += notes
        return IndexCheck({}, notes)

    def _told(self, change: Change) -> None:
        self.system_update_id = change.system_update_id
        if self._indexer is not None:
            self.state.roots = tuple(self._indexer.roots())
        self._loop.call_soon_threadsafe(self._on_change, change)

    def _scan(
        self,
        wanted: Requests,
        *,
        settle: bool = True,
        tell: Callable[[ScanProgress], None] = lambda progress: None,
    ) -> ScanSummary:
        indexer = self._indexer
        if indexer is None or self._closing.is_set():
            raise IndexUnusable("the library is closed")
        if wanted.everything:
            self._forget_former_roots()
        targets = wanted.targets(indexer.roots(), self._rules)
        scanner = Scanner(
            indexer,
            self._pool,
            self._rules,
            disks=self._disks,
            quiet_seconds=self._timing.quiet,
        )

        def note(progress: ScanProgress) -> None:
            self.state.progress = progress
            tell(progress)

        self.state.progress = ScanProgress()
        self.state.scanning = True
        try:
            with self._database.writing_much():
                summary = scanner.scan(
                    targets, settle=settle, progress=note, stopped=self._closing.is_set
                )
        finally:
            self.state.scanning = False
            self.state.roots = tuple(indexer.roots())
            self._carry_over()
        new = self._troubles.note(summary.troubled, summary.refused, wanted.cover)
        for folder, reason in new.items():
            logger.warning("%s cannot be read in full: %s", os.fsdecode(folder), reason)
        self.state.troubled = self._troubles.reasons
        changes = (summary.added, summary.changed, summary.moved, summary.removed)
        if wanted.everything or any(changes):
            logger.info(
                "scan %s in %.1f s: %d files seen, %d new, %d changed, %d moved, %d removed, "
                "%d unreadable",
                "done" if summary.complete else "stopped",
                summary.seconds,
                summary.seen,
                *changes,
                summary.unreadable,
            )
        return summary

    def _forget_former_roots(self) -> None:
        if self._indexer is not None and not self._closing.is_set():
            with self._database.writing_much():
                forget_former_roots(self._indexer, self._roots, self._closing.is_set)
