"""Directories of a TIFF structure (TIFF 6.0 §2), as RAW photos and EXIF blocks have them.

Read in pieces and within bounds: directories that point to each other in a circle, or to nothing,
end the walk.
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

MAX_DIRECTORIES = 64
MAX_ENTRIES = 1024
"""Of one directory; cameras write a hundred."""
MAX_VALUES = 1024
MAX_TEXT = 1024

SUB_DIRECTORIES, EXIF_DIRECTORY = 0x014A, 0x8769
"""Tags whose values are places of further directories (TIFF/EP §5.2.3.9, EXIF 2.3 §4.6.3)."""

ReadAt = Callable[[int, int], bytes]
"""Bytes from an offset, so many or fewer."""

_BYTE_ORDERS = {b"II": "<", b"MM": ">"}
# Type to the letter of struct and its size; rational and floating numbers are of no use here.
_INTEGERS = {1: ("B", 1), 3: ("H", 2), 4: ("I", 4), 6: ("b", 1), 7: ("B", 1), 13: ("I", 4)}
_TEXT = 2


@dataclass(frozen=True, slots=True)
class Entry:
    """A tag's value, not read yet: where it stands, from the beginning of the structure."""

    kind: int
    count: int
    offset: int


@dataclass(slots=True)
class Directory:
    """One image file directory; values are read when asked for."""

    byte_order: str
    read_at: ReadAt
    entries: dict[int, Entry] = field(default_factory=dict)

    def numbers(self, tag: int) -> tuple[int, ...]:
        """Integers; empty where there are none, or more than make sense."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _INTEGERS or not 0 < entry.count <= MAX_VALUES:
            return ()
        letter, size = _INTEGERS[entry.kind]
        data = self.read_at(entry.offset, entry.count * size)
        if len(data) < entry.count * size:
            return ()
        return struct.unpack(f"{self.byte_order}{entry.count}{letter}", data)

    def number(self, tag: int) -> int | None:
        """The first of the integers."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind not in _INTEGERS or not entry.count:
            return None
        letter, size = _INTEGERS[entry.kind]
        data = self.read_at(entry.offset, size)
        value: int | None = None
        if len(data) == size:
            (value,) = struct.unpack(self.byte_order + letter, data)
        return value

    def text(self, tag: int) -> bytes:
        """Up to its first NUL."""
        entry = self.entries.get(tag)
        if entry is None or entry.kind != _TEXT:
            return b""
        return self.read_at(entry.offset, min(entry.count, MAX_TEXT)).partition(b"\0")[0]

    def span(self, tag: int) -> tuple[int, int] | None:
        """Offset and length of a value that is bytes of any kind."""
        entry = self.entries.get(tag)
        return (entry.offset, entry.count) if entry is not None and entry.kind in (1, 7) else None


def directories(read_at: ReadAt) -> Iterator[Directory]:
    """All directories of a structure that begins at 0: the chain, and those that they hold.

    The magic number is not looked at: RAW formats have their own.
    """
    head = read_at(0, 8)
    byte_order = _BYTE_ORDERS.get(head[:2])
    if byte_order is None or len(head) < 8:
        return
    (first,) = struct.unpack_from(f"{byte_order}I", head, 4)
    waiting, visited = [first], set[int]()
    while waiting and len(visited) < MAX_DIRECTORIES:
        offset = waiting.pop(0)
        if offset < 8 or offset in visited:
            continue
        visited.add(offset)
        directory, following = directory_at(read_at, offset, byte_order)
        yield directory
        waiting += [
            *(
                place
                for tag in (SUB_DIRECTORIES, EXIF_DIRECTORY)
                for place in directory.numbers(tag)
            ),
            following,
        ]


def directory_at(read_at: ReadAt, offset: int, byte_order: str) -> tuple[Directory, int]:
    """The directory at a place, and the place of the next in the chain; 0 ends it."""
    directory = Directory(byte_order, read_at)
    start = read_at(offset, 2)
    if len(start) < 2:
        return directory, 0
    (count,) = struct.unpack(f"{byte_order}H", start)
    if count > MAX_ENTRIES:
        return directory, 0
    table = read_at(offset + 2, 12 * count + 4)
    for number in range(min(count, len(table) // 12)):
        tag, kind, values = struct.unpack_from(f"{byte_order}HHI", table, 12 * number)
        inside = offset + 2 + 12 * number + 8
        # Up to four bytes stand in the entry itself.
        if values * _SIZES.get(kind, 4) > 4:
            (inside,) = struct.unpack_from(f"{byte_order}I", table, 12 * number + 8)
        directory.entries.setdefault(tag, Entry(kind, values, inside))
    if len(table) < 12 * count + 4:
        return directory, 0
    (following,) = struct.unpack_from(f"{byte_order}I", table, 12 * count)
    return directory, following


_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4}
"""Bytes of a value, by type."""
