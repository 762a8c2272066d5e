"""Which rows have a word in a text, or a line: inverted indexes.

A word is what stands between two spaces of a folded text. Whatever has no space in it is found in
words alone: those that have it in them are looked for among all words, which are few. One letter,
or two next to each other, would be found in too many, so these have entries of their own.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from mediaserver.library.catalogue import bitmaps
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.columns import Read
from mediaserver.library.catalogue.section_file import Numbers, SectionFile, SectionWriter

SHORT = 2
"""Letters that have entries of their own."""
MANY = 100
"""Terms for which it is quicker to read where all of them have their rows."""


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
        self._write(file, name, sorted(self._places), self._places.__getitem__)

    def write_letters(self, file: SectionWriter, name: str) -> None:
        """The letters that are in the terms."""
        with_letters: dict[str, list[str]] = defaultdict(list)
        for word in self._places:
            for letters in {word[at : at + n] for n in (1, 2) for at in range(len(word) - n + 1)}:
                with_letters[letters].append(word)
        sets = {
            word: bitmaps.from_places(places, self._size)
            for word, places in self._places.items()
            if self._is_dense(len(places))
        }

        def rows(letters: str) -> "array[int] | Bits":
            return self._rows(with_letters[letters], sets)

        self._write(file, name, sorted(with_letters), rows)

    def _is_dense(self, number: int) -> bool:
        """Whether a set takes less than a list."""
        return number * 4 >= bitmaps.width(self._size)

    def _rows(self, words: list[str], sets: dict[str, Bits]) -> "array[int] | Bits":
        """The rows of several words, in the form that takes less."""
        dense = 0
        lists = []
        for word in words:
            if word in sets:
                dense |= sets[word]
            else:
                lists.append(self._places[word])
        if dense or self._is_dense(sum(map(len, lists))):
            signs = bytearray(b"0") * self._size
            for places in lists:
                for place in places:
                    signs[place] = 49
            return dense | bitmaps.from_signs(signs)
        return array("I", {place for places in lists for place in places})

    def _write(
        self,
        file: SectionWriter,
        name: str,
        terms: list[str],
        rows: "Callable[[str], array[int] | Bits]",
    ) -> None:
        ends = array("Q", [0])

        def parts() -> Iterator[bytes]:
            for term in terms:
                found = rows(term)
                if not isinstance(found, int) and self._is_dense(len(found)):
                    found = bitmaps.from_places(found, self._size)
                if isinstance(found, int):
                    data = bitmaps.stored(found, self._size)
                else:
                    data = found.tobytes()
                ends.append(ends[-1] + len(data))
                yield data

        file.add(f"{name}/rows", parts())
        file.add(f"{name}/ends", (ends.tobytes(),))
        file.add(name, ("\n".join(["", *terms, ""]).encode(),))


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
        if not numbers:
            return 0
        entries = Numbers(self._file, f"{self._name}/ends", "Q")
        ends = entries.part(0, len(entries)) if len(numbers) > MANY else entries
        width = bitmaps.width(self._size)
        found, few = 0, bytearray(width)
        for number in numbers:
            start, stop = ends[number], ends[number + 1]
            data = self._file.read(f"{self._name}/rows", start, stop - start)
            if len(data) == width:
                found |= bitmaps.loaded(data)
            else:
                for place in array("I", data):
                    few[place >> 3] |= 1 << (place & 7)
        return found | bitmaps.loaded(few)


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
