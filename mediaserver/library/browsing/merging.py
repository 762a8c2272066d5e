"""Rows of several lists of the catalogue in one order, and new rows put in their places among them.

A row that the catalogue does not know (or knows otherwise) comes with the values that it is ordered
by. From these it is told how many rows of the catalogue are before it.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import NamedTuple, Protocol

from mediaserver.library.browsing.choosing import CLASS, Chosen, columns_of
from mediaserver.library.catalogue import bitmaps, layout
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.columns import Column
from mediaserver.library.catalogue.reading import List
from mediaserver.library.criteria import SortKey

Value = str | int | None


class Part(NamedTuple):
    """What is merged: rows of one list, all of one class or (None) each of its own."""

    chosen: Chosen
    upnp_class: str | None


class Fresh(NamedTuple):
    """A row that the catalogue does not know."""

    part: int
    """Among which rows it would be."""
    key: int
    values: tuple[Value, ...]
    """What it is ordered by: of each column, and last the sort key of its title."""


def in_order(
    parts: Sequence[Part],
    sort: Sequence[SortKey],
    fresh: Sequence[Fresh],
    start: int,
    count: int,
) -> list[tuple[int, int]]:
    """Some rows in the order of properties, then of titles, parts and ids: part and id of each.

    ``fresh`` is in that order.
    """
    lists = [part.chosen.listing for part in parts]
    columns = [(_ordering(parts, name), up) for name, up in columns_of(sort)]
    places = _Places(parts, [*columns, (_ordering(parts, layout.TITLE_ORDER), True)])

    def position(at: int) -> int:
        return places.before(fresh[at]) + at

    first = bisect_left(range(len(fresh)), start, key=position)
    found: dict[int, tuple[int, int]] = {}
    for at in range(first, len(fresh)):
        place = position(at)
        if place >= start + count:
            break
        found[place] = fresh[at].part, fresh[at].key
    by: Sequence[tuple[_Ordering, bool]] = columns
    if len(lists) > 1:
        by = places.columns
    elif tuple(sort) == (SortKey(layout.TITLE),):
        by = ()  # as the places are
    planes = [(plane, not up) for ordering, up in by for plane in ordering.planes()]
    sets = [part.chosen.bits for part in parts]
    known = iter(
        _with_ids(lists, bitmaps.in_order(sets, planes, start - first, count - len(found)))
    )
    merged = (found.get(place) or next(known, None) for place in range(start, start + count))
    return [row for row in merged if row is not None]


def _with_ids(lists: Sequence[List], rows: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Ids in place of places."""
    ids = [
        iter(listing.ids([place for own, place in rows if own == at]))
        for at, listing in enumerate(lists)
    ]
    return [(at, next(ids[at])) for at, _ in rows]


class _Ordering(Protocol):
    """A column of several lists that is ordered by."""

    def planes(self) -> list[list[Bits]]:
        """The planes, the highest first: of each one set for each list."""

    def against(self, at: int, value: Value) -> tuple[Bits, Bits]:
        """The rows of one of the lists with a lesser value, and those with the same."""


class _Places:
    """Where rows would stand that are not in any of the lists."""

    def __init__(self, parts: Sequence[Part], columns: "Sequence[tuple[_Ordering, bool]]") -> None:
        self._parts = parts
        self.columns = columns

    def before(self, row: Fresh) -> int:
        """The number of rows in the lists that come before one."""
        same = [part.chosen.bits for part in self._parts]
        number = 0
        for (ordering, up), value in zip(self.columns, row.values, strict=True):
            for at, bits in enumerate(same):
                if bits:
                    less, equal = ordering.against(at, value)
                    earlier = bits & less if up else bits ^ (bits & (less | equal))
                    number += earlier.bit_count()
                    same[at] = bits & equal
        number += sum(bits.bit_count() for bits in same[: row.part])
        return number + self._lesser_ids(row, same[row.part])

    def _lesser_ids(self, row: Fresh, bits: Bits) -> int:
        """How many of some rows, which have the same title, have a lesser id."""
        listing = self._parts[row.part].chosen.listing

        def key(at: int) -> int:
            return listing.ids(bitmaps.places(bits, at, 1))[0]

        return bisect_left(range(bits.bit_count()), row.key, key=key)


def _ordering(parts: Sequence[Part], name: str) -> _Ordering:
    return _Classes(parts) if name == CLASS else _Columns(parts, name)


class _Columns:
    """A column by its name; lists that do not have it have no values."""

    def __init__(self, parts: Sequence[Part], name: str) -> None:
        self._lists = [part.chosen.listing for part in parts]
        self._columns = [listing.column(name) for listing in self._lists]

    def planes(self) -> list[list[Bits]]:
        own = [column.planes if column is not None else () for column in self._columns]
        height = max(map(len, own))
        padded = [[0] * (height - len(planes)) + list(planes) for planes in own]
        return [list(plane) for plane in zip(*padded, strict=True)]

    def against(self, at: int, value: Value) -> tuple[Bits, Bits]:
        column = self._columns[at]
        if column is None:
            everything = self._lists[at].all
            return (0, everything) if value is None else (everything, 0)
        if value is None:
            return 0, column.equal(0)
        code, known = _code(column, value)
        return column.below(code), column.equal(code) if known else 0


def _code(column: Column, value: str | int) -> tuple[int, bool]:
    """The number that a value has in a column, or would have; and whether it has one."""
    if isinstance(value, int):
        numbers = column.numbers
        at = bisect_left(numbers, value)
        return at + 1, at < len(numbers) and numbers[at] == value
    texts, wanted = column.texts, value.encode()
    at = bisect_left(texts, wanted)
    return at + 1, at < len(texts) and texts[at] == wanted


class _Classes:
    """The class, which is the same for all rows of most lists."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._rows = [_by_class(part) for part in parts]

    def planes(self) -> list[list[Bits]]:
        names = sorted({name for rows in self._rows for name in rows})
        numbers = {name: at for at, name in enumerate(names)}
        return [
            [_union(rows[name] for name in rows if numbers[name] >> bit & 1) for rows in self._rows]
            for bit in reversed(range(len(names).bit_length()))
        ]

    def against(self, at: int, value: Value) -> tuple[Bits, Bits]:
        rows, own = self._rows[at], str(value)
        return _union(rows[name] for name in rows if name < own), rows.get(own, 0)


def _by_class(part: Part) -> Mapping[str, Bits]:
    listing = part.chosen.listing
    column = listing.column(CLASS)
    if column is None:
        return {part.upnp_class or "": listing.all}
    return {text.decode(): column.equal(at) for at, text in enumerate(column.texts, 1)}


def _union(sets: Iterable[Bits]) -> Bits:
    return reduce(or_, sets, 0)
