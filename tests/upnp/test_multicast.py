"""The sockets of SSDP, real ones on the loopback interface."""

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from mediaserver.upnp import multicast, sockets
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.multicast import Datagram, MulticastNetwork, arrival
from tests.leaks import nothing_left
from tests.patience import PATIENCE
from tests.upnp.fakes import settle

LO = Interface("lo", 1, ip_address("127.0.0.1"), 8)
GROUP = "239.255.255.250"

linux_only = pytest.mark.skipif(not sockets.LINUX, reason="asks the Linux kernel")


def interface(address: str, prefix_length: int = 24, index: int = 2) -> Interface:
    return Interface(f"eth{index}", index, ip_address(address), prefix_length)


# Which interface answers


ETH0, ETH1 = interface("192.0.2.5"), interface("198.51.100.5", index=3)
V6_LINK, V6_SITE = interface("fe80::5", 64), interface("fd00::5", 64)
ALL = [ETH0, ETH1, V6_LINK, V6_SITE]


def answering(
    source: str, index: int | None = None, destination: str | None = None
) -> Interface | None:
    return arrival(
        ALL,
        source=ip_address(source),
        index=index,
        destination=ip_address(destination) if destination else None,
    )


def test_a_multicast_is_answered_on_the_interface_it_came_in_on() -> None:
    assert answering("192.0.2.9", 2, GROUP) == ETH0
    assert answering("198.51.100.9", 3, GROUP) == ETH1


def test_each_network_of_ipv6_has_its_own_address() -> None:
    assert answering("fe80::9", 2, "ff02::c") == V6_LINK
    assert answering("fd00::9", 2, "ff02::c") == V6_SITE


@pytest.mark.parametrize("destination", [GROUP, "192.0.2.5"])
def test_a_source_that_is_no_neighbour_is_not_answered(destination: str) -> None:
    assert answering("203.0.113.9", 2, destination) is None


@pytest.mark.parametrize("destination", [GROUP, "192.0.2.5", "198.51.100.5"])
def test_a_neighbour_of_another_interface_is_forged(destination: str) -> None:
    assert answering("192.0.2.9", 3, destination) is None


def test_nothing_is_answered_that_came_in_where_we_do_not_serve() -> None:
    assert answering("192.0.2.9", 7, GROUP) is None
    assert answering("192.0.2.9", 7, "192.0.2.5") is None


def test_a_unicast_is_answered_from_the_address_it_went_to() -> None:
    assert answering("192.0.2.9", 2, "192.0.2.5") == ETH0
    assert answering("192.0.2.9", 2, "198.51.100.5") == ETH1


def test_our_own_host_reaches_every_address_through_loopback() -> None:
    assert answering("192.0.2.5", 1, "192.0.2.5") == ETH0


def test_an_address_that_is_not_served_does_not_answer() -> None:
    assert answering("192.0.2.9", 2, "192.0.2.77") is None


def test_without_word_from_the_kernel_the_network_decides() -> None:
    assert answering("198.51.100.9") == ETH1
    assert answering("203.0.113.9") is None


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("192.0.2.5", "239.255.255.250:1900"),
        ("169.254.1.1", "239.255.255.250:1900"),
        ("fe80::5", "[FF02::C]:1900"),
        ("::1", "[FF02::C]:1900"),
        ("2001:db8::5", "[FF05::C]:1900"),
    ],
)
def test_each_scope_has_its_group(address: str, host: str) -> None:
    assert multicast.host(interface(address)) == host


# Real sockets


class Ears:
    """Datagrams that a network handed on."""

    def __init__(self) -> None:
        self.heard: list[Datagram] = []
        self._arrived = asyncio.Event()

    def __call__(self, datagram: Datagram) -> None:
        self.heard.append(datagram)
        self._arrived.set()

    async def wait(self) -> Datagram:
        async with asyncio.timeout(PATIENCE):
            while not self.heard:
                self._arrived.clear()
                await self._arrived.wait()
        return self.heard.pop(0)


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def port() -> int:
    """Not 1900: other programs of this computer are none of a test's business."""
    return free_port()


@pytest.fixture
async def ears() -> Ears:
    return Ears()


@asynccontextmanager
async def using(
    port: int, ears: Callable[[Datagram], None], *interfaces: Interface
) -> AsyncIterator[MulticastNetwork]:
    async with nothing_left():
        network = MulticastNetwork(port=port)
        network.open(ears)
        network.use(interfaces)
        try:
            yield network
        finally:
            network.close()


