"""What all connections of a server share."""

from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from mediaserver.server.admission import Admission
from mediaserver.server.connections import Connections
from mediaserver.server.limits import Limits
from mediaserver.server.sending import FileSender


@dataclass(slots=True)
class Edge:
    """Limits, rules, the other connections, threads, and the clock: the event loop's."""

    limits: Limits
    admission: Admission
    connections: Connections
    sender: FileSender
    now: Callable[[], float]
    server: bytes = b""
    """The header line ``Server``, or nothing."""
    date: bytes = field(default=b"", init=False)
    """The header line ``Date``."""

    def __post_init__(self) -> None:
        self.tell_time()

    def tell_time(self) -> None:
        """Renew ``date``; to be called once a second."""
        self.date = b"Date: %b\r\n" % formatdate(usegmt=True).encode("ascii")
