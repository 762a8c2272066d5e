"""SSDP messages as bytes and values, and the answers a search deserves (UDA 1.1 §1).

Pure: no sockets, no clock. ``discovery`` sends what is built here. Header names and rules are
those of UDA 1.0 to 2.0; what 1.1 added (BOOTID, CONFIGID, SEARCHPORT) is ignored by 1.0 control
points and always sent.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

PORT = 1900
MAX_MESSAGE = 2048
"""Octets; anything longer is not read. Real searches are below 300."""
MAX_MX = 5
"""Seconds; a larger MX counts as this (UDA 1.1 §1.3.2)."""

ALL = "ssdp:all"
ROOT_DEVICE = "upnp:rootdevice"

Nts = Literal["ssdp:alive", "ssdp:update", "ssdp:byebye"]

_NTS: dict[str, Nts] = {
    "ssdp:alive": "ssdp:alive",
    "ssdp:update": "ssdp:update",
    "ssdp:byebye": "ssdp:byebye",
}
_SEARCH_LINE = "M-SEARCH * HTTP/1.1"
_NOTIFY_LINE = "NOTIFY * HTTP/1.1"
_OK_LINE = re.compile(r"HTTP/1\.[0-9] 200\b.*")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)
_VISIBLE = re.compile(r"[!-~]+", re.ASCII)
_TYPE = re.compile(r"(?P<base>urn:[^:]+:(?:device|service):[^:]+):(?P<version>[1-9][0-9]{0,8})")
_UUID = re.compile(r"uuid:[^:]+", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_DECIDING = ("man", "mx", "st", "nt", "nts", "usn")


@dataclass(frozen=True)
class Search:
    """An M-SEARCH request (UDA 1.1 §1.3.2, UDA 2.0 §1.3.2)."""

    st: str
    """As sent: the answer echoes it."""
    mx: int | None
    """Seconds, 0 to ``MAX_MX``; None in a unicast search, which has no MX."""
    user_agent: str = ""
    friendly_name: str = ""
    """CPFN.UPNP.ORG, the control point's name for people (UDA 2.0)."""


@dataclass(frozen=True)
class Advertisement:
    """A NOTIFY of another device (UDA 1.1 §1.2)."""

    nt: str
    nts: Nts
    usn: str
    server: str = ""


@dataclass(frozen=True)
class Response:
    """The answer of a device to a search (UDA 1.1 §1.3.3)."""

    st: str
    usn: str
    location: str
    server: str = ""

    @property
    def udn(self) -> str:
        """``uuid:…`` of the device."""
        return self.usn.partition("::")[0]


class HasServiceType(Protocol):
    @property
    def service_type(self) -> str: ...


class HasServices(Protocol):
    """What is announced of a device."""

    @property
    def udn(self) -> str: ...
    @property
    def device_type(self) -> str: ...
    @property
    def services(self) -> Sequence[HasServiceType]: ...


@dataclass(frozen=True)
class Target:
    """One thing announced: an NT with its USN."""

    nt: str
    udn: str
    """``uuid:…`` of the device it belongs to."""
    highest: int = 0
    """Highest version of the type that is answered; 0: the one in ``nt``."""

    @property
    def usn(self) -> str:
        return self.nt if self.nt == self.udn else f"{self.udn}::{self.nt}"


class Answer(NamedTuple):
    """ST and USN of one search response."""

    st: str
    usn: str


@dataclass(frozen=True)
class Identity:
    """What every message says about its sender. ValueError for numbers out of range."""

    server: str
    """SERVER: ``OS/version UPnP/1.0 product/version``."""
    boot_id: int
    config_id: int
    max_age: int = 1800
    search_port: int | None = field(default=None, kw_only=True)
    """Set only while unicast searches cannot be heard on port 1900."""

    def __post_init__(self) -> None:
        if not 0 <= self.boot_id < 2**31:
            raise ValueError("BOOTID is a 31-bit integer (UDA 1.1 §1.2.2)")
        if not 0 <= self.config_id < 2**24:
            raise ValueError("CONFIGID of a vendor is below 2^24 (UDA 1.1 §1.2.2)")
        if self.search_port is not None and not 49152 <= self.search_port <= 65535:
            raise ValueError("SEARCHPORT is from 49152 to 65535 (UDA 1.1 §1.2.2)")


