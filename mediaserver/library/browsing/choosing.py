"""Lists that are answered from the catalogue: what fits criteria, and pages in any order.

A source says in its :class:`Extent` what part of which list of the catalogue it is. What the
catalogue cannot tell, or not in time, is left to SQL: so say all functions here with None.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from mediaserver.library.catalogue import bitmaps, comparing, layout
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.reading import Catalogue, List
from mediaserver.library.criteria import SortKey

CLASS = "upnp:class"
Ranges = tuple[tuple[bytes, bytes], ...]
"""Of the paths of folders (:func:`.layout.path_key`): from one on, and before another."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A part of a list of the catalogue: what all of the following is true of."""

    listing: str
    folders: Ranges | None = None
    """In one of these."""
    values: tuple[int, ...] = ()
    """Under each of these values of views."""
    upnp_class: str | None = None
    """Of this class."""
    having: str | None = None
    """Has a value in this column."""

    def bits(self, listing: List) -> Bits | None:
        """Its rows in the list."""
        found = listing.all
        if self.folders is not None:
            inside = in_folders(listing, self.folders)
            if inside is None:
                return None
            found &= inside
        for value in self.values:
            rows = listing.having_value(value)
            if rows is None:
                return None
            found &= rows
        if self.upnp_class is not None:
            column = listing.column(CLASS)
            if column is None:
                return None
            found &= comparing.equal(column, self.upnp_class)
        if self.having is not None:
            column = listing.column(self.having)
            if column is None:
                return None
            found &= column.present
        return found


def in_folders(listing: List, ranges: Ranges) -> Bits | None:
    """The rows of a list in folders; None if it does not know of folders."""
    column = listing.column(layout.FOLDER)
    if column is None:
        return None
    texts, found = column.texts, 0
    for first, end in ranges:
        found |= column.between(*comparing.codes_between(texts, first, end))
    return found


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows of a list of the catalogue."""

    listing: List
    bits: Bits

    @property
    def total(self) -> int:
        return self.bits.bit_count()

    def keys(self, start: int, count: int) -> list[int]:
        """Ids in the order of titles."""
        if self.bits == self.listing.all:
            stop = min(start + count, self.listing.size)
            return self.listing.ids(range(start, stop)) if start < stop else []
        return self.listing.ids(bitmaps.places(self.bits, start, count))


def in_order(
    chosen: Sequence[tuple[Chosen, str | None]], sort: Sequence[SortKey], start: int, count: int
) -> list[tuple[int, int]]:
    """Rows of several lists in the order of properties, then of titles: the number of the list
    among ``chosen``, and the id. Each comes with the class that all of its objects are of.
    """
    lists = [each.listing for each, _ in chosen]
    if len(lists) == 1 and tuple(sort) == (SortKey(layout.TITLE),):
        sort = ()  # as the places are
    classes = [upnp_class for _, upnp_class in chosen]
    planes: list[tuple[Sequence[Bits], bool]] = []
    for key in sort:
        descending = not key.ascending
        if key.property == CLASS:
            planes += ((plane, descending) for plane in _planes_of_classes(lists, classes))
        else:
            for name in _COLUMNS[key.property]:
                planes += ((plane, descending) for plane in _planes(lists, name))
    if len(lists) > 1:
        planes += ((plane, False) for plane in _planes(lists, layout.TITLE_ORDER))
    found = bitmaps.in_order([each.bits for each, _ in chosen], planes, start, count)
    ids = [
        iter(listing.ids([place for own, place in found if own == at]))
        for at, listing in enumerate(lists)
    ]
    return [(at, next(ids[at])) for at, _ in found]


def _planes(lists: Sequence[List], name: str) -> list[list[Bits]]:
    """The planes of a column of several lists, of which some may not have it."""
    columns = [listing.column(name) for listing in lists]
    own = [column.planes if column is not None else () for column in columns]
    height = max(map(len, own))
    padded = [[0] * (height - len(planes)) + list(planes) for planes in own]
    return [list(plane) for plane in zip(*padded, strict=True)]


def _planes_of_classes(lists: Sequence[List], classes: Sequence[str | None]) -> list[list[Bits]]:
    """The same for the class, which only some lists have a column of."""
    own: list[dict[str, Bits]] = []
    for listing, upnp_class in zip(lists, classes, strict=True):
        column = listing.column(CLASS)
        if column is None:
            own.append({upnp_class or "": listing.all})
        else:
            texts = column.texts
            own.append({text.decode(): column.equal(at) for at, text in enumerate(texts, 1)})
    numbers = {name: at for at, name in enumerate(sorted({name for each in own for name in each}))}
    return [
        [
            reduce(or_, (rows for name, rows in each.items() if numbers[name] >> bit & 1), 0)
            for each in own
        ]
        for bit in reversed(range(len(numbers).bit_length()))
    ]


_COLUMNS: dict[str, tuple[str, ...]] = {
    layout.TITLE: (layout.TITLE_ORDER,),
    "dc:date": ("dc:date",),
    # As in SQL (:mod:`.sorting`): by all artists.
    "dc:creator": ("upnp:artist",),
    "upnp:artist": ("upnp:artist",),
    "upnp:album": ("upnp:album",),
    "upnp:genre": ("upnp:genre",),
    "upnp:originalTrackNumber": (layout.DISC, "upnp:originalTrackNumber"),
    "res@duration": ("res@duration",),
    "res@size": ("res@size",),
}
"""What a property is ordered by; a list that has none of these columns is ordered by titles."""


def whole(catalogue: Catalogue | None, extent: Extent | None) -> Chosen | None:
    """All rows of an extent."""
    if catalogue is None or extent is None:
        return None
    listing = catalogue.listing(extent.listing)
    bits = None if listing is None else extent.bits(listing)
    return None if listing is None or bits is None else Chosen(listing, bits)
