"""The library as one thing: the media roots kept in an index that answers questions.

Questions are answered from the index, whatever a scan does meanwhile; everything that writes runs
in one thread (:mod:`.upkeep`). What changes is told on the event loop.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from mediaserver.library import lookup
from mediaserver.library.artwork import Artwork, Tidied
from mediaserver.library.browsing.browser import Browser
from mediaserver.library.catalogue.renewal import Renewal
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.criteria import Criteria, SortKey
from mediaserver.library.database import Database, driver_of
from mediaserver.library.errors import NotInLibrary
from mediaserver.library.indexing import touched
from mediaserver.library.indexing.touched import Moment
from mediaserver.library.lookup import ArtSource, MediaFile, SubtitleSource, UnreadableFile
from mediaserver.library.objects import Change, LibraryCounts, Page
from mediaserver.library.readers.pool import ReaderPool
from mediaserver.library.roots import Rules
from mediaserver.library.scanner import ScanProgress, ScanSummary
from mediaserver.library.scanning.requests import Requests
from mediaserver.library.upkeep import CHECK_SECONDS, IndexCheck, Timing, Upkeep
from mediaserver.library.views import DEFAULT_VIEWS, View
from mediaserver.library.watcher import Watched
from mediaserver.patience import bounded
from mediaserver.supervision import Supervisor

DISK_SECONDS = 5.0
"""How long a file system may think about a path that somebody has named."""


@dataclass(frozen=True, slots=True)
class Root:
    """A media root as configured: an absolute path, and what it is called."""

    path: Path
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RootStatus:
    path: Path
    title: str
    available: bool
    reason: str | None
    """Why it is not available."""
    watched: Watched | None
    """How changes in it are noticed; None: not yet, or not at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryStatus:
    """What the library is doing, for people."""

    scanning: bool = False
    progress: ScanProgress = field(default_factory=ScanProgress)
    """Of the scan that runs."""
    roots: tuple[RootStatus, ...] = ()
    last_scan: ScanSummary | None = None
    last_scan_ended: float | None = None
    """By the event loop's clock."""
    troubled: dict[bytes, str] = field(default_factory=dict)
    """Folders where the system refused something; they are tried again and again."""
    failure: str | None = None
    """Why the last scan failed as a whole."""
    index_failure: str | None = None
    """Why an index that was damaged or deleted cannot be made again."""
    catalogue_failure: str | None = None
    """Why the catalogue of a large library cannot be made."""
    notes: tuple[str, ...] = ()


