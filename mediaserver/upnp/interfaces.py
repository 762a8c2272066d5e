"""The network interfaces we serve: which there are, who is on their links, when they change.

Addresses are ``ipaddress`` values of either family. One ``Interface`` is one address on one
network interface, because LOCATION differs with the address (UDA 1.1 §1.2.2).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from pathlib import Path

import ifaddr

logger = logging.getLogger(__name__)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UP = 0x1
RUNNING = 0x40
LOOPBACK = 0x8
MULTICAST = 0x1000
"""Interface flags of Linux (``linux/if.h``)."""

_TEMPORARY, _FAILED, _DEPRECATED, _TENTATIVE = 0x01, 0x08, 0x20, 0x40
"""Flags of an IPv6 address (``linux/if_addr.h``)."""

NETWORK_CLASS = Path("/sys/class/net")
"""Where Linux tells of network interfaces (sysfs-class-net)."""

POLL_SECONDS = 5.0


@dataclass(frozen=True)
class Interface:
    """An address on a network interface."""

    name: str
    index: int
    address: Address
    """Without scope id; ``index`` is the scope of a link-local address."""
    prefix_length: int
    running: bool = field(default=True, compare=False)
    """Whether it has a carrier. The same interface with and without one is equal."""

    @cached_property
    def network(self) -> Network:
        """Made once: every datagram is compared with it."""
        if isinstance(self.address, IPv4Address):
            return IPv4Network((self.address, self.prefix_length), strict=False)
        return IPv6Network((self.address, self.prefix_length), strict=False)

    @property
    def version(self) -> int:
        """4 or 6."""
        return self.address.version

    @property
    def scope_id(self) -> int:
        """What a socket needs beside a link-local IPv6 address: the index; 0 for any other."""
        link_local = self.version == 6 and self.address.is_link_local
        return self.index if link_local else 0

    def host(self, port: int) -> str:
        """Address and port as they stand in a URL; IPv6 in brackets, never with a zone id."""
        return f"[{self.address}]:{port}" if self.version == 6 else f"{self.address}:{port}"

    def holds(self, address: Address) -> bool:
        """Whether ``address`` is a neighbour on this link, or this interface itself.

        A prefix of length 0 (some PPP links) is no statement about who is near.
        """
        return (
            address.version == self.version
            and self.prefix_length > 0
            and unscoped(address) in self.network
        )


@dataclass(frozen=True)
class Change:
    """What a look at the interfaces brought."""

    interfaces: tuple[Interface, ...]
    """All there are now."""
    added: tuple[Interface, ...]
    removed: tuple[Interface, ...]
    resumed: tuple[Interface, ...]
    """Those that stayed and have their carrier back."""


def unscoped(address: Address) -> Address:
    """The address without scope id, and IPv4 in its own form if it came mapped into IPv6."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.scope_id is not None:
            return IPv6Address(int(address))
    return address


def on_link(address: Address, interfaces: Iterable[Interface]) -> bool:
    """Whether ``address`` is on a network that one of ``interfaces`` is attached to."""
    return any(interface.holds(unscoped(address)) for interface in interfaces)


def announced(interfaces: Sequence[Interface]) -> tuple[Interface, ...]:
    """Those whose addresses are told to everybody; the others only to who asks from such a one.

    A link-local IPv6 address is left out beside any other on the same network interface. It is
    of no use without a zone, which a LOCATION must not have (UDA 2.0 Annex A.2.3): of the control
    points that take part in IPv6 half cannot fetch ``http://[fe80::1]/`` (libupnp's and so MPD's,
    curl's, browsers' HTTP), complain, and list us twice or, the last LOCATION being the one that
    counts, not at all. Those that can do it search from a link-local address themselves, and are
    answered with ours. Annex A binds devices of UDA 1.1 and later; we are one of 1.0, which need
    no IPv6.
    """
    routable = {each.index for each in interfaces if not each.scope_id}
    return tuple(each for each in interfaces if not (each.scope_id and each.index in routable))


def read_flags(name: str) -> int | None:
    """Flags of a network interface (``linux/if.h``); None where the system does not tell."""
    # "eth0:1" is a label of an address on eth0, not an interface.
    folder = NETWORK_CLASS / name.partition(":")[0]
    try:
        flags = int((folder / "flags").read_text("ascii"), 16)
    except (OSError, ValueError):
        return None
    try:
        carrier = (folder / "carrier").read_text("ascii").strip() != "0"
    except OSError:  # the interface is down
        carrier = False
    return flags | RUNNING if carrier else flags & ~RUNNING


