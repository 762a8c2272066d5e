"""Who may connect, and under which names we may be addressed (security.md N1)."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

import pytest

from mediaserver.server.admission import Admission
from tests.http_server import ask, connected, echo, serving

PORT = 8200


def admission(**more: object) -> Admission:
    made = Admission(hostname="nas.lan", hosts=["media.example.org"], **more)  # type: ignore[arg-type]
    made.set_interfaces(
        [IPv4Address("192.168.1.5"), IPv6Address("fe80::1%eth0"), IPv6Address("2001:db8::5")],
        [IPv4Network("192.168.1.0/24"), IPv6Network("2001:db8::/64"), IPv6Network("fe80::/64")],
    )
    return made


OURS = [
    "192.168.1.5", "192.168.1.5:8200", "localhost", "LOCALHOST:8200", "nas.lan", "NAS", "nas.local",
    "nas.local.", "media.example.org", "[2001:db8::5]", "[2001:DB8::5]:8200",
    "[2001:db8:0:0:0:0:0:5]:8200", "[fe80::1]:8200", "[fe80::1%eth0]:8200", "[fe80::1%25eth0]",
]  # fmt: skip
OTHERS = [
    "evil.example", "192.168.1.50", "192.168.1.5.evil.example", "evil-192.168.1.5", "192.168.1.6",
    "192.168.1.5:80", "192.168.1.5:082000", "192.168.1.5:", "192.168.1.5:8200:8200", "3232235781",
    "0xc0a80105", "192.168.261", "192.168.001.005", "localhost.evil.example", "evil.localhost",
    "nas.evil.example", "[2001:db8::6]", "2001:db8::5", "[192.168.1.5]", "[::ffff:192.168.1.5]",
    "[2001:db8::5", "", " ", "nas lan", "nas/", "user@nas", "nas,evil.example", "\u017fas", "nas\0",
]  # fmt: skip


@pytest.mark.parametrize("host", OURS)
def test_our_addresses_and_names_mean_us(host: str) -> None:
    assert admission().is_ours(host.encode(), PORT)


@pytest.mark.parametrize("host", OTHERS)
def test_other_names_do_not_however_near_they_look(host: str) -> None:
    assert not admission().is_ours(host.encode(), PORT)


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "::1", "192.168.1.77", "2001:db8::77", "fe80::77%eth0", "fe80::77"]
)
def test_hosts_of_attached_networks_and_loopback_may_connect(peer: str) -> None:
    assert admission().may_connect(peer)


@pytest.mark.parametrize("peer", ["192.168.2.1", "8.8.8.8", "2001:db8:1::1", "", "nonsense"])
def test_others_may_not(peer: str) -> None:
    assert not admission().may_connect(peer)


def test_an_ipv4_peer_that_comes_mapped_into_ipv6_is_judged_as_ipv4() -> None:
    assert admission().may_connect("::ffff:192.168.1.77")
    assert not admission().may_connect("::ffff:8.8.8.8")


def test_configured_networks_may_connect_instead_of_attached_ones() -> None:
    rules = admission(networks=[IPv4Network("10.8.0.0/24")], attached=False)
    assert rules.may_connect("10.8.0.9")
    assert rules.may_connect("127.0.0.1")
    assert not rules.may_connect("192.168.1.77")


def test_a_network_of_every_address_says_nothing_about_who_is_near() -> None:
    rules = Admission(hostname="nas")
    rules.set_interfaces([IPv4Address("10.0.0.1")], [IPv4Network("0.0.0.0/0")])
    assert not rules.may_connect("8.8.8.8")


def test_a_change_of_addresses_counts_at_once() -> None:
    rules = admission()
    assert rules.is_ours(b"192.168.1.5", PORT)
    assert rules.may_connect("192.168.1.77")
    rules.set_interfaces([IPv4Address("10.0.0.5")], [IPv4Network("10.0.0.0/8")])
    assert not rules.is_ours(b"192.168.1.5", PORT)
    assert not rules.may_connect("192.168.1.77")
    assert rules.is_ours(b"10.0.0.5", PORT)
    assert rules.may_connect("10.1.2.3")


def test_what_is_remembered_is_bounded() -> None:
    rules = admission()
    for number in range(5000):
        assert not rules.is_ours(b"%d.evil.example" % number, PORT)
        assert not rules.may_connect(f"8.8.{number // 256}.{number % 256}")
    assert len(rules._hosts) <= 1024
    assert len(rules._peers) <= 1024


def test_made_up_hosts_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    judged = admission()
    for number in range(5000):
        judged.is_ours(f"evil-{number}.example".encode(), PORT)
        if number % 1000 == 0:
            judged.set_interfaces([IPv4Address("192.168.1.5")], [])
    assert "evil-0.example" in caplog.text
    assert len(caplog.records) < 1000


@pytest.mark.parametrize("path", ["/", "/media/1", "/description.xml", "/nothing"])
async def test_a_request_for_another_host_is_421_on_every_path(path: str) -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode())
        assert (await client.answer()).status == 421


async def test_the_host_of_an_absolute_target_counts_too() -> None:
    # RFC 9112 §3.2.2: it replaces Host. We are nobody's proxy (N18).
    async with serving(echo) as server:
        assert (await ask(server, "http://evil.example/")).status == 421
        assert (await ask(server, "https://127.0.0.1/")).status == 400
        assert (await ask(server, "http://evil.example@127.0.0.1/")).status == 400
        assert (await ask(server, f"http://127.0.0.1:{server.port}/a")).body == b"GET /a "


async def test_http_1_0_without_host_is_served() -> None:
    # Old players: they cannot be rebound browsers.
    async with serving(echo) as server, connected(server) as client:
        await client.send(b"GET /old HTTP/1.0\r\n\r\n")
        assert (await client.answer()).body == b"GET /old "
