"""Search criteria (CDS:1 §2.5.5) as conditions in SQL, for one source at a time.

What is the same for all objects of a source, such as their class, is settled without asking the
index: ``upnp:class derivedfrom "object.item.audioItem"`` leaves one source as it is and drops
the others. The rest is told by :mod:`.properties`.
"""

from collections.abc import Iterator
from dataclasses import replace

from mediaserver.library.browsing import selecting
from mediaserver.library.browsing.fitting import Fit, all_of, any_of, can_be_told, none_of
from mediaserver.library.browsing.properties import (
    CLASS,
    SEARCH_CAPABILITIES,
    Property,
    properties_of,
)
from mediaserver.library.browsing.snapshot import Snapshot
from mediaserver.library.browsing.sources import (
    TABLES,
    TEXTS,
    Condition,
    Source,
    from_catalogue,
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
    chosen = selecting.chosen(snapshot, source, criteria, properties)
    if chosen is not None and not chosen.bits:
        return None
    if fit.match is not None:
        texts = TEXTS[source.form]
        found = _found_first(source, texts, "rowid", f"{texts} MATCH ?", (fit.match,))
    elif fit.keys is not None:
        found = _found_first(source, f"({fit.keys.text}) AS k", "id", "1", fit.keys.parameters)
    else:
        found = source
    if fit.condition is not None:
        found = found.narrowed(fit.condition)
    return replace(found, chosen=chosen)


def _found_first(
    source: Source, tables: str, key: str, where: str, parameters: tuple[object, ...]
) -> Source:
    """The objects of a source whose keys are found first: from there to the rows, not from the
    rows of the source to what is known of them."""
    alias = source.form.value
    members = source.members or Condition(source.where, source.parameters)
    name = tables.rpartition(" ")[2]
    return replace(
        source,
        tables=f"{tables} CROSS JOIN {TABLES[source.form]} ON {alias}.id = {name}.{key}",
        join="",
        where=f"{where} AND {members.text}",
        parameters=(*parameters, *members.parameters),
        key=f"{alias}.id",
        # What ordered a source through another table is out of reach here.
        order=source.order if source.members is None else f"{alias}.sort_key",
        members=None,
        indexed=False,
        known_total=None,
        chosen=None,
    )


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