class Library:
    """Made on the event loop that it is used on. :meth:`open` before everything else."""

    def __init__(
        self,
        data_dir: Path,
        roots: Sequence[Root],
        *,
        views: Sequence[View] = DEFAULT_VIEWS,
        ignore: Sequence[str] = (),
        follow_links: bool = False,
        internet_radio: bool = False,
        poll_seconds: float = 300,
        quiet_seconds: float = 2.0,
        workers: int = 0,
        art_cache_bytes: int = 512 << 20,
        on_change: Callable[[Change], None] | None = None,
        check_seconds: float = CHECK_SECONDS,
        supervisor: Supervisor | None = None,
    ) -> None:
        self.on_change = on_change
        """Called on the event loop with each change that control points can see."""
        self._roots = {os.fsencode(root.path): root for root in roots}
        self._loop = asyncio.get_running_loop()
        self._database = Database(data_dir / "index.sqlite")
        self._pool = ReaderPool(workers or len(os.sched_getaffinity(0)))
        self._shelf = Shelf(data_dir / "catalogue", self._catalogue_lost)
        self._browser = Browser(views, self._shelf)
        self._rules = Rules(tuple(self._roots), ignore=ignore, follow_links=follow_links)
        self._upkeep = Upkeep(
            self._database,
            self._pool,
            {path: root.title for path, root in self._roots.items()},
            self._rules,
            views,
            internet_radio=internet_radio,
            timing=Timing(quiet=quiet_seconds, poll=poll_seconds, check=check_seconds),
            on_change=self._deliver,
            supervisor=supervisor,
        )
        self._renewal = Renewal(
            self._database.path,
            self._shelf,
            items=self._items,
            busy=lambda: self._upkeep.state.scanning,
            changed_since=self._changed_since,
            made=self._upkeep.forget_touched,
        )
        self._supervisor = supervisor or Supervisor()
        self._renewing: asyncio.Task[None] | None = None
        self.artwork = Artwork(data_dir / "cache", self._pool, art_cache_bytes)

    # ---- life

    async def open(self) -> list[str]:
        """Open the index; from now on it answers. Returns notes for the owner.

        Raises IndexUnusable.
        """
        return await self._upkeep.open()

    def start(self) -> None:
        """Scan all roots in the background, and watch them from then on."""
        self._upkeep.start()
        self._renewing = self._supervisor.start("library catalogue", self._renewal.run)

    async def close(self) -> None:
        """End everything; a scan stops where it is and goes on there next time. Idempotent."""
        self._upkeep.stop_scanning()
        if self._renewing is not None:
            self._renewing.cancel()
            await asyncio.gather(self._renewing, return_exceptions=True)
        await asyncio.to_thread(self._pool.close)
        await self._upkeep.close()

    async def scan_once(
        self, progress: Callable[[ScanProgress], None] | None = None
    ) -> ScanSummary:
        """Scan all roots now; ``progress`` is called on the event loop.

        Files that may still be growing are read as they are. Raises IndexUnusable and
        ReaderPoolError.
        """
        return await self._upkeep.scan_once(progress or (lambda _: None))

    def rescan(self) -> None:
        """Have all roots scanned soon."""
        self._upkeep.request(Requests(everything=True))

    async def scan_now(self, paths: Sequence[bytes] = ()) -> list[bytes]:
        """Have these folders scanned as soon as a scan that runs has ended, each with all that is
        below it; of a file the folder that it is in; without any, all roots. What is scanned.

        Raises NotInLibrary for one that belongs to no root: then nothing is scanned.
        """
        if not paths:
            self.rescan()
            return list(self._roots)
        wanted, roots = Requests(), list(self._roots)
        try:
            scanned = await bounded(
                lambda: [wanted.add_named(path, roots, self._rules) for path in paths], DISK_SECONDS
            )
        except TimeoutError:
            raise NotInLibrary(paths[0], "its file system does not answer") from None
        self._upkeep.request(wanted)
        return scanned

    async def next_scan(self) -> ScanSummary:
        """Wait for the end of a scan, the one that runs or the next."""
        return await self._upkeep.next_scan()

    async def check_index(self) -> IndexCheck:
        """Check the index against itself, and mend it or set it aside; see to scan afterwards.

        Raises IndexUnusable.
        """
        return await self._upkeep.check_index()

    async def check_catalogue(self) -> bool | None:
        """Whether the catalogue is as it was written; one that is not is removed. None: there is
        none. Raises OSError."""
        return await asyncio.to_thread(self._shelf.check)

    async def tidy_pictures(self) -> Tidied:
        """Remove pictures from the cache that can be of no use any more.

        Only while all roots are there: those of the others could not be told from useless ones.
        """
        return await self.artwork.tidy(await self._database.read(lookup.picture_sources))

    # ---- questions

    @property
    def system_update_id(self) -> int:
        """SystemUpdateID (CDS:1 §2.5.20): greater after each change that can be seen."""
        return self._upkeep.system_update_id

    async def metadata(self, object_id: str) -> Page:
        """One object. Raises NoSuchObject."""
        return await self._database.read(
            lambda connection: self._browser.metadata(connection, object_id)
        )

    async def children(
        self, object_id: str, *, start: int, count: int, sort: Sequence[SortKey] = ()
    ) -> Page:
        """Children of a container; ``count`` 0: as many as are given at once.

        Raises NoSuchObject, NotAContainer, UnsupportedSort.
        """
        return await self._database.read(
            lambda connection: self._browser.children(
                connection, object_id, start=start, count=count, sort=sort
            )
        )

    async def search(
        self,
        container_id: str,
        criteria: Criteria,
        *,
        start: int,
        count: int,
        sort: Sequence[SortKey] = (),
    ) -> Page:
        """Objects at any depth below a container.

        Raises NoSuchObject, NotAContainer, UnsupportedCriteria, UnsupportedSort.
        """
        return await self._database.read(
            lambda connection: self._browser.search(
                connection, container_id, criteria, start=start, count=count, sort=sort
            )
        )

    async def media_file(self, key: int) -> MediaFile | None:
        """The file of an item; None if there is no such item, or its root is not available."""
        return await self._database.read(lambda connection: lookup.media_file(connection, key))

    async def art_source(self, art_id: int) -> ArtSource | None:
        """Where art comes from; None as for :meth:`media_file`."""
        return await self._database.read(lambda connection: lookup.art_source(connection, art_id))

    async def subtitles(self, key: int) -> list[SubtitleSource]:
        """The subtitles of a video, best first; none as for :meth:`media_file`."""
        return await self._database.read(lambda connection: lookup.subtitles(connection, key))

    async def counts(self) -> LibraryCounts:
        counts = await self._database.read(lookup.counts)
        state = self._upkeep.state
        return replace(counts, pending=state.progress.pending if state.scanning else 0)

    async def unreadable(self, limit: int) -> list[UnreadableFile]:
        """Files that are served under their name only."""
        return await self._database.read(lambda connection: lookup.unreadable(connection, limit))

    def status(self) -> LibraryStatus:
        state = self._upkeep.state
        known = {root.path: root for root in state.roots}
        watched = self._upkeep.watched
        return LibraryStatus(
            scanning=state.scanning,
            progress=state.progress,
            roots=tuple(
                RootStatus(
                    path=root.path,
                    title=root.title,
                    available=path in known and known[path].available,
                    reason=known[path].reason if path in known else None,
                    watched=watched.get(path),
                )
                for path, root in self._roots.items()
            ),
            last_scan=state.last_scan,
            last_scan_ended=state.last_scan_ended,
            troubled=dict(state.troubled),
            failure=state.failure,
            index_failure=state.index_failure,
            catalogue_failure=self._renewal.failure,
            notes=state.notes,
        )

    async def _items(self) -> int:
        counts = await self._database.read(lookup.counts)
        return counts.audio + counts.video + counts.image

    async def _changed_since(self, moment: Moment) -> int | None:
        """How many rows have changed since a moment; None if that is not known any more."""
        rows = await self._database.read(
            lambda connection: touched.since(driver_of(connection), moment)
        )
        return None if rows is None else sum(map(len, rows.values()))

    def _catalogue_lost(self) -> None:
        self._loop.call_soon_threadsafe(self._renewal.changed)

    def _deliver(self, change: Change) -> None:
        self._renewal.changed()
        if self.on_change is not None:
            self.on_change(change)
