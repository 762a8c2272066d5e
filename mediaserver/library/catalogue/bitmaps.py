"""Sets of places as whole numbers: bit ``n`` tells whether place ``n`` belongs to the set.

A million places are a number of 125 KB; two such sets are intersected in three microseconds.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence

Bits = int
"""A set of places; never negative."""

_PART = 4096
"""Bytes that are searched for single bits at a time."""


def full(size: int) -> Bits:
    """All places of a list."""
    return (1 << size) - 1


def width(size: int) -> int:
    """Bytes of a set of places of a list, as it is stored."""
    return (size + 7) // 8


def from_places(places: Iterable[int], size: int) -> Bits:
    """The set of some places, in any order."""
    found = bytearray(width(size))
    for place in places:
        found[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(found, "little")


def from_signs(signs: "bytes | bytearray") -> Bits:
    """The set of the places at which there stands ``"1"``; at all others ``"0"``."""
    return int(signs[::-1], 2) if signs else 0


def stored(bits: Bits, size: int) -> bytes:
    return bits.to_bytes(width(size), "little")


def loaded(data: bytes | bytearray) -> Bits:
    return int.from_bytes(data, "little")


def places(bits: Bits, start: int, count: int) -> list[int]:
    """The places of a set from the one at ``start`` on, in ascending order; ``count`` at most."""
    found: list[int] = []
    data = bits.to_bytes(width(bits.bit_length()), "little")
    for at in range(0, len(data), _PART):
        if len(found) >= count:
            break
        part = int.from_bytes(data[at : at + _PART], "little")
        number = part.bit_count()
        if number <= start:
            start -= number
            continue
        own = list(_places_of(part))[start : start + count - len(found)]
        found += [8 * at + place for place in own]
        start = 0
    return found


def _places_of(bits: Bits) -> Iterator[int]:
    signs = f"{bits:b}"[::-1]
    place = signs.find("1")
    while place >= 0:
        yield place
        place = signs.find("1", place + 1)


def in_order(
    sets: Sequence[Bits],
    planes: Sequence[tuple[Sequence[Bits], bool]],
    start: int,
    count: int,
) -> list[tuple[int, int]]:
    """Some places of sets, one for each of several lists, in the order of a number that each
    place has; then of the lists, then of the places. Each is told with the number of its list.

    ``planes``: the numbers, as sets of the places that have a bit of it, one for each list, the
    highest bit first; and whether that bit counts the other way round (descending). All are halved
    by the highest bit, then again, and those parts are left alone that are before ``start``.
    """
    found: list[tuple[int, int]] = []
    whole = [(at, bits) for at, bits in enumerate(sets) if bits]
    waiting = [(whole, 0, _number(whole))]
    while waiting and len(found) < count:
        part, depth, number = waiting.pop()
        if number <= start:
            start -= number
        elif depth == len(planes) or number == 1:
            for at, bits in part:
                own = places(bits, start, count - len(found))
                start = 0 if own else start - bits.bit_count()
                found += ((at, place) for place in own)
        else:
            plane, descending = planes[depth]
            ones = [(at, both) for at, bits in part if (both := bits & plane[at])]
            if not ones:
                waiting.append((part, depth + 1, number))
                continue
            zeros = [(at, rest) for at, bits in part if (rest := bits ^ bits & plane[at])]
            high = _number(ones)
            halves = [(ones, depth + 1, high), (zeros, depth + 1, number - high)]
            waiting += reversed(halves) if descending else halves
    return found


def _number(part: Sequence[tuple[int, Bits]]) -> int:
    return sum(bits.bit_count() for _, bits in part)


def planes_of(numbers: "array[int]", largest: int) -> list[Bits]:
    """The planes of numbers below 2**32, the highest first: see :func:`in_order`."""
    data = numbers.tobytes()
    size = numbers.itemsize
    found = []
    for bit in reversed(range(largest.bit_length())):
        lane = data[bit // 8 :: size]
        found.append(from_signs(lane.translate(_SIGNS[bit % 8])))
    return found


_SIGNS = [bytes(b"01"[byte >> bit & 1] for byte in range(256)) for bit in range(8)]
"""For each bit of a byte: from bytes to the sign of that bit."""
