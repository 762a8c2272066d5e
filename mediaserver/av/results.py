"""Finished answers, kept while the library does not change.

Televisions page back and forth, and several devices open the same folder: the second to ask gets
what the first one got. An answer is good for one SystemUpdateID; the store is bounded in bytes.
"""

from collections import OrderedDict
from collections.abc import Mapping

LIMIT_BYTES = 16 << 20
_LARGEST = 4
"""An answer larger than this part of the limit would push out too many others."""
_OVERHEAD = 512
"""Bytes of an entry beside its text, about."""

Answer = Mapping[str, object]
Key = tuple[object, ...]
"""Everything that an answer depends on beside the library; all of it hashable."""


class Results:
    """The store; used on the event loop."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES) -> None:
        self._limit = limit_bytes
        self._kept: OrderedDict[Key, tuple[Answer, int]] = OrderedDict()
        self._size = 0
        self._update_id = -1

    def get(self, key: Key, system_update_id: int) -> Answer | None:
        """The answer given before, if the library is still the same."""
        if system_update_id != self._update_id:
            self._clear(system_update_id)
            return None
        found = self._kept.get(key)
        if found is None:
            return None
        self._kept.move_to_end(key)
        return found[0]

    def put(self, key: Key, system_update_id: int, answer: Answer, length: int) -> None:
        """Keep an answer, of so many bytes, that was made at this SystemUpdateID.

        One made at another than the latest asked for is old already.
        """
        # The arguments are kept too, and a control point may make them long.
        size = length + sum(len(part) for part in key if isinstance(part, str)) + _OVERHEAD
        if system_update_id != self._update_id or size > self._limit // _LARGEST:
            return
        _, before = self._kept.pop(key, (None, 0))
        self._kept[key] = (answer, size)
        self._size += size - before
        while self._size > self._limit:
            _, (_, freed) = self._kept.popitem(last=False)
            self._size -= freed

    def _clear(self, system_update_id: int) -> None:
        self._kept.clear()
        self._size = 0
        self._update_id = system_update_id
