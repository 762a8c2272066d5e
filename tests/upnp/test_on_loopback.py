"""Discovery and eventing with real sockets on the loopback interface, seen by async_upnp_client."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address

import pytest
from async_upnp_client.advertisement import SsdpAdvertisementListener
from async_upnp_client.aiohttp import AiohttpNotifyServer, AiohttpRequester
from async_upnp_client.client import UpnpService, UpnpStateVariable
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.search import SsdpSearchListener
from async_upnp_client.utils import CaseInsensitiveDict
from starlette.applications import Starlette

from mediaserver import urls
from mediaserver.upnp import description, ssdp
from mediaserver.upnp.discovery import Discovery
from mediaserver.upnp.eventing import Eventing
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.multicast import MulticastNetwork
from tests.leaks import nothing_left
from tests.patience import PATIENCE
from tests.upnp.http_server import serving
from tests.upnp.switch import SERVER, STATUS, TYPE, Switch

LO = Interface("lo", 1, ip_address("127.0.0.1"), 8)
GROUP = "239.255.255.250"


def free_port() -> int:
    """Of UDP; not 1900, as other programs of this computer are none of a test's business."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@dataclass
class Lamp:
    """A switch on the loopback interface: description, eventing, discovery."""

    switch: Switch
    discovery: Discovery
    http_port: int
    ssdp_port: int

    @property
    def location(self) -> str:
        return f"http://127.0.0.1:{self.http_port}/description.xml"


@pytest.fixture
async def lamp() -> AsyncIterator[Lamp]:
    """Not announced yet."""
    async with nothing_left():
        switch, ssdp_port = Switch(), free_port()
        eventing = Eventing(server=SERVER, interfaces=lambda: (LO,))
        app = Starlette(
            routes=[
                *description.routes(switch.device, urls, server=SERVER),
                eventing.route(urls.event("SwitchPower"), switch.service),
            ]
        )
        async with serving(app) as http_port:
            discovery = Discovery(
                ssdp.targets(switch.device),
                server=SERVER,
                boot_id=1,
                config_id=1,
                # async_upnp_client does not believe in a LOCATION on loopback.
                location=lambda interface: "http://192.0.2.5:8200/description.xml",
                network=MulticastNetwork(port=ssdp_port),
            )
            yield Lamp(switch, discovery, http_port, ssdp_port)
            await discovery.stop()
            await eventing.stop()


class Heard:
    """Messages that a control point heard, to be waited for."""

    def __init__(self) -> None:
        self.messages: asyncio.Queue[CaseInsensitiveDict] = asyncio.Queue()

    def __call__(self, headers: CaseInsensitiveDict) -> None:
        self.messages.put_nowait(headers)

    async def wait(self) -> CaseInsensitiveDict:
        async with asyncio.timeout(PATIENCE):
            return await self.messages.get()

    async def all(self, count: int) -> set[str]:
        """The USNs of so many different messages."""
        found: set[str] = set()
        while len(found) < count:
            found.add((await self.wait())["usn"])
        return found


async def search(lamp: Lamp, target: str, heard: Heard, *, host: str = GROUP) -> SsdpSearchListener:
    connected = asyncio.Event()
    listener = SsdpSearchListener(
        callback=heard,
        source=("127.0.0.1", 0),
        target=(host, lamp.ssdp_port),
        timeout=1,
        search_target=target,
        connect_callback=connected.set,
    )
    await listener.async_start()
    await connected.wait()
    listener.async_search()
    return listener


async def test_a_search_by_multicast_is_answered_to_the_asker(lamp: Lamp) -> None:
    lamp.discovery.start([LO])
    heard = Heard()
    listener = await search(lamp, "upnp:rootdevice", heard)
    answer = await heard.wait()
    listener.async_stop()
    assert answer["st"] == "upnp:rootdevice"
    assert answer["usn"] == f"{lamp.switch.device.udn}::upnp:rootdevice"
    assert answer["location"] == "http://192.0.2.5:8200/description.xml"
    assert answer["_port"] == lamp.ssdp_port  # as firewalls of control points want it


