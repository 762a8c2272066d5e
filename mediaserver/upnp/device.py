"""A device as a value: what its description says (UDA 1.1 §2.3).

Texts are made fit for their place when a Device is made: one line, no characters that XML lacks,
cut to the lengths that UDA 1.0 sets, since old parsers keep them in buffers of that size.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import resources
from typing import Protocol

from mediaserver.upnp.service import Service
from mediaserver.upnp.xml_text import clean

_UDN = re.compile(r"uuid:[!-~]{1,68}")
_TYPE = re.compile(r"urn:[A-Za-z0-9.-]+:device:[A-Za-z0-9_.-]{1,64}:[1-9][0-9]{0,2}")
_URL = re.compile(r"[!-~]*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LENGTHS = {
    "friendly_name": 63,
    "manufacturer": 63,
    "model_name": 31,
    "model_description": 127,
    "model_number": 31,
    "serial_number": 63,
}
"""Characters at most (UDA 1.0 §2.1: "should be < 64 characters" and so on)."""


@dataclass(frozen=True)
class Icon:
    """A picture of the device, and where it is served."""

    mime_type: str
    width: int
    height: int
    depth: int
    """Bits a pixel."""
    url: str
    """Path on this server, or the URL of a picture elsewhere."""
    content: bytes = field(default=b"", repr=False)
    """The picture; empty if somebody else serves it."""


@dataclass(frozen=True)
class Element:
    """A vendor's element of the description: ``<dlna:X_DLNADOC xmlns:dlna=...>``.

    ValueError for names that XML does not allow.
    """

    prefix: str
    namespace: str
    name: str
    value: str

    def __post_init__(self) -> None:
        if not (_NAME.fullmatch(self.prefix) and _NAME.fullmatch(self.name) and self.namespace):
            raise ValueError(f"not an element: {self.prefix}:{self.name}")


def dlna_document(device_class: str) -> Element:
    """X_DLNADOC: the DLNA device class and version, ``DMS-1.50`` (DLNA 7.2.10)."""
    return Element("dlna", "urn:schemas-dlna-org:device-1-0", "X_DLNADOC", device_class)


@dataclass(frozen=True, kw_only=True)
class Device:
    """A root device with its services. ValueError for what no control point could read."""

    udn: str
    """``uuid:...``"""
    device_type: str
    friendly_name: str
    manufacturer: str
    model_name: str
    manufacturer_url: str = ""
    model_description: str = ""
    model_number: str = ""
    model_url: str = ""
    serial_number: str = ""
    presentation_url: str = ""
    icons: tuple[Icon, ...] = ()
    services: tuple[Service, ...] = ()
    elements: tuple[Element, ...] = ()
    """Of vendors, after all others."""
    minor: int = 0
    """Of the Device Architecture followed, 1.x. From 1.1 on, documents carry ``configId``."""

    def __post_init__(self) -> None:
        for name, length in _LENGTHS.items():
            text = " ".join(clean(getattr(self, name)).split())
            object.__setattr__(self, name, text[:length].rstrip())
        if not _UDN.fullmatch(self.udn):
            raise ValueError(f"not a UDN: {self.udn!r}")
        if not _TYPE.fullmatch(self.device_type):
            raise ValueError(f"not a device type: {self.device_type!r}")
        for name in ("friendly_name", "manufacturer", "model_name"):
            if not getattr(self, name):
                raise ValueError(f"{name} is required (UDA 1.1 §2.3)")
        for name in ("manufacturer_url", "model_url", "presentation_url"):
            if not _URL.fullmatch(getattr(self, name)):
                raise ValueError(f"{name} is not a URL: {getattr(self, name)!r}")
        names = [service.name for service in self.services]
        if len(set(names)) != len(names):
            raise ValueError(f"two services of one name: {names}")


class Paths(Protocol):
    """Where the documents and URLs of a service are: ``mediaserver.urls`` is one."""

    def scpd(self, service: str, /) -> str: ...
    def control(self, service: str, /) -> str: ...
    def event(self, service: str, /) -> str: ...


_ICONS = (
    ("icon-48.png", "image/png", 48),
    ("icon-120.png", "image/png", 120),
    ("icon-256.png", "image/png", 256),
    ("icon-48.jpg", "image/jpeg", 48),
    ("icon-120.jpg", "image/jpeg", 120),
)
"""PNG and JPEG of 48 and 120 pixels are what DLNA wants (PNG_SM_ICO to JPEG_LRG_ICO, 7.3.7)."""


def default_icons(url: Callable[[str], str]) -> tuple[Icon, ...]:
    """The icons that come with the program; ``url`` gives the path of a file name."""
    folder = resources.files("mediaserver").joinpath("icons")
    return tuple(
        Icon(mime_type, side, side, 24, url(name), folder.joinpath(name).read_bytes())
        for name, mime_type, side in _ICONS
    )
