"""Searching and asking on the loopback interface, with real sockets."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediaserver.app.doctor import others, probing, server
from mediaserver.app.doctor.probing import MEDIA_SERVER, Answer, Probe
from mediaserver.upnp import ssdp
from mediaserver.upnp.discovery import Discovery
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.multicast import MulticastNetwork
from mediaserver.web import health, machine
from tests.leaks import nothing_left
from tests.upnp.fakes import TARGETS, UDN
from tests.upnp.http_server import serving
from tests.upnp.test_on_loopback import free_port
from tests.web.statuses import RICH

LO = Interface("lo", 1, ip_address("127.0.0.1"), 8)
LOCATION = "http://127.0.0.1:8200/description.xml"
NO_SUCH_ADDRESS = Interface("lo", 1, ip_address("192.0.2.5"), 24)


# ---- searching


@asynccontextmanager
async def announced(port: int) -> AsyncIterator[None]:
    """A media server on the loopback interface."""
    discovery = Discovery(
        TARGETS,
        server="Linux/6.1 UPnP/1.0 mediaserver/1.0",
        boot_id=1,
        config_id=1,
        location=lambda interface: LOCATION,
        network=MulticastNetwork(port=port),
    )
    discovery.start([LO])
    try:
        yield
    finally:
        await discovery.stop()


async def test_a_server_is_found_by_multicast_and_by_unicast() -> None:
    port = free_port()
    async with nothing_left(), announced(port):
        [found] = await probing.probe([LO], UDN, seconds=1.8, port=port)
    ours = Answer(
        ssdp.Response(UDN, UDN, LOCATION, "Linux/6.1 UPnP/1.0 mediaserver/1.0"), LO.address
    )
    assert ours in found.multicast
    assert ours in found.unicast
    assert MEDIA_SERVER in {each.response.st for each in found.multicast}
    assert (found.loop_heard, found.error, found.listening_error) == (True, None, None)
    assert found.heard == []  # our own announcements are nobody else's


async def test_without_a_server_our_own_search_is_heard_all_the_same() -> None:
    async with nothing_left():
        [found] = await probing.probe([LO], None, seconds=0.2, port=free_port())
    assert found.loop_heard
    assert (found.multicast, found.unicast) == ([], [])


async def test_an_address_that_is_gone_is_an_error_of_its_own() -> None:
    async with nothing_left():
        gone, here = await probing.probe([NO_SUCH_ADDRESS, LO], UDN, seconds=0.2, port=free_port())
    assert gone.error == "Cannot assign requested address"
    assert here.error is None


async def test_a_port_that_is_not_shared_is_told() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as selfish:
        selfish.bind(("", 0))
        [found] = await probing.probe([LO], UDN, seconds=0.2, port=selfish.getsockname()[1])
    assert found.listening_error == "Address already in use"


# ---- asking


Answering = Callable[[Request], Response]


@asynccontextmanager
async def web(**paths: Answering) -> AsyncIterator[int]:
    """Answers at ``/name`` for each keyword; ``_`` stands for a dot."""
    routes = [Route("/" + name.replace("_", "."), answering) for name, answering in paths.items()]
    async with serving(Starlette(routes=routes)) as port:
        yield port


def body(content: bytes, status: int = 200) -> Answering:
    return lambda request: Response(content, status)


async def test_the_running_server_tells_what_it_knows() -> None:
    async with web(
        health=body(health.document(RICH)), status_json=body(machine.document(RICH))
    ) as port:
        found = await server.find([NO_SUCH_ADDRESS, LO], port)
    assert found is not None
    assert (found.udn, found.port, found.version) == (RICH.udn, port, RICH.version)
    assert found.unreadable == RICH.library.unreadable
    assert found.scanning
    assert found.status == RICH


@pytest.mark.parametrize("status", [body(b"", 403), body(b"{}"), body(b"\xff")])
async def test_a_server_that_tells_less_is_a_server_too(status: Answering) -> None:
    async with web(health=body(health.document(RICH)), status_json=status) as port:
        found = await server.find([LO], port)
    assert found is not None
    assert found.status is None


@pytest.mark.parametrize("answer", [b"", b"[]", b"{}", json.dumps({"udn": 1}).encode()])
async def test_another_program_is_no_server_of_ours(answer: bytes) -> None:
    async with web(health=body(answer)) as port:
        assert await server.find([LO], port) is None


async def test_knocking_tells_who_answers() -> None:
    async with web(**{"description_xml": body(f"<UDN>{UDN}</UDN>".encode())}) as port:
        knock = await server.knock(LO, port)
    assert knock.answer is not None
    assert (knock.answer.status, knock.answer.udn) == (200, UDN)
    assert (await server.knock(LO, port)).refused  # it has ended


async def test_what_is_not_http_is_told() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        writer.close()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with listening:
        knock = await server.knock(LO, listening.sockets[0].getsockname()[1])
    assert "not HTTP" in str(knock.error)


async def test_who_never_answers_is_not_waited_for() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        knock = await server.knock(LO, silent.getsockname()[1], seconds=0.1)
    assert knock.error == "no answer in time"
    assert time.monotonic() - began < 30


# ---- other media servers


def heard(location: str, *, udn: str = "uuid:other", source: str = "127.0.0.1") -> Probe:
    answer = Answer(
        ssdp.Response(MEDIA_SERVER, f"{udn}::{MEDIA_SERVER}", location), ip_address(source)
    )
    return Probe(LO, multicast=[answer])


NAMED = body("<root><device><friendlyName> Müller &amp; Co </friendlyName>".encode())


async def test_another_server_is_asked_for_its_name() -> None:
    async with web(d_xml=NAMED) as port:
        found = await others.ask([heard(f"http://127.0.0.1:{port}/d.xml")], UDN)
    assert [each.friendly_name for each in found] == ["Müller & Co"]


@pytest.mark.parametrize(
    ("location", "udn", "source"),
    [
        ("http://127.0.0.1:{port}/d.xml", UDN, "127.0.0.1"),  # ourselves
        ("http://127.0.0.1:{port}/d.xml", "uuid:other", "127.0.0.9"),  # a third party
        ("https://127.0.0.1:{port}/d.xml", "uuid:other", "127.0.0.1"),
        ("http://localhost:{port}/d.xml", "uuid:other", "127.0.0.1"),
        ("http://[", "uuid:other", "127.0.0.1"),
    ],
)
async def test_nobody_else_is_asked(location: str, udn: str, source: str) -> None:
    asked = []

    def note(request: Request) -> Response:
        asked.append(request)
        return Response(b"")

    async with web(d_xml=note) as port:
        probe = heard(location.format(port=port), udn=udn, source=source)
        assert await others.ask([probe], UDN) == []
    assert asked == []
