"""Checks of the machine itself: clock, host name, container."""

import ipaddress
import time
from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.app.doctor.findings import Check, Finding, failure, ok, warning
from mediaserver.upnp.interfaces import Address, Interface

EARLIEST = 1_735_689_600.0
"""2025-01-01: this program is younger."""
BACK_SECONDS = 3600.0
"""Behind what was written before; less may be a change of time servers."""

CONTAINER_POOLS = tuple(
    ipaddress.IPv4Network(text) for text in ("172.16.0.0/12", "192.168.0.0/16", "10.88.0.0/15")
)
"""Out of these Docker makes its networks (/16, and /20 of the second), and Podman (/16, /24)."""
_POOL_LENGTHS = ((16,), (20,), (16, 24))
DOCKER_NETWORK = ipaddress.IPv4Network("172.17.0.0/16")
"""The network ``docker run`` uses unless told otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFacts:
    inside: bool
    """Whether something says that this is a container."""
    interfaces: Sequence[Interface]
    gateway: Address | None
    """Of the default route (IPv4)."""


def clock(now: float, written: float | None) -> Finding:
    """``now`` and when the identity was last written, in Unix time."""
    shown = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
    remedy = "set the clock: `timedatectl set-ntp true`"
    if now < EARLIEST:
        return warning(Check.CLOCK, f"the clock says {shown}", remedy)
    if written is not None and now < written - BACK_SECONDS:
        return warning(
            Check.CLOCK, f"the clock says {shown}, earlier than the server's last start", remedy
        )
    return ok(Check.CLOCK, shown)


def host_name(hostname: str, friendly_name: str) -> Finding:
    """``friendly_name``: what televisions show."""
    plain = hostname.partition(".")[0].lower()
    if plain in ("", "localhost", "(none)") and plain in friendly_name.lower():
        return warning(
            Check.HOST_NAME,
            f'this machine has no name of its own; televisions show "{friendly_name}"',
            "set server.name (or --name), or name the machine: `hostnamectl set-hostname NAME`",
        )
    return ok(Check.HOST_NAME, f'look for "{friendly_name}" on the television')


def container(facts: ContainerFacts) -> Finding:
    """A container's own network carries no multicast to or from the outside."""
    for interface in facts.interfaces:
        if _is_bridged(interface, facts):
            return failure(
                Check.CONTAINER,
                f"in a container with a network of its own ({interface.address} on "
                f"{interface.name}): no television's search gets in here",
                'start the container with "--network host" (in Compose: network_mode: host)',
            )
    if facts.inside:
        return ok(Check.CONTAINER, "in a container, on the network of its host")
    return ok(Check.CONTAINER, "not in a container")


def _is_bridged(interface: Interface, facts: ContainerFacts) -> bool:
    """Whether an interface looks as container engines make them.

    The gateway is the engine's bridge, the first address of a network cut from its pools. Home
    networks are not cut like that, and where nothing else says "container", the name and network
    must be Docker's very own.
    """
    network = interface.network
    if not isinstance(network, ipaddress.IPv4Network) or not interface.name.startswith("eth"):
        return False
    if facts.gateway != network.network_address + 1 or interface.address == facts.gateway:
        return False
    if not facts.inside:
        return network == DOCKER_NETWORK
    return any(
        network.prefixlen in lengths and network.subnet_of(pool)
        for pool, lengths in zip(CONTAINER_POOLS, _POOL_LENGTHS, strict=True)
    )
