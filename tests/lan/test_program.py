"""The whole program on a host with several interfaces; network namespaces."""

import contextlib
import hashlib
import json
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.control_point import DC, DEVICE, DIDL, UPNP, ControlPoint
from tests.end_to_end.program import Program
from tests.lan.messages import headers, heard, search, search_all, silent
from tests.lan.network import Host, Lan, Network, made
from tests.lan.program import control_point, port_of, served, wait_until
from tests.make_media import picture, settle, sound
from tests.patience import PATIENCE

pytestmark = [
    pytest.mark.lan,
    pytest.mark.end_to_end,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("ip") is None, reason="ip (iproute2) is missing"),
]

MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"
ITEMS = 2


@pytest.fixture(scope="module")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A track with a cover, and one so long that it takes a while to fetch."""
    root = tmp_path_factory.mktemp("Media")
    sound(root / "short.flac", seconds=1, metadata={"title": "Short", "album": "Album"})
    sound(root / "long.wav", seconds=90)
    (root / "cover.jpg").write_bytes(picture(size=(300, 300)))
    return settle(root)


@contextmanager
def serving(lan: Lan, media_root: Path, home: Path) -> Iterator[Program]:
    """The program on every interface of the server, when it has scanned."""
    with served(media_root, host=lan.server, home=home) as program:
        point = control_point(lan.player, f"http://10.91.0.1:{program.port}/")
        scanned(program, point)
        point.close()
        yield program


def scanned(program: Program, point: ControlPoint) -> None:
    def look() -> bool:
        library = json.loads(point.get("/health"))["library"]
        return bool(library["items"] >= ITEMS and not library["scanning"])

    wait_until(program, look, "the scan")


@pytest.fixture
def program(lan: Lan, media_root: Path, tmp_path: Path) -> Iterator[Program]:
    with serving(lan, media_root, tmp_path / "home") as program:
        yield program


@pytest.fixture(scope="module")
def steady_lan() -> Iterator[Lan]:
    """For tests that leave it as they found it."""
    with made(f"steady{os.getpid()}") as network:
        yield Lan(network)


@pytest.fixture(scope="module")
def steady(
    steady_lan: Lan, media_root: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Program]:
    """Serves ``steady_lan`` all the time."""
    with serving(steady_lan, media_root, tmp_path_factory.mktemp("steady") / "home") as program:
        yield program


def location(address: str, program: Program) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{program.port}/description.xml"


def link_local(host: Host, interface: str) -> str:
    """The address the system has made for an interface (RFC 4862 §5.3)."""
    [found] = json.loads(host.run("ip", "-json", "-6", "address", "show", "dev", interface,
                                  "scope", "link"))  # fmt: skip
    return next(str(each["local"]) for each in found["addr_info"] if each)


# ---- LOCATION and URLs follow the interface (UDA 1.1 §1.2.2, §2.1)


@pytest.mark.parametrize(
    ("listens", "own", "group"),
    [
        ("player", "10.91.0.1", "239.255.255.250"),
        ("far", "10.92.0.1", "239.255.255.250"),
        ("player", "fd91::1", "ff05::c"),
        ("lonely", "link-local", "ff02::c"),
    ],
)
def test_each_link_is_told_the_address_that_works_there(
    listens: str, own: str, group: str, lan: Lan, media_root: Path, tmp_path: Path
) -> None:
    """A LOCATION has the source address of its message, IPv6 in brackets without zone id."""
    host: Host = lonely(lan) if listens == "lonely" else getattr(lan, listens)
    if own == "link-local":
        own = link_local(lan.server, "eth2")
    with host.listener(group) as listener:
        with served(media_root, host=lan.server, home=tmp_path / "home") as program:
            found: set[bytes] = set()
            while len(found) < 6:
                data, source = listener.recvfrom(4096)
                if b"ssdp:alive" in data:
                    assert source[0].partition("%")[0] == own
                    assert f"\r\nLOCATION: {location(own, program)}\r\n".encode() in data
                    found.add(data.partition(b"\r\nNT: ")[2].partition(b"\r\n")[0])
            point = control_point(host, location(own, program))
            assert point.description().findtext(f".//{DEVICE}UDN") == program.udn
            point.close()
        while b"ssdp:byebye" not in listener.recv(4096):
            pass


def lonely(lan: Lan) -> Host:
    """A host on a link where there is nothing but link-local addresses."""
    lan.network.bridge("br2")
    lan.server.plug("eth2", "br2")
    host = lan.network.host("lonely")
    host.plug("eth0", "br2")
    return host


def test_a_link_local_address_is_announced_to_nobody_beside_others(
    lan: Lan, media_root: Path, tmp_path: Path
) -> None:
    """Not every control point that hears ``http://[fe80::1]/`` can fetch it; it may ask for it."""
    with lan.player.listener("ff02::c") as link, lan.third.listener() as everybody:
        with served(media_root, host=lan.server, home=tmp_path / "home") as program:
            answer, _ = search(
                lan.player, link_local(lan.player, "eth0"), program.udn, ("ff02::c", 1900)
            )
            assert answer["LOCATION"] == location(link_local(lan.server, "eth0"), program)
            heard(everybody, "ssdp:alive")
        heard(everybody, "ssdp:byebye")
        link.settimeout(1)
        said = set()
        with contextlib.suppress(TimeoutError):
            while True:
                said.add(headers(link.recv(4096)).get("NTS"))
    assert said == {None, "ssdp:byebye"}


