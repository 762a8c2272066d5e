"""Lists that are answered from the catalogue: what fits criteria, and pages in any order.

A source says in its :class:`Extent` what part of which list of the catalogue it is. What the
catalogue cannot tell, or not in time, is left to SQL: so say all functions here with None.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.library.catalogue import bitmaps, comparing, layout
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.overlay import Overlay
from mediaserver.library.catalogue.reading import List
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


_COLUMNS: dict[str, tuple[str, ...]] = {
    layout.TITLE: (layout.TITLE_ORDER,),
    "dc:date": ("dc:date",),
    # As in SQL (:mod:`.sorting`): by all artists.
    "dc:creator": ("upnp:artist",),
    CLASS: (CLASS,),
    "upnp:artist": ("upnp:artist",),
    "upnp:album": ("upnp:album",),
    "upnp:genre": ("upnp:genre",),
    "upnp:originalTrackNumber": (layout.DISC, "upnp:originalTrackNumber"),
    "res@duration": ("res@duration",),
    "res@size": ("res@size",),
}
"""What a property is ordered by; a list that has none of these columns is ordered by titles."""


def columns_of(sort: Sequence[SortKey]) -> list[tuple[str, bool]]:
    """The names of the columns that a list is ordered by, and whether each is ascending."""
    return [(name, key.ascending) for key in sort for name in _COLUMNS[key.property]]


def whole(overlay: Overlay | None, extent: Extent | None, form: str) -> Chosen | None:
    """All rows of an extent that are what they were when the catalogue was made."""
    if overlay is None or extent is None:
        return None
    listing = overlay.catalogue.listing(extent.listing)
    bits = None if listing is None else extent.bits(listing)
    if listing is None or bits is None:
        return None
    return Chosen(listing, bits & overlay.untouched(listing, form))
