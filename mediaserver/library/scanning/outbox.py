"""Changes on their way to the index, many in one transaction.

Large enough transactions that their fixed cost does not count (a page of an index that many
changes touch is written once), short enough ones that what was found is soon to be seen and
little is lost with the power. Each change is made at once, in the transaction that is open: the
writer's work is spread evenly beside that of the readers, who would have to wait for it at the
end. Readers of the index see none of it before the commit.
"""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from mediaserver.library.indexer import Batch, Indexer

MAX_CHANGES = 10_000
MAX_SECONDS = 1.0
"""From the first change of a transaction."""

Write = Callable[[Batch], object]


class Outbox:
    """Belongs to the writer thread."""

    def __init__(self, indexer: Indexer, clock: Callable[[], float] = time.monotonic) -> None:
        self._indexer = indexer
        self._clock = clock
        self._transaction: AbstractContextManager[Batch] | None = None
        self._batch: Batch | None = None
        self._changes = 0
        self._since = 0.0

    def add(self, write: Write) -> None:
        """Make a change. One that fails undoes those before it in the same transaction; none of
        them is tried again: the next scan finds them anew."""
        if self._batch is None:
            self._transaction = self._indexer.batch()
            self._batch = self._transaction.__enter__()
            self._changes, self._since = 0, self._clock()
        try:
            write(self._batch)
        except BaseException as error:
            self._end(error)
            raise
        self._changes += 1
        self.flush_if_due()

    def flush_if_due(self) -> None:
        if self._batch is not None and (
            self._changes >= MAX_CHANGES or self._clock() - self._since >= MAX_SECONDS
        ):
            self.flush()

    def flush(self) -> None:
        """Commit what there is."""
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        transaction, self._transaction, self._batch = self._transaction, None, None
        if transaction is None:
            return
        if error is None:
            transaction.__exit__(None, None, None)
        else:
            transaction.__exit__(type(error), error, error.__traceback__)
