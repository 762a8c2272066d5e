"""Which interfaces there are, who is near, what changed."""

import asyncio
from collections.abc import Iterable, Sequence
from ipaddress import IPv6Address, ip_address
from pathlib import Path

import ifaddr
import pytest

from mediaserver.upnp import interfaces
from mediaserver.upnp.interfaces import (
    LOOPBACK,
    MULTICAST,
    RUNNING,
    UP,
    Change,
    Interface,
    announced,
    compare,
    current,
    on_link,
    unscoped,
    watch,
)
from tests.upnp.fakes import FakeClock, settle

ETHERNET = UP | RUNNING | MULTICAST

Row = tuple[str, int, str, int]
"""Name, index, address, prefix length."""


def adapters(*rows: Row) -> list[ifaddr.Adapter]:
    found = []
    for name, index, address, prefix_length in rows:
        ip: str | tuple[str, int, int] = address if "." in address else (address, 0, index)
        found.append(ifaddr.Adapter(name, name, [ifaddr.IP(ip, prefix_length, name)], index))
    return found


def look(
    *rows: Row,
    wanted: Sequence[str] = (),
    flags: dict[str, int | None] | None = None,
    unfit: Iterable[str] = (),
    ports: Sequence[str] = (),
    ipv6: bool = True,
) -> list[str]:
    """The addresses that are served of a system with these."""
    known = {"lo": UP | RUNNING | LOOPBACK, **(flags or {})}
    found = current(
        wanted,
        ipv6=ipv6,
        adapters=lambda: adapters(*rows),
        flags=lambda name: known.get(name, ETHERNET),
        port=lambda name: name in ports,
        unfit=lambda: frozenset(map(IPv6Address, unfit)),
    )
    return [str(interface.address) for interface in found]


def interface(
    address: str,
    prefix_length: int = 24,
    *,
    name: str = "eth0",
    index: int = 2,
    running: bool = True,
) -> Interface:
    return Interface(name, index, ip_address(address), prefix_length, running)


LO: Row = ("lo", 1, "127.0.0.1", 8)
ETH0: Row = ("eth0", 2, "192.0.2.5", 24)
ETH1: Row = ("eth1", 3, "198.51.100.5", 24)


def test_every_multicast_interface_that_is_up_is_served_loopback_left_out() -> None:
    assert look(LO, ETH0, ETH1) == ["192.0.2.5", "198.51.100.5"]


def test_an_interface_that_is_down_or_cannot_multicast_is_not_served() -> None:
    assert look(ETH0, ETH1, flags={"eth0": MULTICAST, "eth1": UP | RUNNING}) == []


def test_an_interface_whose_flags_are_not_told_is_served() -> None:
    assert look(ETH0, flags={"eth0": None}) == ["192.0.2.5"]


@pytest.mark.parametrize("wanted", ["eth1", "198.51.100.5"])
def test_named_interfaces_are_the_only_ones_served(wanted: str) -> None:
    assert look(LO, ETH0, ETH1, wanted=[wanted]) == ["198.51.100.5"]


@pytest.mark.parametrize("wanted", ["lo", "127.0.0.1"])
def test_loopback_is_served_if_it_is_named(wanted: str) -> None:
    assert look(LO, ETH0, wanted=[wanted]) == ["127.0.0.1"]


def test_a_named_address_of_ipv6_may_have_a_zone() -> None:
    assert look(("eth0", 2, "fe80::5", 64), wanted=["FE80::5%eth0"]) == ["fe80::5"]


def test_addresses_of_auto_ip_are_served() -> None:
    assert look(("eth0", 2, "169.254.7.1", 16)) == ["169.254.7.1"]


def test_of_several_addresses_in_one_network_the_first_is_served() -> None:
    # One LOCATION for a root device on an interface (UDA 1.1 §1.2.2).
    second: Row = ("eth0", 2, "192.0.2.6", 24)
    other_network: Row = ("eth0", 2, "203.0.113.6", 24)
    assert look(ETH0, second, other_network) == ["192.0.2.5", "203.0.113.6"]


