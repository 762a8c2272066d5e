"""Changes on their way to the index: gathered, then written together in one transaction.

Large enough transactions that their fixed cost does not count, short enough ones that what was
found is soon to be seen and little is lost with the power.
"""

import time
from collections.abc import Callable

from mediaserver.library.indexer import Batch, Indexer

MAX_CHANGES = 250
MAX_SECONDS = 1.0
"""From the first change of a transaction."""

Write = Callable[[Batch], object]


class Outbox:
    """Belongs to the writer thread."""

    def __init__(self, indexer: Indexer, clock: Callable[[], float] = time.monotonic) -> None:
        self._indexer = indexer
        self._clock = clock
        self._waiting: list[Write] = []
        self._since = 0.0

    def add(self, write: Write) -> None:
        """To be called with the batch, in the order of adding."""
        if not self._waiting:
            self._since = self._clock()
        self._waiting.append(write)
        self.flush_if_due()

    def flush_if_due(self) -> None:
        if self._waiting and (
            len(self._waiting) >= MAX_CHANGES or self._clock() - self._since >= MAX_SECONDS
        ):
            self.flush()

    def flush(self) -> None:
        """Write and commit. What fails is not tried again: the next scan finds it anew."""
        waiting, self._waiting = self._waiting, []
        if waiting:
            with self._indexer.batch() as batch:
                for write in waiting:
                    write(batch)
