"""Discovery by a fake clock on a fake network; clauses of UDA are in ``conformance``."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from ipaddress import ip_address
from itertools import pairwise

import pytest

from mediaserver.upnp.discovery import Discovery, Heard, Limits, longest_delay
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.rates import RateLimit
from tests.leaks import nothing_left
from tests.upnp.fakes import ETH0, ETH1, TARGETS, UDN, FakeClock, FakeNetwork, discovery, m_search

BYEBYE_OF_US = (
    "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\n"
    f"NTS: ssdp:byebye\r\nUSN: {UDN}::upnp:rootdevice\r\n\r\n"
).encode()
ALIVE_OF_ANOTHER = (
    b"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: upnp:rootdevice\r\n"
    b"NTS: ssdp:alive\r\nSERVER: TV/1 UPnP/1.0 x/1\r\nUSN: uuid:other::upnp:rootdevice\r\n\r\n"
)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def network(clock: FakeClock) -> FakeNetwork:
    return FakeNetwork(clock)


async def stop(device: Discovery, clock: FakeClock) -> None:
    stopping = asyncio.create_task(device.stop())
    await clock.advance(1)
    await stopping


@pytest.fixture
async def announced(clock: FakeClock, network: FakeNetwork) -> AsyncIterator[Discovery]:
    """A device that has announced itself on one interface some time ago."""
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0])
        await clock.advance(10)
        network.take()
        yield device
        await stop(device, clock)
    assert network.closed


# Failures (security.md F12)


class FailingNetwork(FakeNetwork):
    """A network that goes wrong in a way that nobody thought of."""

    failing = False

    def multicast(self, interface: Interface, data: bytes) -> None:
        if self.failing:
            raise RuntimeError("unthought of")
        super().multicast(interface, data)

    def rejoin(self) -> None:
        super().rejoin()
        if self.failing:
            raise RuntimeError("unthought of")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, {"ssdp:byebye", "ssdp:alive"}), (3 * 1800, {"ssdp:alive"})],
    ids=["at the start", "later"],
)
async def test_announcements_go_on_after_a_failure(
    seconds: float, expected: set[str], clock: FakeClock
) -> None:
    network = FailingNetwork(clock)
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0])
        await clock.advance(seconds)
        network.failing = True
        await clock.advance(1800)
        network.take()
        network.failing = False
        await clock.advance(300)  # the longest time between two attempts
        assert {each.nts for each in network.take()} == expected
        await stop(device, clock)


async def test_groups_are_joined_again_after_a_failure(clock: FakeClock) -> None:
    network = FailingNetwork(clock)
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0])
        network.failing = True
        await clock.advance(200)
        network.failing = False
        network.rejoined.clear()
        await clock.advance(1000)
        assert len(network.rejoined) >= 1000 // 180
        await stop(device, clock)


# Limits


async def test_a_search_repeated_while_its_answers_wait_is_one_search(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    for _ in range(3):
        network.hear(m_search(mx=3), ETH0)
    await clock.advance(3)
    assert len(network.take()) == len(TARGETS)
    network.hear(m_search(mx=3), ETH0)
    await clock.advance(3)
    assert len(network.take()) == len(TARGETS)


async def test_the_same_search_from_another_port_is_another_search(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    network.hear(m_search(UDN), ETH0, port=40000)
    network.hear(m_search(UDN), ETH0, port=40001)
    await clock.advance(1)
    assert sorted(sent.port for sent in network.take()) == [40000, 40001]


async def test_one_source_gets_a_limited_number_of_answers_a_second(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    for port in range(40000, 41000):
        network.hear(m_search(UDN), ETH0, port=port)
    network.hear(m_search(UDN), ETH0, source="192.0.2.10")
    await clock.advance(1)
    sources = [str(sent.to) for sent in network.take()]
    assert sources.count("192.0.2.9") == Limits.searches_per_source
    assert sources.count("192.0.2.10") == 1


async def test_answers_to_one_source_are_limited_whatever_it_searches(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    for port in range(40000, 40010):
        network.hear(m_search("ssdp:all"), ETH0, port=port)
    await clock.advance(1)
    assert len(network.take()) == 30


async def test_answers_to_all_sources_together_are_limited(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    for host in range(1, 255):
        network.hear(m_search(UDN), ETH0, source=f"192.0.2.{host}")
    await clock.advance(1)
    assert len(network.take()) == Limits.answers


async def test_answers_that_wait_are_limited(clock: FakeClock, network: FakeNetwork) -> None:
    async with nothing_left():
        device = discovery(clock, network, limits=Limits(pending=12, answers=1e6))
        device.start([ETH0])
        await clock.advance(10)
        network.take()
        for host in range(1, 20):
            network.hear(m_search(mx=5), ETH0, source=f"192.0.2.{host}")
        await clock.advance(5)
        assert len(network.take()) == 10  # two searches of five answers
        await stop(device, clock)


async def test_the_limits_are_over_when_time_has_passed(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    for _ in range(2):
        for port in range(40000, 40100):
            network.hear(m_search(UDN), ETH0, port=port)
        await clock.advance(1)
        assert len(network.take()) == Limits.searches_per_source


def test_a_rate_limit_counts_every_key_alone() -> None:
    limit = RateLimit(2)
    assert [limit.allow("a", 0.0) for _ in range(3)] == [True, True, False]
    assert limit.allow("b", 0.0)
    assert [limit.allow("a", 0.5) for _ in range(2)] == [True, False]


def test_more_than_a_seconds_worth_at_once_empties_the_bucket() -> None:
    limit = RateLimit(2)
    assert limit.allow("a", 0.0, count=5)
    assert not limit.allow("a", 0.9, count=5)
    assert limit.allow("a", 1.9, count=5)


def test_a_rate_limit_remembers_a_bounded_number_of_keys() -> None:
    limit = RateLimit(1, keys=2)
    for key in "abc":
        assert limit.allow(key, 0.0)
    assert [limit.allow(key, 0.0) for key in "cba"] == [False, False, True]


@pytest.mark.parametrize(
    ("mx", "seconds"),
    [(None, 0.2), (0, 0.0), (1, 0.75), (2, 1.0), (3, 1.0), (4, 1.0), (5, 4.75)],
)
def test_short_searches_are_answered_within_a_second_and_long_ones_spread(
    mx: int | None, seconds: float
) -> None:
    assert longest_delay(mx) == seconds


# Hearing


async def test_what_neighbours_say_is_remembered(
    announced: Discovery, network: FakeNetwork
) -> None:
    network.hear(m_search("upnp:rootdevice"), ETH0)
    network.hear(ALIVE_OF_ANOTHER, ETH0, source="192.0.2.77")
    network.hear(m_search("upnp:rootdevice"), ETH0)
    now = 784111777.0
    assert announced.heard() == [
        Heard("192.0.2.9", "eth0", "search", "upnp:rootdevice", "", "", now, count=2),
        Heard("192.0.2.77", "eth0", "ssdp:alive", "upnp:rootdevice", "TV/1 UPnP/1.0 x/1", "", now),
    ]


async def test_what_programs_of_this_host_say_proves_nothing_and_is_not_remembered(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """Doctor searches, too; an address that goes afterwards must not make a neighbour of it."""
    network.hear(m_search("upnp:rootdevice"), ETH0, source="192.0.2.5")
    network.hear(ALIVE_OF_ANOTHER, ETH0, source="192.0.2.5")
    assert announced.heard() == []
    await clock.advance(2)
    [answer] = network.take()  # it is answered all the same
    assert answer.headers["ST"] == "upnp:rootdevice"


async def test_what_is_remembered_is_bounded(announced: Discovery, network: FakeNetwork) -> None:
    for number in range(5000):
        source = f"192.0.{number // 250}.{number % 250 + 1}"
        network.hear(m_search(f"uuid:{number}"), ETH0, source=source)
    assert len(announced.heard()) == Limits.heard
    assert announced.heard()[0].target == "uuid:4999"


async def test_our_own_announcement_heard_again_proves_that_multicast_works(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    network.own_ports.add(50000)
    network.hear(BYEBYE_OF_US, ETH0, source="192.0.2.5", port=50000)
    assert announced.heard_ourselves() == {ETH0: 784111777.0}
    assert announced.heard() == []
    await clock.advance(1)
    assert network.take() == []


async def test_a_byebye_in_our_name_is_contradicted_at_most_once_a_minute(
    announced: Discovery, clock: FakeClock, network: FakeNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        network.hear(BYEBYE_OF_US, ETH0, source="192.0.2.66")
    await clock.advance(5)
    assert [sent.nts for sent in network.take()] == ["ssdp:alive"] * 2 * len(TARGETS)
    assert caplog.text.count("byebye in our name source=192.0.2.66") == 1

    await clock.advance(60)
    network.take()
    network.hear(BYEBYE_OF_US, ETH0, source="192.0.2.66")
    await clock.advance(5)
    assert [sent.nts for sent in network.take()] == ["ssdp:alive"] * 2 * len(TARGETS)


@pytest.mark.parametrize(
    "data", [ALIVE_OF_ANOTHER, BYEBYE_OF_US.replace(b"2fac", b"ffff"), b"", b"\xff" * 100]
)
async def test_nothing_but_searches_and_our_byebyes_makes_us_speak(
    data: bytes, announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    network.hear(data, ETH0)
    await clock.advance(5)
    assert network.take() == []


# Link-local addresses of IPv6, whose URL many control points cannot fetch

LINK_LOCAL = Interface("eth0", 2, ip_address("fe80::5"), 64)
"""On the network interface of ``ETH0``."""
LINK_LOCAL_ONLY = Interface("eth1", 3, ip_address("fe80::6"), 64)


async def test_a_link_local_address_is_announced_only_where_there_is_no_other(
    clock: FakeClock, network: FakeNetwork
) -> None:
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0, LINK_LOCAL, LINK_LOCAL_ONLY])
        await clock.advance(3600)
        alive = [sent for sent in network.take() if sent.nts == "ssdp:alive"]
        assert {sent.interface for sent in alive} == {ETH0, LINK_LOCAL_ONLY}
        await stop(device, clock)


async def test_a_search_from_a_link_local_address_is_answered_with_ours(
    clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 2.0 Annex A.2.3: LOCATION has the address that the answer comes from."""
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0, LINK_LOCAL])
        await clock.advance(10)
        network.take()
        network.hear(m_search(UDN), LINK_LOCAL, source="fe80::9")
        await clock.advance(1)
        [answer] = network.take()
        assert answer.interface == LINK_LOCAL
        assert answer.headers["LOCATION"] == "http://[fe80::5]:8200/description.xml"
        await stop(device, clock)


