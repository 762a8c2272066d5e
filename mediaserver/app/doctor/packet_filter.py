"""Packet filters: reading the rules of nftables and iptables, and whether they let us be reached.

Read is what decides about a new packet from a neighbour to one of our ports; anything that is not
understood makes the outcome uncertain, never wrong. Rules are as ``nft list ruleset`` and
``iptables-save`` print them.
"""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

MAX_DEPTH = 16
"""Of chains that lead to chains."""

Ports = tuple[tuple[int, int], ...]
"""Ranges, both ends included."""


class Passage(StrEnum):
    """What becomes of a packet."""

    OPEN = "open"
    CLOSED = "closed"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Rule:
    """``verdict``: accept, drop, return, or empty for one that decides nothing; or ``to``, the
    chain it leads to. None for ``protocol`` and ``ports`` means all."""

    verdict: str = ""
    to: str = ""
    protocol: str | None = None
    ports: Ports | None = None
    never: bool = False
    """It cannot match a new packet from a neighbour."""
    uncertain: bool = False
    """It may depend on things we do not know."""

    def matches(self, protocol: str, port: int) -> bool:
        return (
            not self.never
            and self.protocol in (None, protocol)
            and (self.ports is None or any(low <= port <= high for low, high in self.ports))
        )


@dataclass(slots=True)
class Chain:
    rules: list[Rule] = field(default_factory=list)
    policy: str | None = None
    """Set for one that packets to this machine begin in."""


Chains = Mapping[str, Chain]
"""Of one table."""


# ---- judging


def passage(tables: Iterable[Chains], protocol: str, port: int) -> Passage:
    """What becomes of a new packet from a neighbour; every table has its say."""
    worst = Passage.OPEN
    for chains in tables:
        for chain in chains.values():
            if chain.policy is None:
                continue
            found = _through(chains, chain, protocol, port)
            if found is Passage.CLOSED:
                return found
            if found is Passage.UNCERTAIN:
                worst = found
    return worst


def _through(chains: Chains, chain: Chain, protocol: str, port: int) -> Passage:
    walk = _Walk(chains, protocol, port)
    decided = walk.follow(chain, 0) or chain.policy
    outcome = Passage.CLOSED if decided in ("drop", "reject") else Passage.OPEN
    return Passage.UNCERTAIN if walk.doubts - {outcome} else outcome


class _Walk:
    """A packet's way through chains. ``doubts``: what it may have come to on the way."""

    def __init__(self, chains: Chains, protocol: str, port: int) -> None:
        self._chains = chains
        self._protocol = protocol
        self._port = port
        self.doubts: set[Passage] = set()

    def follow(self, chain: Chain, depth: int, *, doubtful: bool = False) -> str | None:
        """The verdict; None if the chain comes to no end."""
        for rule in chain.rules:
            if not rule.matches(self._protocol, self._port):
                continue
            maybe = doubtful or rule.uncertain
            verdict: str | None = rule.verdict
            if rule.to:
                target = self._chains.get(rule.to)
                if target is None or depth >= MAX_DEPTH:
                    continue
                verdict = self.follow(target, depth + 1, doubtful=maybe)
            if verdict in ("accept", "drop"):
                if not maybe:
                    return verdict
                self.doubts.add(Passage.OPEN if verdict == "accept" else Passage.CLOSED)
            elif verdict == "return" and not rule.to and not rule.uncertain:
                return None
        return None


# ---- nftables

_NFT_CHAIN = re.compile(r"^\s*chain (?P<name>\S+) \{$")
_NFT_TABLE = re.compile(r"^table (?P<name>.+) \{$")
_NFT_BASE = re.compile(r"hook (?P<hook>\w+) priority [^;]+; policy (?P<policy>\w+);")
_NFT_NOISE = re.compile(
    r'counter packets \d+ bytes \d+|counter|comment "[^"]*"|log( prefix "[^"]*")?( level \w+)?'
    r"( flags \w+)*"
)
_NFT_VERDICT = re.compile(r"\b(accept|drop|reject|return|(?:jump|goto) (\S+))(?: with .*)?$")
_NFT_PORTS = re.compile(r"\b(udp|tcp|th) dport (\{[^}]*\}|[\w-]+)")
_NFT_PROTOCOL = re.compile(r"\b(?:meta l4proto|ip protocol|ip6 nexthdr) (\{[^}]*\}|\w+)")
_NFT_OLD_MAP = re.compile(r"ct state vmap \{(?!.*\bnew\b)[^}]*\}$")
_NFT_NEVER = re.compile(
    r'\biif(name)? "?lo"?(?= |$)|\bct state (?!.*\bnew\b)[\w, {}]+|\bct status |\bicmp(v6)? '
    r"|\b(?:udp|tcp|th) sport (?!=)|\b(?:sctp|dccp) "
)
_NFT_ALWAYS = re.compile(r'\biif(name)? != "?lo"?(?= |$)|\bct state [\w, {}]*\bnew\b[\w, {}]*')