def test_two_interfaces_in_one_network_are_both_served() -> None:
    assert look(ETH0, ("wlan0", 3, "192.0.2.6", 24)) == ["192.0.2.5", "192.0.2.6"]


def test_ipv6_is_left_out_if_told_so() -> None:
    assert look(ETH0, ("eth0", 2, "2001:db8::5", 64), ipv6=False) == ["192.0.2.5"]


def test_temporary_and_deprecated_addresses_of_ipv6_are_not_served() -> None:
    rows: list[Row] = [("eth0", 2, "2001:db8::5", 64), ("eth0", 2, "2001:db8::bad", 64)]
    assert look(*reversed(rows), unfit=["2001:db8::bad"]) == ["2001:db8::5"]


def test_the_port_of_a_bridge_is_served_only_if_it_is_named() -> None:
    """What comes in there comes in at the bridge; each container has one."""
    bridge: Row = ("docker0", 3, "172.17.0.1", 16)
    port: Row = ("veth1a2b3c4", 4, "fe80::5", 64)
    assert look(ETH0, bridge, port, ports=["veth1a2b3c4"]) == ["192.0.2.5", "172.17.0.1"]
    assert look(ETH0, port, ports=["veth1a2b3c4"], wanted=["veth1a2b3c4"]) == ["fe80::5"]


def sysfs(root: Path, **interfaces: Iterable[str]) -> Path:
    """Interfaces as Linux shows them, each with these entries (sysfs-class-net)."""
    for name, entries in interfaces.items():
        for entry in entries:
            (root / name / entry).mkdir(parents=True)
    return root


def test_ports_of_bridges_are_told_by_the_system(tmp_path: Path) -> None:
    root = sysfs(tmp_path, eth0=["device"], veth0=["brport"])
    assert [interfaces.is_port(name, root) for name in ("eth0", "veth0", "none0")] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("ports", "inner"),
    [
        ({}, True),
        ({"veth0": ["brport"], "vnet0": ["brport"]}, True),
        ({"veth0": ["brport"], "eth0": ["brport", "device"]}, False),
        ({"bond0": ["brport", "lower_eth0"]}, False),
    ],
)
def test_a_bridge_without_a_way_out_is_an_inner_one(
    ports: dict[str, list[str]], inner: bool, tmp_path: Path
) -> None:
    root = sysfs(tmp_path, br0=["brif", *(f"brif/{port}" for port in ports)], **ports)
    assert interfaces.is_inner("br0", root) is inner


def test_what_is_no_bridge_is_no_inner_one(tmp_path: Path) -> None:
    assert not interfaces.is_inner("eth0", sysfs(tmp_path, eth0=["queues"]))


def test_the_real_loopback_interface_is_found() -> None:
    found = current(["127.0.0.1"])
    assert [(each.name, str(each.address), each.running) for each in found] == [
        ("lo", "127.0.0.1", True)
    ]


def test_an_interface_that_does_not_exist_has_no_flags() -> None:
    assert interfaces.read_flags("nonesuch0") is None


# One interface


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("192.0.2.5", "192.0.2.5:8200"),
        ("2001:db8::5", "[2001:db8::5]:8200"),
        ("fe80::5", "[fe80::5]:8200"),
    ],
)
def test_an_address_stands_in_urls_as_rfc_3986_has_it(address: str, host: str) -> None:
    assert interface(address).host(8200) == host


@pytest.mark.parametrize(
    ("address", "scoped"),
    [("fe80::1", True), ("2001:db8::1", False), ("192.0.2.1", False), ("169.254.7.7", False)],
)
def test_a_link_local_ipv6_address_needs_its_interface(address: str, scoped: bool) -> None:
    """RFC 4007 §6: it means something on its link only; 169.254/16 is routed as any other."""
    known = interface(address)
    assert known.scope_id == (known.index if scoped else 0)
    assert known.index


@pytest.mark.parametrize(
    ("near", "expected"),
    [
        ("192.0.2.5", True),
        ("192.0.2.200", True),
        ("192.0.3.1", False),
        ("::ffff:192.0.2.9", True),
        ("2001:db8::1", False),
    ],
)
def test_neighbours_are_those_in_the_network(near: str, expected: bool) -> None:
    assert on_link(ip_address(near), [interface("192.0.2.5")]) is expected


