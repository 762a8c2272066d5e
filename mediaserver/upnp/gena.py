"""Eventing as values: subscriptions, their requests, property sets, moderation (UDA 1.1 §4).

Pure: no sockets and no clock; who calls says what time it is, in seconds that only go forward.
``eventing`` answers the requests and sends what is decided here.
"""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address

from mediaserver.upnp.interfaces import Address, Interface, unscoped
from mediaserver.upnp.service import StateVariable
from mediaserver.upnp.xml_text import element

MIN_SECONDS = 300
DEFAULT_SECONDS = 1800
MAX_SECONDS = 3600
"""Of a subscription. UDA 1.1 §4.1.2 recommends 1800 or more, DLNA 7.2.22.1 grants 300."""

MAX_CALLBACKS = 4
MAX_CALLBACK_LENGTH = 1024
LAST_SEQ = 2**32 - 1

_SECONDS = re.compile(r"second-(?:0*(?P<seconds>[0-9]{1,10})|[0-9]+|infinite)", re.I | re.A)
_CALLBACKS = re.compile(r"[ \t]*(?:<[^<>]*>[ \t]*)+")
_URL = re.compile(
    r"http://"
    r"(?P<host>(?P<ipv4>[0-9.]{7,15})|\[(?P<ipv6>[0-9A-Fa-f:.]{2,45})\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>(?:[/?][!-~]*)?)",
    re.IGNORECASE | re.ASCII,
)
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,255}", re.ASCII)

Merge = Callable[[str, str], str]
"""From a value not sent yet and the newer one, the value to send."""


class SubscriptionRefused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A request that gets an HTTP status other than 200 (UDA 1.1 §4.1.2 to §4.1.4)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True)
class Callback:
    """A delivery URL whose host is an IP address."""

    address: Address
    port: int
    host: str
    """HOST of the message, as the URL had it."""
    target: str
    """Path and query exactly as received, at least ``/``."""


@dataclass(frozen=True)
class CallbackPolicy:
    """Where events may be delivered; everything else is somebody we would be aimed at.

    CVE-2020-12695: the subscriber's own address, or with ``interface`` any of its neighbours
    on that interface.
    """

    peer: Address
    """Where the SUBSCRIBE came from."""
    server: tuple[Address, int] | None = None
    """Address and port it came to: never a delivery URL."""
    interface: Interface | None = None

    def allows(self, address: Address, port: int) -> bool:
        if (address, port) == self.server or address.is_multicast or address.is_unspecified:
            return False
        if address == unscoped(self.peer):
            return True
        if self.interface is None or address.is_loopback or not self.interface.holds(address):
            return False
        network = self.interface.network
        if isinstance(network, IPv4Network) and network.prefixlen < 31:
            return address not in (network.network_address, network.broadcast_address)
        return True


@dataclass(frozen=True)
class NewSubscription:
    callbacks: tuple[Callback, ...]
    """To be tried in this order."""
    seconds: int
    """Granted."""
    variables: tuple[str, ...] = ()
    """STATEVAR: names asked for (UDA 2.0); empty: all."""


@dataclass(frozen=True)
class Renewal:
    sid: str
    seconds: int
    """Granted."""


def read_subscribe(
    headers: Iterable[tuple[str, str]], policy: CallbackPolicy
) -> NewSubscription | Renewal:
    """Read SUBSCRIBE (UDA 1.1 §4.1.2, §4.1.3). SubscriptionRefused: 400 or 412."""
    found = _read(headers)
    seconds = granted_seconds(found.get("timeout", ""))
    if "sid" in found:
        if "nt" in found or "callback" in found:
            raise SubscriptionRefused(400, "SID together with NT or CALLBACK")
        return Renewal(found["sid"], seconds)
    if found.get("nt") != "upnp:event":
        raise SubscriptionRefused(412, "NT is not upnp:event")
    return NewSubscription(
        callbacks=read_callbacks(found.get("callback", ""), policy),
        seconds=seconds,
        variables=_read_names(found.get("statevar", "")),
    )


def read_unsubscribe(headers: Iterable[tuple[str, str]]) -> str:
    """The SID of an UNSUBSCRIBE (UDA 1.1 §4.1.4). SubscriptionRefused: 400 or 412."""
    found = _read(headers)
    if "sid" not in found:
        raise SubscriptionRefused(412, "no SID")
    if "nt" in found or "callback" in found:
        raise SubscriptionRefused(400, "SID together with NT or CALLBACK")
    return found["sid"]


def read_callbacks(text: str, policy: CallbackPolicy) -> tuple[Callback, ...]:
    """Read CALLBACK: ``<URL><URL>...`` (UDA 1.1 §4.1.2). SubscriptionRefused: 412.

    One URL that is not allowed spoils all: nobody but an attacker has such a list.
    """
    if not _CALLBACKS.fullmatch(text):
        raise SubscriptionRefused(412, "CALLBACK is no list of URLs")
    urls = re.findall("<([^<>]*)>", text)
    if len(urls) > MAX_CALLBACKS:
        raise SubscriptionRefused(412, "CALLBACK has too many URLs")
    return tuple(_read_callback(url, policy) for url in urls)


def granted_seconds(timeout: str) -> int:
    """The duration for a TIMEOUT header (UDA 1.1 §4.1.2): within our bounds, never infinite."""
    match = _SECONDS.fullmatch(timeout.strip())
    if match is None:
        return DEFAULT_SECONDS
    if match["seconds"] is None:  # infinite, or nearly so
        return MAX_SECONDS
    return max(MIN_SECONDS, min(int(match["seconds"]), MAX_SECONDS))