async def test_a_search_for_all_is_answered_once_for_each_target(lamp: Lamp) -> None:
    lamp.discovery.start([LO])
    heard = Heard()
    listener = await search(lamp, "ssdp:all", heard)
    usns = await heard.all(4)
    listener.async_stop()
    assert usns == {target.usn for target in ssdp.targets(lamp.switch.device)}


async def test_a_search_by_unicast_is_answered(lamp: Lamp) -> None:
    lamp.discovery.start([LO])
    heard = Heard()
    listener = await search(lamp, TYPE, heard, host="127.0.0.1")
    answer = await heard.wait()
    listener.async_stop()
    assert answer["st"] == TYPE


async def test_alive_and_byebye_are_heard_and_our_own_come_back(lamp: Lamp) -> None:
    alive, byebye = Heard(), Heard()
    listener = SsdpAdvertisementListener(
        on_alive=alive,
        on_byebye=byebye,
        source=("127.0.0.1", 0),
        target=(GROUP, lamp.ssdp_port),
    )
    await listener.async_start()
    expected = {target.usn for target in ssdp.targets(lamp.switch.device)}
    lamp.discovery.start([LO])
    assert await byebye.all(4) == expected  # of an earlier life
    assert await alive.all(4) == expected
    assert list(lamp.discovery.heard_ourselves()) == [LO]
    await lamp.discovery.stop()
    assert await byebye.all(4) == expected
    await listener.async_stop()


class Events:
    """The values of each event that async_upnp_client took."""

    def __init__(self) -> None:
        self.values: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    def __call__(
        self, service: UpnpService, variables: Sequence[UpnpStateVariable[object]]
    ) -> None:
        self.values.put_nowait({variable.name: variable.value for variable in variables})

    async def wait(self) -> dict[str, object]:
        async with asyncio.timeout(PATIENCE):
            return await self.values.get()


async def test_a_control_point_subscribes_is_told_renews_and_cancels(lamp: Lamp) -> None:
    requester = AiohttpRequester()
    device = await UpnpFactory(requester).async_create_device(lamp.location)
    service, events = device.service(TYPE), Events()
    service.on_event = events
    server = AiohttpNotifyServer(requester, source=("127.0.0.1", 0))
    await server.async_start_server()
    sid, _ = await server.event_handler.async_subscribe(service)
    assert await events.wait() == {"Status": False}
    lamp.switch.service.set({STATUS: True})
    assert await events.wait() == {"Status": True}
    renewed, granted = await server.event_handler.async_resubscribe(service)
    assert (renewed, granted.total_seconds()) == (sid, 1800)
    await server.event_handler.async_unsubscribe(service)
    lamp.switch.service.set({STATUS: False})
    await server.async_stop_server()
    assert events.values.empty()


async def test_the_initial_event_reaches_a_plain_subscriber_after_the_answer(lamp: Lamp) -> None:
    order: list[str] = []
    told: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"CONTENT-LENGTH: (\d+)", head)
        assert length is not None
        body = await reader.readexactly(int(length[1]))
        order.append("event")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()
        told.set_result(head + body)

    subscriber = await asyncio.start_server(take, "127.0.0.1", 0)
    port = subscriber.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", lamp.http_port)
    writer.write(
        f"SUBSCRIBE {urls.event('SwitchPower')} HTTP/1.1\r\nHOST: 127.0.0.1:{lamp.http_port}\r\n"
        f"CALLBACK: <http://127.0.0.1:{port}>\r\nNT: upnp:event\r\n\r\n".encode()
    )
    answer = await reader.readuntil(b"\r\n\r\n")
    order.append("answer")
    async with asyncio.timeout(PATIENCE):
        message = await told
    assert order == ["answer", "event"]
    sid = re.search(rb"sid: (uuid:\S+)\r\n", answer, re.IGNORECASE)
    assert sid is not None
    assert message.startswith(b"NOTIFY / HTTP/1.1\r\n")
    assert b"SID: " + sid[1] + b"\r\n" in message
    assert b"<e:property><Status>0</Status></e:property>" in message
    writer.close()
    await writer.wait_closed()
    subscriber.close()
    await subscriber.wait_closed()
