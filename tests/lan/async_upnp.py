"""async_upnp_client on a host of a test's network: finds a server, reads it, hears its events.

``python -m tests.lan.async_upnp ADDRESS`` searches from that address and writes one JSON object.
"""

import asyncio
import json
import sys
from collections.abc import Sequence
from typing import Any

from async_upnp_client.aiohttp import AiohttpNotifyServer, AiohttpRequester
from async_upnp_client.client import UpnpService, UpnpStateVariable
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.profiles.dlna import DmsDevice
from async_upnp_client.search import async_search
from async_upnp_client.utils import CaseInsensitiveDict

from tests.patience import PATIENCE

MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"


async def main(address: str) -> None:
    found: list[CaseInsensitiveDict] = []

    async def heard(headers: CaseInsensitiveDict) -> None:
        found.append(headers)

    while not found:  # the answers may be late on a busy machine
        await async_search(heard, timeout=2, search_target=MEDIA_SERVER, source=(address, 0))
    requester = AiohttpRequester(timeout=PATIENCE)
    device = await UpnpFactory(requester).async_create_device(found[0]["location"])
    children = await DmsDevice(device, event_handler=None).async_browse_direct_children("0")

    notify = AiohttpNotifyServer(requester, source=(address, 0))
    await notify.async_start_server()
    events: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    def changed(_: UpnpService, variables: Sequence[UpnpStateVariable[Any]]) -> None:
        events.put_nowait({each.name: each.value for each in variables})

    service = device.service("urn:schemas-upnp-org:service:ContentDirectory:1")
    service.on_event = changed
    await notify.event_handler.async_subscribe(service)
    initial = await asyncio.wait_for(events.get(), PATIENCE)
    await notify.event_handler.async_unsubscribe_all()
    await notify.async_stop_server()

    print(
        json.dumps(
            {
                "locations": sorted({each["location"] for each in found}),
                "udn": device.udn,
                "titles": [each.title for each in children.result],
                "evented": sorted(initial),
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
