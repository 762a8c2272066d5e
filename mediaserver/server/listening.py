"""Listening sockets: one per address, all on one port."""

import errno
import ipaddress
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

ATTEMPTS = 16
"""To find one port that is free on every address."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address to listen on; ``scope`` is the interface index of a link-local IPv6 address."""

    address: Address
    scope: int = 0

    def __str__(self) -> str:
        return f"[{self.address}]" if self.address.version == 6 else str(self.address)


class CannotListen(OSError):  # noqa: N818 - says what happened
    """An address and port that cannot be had; the text is for people."""

    def __init__(self, endpoint: Endpoint, port: int, error: OSError) -> None:
        if error.errno == errno.EADDRINUSE:
            reason = "the port is in use by another program"
        elif error.errno == errno.EACCES:
            reason = "the port is reserved (below 1024)"
        elif error.errno == errno.EADDRNOTAVAIL:
            reason = "this machine does not have the address"
        else:
            reason = os.strerror(error.errno) if error.errno else str(error)
        super().__init__(error.errno, f"cannot listen on {endpoint}:{port}: {reason}")
        self.endpoint = endpoint
        self.port = port

    def __str__(self) -> str:
        return str(self.args[1])


def listen(endpoint: Endpoint, port: int) -> socket.socket:
    """A socket bound to an address, ready for an event loop. Raises CannotListen."""
    version_6 = endpoint.address.version == 6
    sock = socket.socket(socket.AF_INET6 if version_6 else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        # A port that was ours a moment ago can be taken again at once.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if version_6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((str(endpoint.address), port, 0, endpoint.scope))
        else:
            sock.bind((str(endpoint.address), port))
        # Bound twice with SO_REUSEADDR, it is listening that fails: now, not later.
        sock.listen(128)
    except OSError as error:
        sock.close()
        raise CannotListen(endpoint, port, error) from error
    except BaseException:
        sock.close()
        raise
    return sock


def listen_on_all(endpoints: Iterable[Endpoint], port: int) -> dict[Endpoint, socket.socket]:
    """A socket for each address, all on ``port``, or for 0 on one port free on all of them.

    Raises CannotListen for the first address that cannot be had; then nothing is left open.
    """
    wanted = list(dict.fromkeys(endpoints))
    for attempt in range(ATTEMPTS):
        sockets: dict[Endpoint, socket.socket] = {}
        try:
            chosen = port
            for endpoint in wanted:
                sockets[endpoint] = listen(endpoint, chosen)
                chosen = sockets[endpoint].getsockname()[1]
            return sockets
        except CannotListen as error:
            for sock in sockets.values():
                sock.close()
            if port or not sockets or error.errno != errno.EADDRINUSE or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("unreachable")
