"""Which rows have a word in a text, or a line: inverted indexes.

A word is what stands between two spaces of a folded text. Whatever has no space in it is found in
words alone: those that have it in them are looked for among all words, which are few. One letter,
or two next to each other, would be found in too many, so these have entries of their own.
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum

from mediaserver.library.catalogue import bitmaps
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.columns import Read
from mediaserver.library.catalogue.section_file import Numbers, SectionFile, SectionWriter

SHORT = 2
"""Letters that have entries of their own."""
MANY = 100
"""Terms for which it is quicker to read what is between them, too."""
SPAN = 16 << 20
"""Bytes that are read at once at most."""


class Part(Enum):
    """Where in a term something stands: the signs that are around it in the list of terms."""

    ANYWHERE = ("", "")
    BEGINNING = ("\n", "")
    END = ("", "\n")
    WHOLE = ("\n", "\n")


class Postings:
    """The rows of each term, gathered and written. ``size``: rows of the list."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._places: dict[str, array[int]] = defaultdict(lambda: array("I"))

    def add(self, terms: Iterable[str], places: "array[int]") -> None:
        """Terms of a text, and the rows that have this text; each row has one text."""
        for term in set(terms):
            self._places[term].extend(places)

    def write(self, file: SectionWriter, name: str) -> None:
        """The terms, as they are."""
        terms = sorted(self._places)
        write_terms(file, name, terms, map(self._places.__getitem__, terms), self._size)

    def write_letters(self, file: SectionWriter, name: str) -> None:
        """The letters that are in the terms."""
        with_letters: dict[str, list[str]] = defaultdict(list)
        for word in self._places:
            for one in {word[at : at + n] for n in (1, 2) for at in range(len(word) - n + 1)}:
                with_letters[one].append(word)
        sets = {
            word: bitmaps.from_places(places, self._size)
            for word, places in self._places.items()
            if is_dense(len(places), self._size)
        }

        letters = sorted(with_letters)
        rows = (self._rows(with_letters[each], sets) for each in letters)
        write_terms(file, name, letters, rows, self._size)

    def _rows(self, words: list[str], sets: dict[str, Bits]) -> "array[int] | Bits":
        """The rows of several words, in the form that takes less."""
        dense = 0
        lists = []
        for word in words:
            if word in sets:
                dense |= sets[word]
            else:
                lists.append(self._places[word])
        if dense or is_dense(sum(map(len, lists)), self._size):
            signs = bytearray(b"0") * self._size
            for places in lists:
                for place in places:
                    signs[place] = 49
            return dense | bitmaps.from_signs(signs)
        return array("I", {place for places in lists for place in places})


def write_terms(
    file: SectionWriter,
    name: str,
    terms: Iterable[str],
    rows: "Iterable[array[int] | Bits]",
    size: int,
) -> None:
    """Terms, and the rows of each in the same order."""
    write_rows(file, name, rows, size)
    file.add(name, ("\n".join(["", *terms, ""]).encode(),))


def write_rows(
    file: SectionWriter, name: str, rows: "Iterable[array[int] | Bits]", size: int
) -> None:
    """The rows of one term after the other: a list of places where that takes less than a set."""
    ends = array("Q", [0])

    def parts() -> Iterator[bytes]:
        for found in rows:
            if isinstance(found, int):
                data = bitmaps.stored(found, size)
            elif is_dense(len(found), size):
                data = bitmaps.stored(bitmaps.from_places(found, size), size)
            else:
                data = found.tobytes()
            ends.append(ends[-1] + len(data))
            yield data

    file.add(f"{name}/rows", parts())
    file.add(f"{name}/ends", (ends.tobytes(),))


def is_dense(number: int, size: int) -> bool:
    """Whether a set of so many rows takes no more than a list of them."""
    return number * 4 >= bitmaps.width(size)


class TermRows:
    """The rows of terms by the numbers of the terms."""

    def __init__(self, file: SectionFile, name: str, size: int) -> None:
        self._file = file
        self._name = name
        self._size = size

    def union(self, numbers: Sequence[int]) -> Bits:
        """The rows of any of some terms, whose numbers are in ascending order."""
        if not numbers:
            return 0
        many = len(numbers) > MANY
        entries = Numbers(self._file, f"{self._name}/ends", "Q")
        ends = entries.part(0, len(entries)) if many else entries
        first, last = ends[numbers[0]], ends[numbers[-1] + 1]
        if many and last - first <= SPAN:
            data, start = self._file.read(f"{self._name}/rows", first, last - first), first
            parts = (data[ends[at] - start : ends[at + 1] - start] for at in numbers)
        else:
            parts = (
                self._file.read(f"{self._name}/rows", ends[at], ends[at + 1] - ends[at])
                for at in numbers
            )
        return self._joined(parts)

    def _joined(self, parts: Iterable[bytes]) -> Bits:
        width = bitmaps.width(self._size)
        dense, lists = 0, []
        for data in parts:
            if len(data) == width:
                dense |= bitmaps.loaded(data)
            else:
                lists.append(data)
        return dense | bitmaps.from_places(array("I", b"".join(lists)), self._size)


class Vocabulary:
    """Terms as they are asked for; ``name`` is that of their section."""

    def __init__(self, file: SectionFile, read: Read, name: str, size: int) -> None:
        self._file = file
        self._read = read
        self._name = name
        self._size = size

    def having(self, text: str, part: Part) -> Bits:
        """The rows with a term that has a text at a place in it."""
        before, after = part.value
        wanted = f"{before}{text}{after}".encode()
        numbers = list(_lines_with(self._read(self._name), wanted))
        return TermRows(self._file, self._name, self._size).union(numbers)


def _lines_with(lines: bytes, text: bytes) -> Iterator[int]:
    """The numbers of the lines with a text in them; each line has a line feed on both sides.

    A text may begin or end with one.
    """
    number, counted = 0, 1
    at = lines.find(text)
    while at >= 0:
        inside = at + 1 if text.startswith(b"\n") else at
        number += lines.count(b"\n", counted, inside)
        counted = inside
        yield number
        at = lines.find(text, lines.index(b"\n", inside))
