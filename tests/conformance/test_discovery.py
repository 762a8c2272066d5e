"""UPnP Device Architecture 1.1, chapter 1: discovery. Every test names its clause."""

import asyncio
import itertools
import random
import statistics
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from mediaserver.upnp.discovery import Discovery
from tests.leaks import nothing_left
from tests.recorded import headers_of, recorded
from tests.upnp.fakes import (
    ETH0,
    ETH1,
    TARGETS,
    UDN,
    FakeClock,
    FakeNetwork,
    Sent,
    discovery,
    m_search,
)

CONTENT_DIRECTORY = "urn:schemas-upnp-org:service:ContentDirectory:1"
MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def network(clock: FakeClock) -> FakeNetwork:
    return FakeNetwork(clock)


@pytest.fixture
def boot_ids() -> list[int]:
    """Those that were stored."""
    return []


async def stop(device: Discovery, clock: FakeClock) -> None:
    stopping = asyncio.create_task(device.stop())
    await clock.advance(1)
    await stopping


@pytest.fixture
async def device(
    clock: FakeClock, network: FakeNetwork, boot_ids: list[int]
) -> AsyncIterator[Discovery]:
    """A media server that is about to announce itself on two interfaces."""
    async with nothing_left():
        device = discovery(clock, network, boot_id_changed=boot_ids.append)
        device.start([ETH0, ETH1])
        yield device
        await stop(device, clock)


@pytest.fixture
async def announced(device: Discovery, clock: FakeClock, network: FakeNetwork) -> Discovery:
    await clock.advance(10)
    network.take()
    return device


async def answers(clock: FakeClock, network: FakeNetwork, seconds: float = 5) -> list[Sent]:
    await clock.advance(seconds)
    return [sent for sent in network.take() if sent.to is not None]


def usns(sent: list[Sent]) -> Counter[str]:
    return Counter(each.headers["USN"] for each in sent)


# §1.2: advertisement