async def test_whoever_knows_a_link_local_address_is_told_that_we_leave(
    clock: FakeClock, network: FakeNetwork
) -> None:
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0, LINK_LOCAL])
        await clock.advance(10)
        network.take()
        await stop(device, clock)
        assert {(sent.nts, sent.interface) for sent in network.take()} == {
            ("ssdp:byebye", ETH0),
            ("ssdp:byebye", LINK_LOCAL),
        }


async def test_a_link_local_address_that_is_the_last_on_its_link_is_announced(
    clock: FakeClock, network: FakeNetwork
) -> None:
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0, LINK_LOCAL])
        await clock.advance(10)
        network.take()
        updating = asyncio.create_task(device.update_interfaces([LINK_LOCAL]))
        await clock.advance(5)
        await updating
        alive = [sent for sent in network.take() if sent.nts == "ssdp:alive"]
        assert {sent.interface for sent in alive} == {LINK_LOCAL}
        await stop(device, clock)


async def test_a_byebye_for_one_address_leaves_us_known_by_the_others_of_its_link(
    clock: FakeClock, network: FakeNetwork
) -> None:
    """A USN is revoked as a whole (UDA 1.1 §1.2.3), whatever the address it was announced at."""
    another = Interface("eth0", 2, ip_address("2001:db8::5"), 64)
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0, another, ETH1])
        await clock.advance(10)
        network.take()
        updating = asyncio.create_task(device.update_interfaces([ETH0, ETH1]))
        await clock.advance(5)
        await updating
        said = [(sent.nts, sent.interface) for sent in network.take()]
        assert list(dict.fromkeys(said)) == [("ssdp:byebye", another), ("ssdp:alive", ETH0)]
        await stop(device, clock)