@pytest.mark.parametrize(
    ("asks", "source", "own"),
    [
        ("player", "10.91.0.2", "10.91.0.1"),
        ("player", "fd91::2", "fd91::1"),
        ("player", "link-local", "link-local"),
        ("far", "10.92.0.2", "10.92.0.1"),
    ],
)
def test_urls_of_an_answer_have_the_address_the_question_came_to(
    asks: str, source: str, own: str, steady_lan: Lan, steady: Program
) -> None:
    host: Host = getattr(steady_lan, asks)
    if own == "link-local":
        source, own = link_local(host, "eth0"), link_local(steady_lan.server, "eth0")
    answer, sender = search(
        host, source, steady.udn, ("ff02::c" if ":" in own else "239.255.255.250", 1900)
    )
    assert (sender, answer["LOCATION"]) == (own, location(own, steady))

    point = control_point(host, answer["LOCATION"])
    [track] = point.search("0", 'dc:title = "Short"').objects
    urls = [track.findtext(f"{DIDL}res"), track.findtext(f"{UPNP}albumArtURI")]
    for url in urls:
        assert url.startswith(location(own, steady).removesuffix("description.xml"))
        assert point.request(url, "HEAD").status == 200
    point.close()


@pytest.mark.parametrize("address", ["10.91.0.2", "fd91::2", "link-local"])
def test_events_reach_subscribers_of_every_kind_of_address(
    address: str, steady_lan: Lan, steady: Program
) -> None:
    own = {"10.91.0.2": "10.91.0.1", "fd91::2": "fd91::1"}.get(address)
    if own is None:
        address, own = link_local(steady_lan.player, "eth0"), link_local(steady_lan.server, "eth0")
    point = control_point(steady_lan.player, location(own, steady))
    events = EventListener(steady_lan.player, address, point)
    seq, body = events.next()
    assert seq == 0
    assert b"<SystemUpdateID>" in body
    events.close()
    point.close()


def test_addresses_that_were_made_up_serve_as_well(
    network: Network, media_root: Path, tmp_path: Path
) -> None:
    """Auto-IP (UDA 1.1 §0): hosts without DHCP have addresses of 169.254/16."""
    network.bridge("br0")
    server, player = network.host("server"), network.host("player")
    server.plug("eth0", "br0", "169.254.7.1/16")
    player.plug("eth0", "br0", "169.254.200.9/16")
    with served(media_root, host=server, home=tmp_path / "home") as program:
        answer, _ = search(player, "169.254.200.9", MEDIA_SERVER)
        assert answer["LOCATION"] == location("169.254.7.1", program)
        point = control_point(player, answer["LOCATION"])
        titles = [each.findtext(f"{DC}title") for each in point.browse("0").objects]
        assert "Music" in titles
        point.close()


# ---- Interfaces come and go (security.md F10)