def read_search(data: bytes, *, multicast: bool = True) -> Search | None:
    """Read an M-SEARCH request (UDA 1.1 §1.3.2, §1.3.3); None if it is anything else.

    A multicast search needs an MX that is a non-negative integer; in a unicast search (UDA 1.1)
    MX is ignored. Never raises: the bytes come from anyone on the network.
    """
    message = _read(data)
    if message is None or message[0] != _SEARCH_LINE:
        return None
    headers = message[1]
    st = headers.get("st", "")
    if headers.get("man") != '"ssdp:discover"' or not _VISIBLE.fullmatch(st):
        return None
    mx = None
    if multicast:
        if not _NUMBER.fullmatch(headers.get("mx", "")):
            return None
        mx = min(int(headers["mx"]), MAX_MX)
    return Search(
        st=st,
        mx=mx,
        user_agent=_shown(headers.get("user-agent", "")),
        friendly_name=_shown(headers.get("cpfn.upnp.org", "")),
    )


def read_advertisement(data: bytes) -> Advertisement | None:
    """Read a NOTIFY (UDA 1.1 §1.2); None if it is anything else. Never raises."""
    message = _read(data)
    if message is None or message[0] != _NOTIFY_LINE:
        return None
    headers = message[1]
    nt, usn = headers.get("nt", ""), headers.get("usn", "")
    nts = _NTS.get(headers.get("nts", ""))
    if nts is None or not _VISIBLE.fullmatch(nt) or not _VISIBLE.fullmatch(usn):
        return None
    return Advertisement(nt, nts, usn, server=_shown(headers.get("server", "")))


def read_response(data: bytes) -> Response | None:
    """Read an answer to a search (UDA 1.1 §1.3.3); None if it is anything else. Never raises."""
    message = _read(data)
    if message is None or not _OK_LINE.fullmatch(message[0]):
        return None
    headers = message[1]
    st, usn, location = (headers.get(name, "") for name in ("st", "usn", "location"))
    if not all(map(_VISIBLE.fullmatch, (st, usn, location))):
        return None
    return Response(st, usn, location, server=_shown(headers.get("server", "")))


def targets(
    root: HasServices,
    embedded: Sequence[HasServices] = (),
    *,
    answered: Mapping[str, int] | None = None,
) -> tuple[Target, ...]:
    """Everything to announce: 3 for the root device, 2 per embedded device, 1 per service type.

    UDA 1.1 §1.2.2, tables 1-1 to 1-3. ``answered`` gives, for a type without its version
    (``urn:schemas-upnp-org:service:ContentDirectory``), a higher version than the announced one
    up to which searches are answered.
    """
    answered = answered or {}
    found = [Target(ROOT_DEVICE, root.udn)]
    for device in (root, *embedded):
        found.append(Target(device.udn, device.udn))
        types = [device.device_type, *(service.service_type for service in device.services)]
        for name in dict.fromkeys(types):
            base = name.rpartition(":")[0]
            found.append(Target(name, device.udn, highest=answered.get(base, 0)))
    return tuple(found)


def answers(search: Search, targets: Iterable[Target]) -> list[Answer]:
    """The responses a search deserves (UDA 1.1 §1.3.3); mostly none.

    A type is asked for with a version: it is answered by every implementation of that version or
    a higher one, and ST as well as the type in USN carry the version asked for, as in GSSDP.
    """
    if search.st == ALL:
        return [Answer(target.nt, target.usn) for target in targets]
    asked = _TYPE.fullmatch(search.st)
    found = []
    for target in targets:
        if target.nt == search.st:
            found.append(Answer(search.st, target.usn))
        elif asked:
            offered = _TYPE.fullmatch(target.nt)
            if offered and offered["base"] == asked["base"]:
                highest = max(target.highest, int(offered["version"]))
                if int(asked["version"]) <= highest:
                    found.append(Answer(search.st, f"{target.udn}::{search.st}"))
        elif (
            # Hexadecimal digits compare without case (RFC 4122 §3); the ST goes back as it came.
            target.nt == target.udn
            and _UUID.fullmatch(search.st)
            and target.nt.lower() == search.st.lower()
        ):
            found.append(Answer(search.st, target.usn))
    return found


def alive(target: Target, identity: Identity, *, host: str, location: str) -> bytes:
    """NOTIFY with NTS ``ssdp:alive`` (UDA 1.1 §1.2.2). ``host`` is the group's HOST value."""
    return _message(
        _NOTIFY_LINE,
        ("HOST", host),
        ("CACHE-CONTROL", f"max-age={identity.max_age}"),
        ("LOCATION", location),
        ("NT", target.nt),
        ("NTS", "ssdp:alive"),
        ("SERVER", identity.server),
        ("USN", target.usn),
        *_identification(identity, ipv6=_is_ipv6(host)),
        *_search_port(identity),
    )


