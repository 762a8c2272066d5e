"""Checks of the network: interfaces, port, searches, and what is heard of others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from mediaserver.app.doctor.findings import Check, Finding, failure, ok, unknown, warning
from mediaserver.app.doctor.others import OtherServer
from mediaserver.app.doctor.probing import Answer, Probe
from mediaserver.app.doctor.server import Knock, Running
from mediaserver.data_directory import Holder
from mediaserver.upnp.interfaces import Address, Interface, unscoped
from mediaserver.web.status import HeardSearch
from mediaserver.web.wording import ago, duration, things

LONG_ENOUGH = 1800.0
"""Seconds of silence that mean something: devices announce themselves anew within half of their
max-age, which is 1800 s or less with nearly all of them (UDA 1.1 §1.2.2)."""
SOON = 600.0
"""Seconds after which somebody should have looked for a server, if there is a television on."""
SHOWN = 5
"""Devices named in a line."""

OPEN_MULTICAST = (
    "let UDP port 1900 in: `sudo ufw allow 1900/udp`, or "
    "`sudo firewall-cmd --permanent --add-port=1900/udp && sudo firewall-cmd --reload`"
)


# ---- our server


def server(
    holder: Holder | None, running: Running | None, own_udn: str | None, *, port: int
) -> Finding:
    """``holder``: who uses our data directory; ``own_udn``: the identity in it."""
    if running is not None and (holder is not None or running.udn == own_udn):
        process = f"process {holder.pid}, " if holder is not None and holder.pid else ""
        return ok(
            Check.SERVER, f"it runs ({process}port {running.port}, version {running.version})"
        )
    if running is not None:
        return warning(
            Check.SERVER,
            f"a mediaserver runs at port {running.port}, with another data directory than this "
            "command looks at",
            "give doctor the same --config or --data-dir as the service has",
        )
    if holder is None:
        return warning(
            Check.SERVER,
            f"it is not running (nothing of ours answers at port {port})",
            "start it: `mediaserver serve`, or `systemctl start mediaserver`",
        )
    if holder.port is None:
        return warning(
            Check.SERVER,
            f"process {holder.pid} uses the data directory and serves nothing: it starts or scans",
            "try again when it is done",
        )
    return failure(
        Check.SERVER,
        f"it runs (process {holder.pid}) but does not answer at port {holder.port}",
        "restart it, and look at its log; give doctor the same --interface as the server",
    )


# ---- interfaces


def interfaces(
    found: Sequence[Interface],
    wanted: Sequence[str],
    present: Sequence[Interface],
    announced: Sequence[str] | None,
) -> list[Finding]:
    """``present``: all there are, loopback too; ``announced``: the addresses the running server
    announces, None if that is not known."""
    missing = [name for name in wanted if not _matches(name, found)]
    there = ", ".join(f"{each.name} ({each.address})" for each in present) or "none"
    findings = [
        failure(
            Check.INTERFACE,
            f"there is no interface {name}, or it has no address",
            f"set server.interfaces (or --interface) to one of those there are: {there}",
            about=name,
        )
        for name in missing
    ]
    if not found and not missing:
        findings.append(
            failure(
                Check.INTERFACE,
                "no interface that is up, can multicast and has an address",
                "connect the machine to the network: cable, Wi-Fi, DHCP; `ip address` shows all",
            )
        )
    findings += [_interface(each, announced) for each in found]
    return findings


def _matches(name: str, found: Iterable[Interface]) -> bool:
    return any(name in (each.name, str(each.address)) for each in found)


def _interface(interface: Interface, announced: Sequence[str] | None) -> Finding:
    about = label(interface)
    if not interface.running:
        return warning(
            Check.INTERFACE,
            "no carrier: nothing is connected",
            "plug the cable in, or join the Wi-Fi",
            about=about,
        )
    if interface.version == 4 and interface.address.is_link_local:
        return warning(
            Check.INTERFACE,
            "an address the machine gave itself, because no DHCP server answered",
            "check cable and router; televisions with an address of the router cannot reach it",
            about=about,
        )
    if interface.address.is_loopback:
        return ok(Check.INTERFACE, "this machine alone, no television", about=about)
    if announced is not None and str(interface.address) not in announced:
        return warning(
            Check.INTERFACE,
            "the running server does not announce this address",
            "if that lasts longer than ten seconds, compare server.interfaces with what doctor "
            "was given, or restart the server",
            about=about,
        )
    state = "announced" if announced is not None else "would be announced"
    return ok(Check.INTERFACE, f"up, {state}", about=about)


def label(interface: Interface) -> str:
    return f"{interface.name} {interface.address}"


def ipv6(found: Sequence[Interface]) -> Finding:
    """Televisions want IPv4; IPv6 is a bonus."""
    addresses = [each.address for each in found if not each.address.is_loopback]
    version_4 = [each for each in addresses if each.version == 4]
    version_6 = [each for each in addresses if each.version == 6]
    if version_6 and not version_4:
        return warning(
            Check.IPV6,
            "there is IPv6 only; hardly any television looks for servers by it",
            "give the machine an IPv4 address too (DHCP)",
        )
    if version_6 and all(each.is_link_local for each in version_6):
        return ok(Check.IPV6, "link-local addresses only, which is enough: televisions use IPv4")
    return ok(Check.IPV6, "in use beside IPv4" if version_6 else "none, and none is needed")


# ---- the port


def port(knock: Knock, udn: str, number: int) -> Finding:
    """Whether our description is served at one of our addresses."""
    about = f"{label(knock.interface)} port {number}"
    if knock.refused:
        return failure(
            Check.PORT,
            "the server does not listen at this address",
            "restart the server; its log says why it cannot listen",
            about=about,
        )
    if knock.answer is None:
        return failure(
            Check.PORT,
            f"no connection: {knock.error}",
            f"let TCP port {number} in: `sudo ufw allow {number}/tcp`, or `sudo firewall-cmd "
            f"--permanent --add-port={number}/tcp && sudo firewall-cmd --reload`",
            about=about,
        )
    if knock.answer.status == 403:
        return failure(
            Check.PORT,
            "the server refuses this machine's own address",
            'put "attached" into server.allowed_networks',
            about=about,
        )
    if knock.answer.status != 200 or knock.answer.udn != udn:
        return failure(
            Check.PORT,
            f"something else answers (status {knock.answer.status})",
            "another program has the port: give the server another one (server.port)",
            about=about,
        )
    return ok(Check.PORT, "reachable, and describes our server", about=about)


def free_port(interface: Interface, number: int, error: str | None) -> Finding:
    """Whether a server that does not run could listen; ``error`` is why not."""
    about = f"{label(interface)} port {number}"
    if error is None:
        return ok(Check.PORT, "free for the server", about=about)
    return failure(
        Check.PORT,
        error,
        "stop the other program, or give the server another port (server.port, --port)",
        about=about,
    )


# ---- searches


def multicast_loop(probe: Probe) -> Finding:
    """Whether a multicast of ours comes back to a listener on this machine."""
    about = label(probe.interface)
    if probe.error is not None and probe.interface.address.is_loopback:
        return unknown(Check.MULTICAST_LOOP, "no multicast on this loopback address", about=about)
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


def search_multicast(probe: Probe, udn: str, number: int) -> Finding:
    """Whether our server answers what televisions ask."""
    about = label(probe.interface)
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


def search_unicast(probe: Probe, udn: str) -> Finding:
    about = label(probe.interface)
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


# ---- what is heard of others


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
