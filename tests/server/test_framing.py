"""What is no request, or one that two readers might understand differently (RFC 9112, N13)."""

import asyncio
import random
import re

import pytest

from mediaserver.server.serving import HttpServer
from tests.http_server import ask, connected, echo, request, serving

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


async def statuses(server: HttpServer, data: bytes) -> list[bytes]:
    """The status codes of everything that comes back until the connection is closed."""
    async with connected(server) as client:
        await client.send(data)
        received = await client.rest()
    return [part[:3] for part in received.split(b"HTTP/1.1 ")[1:]]


def post(*lines: bytes, body: bytes = b"") -> bytes:
    return b"\r\n".join([b"POST / HTTP/1.1", b"Host: 127.0.0.1", *lines, b"", body])


AMBIGUOUS = {
    "length and coding": post(
        b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "coding and length": post(
        b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n"
    ),
    "two lengths": post(b"Content-Length: 3", b"Content-Length: 4", body=b"abcd"),
    "one length twice": post(b"Content-Length: 3", b"Content-Length: 3", body=b"abc"),
    "a list of lengths": post(b"Content-Length: 3, 3", body=b"abc"),
    "a signed length": post(b"Content-Length: +3", body=b"abc"),
    "a negative length": post(b"Content-Length: -3", body=b"abc"),
    "a length in hexadecimal": post(b"Content-Length: 0x3", body=b"abc"),
    "an empty length": post(b"Content-Length:", body=b"abc"),
    "a space before the colon": post(b"Content-Length : 3", body=b"abc"),
    "a folded line": post(b"X: a", b" b", body=b""),
    "bare LF": b"GET / HTTP/1.1\nHost: 127.0.0.1\n\n",
    "bare LF between headers": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\nX: y\r\n\r\n",
    "CR in a value": post(b"X: a\rb"),
    "NUL in a value": post(b"X: a\0b"),
    "a chunk size with prefix": post(
        b"Transfer-Encoding: chunked", body=b"0x3\r\nabc\r\n0\r\n\r\n"
    ),
    "a negative chunk size": post(b"Transfer-Encoding: chunked", body=b"-3\r\nabc\r\n0\r\n\r\n"),
    "an endless chunk size": post(
        b"Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\nabc\r\n0\r\n\r\n"
    ),
    "chunks ended by LF": post(b"Transfer-Encoding: chunked", body=b"3\nabc\n0\n\n"),
    "more in a chunk than it says": post(
        b"Transfer-Encoding: chunked", body=b"3\r\nabcd\r\n0\r\n\r\n"
    ),
    "two codings": post(
        b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "two hosts": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "a fragment": b"GET /a#b HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a path of raw bytes": b"GET /\xc3\xa4 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "a version that is none": b"GET / HTTP/1.2\r\nHost: 127.0.0.1\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("data", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
async def test_an_ambiguous_message_is_400_and_what_follows_is_not_read(data: bytes) -> None:
    async with serving(echo) as server:
        assert await statuses(server, data + SMUGGLED) == [b"400"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), b"501"),
        (post(b"Content-Encoding: gzip", b"Content-Length: 3", body=b"abc"), b"415"),
        (post(b"Expect: 200-ok", b"Content-Length: 3", body=b"abc"), b"417"),
        (b"FROBNICATE / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"501"),
        (b"CONNECT 127.0.0.1:80 HTTP/1.1\r\nHost: 127.0.0.1:80\r\n\r\n", b"405"),
        (b"GET / HTTP/2.0\r\nHost: 127.0.0.1\r\n\r\n", b"505"),
        (b"GET /\r\n\r\n", b"505"),
    ],
    ids=["coding", "compressed", "expectation", "method", "CONNECT", "HTTP/2.0", "HTTP/0.9"],
)
async def test_what_we_do_not_speak_is_refused_by_its_own_status(
    data: bytes, status: bytes
) -> None:
    async with serving(echo) as server:
        assert await statuses(server, data + SMUGGLED) == [status]


async def test_a_request_already_being_answered_is_answered_before_a_bad_one_ends_all() -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(request(server, "/good") + b"BAD\r\n\r\n" + SMUGGLED)
        assert (await client.answer()).body == b"GET /good "
        assert await client.rest() == b""


async def test_garbage_in_the_body_of_a_request_gets_one_answer() -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(post(b"Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"))
        await client.send(b"oops\r\n" + SMUGGLED)
        assert (await client.answer()).status == 400
        assert await client.rest() == b""


async def test_trailers_are_read_and_not_used() -> None:
    # RFC 9110 §6.5.1: a recipient may discard them, and must not merge framing fields.
    body = b"3\r\nabc\r\n0\r\nHost: evil.example\r\nX: y\r\n\r\n"
    async with serving(echo) as server, connected(server) as client:
        await client.send(post(b"Transfer-Encoding: chunked", body=body))
        assert (await client.answer()).body == b"POST / abc"
        await client.send(request(server, "/next"))
        assert (await client.answer()).body == b"GET /next "


async def test_an_upgrade_is_declined_and_the_connection_goes_on() -> None:
    # RFC 9110 §7.8: a server may ignore Upgrade. Java's HttpClient asks with every request.
    upgrade = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    async with serving(echo) as server, connected(server) as client:
        await client.send(request(server, "/a", *upgrade) + request(server, "/b"))
        assert (await client.answer()).body == b"GET /a "
        assert (await client.answer()).body == b"GET /b "


async def test_an_error_tells_nothing_of_the_request() -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(b"GET /<script> HTTP/1.1\r\nHost: evil.example\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.body) == (421, b"Misdirected Request\n")
        assert answer.header("Content-Type") == "text/plain"


GOOD = [
    b"GET /a?b=c HTTP/1.1\r\nHost: localhost\r\nUser-Agent: x\r\n\r\n",
    b"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\nhello world",
    b"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nT: t\r\n\r\n",
    b"GET http://localhost/ HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
]


def damaged(dice: random.Random) -> bytes:
    """A few good requests with some bytes changed, left out or put in."""
    data = bytearray(b"".join(dice.choices(GOOD, k=3)))
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(data))
        match dice.randrange(3):
            case 0:
                data[at] = dice.randrange(256)
            case 1:
                del data[at : at + dice.randint(1, 5)]
            case 2:
                data[at:at] = dice.choice([b"\r\n", b"\n", b" ", b":", b"\0", b"99", b"\xff"])
    return bytes(data)


async def test_whatever_comes_the_answers_are_whole_and_the_server_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    dice = random.Random(11)  # noqa: S311 - the same damage in every run
    async with serving(echo) as server:
        for _ in range(300):
            data = damaged(dice)
            cut = dice.randrange(len(data))
            async with connected(server) as client:
                await client.send(data[:cut])
                await asyncio.sleep(0)
                await client.send(data[cut:])
                client.writer.write_eof()
                received = await client.rest()
            while received:
                head, end, received = received.partition(b"\r\n\r\n")
                assert re.fullmatch(rb"HTTP/1\.1 [1-5][0-9]{2} .*", head.partition(b"\r\n")[0])
                assert end
                length = re.search(rb"\r\nContent-Length: ([0-9]+)", head)
                assert length is not None
                assert len(received) >= int(length[1])
                received = received[int(length[1]) :]
        assert (await ask(server, "/still")).body == b"GET /still "
    assert [record for record in caplog.records if record.exc_info] == []