def test_link_local_neighbours_are_known_without_their_zone() -> None:
    assert interface("fe80::5", 64).holds(ip_address("fe80::9%eth0"))


def test_a_network_of_length_zero_says_nothing_about_neighbours() -> None:
    assert not interface("192.0.2.5", 0).holds(ip_address("192.0.2.6"))


def test_an_address_loses_its_zone_and_its_mapping() -> None:
    assert unscoped(ip_address("fe80::1%eth0")) == ip_address("fe80::1")
    assert unscoped(ip_address("::ffff:192.0.2.1")) == ip_address("192.0.2.1")
    assert unscoped(ip_address("192.0.2.1")) == ip_address("192.0.2.1")


# Whose address is told to everybody


@pytest.mark.parametrize("other", ["192.0.2.5", "169.254.7.1", "2001:db8::5", "fd91::5"])
def test_a_link_local_ipv6_address_is_not_announced_beside_another(other: str) -> None:
    beside, alone = interface("fe80::5"), interface("fe80::5", name="eth1", index=3)
    assert announced([beside, interface(other), alone]) == (interface(other), alone)


def test_loopback_of_ipv6_is_announced_beside_that_of_ipv4() -> None:
    both = tuple(interface(address, name="lo", index=1) for address in ("127.0.0.1", "::1"))
    assert announced(both) == both


# Changes


def test_a_new_address_and_a_lost_one_are_told() -> None:
    old, stays, new = interface("192.0.2.5"), interface("10.0.0.1"), interface("192.0.2.6")
    assert compare([old, stays], [stays, new]) == Change(
        interfaces=(stays, new), added=(new,), removed=(old,), resumed=()
    )


def test_a_carrier_that_comes_back_is_told_and_one_that_goes_is_not() -> None:
    up, down = interface("192.0.2.5"), interface("192.0.2.5", running=False)
    assert compare([down], [up]).resumed == (up,)
    gone = compare([up], [down])
    assert (gone.added, gone.removed, gone.resumed) == ((), (), ())


class Looks:
    """What each look at the interfaces brings; an exception is raised, the last stays."""

    def __init__(self, *looks: Sequence[Interface] | OSError) -> None:
        self._looks = list(looks)

    def __call__(self) -> Sequence[Interface]:
        look = self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]
        if isinstance(look, OSError):
            raise look
        return look


async def watched(
    looks: Looks, seconds: float, known: Sequence[Interface], *, refused: Sequence[str] = ()
) -> list[Change]:
    """What is reported; interfaces with a ``refused`` address cannot be served."""
    clock = FakeClock()
    changes: list[Change] = []

    async def report(change: Change) -> Sequence[Interface]:
        changes.append(change)
        return [each for each in change.interfaces if str(each.address) not in refused]

    task = asyncio.create_task(watch(looks, report, known=known, every=5, sleep=clock.sleep))
    await clock.advance(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await settle()
    return changes


async def test_watching_reports_a_change_once() -> None:
    first, second = interface("192.0.2.5"), interface("198.51.100.5")
    changes = await watched(Looks([first], [first, second]), 30, known=[first])
    assert [change.added for change in changes] == [(second,)]


async def test_an_interface_that_could_not_be_served_is_reported_again() -> None:
    first, second = interface("192.0.2.5"), interface("198.51.100.5")
    changes = await watched(Looks([first, second]), 15, known=[first], refused=["198.51.100.5"])
    assert [change.added for change in changes] == [(second,)] * 3


async def test_what_changed_before_watching_began_is_reported() -> None:
    first = interface("192.0.2.5")
    changes = await watched(Looks([first]), 5, known=[])
    assert [change.added for change in changes] == [(first,)]


async def test_a_look_that_fails_removes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    first = interface("192.0.2.5")
    failure = OSError("too many open files")
    changes = await watched(Looks([first], failure, failure, [first]), 30, known=[first])
    assert changes == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]
