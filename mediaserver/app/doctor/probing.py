"""Searching like a control point, and listening, on the interfaces that the server would use.

Nothing is announced, and nothing is taken from a server that runs: the sockets that listen are
bound to the multicast group alone.
"""

import asyncio
import contextlib
import errno
import random
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address

from mediaserver.upnp import multicast, sockets, ssdp
from mediaserver.upnp.interfaces import Address, Interface, unscoped
from mediaserver.upnp.ssdp import Response

MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"
SECONDS = 3.0
"""How long answers are waited for."""
MX = 1
"""Seconds. What is asked for answers within them, the network's delay added."""
REPEAT_SECONDS = 0.7
"""Datagrams get lost; a search is sent twice (UDA 1.1 §1.3.2)."""
MAX_ANSWERS = 256
"""On an interface; a house has fewer devices."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to one of our searches."""

    response: Response
    source: Address


@dataclass(slots=True)
class Probe:
    """What came of searching and listening on one interface."""

    interface: Interface
    error: str | None = None
    """Why nothing could be sent."""
    forbidden: bool = False
    """A packet filter on this machine was why."""
    listening_error: str | None = None
    """Why nothing could be heard on the port of SSDP."""
    multicast: list[Answer] = field(default_factory=list)
    unicast: list[Answer] = field(default_factory=list)
    loop_heard: bool = False
    """Whether our own search came back from the group."""
    heard: list[Address] = field(default_factory=list)
    """Whose multicasts were heard, other than our own."""


async def probe(
    interfaces: Sequence[Interface],
    udn: str | None,
    *,
    seconds: float = SECONDS,
    port: int = ssdp.PORT,
) -> list[Probe]:
    """Search for ``udn`` (if known), media servers and devices, on all interfaces at a time."""
    own = frozenset(interface.address for interface in interfaces)
    return list(await asyncio.gather(*(_on(each, udn, own, seconds, port) for each in interfaces)))


async def _on(
    interface: Interface, udn: str | None, own: frozenset[Address], seconds: float, port: int
) -> Probe:
    found = Probe(interface)
    with contextlib.ExitStack() as sockets_open:
        try:
            by_multicast = sockets_open.enter_context(_sender(interface))
            by_unicast = sockets_open.enter_context(_sender(interface))
        except OSError as error:
            found.error = error.strerror or str(error)
            return found
        sockets_open.enter_context(_reading(by_multicast, interface, found.multicast))
        sockets_open.enter_context(_reading(by_unicast, interface, found.unicast))
        try:
            listener = sockets_open.enter_context(
                sockets.group_socket(interface, multicast.group(interface), port)
            )
        except OSError as error:
            found.listening_error = error.strerror or str(error)
        else:
            ours = by_multicast.getsockname()[1]
            sockets_open.enter_context(_listening(listener, found, own, ours))
        for _ in range(2):
            _search(found, by_multicast, by_unicast, udn, port)
            await asyncio.sleep(min(REPEAT_SECONDS, seconds / 2))
        await asyncio.sleep(max(0.0, seconds - 2 * REPEAT_SECONDS))
    return found


def _sender(interface: Interface) -> socket.socket:
    return sockets.sending_socket(
        interface,
        ttl=multicast.TTL,
        hop_limit=multicast.HOP_LIMIT,
        rng=random.Random(),  # noqa: S311 - spreads port numbers, no secret
    )


def _search(
    found: Probe,
    by_multicast: socket.socket,
    by_unicast: socket.socket,
    udn: str | None,
    port: int,
) -> None:
    interface = found.interface
    group = sockets.socket_address(multicast.group(interface), port, interface)
    for target in (*([udn] if udn else []), MEDIA_SERVER, ssdp.ROOT_DEVICE):
        message = ssdp.search(target, host=multicast.host(interface), mx=MX)
        try:
            by_multicast.sendto(message, group)
        except OSError as error:
            found.error = error.strerror or str(error)
            # Addresses that are wrong have other errors (send(2)); this one is netfilter's.
            found.forbidden = error.errno == errno.EPERM
    if udn:
        here = sockets.socket_address(interface.address, port, interface)
        with contextlib.suppress(OSError):  # an ICMP error: nobody listens, which shows by itself
            by_unicast.sendto(ssdp.search(udn, host=interface.host(port), mx=None), here)


@contextlib.contextmanager
def _reading(sock: socket.socket, interface: Interface, answers: list[Answer]) -> Iterator[None]:
    """Collect the answers of neighbours to searches sent from a socket."""

    def read() -> None:
        for data, source, _port in _received(sock):
            response = ssdp.read_response(data)
            if response is None or not interface.holds(source):
                continue
            answer = Answer(response, source)
            if answer not in answers and len(answers) < MAX_ANSWERS:
                answers.append(answer)

    with _watched(sock, read):
        yield


@contextlib.contextmanager
def _listening(
    sock: socket.socket, found: Probe, own: frozenset[Address], our_port: int
) -> Iterator[None]:
    """Note who is heard in the group."""

    def read() -> None:
        for _data, source, port in _received(sock):
            if source == found.interface.address and port == our_port:
                found.loop_heard = True
            elif source not in own and source not in found.heard:
                found.heard.append(source)

    with _watched(sock, read):
        yield


@contextlib.contextmanager
def _watched(sock: socket.socket, read: Callable[[], None]) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    loop.add_reader(sock.fileno(), read)
    try:
        yield
    finally:
        loop.remove_reader(sock.fileno())


def _received(sock: socket.socket) -> Iterator[tuple[bytes, Address, int]]:
    """All that has arrived: the data, and where it came from."""
    while True:
        try:
            data, sender = sock.recvfrom(ssdp.MAX_MESSAGE + 1)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:  # an ICMP error about something we sent
            continue
        yield data, unscoped(ip_address(str(sender[0]))), int(sender[1])
