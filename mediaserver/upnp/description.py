"""The description documents of a device and its services, and the routes that serve them.

Written as UDA 1.0 has them, which every control point reads: that order of elements, no URLBase,
paths that work on every interface. Documents hold no comments (DLNA 7.2.30.1) and no blanks
between elements: some parsers have buffers of a few kilobytes.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mediaserver.upnp.device import Device, Element, Icon, Paths
from mediaserver.upnp.headers import LANGUAGE, XML, RequestHeaders, ResponseHeaders
from mediaserver.upnp.service import Action, Argument, Service, StateVariable
from mediaserver.upnp.xml_text import attribute, element, escape

DESCRIPTION = "/description.xml"

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_VARIANTS = 64
"""Device descriptions kept."""

Variant = Callable[[Request], Device]
"""The device as a certain control point shall see it."""


def device_document(device: Device, paths: Paths, *, config_id: int | None = None) -> bytes:
    """The device description (UDA 1.1 §2.3).

    ``config_id`` is written for devices of UDA 1.1 and later only; 1.0 knows no such attribute.
    """
    texts = (
        ("deviceType", device.device_type),
        ("friendlyName", device.friendly_name),
        ("manufacturer", device.manufacturer),
        ("manufacturerURL", device.manufacturer_url),
        ("modelDescription", device.model_description),
        ("modelName", device.model_name),
        ("modelNumber", device.model_number),
        ("modelURL", device.model_url),
        ("serialNumber", device.serial_number),
        ("UDN", device.udn),
    )
    parts = (
        *(element(name, text) for name, text in texts if text),
        _list("iconList", map(_icon, device.icons)),
        _list("serviceList", (_service(service, paths) for service in device.services)),
        element("presentationURL", device.presentation_url) if device.presentation_url else "",
        *map(_vendor_element, device.elements),
    )
    return _document(
        "root",
        "urn:schemas-upnp-org:device-1-0",
        f"<device>{''.join(parts)}</device>",
        device.minor,
        config_id,
    )


def service_document(service: Service, *, minor: int = 0, config_id: int | None = None) -> bytes:
    """The service description, SCPD (UDA 1.1 §2.5). ``minor``: see :attr:`Device.minor`."""
    return _document(
        "scpd",
        "urn:schemas-upnp-org:service-1-0",
        _list("actionList", map(_action, service.actions))
        + f"<serviceStateTable>{''.join(_variable(v, minor) for v in service.variables)}"
        "</serviceStateTable>",
        minor,
        config_id,
    )


def config_id(device: Device, paths: Paths) -> int:
    """A number below 2^24 that changes when, and only when, a document does (UDA 1.1 §1.2.2)."""
    digest = hashlib.blake2b(digest_size=3)
    digest.update(device_document(device, paths))
    for service in device.services:
        digest.update(service_document(service, minor=device.minor))
    return int.from_bytes(digest.digest(), "big")


def routes(
    device: Device,
    paths: Paths,
    *,
    server: str,
    location: str = DESCRIPTION,
    variant: Variant | None = None,
    clock: Callable[[], float] = time.time,
) -> list[Route]:
    """Routes of the device description at ``location``, the SCPDs and the icons.

    ``variant`` may give another device for certain control points: other texts, the same
    services. Each variant's document is made once.
    """
    number = config_id(device, paths)
    headers = ResponseHeaders(server, clock)

    @lru_cache(maxsize=_VARIANTS)
    def description(device: Device) -> _File:
        return _file(device_document(device, paths, config_id=number), XML)

    def described(request: Request) -> _File:
        return description(device if variant is None else variant(request))

    found: dict[str, Callable[[Request], _File]] = {location: described}
    for service in device.services:
        scpd = service_document(service, minor=device.minor, config_id=number)
        found[paths.scpd(service.name)] = _always(_file(scpd, XML))
    for icon in device.icons:
        if icon.content:
            found[icon.url] = _always(_file(icon.content, icon.mime_type.encode("ascii")))
    return [Route(path, _Resource(choose, headers)) for path, choose in found.items()]


# Writing


def _document(root: str, namespace: str, content: str, minor: int, number: int | None) -> bytes:
    shown = "" if number is None or minor == 0 else attribute("configId", str(number))
    return (
        f'{_DECLARATION}<{root} xmlns="{namespace}"{shown}>'
        f"<specVersion><major>1</major><minor>{minor}</minor></specVersion>{content}</{root}>"
    ).encode()


def _list(name: str, parts: Iterable[str]) -> str:
    """A list, which must not be there without entries."""
    content = "".join(parts)
    return f"<{name}>{content}</{name}>" if content else ""


def _icon(icon: Icon) -> str:
    return _group(
        "icon",
        ("mimetype", icon.mime_type),
        ("width", str(icon.width)),
        ("height", str(icon.height)),
        ("depth", str(icon.depth)),
        ("url", icon.url),
    )


def _service(service: Service, paths: Paths) -> str:
    """All five are there in any case; the last is empty if nothing is evented (UDA 1.1 §2.3)."""
    return _group(
        "service",
        ("serviceType", service.service_type),
        ("serviceId", service.service_id),
        ("SCPDURL", paths.scpd(service.name)),
        ("controlURL", paths.control(service.name)),
        ("eventSubURL", paths.event(service.name) if service.evented() else ""),
    )


def _vendor_element(vendor: Element) -> str:
    name = f"{vendor.prefix}:{vendor.name}"
    namespace = attribute(f"xmlns:{vendor.prefix}", vendor.namespace)
    return f"<{name}{namespace}>{escape(vendor.value)}</{name}>"


def _action(action: Action) -> str:
    arguments = _list(
        "argumentList",
        (
            *(_argument(argument, "in") for argument in action.takes),
            *(_argument(argument, "out") for argument in action.gives),
        ),
    )
    return f"<action>{element('name', action.name)}{arguments}</action>"


def _argument(argument: Argument, direction: str) -> str:
    name, variable = argument
    return _group(
        "argument",
        ("name", name),
        ("direction", direction),
        ("relatedStateVariable", variable.name),
    )


def _variable(variable: StateVariable, minor: int) -> str:
    """sendEvents is always written: left out, it would mean yes. UDA 1.0 knows no multicast."""
    events = attribute("sendEvents", "yes" if variable.evented else "no")
    if variable.multicast and minor:
        events += attribute("multicast", "yes")
    allowed = _list("allowedValueList", (element("allowedValue", v) for v in variable.allowed))
    limits = (("minimum", variable.minimum), ("maximum", variable.maximum), ("step", variable.step))
    return (
        f"<stateVariable{events}>"
        + element("name", variable.name)
        + element("dataType", variable.data_type)
        + ("" if variable.default is None else element("defaultValue", variable.default))
        + allowed
        + _list(
            "allowedValueRange",
            (element(name, str(limit)) for name, limit in limits if limit is not None),
        )
        + "</stateVariable>"
    )


def _group(name: str, *children: tuple[str, str]) -> str:
    return f"<{name}>{''.join(element(child, text) for child, text in children)}</{name}>"


# Serving


class _File(NamedTuple):
    content: bytes
    content_type: bytes
    tag: bytes


def _file(content: bytes, content_type: bytes) -> _File:
    digest = hashlib.blake2b(content, digest_size=8).hexdigest()
    return _File(content, content_type, f'"{digest}"'.encode("ascii"))


def _always(file: _File) -> Callable[[Request], _File]:
    return lambda _: file


class _Resource:
    """The ASGI application behind one path: GET and HEAD of a file kept in memory."""

    def __init__(self, choose: Callable[[Request], _File], headers: ResponseHeaders) -> None:
        self._choose = choose
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await _send(send, 405, self._headers.make(0, (b"ALLOW", b"GET, HEAD")))
            return
        file = self._choose(Request(scope))
        headers = RequestHeaders(scope["headers"])
        fields = [(b"CONTENT-TYPE", file.content_type), (b"ETAG", file.tag)]
        if "accept-language" in headers:
            fields.append(LANGUAGE)
        if _is_known(headers.get("if-none-match"), file.tag.decode("ascii")):
            await _send(send, 304, self._headers.make(None, *fields))
            return
        body = b"" if scope["method"] == "HEAD" else file.content
        await _send(send, 200, self._headers.make(len(file.content), *fields), body)


def _is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether the asker has this version already (RFC 9110 §13.1.2, weak comparison)."""
    if if_none_match is None:
        return False
    tags = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in tags or tag in tags


async def _send(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes = b""
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