def read_nft(text: str) -> list[Chains]:
    """Tables out of ``nft list ruleset``."""
    tables: list[dict[str, Chain]] = []
    chain: Chain | None = None
    for line in text.splitlines():
        if _NFT_TABLE.match(line):
            tables.append({})
            chain = None
        elif tables and (found := _NFT_CHAIN.match(line)):
            chain = tables[-1].setdefault(found["name"], Chain())
        elif line.strip() == "}":
            chain = None
        elif chain is not None and line.strip().startswith("type "):
            base = _NFT_BASE.search(line)
            if base is not None and base["hook"] == "input":
                chain.policy = base["policy"]
        elif chain is not None and line.strip():
            chain.rules.append(_nft_rule(line.strip()))
    return list(tables)


def _nft_rule(line: str) -> Rule:
    text = _NFT_NOISE.sub(" ", line).strip()
    found = _NFT_VERDICT.search(text)
    if found is None:
        if "vmap" not in text:  # it counts or marks, and goes on
            return Rule()
        # A map of verdicts decides somehow, or only for what is no new packet.
        return Rule("drop", never=bool(_NFT_OLD_MAP.match(text)), uncertain=True)
    conditions = text[: found.start()].strip()
    if _NFT_NEVER.search(conditions):
        return Rule(never=True)
    conditions = _NFT_ALWAYS.sub(" ", conditions)
    protocol: str | None = None
    ports: Ports | None = None
    uncertain = False
    if by_port := _NFT_PORTS.search(conditions):
        protocol = by_port[1] if by_port[1] != "th" else None
        ports = _ports(by_port[2].strip("{}").split(","))
        uncertain = ports is None
        conditions = _NFT_PORTS.sub(" ", conditions, count=1)
    if by_protocol := _NFT_PROTOCOL.search(conditions):
        names = {name.strip() for name in by_protocol[1].strip("{}").split(",")}
        if not names & {"udp", "tcp"}:
            return Rule(never=True)
        if len(names & {"udp", "tcp"}) == 1 and protocol is None:
            (protocol,) = names & {"udp", "tcp"}
        conditions = _NFT_PROTOCOL.sub(" ", conditions, count=1)
    verdict = found[1].split()[0]
    return Rule(
        verdict="drop" if verdict == "reject" else "" if found[2] else verdict,
        to=found[2] or "",
        protocol=protocol,
        ports=ports,
        uncertain=uncertain or bool(conditions.strip()),
    )


def _ports(names: Iterable[str]) -> Ports | None:
    """None if there is a name or set that we do not know."""
    ranges = []
    for name in names:
        low, _, high = name.strip().replace(":", "-").partition("-")
        if not name.isascii():
            return None
        if low == "ssdp":
            low = "1900"
        if not low.isdigit() or (high and not high.isdigit()):
            if low.isalpha() and not high:
                continue  # a service's name, none of ours
            return None
        ranges.append((int(low), int(high or low)))
    return tuple(ranges)


# ---- iptables

_IPTABLES_MODULES = {"udp", "tcp", "multiport", "comment", "conntrack", "state"}
_IPTABLES_VERDICTS = {"ACCEPT": "accept", "DROP": "drop", "REJECT": "drop", "RETURN": "return"}
_IPTABLES_SILENT = {"LOG", "NFLOG", "MARK", "CONNMARK", "ULOG", "TRACE", "AUDIT", "NOTRACK"}


def read_iptables(text: str) -> list[Chains]:
    """The filter table out of ``iptables-save``, or of a file of ufw in that form."""
    chains: dict[str, Chain] = {}
    table = "filter"
    for line in text.splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        if table != "filter":
            continue
        words = _words(line)
        if line.startswith(":"):
            name, policy, *_ = (*words, "-", "-")
            chain = chains.setdefault(name[1:], Chain())
            if name == ":INPUT":
                chain.policy = "accept" if policy == "ACCEPT" else "drop"
        elif len(words) > 1 and words[0] == "-A":
            rule = _iptables_rule(words[2:])
            chains.setdefault(words[1], Chain()).rules.append(rule)
    return [chains]


def _words(line: str) -> list[str]:
    """As a shell takes them; of a quotation that does not end, as they stand."""
    try:
        return shlex.split(line, comments=False, posix=True)
    except ValueError:
        return line.split()


def _iptables_rule(words: Sequence[str]) -> Rule:
    verdict, to, protocol, ports = "", "", None, None
    never = uncertain = negated = False
    rest = iter(words)
    for word in rest:
        value = "" if word == "!" else next(rest, "")
        match word:
            case "!":
                negated = True
                continue
            case "-p" | "--protocol":
                protocol = value
                uncertain |= negated
            case "--dport" | "--dports" | "--destination-port":
                ports = _ports(value.split(","))
                uncertain |= negated or ports is None
            case "-i" | "--in-interface":
                if value == "lo":
                    never |= not negated
                else:
                    uncertain = True
            case "--ctstate" | "--state":
                if ("NEW" in value.split(",")) is negated:
                    never = True
            case "-m" | "--match":
                uncertain |= value not in _IPTABLES_MODULES
            case "-j" | "--jump" | "-g" | "--goto":
                if value in _IPTABLES_VERDICTS:
                    verdict = _IPTABLES_VERDICTS[value]
                elif value not in _IPTABLES_SILENT:
                    to = value
            case "--comment" | "--reject-with" | "--log-prefix" | "--log-level":
                pass
            case _:
                uncertain = True
        negated = False
    return Rule(verdict, to, protocol, ports, never, uncertain)
