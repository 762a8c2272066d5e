"""Which device asks, and what it needs differently: client profiles as data.

The table is ``client_profiles.toml``, beside this module; every fact in it was seen in other
servers' code or on devices (quirks.md). A profile is chosen by the headers of a request. Many
devices send another ``User-Agent`` when they fetch media (Lavf, stagefright, NSPlayer), so the
profile found in a SOAP request is remembered for the address it came from: bounded, for a time,
and only as a hint for requests whose own headers tell nothing.

Header values are text from anyone on the network: they are cut, kept in bounded tables and never
interpreted further.
"""

import difflib
import ipaddress
import re
import time
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from types import MappingProxyType

DEFAULT_ANSWER_BYTES = 4 * 1024 * 1024
"""The largest SOAP answer for devices of which nothing else is known (security.md 2)."""

REMEMBERED_ADDRESSES = 1024
REMEMBERED_SECONDS = 3600.0
AGENT_CHARACTERS = 256

_CAPS = re.compile(r"MS-DeviceCaps/([0-9]{1,10})", re.ASCII)
_DO_NOT_LIMIT_RESPONSE_SIZE = 0x400


class DateForm(StrEnum):
    """How much of ``dc:date`` a device can read (quirks.md 2)."""

    FULL = "full"
    """``CCYY-MM-DD``, with the time where it is known."""
    DATE = "date"
    """``CCYY-MM-DD``, never a time."""
    YEAR = "year"
    """``CCYY`` alone."""
    NONE = "none"
    """The property is left out."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A request header that gives a device away: the name in lower case, a regular expression."""

    header: str
    pattern: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class DescriptionElement:
    """An element added to the device description: ``<sec:ProductCap xmlns:sec=...>``."""

    prefix: str
    namespace: str
    name: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DescriptionOverrides:
    """What the device description says to this device instead; None: what it says to all.

    ``friendly_name`` holds ``{name}`` where the server's own name belongs.
    """

    friendly_name: str | None = None
    manufacturer: str | None = None
    model_name: str | None = None
    model_number: str | None = None
    elements: tuple[DescriptionElement, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClientProfile:
    """What one family of devices needs differently. Without arguments: what suits everybody.

    Compared and hashed by identity: profiles are made once, from the table.
    """

    name: str = "unknown"
    rules: tuple[Rule, ...] = ()
    generic: bool = False
    """The match says little: a profile remembered for the address is believed instead."""

    mime_types: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Our MIME type to the one the device knows, in protocolInfo and Content-Type alike."""
    without_dlna_profile: frozenset[str] = frozenset()
    """MIME types (ours) whose DLNA.ORG_PN is left out."""
    album_art: tuple[str, ...] = ("JPEG_SM", "JPEG_TN", "original")
    """Renditions of ``upnp:albumArtURI``, in this order; many devices take the first."""
    jpeg_first: bool = False
    """Takes the first ``res`` only: a JPEG rendition stands before a picture in another format."""
    classes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """``upnp:class`` to the plainer one that the device shows."""
    date: DateForm = DateForm.FULL
    ascii_only: bool = False
    """Characters beyond ASCII are written as references (Yamaha receivers)."""
    escape_quotes: bool = False
    """``'`` and ``"`` in text are escaped, which XML does not ask for (Bose)."""
    title_characters: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Characters of ``dc:title`` to be replaced."""
    adds_to_filter: tuple[str, ...] = ()
    """Properties the device uses without naming them in Filter."""
    sort_criteria: str | None = None
    """Used in place of whatever the device asks: some ask for a useless order."""
    hide_references: bool = False
    """Nothing is told to be a reference: the device takes what has a ``@refID`` for a duplicate
    and expects a search not to find any (Xbox 360)."""
    object_ids: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Ids the device knows by heart to ours (content-directory.md 14)."""
    answer_bytes: int = DEFAULT_ANSWER_BYTES
    """The largest Result that the device takes."""
    description: DescriptionOverrides = DescriptionOverrides()

    def mime_type(self, mime_type: str) -> str:
        """The MIME type to name to this device for content of one of ours."""
        return self.mime_types.get(mime_type, mime_type)


UNKNOWN = ClientProfile(generic=True)
"""The profile of a device that no rule matches."""


def read_profiles(text: str) -> tuple[ClientProfile, ...]:
    """Read a table of profiles (TOML, one ``[[profile]]`` each); the first match counts.

    Raises ValueError with the profile's name for an unknown key or a value of the wrong shape.
    """
    profiles = []
    for number, table in enumerate(tomllib.loads(text).get("profile", ()), 1):
        name = str(table.get("name", f"profile {number}"))
        try:
            profiles.append(_profile(dict(table)))
        except (TypeError, ValueError, AttributeError, re.error) as error:
            raise ValueError(f"client profile {name!r}: {error}") from error
    return tuple(profiles)


@lru_cache(maxsize=1)
def default_profiles() -> tuple[ClientProfile, ...]:
    """The table that comes with the program."""
    table = resources.files("mediaserver").joinpath("client_profiles.toml")
    return read_profiles(table.read_text(encoding="utf-8"))


def profile_named(name: str, profiles: Sequence[ClientProfile] | None = None) -> ClientProfile:
    """The profile of that name, in any letter case; ``unknown`` is the one without quirks.

    Raises ValueError with a suggestion.
    """
    known = [UNKNOWN, *(default_profiles() if profiles is None else profiles)]
    by_name = {profile.name.casefold(): profile for profile in known}
    wanted = name.strip().casefold()
    if wanted in by_name:
        return by_name[wanted]
    near = difflib.get_close_matches(wanted, by_name, n=1) or [
        each for each in by_name if wanted and wanted in each
    ]
    suggestion = (
        f"did you mean {by_name[near[0]].name!r}?"
        if near
        else f"there are {', '.join(profile.name for profile in known)}"
    )
    raise ValueError(f"no client profile is called {name!r}; {suggestion}")


def _profile(table: dict[str, object]) -> ClientProfile:
    known = {each.name for each in fields(ClientProfile)} - {"rules"} | {"match"}
    if unknown := sorted(table.keys() - known):
        raise ValueError(f"unknown key {unknown[0]!r}")
    values: dict[str, object] = {}
    for key, value in table.items():
        match key:
            case "match":
                values["rules"] = _rules(value)
            case "mime_types" | "classes" | "title_characters" | "object_ids":
                values[key] = MappingProxyType(_texts(value))
            case "without_dlna_profile":
                values[key] = frozenset(_list(value))
            case "album_art" | "adds_to_filter":
                values[key] = tuple(_list(value))
            case "date":
                values[key] = DateForm(str(value))
            case "description":
                values[key] = _overrides(value)
            case _:
                values[key] = _plain(key, value)
    return replace(ClientProfile(), **values)  # type: ignore[arg-type]  # checked key by key above


def _rules(value: object) -> tuple[Rule, ...]:
    if not isinstance(value, dict):
        raise TypeError("match: a table of headers is expected")
    return tuple(
        Rule(header.lower(), re.compile(pattern, re.IGNORECASE))
        for header, patterns in value.items()
        for pattern in _list(patterns)
    )


def _overrides(value: object) -> DescriptionOverrides:
    if not isinstance(value, dict):
        raise TypeError("description: a table is expected")
    elements = value.get("elements", ())
    texts = _texts({key: each for key, each in value.items() if key != "elements"})
    return DescriptionOverrides(
        **texts, elements=tuple(DescriptionElement(**_texts(each)) for each in elements)
    )


def _plain(key: str, value: object) -> object:
    expected = {"answer_bytes": int, "name": str, "sort_criteria": str}.get(key, bool)
    if type(value) is not expected:
        raise TypeError(f"{key}: {expected.__name__} is expected")
    return value


def _texts(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        raise TypeError("a table of texts is expected")
    return value


def _list(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise TypeError("a list of texts is expected")
    return value


@dataclass(frozen=True, slots=True)
class RecentClient:
    """A device that spoke to us lately, for the page for people.

    ``agent`` is what the device says of itself: text from the network, to be escaped.
    """

    address: str
    profile: str
    agent: str
    seconds_ago: float
    requests: int


@dataclass(slots=True)
class _Seen:
    profile: ClientProfile
    agent: str
    at: float
    requests: int = 0
    by_action: bool = False


class ClientRegistry:
    """Finds the profile of a request, and remembers who spoke to us.

    ``now`` gives seconds of a clock that never jumps. To be used from one thread, the event
    loop's. ``headers`` of the methods ignore the case of names.
    """

    def __init__(
        self,
        profiles: Sequence[ClientProfile] | None = None,
        *,
        overrides: Mapping[str, str] = MappingProxyType({}),
        now: Callable[[], float] = time.monotonic,
        limit: int = REMEMBERED_ADDRESSES,
        remember_seconds: float = REMEMBERED_SECONDS,
    ) -> None:
        """``overrides`` maps addresses to names of profiles, for devices that nothing gives away.

        Raises ValueError for an address that is none and for an unknown name.
        """
        self._profiles = default_profiles() if profiles is None else tuple(profiles)
        self._overrides = {
            str(ipaddress.ip_address(address)): profile_named(name, self._profiles)
            for address, name in overrides.items()
        }
        self._now = now
        self._limit = limit
        self._remember_seconds = remember_seconds
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._headers = tuple(
            dict.fromkeys(
                ["user-agent", *(rule.header for each in self._profiles for rule in each.rules)]
            )
        )
        self._unlimited: dict[ClientProfile, ClientProfile] = {}
        self._match = lru_cache(maxsize=256)(self._find)

    def of_action(self, headers: Mapping[str, str], address: str) -> ClientProfile:
        """The profile of a control request; remembered for the address."""
        profile = self._profile(headers, address)
        seen = self._note(headers, address, profile)
        seen.profile, seen.agent, seen.by_action = profile, _agent(headers), True
        return profile

    def of_request(self, headers: Mapping[str, str], address: str) -> ClientProfile:
        """The profile of any other request (description, media, art).

        What the headers say counts; where they say little, the profile of the last control
        request from the same address is the best guess.
        """
        profile = self._profile(headers, address)
        seen = self._note(headers, address, profile)
        return seen.profile if profile.generic and seen.by_action else profile

    def recent(self) -> list[RecentClient]:
        """Who spoke to us within the time that is remembered, the latest first."""
        self._forget()
        now = self._now()
        return [
            RecentClient(address, seen.profile.name, seen.agent, now - seen.at, seen.requests)
            for address, seen in reversed(self._seen.items())
        ]

    def _profile(self, headers: Mapping[str, str], address: str) -> ClientProfile:
        if self._overrides:
            # A link-local address comes with its interface: fe80::1%eth0.
            chosen = self._overrides.get(address.partition("%")[0])
            if chosen is not None:
                return self._with_caps(chosen, _agent(headers))
        return self._match(self._values(headers))

    def _values(self, headers: Mapping[str, str]) -> tuple[str | None, ...]:
        values = map(headers.get, self._headers)
        return tuple([value and value[:AGENT_CHARACTERS] for value in values])

    def _find(self, values: tuple[str | None, ...]) -> ClientProfile:
        by_header = dict(zip(self._headers, values, strict=True))
        for profile in self._profiles:
            for rule in profile.rules:
                value = by_header[rule.header]
                if value is not None and rule.pattern.search(value):
                    return self._with_caps(profile, by_header["user-agent"] or "")
        return UNKNOWN

    def _with_caps(self, profile: ClientProfile, agent: str) -> ClientProfile:
        """Lift the limit of answers for a Microsoft client that asks so (MS-DLNHND)."""
        caps = _CAPS.search(agent)
        if caps is None or not int(caps[1]) & _DO_NOT_LIMIT_RESPONSE_SIZE:
            return profile
        if profile not in self._unlimited:
            self._unlimited[profile] = replace(profile, answer_bytes=DEFAULT_ANSWER_BYTES)
        return self._unlimited[profile]

    def _note(self, headers: Mapping[str, str], address: str, profile: ClientProfile) -> _Seen:
        self._forget()
        seen = self._seen.get(address)
        if seen is None:
            seen = self._seen[address] = _Seen(profile, _agent(headers), self._now())
            if len(self._seen) > self._limit:
                self._seen.popitem(last=False)
        seen.at = self._now()
        seen.requests += 1
        self._seen.move_to_end(address)
        return seen

    def _forget(self) -> None:
        """Drop addresses that were silent for too long; they stand first."""
        oldest = self._now() - self._remember_seconds
        while self._seen:
            address, seen = next(iter(self._seen.items()))
            if seen.at >= oldest:
                return
            del self._seen[address]


def _agent(headers: Mapping[str, str]) -> str:
    return headers.get("user-agent", "")[:AGENT_CHARACTERS]
