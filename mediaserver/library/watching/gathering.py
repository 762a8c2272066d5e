"""Folders that are to be scanned, gathered until it has been quiet for a while (security.md M9)."""

import threading
from collections.abc import Callable
from dataclasses import dataclass

LATEST_SECONDS = 30.0
"""After the first change, however busy it is."""
MAX_FOLDERS = 10_000
"""With more than so many, looking through everything is no more work."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What to scan: ``everything``, or the folders (absolute) and nothing below them."""

    folders: frozenset[bytes] = frozenset()
    everything: bool = False


class Gathering:
    """Thread-safe; ``clock`` is in seconds and never goes back."""

    def __init__(self, quiet_seconds: float, clock: Callable[[], float]) -> None:
        self._quiet = quiet_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._folders: set[bytes] = set()
        self._everything = False
        self._first: float | None = None
        self._last = 0.0

    def add(self, folder: bytes) -> bool:
        """A change in a folder. Whether it is the first one, so that a timer must be set."""
        with self._lock:
            if not self._everything:
                self._folders.add(folder)
                if len(self._folders) > MAX_FOLDERS:
                    self._all()
            return self._note()

    def add_everything(self) -> bool:
        """Changes have been lost: all must be looked through. Answers like :meth:`add`."""
        with self._lock:
            self._all()
            return self._note()

    def due(self) -> float | None:
        """When to scan, by the clock; None: nothing is waiting."""
        with self._lock:
            if self._first is None:
                return None
            return min(self._last + self._quiet, self._first + LATEST_SECONDS)

    def take(self) -> Gathered:
        with self._lock:
            gathered = Gathered(frozenset(self._folders), self._everything)
            self._folders = set()
            self._everything = False
            self._first = None
            return gathered

    def _all(self) -> None:
        self._folders = set()
        self._everything = True

    def _note(self) -> bool:
        self._last = self._clock()
        first = self._first is None
        if first:
            self._first = self._last
        return first
