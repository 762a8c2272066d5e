"""UDP sockets with what SSDP needs of them, per address family and per interface.

The structures are those of ``ip(7)`` and ``ipv6(7)``. Other systems than Linux get by with less:
the kernel does not tell where a datagram came in, and replies leave from the sending socket.
"""

import errno
import random
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from mediaserver.upnp.interfaces import Address, Interface, unscoped

LINUX = sys.platform == "linux"
SEARCH_PORTS = (49152, 65535)
"""What SEARCHPORT may name (UDA 1.1 §1.2.2)."""

_IP_PKTINFO = 8
_IP_MULTICAST_ALL = 49
_IPV6_MULTICAST_ALL = 29
"""``linux/in.h``, ``linux/in6.h``; not in Python's socket module."""

Ancillary = tuple[int, int, bytes]
SocketAddress = tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True)
class Membership:
    """A group joined on an interface."""

    index: int
    group: Address


def receiving_socket(version: int, port: int) -> socket.socket:
    """A socket that hears the groups it joins, on a port shared with other programs. OSError."""
    return _shared_socket(version, ("", port))


def group_socket(interface: Interface, group: Address, port: int) -> socket.socket:
    """A socket that hears one group on one interface. OSError.

    It is bound to the group's address, and so takes no unicast datagram away from the program
    that serves the port.
    """
    sock = _shared_socket(interface.version, socket_address(group, port, interface))
    try:
        join(sock, Membership(interface.index, group), interface.address)
    except BaseException:
        sock.close()
        raise
    return sock


def _shared_socket(version: int, place: SocketAddress) -> socket.socket:
    sock = socket.socket(_family(version), socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if LINUX:
            # Without MULTICAST_ALL = 0 we would also hear the groups other programs joined.
            if version == 6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
                with suppress(OSError):  # not before Linux 4.20, which many a NAS has
                    sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MULTICAST_ALL, 0)
            else:
                sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
                sock.setsockopt(socket.IPPROTO_IP, _IP_MULTICAST_ALL, 0)
        sock.bind(place)
    except BaseException:
        sock.close()
        raise
    return sock


def sending_socket(
    interface: Interface, *, ttl: int, hop_limit: int, rng: random.Random
) -> socket.socket:
    """A socket whose multicasts leave through one interface, from its address. OSError."""
    sock = socket.socket(_family(interface.version), socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if interface.version == 6:
            level = socket.IPPROTO_IPV6
            sock.setsockopt(level, socket.IPV6_V6ONLY, 1)
            sock.setsockopt(level, socket.IPV6_MULTICAST_IF, interface.index)
            sock.setsockopt(level, socket.IPV6_MULTICAST_HOPS, hop_limit)
            sock.setsockopt(level, socket.IPV6_MULTICAST_LOOP, 1)
        else:
            level = socket.IPPROTO_IP
            source = interface.address.packed
            if LINUX:  # by index: two interfaces can have the same address
                choice = struct.pack("@4s4si", bytes(4), source, interface.index)
                sock.setsockopt(level, socket.IP_MULTICAST_IF, choice)
            else:
                sock.setsockopt(level, socket.IP_MULTICAST_IF, source)
            sock.setsockopt(level, socket.IP_MULTICAST_TTL, ttl)
            sock.setsockopt(level, socket.IP_MULTICAST_LOOP, 1)
        _bind(sock, interface, rng)
    except BaseException:
        sock.close()
        raise
    return sock


def join(sock: socket.socket, membership: Membership, own: Address) -> None:
    """Join a group; ``own`` is our address there. OSError; nothing if it is joined already."""
    request = _membership_request(membership, own)
    try:
        if membership.group.version == 6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, request)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise


def leave(sock: socket.socket, membership: Membership, own: Address) -> None:
    """Leave a group. OSError if the kernel left already, as the interface is gone."""
    request = _membership_request(membership, own)
    if membership.group.version == 6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_LEAVE_GROUP, request)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_DROP_MEMBERSHIP, request)


def socket_address(address: Address, port: int, interface: Interface) -> SocketAddress:
    """For ``sendto``; link-local and multicast addresses of IPv6 with the interface's scope."""
    if isinstance(address, IPv4Address):
        return str(address), port
    scoped = address.is_link_local or address.is_multicast
    return str(unscoped(address)), port, 0, interface.index if scoped else 0


def packet_info(interface: Interface) -> Ancillary:
    """Ancillary data that sets source address and interface of one datagram (Linux)."""
    packed = interface.address.packed
    if interface.version == 6:
        info = struct.pack("@16sI", packed, interface.index)
        return socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, info
    info = struct.pack("@i4s4s", interface.index, packed, bytes(4))
    return socket.IPPROTO_IP, _IP_PKTINFO, info


def read_packet_info(ancillary: Iterable[Ancillary]) -> tuple[int | None, Address | None]:
    """Index of the interface and destination address of a datagram; None where not told."""
    for level, kind, data in ancillary:
        if LINUX and (level, kind) == (socket.IPPROTO_IP, _IP_PKTINFO):
            index, _, destination = struct.unpack_from("@i4s4s", data)
            return index, IPv4Address(destination)
        if LINUX and (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_PKTINFO):
            destination, index = struct.unpack_from("@16sI", data)
            return index, IPv6Address(destination)
    return None, None


def _bind(sock: socket.socket, interface: Interface, rng: random.Random) -> None:
    """Take a port that SEARCHPORT may name, or any if a few of those are taken."""
    for _ in range(8):
        port = rng.randint(*SEARCH_PORTS)
        try:
            sock.bind(socket_address(interface.address, port, interface))
            return
        except OSError as error:
            if error.errno not in (errno.EADDRINUSE, errno.EACCES):
                raise
    sock.bind(socket_address(interface.address, 0, interface))


def _membership_request(membership: Membership, own: Address) -> bytes:
    packed = membership.group.packed
    if membership.group.version == 6:
        return struct.pack("@16sI", packed, membership.index)
    if LINUX:
        return struct.pack("@4s4si", packed, own.packed, membership.index)
    return packed + own.packed


def _family(version: int) -> socket.AddressFamily:
    return socket.AF_INET6 if version == 6 else socket.AF_INET