class Stream:
    """A file that is fetched piece by piece, with little read ahead."""

    def __init__(self, host: Host, url: str) -> None:
        parts = urlsplit(url)

        def connect() -> socket.socket:
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            sock.settimeout(PATIENCE)
            assert parts.hostname is not None
            sock.connect((parts.hostname, parts.port))
            return sock

        self._sock = host.inside(connect)
        self._sock.sendall(f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
        self._file = self._sock.makefile("rb")
        head = b"".join(iter(self._file.readline, b"\r\n"))
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length is not None
        self._left = int(length[1])
        self._digest = hashlib.sha256()

    def read(self, octets: int) -> None:
        data = self._file.read(min(octets, self._left))
        assert data
        self._left -= len(data)
        self._digest.update(data)

    def rest(self) -> str:
        """The digest of the whole."""
        while self._left:
            self.read(1 << 20)
        self._file.close()
        self._sock.close()
        return self._digest.hexdigest()


class EventListener:
    """A subscriber of ContentDirectory that answers every event."""

    def __init__(self, host: Host, address: str, point: ControlPoint) -> None:
        version_6 = ":" in address
        scoped = f"{address}%eth0" if address.startswith("fe80:") else address

        def listen() -> socket.socket:
            place = socket.getaddrinfo(scoped, 5000, type=socket.SOCK_STREAM)[0][4]
            family = socket.AF_INET6 if version_6 else socket.AF_INET
            return socket.create_server(place, family=family)

        self._server = host.inside(listen)
        self._server.settimeout(PATIENCE)
        authority = f"[{address}]" if version_6 else address
        self._point = point
        self._url = point.service("ContentDirectory")["eventSubURL"]
        answer = point.request(
            self._url,
            "SUBSCRIBE",
            {"CALLBACK": f"<http://{authority}:5000/>", "NT": "upnp:event"},
        )
        assert answer.status == 200
        self.sid = answer.headers["sid"]

    def next(self) -> tuple[int, bytes]:
        """SEQ and body of the next event."""
        connection, _ = self._server.accept()
        with connection, connection.makefile("rb") as file:
            connection.settimeout(PATIENCE)
            head = b"".join(iter(file.readline, b"\r\n")).decode("ascii")
            found = dict(re.findall(r"(?m)^([A-Z-]+): (.*?)\r$", head))
            body = file.read(int(found["CONTENT-LENGTH"]))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        assert found["SID"] == self.sid
        return int(found["SEQ"]), body

    def close(self) -> None:
        self._point.request(self._url, "UNSUBSCRIBE", {"SID": self.sid})
        self._server.close()


def test_changes_on_one_interface_do_not_disturb_another(
    lan: Lan, program: Program, media_root: Path
) -> None:
    """UDA 1.1 §1.2.4: update on those that stay, byebye from an address that still works."""
    near = control_point(lan.player, location("10.91.0.1", program))
    [track] = near.search("0", 'dc:title = "long"').objects
    stream = Stream(lan.player, track.findtext(f"{DIDL}res"))
    stream.read(1 << 20)
    events = EventListener(lan.player, "10.91.0.2", near)
    assert events.next()[0] == 0

    with lan.player.listener() as listener:
        # Goes:
        lan.server.ip("link", "set", "eth1", "down")
        program.wait_for(lambda: "interface gone name=eth1" in program.log, "the loss of eth1")
        stream.read(1 << 20)
        # Comes back with another address:
        lan.server.ip("address", "delete", "10.92.0.1/24", "dev", "eth1")
        lan.server.address("eth1", "10.94.0.1/24")
        lan.server.ip("link", "set", "eth1", "up")
        here = location("10.91.0.1", program)
        update = heard(listener, "ssdp:update", location=here)
        boot_id = update["NEXTBOOTID.UPNP.ORG"]
        assert int(boot_id) > int(update["BOOTID.UPNP.ORG"])
        assert heard(listener, "ssdp:alive", location=here)["BOOTID.UPNP.ORG"] == boot_id
    stream.read(1 << 20)

    lan.far.address("eth0", "10.94.0.2/24")
    with lan.far.listener() as listener:
        heard(listener, "ssdp:alive", location=location("10.94.0.1", program))
    answer, _ = search(lan.far, "10.94.0.2", program.udn)
    assert answer["LOCATION"] == location("10.94.0.1", program)
    far = control_point(lan.far, answer["LOCATION"])
    assert far.description().findtext(f".//{DEVICE}UDN") == program.udn
    far.close()

    sound(media_root / "new.flac", seconds=1)
    try:
        seq, body = events.next()
        assert seq == 1
        assert b"SystemUpdateID" in body
    finally:
        (media_root / "new.flac").unlink()
    events.close()
    near.close()
    assert stream.rest() == hashlib.sha256((media_root / "long.wav").read_bytes()).hexdigest()


def test_an_address_that_is_not_wanted_any_more_is_revoked_from_there(
    lan: Lan, program: Program
) -> None:
    """RFC 4862 §5.5.4: a deprecated address still works, and nothing new is to begin with it."""
    with lan.player.listener("ff05::c") as listener:
        lan.server.ip("address", "change", "fd91::1/64", "dev", "eth0", "preferred_lft", "0")
        heard(listener, "ssdp:byebye")
    answer, _ = search(lan.player, "10.91.0.2", program.udn)
    assert answer["LOCATION"] == location("10.91.0.1", program)


def test_a_server_that_loses_its_network_is_there_again_with_it(lan: Lan, program: Program) -> None:
    for interface in ("eth0", "eth1"):
        lan.server.ip("link", "set", interface, "down")
    program.wait_for(
        lambda: "listening no longer address=10.92.0.1" in program.log, "the loss of all"
    )
    with lan.player.listener() as listener:
        for interface in ("eth0", "eth1"):
            lan.server.ip("link", "set", interface, "up")
        heard(listener, "ssdp:alive", location=location("10.91.0.1", program))
    point = control_point(lan.player, location("10.91.0.1", program))
    assert point.description().findtext(f".//{DEVICE}UDN") == program.udn
    point.close()


def test_a_server_without_network_waits_for_one(
    network: Network, media_root: Path, tmp_path: Path
) -> None:
    network.bridge("br0")
    server, player = network.host("server"), network.host("player")
    player.plug("eth0", "br0", "10.91.0.2/24")
    with served(media_root, host=server, home=tmp_path / "home", wait=False) as program:
        program.wait_for(lambda: "no network to serve yet" in program.log, "the warning")
        server.plug("eth0", "br0", "10.91.0.1/24")
        program.wait_until_ready()
        answer, _ = search(player, "10.91.0.2", MEDIA_SERVER)
        assert answer["LOCATION"] == location("10.91.0.1", program)


def test_a_server_that_waits_for_a_network_can_be_stopped(
    network: Network, media_root: Path, tmp_path: Path
) -> None:
    server = network.host("server")
    with served(media_root, host=server, home=tmp_path / "home", wait=False) as program:
        program.wait_for(lambda: "no network to serve yet" in program.log, "the warning")


# ---- Neighbours on the host, and strangers


def test_two_servers_on_one_host_are_both_found(
    steady_lan: Lan, steady: Program, media_root: Path, tmp_path: Path
) -> None:
    """They share port 1900; the end of one does not take the other away."""
    with served(media_root, host=steady_lan.server, home=tmp_path / "second") as second:
        answers = search_all(steady_lan.player, "10.91.0.2", MEDIA_SERVER, count=2)
        assert {each["USN"].partition("::")[0]: port_of(each["LOCATION"]) for each in answers} == {
            steady.udn: steady.port,
            second.udn: second.port,
        }
    answer, _ = search(steady_lan.player, "10.91.0.2", MEDIA_SERVER)
    assert answer["USN"].startswith(steady.udn)


def test_who_is_on_no_attached_network_gets_nothing(steady_lan: Lan, steady: Program) -> None:
    """security.md N9, section 2: neither an answer by UDP nor a page."""
    steady_lan.server.ip("route", "add", "198.51.100.0/24", "dev", "eth0")  # we could answer
    with steady_lan.player.control_point("198.51.100.2") as sock:
        sock.sendto(
            b'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\n'
            b"MX: 1\r\nST: ssdp:all\r\n\r\n",
            ("10.91.0.1", 1900),
        )
        assert silent(sock)

    def connect() -> socket.socket:
        return socket.create_connection(
            ("10.91.0.1", steady.port), 10, source_address=("198.51.100.2", 0)
        )

    with steady_lan.player.inside(connect) as sock:
        sock.sendall(b"GET /description.xml HTTP/1.0\r\n\r\n")
        try:
            answer = sock.recv(4096)
        except ConnectionResetError:
            answer = b""
        assert b"200 OK" not in answer


# ---- Control points that others wrote


@pytest.mark.skipif(shutil.which("gssdp-discover") is None, reason="gssdp-discover is missing")
def test_gssdp_discovers_the_server_on_every_link(steady_lan: Lan, steady: Program) -> None:
    """GSSDP, which GUPnP's control points use."""
    for host, own in ((steady_lan.third, "10.91.0.1"), (steady_lan.far, "10.92.0.1")):
        told = host.run(
            "gssdp-discover", "-i", "eth0", "-n", "3", "-t", MEDIA_SERVER, "-m", "available"
        )
        assert f"USN:      {steady.udn}::{MEDIA_SERVER}" in told
        assert f"Location: {location(own, steady)}" in told


def test_async_upnp_client_works_with_the_server_from_another_host(
    steady_lan: Lan, steady: Program
) -> None:
    """async_upnp_client, the control point of Home Assistant."""
    for host, source, own in (
        (steady_lan.player, "10.91.0.2", "10.91.0.1"),
        (steady_lan.far, "10.92.0.2", "10.92.0.1"),
    ):
        process = host.start("tests.lan.async_upnp", source)
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors
        assert json.loads(output) == {
            "locations": [location(own, steady)],
            "udn": steady.udn,
            "titles": ["Music", "Video", "Pictures", "Folders"],
            "evented": ["ContainerUpdateIDs", "SystemUpdateID"],
        }
