"""Requests and responses between the wire and the application."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from tests.http_server import App, Receive, Send, ask, connected, echo, request, serving
from tests.patience import PATIENCE

Scope = MutableMapping[str, Any]


def answering(*messages: dict[str, Any]) -> App:
    """An application that sends these messages."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def start(*headers: tuple[bytes, bytes], status: int = 200, **more: object) -> dict[str, Any]:
    return {"type": "http.response.start", "status": status, "headers": list(headers), **more}


def body(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.response.body", "body": data, "more_body": more}


async def test_header_names_go_out_as_they_are_spelled() -> None:
    # Some devices compare letters (dlna-http 2).
    headers = [(b"contentFeatures.dlna.org", b"*"), (b"EXT", b""), (b"X-aBc", b"1")]
    app = answering(start(*headers, (b"Content-Length", b"2")), body(b"ok"))
    async with serving(app) as server:
        names = [name for name, _ in (await ask(server)).headers]
        assert names == ["contentFeatures.dlna.org", "EXT", "X-aBc", "Content-Length", "Date"]


async def test_names_all_in_lower_case_get_the_spelling_of_their_specification() -> None:
    names = (
        b"content-type",
        b"etag",
        b"sid",
        b"ext",
        b"transfermode.dlna.org",
        b"www-authenticate",
    )
    app = answering(start(*((name, b"x") for name in names)), body(b""))
    async with serving(app) as server:
        answer = await ask(server)
        assert [name for name, _ in answer.headers][:6] == [
            "Content-Type", "ETag", "SID", "EXT", "transferMode.dlna.org", "WWW-Authenticate",
        ]  # fmt: skip


@pytest.mark.parametrize(
    "value", [b"a\r\nSet-Cookie: b=c", b"a\nb", b"a\rb", b"a\0b", b"a\r\n", b"\n"]
)
async def test_a_header_with_a_line_break_is_never_sent(
    value: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    # security.md N17
    async with serving(answering(start((b"X", value)), body(b""))) as server:
        answer = await ask(server)
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert answer.header("Set-Cookie") is None


async def test_a_body_of_unknown_length_is_chunked_for_http_1_1() -> None:
    # RFC 9112 §7.1
    app = answering(start(), body(b"ab", more=True), body(b"", more=True), body(b"cd"))
    async with serving(app) as server, connected(server) as client:
        await client.send(request(server))
        answer = await client.answer()
        assert (answer.header("Transfer-Encoding"), answer.body) == ("chunked", b"abcd")
        await client.send(request(server))
        assert (await client.answer()).status == 200


async def test_http_1_0_gets_an_http_1_1_status_line_and_the_end_of_the_connection() -> None:
    # DLNA 7.5.4.3.2.7.2; RFC 9112 §6.3: without length and chunks the end is the end.
    async with serving(answering(start(), body(b"abcd"))) as server, connected(server) as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        received = await client.rest()
        head, _, content = received.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nConnection: close" in head
        assert b"Transfer-Encoding" not in head
        assert content == b"abcd"


@pytest.mark.parametrize("status", [204, 304])
async def test_answers_that_have_no_body_get_none(status: int) -> None:
    app = answering(start(status=status), body(b"not sent"))
    async with serving(app) as server, connected(server) as client:
        await client.send(request(server) + request(server))
        for _ in range(2):
            assert (await client.answer()).status == status


async def test_head_is_answered_like_get_without_its_body() -> None:
    app = answering(start((b"Content-Length", b"4")), body(b"abcd"))
    async with serving(app) as server, connected(server) as client:
        await client.send(request(server, method="HEAD") + request(server))
        assert (await client.answer("HEAD")).header("Content-Length") == "4"
        assert (await client.answer()).body == b"abcd"


async def test_pipelined_requests_are_answered_in_their_order() -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(
            b"".join([request(server, f"/{n}", method="POST", body=b"%d" % n) for n in range(1, 9)])
        )
        for n in range(1, 9):
            assert (await client.answer()).body == b"POST /%d %d" % (n, n)


async def test_a_request_in_single_bytes_is_understood() -> None:
    async with serving(echo) as server, connected(server) as client:
        for byte in request(server, "/slow", method="POST", body=b"abc"):
            await client.send(bytes([byte]))
        assert (await client.answer()).body == b"POST /slow abc"


async def test_connection_close_is_honoured() -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(request(server, "/", "Connection: close"))
        assert (await client.answer()).header("Connection") == "close"
        assert await client.rest() == b""


async def test_a_client_that_closes_its_side_still_gets_its_answer() -> None:
    # RFC 9112 §9.6: half a close is not the end.
    gate = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await gate.wait()
        await send(start((b"Content-Length", b"4")))
        await send(body(b"late"))

    async with serving(app) as server, connected(server) as client:
        await client.send(request(server))
        client.writer.write_eof()
        asyncio.get_running_loop().call_later(0.05, gate.set)
        assert (await client.answer()).body == b"late"


async def test_100_is_sent_when_the_application_asks_for_the_body() -> None:
    # RFC 9110 §10.1.1
    async with serving(echo) as server, connected(server) as client:
        lines = ("Expect: 100-continue", "Content-Length: 3")
        await client.send(request(server, "/", *lines, method="POST"))
        assert (await client.answer()).status == 100
        await client.send(b"abc")
        assert (await client.answer()).body == b"POST / abc"


async def test_no_100_comes_before_an_answer_that_needs_no_body() -> None:
    app = answering(start((b"Content-Length", b"2"), status=404), body(b"no"))
    async with serving(app) as server, connected(server) as client:
        await client.send(
            request(server, "/", "Expect: 100-continue", "Content-Length: 3", method="POST")
        )
        assert (await client.answer()).status == 404


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        ("/a/b?c=d", "/a/b", b"c=d"),
        ("/%2e%2e/%C3%A4", "/../ä", b""),
        ("//x", "//x", b""),
        ("/a?b?c", "/a", b"b?c"),
        ("http://127.0.0.1/a?b", "/a", b"b"),
        ("http://127.0.0.1", "/", b""),
        ("*", "*", b""),
    ],
)
async def test_a_target_becomes_path_and_query(target: str, path: str, query: bytes) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await send(start((b"Content-Length", b"0")))
        await send(body(b""))

    async with serving(app) as server:
        await ask(server, target, "X-Custom: Value", method="OPTIONS")
        assert (seen[0]["path"], seen[0]["query_string"]) == (path, query)
        assert (b"x-custom", b"Value") in seen[0]["headers"]
        assert seen[0]["server"] == ("127.0.0.1", server.port)
        assert seen[0]["client"][0] == "127.0.0.1"


