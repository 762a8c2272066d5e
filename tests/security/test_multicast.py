"""N9 to N12: what anybody on the network can send to port 1900 of the running program."""

import random
import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.end_to_end.program import Program
from tests.patience import PATIENCE
from tests.security.conftest import Besieged, cpu_seconds, descriptors, limit_descriptors
from tests.security.wire import ask

pytestmark = pytest.mark.end_to_end

GROUP = ("239.255.255.250", 1900)


@contextmanager
def on_loopback() -> Iterator[socket.socket]:
    """A control point on the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(PATIENCE)
        yield sock


def search(target: str, mx: int = 1) -> bytes:
    return (
        f"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
        f'MAN: "ssdp:discover"\r\nMX: {mx}\r\nST: {target}\r\n\r\n'
    ).encode()


def is_found(program: Program) -> None:
    """Fails unless the program answers a proper search, by its own uuid: others may listen too."""
    with on_loopback() as sock:
        for _ in range(20):  # UDP may lose some, and others may have used up the limit
            sock.sendto(search(program.udn), GROUP)
            readable, _, _ = select.select([sock], [], [], 3.0)
            if readable:
                answer = sock.recv(4096)
                assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
                assert program.udn.encode() in answer
                return
    raise AssertionError("no answer")


def silence(sock: socket.socket, program: Program, seconds: float) -> int:
    """How many bytes come from this program within some time."""
    deadline = time.monotonic() + seconds
    total = 0
    while (left := deadline - time.monotonic()) > 0:
        readable, _, _ = select.select([sock], [], [], left)
        if readable:
            data = sock.recv(4096)
            if program.udn.encode() in data:
                total += len(data)
    return total


BROKEN = (
    b"",
    b"\x00" * 2000,
    b"\xff" * 2048,
    b"M-SEARCH",
    b"M-SEARCH * HTTP/1.1\r\n\r\n",
    search("ssdp:all").replace(b"MX: 1", b"MX: -1"),
    search("ssdp:all").replace(b"MX: 1", b"MX: 1e9"),
    search("ssdp:all").replace(b"MX: 1", b"MX: " + b"9" * 1000),
    search("ssdp:all").replace(b"MX: 1\r\n", b""),
    search("ssdp:all").replace(b'MAN: "ssdp:discover"\r\n', b""),
    search("ssdp:all").replace(b"ssdp:discover", b"ssdp:other"),
    search("ssdp:all").replace(b" * ", b" /evil "),
    search("ssdp:all").replace(b"HTTP/1.1", b"HTTP/9.9"),
    search(""),
    search("uuid:" + "a" * 1500),
    search("%s%n%x" * 50),
    search("ssdp:all") + b"x" * 3000,
    b"NOTIFY * HTTP/1.1\r\n" + b"NT: x\r\n" * 200 + b"\r\n",
    b"HTTP/1.1 200 OK\r\nLOCATION: http://127.0.0.1:1/\r\nST: ssdp:all\r\n\r\n",
)


def test_whatever_a_datagram_is_the_next_search_is_answered(besieged: Besieged) -> None:
    """N10 (CVE-2012-5958 to 5965, CVE-2020-13848)."""
    rng = random.Random(3)  # noqa: S311 - the same each time
    with on_loopback() as sock:
        for data in BROKEN:
            sock.sendto(data, GROUP)
        for _ in range(500):
            message = bytearray(search("ssdp:all"))
            for _ in range(rng.randrange(1, 6)):
                message[rng.randrange(len(message))] = rng.randrange(256)
            sock.sendto(message[: rng.randrange(len(message) + 1)], GROUP)
    is_found(besieged.program)


def test_what_is_no_proper_search_gets_no_answer(besieged: Besieged) -> None:
    program = besieged.program
    with on_loopback() as sock:
        for data in (*BROKEN, search("uuid:00000000-0000-0000-0000-000000000000")):
            sock.sendto(data, GROUP)

        assert silence(sock, program, 1.5) == 0


def test_a_flood_of_searches_is_answered_little_and_costs_little(besieged: Besieged) -> None:
    """N9: no weapon against whoever a source address belongs to."""
    program = besieged.program
    with on_loopback() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        used = cpu_seconds(program)
        sent = 0
        for _ in range(3000):
            sent += sock.sendto(search("ssdp:all", mx=5), GROUP)
        answered = silence(sock, program, 2.0)
        assert answered < sent / 4
        assert cpu_seconds(program) - used < 1.5
        assert ask(program, "/health").status == 200


def test_no_location_is_ever_fetched(besieged: Besieged) -> None:
    """N11 (CVE-2018-13415 to 13417)."""
    program = besieged.program
    with socket.create_server(("127.0.0.1", 0)) as listener, on_loopback() as sock:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/description.xml"
        for kind in ("ssdp:alive", "ssdp:update"):
            for nt in ("upnp:rootdevice", "urn:schemas-upnp-org:device:MediaRenderer:1"):
                message = (
                    f"NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nNT: {nt}\r\n"
                    f"CACHE-CONTROL: max-age=1800\r\nNTS: {kind}\r\nLOCATION: {url}\r\n"
                    f"USN: uuid:11111111-1111-1111-1111-111111111111::{nt}\r\n\r\n"
                )
                sock.sendto(message.encode(), GROUP)
        is_found(program)  # so the others have been read as well
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_a_forged_byebye_of_ours_ends_nothing(besieged: Besieged) -> None:
    """N12."""
    program = besieged.program
    with on_loopback() as sock:
        for nt in ("upnp:rootdevice", program.udn):
            usn = program.udn if nt == program.udn else f"{program.udn}::{nt}"
            message = (
                "NOTIFY * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
                f"NT: {nt}\r\nNTS: ssdp:byebye\r\nUSN: {usn}\r\n\r\n"
            )
            sock.sendto(message.encode(), GROUP)
    program.wait_for(lambda: "byebye in our name" in program.log, "the log to tell of it")
    assert ask(program, "/description.xml").status == 200
    is_found(program)


def test_a_search_is_answered_while_descriptors_are_used_up(besieged: Besieged) -> None:
    """N16: discovery needs no new ones."""
    program = besieged.program
    before = limit_descriptors(program, descriptors(program))
    try:
        is_found(program)
    finally:
        limit_descriptors(program, before)
