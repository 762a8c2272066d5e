"""Checks of what searching like a control point brought: our server's answers, and others'."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

from mediaserver.app.doctor.findings import Check, Finding, failure, ok, unknown, warning
from mediaserver.app.doctor.network import NOT_SERVED, label
from mediaserver.app.doctor.others import OtherServer
from mediaserver.app.doctor.probing import Answer, Probe
from mediaserver.upnp.interfaces import Address, unscoped

OPEN_MULTICAST = (
    "let UDP port 1900 in: `sudo ufw allow 1900/udp`, or "
    "`sudo firewall-cmd --permanent --add-port=1900/udp && sudo firewall-cmd --reload`"
)


def multicast_loop(probe: Probe) -> Finding:
    """Whether a multicast of ours comes back to a listener on this machine."""
    about = label(probe.interface)
    if probe.error is not None and probe.interface.address.is_loopback:
        return unknown(Check.MULTICAST_LOOP, "no multicast on this loopback address", about=about)
    if probe.forbidden:
        return failure(
            Check.MULTICAST_LOOP,
            "a firewall on this machine lets no multicast out",
            "let out what goes to UDP port 1900: `sudo ufw allow out 1900/udp`, or what your "
            "firewall has for that",
            about=about,
        )
    if probe.error is not None:
        return failure(
            Check.MULTICAST_LOOP,
            f"multicasts cannot be sent: {probe.error}",
            "`ip address` and `ip route` show what is wrong with the interface",
            about=about,
        )
    if probe.listening_error is not None:
        return failure(
            Check.MULTICAST_LOOP,
            f"UDP port 1900 cannot be shared: {probe.listening_error}",
            "another program keeps it for itself; `sudo ss -ulpn sport = 1900` names it",
            about=about,
        )
    if not probe.loop_heard:
        return failure(
            Check.MULTICAST_LOOP,
            "our own multicast does not come back: a firewall on this machine drops it",
            OPEN_MULTICAST,
            about=about,
        )
    return ok(Check.MULTICAST_LOOP, "our own multicast comes back", about=about)


def not_running() -> list[Finding]:
    """In place of the checks that need a server that answers."""
    return [
        unknown(check, "no server runs that could answer")
        for check in (Check.SEARCH_MULTICAST, Check.SEARCH_UNICAST)
    ]


def search_multicast(probe: Probe, udn: str, number: int, *, served: bool = True) -> Finding:
    """Whether our server answers what televisions ask. ``served``: see :func:`network.port`."""
    about = label(probe.interface)
    if not served:
        return unknown(Check.SEARCH_MULTICAST, NOT_SERVED, about=about)
    if probe.error is not None:
        return unknown(Check.SEARCH_MULTICAST, f"cannot be tried: {probe.error}", about=about)
    places = _places(probe.multicast, udn)
    if not places:
        if probe.loop_heard:
            return failure(
                Check.SEARCH_MULTICAST,
                "our server does not answer searches here, although they arrive",
                "restart the server, and look at its log for port 1900",
                about=about,
            )
        return failure(
            Check.SEARCH_MULTICAST,
            "our server does not answer searches here",
            OPEN_MULTICAST,
            about=about,
        )
    if (probe.interface.address, number) not in places:
        named = ", ".join(sorted(f"{address}:{port}" for address, port in places))
        return warning(
            Check.SEARCH_MULTICAST,
            f"our server answers, but names another address: {named}",
            "if several interfaces are in one network, serve on one of them (--interface)",
            about=about,
        )
    return ok(Check.SEARCH_MULTICAST, "our server answers and names this address", about=about)


def search_unicast(probe: Probe, udn: str, *, served: bool = True) -> Finding:
    about = label(probe.interface)
    if not served:
        return unknown(Check.SEARCH_UNICAST, NOT_SERVED, about=about)
    if _places(probe.unicast, udn):
        return ok(Check.SEARCH_UNICAST, "our server answers", about=about)
    if not _places(probe.multicast, udn):
        return unknown(Check.SEARCH_UNICAST, "not answered either", about=about)
    return warning(
        Check.SEARCH_UNICAST,
        "our server gets no searches that are sent to it alone (some apps do that)",
        "another UPnP program on this machine gets them: stop it, if you can do without",
        about=about,
    )


Place = tuple[Address, int]


def _places(answers: Iterable[Answer], udn: str) -> set[Place]:
    """Address and port of the LOCATIONs given for a device."""
    found = (place(each.response.location) for each in answers if each.response.udn == udn)
    return {each for each in found if each is not None}


def place(location: str) -> Place | None:
    """Address and port of a LOCATION; None if it holds no address."""
    try:
        parts = urlsplit(location)
        return unscoped(ip_address(parts.hostname or "")), parts.port or 80
    except ValueError:
        return None


# ---- others like us


def same_udn(
    probes: Iterable[Probe], udn: str | None, own: Iterable[Address], number: int | None
) -> Finding:
    """``own``: addresses of this machine; ``number``: our port, None if no server of ours runs."""
    if udn is None:
        return unknown(Check.SAME_UDN, "this server has no identity yet")
    ours = {(address, number) for address in own}
    places = {
        one for each in probes for one in _places((*each.multicast, *each.unicast), udn)
    } - ours
    if places:
        named = ", ".join(sorted(f"{address} port {port}" for address, port in places))
        return failure(
            Check.SAME_UDN,
            f"another server has the identity of this one: {named}",
            "its data directory is a copy of ours, and televisions take the two for one: stop "
            "one of them, delete its identity.json, start it again",
        )
    return ok(Check.SAME_UDN, "no other server has this one's identity")


def same_name(others: Iterable[OtherServer], friendly_name: str) -> Finding:
    places = sorted({str(each.address) for each in others if each.friendly_name == friendly_name})
    if places:
        return warning(
            Check.SAME_NAME,
            f'another media server is called "{friendly_name}" too: {", ".join(places)}',
            "you may be looking at that one: give this one another name (server.name)",
        )
    return ok(Check.SAME_NAME, "no other media server has this one's name")
