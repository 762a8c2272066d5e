"""Files to sockets: every byte, and nothing left behind (security.md T6, F6)."""

import asyncio
import errno
import os
import random
import socket
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mediaserver.server import sending
from mediaserver.server.serving import HttpServer
from tests.http_server import Receive, Send, ask, connected, request, serving
from tests.server.timing import Time, until, until_full

Scope = MutableMapping[str, Any]

SIZES = [0, 1, 65536, sending.SMALL, sending.SMALL + 1, 3_000_001]


class Serving:
    """An application that answers ``/OFFSET-COUNT`` with a stretch of a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.open = 0
        self.start: dict[str, object] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        offset, count = map(int, scope["path"][1:].split("-"))
        descriptor = os.open(self.path, os.O_RDONLY)
        self.open += 1
        try:
            headers = [(b"Content-Length", b"%d" % count)]
            await send(
                {"type": "http.response.start", "status": 200, "headers": headers, **self.start}
            )
            await send(stretch(descriptor, offset, count))
        finally:
            os.close(descriptor)
            self.open -= 1


def stretch(file: int, offset: int, count: int, *, more: bool = False) -> dict[str, object]:
    return {
        "type": "http.response.zerocopysend",
        "file": file,
        "offset": offset,
        "count": count,
        "more_body": more,
    }


CONTENT = random.Random(7).randbytes(4_000_000)  # noqa: S311 - any bytes do


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    return path


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("offset", [0, 999_999])
async def test_a_stretch_of_a_file_arrives_byte_for_byte(
    path: Path, offset: int, count: int
) -> None:
    expected = CONTENT[offset : offset + count]
    async with serving(Serving(path)) as server, connected(server) as client:
        for _ in range(2):
            await client.send(request(server, f"/{offset}-{count}"))
            assert (await client.answer()).body == expected


@pytest.fixture
def no_sendfile(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system that has no sendfile."""

    def refuse(*arguments: object) -> int:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "sendfile", refuse)


@pytest.mark.usefixtures("no_sendfile")
@pytest.mark.parametrize("count", SIZES)
async def test_where_there_is_no_sendfile_the_same_bytes_arrive(path: Path, count: int) -> None:
    async with serving(Serving(path)) as server:
        answer = await ask(server, f"/7-{count}")
        assert answer.body == CONTENT[7 : 7 + count]


async def test_what_is_not_in_memory_is_read_in_a_thread(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def not_in_memory(*arguments: object) -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "preadv", not_in_memory)
    async with serving(Serving(path)) as server:
        assert (await ask(server, "/0-1000")).body == CONTENT[:1000]


async def test_stretches_and_text_can_alternate(path: Path) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with path.open("rb") as file:
            headers = [(b"Content-Length", b"700006")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"abc", "more_body": True})
            await send(stretch(file.fileno(), 5, 500_000, more=True))
            await send({"type": "http.response.body", "body": b"xyz", "more_body": True})
            await send(stretch(file.fileno(), 0, 200_000))

    async with serving(app) as server:
        answer = await ask(server)
        assert answer.body == b"abc" + CONTENT[5:500_005] + b"xyz" + CONTENT[:200_000]


async def test_a_slow_receiver_gets_every_byte(path: Path) -> None:
    async with serving(Serving(path)) as server, connected(server) as client:
        small_buffer(client.writer)
        await client.send(request(server, "/0-4000000"))
        assert (await client.answer()).body == CONTENT


def small_buffer(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)


async def test_an_answer_behind_one_that_is_not_taken_yet_keeps_its_place(path: Path) -> None:
    large = bytes(8 << 20)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/text":
            headers = [(b"Content-Length", b"%d" % len(large))]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": large})
        else:
            await Serving(path)(scope, receive, send)

    async with serving(app) as server, connected(server) as client:
        await client.send(request(server, "/text") + request(server, "/0-1000000"))
        assert (await client.answer()).body == large
        assert (await client.answer()).body == CONTENT[:1_000_000]


async def test_head_sends_nothing_of_a_file(path: Path) -> None:
    async with serving(Serving(path)) as server, connected(server) as client:
        await client.send(request(server, "/0-3000000", method="HEAD"))
        assert (await client.answer("HEAD")).header("Content-Length") == "3000000"
        await client.send(request(server, "/0-3"))
        assert (await client.answer()).body == CONTENT[:3]


@pytest.mark.parametrize("count", [sending.SMALL - 1, 1_000_000])
async def test_a_file_that_ends_early_ends_the_connection(
    path: Path, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    # security.md F6: never pad, never send other bytes.
    offset = len(CONTENT) - 1000
    async with serving(Serving(path)) as server, connected(server) as client:
        await client.send(request(server, f"/{offset}-{count}"))
        received = await client.rest()
        _, _, content = received.partition(b"\r\n\r\n")
        assert CONTENT[offset:].startswith(content)
        assert "it has become shorter" in caplog.text


@asynccontextmanager
async def stalled(server: HttpServer, time: Time, size: int) -> AsyncIterator[None]:
    async with connected(server) as client:
        client.pause()
        await client.send(request(server, f"/0-{size}"))
        await until_full(time)
        yield


@pytest.fixture
def huge(tmp_path: Path) -> Path:
    """Larger than all buffers on the way; sparse."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    return path


async def test_a_receiver_that_goes_away_leaves_nothing_open(huge: Path) -> None:
    time, app = Time(), Serving(huge)
    async with serving(app, now=time.now) as time.server:
        async with stalled(time.server, time, 64 << 20):
            assert app.open == 1
        await until(lambda: app.open == 0)


async def test_a_receiver_that_takes_nothing_is_cut_off_in_the_middle_of_a_file(
    huge: Path,
) -> None:
    time, app = Time(), Serving(huge)
    async with serving(app, now=time.now) as time.server, stalled(time.server, time, 64 << 20):
        await time.passes(61)
        await until(lambda: app.open == 0)


async def test_a_paused_player_keeps_its_connection_for_as_long_as_the_answer_says(
    huge: Path,
) -> None:
    time, app = Time(), Serving(huge)
    app.start = {"stall_seconds": 600.0}
    async with serving(app, now=time.now) as time.server, stalled(time.server, time, 64 << 20):
        await time.passes(590)
        assert app.open == 1


async def test_a_server_that_stops_closes_what_it_was_sending(huge: Path) -> None:
    time, app = Time(), Serving(huge)
    async with serving(app, now=time.now) as time.server, stalled(time.server, time, 64 << 20):
        await time.server.stop(grace=0.0)
        assert app.open == 0


async def test_packets_are_marked_for_one_answer_and_not_for_the_next(path: Path) -> None:
    # DLNAQOS_2 is DSCP 0x28, TOS byte 0xA0 (dlna-http 7).
    app = Serving(path)
    async with serving(app) as server, connected(server) as client:
        for start, expected in (({"traffic_class": 0xA0}, 0xA0), ({}, 0)):
            app.start = dict(start)
            await client.send(request(server, "/0-1000"))
            await client.answer()
            (connection,) = server._state.connections
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == expected
