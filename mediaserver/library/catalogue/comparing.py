"""Comparisons of columns with values: what :mod:`.browsing.properties` says in SQL, in bits.

Each gives the rows of a list that fit, or None for what only the index can tell in time.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.columns import Column
from mediaserver.library.catalogue.reading import List
from mediaserver.library.catalogue.section_file import Texts
from mediaserver.library.catalogue.words import Part
from mediaserver.library.criteria import Operator

RUNS = 300
"""Ranges of values of which the rows are put together."""
_AFTER_ALL = b"\xff"
"""In no UTF-8: what comes behind all that begins like this."""
_AFTER_LINES = b"\x0b"
"""Behind a line feed, before all that a folded text is made of."""


def plain(column: Column, operator: Operator, value: str) -> Bits | None:
    """Texts as they are, of which there are few: dates, classes."""
    texts, wanted = column.texts, value.encode()
    if operator is Operator.STARTS_WITH:
        return _beginning(column, texts, wanted)
    if operator is Operator.CONTAINS:
        return _any_of(column, _having(texts, wanted)) if wanted else column.present
    return _ordered(column, operator, bisect_left(texts, wanted), bisect_right(texts, wanted))


def equal(column: Column, value: str) -> Bits:
    """The rows that have a text, as it is."""
    texts, wanted = column.texts, value.encode()
    return column.between(1 + bisect_left(texts, wanted), 1 + bisect_right(texts, wanted))


def codes_between(texts: Texts, first: bytes, end: bytes) -> tuple[int, int]:
    """The numbers of the values from one on and before another: half open."""
    return 1 + bisect_left(texts, first), 1 + bisect_left(texts, end)


def number(column: Column, operator: Operator, value: Any) -> Bits:
    """Numbers."""
    numbers = column.numbers
    return _ordered(column, operator, bisect_left(numbers, value), bisect_right(numbers, value))


def digits(listing: List, name: str, operator: Operator, value: str) -> Bits:
    """Numbers as they are written: what is in them, or what they start with."""
    part = Part.BEGINNING if operator is Operator.STARTS_WITH else Part.ANYWHERE
    return listing.with_number(name, value, part)


def folded(listing: List, name: str, column: Column, operator: Operator, text: str) -> Bits | None:
    """Folded texts of several lines. Any line may fit, but only the first is less or greater.

    Of what is to be contained, and has a space in it, this gives what may fit.
    """
    wanted, texts = text.encode(), column.texts
    if operator in (Operator.CONTAINS, Operator.STARTS_WITH) and not text:
        return column.present
    if operator is Operator.CONTAINS:
        return _containing(listing, name, text)
    if wanted and min(wanted) <= _AFTER_LINES[0]:
        return None
    if operator is Operator.STARTS_WITH:
        lines = listing.with_line(name, text, Part.BEGINNING)
        return lines if lines is not None else _beginning(column, texts, wanted)
    if operator is Operator.EQUAL:
        lines = listing.with_line(name, text, Part.WHOLE) if text else 0
        return lines if lines is not None else equal(column, text)
    start, stop = bisect_left(texts, wanted), bisect_left(texts, wanted + _AFTER_LINES)
    return _ordered(column, operator, start, stop)


def _ordered(column: Column, operator: Operator, start: int, stop: int) -> Bits:
    """``start`` values are less than what is compared with, ``stop`` are less or equal."""
    last = 1 << len(column.planes)
    match operator:
        case Operator.EQUAL:
            return column.between(1 + start, 1 + stop)
        case Operator.LESS:
            return column.between(1, 1 + start)
        case Operator.LESS_OR_EQUAL:
            return column.between(1, 1 + stop)
        case Operator.GREATER:
            return column.between(1 + stop, last)
        case _:
            return column.between(1 + start, last)


def _beginning(column: Column, texts: Sequence[bytes], wanted: bytes) -> Bits:
    start, stop = bisect_left(texts, wanted), bisect_left(texts, wanted + _AFTER_ALL)
    return column.between(1 + start, 1 + stop)


def _containing(listing: List, name: str, text: str) -> Bits:
    first, *others = text.split(" ")
    if not others:
        return listing.with_word(name, first)
    *middle, last = others
    found = listing.with_word(name, first, Part.END)
    for word in middle:
        found &= listing.with_word(name, word, Part.WHOLE)
    return found & listing.with_word(name, last, Part.BEGINNING)


def _having(texts: Texts, wanted: bytes) -> Iterator[int]:
    """The numbers of the texts with a text in them, in order."""
    data, ends = texts.whole()
    at = data.find(wanted)
    while at >= 0:
        code = bisect_right(ends, at)
        if at + len(wanted) <= ends[code]:
            yield code
            at = data.find(wanted, ends[code])
        else:
            at = data.find(wanted, at + 1)


def _any_of(column: Column, codes: Iterable[int]) -> Bits | None:
    """The rows whose number is one of some, in order; None where that takes too long."""
    runs: list[list[int]] = []
    for code in codes:
        if runs and runs[-1][1] == code:
            runs[-1][1] += 1
        else:
            runs.append([code, code + 1])
            if len(runs) > RUNS:
                return None
    found = 0
    for start, stop in runs:
        found |= column.between(start, stop)
    return found