def byebye(target: Target, identity: Identity, *, host: str) -> bytes:
    """NOTIFY with NTS ``ssdp:byebye`` (UDA 1.1 §1.2.3)."""
    return _message(
        _NOTIFY_LINE,
        ("HOST", host),
        ("NT", target.nt),
        ("NTS", "ssdp:byebye"),
        ("USN", target.usn),
        *_identification(identity, ipv6=_is_ipv6(host)),
    )


def update(
    target: Target, identity: Identity, *, host: str, location: str, next_boot_id: int
) -> bytes:
    """NOTIFY with NTS ``ssdp:update`` (UDA 1.1 §1.2.4): ``next_boot_id`` is about to be used.

    ValueError if it is not higher than the one of ``identity``.
    """
    if not identity.boot_id < next_boot_id < 2**31:
        raise ValueError("NEXTBOOTID is higher than BOOTID (UDA 1.1 §1.2.4)")
    return _message(
        _NOTIFY_LINE,
        ("HOST", host),
        ("LOCATION", location),
        ("NT", target.nt),
        ("NTS", "ssdp:update"),
        ("USN", target.usn),
        *_identification(identity, ipv6=_is_ipv6(host)),
        ("NEXTBOOTID.UPNP.ORG", str(next_boot_id)),
        *_search_port(identity),
    )


def response(
    answer: Answer, identity: Identity, *, location: str, date: str, ipv6: bool = False
) -> bytes:
    """A search response (UDA 1.1 §1.3.3). ``date`` is an rfc1123-date, ending in GMT."""
    return _message(
        "HTTP/1.1 200 OK",
        ("CACHE-CONTROL", f"max-age={identity.max_age}"),
        ("DATE", date),
        ("EXT", ""),
        ("LOCATION", location),
        ("SERVER", identity.server),
        ("ST", answer.st),
        ("USN", answer.usn),
        *_identification(identity, ipv6=ipv6),
        *_search_port(identity),
    )


def search(target: str, *, host: str, mx: int | None) -> bytes:
    """An M-SEARCH request (UDA 1.1 §1.3.2); ``mx`` in seconds, None for a unicast search."""
    return _message(
        _SEARCH_LINE,
        ("HOST", host),
        ("MAN", '"ssdp:discover"'),
        *((("MX", str(mx)),) if mx is not None else ()),
        ("ST", target),
    )


def _is_ipv6(host: str) -> bool:
    return host.startswith("[")


def _identification(identity: Identity, *, ipv6: bool) -> list[tuple[str, str]]:
    lines = [
        ("BOOTID.UPNP.ORG", str(identity.boot_id)),
        ("CONFIGID.UPNP.ORG", str(identity.config_id)),
    ]
    if ipv6:
        # Forerunner of BOOTID in UDA 1.0's Annex A, which old IPv6 control points read.
        lines.append(("OPT", '"http://schemas.upnp.org/upnp/1/0/"; ns=01'))
        lines.append(("01-NLS", str(identity.boot_id)))
    return lines


def _search_port(identity: Identity) -> list[tuple[str, str]]:
    if identity.search_port is None:
        return []
    return [("SEARCHPORT.UPNP.ORG", str(identity.search_port))]


def _message(start: str, *headers: tuple[str, str]) -> bytes:
    for name, value in headers:
        if "\r" in value or "\n" in value:
            raise ValueError(f"{name} with a line end")
    lines = [start, *(f"{name}: {value}".rstrip() for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("ascii", "replace")


def _read(data: bytes) -> tuple[str, dict[str, str]] | None:
    """Start line and headers with lower-case names; None if it is no message.

    A lone LF ends a line too (RFC 9112 §2.2). A header that decides, given twice, is no message:
    two readers could take different ones.
    """
    if len(data) > MAX_MESSAGE:
        return None
    head = data.decode("latin-1").replace("\r\n", "\n").partition("\n\n")[0]
    start, *lines = head.removesuffix("\n").split("\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name):
            return None
        name = name.lower()
        if name in headers:
            if name in _DECIDING:
                return None
            continue
        headers[name] = value.strip(" \t")
    return start, headers


def _shown(value: str) -> str:
    """Text from the network, fit for a log line or a page: one line, at most 200 characters."""
    text = value.encode("latin-1").decode("utf-8", "replace")
    return _CONTROL.sub(" ", text)[:200].strip()
