"""What goes on, gathered for the page for people, ``/health`` and ``/metrics``."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence

from mediaserver import __version__
from mediaserver.app import problems
from mediaserver.clients import ClientRegistry
from mediaserver.delivery.transfers import Transfers
from mediaserver.library import lookup
from mediaserver.library.errors import LibraryError
from mediaserver.library.library import Library, LibraryStatus
from mediaserver.library.objects import LibraryCounts
from mediaserver.server.serving import HttpServer
from mediaserver.supervision import Supervisor
from mediaserver.upnp import ssdp
from mediaserver.upnp.device import Device
from mediaserver.upnp.discovery import Discovery
from mediaserver.upnp.eventing import Eventing
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.ssdp import Search
from mediaserver.web.metrics import Measure
from mediaserver.web.status import (
    HeardDevice,
    HeardSearch,
    InterfaceStatus,
    RootStatus,
    ScanStatus,
    SeenClient,
    Status,
    SubscriptionStatus,
    TaskFailure,
    Transfer,
    UnreadableFile,
)

UNREADABLE_SHOWN = 50


class Overview:
    """Asks the parts of a running server."""

    def __init__(
        self,
        *,
        device: Device,
        library: Library,
        interfaces: Callable[[], Sequence[Interface]],
        http: HttpServer,
        transfers: Transfers,
        eventing: Eventing,
        discovery: Discovery,
        clients: ClientRegistry,
        supervisor: Supervisor,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.device = device
        """As it is called now."""
        self._library = library
        self._interfaces = interfaces
        self._http = http
        self._transfers = transfers
        self._eventing = eventing
        self._discovery = discovery
        self._targets = ssdp.targets(device)
        self._clients = clients
        self._supervisor = supervisor
        self._clock = clock
        self._wall_clock = wall_clock
        self._started = clock()
        self._counts = LibraryCounts()
        """As they were when the index last answered."""

    async def status(self) -> Status:
        """Everything as it is now."""
        unreadable, index_error = await self._ask_index()
        library = self._library.status()
        heard_ourselves = self._discovery.heard_ourselves()
        now = self._wall_clock()
        return Status(
            name=self.device.friendly_name,
            version=__version__,
            udn=self.device.udn,
            uptime_seconds=self._clock() - self._started,
            system_update_id=self._library.system_update_id,
            library=self._counts,
            scan=_scan(library),
            roots=tuple(
                RootStatus(
                    title=root.title,
                    path=_shown(root.path),
                    reason=root.reason,
                    polled=root.watched.reason if root.watched is not None else None,
                )
                for root in library.roots
            ),
            unreadable=tuple(
                UnreadableFile(name=_below_its_root(file.path, library), reason=file.reason)
                for file in unreadable
            ),
            interfaces=tuple(
                InterfaceStatus(
                    name=each.name,
                    address=str(each.address),
                    url=f"http://{each.host(self._http.port)}/",
                    heard_ago=now - heard_ourselves[each] if each in heard_ourselves else None,
                )
                for each in self._interfaces()
            ),
            transfers=tuple(
                Transfer(
                    address=transfer.address,
                    title=transfer.title,
                    sent=transfer.sent,
                    size=transfer.size,
                    seconds=seconds,
                )
                for transfer, seconds in self._transfers.running()
            ),
            subscriptions=tuple(
                SubscriptionStatus(
                    address=each.peer,
                    service=each.service_type.split(":")[-2],
                    expires_in=each.remaining,
                )
                for each in self._eventing.subscriptions()
            ),
            clients=tuple(
                SeenClient(
                    address=each.address,
                    agent=each.agent,
                    profile=each.profile,
                    requests=each.requests,
                    seconds_ago=each.seconds_ago,
                )
                for each in self._clients.recent()
            ),
            searches=tuple(self._searches()),
            devices=tuple(
                HeardDevice(
                    address=each.source,
                    agent=each.user_agent,
                    seconds_ago=max(0.0, now - each.last),
                )
                for each in self._discovery.heard()
                if each.kind != "search"
            ),
            problems=tuple(problems.of_library(library, index_error)),
            failures=tuple(
                TaskFailure(
                    task=each.task,
                    error=each.error,
                    count=each.count,
                    seconds_ago=self._clock() - each.at,
                )
                for each in self._supervisor.failures()
            ),
        )

    async def _ask_index(self) -> tuple[Sequence[lookup.UnreadableFile], str | None]:
        """Files that could not be read, and why the index did not answer, if it did not."""
        try:
            self._counts = await self._library.counts()
            if not self._counts.unreadable:
                return (), None
            return await self._library.unreadable(UNREADABLE_SHOWN), None
        except LibraryError as error:
            return (), str(error)

    def measures(self) -> list[Measure]:
        """Figures that only rise, for ``/metrics``."""
        return [
            Measure(
                name="mediaserver_http_requests_total",
                help="HTTP requests answered.",
                kind="counter",
                read=lambda: self._http.requests,
            ),
            Measure(
                name="mediaserver_media_sent_bytes_total",
                help="Bytes of media sent.",
                kind="counter",
                read=lambda: self._transfers.bytes_sent,
            ),
            Measure(
                name="mediaserver_http_connections",
                help="Open HTTP connections.",
                kind="gauge",
                read=lambda: self._http.connections,
            ),
        ]

    def _searches(self) -> Iterator[HeardSearch]:
        now = self._wall_clock()
        for heard in self._discovery.heard():
            if heard.kind == "search":
                yield HeardSearch(
                    address=heard.source,
                    target=heard.target,
                    answered=bool(ssdp.answers(Search(st=heard.target, mx=None), self._targets)),
                    seconds_ago=max(0.0, now - heard.last),
                )


def _scan(library: LibraryStatus) -> ScanStatus:
    progress, last = library.progress, library.last_scan
    ended = library.last_scan_ended
    return ScanStatus(
        running=library.scanning,
        done=progress.read,
        total=progress.expected,
        listing=progress.walking,
        files_per_second=progress.files_per_second,
        remaining_seconds=progress.remaining_seconds if library.scanning else None,
        last_ended_ago=None if ended is None else asyncio.get_running_loop().time() - ended,
        last_seconds=last.seconds if last else 0.0,
    )


def _shown(path: str | os.PathLike[str]) -> str:
    return os.fsencode(path).decode(errors="replace")


def _below_its_root(path: bytes, library: LibraryStatus) -> str:
    """The path from the title of its media root on: nobody else's business is what is above."""
    for root in library.roots:
        above = os.fsencode(root.path)
        if path.startswith(above + b"/"):
            below = path[len(above) + 1 :].decode(errors="replace")
            return f"{root.title}/{below}"
    return path.rpartition(b"/")[2].decode(errors="replace")
