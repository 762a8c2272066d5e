"""All open connections: who may have another, and who has been silent for too long.

One look a second at every connection stands in for a timer per request: nothing on the way of a
request costs more for it, and deadlines are kept to within that second.
"""

import logging
from collections import Counter
from collections.abc import Callable
from typing import Protocol

from mediaserver.server.limits import Limits

logger = logging.getLogger(__name__)


class Connection(Protocol):
    """What is asked of a connection."""

    @property
    def host(self) -> str:
        """The peer's address."""

    @property
    def idle_since(self) -> float | None:
        """Since when it waits for a request; None while it is busy."""

    def give_way(self) -> None:
        """Close, as another needs the place."""

    def look(self, now: float) -> None:
        """Close if a deadline has passed."""


class Connections:
    """The connections of one server. ``now`` is the event loop's clock."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._open: set[Connection] = set()
        self._per_host: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._open)

    def add(self, connection: Connection) -> bool:
        """Take in a new connection; False if there is no room for it.

        Where a limit is reached the connection that idles longest gives way: of the same host if
        that has too many, else of any.
        """
        host = connection.host
        if self._per_host[host] >= self._limits.connections_per_host:
            room = self._give_way([one for one in self._open if one.host == host])
        elif len(self._open) >= self._limits.connections:
            room = self._give_way(list(self._open))
        else:
            room = True
        if room:
            self._open.add(connection)
            self._per_host[host] += 1
        else:
            logger.debug("no room for another connection host=%s open=%d", host, len(self._open))
        return room

    def discard(self, connection: Connection) -> None:
        """Forget a connection; nothing if it is not known."""
        if connection in self._open:
            self._open.discard(connection)
            self._per_host[connection.host] -= 1
            if not self._per_host[connection.host]:
                del self._per_host[connection.host]

    def look(self) -> None:
        """Look at every connection once."""
        now = self._now()
        for connection in list(self._open):
            connection.look(now)

    def _give_way(self, candidates: list[Connection]) -> bool:
        idle = [(one.idle_since, one) for one in candidates if one.idle_since is not None]
        if not idle:
            return False
        _, longest = min(idle, key=lambda pair: pair[0])
        self.discard(longest)
        longest.give_way()
        return True
