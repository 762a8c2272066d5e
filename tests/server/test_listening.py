"""Listening sockets, and the life of a server."""

import asyncio
import socket
from collections.abc import MutableMapping
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest

from mediaserver.server.admission import Admission
from mediaserver.server.listening import CannotListen, Endpoint, listen, listen_on_all
from mediaserver.server.serving import HttpServer
from tests.http_server import LOOPBACK, Receive, Send, ask, connected, echo, request, serving
from tests.patience import PATIENCE

ONE, TWO = Endpoint(LOOPBACK), Endpoint(IPv4Address("127.0.0.2"))
IPV6 = Endpoint(IPv6Address("::1"))

Scope = MutableMapping[str, Any]


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_port_0_is_one_free_port_for_all_addresses() -> None:
    wanted = [ONE, TWO, *([IPV6] if has_ipv6() else [])]
    sockets = listen_on_all(wanted, 0)
    try:
        ports = {sock.getsockname()[1] for sock in sockets.values()}
        assert len(ports) == 1
        assert ports != {0}
        assert list(sockets) == wanted
    finally:
        for sock in sockets.values():
            sock.close()


def test_a_port_in_use_is_told_in_words_and_nothing_stays_open() -> None:
    # Addresses that no other program uses: each has all ports to itself.
    free, busy = Endpoint(IPv4Address("127.8.200.1")), Endpoint(IPv4Address("127.8.200.2"))
    with listen(busy, 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotListen) as caught:
            listen_on_all([free, busy], port)
        assert str(caught.value) == (
            f"cannot listen on 127.8.200.2:{port}: the port is in use by another program"
        )
        listen(free, port).close()  # free again


def test_an_address_that_is_not_ours_is_told_in_words() -> None:
    # 192.0.2.0/24 is for documentation (RFC 5737).
    with pytest.raises(CannotListen, match="this machine does not have the address"):
        listen(Endpoint(IPv4Address("192.0.2.1")), 0)


def test_an_ipv6_address_stands_in_brackets() -> None:
    assert str(Endpoint(IPv6Address("2001:db8::1"))) == "[2001:db8::1]"


async def test_addresses_come_and_go_while_the_server_runs() -> None:
    async with serving(echo) as server:
        assert await server.set_endpoints([ONE, TWO]) == []
        _, writer = await asyncio.open_connection("127.0.0.2", server.port)
        writer.close()
        await writer.wait_closed()
        await server.set_endpoints([TWO])
        assert server.endpoints == (TWO,)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)


async def test_an_address_that_cannot_be_had_is_tried_again() -> None:
    async with serving(echo) as server:
        taken = listen(TWO, server.port)
        failures = await server.set_endpoints([ONE, TWO])
        assert [error.endpoint for error in failures] == [TWO]
        taken.close()
        assert await server.set_endpoints([ONE, TWO]) == []
        assert server.endpoints == (ONE, TWO)


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 on the loopback interface")
async def test_the_same_port_answers_over_ipv6() -> None:
    async with serving(echo, hosts=["::1"]) as server:
        await server.set_endpoints([ONE, IPV6])
        reader, writer = await asyncio.open_connection("::1", server.port)
        writer.write(f"GET /6 HTTP/1.1\r\nHost: [::1]:{server.port}\r\n\r\n".encode())
        assert b"200 OK" in await reader.readline()
        writer.close()
        await writer.wait_closed()


async def test_a_server_that_stops_lets_answers_be_finished() -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        started.set()
        await gate.wait()
        await echo(scope, receive, send)

    async with serving(slow) as server, connected(server) as client, connected(server) as idle:
        await client.send(request(server, "/last"))
        await started.wait()
        stopping = asyncio.ensure_future(server.stop(grace=5.0))
        assert await idle.rest() == b""
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", server.port)
        gate.set()
        answer = await client.answer()
        assert (answer.body, answer.header("Connection")) == (b"GET /last ", "close")
        await stopping


async def test_a_server_that_stops_waits_no_longer_than_its_grace() -> None:
    started = asyncio.Event()

    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        started.set()
        await asyncio.Event().wait()

    async with serving(stuck) as server, connected(server) as client:
        await client.send(request(server))
        await started.wait()
        async with asyncio.timeout(PATIENCE):
            await server.stop(grace=0.05)
        assert await client.rest() == b""


async def test_a_server_can_be_named_in_every_answer() -> None:
    admission = Admission(hostname="nas")
    admission.set_interfaces([LOOPBACK], [])
    server = HttpServer(echo, admission=admission, server_name="Linux/6 UPnP/1.0 x/1")
    await server.start([ONE], 0)
    try:
        assert (await ask(server)).header("Server") == "Linux/6 UPnP/1.0 x/1"
        refused = await ask(server, "http://evil.example/")
        assert refused.header("Server") == "Linux/6 UPnP/1.0 x/1"
    finally:
        await server.stop()
