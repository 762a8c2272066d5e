"""Time, network and subscribers that do what a test says, and nothing else."""

import asyncio
import heapq
import itertools
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from mediaserver.upnp.discovery import Discovery, Limits
from mediaserver.upnp.gena import Callback
from mediaserver.upnp.interfaces import Address, Interface
from mediaserver.upnp.multicast import Datagram
from mediaserver.upnp.service import Service, StateVariable
from mediaserver.upnp.ssdp import Target


async def settle() -> None:
    """Let every task run until it waits for something that a test decides about."""
    for _ in range(20):
        await asyncio.sleep(0)


class FakeClock:
    """Seconds that pass only when told."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = itertools.count()

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._count), wake))
        await wake

    async def advance(self, seconds: float) -> None:
        """Let time pass; whoever sleeps wakes when it is due, one after the other."""
        until = self.now + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= until:
            due, _, wake = heapq.heappop(self._sleepers)
            self.now = max(self.now, due)
            if not wake.done():
                wake.set_result(None)
            await settle()
        self.now = until


@dataclass(frozen=True)
class Sent:
    """A datagram that was sent."""

    at: float
    interface: Interface
    data: bytes
    to: Address | None = None
    """None: the group."""
    port: int = 1900

    @property
    def start_line(self) -> str:
        return self.data.partition(b"\r\n")[0].decode("ascii")

    @property
    def headers(self) -> dict[str, str]:
        lines = self.data.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")[1:]
        parts = (line.partition(":") for line in lines)
        return {name: value.strip() for name, _, value in parts}

    @property
    def nts(self) -> str:
        return self.headers.get("NTS", "")


class FakeNetwork:
    """Keeps what is sent, and lets a test say what is heard."""

    def __init__(self, clock: FakeClock) -> None:
        self.sent: list[Sent] = []
        self.used: list[tuple[Interface, ...]] = []
        self.rejoined: list[float] = []
        self.closed = False
        self.search_ports: dict[Interface, int] = {}
        self.own_ports: set[int] = set()
        self._clock = clock
        self._receive: Callable[[Datagram], None] | None = None

    def open(self, receive: Callable[[Datagram], None]) -> None:
        self._receive = receive

    def use(self, interfaces: Sequence[Interface]) -> None:
        self.used.append(tuple(interfaces))

    def rejoin(self) -> None:
        self.rejoined.append(self._clock())

    def multicast(self, interface: Interface, data: bytes) -> None:
        assert not self.closed
        self.sent.append(Sent(self._clock(), interface, data))

    def reply(self, interface: Interface, data: bytes, to: Address, port: int) -> None:
        assert not self.closed
        self.sent.append(Sent(self._clock(), interface, data, to, port))

    def search_port(self, interface: Interface) -> int | None:
        return self.search_ports.get(interface)

    def is_own(self, source: Address, port: int) -> bool:
        return port in self.own_ports

    def close(self) -> None:
        self.closed = True

    def hear(
        self,
        data: bytes,
        interface: Interface,
        *,
        source: str = "192.0.2.9",
        port: int = 40000,
        multicast: bool = True,
    ) -> None:
        assert self._receive is not None
        self._receive(Datagram(data, ip_address(source), port, interface, multicast))

    def take(self) -> list[Sent]:
        """What was sent since the last time."""
        sent, self.sent = self.sent, []
        return sent


@dataclass
class Notify:
    """An event message on its way to a subscriber."""

    at: float
    callback: Callback
    message: bytes
    answer_seconds: float
    outcome: "asyncio.Future[int]" = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        lines = self.message.partition(b"\r\n\r\n")[0].decode("ascii").split("\r\n")[1:]
        parts = (line.partition(":") for line in lines)
        return {name: value.strip() for name, _, value in parts}

    @property
    def seq(self) -> int:
        return int(self.headers["SEQ"])

    @property
    def body(self) -> bytes:
        return self.message.partition(b"\r\n\r\n")[2]


class FakePost:
    """Subscribers that answer what a test says: ``answers`` by port, else 200; None hangs."""

    def __init__(self, clock: FakeClock) -> None:
        self.messages: list[Notify] = []
        self.answers: dict[int, int | Exception | None] = {}
        self._clock = clock

    async def __call__(
        self, callback: Callback, message: bytes, scope_id: int, answer_seconds: float
    ) -> int:
        outcome: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        notify = Notify(self._clock(), callback, message, answer_seconds, outcome)
        self.messages.append(notify)
        answer = self.answers.get(callback.port, 200)
        if isinstance(answer, Exception):
            raise answer
        if answer is not None:
            return answer
        return await outcome

    def take(self) -> list[Notify]:
        """The messages since the last time."""
        messages, self.messages = self.messages, []
        return messages


ETH0 = Interface("eth0", 2, ip_address("192.0.2.5"), 24)
ETH1 = Interface("eth1", 3, ip_address("198.51.100.5"), 24)
UDN = "uuid:2fac1234-31f8-11b4-a222-08002b34c003"
TYPES = (
    "urn:schemas-upnp-org:device:MediaServer:1",
    "urn:schemas-upnp-org:service:ContentDirectory:1",
    "urn:schemas-upnp-org:service:ConnectionManager:1",
)
TARGETS = tuple(Target(nt, UDN) for nt in ("upnp:rootdevice", UDN, *TYPES))
"""What a media server of two services announces."""


def discovery(
    clock: FakeClock,
    network: FakeNetwork,
    *,
    boot_id: int = 7,
    boot_id_changed: Callable[[int], None] = lambda boot_id: None,
    limits: Limits | None = None,
    rng: random.Random | None = None,
) -> Discovery:
    """Discovery of a media server at 8200, by a fake clock on a fake network."""
    return Discovery(
        TARGETS,
        server="Linux/6.1 UPnP/1.0 mediaserver/1.0",
        boot_id=boot_id,
        config_id=4711,
        location=lambda interface: f"http://{interface.host(8200)}/description.xml",
        boot_id_changed=boot_id_changed,
        limits=limits,
        network=network,
        clock=clock,
        wall_clock=lambda: 784111777.0,  # Sun, 06 Nov 1994 08:49:37 GMT (RFC 9110 §5.6.7)
        sleep=clock.sleep,
        rng=rng or random.Random(1),  # noqa: S311
    )


def m_search(target: str = "ssdp:all", mx: int | None = 1) -> bytes:
    lines = ["M-SEARCH * HTTP/1.1", "HOST: 239.255.255.250:1900", 'MAN: "ssdp:discover"']
    if mx is not None:
        lines.append(f"MX: {mx}")
    return "\r\n".join([*lines, f"ST: {target}", "", ""]).encode("ascii")


NUMBER = StateVariable("Number", "ui4", evented=True, default="0", moderation=2.0)
CHANGES = StateVariable("Changes", evented=True, default="", moderation=0.2)
STATE = StateVariable("State", evented=True, default="idle")
QUIET = StateVariable("Quiet", default="never told")


def counter_service(name: str = "Counter") -> Service:
    """A service with a slow, a fast and an unmoderated evented variable, and one that is none."""
    return Service(
        name=name,
        service_type=f"urn:example-org:service:{name}:1",
        service_id=f"urn:example-org:serviceId:{name}",
        actions={},
        variables=[NUMBER, CHANGES, STATE, QUIET],
    )
