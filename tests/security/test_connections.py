"""N13 to N16, T3, T6: connections that are odd, slow, many, or given up."""

import contextlib
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.end_to_end.program import Program
from tests.make_media import settle
from tests.security.conftest import Besieged, cpu_seconds, descriptors, limit_descriptors
from tests.security.paths import streams
from tests.security.wire import ask, connected, request, responses, rest, talk

pytestmark = pytest.mark.end_to_end

SMUGGLED = b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
"""A whole request; taken for one, it would be answered with 200."""
FRAMINGS = {
    "length and chunks": b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 0\r\nContent-Length: 42\r\n\r\n",
    "the same length twice": b"Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
    "a list of lengths": b"Content-Length: 0, 42\r\n\r\n",
    "a signed length": b"Content-Length: +0\r\n\r\n",
    "a negative length": b"Content-Length: -1\r\n\r\n",
    "a hexadecimal length": b"Content-Length: 0x0\r\n\r\n",
    "a length with a blank": b"Content-Length: 0 0\r\n\r\n",
    "a length in other digits": "Content-Length: ٠\r\n\r\n".encode(),
    "a length beyond 64 bits": b"Content-Length: 18446744073709551616\r\n\r\n",
    "a blank before the colon": b"Content-Length : 0\r\n\r\n",
    "a blank before a name": b" Content-Length: 0\r\n\r\n",
    "a folded line": b"X: y\r\n z\r\n\r\n",
    "a bare LF": b"X: y\n\r\n",
    "LF at all ends": b"X: y\n\n",
    "a bare CR": b"X: y\rZ: z\r\n\r\n",
    "a NUL": b"X: y\0z\r\n\r\n",
    "no name": b": y\r\n\r\n",
    "no colon": b"Transfer-Encoding\r\n\r\n",
    "a name that is none": b"Transf\xc3\xa9r: y\r\n\r\n",
    "another coding": b"Transfer-Encoding: gzip\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunks in two lines": b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "chunks and another": b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "xchunked": b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked with a tab": b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "a chunk that is no number": b"Transfer-Encoding: chunked\r\n\r\nx\r\n\r\n",
    "a chunk of a negative size": b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "a chunk in 0x": b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
    "a chunk with a sign": b"Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n",
    "a chunk beyond 64 bits": b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
    "a chunk that is longer": b"Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n",
    "a chunk ended by LF": b"Transfer-Encoding: chunked\r\n\r\n0\n\n",
}


