"""A catalogue and what has changed since it was made: few rows, which are asked of the index."""

from collections.abc import Mapping, Sequence

from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.reading import Catalogue, List


class Overlay:
    """``touched``: the ids of rows that are not what they were, by form
    (:mod:`.indexing.touched`)."""

    def __init__(self, catalogue: Catalogue, touched: Mapping[str, Sequence[int]]) -> None:
        self.catalogue = catalogue
        self._touched = touched
        self._untouched: dict[str, Bits] = {}

    def touched(self, form: str) -> Sequence[int]:
        """The ids of rows of a form of which the catalogue may say what is no longer true."""
        return self._touched.get(form, ())

    def untouched(self, listing: List, form: str) -> Bits:
        """The rows of a list that are what they were."""
        known = self._untouched.get(listing.name)
        if known is None:
            known = listing.all ^ listing.having_ids(self.touched(form))
            self._untouched[listing.name] = known
        return known