async def test_an_application_that_fails_is_500_without_its_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # security.md N19
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise RuntimeError("secret path /volume1")

    async with serving(app) as server:
        answer = await ask(server)
        assert (answer.status, answer.body) == (500, b"Internal Server Error")
        assert "secret path" in caplog.text


async def test_an_application_that_fails_in_its_answer_breaks_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # security.md F6: the receiver must notice that something is missing.
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start((b"Content-Length", b"10")))
        await send(body(b"abc", more=True))
        raise RuntimeError

    async with serving(app) as server, connected(server) as client:
        await client.send(request(server))
        received = await client.rest()
        assert b"Internal Server Error" not in received
        assert not received.endswith(b"\r\n\r\n0123456789")


async def test_what_is_sent_in_parts_leaves_at_once() -> None:
    # Server-sent events: each has to arrive before the next is there.
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"", more=True))
        for number in range(3):
            await gates[number].wait()
            await send(body(b"event %d" % number, more=True))
        await send(body(b""))

    gates = [asyncio.Event() for _ in range(3)]
    async with serving(app) as server, connected(server) as client:
        await client.send(request(server))
        async with asyncio.timeout(PATIENCE):
            assert b"200 OK" in await client.reader.readuntil(b"\r\n\r\n")
            for number, gate in enumerate(gates):
                gate.set()
                assert await client.reader.readuntil(b"event %d\r\n" % number)
        assert await client.reader.readuntil(b"0\r\n\r\n")


@pytest.mark.parametrize("size", [1, 65536])
async def test_an_application_that_never_waits_hears_that_its_client_has_gone(size: int) -> None:
    ended = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await send(start())
            while True:
                await send(body(bytes(size), more=True))
        finally:
            ended.set()

    async with serving(app) as server:
        async with connected(server) as client:
            await client.send(request(server))
            await client.reader.readexactly(15)
        async with asyncio.timeout(PATIENCE):
            await ended.wait()


async def test_half_a_close_behind_pipelined_requests_does_not_lose_their_answers() -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(request(server, "/a") + request(server, "/b") + request(server, "/c"))
        client.writer.write_eof()
        received = await client.rest()
        assert [name in received for name in (b"GET /a ", b"GET /b ", b"GET /c ")] == [True] * 3


async def test_a_client_of_http_1_0_is_not_told_to_continue() -> None:
    # RFC 9110 §10.1.1
    async with serving(echo) as server, connected(server) as client:
        head = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
        await client.send(head + b"abc")
        assert (await client.answer()).body == b"POST / abc"


async def test_an_application_hears_that_its_client_has_gone() -> None:
    heard = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        heard.set()

    async with serving(app) as server:
        async with connected(server) as client:
            await client.send(request(server, "/", "Content-Length: 100", method="POST"))
        async with asyncio.timeout(PATIENCE):
            await heard.wait()
