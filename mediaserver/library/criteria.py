"""The tree of a search (CDS:1 §2.5.5.1), without its text form.

The grammar is read in ``av.search_criteria``; ``library.browsing.search`` turns the tree into SQL.
Property names are spelled as control points spell them: ``dc:title``, ``upnp:artist``, ``@id``.
"""

from dataclasses import dataclass
from enum import StrEnum


class Operator(StrEnum):
    """Relations between a property and a value, spelled as in the grammar."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    CONTAINS = "contains"
    DOES_NOT_CONTAIN = "doesNotContain"
    DERIVED_FROM = "derivedfrom"
    STARTS_WITH = "startsWith"


OPPOSITES = {
    Operator.NOT_EQUAL: Operator.EQUAL,
    Operator.DOES_NOT_CONTAIN: Operator.CONTAINS,
}
"""What is not true where a negation is; so a property that is absent fits a negation."""


@dataclass(frozen=True, slots=True)
class Everything:
    """``*``: every object below the container."""


@dataclass(frozen=True, slots=True)
class Compare:
    property: str
    operator: Operator
    value: str


@dataclass(frozen=True, slots=True)
class Exists:
    property: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple["Criteria", ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple["Criteria", ...]


Criteria = Everything | Compare | Exists | And | Or


@dataclass(frozen=True, slots=True)
class SortKey:
    """One term of SortCriteria (CDS:1 §2.5.8): ``+dc:title`` is ascending."""

    property: str
    ascending: bool = True