def read_unfit() -> frozenset[IPv6Address]:
    """IPv6 addresses not to be given to others: temporary, deprecated, not (yet) unique.

    RFC 8981 §3 and RFC 4862 §5.4, §5.5.4, as ``/proc/net/if_inet6`` tells; empty elsewhere.
    """
    unfit = _TEMPORARY | _FAILED | _DEPRECATED | _TENTATIVE
    found = set()
    try:
        for line in Path("/proc/net/if_inet6").read_text("ascii").splitlines():
            address, _index, _prefix_length, _scope, flags, _name = line.split()
            if int(flags, 16) & unfit:
                found.add(IPv6Address(bytes.fromhex(address)))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(found)


def is_port(name: str, root: Path = NETWORK_CLASS) -> bool:
    """Whether an interface is a port of a bridge: what arrives there arrives at the bridge.

    Container engines make one for each container, and take it away again.
    """
    return (root / name.partition(":")[0] / "brport").exists()


def is_inner(name: str, root: Path = NETWORK_CLASS) -> bool:
    """Whether an interface leads to containers or virtual machines of this host alone.

    That is a bridge without a port that leads out: no hardware, and nothing on top of any (bond,
    VLAN). ``docker0`` and ``virbr0`` are such ones.
    """
    ports = root / name.partition(":")[0] / "brif"
    if not ports.is_dir():
        return False
    return not any(_leads_out(root / port.name) for port in ports.iterdir())


def _leads_out(folder: Path) -> bool:
    return (folder / "device").exists() or any(folder.glob("lower_*"))


def current(
    wanted: Sequence[str] = (),
    *,
    ipv6: bool = True,
    adapters: Callable[[], Iterable[ifaddr.Adapter]] = ifaddr.get_adapters,
    flags: Callable[[str], int | None] = read_flags,
    port: Callable[[str], bool] = is_port,
    unfit: Callable[[], frozenset[IPv6Address]] = read_unfit,
) -> tuple[Interface, ...]:
    """The interfaces to serve, in the system's order. OSError if the system cannot tell.

    ``wanted`` holds names (``eth0``, ``lo``) or addresses; empty: every interface that is up
    and can multicast; loopback and ports of bridges are left out. Auto-IP addresses (169.254/16)
    are as good as others. Of several addresses in one network the first stands for all: one
    LOCATION per interface (UDA 1.1 §1.2.2).
    """
    unfit_addresses = unfit() if ipv6 else frozenset()
    found: dict[tuple[int, Network], Interface] = {}
    for adapter in adapters():
        for ip in adapter.ips:
            address = ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
            bits = flags(ip.nice_name)
            if address.is_unspecified or address.is_multicast or address in unfit_addresses:
                continue
            if address.version == 6 and not ipv6:
                continue
            if bits is not None and not bits & UP:
                continue
            if wanted:
                if ip.nice_name not in wanted and not _names(wanted, address):
                    continue
            elif (
                address.is_loopback
                or (bits is not None and (bits & LOOPBACK or not bits & MULTICAST))
                or port(ip.nice_name)
            ):
                continue
            interface = Interface(
                name=ip.nice_name,
                index=adapter.index or 0,
                address=address,
                prefix_length=ip.network_prefix,
                running=bits is None or bool(bits & RUNNING),
            )
            found.setdefault((interface.index, interface.network), interface)
    return tuple(found.values())


async def watch(
    look: Callable[[], Sequence[Interface]],
    report: Callable[[Change], Awaitable[Iterable[Interface]]],
    *,
    known: Sequence[Interface] = (),
    every: float = POLL_SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Look at the interfaces every few seconds and report what changed; runs until cancelled.

    ``known`` is the state already acted upon. ``report`` gives the interfaces that are served
    now: one that could not be is reported as added again, the next time. A look that fails
    (OSError) is logged and counts as no change: interfaces that cannot be seen have not gone away.
    """
    before = tuple(known)
    failing = False
    while True:
        await sleep(every)
        try:
            now = tuple(look())
        except OSError as error:
            if not failing:
                logger.warning("network interfaces cannot be read error=%s", error)
            failing = True
            continue
        failing = False
        change = compare(before, now)
        before = now
        if change.added or change.removed or change.resumed:
            before = tuple(await report(change))


def compare(before: Sequence[Interface], now: Sequence[Interface]) -> Change:
    down = {interface for interface in before if not interface.running}
    return Change(
        interfaces=tuple(now),
        added=tuple(interface for interface in now if interface not in before),
        removed=tuple(interface for interface in before if interface not in now),
        resumed=tuple(interface for interface in now if interface.running and interface in down),
    )


def _names(wanted: Sequence[str], address: Address) -> bool:
    for text in wanted:
        try:
            if ip_address(text.partition("%")[0]) == address:
                return True
        except ValueError:
            continue
    return False
