"""Search criteria (CDS:1 §2.5.5) as conditions in SQL, for one source at a time.

What is the same for all objects of a source, such as their class, is settled without asking the
index: ``upnp:class derivedfrom "object.item.audioItem"`` leaves one source as it is and drops
the others. The rest is told by :mod:`.properties`.
"""

from collections.abc import Iterator
from dataclasses import replace

from mediaserver.library.browsing import selecting
from mediaserver.library.browsing.fitting import Fit, Found, all_of, any_of, can_be_told, none_of
from mediaserver.library.browsing.properties import (
    CLASS,
    SEARCH_CAPABILITIES,
    Property,
    properties_of,
)
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import (
    TEXTS,
    Source,
    from_catalogue,
    touched_of,
)
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
from mediaserver.library.errors import UnsupportedCriteria

MAX_TERMS = 64
"""Terms of criteria at most (security.md 2)."""


def check(criteria: Criteria) -> None:
    """Raises UnsupportedCriteria for what no source can answer."""
    for number, term in enumerate(_terms(criteria), 1):
        if number > MAX_TERMS:
            raise UnsupportedCriteria(f"more than {MAX_TERMS} terms")
        if term.property not in SEARCH_CAPABILITIES:
            raise UnsupportedCriteria(term.property)
        if (
            isinstance(term, Compare)
            and term.operator is Operator.DERIVED_FROM
            and term.property != CLASS
        ):
            raise UnsupportedCriteria(f"{term.property} {term.operator}")


def _terms(criteria: Criteria) -> Iterator[Compare | Exists]:
    waiting = [criteria]
    while waiting:
        match waiting.pop():
            case And(terms) | Or(terms):
                waiting += terms
            case Compare() | Exists() as term:
                yield term
            case Everything():
                pass


def matching(snapshot: Snapshot, source: Source, criteria: Criteria) -> Source | None:
    """The objects of a source that fit; None if it is known that none does.

    They are counted and put in order by the catalogue, if there is one that can tell.
    """
    properties = properties_of(snapshot, source)
    fit = _fit(criteria, properties)
    if isinstance(fit, bool):
        return from_catalogue(snapshot, source) if fit else None
    found = _found(source, fit)
    chosen = selecting.chosen(snapshot, source, criteria, properties)
    if chosen is None:
        return found
    changed = touched_of(snapshot, source)
    fresh = None
    if changed is not None:
        few = replace(changed, few=True)
        row_by_row = _fit(criteria, properties_of(snapshot, few))
        if not isinstance(row_by_row, bool):
            fresh = few.narrowed(row_by_row.as_condition())
        elif row_by_row:
            fresh = few
    if not chosen.bits and (fresh is None or not fresh.total(snapshot)):
        return None
    return replace(found, chosen=chosen, fresh=fresh)


def _found(source: Source, fit: Found) -> Source:
    """The objects of a source that fit, in SQL."""
    found = source
    if fit.match is not None:
        texts = TEXTS[source.form]
        found = source.found_first(texts, "rowid", f"{texts} MATCH ?", (fit.match,))
    elif fit.keys is not None:
        found = source.found_first(f"({fit.keys.text}) AS k", "id", "1", fit.keys.parameters)
    return found if fit.condition is None else found.narrowed(fit.condition)


def _fit(criteria: Criteria, properties: dict[str, Property]) -> Fit:
    match criteria:
        case Everything():
            return True
        case And(terms):
            return all_of([_fit(term, properties) for term in terms])
        case Or(terms):
            return any_of([_fit(term, properties) for term in terms])
        case Exists(name, wanted):
            present = properties[name].exists()
            return present if wanted else none_of(present)
        case Compare(name, operator, value):
            return _compared(properties[name], operator, value)


def _compared(known: Property, operator: Operator, value: str) -> Fit:
    opposite = OPPOSITES.get(operator)
    if not can_be_told(value):
        return opposite is not None
    if opposite is not None:
        return none_of(known.compare(opposite, value))
    return known.compare(operator, value)