async def test_1_2_2_messages_go_to_the_group_and_say_so(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.2: HOST is 239.255.255.250:1900."""
    await clock.advance(10)
    assert {sent.headers["HOST"] for sent in network.take()} == {"239.255.255.250:1900"}


async def test_1_2_3_byebye_goes_before_the_first_alive(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.3: a device that ended badly is in the control points' memory still."""
    await clock.advance(10)
    kinds = [sent.nts for sent in network.take()]
    assert [kind for kind, _ in itertools.groupby(kinds)] == ["ssdp:byebye", "ssdp:alive"]


async def test_1_2_2_the_whole_set_is_announced_on_every_interface_with_its_location(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.2: 3 + 2d + k messages, a LOCATION that can be reached from there."""
    await clock.advance(10)
    alive = [sent for sent in network.take() if sent.nts == "ssdp:alive"]
    for interface, location in (
        (ETH0, "http://192.0.2.5:8200/description.xml"),
        (ETH1, "http://198.51.100.5:8200/description.xml"),
    ):
        there = [sent for sent in alive if sent.interface == interface]
        assert {sent.headers["NT"] for sent in there} == {
            "upnp:rootdevice",
            UDN,
            MEDIA_SERVER,
            CONTENT_DIRECTORY,
            "urn:schemas-upnp-org:service:ConnectionManager:1",
        }
        assert {sent.headers["LOCATION"] for sent in there} == {location}


async def test_1_2_messages_are_sent_more_than_once_and_at_most_three_times(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2: UDP loses messages; each is sent more than once, not more than three times."""
    await clock.advance(10)
    alive = [sent for sent in network.take() if sent.nts == "ssdp:alive" and sent.interface == ETH0]
    assert set(usns(alive).values()) == {3}


async def test_1_2_2_the_first_message_waits_a_random_time_below_100_ms(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.2: devices that come up together do not speak together."""
    began = clock()
    await clock.advance(10)
    assert 0 < network.take()[0].at - began < 0.1


async def test_1_2_2_the_messages_of_a_set_are_spread(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.2: so that small devices do not lose the end of a burst."""
    await clock.advance(10)
    times = [sent.at for sent in network.take() if sent.interface == ETH0]
    assert min(late - early for early, late in itertools.pairwise(times)) >= 0.05 - 1e-9


@pytest.mark.parametrize("seed", range(5))
async def test_1_2_2_it_is_announced_again_before_half_of_max_age(
    seed: int, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.2: at random times, each before half of CACHE-CONTROL's max-age has passed."""
    async with nothing_left():
        device = discovery(clock, network, rng=random.Random(seed))  # noqa: S311
        device.start([ETH0])
        await clock.advance(6 * 3600)
        roots = [
            sent.at
            for sent in network.take()
            if sent.nts == "ssdp:alive" and sent.headers["NT"] == "upnp:rootdevice"
        ]
        gaps = [late - early for early, late in itertools.pairwise(roots)]
        assert max(gaps) < 900
        waits = [gap for gap in gaps if gap > 10]
        assert statistics.stdev(waits) > 10
        await stop(device, clock)


async def test_1_2_2_max_age_is_at_least_1800(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.2: CACHE-CONTROL should be greater than or equal to 1800 seconds."""
    await clock.advance(10)
    for sent in network.take():
        if sent.nts == "ssdp:alive":
            assert int(sent.headers["CACHE-CONTROL"].removeprefix("max-age=")) >= 1800


async def test_1_2_2_bootid_and_configid_are_the_same_in_all_messages(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.2: over all interfaces, repeats, byebyes and responses."""
    await clock.advance(10)
    network.hear(m_search(), ETH0)
    await clock.advance(5)
    ids = {
        (sent.headers["BOOTID.UPNP.ORG"], sent.headers["CONFIGID.UPNP.ORG"])
        for sent in network.take()
    }
    assert ids == {("7", "4711")}


async def test_1_2_2_new_documents_get_a_new_configid(
    announced: Discovery, clock: FakeClock, network: FakeNetwork, boot_ids: list[int]
) -> None:
    """UDA 1.1 §1.2.2: documents never change under one CONFIGID; it is announced as anew."""
    announced.redescribe(config_id=99)
    await clock.advance(10)
    said = [
        (sent.nts, sent.headers["CONFIGID.UPNP.ORG"], sent.headers["BOOTID.UPNP.ORG"])
        for sent in network.take()
    ]
    assert [each for each, _ in itertools.groupby(said)] == [
        ("ssdp:byebye", "4711", "7"),
        ("ssdp:alive", "99", "8"),
    ]
    assert boot_ids == [8]


async def test_1_2_3_everything_announced_is_revoked_on_every_interface_at_the_end(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.3: one byebye for each alive, more than once each."""
    await stop(announced, clock)
    sent = network.take()
    assert {each.nts for each in sent} == {"ssdp:byebye"}
    for interface in (ETH0, ETH1):
        there = [each for each in sent if each.interface == interface]
        assert usns(there) == {target.usn: 2 for target in TARGETS}
    assert network.closed


async def test_1_2_4_a_new_interface_raises_bootid_and_is_told_beforehand(
    clock: FakeClock, network: FakeNetwork, boot_ids: list[int]
) -> None:
    """UDA 1.1 §1.2.4: ssdp:update where it was known, then alive with the new BOOTID."""
    async with nothing_left():
        device = discovery(clock, network, boot_id_changed=boot_ids.append)
        device.start([ETH0])
        await clock.advance(10)
        network.take()
        updating = asyncio.create_task(device.update_interfaces([ETH0, ETH1]))
        await clock.advance(10)
        await updating
        sent = network.take()
        updates = [each for each in sent if each.nts == "ssdp:update"]
        assert usns(updates) == {target.usn: 2 for target in TARGETS}
        for each in updates:
            assert each.interface == ETH0
            assert each.headers["BOOTID.UPNP.ORG"] == "7"
            assert each.headers["NEXTBOOTID.UPNP.ORG"] == "8"
            assert each.headers["LOCATION"] == "http://192.0.2.5:8200/description.xml"
        alive = sent[len(updates) :]
        assert {each.nts for each in alive} == {"ssdp:alive"}
        assert {each.headers["BOOTID.UPNP.ORG"] for each in alive} == {"8"}
        assert {each.interface for each in alive} == {ETH0, ETH1}
        assert boot_ids == [8]
        await stop(device, clock)


async def test_1_2_4_an_address_that_changed_is_revoked_and_the_new_one_announced(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.2.4: byebye from the old address, update elsewhere, alive everywhere."""
    updating = asyncio.create_task(announced.update_interfaces([ETH0]))
    await clock.advance(10)
    await updating
    assert {(sent.nts, sent.interface) for sent in network.take()} == {("ssdp:byebye", ETH1)}

    updating = asyncio.create_task(announced.update_interfaces([ETH1]))
    await clock.advance(10)
    await updating
    said = [(sent.nts, sent.interface.name) for sent in network.take()]
    assert [each for each, _ in itertools.groupby(said)] == [
        ("ssdp:byebye", "eth0"),
        ("ssdp:alive", "eth1"),
    ]


# §1.3: search


@pytest.mark.parametrize(
    ("target", "usn"),
    [
        ("upnp:rootdevice", f"{UDN}::upnp:rootdevice"),
        (UDN, UDN),
        (MEDIA_SERVER, f"{UDN}::{MEDIA_SERVER}"),
        (CONTENT_DIRECTORY, f"{UDN}::{CONTENT_DIRECTORY}"),
    ],
)
async def test_1_3_3_a_search_is_answered_with_st_and_usn_of_its_target(
    target: str, usn: str, announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.3: one response, to the address and port the search came from."""
    network.hear(m_search(target), ETH0, source="192.0.2.9", port=45678)
    (sent,) = await answers(clock, network)
    assert sent.start_line == "HTTP/1.1 200 OK"
    assert (sent.headers["ST"], sent.headers["USN"]) == (target, usn)
    assert (str(sent.to), sent.port) == ("192.0.2.9", 45678)
    assert sent.headers["EXT"] == ""
    assert sent.headers["DATE"] == "Sun, 06 Nov 1994 08:49:37 GMT"


async def test_1_3_3_a_search_for_all_gets_everything_announced(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.3, table of ST: ssdp:all has one response for each NT."""
    network.hear(m_search("ssdp:all"), ETH0)
    assert usns(await answers(clock, network)) == {target.usn: 1 for target in TARGETS}


async def test_1_3_3_the_response_names_the_location_of_the_interface_that_heard(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.3: LOCATION as in advertisements on that interface."""
    network.hear(m_search(UDN), ETH1, source="198.51.100.9")
    (sent,) = await answers(clock, network)
    assert sent.interface == ETH1
    assert sent.headers["LOCATION"] == "http://198.51.100.5:8200/description.xml"


@pytest.mark.parametrize(("mx", "within"), [(1, 1), (2, 2), (3, 3), (5, 5), (120, 5)])
async def test_1_3_3_answers_come_within_mx_at_random_times(
    mx: int, within: int, announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.2, §1.3.3: between 0 and MX seconds, MX above 5 counting as 5."""
    began = clock()
    for host in range(10, 16):
        network.hear(m_search(mx=mx), ETH0, source=f"192.0.2.{host}")
    delays = [sent.at - began for sent in await answers(clock, network)]
    assert len(delays) == 6 * len(TARGETS)
    assert min(delays) > 0
    assert max(delays) < within
    assert len({round(delay, 6) for delay in delays}) == len(delays)


async def test_1_3_3_answers_to_patient_searches_are_spread_over_the_whole_of_mx(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.3: spread over the interval; the UPnP Forum's device validator looks at it."""
    delays = []
    for _ in range(6):
        began = clock()
        network.hear(m_search(UDN, mx=10), ETH0)
        delays += [sent.at - began for sent in await answers(clock, network, 10)]
    assert len(delays) == 6
    assert statistics.pstdev(delays) > 1


async def test_1_3_3_a_unicast_search_is_answered_within_a_second(
    announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.2, §1.3.3: a unicast search has no MX."""
    network.hear(m_search(UDN, mx=None), ETH0, multicast=False)
    assert len(await answers(clock, network, 1)) == 1


@pytest.mark.parametrize(
    "search",
    [
        m_search("uuid:00000000-0000-4000-8000-00000000dead"),
        m_search("urn:schemas-upnp-org:device:MediaServer:2"),
        m_search("urn:schemas-upnp-org:service:ContentDirectory:9"),
        m_search().replace(b"M-SEARCH *", b"M-SEARCH"),
        m_search().replace(b"M-SEARCH *", b"M-SEARCH /"),
        m_search().replace(b"HTTP/1.1", b"HTTP/1.0"),
        m_search().replace(b" HTTP/1.1", b""),
        m_search().replace(b'MAN: "ssdp:discover"\r\n', b""),
        m_search(mx=None),
        m_search().replace(b"MX: 1", b"MX:"),
        m_search().replace(b"MX: 1", b"MX: Z"),
        m_search().replace(b"MX: 1", b"MX: -1"),
        m_search().replace(b"ST: ssdp:all\r\n", b""),
        m_search(""),
        m_search("ABCDEFG"),
    ],
)
async def test_1_3_3_an_improper_search_is_not_answered(
    search: bytes, announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.3: the negative tests of the UPnP Forum's device validator."""
    network.hear(search, ETH0)
    assert await answers(clock, network) == []


@pytest.mark.parametrize("message", recorded("*-M-SEARCH.ssdp"))
async def test_1_3_3_real_control_points_get_exactly_what_they_search(
    message: bytes, announced: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.3: the recorded searches are answered if they are for something we are."""
    target = dict(headers_of(message))["ST"]
    network.hear(message, ETH0)
    sent = await answers(clock, network)
    if target == "ssdp:all":
        assert len(sent) == len(TARGETS)
    elif target in {each.nt for each in TARGETS}:
        assert [each.headers["ST"] for each in sent] == [target]
    else:
        assert sent == []


async def test_1_3_3_searches_may_be_answered_while_announcing(
    device: Discovery, clock: FakeClock, network: FakeNetwork
) -> None:
    """UDA 1.1 §1.3.3: a search is answered as long as the device is there."""
    await clock.advance(0.2)
    network.hear(m_search(UDN), ETH0)
    assert len(await answers(clock, network, 1)) == 1