def evented_names(asked: Sequence[str], offered: Iterable[str]) -> tuple[str, ...]:
    """What of STATEVAR is accepted (UDA 2.0 §4.1.2): the names there are, in the order asked."""
    known = set(offered)
    return tuple(name for name in asked if name in known)


def property_set(values: Iterable[tuple[str, str]]) -> bytes:
    """The body of an event message (UDA 1.1 §4.3.2): each variable in its own property.

    The prefix is ``e`` always: node-upnp looks for ``e:property``. What XML cannot hold becomes
    U+FFFD.
    """
    properties = "".join(
        f"<e:property>{element(name, value)}</e:property>\n" for name, value in values
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<e:propertyset xmlns:e="urn:schemas-upnp-org:event-1-0">\n'
        f"{properties}</e:propertyset>\n"
    ).encode()


@dataclass
class Subscription:
    """One subscriber of one service (UDA 1.1 §4.1)."""

    callbacks: tuple[Callback, ...]
    peer: Address
    expires: float
    variables: frozenset[str] | None = None
    """Names of the variables it gets; None: all."""
    sid: str = field(default_factory=lambda: f"uuid:{uuid.uuid4()}")
    """Never used twice, and not to be guessed."""
    seq: int = 0
    """Of the next message."""

    def expired(self, now: float) -> bool:
        return now >= self.expires

    def take_seq(self) -> int:
        """The event key of a message: 0 for the initial one."""
        seq = self.seq
        self.seq = next_seq(seq)
        return seq

    def select(self, values: Mapping[str, str]) -> dict[str, str]:
        """Those of the values by name that this subscriber gets."""
        if self.variables is None:
            return dict(values)
        return {name: value for name, value in values.items() if name in self.variables}


def next_seq(seq: int) -> int:
    """The event key of the next message; after the last comes 1 (UDA 1.1 §4.3.2)."""
    return 1 if seq >= LAST_SEQ else seq + 1


class Moderation:
    """Holds changes back that would come too soon after the last of their variable.

    UDA 1.1 §4.3.1 ``maximumRate``; what is held back is sent as one with what follows: the last
    value, or what ``merge`` makes of them (a list of changes grows).
    """

    def __init__(self, merge: Mapping[str, Merge] | None = None) -> None:
        self._merge = merge or {}
        self._pending: dict[StateVariable, str] = {}
        self._sent: dict[StateVariable, float] = {}

    def change(self, values: Mapping[StateVariable, str]) -> None:
        for variable, value in values.items():
            if variable in self._pending and variable.name in self._merge:
                value = self._merge[variable.name](self._pending[variable], value)
            self._pending[variable] = value

    def take_due(self, now: float) -> dict[str, str]:
        """Values by name that may go out now; they count as sent."""
        due = [variable for variable in self._pending if self._due(variable) <= now]
        for variable in due:
            self._sent[variable] = now
        return {variable.name: self._pending.pop(variable) for variable in due}

    def next_due(self) -> float | None:
        """When the next of those held back may go out; None if there is none."""
        return min(map(self._due, self._pending), default=None)

    def _due(self, variable: StateVariable) -> float:
        sent = self._sent.get(variable)
        return float("-inf") if sent is None else sent + variable.moderation


def merge_values(
    older: Mapping[str, str], newer: Mapping[str, str], merge: Mapping[str, Merge]
) -> dict[str, str]:
    """Two messages as one."""
    merged = dict(older)
    for name, value in newer.items():
        both = name in merged and name in merge
        merged[name] = merge[name](merged[name], value) if both else value
    return merged


def _read(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Headers by lower-case name; SubscriptionRefused 400 if one that matters comes twice."""
    found: dict[str, str] = {}
    for name, value in headers:
        name = name.lower()
        if name in found and name in ("sid", "nt", "callback", "timeout", "statevar"):
            raise SubscriptionRefused(400, f"{name} more than once")
        found[name] = value.strip(" \t")
    return found


def _read_callback(url: str, policy: CallbackPolicy) -> Callback:
    match = _URL.fullmatch(url) if len(url) <= MAX_CALLBACK_LENGTH else None
    if match is None:
        raise SubscriptionRefused(412, "CALLBACK is no http URL of an IP address")
    address: Address
    try:
        # Strict: no inet_aton forms, no leading zeros, no zone ids; and an IPv4 address mapped
        # into IPv6 is no neighbour's, as theirs are unscoped.
        address = IPv4Address(match["ipv4"]) if match["ipv4"] else IPv6Address(match["ipv6"])
    except ValueError:
        raise SubscriptionRefused(412, "CALLBACK is no http URL of an IP address") from None
    port = 80 if match["port"] is None else int(match["port"])
    if not 1 <= port <= 65535 or not policy.allows(address, port):
        raise SubscriptionRefused(412, "CALLBACK is not an address of the subscriber")
    target = match["target"].partition("#")[0]
    return Callback(
        address=address,
        port=port,
        host=match["host"] if match["port"] is None else f"{match['host']}:{match['port']}",
        target=target if target.startswith("/") else f"/{target}",
    )


def _read_names(text: str) -> tuple[str, ...]:
    names = [name.strip(" \t") for name in text.split(",")]
    return tuple(dict.fromkeys(name for name in names if _NAME.fullmatch(name)))
