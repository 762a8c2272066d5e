"""The argument SortCriteria (CDS:1 §2.5.8)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.av.errors import UnsupportedSortCriteria
from mediaserver.av.sort_criteria import MAX_LENGTH, parse
from mediaserver.library.criteria import SortKey


def test_no_criteria_leave_the_order_to_the_library() -> None:
    assert parse("") == ()


def test_plus_is_ascending_and_minus_descending() -> None:
    assert parse("+upnp:class,-dc:date") == (
        SortKey("upnp:class", ascending=True),
        SortKey("dc:date", ascending=False),
    )


def test_blanks_around_the_keys_do_no_harm() -> None:
    assert parse(" +dc:title , +dc:date ") == (SortKey("dc:title"), SortKey("dc:date"))


def test_an_attribute_of_res_is_a_property() -> None:
    assert parse("+res@duration") == (SortKey("res@duration"),)


def test_a_property_named_again_adds_nothing() -> None:
    assert parse("+dc:title,-dc:title") == (SortKey("dc:title"),)


def test_what_the_xbox_360_appends_is_left_out() -> None:
    """content-directory 6: ``+microsoft:sourceURL`` is to be stripped before checking."""
    assert parse("+dc:title,+microsoft:sourceURL") == (SortKey("dc:title"),)


@pytest.mark.parametrize(
    "text", ["dc:title", "*dc:title", "+", "+dc:title,", ",+dc:title", "+dc title", "++dc:title"]
)
def test_a_key_without_sign_or_property_is_709(text: str) -> None:
    with pytest.raises(UnsupportedSortCriteria):
        parse(text)


def test_the_modifiers_of_version_2_are_709() -> None:
    with pytest.raises(UnsupportedSortCriteria):
        parse("TIME+res@duration")


def test_criteria_longer_than_the_limit_are_709() -> None:
    with pytest.raises(UnsupportedSortCriteria):
        parse("+dc:title," * (MAX_LENGTH // 10) + "+dc:date,+dc:creator")


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        keys = parse(text)
    except UnsupportedSortCriteria:
        return
    assert all(isinstance(key, SortKey) for key in keys)


@given(
    st.lists(
        st.builds(
            SortKey,
            st.from_regex(r"[a-z]{1,5}:[a-zA-Z]{1,8}", fullmatch=True),
            st.booleans(),
        ),
        unique_by=lambda key: key.property,
        max_size=8,
    )
)
def test_keys_written_as_the_grammar_says_are_read_back(keys: list[SortKey]) -> None:
    text = ",".join(("+" if key.ascending else "-") + key.property for key in keys)
    assert parse(text) == tuple(keys)
