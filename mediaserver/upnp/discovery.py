"""Discovery: we advertise ourselves and answer searches (UDA 1.1 §1).

``ssdp`` says what is in the messages, ``multicast`` has the sockets; here is when something is
sent, and to whom. Clock, randomness and sleeping are handed in.
"""

import asyncio
import logging
import random
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate

from mediaserver.supervision import Supervisor
from mediaserver.upnp import multicast, ssdp
from mediaserver.upnp.interfaces import Interface, announced, compare
from mediaserver.upnp.multicast import Datagram, MulticastNetwork, Network
from mediaserver.upnp.rates import RateLimit

logger = logging.getLogger(__name__)
traffic = logging.getLogger("mediaserver.traffic.ssdp")

MAX_AGE = 1800
"""Seconds; UDA 1.1 §1.2.2 asks for at least that."""
REPEATS_AT_START = 3
REPEATS = 2
"""Datagrams get lost, but a message is sent no more than three times (UDA 1.1 §1.2)."""
GAP = 0.05
"""Seconds between messages of a set, so that small devices do not lose the tail of a burst."""
GAP_AT_STOP = 0.01
REPEAT_GAP = 0.3
REJOIN = (120.0, 180.0)
"""Seconds; switches that snoop forget members after 4 to 5 minutes without a report."""
CONTRADICTION_GAP = 60.0
"""Seconds between answers to somebody's byebye in our name."""

SHORT_DELAY = 1.0
"""Seconds. Control points that give a short MX often listen shorter still; a device may assume
a smaller MX than it was given (UDA 1.1 §1.3.3)."""
LONG_MX = 5
"""From here on the whole of MX is used: whoever waits that long expects many answers."""
MARGIN = 0.25
"""Seconds before MX ends, by which the last answer is under way."""
UNICAST_DELAY = 0.2
"""Seconds; the answer is due within one (UDA 1.1 §1.3.3)."""


@dataclass(frozen=True)
class Limits:
    """How much others can make us do; figures are per second, except ``pending``."""

    searches_per_source: float = 10
    answers_per_source: float = 30
    answers: float = 100
    pending: int = 200
    """Answers that wait for their random delay."""
    heard: int = 512
    """Kinds of messages remembered."""


@dataclass(frozen=True)
class Heard:
    """What a neighbour said, each kind of message once."""

    source: str
    interface: str
    kind: str
    """``search``, or NTS of an advertisement: ``ssdp:alive``, ``ssdp:update``, ``ssdp:byebye``."""
    target: str
    """ST or NT."""
    user_agent: str
    """USER-AGENT or SERVER."""
    friendly_name: str
    """CPFN.UPNP.ORG, mostly empty."""
    last: float
    """Unix time."""
    count: int = 1


