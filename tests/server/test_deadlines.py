"""How long a peer may take (security.md 2, N15). Time passes only when a test says so."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from tests.http_server import Receive, Send, connected, echo, request, serving
from tests.patience import PATIENCE
from tests.server.timing import Time, until_full, until_open

Scope = MutableMapping[str, Any]


async def test_a_new_connection_may_say_nothing_for_15_seconds() -> None:
    time = Time()
    async with serving(echo, now=time.now) as time.server, connected(time.server) as client:
        await until_open(time.server, 1)
        await time.passes(14)
        assert time.server.connections == 1
        await time.passes(2)
        assert await client.rest() == b""


async def test_a_head_may_take_10_seconds_however_often_something_comes() -> None:
    time = Time()
    async with serving(echo, now=time.now) as time.server, connected(time.server) as client:
        for piece in (b"G", b"ET / HTTP/1.1\r\n", b"X: a\r\n", b"Y: b\r\n"):
            await client.send(piece)
            await time.passes(3)
        answer = await client.answer()
        assert (answer.status, answer.header("Connection")) == (408, "close")


async def test_a_body_may_take_15_seconds_however_often_something_comes() -> None:
    time = Time()
    async with serving(echo, now=time.now) as time.server, connected(time.server) as client:
        await client.send(request(time.server, "/", "Content-Length: 100", method="POST"))
        for _ in range(4):
            await client.send(b"x")
            await time.passes(4)
        assert (await client.answer()).status == 408


async def test_a_request_in_time_is_answered_and_may_be_followed_by_30_seconds_of_silence() -> None:
    time = Time()
    async with serving(echo, now=time.now) as time.server, connected(time.server) as client:
        for _ in range(3):
            await client.send(request(time.server)[:-2])
            await time.passes(9)
            await client.send(b"\r\n")
            assert (await client.answer()).status == 200
            await time.passes(29)
        assert time.server.connections == 1
        await time.passes(2)
        assert await client.rest() == b""


async def test_an_application_may_take_its_time() -> None:
    time = Time()
    gate = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.wait()
        await echo(scope, receive, send)

    async with serving(slow, now=time.now) as time.server, connected(time.server) as client:
        await client.send(request(time.server))
        await time.passes(1000)
        gate.set()
        assert (await client.answer()).status == 200


def endless(**start: object) -> Any:
    """An application whose answer never ends."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [], **start})
        while True:
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": True})

    return app


async def test_a_receiver_that_takes_nothing_for_60_seconds_is_cut_off() -> None:
    time = Time()
    async with serving(endless(), now=time.now) as time.server, connected(time.server) as client:
        client.pause()
        await client.send(request(time.server))
        await until_full(time)
        await time.passes(58)
        assert time.server.connections == 1
        await time.passes(3)
        await until_open(time.server, 0)


async def test_a_receiver_that_takes_a_little_now_and_then_is_not_cut_off() -> None:
    time = Time()
    async with serving(endless(), now=time.now) as time.server, connected(time.server) as client:
        await client.send(request(time.server))
        for _ in range(5):
            client.pause()
            await until_full(time)
            await time.passes(40)
            client.resume()
            await client.reader.readexactly(16 << 20)
        assert time.server.connections == 1


async def test_an_answer_can_ask_for_patience_with_a_paused_player() -> None:
    # DLNA connection stalling: dlna-http 7.
    time = Time()
    app = endless(stall_seconds=600.0)
    async with serving(app, now=time.now) as time.server, connected(time.server) as client:
        client.pause()
        await client.send(request(time.server))
        await until_full(time)
        await time.passes(590)
        assert time.server.connections == 1
        await time.passes(20)
        await until_open(time.server, 0)


async def test_an_idle_connection_whose_last_answer_is_not_taken_is_cut_off_too() -> None:
    time = Time()

    async def large(scope: Scope, receive: Receive, send: Send) -> None:
        data = bytes(32 << 20)
        headers = [(b"Content-Length", b"%d" % len(data))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": data})

    async with serving(large, now=time.now) as time.server, connected(time.server) as client:
        client.pause()
        await client.send(request(time.server))
        await until_full(time)
        await time.passes(61)
        await until_open(time.server, 0)


async def test_a_refused_peer_that_does_not_close_is_cut_off_after_2_seconds() -> None:
    time = Time()
    async with serving(echo, now=time.now) as time.server, connected(time.server) as client:
        await client.send(b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        assert (await client.answer()).status == 421
        await time.passes(1)
        assert time.server.connections == 1
        await time.passes(2)
        await until_open(time.server, 0)


async def test_a_look_at_the_deadlines_that_fails_is_not_the_last(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("mediaserver.server.serving.LOOK_SECONDS", 0)
    looks: list[str] = []
    looked_again = asyncio.Event()

    def look() -> None:
        looks.append("")
        if len(looks) == 1:
            raise RuntimeError("unthought of")
        looked_again.set()

    async with serving(echo) as server:
        monkeypatch.setattr(server, "look", look)
        await asyncio.wait_for(looked_again.wait(), PATIENCE)
    assert [record.levelname for record in caplog.records] == ["ERROR"]
