"""A catalogue as it is asked: its lists, and what fits in them."""

import threading
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from mediaserver.library.catalogue import bitmaps, layout
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.columns import Column
from mediaserver.library.catalogue.section_file import CatalogueError, Numbers, SectionFile
from mediaserver.library.catalogue.words import SHORT, Part, TermRows, Vocabulary
from mediaserver.library.indexing.touched import Moment

SAMPLED = 512
"""Keys that are read at once."""
REMEMBERED = 12 << 20
"""Bytes of sections that are kept in memory."""


class Catalogue:
    """An open catalogue. Raises CatalogueError, from any method, where it is not sound."""

    def __init__(self, path: Path) -> None:
        self._file = SectionFile(path)
        self._memory = _Memory()
        if self._file.read(layout.VERSION) != layout.version():
            raise CatalogueError("it is of another version")
        self.moment = Moment(*Numbers(self._file, layout.MOMENT, "Q").part(0, 2))
        """When it was made."""

    def is_whole(self) -> bool:
        """Whether all of it is as it was written; reads all of it."""
        return self._file.is_whole()

    def listing(self, name: str) -> "List | None":
        """A list by its name (:mod:`.layout`)."""
        return List(self._file, self._memory, name) if f"{name}/ids" in self._file else None


class List:
    """One list; its rows have places from 0 on, in the order of titles."""

    def __init__(self, file: SectionFile, memory: "_Memory", name: str) -> None:
        self.name = name
        self._file = file
        self._memory = memory
        self._ids = Numbers(file, f"{name}/ids", "q")
        self._keys = Numbers(file, f"{name}/keys", "q")
        self.size = len(self._ids)
        self.all = bitmaps.full(self.size)

    # ---- places and ids

    def ids(self, places: Sequence[int]) -> list[int]:
        """The ids of the rows at some places."""
        if len(places) > 1 and all(other - one == 1 for one, other in pairwise(places)):
            return self._ids.part(places[0], places[-1] + 1).tolist()
        return [self._ids[place] for place in places]

    def having_ids(self, ids: Iterable[int]) -> Bits:
        """The rows with one of these ids; there may be none of some."""
        found = [place for each in ids if (place := self.place_of(each)) is not None]
        return bitmaps.from_places(found, self.size) if found else 0

    def place_of(self, wanted: int) -> int | None:
        """The place of the row with an id; None if there was no such row."""
        samples = self._samples()
        start = max(0, bisect_right(samples, wanted) - 1) * SAMPLED
        keys = self._keys.part(start, min(start + SAMPLED, self.size))
        at = bisect_left(keys, wanted)
        if at == len(keys) or keys[at] != wanted:
            return None
        return Numbers(self._file, f"{self.name}/by key", "I")[start + at]

    def _samples(self) -> "array[int]":
        """Every so many keys: between which of them one is found without a search on disk."""

        def read() -> "tuple[array[int], int]":
            found = array("q", (self._keys[at] for at in range(0, self.size, SAMPLED)))
            return found, 8 * len(found)

        found: array[int] = self._memory.get((self.name, "samples"), read)
        return found

    def having_value(self, facet: int) -> Bits | None:
        """The rows under a value of views; None if they are few, or that is not known."""
        name = f"{self.name}/values"
        facets = Numbers(self._file, name, "q")
        at = bisect_left(facets, facet)
        if at == len(facets) or facets[at] != facet:
            return None
        return TermRows(self._file, name, self.size).union([at])

    # ---- columns

    def column(self, name: str) -> Column | None:
        """A column by its name (:mod:`.layout`)."""
        section = f"{self.name}/{name}"
        if f"{section}/planes" not in self._file:
            return None
        return Column(self._file, name, lambda: self._planes(section), self.size)

    def _planes(self, section: str) -> tuple[Bits, ...]:
        def read() -> tuple[tuple[Bits, ...], int]:
            data = self._file.read(f"{section}/planes")
            width = bitmaps.width(self.size)
            starts = range(0, len(data), width) if width else ()
            return tuple(bitmaps.loaded(data[at : at + width]) for at in starts), len(data)

        found: tuple[Bits, ...] = self._memory.get((section, "planes"), read)
        return found

    # ---- words

    def with_word(self, column: str, text: str, part: Part = Part.ANYWHERE) -> Bits:
        """The rows with a word, in a column of folded texts, that has a text in it."""
        if part is Part.ANYWHERE and len(text) <= SHORT:
            return self._with_term(column, "letters", text, Part.WHOLE)
        return self._with_term(column, "words", text, part)

    def with_number(self, column: str, text: str, part: Part) -> Bits:
        """The rows with a number that, as it is written, has a text at a place in it."""
        return self._with_term(column, "words", text, part)

    def with_line(self, column: str, text: str, part: Part) -> Bits | None:
        """The rows with a line that has a text at a place in it; None where all texts are of one
        line."""
        if f"{self.name}/{column}/lines" not in self._file:
            return None
        return self._with_term(column, "lines", text, part)

    def _with_term(self, column: str, terms: str, text: str, part: Part) -> Bits:
        name = f"{self.name}/{column}/{terms}"
        return Vocabulary(self._file, self._read, name, self.size).having(text, part)

    def _read(self, section: str) -> bytes:
        def read() -> tuple[bytes, int]:
            data = self._file.read(section)
            return data, len(data)

        found: bytes = self._memory.get((section, "bytes"), read)
        return found


class _Memory:
    """What was read lately, of all reader threads; no more than a number of bytes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, str], tuple[Any, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: tuple[str, str], find: Callable[[], tuple[Any, int]]) -> Any:
        """``find`` gives a value and its size in bytes."""
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                self._known.move_to_end(key)
                return known[0]
        value, size = find()
        with self._lock:
            if key not in self._known:
                self._known[key] = value, size
                self._bytes += size
            while self._bytes > REMEMBERED and self._known:
                _, (_, size) = self._known.popitem(last=False)
                self._bytes -= size
        return value
