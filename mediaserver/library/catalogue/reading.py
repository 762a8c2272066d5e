"""A catalogue as it is asked: its lists, and what fits in them."""

import threading
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from mediaserver.library.catalogue import bitmaps
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.columns import Column
from mediaserver.library.catalogue.section_file import Numbers, SectionFile
from mediaserver.library.catalogue.words import SHORT, Part, Vocabulary

REMEMBERED = 12 << 20
"""Bytes of sections that are kept in memory."""


class Catalogue:
    """An open catalogue. Raises CatalogueError, from any method, where it is not sound."""

    def __init__(self, path: Path) -> None:
        self._file = SectionFile(path)
        self._memory = _Memory()
        self.state = Numbers(self._file, "system_update_id", "Q")[0]
        """The SystemUpdateID of the index that it was made of."""

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
        by_id = Numbers(self._file, f"{self.name}/by id", "I")
        found = []
        for wanted in ids:
            at = bisect_left(by_id, wanted, key=self._ids.__getitem__)
            if at < self.size and self._ids[by_id[at]] == wanted:
                found.append(by_id[at])
        return bitmaps.from_places(found, self.size) if found else 0

    def having_value(self, facet: int) -> Bits | None:
        """The rows under a value of views; None if they are few, or that is not known."""
        facets = Numbers(self._file, f"{self.name}/facets", "q")
        at = bisect_left(facets, facet)
        if at == len(facets) or facets[at] != facet:
            return None
        width = bitmaps.width(self.size)
        return bitmaps.loaded(self._file.read(f"{self.name}/facet rows", at * width, width))

    # ---- columns

    def column(self, name: str) -> Column | None:
        """A column by its name (:mod:`.layout`)."""
        section = f"{self.name}/{name}"
        if f"{section}/planes" not in self._file:
            return None
        planes = self._memory.get((section, "planes"), lambda: self._planes(section))
        return Column(self._file, name, planes, self.size)

    def _planes(self, section: str) -> tuple[tuple[Bits, ...], int]:
        data = self._file.read(f"{section}/planes")
        width = bitmaps.width(self.size)
        starts = range(0, len(data), width) if width else ()
        return tuple(bitmaps.loaded(data[at : at + width]) for at in starts), len(data)

    # ---- words

    def with_word(self, column: str, text: str, part: Part = Part.ANYWHERE) -> Bits:
        """The rows with a word, in a column of folded texts, that has a text in it."""
        if part is Part.ANYWHERE and len(text) <= SHORT:
            return self._with_term(column, "letters", text, Part.WHOLE)
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