@pytest.mark.parametrize("version", [b"1.1", b"1.0"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_no_second_request_is_read_out_of_one(
    besieged: Besieged, framing: str, version: bytes
) -> None:
    """N13 (CVE-2023-33476, CVE-2025-43859); RFC 9112 §6.3, §11.2."""
    head = b"POST /no/such/thing HTTP/%b\r\nHost: 127.0.0.1\r\n" % version

    answered = responses(talk(besieged.program.port, head + FRAMINGS[framing] + SMUGGLED))

    assert [answer.status for answer in answered] in ([400], [413], [501])


@pytest.mark.parametrize(
    "line",
    [
        b"GET /health HTTP/2.0",
        b"GET /health HTTP/0.9",
        b"GET /health HTTP/1.2",
        b"GET /health HTTP/1.10",
        b"GET /health HTTP/11",
        b"GET /health http/1.1",
        b"GET /health",
        b"GET /health HTTP/1.1 x",
        b"GET\t/health\tHTTP/1.1",
        b" GET /health HTTP/1.1",
        b"GET /he\x00alth HTTP/1.1",
        b"GET /he\x7falth HTTP/1.1",
        b"GET /he\xffalth HTTP/1.1",
        b"PRI * HTTP/2.0\r\n\r\nSM",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x00" * 100,
    ],
)
def test_a_line_that_is_none_gets_one_refusal_and_the_end(besieged: Besieged, line: bytes) -> None:
    data = talk(besieged.program.port, line + b"\r\nHost: 127.0.0.1\r\n\r\n" + SMUGGLED)

    assert [answer.status for answer in responses(data)] in ([400], [404], [501], [505])


def test_ranges_of_all_kinds_take_no_time(
    besieged: Besieged, urls: dict[str, tuple[str, str]]
) -> None:
    """T3 (CVE-2011-3192, CVE-2025-62727): an answer is never longer than the file and a bit."""
    _, path = urls["media"]
    whole = ask(besieged.program, path).body
    size = len(whole)
    started = time.monotonic()
    for value in (
        "bytes=" + ",".join(f"{n}-" for n in range(1000)),
        "bytes=" + "0-," * 2000,
        "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8,9-9",
        "bytes=" + " " * 4000 + "0-1",
        "bytes=--1",
        "bytes=-0",
        "bytes=1-0",
        "bytes=+0-1",
        "bytes=0_0-1",
        "bytes=٠-١".encode().decode("latin-1"),
        f"bytes={2**63}-",
        f"bytes=0-{2**64}",
        f"bytes={'9' * 4000}-",
        "bytes=a-b",
        "bytes",
        "bytes=",
        "items=0-1",
        "BYTES=0-1",
        "bytes=0-1\tx",
    ):
        answer = ask(besieged.program, path, f"Range: {value}")
        assert answer.status in (200, 206, 416), value
        assert len(answer.body) <= size + 1000
        if answer.status == 200:
            assert answer.body == whole
        if answer.status == 416:
            assert answer.headers["content-range"] == f"bytes */{size}"
    assert time.monotonic() - started < 20


@pytest.mark.parametrize(
    "value", ["npt=0-", "npt=-1-", "npt=1e9-", "npt=9" * 1500, "x", "", "npt=0:0:0-0:99:99"]
)
@pytest.mark.parametrize(
    "name", ["TimeSeekRange.dlna.org", "PlaySpeed.dlna.org", "transferMode.dlna.org"]
)
def test_dlna_s_own_headers_do_no_harm(
    besieged: Besieged, urls: dict[str, tuple[str, str]], name: str, value: str
) -> None:
    answer = ask(besieged.program, urls["media"][1], f"{name}: {value}")

    assert answer.status in (200, 400, 406)


# ---- slow and many


@contextlib.contextmanager
def many(
    program: Program, count: int, begin: bytes, *, sources: int = 8
) -> Iterator[list[socket.socket]]:
    """Connections that send a beginning and nothing more, from so many hosts."""
    with ExitStack() as ends:
        opened = []
        for number in range(count):
            source = f"127.0.0.{2 + number % sources}"
            sock = ends.enter_context(connected(program.port, source=source))
            with contextlib.suppress(ConnectionError):
                sock.sendall(begin)
            opened.append(sock)
        yield opened


def alive(sockets: list[socket.socket]) -> int:
    """How many of them have not been closed by the program."""
    readable, _, _ = select.select(sockets, [], [], 0)
    return len(sockets) - len(readable)


@pytest.mark.parametrize(
    "begin",
    [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nX: ",
        b"POST /service/ContentDirectory/control HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        b"Content-Length: 1000\r\n\r\nx",
    ],
)
def test_hundreds_of_slow_clients_delay_nobody(besieged: Besieged, begin: bytes) -> None:
    """N15."""
    with many(besieged.program, 300, begin):
        started = time.monotonic()
        for _ in range(20):
            assert ask(besieged.program, "/health").status == 200
        assert time.monotonic() - started < 20


def test_one_host_has_64_connections_and_then_its_longest_idle_one_gives_way(
    besieged: Besieged,
) -> None:
    """N16: and no other host is any worse for it."""
    program = besieged.program
    with connected(program.port) as neighbour, many(program, 64, b"", sources=1) as first:
        assert alive(first) == 64
        with many(program, 10, SMUGGLED, sources=1) as later:
            for sock in later:
                assert sock.recv(12) == b"HTTP/1.1 200"
            program.wait_for(lambda: alive(first) == 54, "ten to be closed")
        neighbour.sendall(SMUGGLED)
        assert neighbour.recv(12) == b"HTTP/1.1 200"


def test_busy_connections_keep_their_place_and_the_next_one_is_closed(besieged: Besieged) -> None:
    program = besieged.program
    with many(program, 64, b"GET / HTTP/1.1\r\nX: ", sources=1) as busy:
        program.wait_for(lambda: connections(program) >= 64, "64 connections")
        with many(program, 5, SMUGGLED, sources=1) as later:
            for sock in later:
                assert rest(sock) == b""
        assert alive(busy) == 64


def test_no_more_than_512_connections_are_kept(besieged: Besieged) -> None:
    """N16."""
    program = besieged.program
    with many(program, 600, b"", sources=15) as opened:
        assert ask(program, "/health").status == 200
        program.wait_for(lambda: alive(opened) <= 512, "88 connections closed")
        assert connections(program) <= 513
        assert ask(program, "/health").status == 200


def connections(program: Program) -> int:
    """Of the figures of the program itself."""
    for line in ask(program, "/metrics").body.decode().splitlines():
        if line.startswith("mediaserver_http_connections "):
            return int(float(line.split()[1]))
    raise AssertionError("no such figure")


def test_one_host_fetches_16_files_at_a_time(large: Besieged) -> None:
    """security.md 2: and no other host waits for it."""
    program, path = large.program, large_path(large)
    asked = request(program.port, path)
    with many(program, 16, asked, sources=1) as streams:
        for sock in streams:
            assert sock.recv(12) == b"HTTP/1.1 200"
        with connected(program.port, source="127.0.0.2") as another:
            another.sendall(asked)
            assert another.recv(12) == b"HTTP/1.1 503"
        with connected(program.port, source="127.0.0.3") as neighbour:
            neighbour.sendall(asked)
            assert neighbour.recv(12) == b"HTTP/1.1 200"


def test_hundreds_of_aborted_streams_leave_nothing_open(large: Besieged) -> None:
    """T6."""
    program, path = large.program, large_path(large)
    asked = request(program.port, path)
    ask(program, "/health")
    program.wait_for(lambda: connections(program) == 1, "the end of all others")
    before = descriptors(program)
    for number in range(300):
        with connected(program.port, source=f"127.0.1.{1 + number % 200}") as sock:
            sock.sendall(asked)
            assert sock.recv(12) == b"HTTP/1.1 200"
            if number % 2:  # reset instead of closed
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    program.wait_for(lambda: connections(program) == 1, "the end of all streams")
    program.wait_for(lambda: descriptors(program) <= before + 2, "descriptors closed")


@pytest.fixture
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Besieged]:
    """A program with one file that does not fit into the buffers of a socket."""
    root = tmp_path_factory.mktemp("large")
    with (root / "large.wav").open("wb") as file:
        file.write(b"RIFF")
        file.truncate(64 << 20)
    settle(root)
    with Program(root, home=tmp_path_factory.mktemp("home")) as program:
        program.wait_until_scanned(items=1)
        yield Besieged(program, root, {})


def large_path(large: Besieged) -> str:
    (path,) = streams(large.program)
    return path


# ---- descriptors


def test_running_out_of_descriptors_harms_only_those_who_come_then(
    besieged: Besieged,
) -> None:
    """N16, F9: no spinning, no end; and afterwards all is as before."""
    program = besieged.program
    before = limit_descriptors(program, descriptors(program) + 3)
    try:
        with many(program, 30, b"", sources=1):
            used = cpu_seconds(program)
            select.select([], [], [], 1.0)  # long enough to see it spin
            assert cpu_seconds(program) - used < 0.5
    finally:
        limit_descriptors(program, before)
    assert ask(program, "/health").status == 200


def test_a_scan_without_descriptors_forgets_nothing(media_root: Path, home: Path) -> None:
    """F9: what cannot be looked at is unknown, not deleted."""
    with Program(media_root, home=home) as program:
        program.wait_until_scanned(items=3)
        scans = program.log.count("scan ")
        before = limit_descriptors(program, descriptors(program))
        try:
            program.process.send_signal(1)
            program.wait_for(lambda: program.log.count("scan ") > scans, "a scan")
        finally:
            limit_descriptors(program, before)
        assert program.wait_until_scanned()["items"] == 3
