"""Search criteria (CDS:1 §2.5.5) answered from the catalogue: which rows of a list fit.

It gives what :mod:`.matching` gives in SQL. A term that the catalogue has no column for, such as
an id, is asked of the index by itself, if that finds few rows; otherwise, and where a term would
take too long, all is left to SQL.
"""

import json
from functools import reduce
from operator import and_, or_

from mediaserver.library.browsing.choosing import Chosen, in_folders, whole
from mediaserver.library.browsing.fitting import Fit, can_be_told
from mediaserver.library.browsing.folder_places import IN_FOLDER, range_of
from mediaserver.library.browsing.properties import ByValues, OneOf, Plain, Property, Texts
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import TABLES, Source, touched_form
from mediaserver.library.catalogue import bitmaps, comparing, layout
from mediaserver.library.catalogue.bitmaps import Bits
from mediaserver.library.catalogue.columns import Column
from mediaserver.library.catalogue.layout import SPELLED
from mediaserver.library.catalogue.reading import List
from mediaserver.library.criteria import (
    OPPOSITES,
    And,
    Compare,
    Criteria,
    Everything,
    Exists,
    Operator,
    Or,
)
from mediaserver.library.folding import fold

FEW = 1000
"""Rows that are looked up by their ids."""
READ = 10_000
"""Rows whose texts are read."""
_PARTS = (Operator.CONTAINS, Operator.STARTS_WITH)


class _ForSqlError(Exception):
    """The catalogue cannot tell, or not in time."""


def chosen(
    snapshot: Snapshot, source: Source, criteria: Criteria, properties: dict[str, Property]
) -> Chosen | None:
    """The objects of a source that fit; None: that is for SQL to say."""
    found = whole(snapshot.overlay, source.extent, touched_form(source.form))
    if found is None:
        return None
    try:
        bits = _Selection(snapshot, source, found.listing, properties).fitting(criteria)
    except _ForSqlError:
        return None
    return Chosen(found.listing, found.bits & bits)


class _Selection:
    def __init__(
        self,
        snapshot: Snapshot,
        source: Source,
        listing: List,
        properties: dict[str, Property],
    ) -> None:
        self._snapshot = snapshot
        self._source = source
        self._listing = listing
        self._properties = properties

    def fitting(self, criteria: Criteria) -> Bits:
        match criteria:
            case Everything():
                return self._listing.all
            case And(terms):
                return reduce(and_, map(self.fitting, terms), self._listing.all)
            case Or(terms):
                return reduce(or_, map(self.fitting, terms), 0)
            case Exists(name, wanted):
                present = self._present(name)
                return present if wanted else self._listing.all ^ present
            case Compare(name, operator, value):
                self._snapshot.check_time()
                opposite = OPPOSITES.get(operator)
                if not can_be_told(value):
                    return 0 if opposite is None else self._listing.all
                if opposite is not None:
                    return self._listing.all ^ self._compared(name, opposite, value)
                return self._compared(name, operator, value)

    def _present(self, name: str) -> Bits:
        own = self._properties[name]
        column = self._listing.column(name)
        if column is None or isinstance(own, OneOf):
            return self._told(own.exists())
        return column.present

    def _compared(self, name: str, operator: Operator, value: str) -> Bits:
        own = self._properties[name]
        if isinstance(own, ByValues):
            own = own.texts
        found: Bits | None
        if self._listing.column(name) is None:
            found = self._told(own.compare(operator, value))
        elif isinstance(own, OneOf):
            found = self._class(own, name, operator, value)
        elif isinstance(own, Plain):
            found = self._plain(own, name, operator, value)
        elif isinstance(own, Texts):
            found = self._text(name, operator, fold(value))
        else:
            found = self._told(own.compare(operator, value))
        if found is None:
            raise _ForSqlError
        return found

    def _class(self, own: OneOf, name: str, operator: Operator, value: str) -> Bits:
        column = self._column(name)
        found = (comparing.equal(column, each) for each in own.fitting(operator, value))
        return reduce(or_, found, 0)

    def _plain(self, own: Plain, name: str, operator: Operator, value: str) -> Bits | None:
        column = self._column(name)
        is_number = name in SPELLED
        if operator in _PARTS:
            if not own.characters.fullmatch(value):
                return 0
            if not value:
                return column.present
            if is_number:
                return comparing.digits(self._listing, name, operator, value)
            return comparing.plain(column, operator, value)
        wanted = own.read(value)
        if wanted is None:
            return 0
        if is_number:
            return comparing.number(column, operator, wanted)
        return comparing.plain(column, operator, str(wanted))

    def _text(self, name: str, operator: Operator, text: str) -> Bits | None:
        bits = comparing.folded(self._listing, name, self._column(name), operator, text)
        if bits and operator is Operator.CONTAINS and " " in text:
            return self._having_phrase(name, bits, text)
        return bits

    def _having_phrase(self, name: str, bits: Bits, text: str) -> Bits:
        """Of rows with all words of a text those that have them one after the other."""
        number = bits.bit_count()
        if number > READ:
            raise _ForSqlError
        ids = self._listing.ids(bitmaps.places(bits, 0, number))
        statement = layout.having_text(self._listing.name, name)
        self._snapshot.allow_folding()
        rows = self._snapshot.rows(statement, (json.dumps(ids), text))
        return self._listing.having_ids(row[0] for row in rows)

    def _told(self, fit: Fit) -> Bits:
        """What fits a term that the catalogue has no column for: everything, nothing, or few."""
        if isinstance(fit, bool):
            return self._listing.all if fit else 0
        text, parameters = fit.as_condition()
        if text == IN_FOLDER and isinstance(folder := parameters[0], int):
            inside = in_folders(self._listing, range_of(self._snapshot, folder))
            if inside is not None:
                return inside
        alias, table = fit.form.value, TABLES[fit.form]
        self._snapshot.allow_folding()
        rows = self._snapshot.rows(
            f"SELECT {alias}.id FROM {table} WHERE {text} LIMIT ?",  # noqa: S608
            (*parameters, FEW + 1),
        )
        if len(rows) > FEW:
            raise _ForSqlError
        return self._listing.having_ids(row[0] for row in rows)

    def _column(self, name: str) -> Column:
        column = self._listing.column(name)
        if column is None:
            raise _ForSqlError
        return column
