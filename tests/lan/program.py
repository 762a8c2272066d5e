"""The program on a host of a test's network, and control points on others."""

import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from tests.control_point import SECONDS, ControlPoint
from tests.end_to_end.program import Program
from tests.lan.network import Host

T = TypeVar("T")


def served(*media_roots: Path, host: Host, home: Path, wait: bool = True) -> Program:
    """``mediaserver serve`` on every interface of a host."""
    home.mkdir(exist_ok=True)
    return Program(*media_roots, home=home, interface=None, prefix=host.prefix, wait=wait)


def control_point(
    host: Host, location: str, *, headers: Mapping[str, str] | None = None
) -> ControlPoint:
    """A control point on ``eth0`` of a host."""

    def connect(address: str, port: int) -> socket.socket:
        scoped = f"{address}%eth0" if address.startswith("fe80:") else address
        return host.inside(lambda: socket.create_connection((scoped, port), SECONDS))

    return ControlPoint(location, connect, headers or {})


def port_of(url: str) -> int:
    port = urlsplit(url).port
    assert port is not None
    return port


def wait_until(program: Program, look: Callable[[], T | None], what: str) -> T:
    """``look`` may fail to connect; it is asked again then."""

    def patient() -> T | None:
        try:
            return look()
        except OSError:
            return None

    return program.wait_for(patient, what)
