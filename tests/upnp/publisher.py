"""Two services with eventing, served without a network, by a fake clock."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address

from starlette.applications import Starlette

from mediaserver.upnp.eventing import Eventing
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.service import Service
from tests.leaks import nothing_left
from tests.upnp.asgi import Answer, Header, Server
from tests.upnp.fakes import FakeClock, FakePost, Notify, counter_service

INTERFACE = Interface("eth0", 2, ip_address("10.77.0.1"), 24)
PATH = "/service/Counter/event"
OTHER_PATH = "/service/Other/event"
SERVER = "Linux/6.1 UPnP/1.0 mediaserver/1.0"


@dataclass
class Publisher:
    clock: FakeClock
    post: FakePost
    service: Service
    eventing: Eventing
    server: Server
    _port: int = field(default=5000)

    async def subscribe(
        self, *, port: int = 5000, peer: str = "10.77.0.2", path: str = PATH, **more: str
    ) -> Answer:
        """A proper SUBSCRIBE of a control point that listens at ``port``."""
        headers = {
            "HOST": "10.77.0.1:8200",
            "CALLBACK": f"<http://{peer}:{port}/cb>",
            "NT": "upnp:event",
            "TIMEOUT": "Second-1800",
            **more,
        }
        return await self.server.request("SUBSCRIBE", path, headers.items(), peer=peer)

    async def subscribed(self, **more: object) -> str:
        """Subscribes, waits for the initial event, and gives the SID."""
        answer = await self.subscribe(**more)  # type: ignore[arg-type]
        assert answer.status == 200
        await self.clock.advance(0.1)
        return answer.headers["SID"]

    async def renew(self, sid: str, *, path: str = PATH, **more: str) -> Answer:
        headers = {"HOST": "10.77.0.1:8200", "SID": sid, "TIMEOUT": "Second-1800", **more}
        return await self.server.request("SUBSCRIBE", path, headers.items())

    async def unsubscribe(self, *headers: Header, path: str = PATH) -> Answer:
        return await self.server.request("UNSUBSCRIBE", path, headers)


@asynccontextmanager
async def publisher(**more: object) -> AsyncIterator[Publisher]:
    """A publisher; ``more`` is for ``Eventing``."""
    async with nothing_left():
        clock = FakeClock()
        post = FakePost(clock)
        settings: dict[str, object] = {
            "server": SERVER,
            "interfaces": lambda: (INTERFACE,),
            "post": post,
            "clock": clock,
            "wall_clock": lambda: 784111777.0,
            "sleep": clock.sleep,
            **more,
        }
        eventing = Eventing(**settings)  # type: ignore[arg-type]
        service = counter_service()
        routes = [
            eventing.route(PATH, service, merge={"Changes": lambda old, new: f"{old},{new}"}),
            eventing.route(OTHER_PATH, counter_service("Other")),
        ]
        server = Server(Starlette(routes=routes))
        yield Publisher(clock, post, service, eventing, server)
        await eventing.stop()
        await clock.advance(10)
        await server.close()


def values(notify: Notify) -> dict[str, str]:
    """The variables of an event message."""
    return dict(re.findall(r"<e:property><(\w+)>([^<]*)<", notify.body.decode()))
