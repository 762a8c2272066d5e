"""Range requests: the header as values, and which bytes it asks of a file (RFC 9110 §14).

DLNA allows ``bytes=first-[last]`` alone; browsers and players send suffixes too, a few download
managers several ranges. What RFC 9110 tells servers to ignore is ignored: other units, bad syntax,
a last before its first (DLNA implementations say 400 to those; both are allowed, and the whole
file helps more). Inside the program ranges are half-open.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

MAX_HEADER = 256
"""Characters; a longer header is ignored (security.md 2)."""
MAX_RANGES = 8

_SPECIFIER = re.compile(r"(?:(?P<first>[0-9]+)-(?P<last>[0-9]+)?|-(?P<suffix>[0-9]+))", re.ASCII)


class NotSatisfiable(Exception):  # noqa: N818 - the name of the status, 416
    """None of the ranges overlaps the content, which is ``size`` bytes long."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size

    @property
    def content_range(self) -> str:
        """Value of Content-Range (RFC 9110 §15.5.17)."""
        return f"bytes */{self.size}"


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes ``start`` up to, not including, ``stop``; never empty."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start

    def content_range(self, size: int) -> str:
        """Value of Content-Range (RFC 9110 §14.4)."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


@dataclass(frozen=True, slots=True)
class Specifier:
    """One range-spec: ``first-last``, ``first-``, or ``-suffix`` (RFC 9110 §14.1.2)."""

    first: int | None
    last: int | None
    """Inclusive. With ``first`` None it is the length of the suffix."""

    def __str__(self) -> str:
        first = "" if self.first is None else str(self.first)
        last = "" if self.last is None else str(self.last)
        return f"{first}-{last}"

    def within(self, size: int) -> Span | None:
        """The bytes meant, of content of ``size`` bytes; None if there are none."""
        if self.first is None:
            start, stop = max(size - (self.last or 0), 0), size
        else:
            start = self.first
            stop = size if self.last is None else min(self.last + 1, size)
        return Span(start, stop) if start < stop else None


def read(header: str) -> tuple[Specifier, ...] | None:
    """Read a Range header; None if it is to be ignored. Takes time linear in its length."""
    if len(header) > MAX_HEADER:
        return None
    unit, equals, ranges = header.strip(" \t").partition("=")
    if not equals or unit.lower() != "bytes":
        return None
    # Empty elements of a list are allowed and mean nothing (RFC 9110 §5.6.1.2).
    texts = [text for part in ranges.split(",") if (text := part.strip(" \t"))]
    specifiers = [_specifier(text) for text in texts]
    read_ones = tuple(specifier for specifier in specifiers if specifier is not None)
    return read_ones if read_ones and len(read_ones) == len(texts) else None


def select(header: str | None, size: int) -> tuple[Span, ...]:
    """The bytes that a request asks for, of content of ``size`` bytes; empty: all of it (200).

    Several ranges are honoured when they are few, in ascending order and apart from each other;
    otherwise the whole is sent, as RFC 9110 §14.2 permits. Raises NotSatisfiable.
    """
    specifiers = read(header) if header is not None else None
    if specifiers is None or len(specifiers) > MAX_RANGES:
        return ()
    spans = [span for each in specifiers if (span := each.within(size)) is not None]
    if not spans:
        if not size and any(each.first is None and each.last for each in specifiers):
            return ()  # the last bytes of nothing are all of it, and Content-Range cannot say so
        raise NotSatisfiable(size)
    return tuple(spans) if _apart(spans) else ()


def _specifier(text: str) -> Specifier | None:
    match = _SPECIFIER.fullmatch(text)
    if match is None:
        return None
    if match["suffix"] is not None:
        return Specifier(None, int(match["suffix"]))
    first = int(match["first"])
    last = int(match["last"]) if match["last"] is not None else None
    return None if last is not None and last < first else Specifier(first, last)


def _apart(spans: Sequence[Span]) -> bool:
    return all(before.stop <= after.start for before, after in pairwise(spans))
