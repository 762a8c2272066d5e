"""A column of a catalogue: which rows are equal to something, or less.

The different values are written in order; each row has the number of its own, from 1, and 0 where
it has none. Of these numbers each bit is a set of rows (a plane), so that all rows are compared at
once (bit-sliced index: P. O'Neil, D. Quass, Improved Query Performance with Variant Indexes, 1997).
"""

from collections.abc import Callable, Iterable, Sequence

from mediaserver.library.catalogue import bitmaps
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.section_file import Numbers, SectionFile, Texts

Read = Callable[[str], bytes]
"""Gives a section whole; may remember it."""
Planes = Sequence[Bits]
"""Of the numbers of values, the highest bit first."""


class Column:
    """A column of a list of ``size`` rows. The values are the same for all lists that have a
    column of this name, so that rows of several lists can be put in order together."""

    def __init__(
        self, file: SectionFile, name: str, planes: Callable[[], Planes], size: int
    ) -> None:
        self._planes = planes
        self.all = bitmaps.full(size)
        self._file = file
        self._name = name

    @property
    def planes(self) -> Planes:
        return self._planes()

    @property
    def numbers(self) -> Numbers:
        """The different values, of a column of numbers."""
        return Numbers(self._file, f"{self._name}/values", "q")

    @property
    def texts(self) -> Texts:
        """The different values, of any other."""
        return Texts(self._file, self._name)

    @property
    def present(self) -> Bits:
        """The rows that have a value."""
        some = 0
        for plane in self.planes:
            some |= plane
        return some

    def below(self, code: int) -> Bits:
        """The rows whose number is less, those without a value among them."""
        planes = self.planes
        if code >= 1 << len(planes):
            return self.all
        less, same = 0, self.all
        for plane, wanted in _against(planes, code):
            ones = same & plane
            if wanted:
                less |= same ^ ones
                same = ones
            else:
                same ^= ones
        return less

    def equal(self, code: int) -> Bits:
        """The rows whose number it is."""
        planes = self.planes
        if code >= 1 << len(planes):
            return 0
        same = self.all
        for plane, wanted in _against(planes, code):
            ones = same & plane
            same = ones if wanted else same ^ ones
        return same

    def between(self, start: int, stop: int) -> Bits:
        """The rows whose number is ``start`` or more and less than ``stop``."""
        if stop == start + 1:
            return self.equal(start)
        return self.below(stop) ^ self.below(start) if start < stop else 0


def _against(planes: Planes, code: int) -> Iterable[tuple[Bits, int]]:
    """Each plane, and whether a number has its bit."""
    highest = len(planes) - 1
    return ((plane, code >> highest - at & 1) for at, plane in enumerate(planes))
