"""How often something may happen."""

from collections import OrderedDict
from collections.abc import Hashable


class RateLimit:
    """So many events a second for each key, as a token bucket of one second's worth.

    Remembers a bounded number of keys; the longest unused is forgotten first, which can only
    make the limit milder.
    """

    def __init__(self, per_second: float, *, keys: int = 1024) -> None:
        self._per_second = per_second
        self._keys = keys
        self._buckets: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def allow(self, key: Hashable, now: float, count: int = 1) -> bool:
        """Whether ``count`` events may happen at ``now`` (seconds); takes them if so.

        More than a second's worth at once is allowed to a full bucket, and empties it.
        """
        tokens, since = self._buckets.pop(key, (self._per_second, now))
        tokens = min(self._per_second, tokens + (now - since) * self._per_second)
        needed = min(float(count), self._per_second)
        allowed = tokens >= needed
        self._buckets[key] = (tokens - needed if allowed else tokens, now)
        if len(self._buckets) > self._keys:
            self._buckets.popitem(last=False)
        return allowed
