"""Who may connect, and under which names we may be addressed (security.md N1, section 2).

A page of another site can have its name resolve to our address, and then its script would read
the library: so the host of a request must be one of our addresses, ``localhost``, this machine's
own name or a configured one, with our port or none. The raw header is looked at, and the host of
an absolute-form target too.
"""

import ipaddress
import logging
import re
import socket
from collections.abc import Iterable

from mediaserver.server.addresses import Address, unscoped

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

logger = logging.getLogger(__name__)

REMEMBERED = 1024
"""Answers kept; all are forgotten when there are more."""
TOLD = 256
"""Refusals logged until our addresses change: whoever makes up names shall not fill the log."""

_HOST = re.compile(
    rb"(?:\[(?P<ipv6>[0-9a-f:.]{2,45})(?:%[a-z0-9%._-]{1,32})?\]|(?P<name>[a-z0-9._-]{1,253}))"
    rb"(?::(?P<port>[0-9]{1,5}))?"
)


class Admission:
    """The rules; what they say of a peer or a Host is remembered, and refusals are logged once.

    ``hosts`` are further names or addresses that mean us, ``networks`` further ones that may
    connect besides loopback; with ``attached`` also those of our own interfaces.
    """

    def __init__(
        self,
        *,
        hosts: Iterable[str] = (),
        networks: Iterable[Network] = (),
        attached: bool = True,
        hostname: str | None = None,
    ) -> None:
        own = (socket.gethostname() if hostname is None else hostname).lower().rstrip(".")
        plain = own.partition(".")[0]
        self._names = {"localhost", own, plain, f"{plain}.local"} - {"", ".local"}
        self._names.update(host.lower().rstrip(".") for host in hosts)
        self._networks = tuple(networks)
        self._attached = attached
        self._interface_networks: tuple[Network, ...] = ()
        self._addresses: frozenset[str] = frozenset()
        self._peers: dict[str, bool] = {}
        self._hosts: dict[tuple[bytes, int], bool] = {}
        self._told = 0

    def set_interfaces(self, addresses: Iterable[Address], networks: Iterable[Network]) -> None:
        """Our own addresses, and the networks they are in; again whenever they change.

        A network of prefix length 0 (some PPP links) says nothing about who is near.
        """
        ours = frozenset(map(str, map(unscoped, addresses)))
        if ours != self._addresses:
            self._told = 0
        self._addresses = ours
        self._interface_networks = tuple(each for each in networks if each.prefixlen)
        self._peers.clear()
        self._hosts.clear()

    def may_connect(self, peer: str) -> bool:
        """Whether a peer, an address as text, may talk to us at all."""
        verdict = self._peers.get(peer)
        if verdict is None:
            if len(self._peers) >= REMEMBERED:
                self._peers.clear()
            verdict = self._peers[peer] = self._judge_peer(peer)
            if not verdict:
                self._tell("not on an attached or allowed network, refused: %s", peer)
        return verdict

    def is_ours(self, host: bytes, port: int) -> bool:
        """Whether a host with or without port (RFC 9110 §7.2) means us, listening on ``port``."""
        verdict = self._hosts.get((host, port))
        if verdict is None:
            if len(self._hosts) >= REMEMBERED:
                self._hosts.clear()
            verdict = self._hosts[host, port] = self._judge_host(host, port)
            if not verdict:
                self._tell("asked for another host, refused: %r", host[:256])
        return verdict

    def _tell(self, message: str, who: object) -> None:
        if self._told < TOLD:
            self._told += 1
            logger.info(message, who)

    def _judge_peer(self, peer: str) -> bool:
        try:
            address = unscoped(ipaddress.ip_address(peer))
        except ValueError:
            return False
        if address.is_loopback:
            return True
        networks = self._networks + (self._interface_networks if self._attached else ())
        return any(address in network for network in networks)

    def _judge_host(self, host: bytes, port: int) -> bool:
        match = _HOST.fullmatch(host.lower())
        if match is None or (match["port"] is not None and int(match["port"]) != port):
            return False
        if match["ipv6"] is not None:
            try:
                address = ipaddress.IPv6Address(match["ipv6"].decode("ascii"))
            except ValueError:
                return False
            return str(address) in self._addresses | self._names
        name = match["name"].decode("ascii").removesuffix(".")
        return name in self._addresses or name in self._names
