"""Checks of server, interfaces and port."""

from collections.abc import Callable, Iterable, Sequence

from mediaserver.app.doctor.findings import Check, Finding, failure, ok, unknown, warning
from mediaserver.app.doctor.server import Knock, Running
from mediaserver.data_directory import Holder
from mediaserver.upnp.interfaces import Interface

NOT_SERVED = "the running server does not serve this address: see above"

# ---- our server


def server(
    holder: Holder | None, running: Running | None, own_udn: str | None, *, port: int
) -> Finding:
    """``holder``: who uses our data directory; ``own_udn``: the identity in it."""
    if running is not None and (holder is not None or running.udn == own_udn):
        process = f"process {holder.pid}, " if holder is not None and holder.pid else ""
        found = f"it runs ({process}port {running.port}, version {running.version})"
        if running.status is not None and running.status.failures:
            parts = ", ".join(each.task for each in running.status.failures)
            return warning(
                Check.SERVER,
                f"{found}, but parts of it failed and were started again: {parts}",
                "that should not happen: please report it, with the log",
            )
        return ok(Check.SERVER, found)
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
        "give doctor the same --interface as the server; if no check of the port or the firewall "
        "says more below, restart the server and look at its log",
    )


# ---- interfaces


def interfaces(
    found: Sequence[Interface],
    wanted: Sequence[str],
    present: Sequence[Interface],
    served: Sequence[str] | None,
    *,
    is_inner: Callable[[str], bool] = lambda name: False,
) -> list[Finding]:
    """``present``: all there are, loopback too; ``served``: the addresses the running server
    serves, None if that is not known; ``is_inner``: whether an interface leads to no cable
    and no Wi-Fi (:func:`~mediaserver.upnp.interfaces.is_inner`)."""
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
    findings += [_interface(each, served, inner=is_inner(each.name)) for each in found]
    return findings


def _matches(name: str, found: Iterable[Interface]) -> bool:
    return any(name in (each.name, str(each.address)) for each in found)


def _interface(interface: Interface, served: Sequence[str] | None, *, inner: bool) -> Finding:
    about = label(interface)
    if inner:
        return ok(
            Check.INTERFACE,
            "containers and virtual machines of this machine alone, no television",
            about=about,
        )
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
    if served is not None and str(interface.address) not in served:
        return warning(
            Check.INTERFACE,
            "the running server does not serve this address",
            "if that lasts longer than ten seconds, compare server.interfaces with what doctor "
            "was given, or restart the server",
            about=about,
        )
    state = "served" if served is not None else "would be served"
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


def port(knock: Knock, udn: str, number: int, *, served: bool = True) -> Finding:
    """Whether our description is served at one of our addresses.

    ``served``: whether the running server serves it; an address that has just come it will
    serve in a moment, and the check of interfaces has told.
    """
    about = f"{label(knock.interface)} port {number}"
    if knock.refused and not served:
        return unknown(Check.PORT, NOT_SERVED, about=about)
    if knock.refused:
        return failure(
            Check.PORT,
            "no connection: the server does not listen at this address, or a firewall refuses it",
            f"if the firewall below is well, restart the server: its log says why it cannot listen;"
            f" else {open_port(number)}",
            about=about,
        )
    if knock.answer is None:
        return failure(
            Check.PORT,
            f"no connection: {knock.error}",
            open_port(number),
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


def open_port(number: int) -> str:
    return (
        f"let TCP port {number} in: `sudo ufw allow {number}/tcp`, or `sudo firewall-cmd "
        f"--permanent --add-port={number}/tcp && sudo firewall-cmd --reload`"
    )


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
