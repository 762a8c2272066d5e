"""Discovery and eventing between hosts, interfaces that come and go; network namespaces."""

import os
import shutil
import socket
from collections.abc import Iterator
from typing import Self

import pytest

from tests.lan.messages import headers, heard, silent
from tests.lan.messages import search as search_for
from tests.lan.network import GROUP, Host, Lan
from tests.patience import PATIENCE
from tests.upnp.fakes import m_search

pytestmark = [
    pytest.mark.lan,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="ip (iproute2) is missing"),
]

UDN = "uuid:2fac1234-31f8-11b4-a222-08002b34c003"
PORT = 8200


class Device:
    """The program under test on a host."""

    def __init__(self, host: Host, *interfaces: str) -> None:
        self._process = host.start("tests.lan.device", str(PORT), *interfaces)
        self.errors = ""

    def serves(self) -> list[str]:
        """The addresses it serves, from its next line."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().split()

    def stop(self) -> None:
        """Ends it, which it must do in good order."""
        if self._process.returncode is None:
            _, self.errors = self._process.communicate(timeout=PATIENCE)
        assert self._process.returncode == 0, self.errors
        assert "Traceback" not in self.errors, self.errors

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def search(host: Host, address: str, to: tuple[str, int] = GROUP) -> tuple[dict[str, str], str]:
    """Headers and source of the answer to a search for the device."""
    return search_for(host, address, UDN, to)


@pytest.fixture
def device(lan: Lan) -> Iterator[Device]:
    """Serves every interface of the server."""
    with Device(lan.server) as device:
        device.serves()
        yield device


def test_a_search_is_answered_with_the_location_of_the_interface_it_came_in_on(
    lan: Lan, device: Device
) -> None:
    for host, own, server in (
        (lan.player, "10.91.0.2", "10.91.0.1"),
        (lan.far, "10.92.0.2", "10.92.0.1"),
    ):
        answer, source = search(host, own)
        assert answer["LOCATION"] == f"http://{server}:{PORT}/description.xml"
        assert (answer["ST"], answer["USN"]) == (UDN, UDN)
        assert source == server


def test_a_search_by_unicast_is_answered(lan: Lan, device: Device) -> None:
    answer, source = search(lan.player, "10.91.0.2", ("10.91.0.1", 1900))
    assert answer["LOCATION"] == f"http://10.91.0.1:{PORT}/description.xml"
    assert source == "10.91.0.1"


@pytest.mark.parametrize("group", ["ff02::c", "ff05::c", "ff0e::c"])
def test_a_search_by_ipv6_is_answered(group: str, lan: Lan, device: Device) -> None:
    answer, source = search(lan.player, "fd91::2", (group, 1900))
    assert answer["LOCATION"] == f"http://[fd91::1]:{PORT}/description.xml"
    assert source == "fd91::1"
    assert answer["01-NLS"] == answer["BOOTID.UPNP.ORG"]


def test_our_own_host_is_answered_too(lan: Lan, device: Device) -> None:
    for to in (GROUP, ("10.91.0.1", 1900)):
        answer, _ = search(lan.server, "10.91.0.1", to)
        assert answer["LOCATION"] == f"http://10.91.0.1:{PORT}/description.xml"


def test_a_source_on_no_attached_network_is_not_answered(lan: Lan, device: Device) -> None:
    lan.server.ip("route", "add", "198.51.100.0/24", "dev", "eth0")  # we could answer
    with lan.player.control_point("198.51.100.2") as sock:
        sock.sendto(m_search(UDN, mx=1), GROUP)
        sock.sendto(m_search(UDN, mx=1), ("10.91.0.1", 1900))
        assert silent(sock)


def test_nothing_goes_out_on_interfaces_that_were_not_given(lan: Lan) -> None:
    lan.far.ip("route", "add", "10.91.0.0/24", "via", "10.92.0.1")
    with lan.far.listener(seconds=1.5) as elsewhere, lan.player.listener() as here:
        with Device(lan.server, "eth0") as device:
            assert "10.92.0.1" not in device.serves()
            heard(here, "ssdp:alive")
            with lan.far.control_point("10.92.0.2") as sock:
                sock.sendto(m_search(UDN, mx=1), GROUP)
                sock.sendto(m_search(UDN, mx=1), ("10.92.0.1", 1900))
                sock.sendto(m_search(UDN, mx=1), ("10.91.0.1", 1900))
                assert silent(sock)
        heard(here, "ssdp:byebye")
        assert silent_but_searches(elsewhere)


def silent_but_searches(sock: socket.socket) -> bool:
    """Whether a listener heard nothing but the searches of its own host."""
    while True:
        try:
            message = sock.recv(4096)
        except TimeoutError:
            return True
        if not message.startswith(b"M-SEARCH"):
            return False


def test_a_new_address_leads_to_update_and_alive(lan: Lan, device: Device) -> None:
    with lan.far.listener() as far:
        old = f"http://10.92.0.1:{PORT}/description.xml"
        assert heard(far, "ssdp:alive", location=old)["BOOTID.UPNP.ORG"] == "100"
        lan.server.address("eth0", "10.93.0.1/24")
        update = heard(far, "ssdp:update")
        assert (update["BOOTID.UPNP.ORG"], update["NEXTBOOTID.UPNP.ORG"]) == ("100", "101")
        assert update["LOCATION"] == old
        assert heard(far, "ssdp:alive", location=old)["BOOTID.UPNP.ORG"] == "101"
    assert "10.93.0.1" in device.serves()
    lan.player.address("eth0", "10.93.0.2/24")
    answer, source = search(lan.player, "10.93.0.2")
    assert answer["LOCATION"] == f"http://10.93.0.1:{PORT}/description.xml"
    assert source == "10.93.0.1"


def test_an_address_that_goes_is_revoked_and_the_others_stay(lan: Lan, device: Device) -> None:
    lan.server.ip("address", "delete", "10.91.0.1/24", "dev", "eth0")
    while "10.91.0.1" in device.serves():
        pass
    answer, _ = search(lan.far, "10.92.0.2")
    assert answer["LOCATION"] == f"http://10.92.0.1:{PORT}/description.xml"
    device.stop()
    assert "interface gone name=eth0 address=10.91.0.1" in device.errors


def test_an_address_that_is_to_be_used_no_more_is_revoked_from_there(
    lan: Lan, device: Device
) -> None:
    with lan.player.listener("ff05::c") as site:
        heard(site, "ssdp:alive", location=f"http://[fd91::1]:{PORT}/description.xml")
        # Deprecated: it still works, but nothing new is to begin with it (RFC 4862 §5.5.4).
        lan.server.ip("address", "change", "fd91::1/64", "dev", "eth0", "preferred_lft", "0")
        while True:
            data, source = site.recvfrom(4096)
            if headers(data)["NTS"] == "ssdp:byebye" and "fd91::1" not in device.serves():
                break
        assert source[0] == "fd91::1"


def test_an_interface_that_comes_back_is_announced_and_searched_again(
    lan: Lan, device: Device
) -> None:
    lan.server.ip("link", "set", "eth1", "down")
    while "10.92.0.1" in device.serves():
        pass
    with lan.far.listener() as far:
        lan.server.ip("link", "set", "eth1", "up")
        location = f"http://10.92.0.1:{PORT}/description.xml"
        assert heard(far, "ssdp:alive", location=location)["BOOTID.UPNP.ORG"] == "101"
    answer, _ = search(lan.far, "10.92.0.2")
    assert answer["LOCATION"] == location


def test_byebye_is_heard_at_the_end(lan: Lan) -> None:
    with lan.player.listener() as near, lan.far.listener() as far:
        with Device(lan.server) as device:
            device.serves()
            for sock in (near, far):
                heard(sock, "ssdp:alive")
        for sock in (near, far):
            assert heard(sock, "ssdp:byebye")["BOOTID.UPNP.ORG"] == "100"


def test_a_host_without_ipv6_is_served(lan: Lan) -> None:
    lan.server.set("ipv6/conf/all/disable_ipv6", "1")
    with Device(lan.server) as device:
        assert device.serves() == ["10.91.0.1", "10.92.0.1"]
        answer, _ = search(lan.player, "10.91.0.2")
        assert answer["LOCATION"] == f"http://10.91.0.1:{PORT}/description.xml"
    assert "WARNING" not in device.errors


def subscribe(host: Host, callback: str) -> int:
    """The status of a SUBSCRIBE from a host."""

    def connect() -> socket.socket:
        return socket.create_connection(("10.91.0.1", PORT), timeout=PATIENCE)

    with host.inside(connect) as sock:
        sock.sendall(
            f"SUBSCRIBE /event HTTP/1.1\r\nHOST: 10.91.0.1:{PORT}\r\nCALLBACK: <{callback}>\r\n"
            "NT: upnp:event\r\nTIMEOUT: Second-300\r\n\r\n".encode()
        )
        return int(sock.recv(4096).split()[1])


def listening(host: Host, address: str) -> socket.socket:
    def make() -> socket.socket:
        return socket.create_server((address, 5000))

    sock = host.inside(make)
    sock.settimeout(PATIENCE)
    return sock


def test_events_go_to_the_subscriber(lan: Lan, device: Device) -> None:
    with listening(lan.player, "10.91.0.2") as subscriber:
        assert subscribe(lan.player, "http://10.91.0.2:5000/cb") == 200
        connection, source = subscriber.accept()
        with connection:
            connection.settimeout(PATIENCE)
            assert connection.recv(4096).startswith(b"NOTIFY /cb HTTP/1.1\r\n")
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        assert source[0] == "10.91.0.1"


@pytest.mark.parametrize("where", ["third", "far", "server"])
def test_a_callback_at_another_host_is_refused_and_nothing_arrives_there(
    where: str, lan: Lan, device: Device
) -> None:
    host, address = {
        "third": (lan.third, "10.91.0.3"),
        "far": (lan.far, "10.92.0.2"),
        "server": (lan.server, "10.91.0.1"),
    }[where]
    with listening(host, address) as victim:
        assert subscribe(lan.player, f"http://{address}:5000/cb") == 412
        victim.settimeout(1)
        with pytest.raises(TimeoutError):
            victim.accept()