@pytest.fixture
async def network(port: int, ears: Ears) -> AsyncIterator[MulticastNetwork]:
    async with using(port, ears, LO) as network:
        yield network


@pytest.fixture
def neighbour() -> Iterator[socket.socket]:
    """A control point's socket on the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setsockopt(
            socket.IPPROTO_IP,
            socket.IP_MULTICAST_IF,
            struct.pack("@4s4si", bytes(4), socket.inet_aton("127.0.0.1"), 1),
        )
        sock.setblocking(False)
        yield sock


async def receive(sock: socket.socket) -> tuple[bytes, tuple[str, int]]:
    async with asyncio.timeout(PATIENCE):
        data, sender = await asyncio.get_running_loop().sock_recvfrom(sock, 4096)
    return data, (sender[0], sender[1])


@linux_only
async def test_a_multicast_is_heard_with_its_interface(
    network: MulticastNetwork, ears: Ears, neighbour: socket.socket, port: int
) -> None:
    neighbour.sendto(b"search", (GROUP, port))
    datagram = await ears.wait()
    assert datagram == Datagram(
        b"search", ip_address("127.0.0.1"), neighbour.getsockname()[1], LO, multicast=True
    )
    assert not network.is_own(datagram.source, datagram.port)


@linux_only
async def test_a_unicast_is_told_from_a_multicast(
    network: MulticastNetwork, ears: Ears, neighbour: socket.socket, port: int
) -> None:
    neighbour.sendto(b"search", ("127.0.0.1", port))
    assert not (await ears.wait()).multicast


@linux_only
async def test_a_reply_comes_from_the_port_that_was_searched(
    network: MulticastNetwork, neighbour: socket.socket, port: int
) -> None:
    network.reply(LO, b"answer", ip_address("127.0.0.1"), neighbour.getsockname()[1])
    assert await receive(neighbour) == (b"answer", ("127.0.0.1", port))


async def test_our_own_multicast_comes_back_and_is_known_as_ours(
    network: MulticastNetwork, ears: Ears
) -> None:
    network.multicast(LO, b"alive")
    datagram = await ears.wait()
    assert datagram.data == b"alive"
    assert network.is_own(datagram.source, datagram.port)


@linux_only
async def test_multicasts_have_the_ttl_and_the_loop_of_upnp(network: MulticastNetwork) -> None:
    # UDA 1.0 §1: TTL 4; other programs of this computer must hear us, so loop is on.
    sender = network._senders[LO]
    assert sender.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL) == 4
    assert sender.getsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP) == 1
    assert sender.getsockname()[0] == "127.0.0.1"
    assert 49152 <= sender.getsockname()[1] <= 65535


async def test_too_long_a_datagram_is_dropped_and_the_next_is_heard(
    network: MulticastNetwork, ears: Ears, neighbour: socket.socket, port: int
) -> None:
    neighbour.sendto(b"x" * 2049, (GROUP, port))
    neighbour.sendto(b"x" * 2048, (GROUP, port))
    assert len((await ears.wait()).data) == 2048
    assert ears.heard == []


async def test_whatever_one_datagram_does_the_next_is_heard(
    port: int, neighbour: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    ears = Ears()

    def receive_badly(datagram: Datagram) -> None:
        if datagram.data == b"bad":
            raise RuntimeError("a bug")
        ears(datagram)

    async with using(port, receive_badly, LO):
        neighbour.sendto(b"bad", (GROUP, port))
        neighbour.sendto(b"good", (GROUP, port))
        assert (await ears.wait()).data == b"good"
    assert "a datagram could not be handled" in caplog.text


@pytest.mark.parametrize("option", ["SO_REUSEADDR", "SO_REUSEPORT"])
async def test_the_port_is_shared_with_other_programs(
    option: str, port: int, ears: Ears, neighbour: socket.socket
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.setsockopt(socket.SOL_SOCKET, getattr(socket, option), 1)
        other.bind(("", port))
        other.setsockopt(
            socket.IPPROTO_IP,
            socket.IP_ADD_MEMBERSHIP,
            socket.inet_aton(GROUP) + socket.inet_aton("127.0.0.1"),
        )
        other.setblocking(False)
        async with using(port, ears, LO) as network:
            neighbour.sendto(b"search", (GROUP, port))
            assert (await ears.wait()).data == b"search"
            assert (await receive(other))[0] == b"search"
            assert network.search_port(LO) is None


async def test_two_servers_on_one_computer_both_hear(
    network: MulticastNetwork, ears: Ears, neighbour: socket.socket, port: int
) -> None:
    second_ears = Ears()
    async with using(port, second_ears, LO):
        neighbour.sendto(b"search", (GROUP, port))
        assert (await ears.wait()).data == b"search"
        assert (await second_ears.wait()).data == b"search"


async def test_a_port_that_is_not_shared_leads_to_a_search_port(
    port: int, ears: Ears, neighbour: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    async with using(port, ears) as network:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
            selfish.bind(("", port))
            network.use([LO])
            network.rejoin()
            search_port = network.search_port(LO)
            assert search_port is not None
            assert 49152 <= search_port <= 65535
            neighbour.sendto(b"search", ("127.0.0.1", search_port))
            datagram = await ears.wait()
            assert (datagram.data, datagram.multicast) == (b"search", False)
            network.reply(LO, b"answer", datagram.source, datagram.port)
            assert await receive(neighbour) == (b"answer", ("127.0.0.1", search_port))
        assert [record.levelname for record in caplog.records] == ["WARNING"]  # said once

        network.rejoin()
        assert network.search_port(LO) is None
        neighbour.sendto(b"search", (GROUP, port))
        assert (await ears.wait()).multicast


async def test_joining_again_keeps_hearing(
    network: MulticastNetwork, ears: Ears, neighbour: socket.socket, port: int
) -> None:
    network.rejoin()
    network.rejoin()
    neighbour.sendto(b"search", (GROUP, port))
    await ears.wait()
    assert ears.heard == []


@linux_only
async def test_an_interface_no_longer_used_is_deaf_and_dumb(
    network: MulticastNetwork, ears: Ears, neighbour: socket.socket, port: int
) -> None:
    network.use([])
    neighbour.sendto(b"search", (GROUP, port))
    neighbour.sendto(b"search", ("127.0.0.1", port))
    network.multicast(LO, b"alive")
    network.reply(LO, b"answer", ip_address("127.0.0.1"), neighbour.getsockname()[1])
    await settle()
    with pytest.raises(BlockingIOError):
        neighbour.recv(4096)
    network.use([LO])
    neighbour.sendto(b"again", (GROUP, port))
    assert (await ears.wait()).data == b"again"
    assert ears.heard == []


async def test_an_address_we_do_not_have_harms_nothing(
    port: int, ears: Ears, neighbour: socket.socket, caplog: pytest.LogCaptureFixture
) -> None:
    gone = interface("192.0.2.77", index=99)
    async with using(port, ears, gone, LO) as network:
        network.multicast(gone, b"alive")
        assert network.search_port(gone) is None
        neighbour.sendto(b"search", (GROUP, port))
        assert (await ears.wait()).interface == LO
    assert "cannot send from 192.0.2.77" in caplog.text


async def test_sending_to_an_interface_that_went_a_moment_ago_is_no_warning(
    network: MulticastNetwork, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "mediaserver.upnp.multicast")
    # An interface index that is no interface's, on a socket that exists.
    gone = interface("fe80::77", 64, index=9999)
    network._senders[gone] = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    network.multicast(gone, b"byebye")
    network._senders.pop(gone).close()
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


async def test_a_family_the_system_lacks_is_told_and_the_other_works(
    port: int,
    ears: Ears,
    neighbour: socket.socket,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    real = sockets.receiving_socket

    def without_ipv6(version: int, port: int) -> socket.socket:
        if version == 6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return real(version, port)

    monkeypatch.setattr(sockets, "receiving_socket", without_ipv6)
    async with using(port, ears, interface("fe80::77", 64, index=9999), LO):
        neighbour.sendto(b"search", (GROUP, port))
        assert (await ears.wait()).interface == LO
    assert "Address family not supported" in caplog.text


def test_socket_addresses_of_ipv6_have_their_scope() -> None:
    link = interface("fe80::5", 64)
    assert sockets.socket_address(ip_address("fe80::9"), 1900, link) == ("fe80::9", 1900, 0, 2)
    assert sockets.socket_address(ip_address("ff02::c"), 1900, link) == ("ff02::c", 1900, 0, 2)
    assert sockets.socket_address(ip_address("fd00::9"), 1900, link) == ("fd00::9", 1900, 0, 0)
