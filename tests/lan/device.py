"""A small UPnP device to be run on a host of a test's network: discovery and eventing.

``python -m tests.lan.device PORT [INTERFACE...]`` serves until its standard input ends, and says on
standard output what it serves: one line of addresses at the start and after each change.
"""

import asyncio
import logging
import sys
from functools import partial

from starlette.applications import Starlette

from mediaserver.upnp import interfaces, ssdp
from mediaserver.upnp.discovery import Discovery
from mediaserver.upnp.eventing import Eventing
from mediaserver.upnp.interfaces import Change, Interface
from mediaserver.upnp.service import Service, StateVariable
from tests.upnp.http_server import serving

UDN = "uuid:2fac1234-31f8-11b4-a222-08002b34c003"
TYPE = "urn:schemas-upnp-org:device:MediaServer:1"
STATE = StateVariable("State", evented=True, default="idle")
SERVER = "Linux/6.1 UPnP/1.0 test/1.0"


def say(found: tuple[Interface, ...]) -> None:
    print(" ".join(str(interface.address) for interface in found), flush=True)


async def main(port: int, wanted: list[str]) -> None:
    service = Service(
        name="State",
        service_type="urn:example-org:service:State:1",
        service_id="urn:example-org:serviceId:State",
        actions={},
        variables=[STATE],
    )
    look = partial(interfaces.current, wanted)
    discovery = Discovery(
        [ssdp.Target(nt, UDN) for nt in ("upnp:rootdevice", UDN, TYPE)],
        server=SERVER,
        boot_id=100,
        config_id=1,
        location=lambda interface: f"http://{interface.host(port)}/description.xml",
    )
    eventing = Eventing(server=SERVER, interfaces=lambda: discovery.interfaces)
    app = Starlette(routes=[eventing.route("/event", service)])

    async def changed(change: Change) -> tuple[Interface, ...]:
        await discovery.update_interfaces(change.interfaces)
        say(discovery.interfaces)
        return discovery.interfaces

    async with serving(app, "0.0.0.0", port):
        discovery.start(look())
        say(discovery.interfaces)
        watching = asyncio.create_task(
            interfaces.watch(look, changed, known=discovery.interfaces, every=0.1)
        )
        await asyncio.to_thread(sys.stdin.read)
        watching.cancel()
        await discovery.stop()
        await eventing.stop()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    asyncio.run(main(int(sys.argv[1]), sys.argv[2:]))