class Discovery:
    """Presence of one root device on the network.

    ``location`` makes the LOCATION for an interface. ``boot_id_changed`` is told of a BOOTID
    that rose while running, to be stored: the next start needs a higher one (UDA 1.1 §1.2.2).
    """

    def __init__(
        self,
        targets: Iterable[ssdp.Target],
        *,
        server: str,
        boot_id: int,
        config_id: int,
        location: Callable[[Interface], str],
        max_age: int = MAX_AGE,
        boot_id_changed: Callable[[int], None] = lambda boot_id: None,
        limits: Limits | None = None,
        network: Network | None = None,
        supervisor: Supervisor | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        rng: random.Random | None = None,
    ) -> None:
        self._targets = tuple(targets)
        self._identity = ssdp.Identity(server, boot_id, config_id, max_age)
        self._location = location
        self._boot_id_changed = boot_id_changed
        self._limits = limits or Limits()
        self._network = network or MulticastNetwork()
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._supervisor = supervisor or Supervisor(clock=clock, sleep=sleep)
        self._random = rng or random.Random()  # noqa: S311 - spreads messages, no secret
        self._interfaces: tuple[Interface, ...] = ()
        self._announced = False
        self._stopped = False
        self._sending = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending: dict[tuple[object, ...], int] = {}
        self._searches = RateLimit(self._limits.searches_per_source)
        self._answers_per_source = RateLimit(self._limits.answers_per_source)
        self._answers = RateLimit(self._limits.answers)
        self._contradicted: float | None = None
        self._heard: OrderedDict[tuple[str, str, str], Heard] = OrderedDict()
        self._heard_ourselves: dict[Interface, float] = {}

    @property
    def boot_id(self) -> int:
        """BOOTID in use."""
        return self._identity.boot_id

    @property
    def interfaces(self) -> tuple[Interface, ...]:
        """The interfaces in use."""
        return self._interfaces

    def start(self, interfaces: Sequence[Interface]) -> None:
        """Open the sockets and begin to announce; the description must be served by now.

        What an unclean end left in control points is revoked first, then the device announced.
        """
        self._network.open(self._received)
        self._interfaces = tuple(interfaces)
        self._network.use(self._interfaces)
        self._own(self._supervisor.start("announcements", self._advertise))
        self._own(self._supervisor.start("multicast memberships", self._keep_memberships))

    async def stop(self) -> None:
        """Revoke everything, twice on each interface (UDA 1.1 §1.2.3). Takes under a second."""
        if self._stopped:
            return
        self._stopped = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            for _ in range(REPEATS):
                for target in self._targets:
                    for interface in self._interfaces:
                        self._multicast(interface, self._byebye(target, interface))
                    await self._sleep(GAP_AT_STOP)
        finally:
            self._network.close()

    async def update_interfaces(self, interfaces: Sequence[Interface]) -> None:
        """Serve these interfaces from now on; returns when the change has been announced.

        A new one makes the BOOTID rise (UDA 1.1 §1.2.4): on those that stay ``ssdp:update``
        says so beforehand, then all are announced with the new one. On those that went, byebye
        is tried, which revokes us as a whole to who hears it: our other addresses on that link
        are announced again. So is an interface that has its carrier back.
        """
        async with self._sending:
            if self._stopped:
                return
            change = compare(self._interfaces, interfaces)
            staying = [each for each in announced(self._interfaces) if each in change.interfaces]
            for interface in change.removed:
                for target in self._targets:
                    self._multicast(interface, self._byebye(target, interface))
                self._heard_ourselves.pop(interface, None)
                logger.info("interface gone name=%s address=%s", interface.name, interface.address)
            self._interfaces = change.interfaces
            self._network.use(self._interfaces)
            if change.resumed:
                self._network.rejoin()
            for interface in change.added:
                logger.info("interface found name=%s address=%s", interface.name, interface.address)
            if change.added:
                if self._announced:
                    await self._raise_boot_id(staying)
                await self._announce(announced(self._interfaces), REPEATS_AT_START)
            else:
                await self._announce_again(*change.removed, *change.resumed)

    def redescribe(self, *, config_id: int) -> None:
        """Announce changed description documents: byebye, then alive with a new CONFIGID.

        A device may not change its documents under the same CONFIGID (UDA 1.1 §1.2.2). Returns
        at once; it takes two seconds.
        """
        self._spawn(self._announce_anew(config_id))

    def heard(self) -> list[Heard]:
        """What neighbours sent, the latest first. What this host sent is left out."""
        return list(reversed(self._heard.values()))

    def heard_ourselves(self) -> dict[Interface, float]:
        """When, in Unix time, an announcement of ours came back from the group of an interface."""
        return dict(self._heard_ourselves)

    # Sending

    async def _advertise(self) -> None:
        await self._sleep(self._random.uniform(0, 0.1))
        async with self._sending:
            if not self._announced:  # this is the start, and not a new one after a failure
                await self._send(self._interfaces, self._byebye)
            await self._announce(announced(self._interfaces), REPEATS_AT_START)
        while True:
            # Well before half of max-age, at random (UDA 1.1 §1.2.2).
            await self._sleep(
                self._random.uniform(self._identity.max_age / 6, self._identity.max_age / 3)
            )
            async with self._sending:
                await self._announce(announced(self._interfaces), REPEATS)

    async def _keep_memberships(self) -> None:
        while True:
            await self._sleep(self._random.uniform(*REJOIN))
            self._network.rejoin()

    async def _raise_boot_id(self, staying: Sequence[Interface]) -> None:
        boot_id = self._next_boot_id()

        def update(target: ssdp.Target, interface: Interface) -> bytes:
            return ssdp.update(
                target,
                self._identity_on(interface),
                host=multicast.host(interface),
                location=self._location(interface),
                next_boot_id=boot_id,
            )

        if staying and boot_id > self._identity.boot_id:
            await self._send(staying, update, times=REPEATS)
        self._set_boot_id(boot_id)

    def _next_boot_id(self) -> int:
        return self._identity.boot_id + 1 if self._identity.boot_id < 2**31 - 1 else 1

    def _set_boot_id(self, boot_id: int) -> None:
        self._identity = replace(self._identity, boot_id=boot_id)
        try:
            self._boot_id_changed(boot_id)
        except OSError as error:
            logger.warning("BOOTID could not be stored boot_id=%d error=%s", boot_id, error)

    async def _announce(self, interfaces: Sequence[Interface], times: int) -> None:
        self._announced = self._announced or bool(interfaces)
        await self._send(interfaces, self._alive, times=times)

    async def _announce_anew(self, config_id: int) -> None:
        async with self._sending:
            await self._send(self._interfaces, self._byebye)
            self._identity = replace(self._identity, config_id=config_id)
            self._set_boot_id(self._next_boot_id())
            await self._announce(announced(self._interfaces), REPEATS_AT_START)

    async def _announce_again(self, *interfaces: Interface) -> None:
        """Announce what we have on the links of these."""
        links = {each.index for each in interfaces}
        there = [each for each in announced(self._interfaces) if each.index in links]
        if there:
            await self._announce(there, REPEATS)

    async def _send(
        self,
        interfaces: Sequence[Interface],
        message: Callable[[ssdp.Target, Interface], bytes],
        *,
        times: int = 1,
    ) -> None:
        """One message for each target on each interface; the set so many times, spread out."""
        for time_sent in range(times):
            if time_sent:
                await self._sleep(self._random.uniform(REPEAT_GAP / 2, REPEAT_GAP))
            for target in self._targets:
                if self._stopped:
                    return
                for interface in interfaces:
                    self._multicast(interface, message(target, interface))
                await self._sleep(GAP)

    def _alive(self, target: ssdp.Target, interface: Interface) -> bytes:
        return ssdp.alive(
            target,
            self._identity_on(interface),
            host=multicast.host(interface),
            location=self._location(interface),
        )

    def _byebye(self, target: ssdp.Target, interface: Interface) -> bytes:
        return ssdp.byebye(target, self._identity, host=multicast.host(interface))

    def _identity_on(self, interface: Interface) -> ssdp.Identity:
        port = self._network.search_port(interface)
        return self._identity if port is None else replace(self._identity, search_port=port)

    def _multicast(self, interface: Interface, data: bytes) -> None:
        traffic.debug("multicast on %s: %r", interface.name, data)
        self._network.multicast(interface, data)

    # Hearing

    def _received(self, datagram: Datagram) -> None:
        if traffic.isEnabledFor(logging.DEBUG) and not self._is_own(datagram):  # shown when sent
            traffic.debug("from %s:%d: %r", datagram.source, datagram.port, datagram.data)
        search = ssdp.read_search(datagram.data, multicast=datagram.multicast)
        if search is not None:
            self._searched(search, datagram)
            return
        advertisement = ssdp.read_advertisement(datagram.data)
        if advertisement is not None:
            self._advertised(advertisement, datagram)

    def _searched(self, search: ssdp.Search, datagram: Datagram) -> None:
        now = self._clock()
        source = str(datagram.source)
        if not self._searches.allow(source, now):
            return
        self._remember(datagram, "search", search.st, search.user_agent, search.friendly_name)
        answers = ssdp.answers(search, self._targets)
        # A search repeated while its answers wait is one search.
        key = (source, datagram.port, datagram.interface, search.st)
        if (
            not answers
            or key in self._pending
            or sum(self._pending.values()) + len(answers) > self._limits.pending
            or not self._answers_per_source.allow(source, now, len(answers))
            or not self._answers.allow(None, now, len(answers))
        ):
            return
        self._pending[key] = len(answers)
        task = self._spawn(self._answer(search, answers, datagram))
        task.add_done_callback(lambda _: self._pending.pop(key, None))

    async def _answer(
        self, search: ssdp.Search, answers: Sequence[ssdp.Answer], datagram: Datagram
    ) -> None:
        """Send the answers at random times within the delay that MX allows."""
        longest = longest_delay(search.mx)
        elapsed = 0.0
        due = sorted(self._random.uniform(0, longest) for _ in answers)
        for at, answer in zip(due, answers, strict=True):
            await self._sleep(at - elapsed)
            elapsed = at
            if datagram.interface not in self._interfaces:
                return
            message = ssdp.response(
                answer,
                self._identity_on(datagram.interface),
                location=self._location(datagram.interface),
                date=formatdate(self._wall_clock(), usegmt=True),
                ipv6=datagram.interface.version == 6,
            )
            traffic.debug("to %s:%d: %r", datagram.source, datagram.port, message)
            self._network.reply(datagram.interface, message, datagram.source, datagram.port)

    def _advertised(self, advertisement: ssdp.Advertisement, datagram: Datagram) -> None:
        if self._is_own(datagram):
            self._heard_ourselves[datagram.interface] = self._wall_clock()
            return
        if advertisement.nt == ssdp.ROOT_DEVICE:  # one of a device's many is enough
            self._remember(datagram, advertisement.nts, advertisement.nt, advertisement.server)
        ours = any(target.usn == advertisement.usn for target in self._targets)
        if ours and advertisement.nts == "ssdp:byebye":
            self._contradict(datagram)

    def _is_own(self, datagram: Datagram) -> bool:
        return self._network.is_own(datagram.source, datagram.port)

    def _contradict(self, datagram: Datagram) -> None:
        """Somebody revokes us in our name: say that we are there, once a minute at most."""
        now = self._clock()
        if self._contradicted is not None and now - self._contradicted < CONTRADICTION_GAP:
            return
        self._contradicted = now
        logger.warning("byebye in our name source=%s", datagram.source)
        self._spawn(self._assert_presence(datagram.interface))

    async def _assert_presence(self, interface: Interface) -> None:
        async with self._sending:
            await self._announce_again(interface)

    def _remember(
        self,
        datagram: Datagram,
        kind: str,
        target: str,
        user_agent: str,
        friendly_name: str = "",
    ) -> None:
        if not datagram.source.is_loopback and any(
            datagram.source == interface.address for interface in self._interfaces
        ):
            return  # a program of this host: nothing has come through the network
        source = str(datagram.source)
        key = (source, kind, target)
        known = self._heard.pop(key, None)
        self._heard[key] = Heard(
            source=source,
            interface=datagram.interface.name,
            kind=kind,
            target=target[:200],
            user_agent=user_agent,
            friendly_name=friendly_name,
            last=self._wall_clock(),
            count=known.count + 1 if known else 1,
        )
        if len(self._heard) > self._limits.heard:
            self._heard.popitem(last=False)

    def _spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        return self._own(asyncio.get_running_loop().create_task(work))

    def _own(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        """Keep a task until it ends; ``stop`` cancels it."""
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("discovery failed", exc_info=error)


def longest_delay(mx: int | None) -> float:
    """Seconds within which a search is answered; ``mx`` None for a unicast search."""
    if mx is None:
        return UNICAST_DELAY
    longest = max(0.0, mx - MARGIN)
    return longest if mx >= LONG_MX else min(longest, SHORT_DELAY)
