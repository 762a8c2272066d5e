"""The sockets of SSDP: one that hears port 1900 per address family, one that speaks per interface.

Which interface a datagram came in on is asked of the kernel (``IP_PKTINFO``); where it cannot
tell (not Linux), the network the sender's address belongs to decides.
"""

import asyncio
import errno
import logging
import random
import socket
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Protocol

from mediaserver.upnp import sockets
from mediaserver.upnp.interfaces import Address, Interface, unscoped
from mediaserver.upnp.sockets import Ancillary, Membership
from mediaserver.upnp.ssdp import MAX_MESSAGE, PORT

logger = logging.getLogger(__name__)

GROUP = IPv4Address("239.255.255.250")
LINK_LOCAL_GROUP = IPv6Address("ff02::c")
SITE_LOCAL_GROUP = IPv6Address("ff05::c")
GLOBAL_GROUP = IPv6Address("ff0e::c")
"""Only listened to: GUPnP searches there (recorded), nobody announces there."""

TTL = 4
"""UDA 1.0 §1: 4 and configurable, UDA 1.1 §1: 2. We announce UPnP/1.0, as all our peers do."""
HOP_LIMIT = 10
"""For the site-local group (UDA 2.0 Annex A)."""

_READ_AT_ONCE = 8
"""Datagrams before everybody else has a turn: a flood of them must not delay answers by HTTP."""
_GONE = {
    errno.EADDRNOTAVAIL,
    errno.EHOSTUNREACH,
    errno.EINVAL,
    errno.ENETDOWN,
    errno.ENETUNREACH,
    errno.ENODEV,
}
"""Sending says so when the address or its interface went a moment ago."""


@dataclass(frozen=True)
class Datagram:
    """A message from a neighbour, and where it came in."""

    data: bytes
    source: Address
    port: int
    interface: Interface
    multicast: bool


class Network(Protocol):
    """What discovery needs of the network; ``MulticastNetwork`` is the real one."""

    def open(self, receive: Callable[[Datagram], None]) -> None: ...
    def use(self, interfaces: Sequence[Interface]) -> None: ...
    def rejoin(self) -> None: ...
    def multicast(self, interface: Interface, data: bytes) -> None: ...
    def reply(self, interface: Interface, data: bytes, to: Address, port: int) -> None: ...
    def search_port(self, interface: Interface) -> int | None: ...
    def is_own(self, source: Address, port: int) -> bool: ...
    def close(self) -> None: ...


def group(interface: Interface) -> Address:
    """The multicast group to announce in; each scope of IPv6 is a network of its own.

    Link-local addresses mean something on their link only, others are told to the site
    (UDA 2.0 Annex A).
    """
    address = interface.address
    if isinstance(address, IPv4Address):
        return GROUP
    if address.is_link_local or address.is_loopback:
        return LINK_LOCAL_GROUP
    return SITE_LOCAL_GROUP


def host(interface: Interface) -> str:
    """HOST of what is sent to the group of an interface, spelled as in UDA 2.0 Annex A."""
    address = group(interface)
    return f"[{str(address).upper()}]:{PORT}" if address.version == 6 else f"{address}:{PORT}"


def arrival(
    interfaces: Sequence[Interface],
    *,
    source: Address,
    index: int | None = None,
    destination: Address | None = None,
) -> Interface | None:
    """The interface whose address answers a datagram; None if it must not be answered.

    Only neighbours are answered: any other source may be forged, and would be flooded by what it
    never asked for. ``index`` and ``destination`` are what the kernel says of the datagram, None
    if it does not.
    """
    source = unscoped(source)
    here = [interface for interface in interfaces if index in (None, interface.index)]
    near = [interface for interface in here if interface.holds(source)]
    if destination is None or destination.is_multicast:
        return near[0] if near else None
    # Our own host reaches all our addresses through loopback, whatever the index says.
    ourselves = any(interface.address == source for interface in interfaces)
    if not near and not ourselves:
        return None
    addressed = (known for known in (*here, *interfaces) if known.address == destination)
    return next(addressed, None)


