"""SSDP as control points on other hosts hear it."""

import socket
import time

from tests.lan.network import GROUP, Host
from tests.patience import PATIENCE
from tests.upnp.fakes import m_search


def headers(message: bytes) -> dict[str, str]:
    lines = message.decode("ascii").split("\r\n")[1:]
    parts = (line.partition(":") for line in lines if line)
    return {name: value.strip() for name, _, value in parts}


def search(
    host: Host, address: str, target: str, to: tuple[str, int] = GROUP
) -> tuple[dict[str, str], str]:
    """Headers and source of the first answer to a search from one of the host's addresses.

    The search is repeated until there is one, as control points do (UDA 1.1 §1.3.2).
    """
    deadline = time.monotonic() + PATIENCE
    with host.control_point(address, seconds=3) as sock:
        while True:
            sock.sendto(m_search(target, mx=1), to)
            try:
                data, source = sock.recvfrom(4096)
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
            else:
                return headers(data), source[0].partition("%")[0]


def search_all(host: Host, address: str, target: str, *, count: int) -> list[dict[str, str]]:
    """The headers of all answers to a search: so many at least, and who answers after those."""
    answers: list[dict[str, str]] = []
    with host.control_point(address) as sock:
        sock.sendto(m_search(target, mx=1), GROUP)
        while True:
            if len(answers) == count:
                sock.settimeout(1.2)
            try:
                answers.append(headers(sock.recv(4096)))
            except TimeoutError:
                return answers


def heard(
    sock: socket.socket, nts: str, *, location: str | None = None, nt: str | None = None
) -> dict[str, str]:
    """The next announcement of that kind (and LOCATION, and NT)."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = headers(sock.recv(4096))
        if (
            found.get("NTS") == nts
            and location in (None, found.get("LOCATION"))
            and nt in (None, found["NT"])
        ):
            return found
    raise TimeoutError(f"no {nts} of {location or nt or 'anything'}")


def silent(sock: socket.socket, seconds: float = 1.2) -> bool:
    sock.settimeout(seconds)
    try:
        sock.recv(4096)
    except TimeoutError:
        return True
    return False