# Beginning, changing, ending


async def test_starting_without_a_network_waits_for_one(
    clock: FakeClock, network: FakeNetwork
) -> None:
    async with nothing_left():
        device = discovery(clock, network)
        device.start([])
        await clock.advance(10)
        assert network.take() == []
        updating = asyncio.create_task(device.update_interfaces([ETH0]))
        await clock.advance(10)
        await updating
        sent = network.take()
        assert {each.nts for each in sent} == {"ssdp:alive"}
        assert {each.headers["BOOTID.UPNP.ORG"] for each in sent} == {"7"}  # nobody knew us yet
        await stop(device, clock)


async def test_an_update_without_a_change_says_nothing(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    await announced.update_interfaces([ETH0])
    assert network.take() == []
    assert announced.boot_id == 7


async def test_a_carrier_that_is_back_is_announced_to_and_joined_anew(
    clock: FakeClock, network: FakeNetwork
) -> None:
    async with nothing_left():
        device = discovery(clock, network)
        device.start([replace(ETH0, running=False), ETH1])
        await clock.advance(10)
        network.take()
        updating = asyncio.create_task(device.update_interfaces([ETH0, ETH1]))
        await clock.advance(5)
        await updating
        assert {(each.nts, each.interface) for each in network.take()} == {("ssdp:alive", ETH0)}
        assert network.rejoined != []
        assert device.boot_id == 7
        await stop(device, clock)


async def test_groups_are_joined_again_before_switches_forget(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    await clock.advance(3600)
    times = network.rejoined
    assert max(late - early for early, late in pairwise(times)) < 240


async def test_a_searcher_on_an_interface_that_went_is_not_answered(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    network.hear(m_search(mx=5), ETH0)
    await announced.update_interfaces([])
    network.take()
    await clock.advance(5)
    assert network.take() == []


async def test_the_search_port_is_announced_while_port_1900_is_not_heard(
    clock: FakeClock, network: FakeNetwork
) -> None:
    async with nothing_left():
        network.search_ports[ETH0] = 50000
        device = discovery(clock, network)
        device.start([ETH0])
        await clock.advance(10)
        alive = [sent for sent in network.take() if sent.nts == "ssdp:alive"]
        assert {sent.headers.get("SEARCHPORT.UPNP.ORG") for sent in alive} == {"50000"}
        await stop(device, clock)


async def test_nothing_is_announced_once_stopping_has_begun(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    updating = asyncio.create_task(announced.update_interfaces([ETH0, ETH1]))
    await clock.advance(0.01)
    network.take()
    stopping = asyncio.create_task(announced.stop())
    await clock.advance(2)
    await asyncio.gather(updating, stopping)
    assert {sent.nts for sent in network.take()} == {"ssdp:byebye"}


async def test_stopping_twice_is_stopping_once(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    await stop(announced, clock)
    network.take()
    await announced.stop()
    assert network.take() == []


async def test_stopping_takes_less_than_a_second(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    began = clock()
    network.hear(m_search(mx=5), ETH0)
    stopping = asyncio.create_task(announced.stop())
    await clock.advance(1)
    assert stopping.done()
    assert network.take()[-1].at - began < 1


async def test_a_boot_id_that_cannot_be_stored_is_used_all_the_same(
    clock: FakeClock, network: FakeNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    def full(boot_id: int) -> None:
        raise OSError("no space left")

    async with nothing_left():
        device = discovery(clock, network, boot_id_changed=full)
        device.start([ETH0])
        await clock.advance(10)
        updating = asyncio.create_task(device.update_interfaces([ETH0, ETH1]))
        await clock.advance(10)
        await updating
        assert device.boot_id == 8
        await stop(device, clock)
    assert "BOOTID could not be stored boot_id=8 error=no space left" in caplog.text


async def test_after_the_last_boot_id_comes_the_first_without_an_update(
    clock: FakeClock, network: FakeNetwork
) -> None:
    async with nothing_left():
        device = discovery(clock, network, boot_id=2**31 - 1)
        device.start([ETH0])
        await clock.advance(10)
        network.take()
        updating = asyncio.create_task(device.update_interfaces([ETH0, ETH1]))
        await clock.advance(10)
        await updating
        sent = network.take()
        assert {each.nts for each in sent} == {"ssdp:alive"}
        assert {each.headers["BOOTID.UPNP.ORG"] for each in sent} == {"1"}
        await stop(device, clock)


async def test_every_message_is_shown_by_the_traffic_log(
    announced: Discovery, clock: FakeClock, network: FakeNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mediaserver.traffic.ssdp")
    network.hear(m_search("upnp:rootdevice"), ETH0)
    await clock.advance(1)
    assert "from 192.0.2.9:40000: b'M-SEARCH" in caplog.text
    assert "to 192.0.2.9:40000: b'HTTP/1.1 200 OK" in caplog.text


async def test_our_own_message_that_comes_back_is_shown_once(
    clock: FakeClock, network: FakeNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mediaserver.traffic.ssdp")
    network.own_ports.add(50000)
    async with nothing_left():
        device = discovery(clock, network)
        device.start([ETH0])
        await clock.advance(10)
        sent = network.take()
        for each in sent:
            network.hear(each.data, ETH0, source="192.0.2.5", port=50000)
        assert len(caplog.records) == len(sent)
        assert device.heard_ourselves() != {}
        await stop(device, clock)