class MulticastNetwork:
    """SSDP's sockets on the running event loop. Errors of the network are logged, not raised.

    The receiving socket shares port 1900 with other programs. If that is refused (a program that
    does not share), announcements go on, SEARCHPORT tells where unicast searches are heard
    meanwhile (UDA 1.1 §1.2.2), and ``rejoin`` tries again.
    """

    def __init__(
        self,
        *,
        port: int = PORT,
        ttl: int = TTL,
        hop_limit: int = HOP_LIMIT,
        rng: random.Random | None = None,
    ) -> None:
        self._port = port
        self._ttl = ttl
        self._hop_limit = hop_limit
        self._random = rng or random.Random()  # noqa: S311 - spreads port numbers, no secret
        self._receive: Callable[[Datagram], None] | None = None
        self._interfaces: tuple[Interface, ...] = ()
        self._receivers: dict[int, socket.socket] = {}
        self._memberships: dict[Membership, Address] = {}
        self._senders: dict[Interface, socket.socket] = {}
        self._complaints: set[tuple[object, ...]] = set()

    def open(self, receive: Callable[[Datagram], None]) -> None:
        """Hand every datagram of a neighbour to ``receive`` from now on."""
        self._receive = receive

    def use(self, interfaces: Sequence[Interface]) -> None:
        """Speak and listen on these interfaces and no others."""
        self._interfaces = tuple(interfaces)
        self._complaints.clear()
        for interface in [known for known in self._senders if known not in interfaces]:
            self._shut(self._senders.pop(interface))
        wanted = self._wanted_memberships()
        self._leave([known for known in self._memberships if known not in wanted])
        self._complete()

    def rejoin(self) -> None:
        """Leave the groups and join again, so that switches hear a fresh membership report.

        A switch with IGMP snooping but no querier forgets members after some minutes, and then
        no search reaches us any more. Whatever could not be opened is tried again, too.
        """
        self._leave(list(self._memberships))
        self._complete()

    def multicast(self, interface: Interface, data: bytes) -> None:
        """Send to the group of the interface."""
        self._send(interface, data, group(interface), self._port)

    def reply(self, interface: Interface, data: bytes, to: Address, port: int) -> None:
        """Send to one control point, from port 1900 and the interface's address.

        From port 1900 because stateful firewalls of control points expect it of unicast searches.
        """
        receiver = self._receivers.get(interface.version)
        if interface in self._interfaces and receiver is not None and sockets.LINUX:
            place = sockets.socket_address(to, port, interface)
            try:
                receiver.sendmsg([data], [sockets.packet_info(interface)], 0, place)
                return
            except OSError as error:
                logger.debug("reply from port %d failed: %s", self._port, error)
        self._send(interface, data, to, port)

    def search_port(self, interface: Interface) -> int | None:
        """The port for SEARCHPORT; None while port 1900 is heard, or if there is none."""
        sender = self._senders.get(interface)
        if sender is None or interface.version in self._receivers:
            return None
        port: int = sender.getsockname()[1]
        return port if port >= sockets.SEARCH_PORTS[0] else None

    def is_own(self, source: Address, port: int) -> bool:
        """Whether a datagram from there is one of ours, looped back."""
        source = unscoped(source)
        return any(
            interface.address == source and port == sender.getsockname()[1]
            for interface, sender in self._senders.items()
        )

    def close(self) -> None:
        for sock in (*self._receivers.values(), *self._senders.values()):
            self._shut(sock)
        self._receivers.clear()
        self._senders.clear()
        self._memberships.clear()
        self._interfaces = ()

    def _wanted_memberships(self) -> dict[Membership, Address]:
        """Each with our address there."""
        wanted: dict[Membership, Address] = {}
        for interface in self._interfaces:
            groups: tuple[Address, ...] = (GROUP,)
            if interface.version == 6:
                groups = (LINK_LOCAL_GROUP, SITE_LOCAL_GROUP, GLOBAL_GROUP)
            for address in groups:
                wanted.setdefault(Membership(interface.index, address), interface.address)
        return wanted

    def _complete(self) -> None:
        """Open and join whatever is missing."""
        for version in sorted({interface.version for interface in self._interfaces}):
            if version not in self._receivers:
                try:
                    receiver = sockets.receiving_socket(version, self._port)
                except OSError as error:
                    self._complain("cannot listen on UDP port %d: %s", self._port, error)
                else:
                    self._receivers[version] = receiver
                    self._read_from(receiver, None)
        for membership, own in self._wanted_memberships().items():
            self._join(membership, own)
        for interface in self._interfaces:
            if interface not in self._senders:
                try:
                    sender = sockets.sending_socket(
                        interface, ttl=self._ttl, hop_limit=self._hop_limit, rng=self._random
                    )
                except OSError as error:
                    self._complain("cannot send from %s: %s", interface.address, error)
                else:
                    self._senders[interface] = sender
                    self._read_from(sender, interface)

    def _join(self, membership: Membership, own: Address) -> None:
        receiver = self._receivers.get(membership.group.version)
        if receiver is None or membership in self._memberships:
            return
        try:
            sockets.join(receiver, membership, own)
        except OSError as error:
            # ENOBUFS beyond 20 interfaces: sysctl net.ipv4.igmp_max_memberships
            self._complain(
                "cannot join %s on interface %d: %s", membership.group, membership.index, error
            )
        else:
            self._memberships[membership] = own

    def _leave(self, memberships: Iterable[Membership]) -> None:
        for membership in memberships:
            own = self._memberships.pop(membership)
            try:
                sockets.leave(self._receivers[membership.group.version], membership, own)
            except OSError as error:  # the kernel left already, as the interface is gone
                logger.debug("leaving %s: %s", membership, error)

    def _read_from(self, sock: socket.socket, interface: Interface | None) -> None:
        asyncio.get_running_loop().add_reader(sock.fileno(), self._readable, sock, interface)

    def _readable(self, sock: socket.socket, interface: Interface | None) -> None:
        for _ in range(_READ_AT_ONCE):
            ancillary: Sequence[Ancillary] = ()
            try:
                if sockets.LINUX:
                    data, ancillary, _, sender = sock.recvmsg(MAX_MESSAGE + 1, 256)
                else:
                    data, sender = sock.recvfrom(MAX_MESSAGE + 1)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # an ICMP error about something we sent
                logger.debug("receiving: %s", error)
                continue
            try:
                self._arrived(interface, data, ancillary, str(sender[0]), sender[1])
            except Exception:
                # Whatever one datagram does, the next must be heard.
                logger.exception("a datagram could not be handled")

    def _arrived(
        self,
        interface: Interface | None,
        data: bytes,
        ancillary: Sequence[Ancillary],
        sender: str,
        port: int,
    ) -> None:
        if len(data) > MAX_MESSAGE or self._receive is None:
            return
        source = unscoped(ip_address(sender))
        if interface is not None:  # on its own socket: a unicast search to SEARCHPORT
            if interface.holds(source):
                self._receive(Datagram(data, source, port, interface, multicast=False))
            return
        index, destination = sockets.read_packet_info(ancillary)
        found = arrival(self._interfaces, source=source, index=index, destination=destination)
        if found is not None:
            multicast = destination is None or destination.is_multicast
            self._receive(Datagram(data, source, port, found, multicast))

    def _send(self, interface: Interface, data: bytes, to: Address, port: int) -> None:
        sender = self._senders.get(interface)
        if sender is None:
            return
        try:
            sender.sendto(data, sockets.socket_address(to, port, interface))
        except OSError as error:
            if error.errno in _GONE:
                logger.debug("sending on %s: %s", interface.name, error)
            else:
                self._complain("sending on %s: %s", interface.name, error)

    def _complain(self, message: str, *facts: object) -> None:
        """Log a warning the first time, and at debug when it repeats."""
        key = (message, *(getattr(fact, "errno", fact) for fact in facts))
        level = logging.DEBUG if key in self._complaints else logging.WARNING
        self._complaints.add(key)
        logger.log(level, message, *facts)

    def _shut(self, sock: socket.socket) -> None:
        asyncio.get_running_loop().remove_reader(sock.fileno())
        sock.close()
