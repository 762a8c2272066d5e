"""Checks of what has been heard of others: by the running server, and by doctor itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.app.doctor.findings import Check, Finding, ok, unknown, warning
from mediaserver.web.status import HeardSearch
from mediaserver.web.wording import ago, duration, things

LONG_ENOUGH = 1800.0
"""Seconds of silence that mean something: devices announce themselves anew within half of their
max-age, which is 1800 s or less with nearly all of them (UDA 1.1 §1.2.2)."""
SOON = 600.0
"""Seconds after which somebody should have looked for a server, if there is a television on."""
SHOWN = 5
"""Devices named in a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What has been heard of other hosts, by the running server and by doctor itself."""

    seconds: float
    """How long somebody has listened."""
    searches: Sequence[HeardSearch] = ()
    """Of other hosts, the latest first; only the running server notes them one by one."""
    multicasts: int = 0
    """Hosts of which any multicast of SSDP was heard, searches included."""
    answered: int = 0
    """Hosts that answered our searches."""
    neighbours: int = 0
    """Other hosts in this machine's neighbour table, on the interfaces in use."""
    loop_heard: bool = True
    loopback_only: bool = False


def searches_heard(hearing: Hearing, *, running: bool) -> Finding:
    if hearing.loopback_only:
        return unknown(Check.SEARCHES_HEARD, "nobody else is on the loopback interface")
    if hearing.searches:
        latest = {each.address: each for each in reversed(hearing.searches)}
        devices = [
            f"{address} ({ago(each.seconds_ago)})"
            for address, each in sorted(latest.items(), key=lambda item: item[1].seconds_ago)
        ]
        more = f" and {len(devices) - SHOWN} more" if len(devices) > SHOWN else ""
        return ok(Check.SEARCHES_HEARD, f"from {', '.join(devices[:SHOWN])}{more}")
    patience = "open the list of sources on the television, then run doctor again"
    if not running:
        return unknown(Check.SEARCHES_HEARD, "no server runs that could have heard any", patience)
    found = f"none in {duration(hearing.seconds)}"
    if hearing.seconds < SOON:
        return unknown(Check.SEARCHES_HEARD, found, patience)
    return warning(
        Check.SEARCHES_HEARD,
        found,
        f"{patience}; if still none is heard, something between the two keeps multicast back: "
        "guest Wi-Fi, another VLAN, or a switch or access point that filters it",
    )


def igmp_snooping(hearing: Hearing) -> Finding:
    """A switch that forwards multicast to known members only, and has forgotten us.

    Then multicasts of this machine are heard by itself, and none of anybody else, although other
    hosts are there. Only silence over a long time says so.
    """
    if hearing.loopback_only:
        return unknown(Check.IGMP_SNOOPING, "there is no switch on the loopback interface")
    if hearing.multicasts:
        return ok(
            Check.IGMP_SNOOPING,
            f"multicast of {things(hearing.multicasts, 'other device')} arrives",
        )
    if not hearing.loop_heard:
        return unknown(Check.IGMP_SNOOPING, "cannot be told while our own multicast is not heard")
    others = max(hearing.neighbours, hearing.answered)
    if not others:
        return unknown(Check.IGMP_SNOOPING, "no other device is known in this network")
    found = (
        f"no multicast of {things(others, 'other device')} in the network heard"
        f" in {duration(hearing.seconds)}"
    )
    if hearing.seconds < LONG_ENOUGH:
        return unknown(
            Check.IGMP_SNOOPING,
            found,
            "that is too short to tell: let the server run for half an hour, then run doctor again",
        )
    return warning(
        Check.IGMP_SNOOPING,
        found,
        "a switch or access point seems to keep multicast back: switch its IGMP snooping off (or "
        "its IGMP querier on), and multicast filtering or client isolation of the Wi-Fi off",
    )
