"""Other media servers in the network: what they are called.

What answered a search is asked for its description, once, and only at an address on the link that
the answer came from: a LOCATION may name anything.
"""

import asyncio
import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from ipaddress import ip_address
from urllib.parse import urlsplit

from mediaserver.app.doctor import server
from mediaserver.app.doctor.probing import MEDIA_SERVER, Probe
from mediaserver.upnp.interfaces import Address, Interface, unscoped

MOST = 12
"""Servers asked; a house has fewer."""
SECONDS = 1.0

_NAME = re.compile(rb"<friendlyName>([^<]{1,1000})</friendlyName>")
_PATH = re.compile(r"/[!-~]*")


@dataclass(frozen=True, slots=True)
class OtherServer:
    address: Address
    friendly_name: str


async def ask(probes: Iterable[Probe], own_udn: str | None) -> list[OtherServer]:
    """The media servers that answered and are not the one with ``own_udn``."""
    wanted: dict[tuple[Interface, Address, int, str], None] = {}
    for probe in probes:
        for answer in probe.multicast:
            response = answer.response
            if response.st != MEDIA_SERVER or response.udn == own_udn:
                continue
            with contextlib.suppress(ValueError):
                parts = urlsplit(response.location)
                address, port = unscoped(ip_address(parts.hostname or "")), parts.port or 80
                path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
                if address == answer.source and parts.scheme == "http" and _PATH.fullmatch(path):
                    wanted[probe.interface, address, port, path] = None
    found = await asyncio.gather(*(_ask(*each) for each in list(wanted)[:MOST]))
    return list(dict.fromkeys(each for each in found if each is not None))


async def _ask(interface: Interface, address: Address, port: int, path: str) -> OtherServer | None:
    try:
        answer = await server.get(interface, address, port, path, seconds=SECONDS)
    except (OSError, ValueError):
        return None
    name = _NAME.search(answer.body)
    if answer.status != 200 or name is None:
        return None
    return OtherServer(address, unescape(name[1].decode("utf-8", "replace")).strip())
