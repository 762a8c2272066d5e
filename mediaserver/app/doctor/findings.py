"""What a check gives."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """From good to bad."""

    OK = "ok"
    UNKNOWN = "unknown"
    """It could not be observed, or not long enough."""
    WARNING = "warning"
    FAILURE = "failure"


class Check(StrEnum):
    """The names of the checks, in the order of the report; scripts rely on them."""

    CONFIGURATION = "configuration"
    DATA_DIRECTORY = "data-directory"
    DISK_SPACE = "disk-space"
    INDEX = "index"
    MEDIA_ROOT = "media-root"
    ITEMS = "items"
    UNREADABLE = "unreadable-files"
    WATCHES = "watches"
    CLOCK = "clock"
    HOST_NAME = "host-name"
    SERVER = "server"
    INTERFACE = "interface"
    CONTAINER = "container"
    IPV6 = "ipv6"
    PORT = "port"
    MULTICAST_LOOP = "multicast-loop"
    SEARCH_MULTICAST = "search-multicast"
    SEARCH_UNICAST = "search-unicast"
    SAME_UDN = "same-udn"
    SAME_NAME = "same-name"
    SEARCHES_HEARD = "searches-heard"
    IGMP_SNOOPING = "igmp-snooping"
    FIREWALL = "firewall"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found out about one thing."""

    check: Check
    verdict: Verdict
    found: str
    """One line."""
    next_step: str = ""
    """What the owner can do; empty if there is nothing to do."""
    about: str = ""
    """Which interface, address or folder, where a check looks at several."""


def ok(check: Check, found: str, *, about: str = "") -> Finding:
    return Finding(check, Verdict.OK, found, about=about)


def unknown(check: Check, found: str, next_step: str = "", *, about: str = "") -> Finding:
    return Finding(check, Verdict.UNKNOWN, found, next_step, about)


def warning(check: Check, found: str, next_step: str, *, about: str = "") -> Finding:
    return Finding(check, Verdict.WARNING, found, next_step, about)


def failure(check: Check, found: str, next_step: str, *, about: str = "") -> Finding:
    return Finding(check, Verdict.FAILURE, found, next_step, about)


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """As in the report: by check, otherwise as they came."""
    places = {check: place for place, check in enumerate(Check)}
    return sorted(findings, key=lambda finding: places[finding.check])
