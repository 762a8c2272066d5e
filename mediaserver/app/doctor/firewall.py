"""The check of the packet filter on this machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mediaserver.app.doctor.findings import Check, Finding, ok, unknown, warning
from mediaserver.app.doctor.packet_filter import Chains, Passage, passage

Port = tuple[str, int]
"""``udp`` or ``tcp``, and the number."""


@dataclass(frozen=True, slots=True)
class FirewallFacts:
    """What could be learnt of the packet filter."""

    tables: Sequence[Chains] | None = None
    """None: the rules could not be read."""
    program: str | None = None
    """The firewall program that is switched on, as far as its files tell (``ufw``)."""
    container: bool = False
    """Seen from inside a container: the rules of its host, or others, may count."""


def firewall(facts: FirewallFacts, tcp_port: int) -> Finding:
    """Never a failure: whether others get in is seen for sure by others alone."""
    wanted = (("udp", 1900), ("tcp", tcp_port))
    if facts.tables is None:
        if facts.program is not None:
            return unknown(
                Check.FIREWALL,
                f"{facts.program} is on; its rules can be read by root alone",
                f"run `sudo mediaserver doctor`, or open the ports: {_remedy(wanted)}",
            )
        return unknown(
            Check.FIREWALL, "the rules can be read by root alone", "run `sudo mediaserver doctor`"
        )
    passages = {each: passage(facts.tables, *each) for each in wanted}
    closed = [each for each, found in passages.items() if found is Passage.CLOSED]
    uncertain = [each for each, found in passages.items() if found is Passage.UNCERTAIN]
    if closed:
        return warning(
            Check.FIREWALL, f"the firewall keeps out {_named(closed)}", f"let in: {_remedy(closed)}"
        )
    if uncertain:
        return unknown(
            Check.FIREWALL,
            f"it depends on more than the port whether {_named(uncertain)} get in",
            f"if televisions see nothing, open the ports: {_remedy(uncertain)}",
        )
    if facts.container:
        return ok(Check.FIREWALL, "none in this container (its host may have one)")
    return ok(Check.FIREWALL, f"lets in UDP port 1900 and TCP port {tcp_port}")


def _named(ports: Iterable[Port]) -> str:
    return " and ".join(f"{protocol.upper()} port {number}" for protocol, number in ports)


def _remedy(ports: Iterable[Port]) -> str:
    commands = [f"`sudo ufw allow {number}/{protocol}`" for protocol, number in ports]
    return f"{' and '.join(commands)}, or what your firewall has for that"
