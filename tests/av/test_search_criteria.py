"""The argument SearchCriteria: the grammar of CDS:1 §2.5.5.1, and what is bent for devices."""

import contextlib
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.av.errors import UnsupportedSearchCriteria
from mediaserver.av.search_criteria import MAX_LENGTH, MAX_NESTING, MAX_TERMS, parse
from mediaserver.library.criteria import (
    And,
    Compare,
    Criteria,
    Everything,
    Exists,
    Operator,
    Or,
)

TITLE = Compare("dc:title", Operator.CONTAINS, "x")
ALBUM = Compare("upnp:album", Operator.CONTAINS, "x")
GENRE = Compare("upnp:genre", Operator.CONTAINS, "x")
T, A, G = (
    'dc:title contains "x"',
    'upnp:album contains "x"',
    'upnp:genre contains "x"',
)


@pytest.mark.parametrize("text", ["*", " * ", "", "  "])
def test_a_star_or_nothing_is_everything(text: str) -> None:
    assert parse(text) == Everything()


@pytest.mark.parametrize("operator", list(Operator))
def test_every_operator_is_read(operator: Operator) -> None:
    assert parse(f'dc:title {operator.value} "x"') == Compare("dc:title", operator, "x")


@pytest.mark.parametrize("word", ["CONTAINS", "Contains", "DoesNotContain", "derivedFrom"])
def test_keywords_are_read_in_any_letter_case(word: str) -> None:
    criteria = parse(f'dc:title {word} "x"')
    assert isinstance(criteria, Compare)
    assert criteria.operator.value.lower() == word.lower()


@pytest.mark.parametrize(("word", "wanted"), [("true", True), ("false", False), ("TRUE", True)])
def test_exists_takes_a_boolean(word: str, wanted: bool) -> None:
    assert parse(f"@refID exists {word}") == Exists("@refID", wanted)


def test_and_binds_closer_than_or() -> None:
    assert parse(f"{T} or {A} and {G}") == Or((TITLE, And((ALBUM, GENRE))))
    assert parse(f"{T} and {A} or {G}") == Or((And((TITLE, ALBUM)), GENRE))


def test_brackets_bind_closest() -> None:
    assert parse(f"( {T} or {A} ) and {G}") == And((Or((TITLE, ALBUM)), GENRE))


def test_terms_of_one_operator_stand_beside_each_other() -> None:
    assert parse(f"{T} and {A} and {G}") == And((TITLE, ALBUM, GENRE))


@pytest.mark.parametrize(
    "text",
    [
        f"(({T})or({A}))",
        'dc:title contains"x"or upnp:album contains"x"',
        f"\t{T}\r\n\vor\f{A}",
    ],
)
def test_blanks_may_be_of_any_kind_or_missing(text: str) -> None:
    assert parse(text) == Or((TITLE, ALBUM))


@pytest.mark.parametrize("sign", ["=", "!=", "<", "<=", ">", ">="])
def test_a_sign_needs_no_blanks(sign: str) -> None:
    assert parse(f'upnp:class{sign}"x"') == Compare("upnp:class", Operator(sign), "x")


@pytest.mark.parametrize(
    ("quoted", "value"),
    [
        (r'"\"Dark the\""', '"Dark the"'),
        (r'"a\\b"', r"a\b"),
        (r'"a\b"', r"a\b"),
        ('""', ""),
        ('"(a or b) = 東京"', "(a or b) = 東京"),
    ],
)
def test_quoted_values_are_unescaped(quoted: str, value: str) -> None:
    assert parse(f"dc:title = {quoted}") == Compare("dc:title", Operator.EQUAL, value)


@pytest.mark.parametrize(
    "text",
    [
        "dc:title",
        "dc:title contains",
        "dc:title contains x",
        "dc:title contains 'x'",
        'dc:title contains "x',
        'dc:title contains "x\\"',
        'dc:title likes "x"',
        'dc:title == "x"',
        'dc:title ! "x"',
        '= "x"',
        '"x" = dc:title',
        "@refID exists",
        "@refID exists maybe",
        '@refID exists "true"',
        f"{T} and",
        f"and {T}",
        f"{T} {A}",
        f"{T} xor {A}",
        f"({T}",
        f"{T})",
        "()",
        "(*)",
        f"* and {T}",
        f"not {T}",
        'dc:title; drop table items = "x"',
    ],
)
def test_what_is_not_of_the_grammar_is_708(text: str) -> None:
    with pytest.raises(UnsupportedSearchCriteria):
        parse(text)


def test_the_reason_says_where() -> None:
    with pytest.raises(UnsupportedSearchCriteria, match="operator at 9"):
        parse('dc:title likes "x"')


def test_as_many_terms_as_the_limit_are_read() -> None:
    criteria = parse(" or ".join([T] * MAX_TERMS))
    assert isinstance(criteria, Or)
    assert len(criteria.terms) == MAX_TERMS


def test_more_terms_than_the_limit_are_708() -> None:
    with pytest.raises(UnsupportedSearchCriteria):
        parse(" or ".join([T] * (MAX_TERMS + 1)))


def test_brackets_as_deep_as_the_limit_are_read() -> None:
    assert parse("(" * MAX_NESTING + T + ")" * MAX_NESTING) == TITLE


def test_deeper_brackets_are_708() -> None:
    with pytest.raises(UnsupportedSearchCriteria):
        parse("(" * (MAX_NESTING + 1) + T + ")" * (MAX_NESTING + 1))


def test_criteria_longer_than_the_limit_are_708() -> None:
    with pytest.raises(UnsupportedSearchCriteria):
        parse(f'dc:title = "{"x" * MAX_LENGTH}"')


@pytest.mark.parametrize("piece", ["(", '"', "\\", "a ", "<", 'x="" and ', "\\\\"])
def test_the_longest_nonsense_is_refused_quickly(piece: str) -> None:
    """security.md S6: the time must not explode with the length; a millisecond is usual."""
    begin = process_time()
    with pytest.raises(UnsupportedSearchCriteria):
        parse((piece * MAX_LENGTH)[:MAX_LENGTH])
    assert process_time() - begin < 0.5


@given(st.text() | st.text(alphabet='()"\\ =!<>*abor@:\n'))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(UnsupportedSearchCriteria):
        parse(text)


# ---- trees, written as the grammar says, are read back

_PROPERTIES = st.sampled_from(
    ["@id", "@refID", "dc:title", "upnp:artist@role", "res@size", "upnp:class"]
)
_LEAVES = st.builds(Compare, _PROPERTIES, st.sampled_from(Operator), st.text(max_size=20)) | (
    st.builds(Exists, _PROPERTIES, st.booleans())
)


def _joined(inner: st.SearchStrategy[Criteria]) -> st.SearchStrategy[Criteria]:
    terms = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.builds(And, terms) | st.builds(Or, terms)


def written(criteria: Criteria) -> str:
    match criteria:
        case Compare(name, operator, value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'{name} {operator.value} "{escaped}"'
        case Exists(name, wanted):
            return f"{name} exists {str(wanted).lower()}"
        case And(terms):
            return " and ".join(bracketed(term) for term in terms)
        case Or(terms):
            return " or ".join(bracketed(term) for term in terms)
        case Everything():
            return "*"


def bracketed(criteria: Criteria) -> str:
    text = written(criteria)
    return f"( {text} )" if isinstance(criteria, And | Or) else text


@given(st.recursive(_LEAVES, _joined, max_leaves=20))
def test_a_tree_is_read_back_from_its_text(criteria: Criteria) -> None:
    assert parse(written(criteria)) == criteria
