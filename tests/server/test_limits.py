"""Sizes and numbers beyond which a request is refused (security.md 2, N14)."""

import asyncio

import pytest

from mediaserver.server.limits import Limits
from mediaserver.server.serving import HttpServer
from tests.http_server import Client, ask, connected, echo, request, serving
from tests.upnp.fakes import FakeClock

SMALL = Limits(body=1000)


async def test_a_target_of_8_kib_is_taken_and_a_longer_one_is_414() -> None:
    async with serving(echo) as server:
        longest = "/" + "a" * (8 * 1024 - 1)
        assert (await ask(server, longest)).status == 200
        assert (await ask(server, longest + "a")).status == 414


async def test_a_header_of_8_kib_is_taken_and_a_longer_one_is_431() -> None:
    async with serving(echo) as server:
        # Name, colon, space, value, CRLF.
        longest = "X: " + "a" * (8 * 1024 - 5)
        assert (await ask(server, "/", longest)).status == 200
        assert (await ask(server, "/", longest + "a")).status == 431


async def test_a_hundred_headers_are_taken_and_one_more_is_431() -> None:
    async with serving(echo) as server:
        lines = [f"X-{number}: y" for number in range(99)]  # and Host
        assert (await ask(server, "/", *lines)).status == 200
        assert (await ask(server, "/", *lines, "X: y")).status == 431


async def test_more_than_32_kib_of_headers_are_431() -> None:
    async with serving(echo) as server:
        assert (await ask(server, "/", *["X: " + "a" * 6000] * 5)).status == 200
        assert (await ask(server, "/", *["X: " + "a" * 6000] * 6)).status == 431


@pytest.mark.parametrize(
    ("start", "status"), [(b"GET /", 414), (b"GET / HTTP/1.1\r\nX: ", 431)], ids=["line", "header"]
)
async def test_an_endless_head_is_not_collected(start: bytes, status: int) -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(start)
        received, sent = await flood(client, b"a" * 16384, limit=8 << 20)
        assert received == status
        assert sent < 8 << 20


async def flood(client: Client, data: bytes, limit: int) -> tuple[int, int]:
    """Send again and again until an answer comes; its status, and how many bytes were sent."""
    sent = 0
    answer = asyncio.ensure_future(client.answer())
    while not answer.done() and sent < limit:
        client.writer.write(data)
        await asyncio.wait([answer], timeout=0.001)
        sent += len(data)
    return (await answer).status, sent


async def test_a_body_of_256_kib_is_taken_and_a_longer_one_is_413() -> None:
    async with serving(echo) as server:
        body = b"x" * (256 << 10)
        assert (await ask(server, method="POST", body=body)).body == b"POST / " + body
        assert (await ask(server, method="POST", body=body + b"x")).status == 413


async def test_a_long_body_is_refused_before_it_is_sent() -> None:
    async with serving(echo) as server, connected(server) as client:
        line = "Content-Length: 99999999"
        await client.send(request(server, "/", line, "Expect: 100-continue", method="POST"))
        assert (await client.answer()).status == 413


async def test_chunks_count_as_what_they_hold() -> None:
    async with serving(echo, limits=SMALL) as server, connected(server) as client:
        await client.send(request(server, "/", "Transfer-Encoding: chunked", method="POST"))
        for _ in range(11):
            await client.send(b"64\r\n" + b"x" * 100 + b"\r\n")
        assert (await client.answer()).status == 413


async def test_chunks_of_next_to_nothing_and_endless_trailers_are_cut_off() -> None:
    async with serving(echo, limits=SMALL) as server, connected(server) as client:
        await client.send(request(server, "/", "Transfer-Encoding: chunked", method="POST"))
        await client.send(b"0\r\n")
        received, sent = await flood(client, b"X: y\r\n" * 1000, limit=8 << 20)
        assert received == 413
        assert sent < 8 << 20


async def test_the_answer_to_a_refused_body_arrives_though_the_body_keeps_coming() -> None:
    async with serving(echo) as server, connected(server) as client:
        await client.send(request(server, "/", "Content-Length: 900000", method="POST"))
        for _ in range(9):
            await client.send(b"x" * 100_000)
        answer = await client.answer()
        assert (answer.status, answer.header("Connection")) == (413, "close")


async def open_connections(server: HttpServer, count: int) -> list[Client]:
    """Connections on each of which a request has been answered."""
    clients = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        clients.append(Client(reader, writer))
        await clients[-1].send(request(server))
        await clients[-1].answer()
    return clients


async def test_the_connection_that_idles_longest_gives_way_to_a_new_one() -> None:
    clock = FakeClock()
    limits = Limits(connections_per_host=3)
    async with serving(echo, limits=limits, now=clock) as server:
        clients = []
        for _ in range(3):
            clients += await open_connections(server, 1)
            await clock.advance(1)
        await clients[0].send(request(server))
        await clients[0].answer()
        newest = await open_connections(server, 1)
        assert await clients[1].rest() == b""  # closed: the other two spoke later
        assert server.connections == 3
        for client in (clients[0], clients[2], *newest):
            await client.send(request(server, "/still"))
            assert (await client.answer()).body == b"GET /still "
        for client in clients + newest:
            await client.close()


async def test_connections_that_are_busy_do_not_give_way() -> None:
    async with serving(echo, limits=Limits(connections=2)) as server:
        clients = await open_connections(server, 2)
        for client in clients:
            await client.send(b"GET / HTTP/1.1\r\n")
        # Each has sent part of a request; the third host has to come again.
        await settled(server)
        async with connected(server) as third:
            assert await third.rest() == b""
        for client in clients:
            await client.send(f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode())
            assert (await client.answer()).status == 200
            await client.close()


async def settled(server: HttpServer) -> None:
    """Return when the server has read what was sent to it, through loopback and its loop."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    client = Client(reader, writer)
    await client.rest()
    await client.close()


async def test_too_many_pipelined_requests_end_the_connection() -> None:
    async with serving(echo, limits=Limits(pipelined=4)) as server, connected(server) as client:
        await client.send(request(server) * 20)
        received = await client.rest()
        assert received.count(b"HTTP/1.1 200") == 5  # one being answered, four waiting
