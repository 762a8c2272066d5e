"""What the server says of itself to control points: the device, its variants, its names."""

import platform
import re
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from starlette.requests import Request

from mediaserver import __version__, urls
from mediaserver.clients import ClientProfile, ClientRegistry
from mediaserver.upnp.device import Device, Element, default_icons, dlna_document
from mediaserver.upnp.service import Service

DEVICE_TYPE = "urn:schemas-upnp-org:device:MediaServer:1"
"""Version 1 is what every control point accepts (peers all announce it)."""
PRODUCT = "mediaserver"


def server_header() -> str:
    """SERVER of every message: ``Linux/6.1.0 UPnP/1.0 DLNADOC/1.50 mediaserver/0.1.0``.

    UDA 1.0 §1.1.2 and DLNA 7.2.3; an HTTP token may hold no blanks, which some systems have in
    their release.
    """
    system, release = (
        re.sub(r"[^A-Za-z0-9._+-]+", "_", text) or "unknown"
        for text in (platform.system(), platform.release())
    )
    return f"{system}/{release} UPnP/1.0 DLNADOC/1.50 {PRODUCT}/{__version__}"


def media_server(udn: str, friendly_name: str, services: tuple[Service, ...]) -> Device:
    """The root device, as those see it of whom nothing special is known."""
    return Device(
        udn=udn,
        device_type=DEVICE_TYPE,
        friendly_name=friendly_name,
        manufacturer=PRODUCT,
        model_name=PRODUCT,
        model_description="UPnP AV / DLNA MediaServer",
        model_number=__version__,
        serial_number=udn.removeprefix("uuid:"),
        presentation_url=urls.PRESENTATION,
        icons=default_icons(urls.icon),
        services=services,
        elements=(dlna_document("DMS-1.50"),),
    )


def _named(pattern: str, name: str) -> str:
    """``{name}`` put in, cut so that what stands behind it stays (UDA 1.0 §2.1: 63 characters)."""
    return pattern.replace("{name}", name[: 63 - len(pattern) + len("{name}")])


def variants(device: Device, clients: ClientRegistry) -> Callable[[Request], Device]:
    """The device as the asker's client profile wants it described."""

    @lru_cache(maxsize=64)
    def variant(profile: ClientProfile) -> Device:
        wanted = profile.description
        return replace(
            device,
            friendly_name=_named(wanted.friendly_name or "{name}", device.friendly_name),
            manufacturer=wanted.manufacturer or device.manufacturer,
            model_name=wanted.model_name or device.model_name,
            model_number=wanted.model_number or device.model_number,
            elements=(
                *device.elements,
                *(
                    Element(each.prefix, each.namespace, each.name, each.value)
                    for each in wanted.elements
                ),
            ),
        )

    def choose(request: Request) -> Device:
        address = request.client.host if request.client else ""
        return variant(clients.of_request(request.headers, address))

    return choose
