"""What is being sent at the moment, to whom; and how much one host may have sent at a time."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

STREAMS_PER_HOST = 16


@dataclass(slots=True, eq=False)
class Transfer:
    """A resource on its way."""

    address: str
    key: int
    title: str
    size: int
    """Bytes of the whole resource; a request may ask for fewer."""
    since: float
    """Of the clock of :class:`Transfers`."""
    sent: int = 0


class Transfers:
    """The running transfers. ``now`` gives seconds of a clock that never jumps."""

    def __init__(
        self, per_host: int = STREAMS_PER_HOST, *, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._per_host = per_host
        self._now = now
        self._running: dict[Transfer, None] = {}
        self._counts: Counter[str] = Counter()
        self.bytes_sent = 0
        """Since the program started."""

    def begin(self, address: str, key: int, title: str, size: int) -> Transfer | None:
        """A transfer begins; None if the host has too many already."""
        if self._counts[address] >= self._per_host:
            return None
        transfer = Transfer(address, key, title, size, self._now())
        self._running[transfer] = None
        self._counts[address] += 1
        return transfer

    def progress(self, transfer: Transfer, count: int) -> None:
        """``count`` bytes more have been sent."""
        transfer.sent += count
        self.bytes_sent += count

    def end(self, transfer: Transfer) -> None:
        del self._running[transfer]
        self._counts[transfer.address] -= 1
        if not self._counts[transfer.address]:
            del self._counts[transfer.address]

    def running(self) -> list[tuple[Transfer, float]]:
        """The transfers and how many seconds each has been running, the oldest first."""
        now = self._now()
        return [(transfer, now - transfer.since) for transfer in self._running]
