"""Figures and foreign text in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.web import wording


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-1, "0 s"),
        (0, "0 s"),
        (0.44, "0.4 s"),
        (3, "3 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (3599, "60 min"),
        (5400, "1 h 30 min"),
        (7200, "2 h"),
        (86399, "1 day"),
        (86400 * 4, "4 days"),
    ],
)
def test_a_duration_has_one_or_two_figures(seconds: float, expected: str) -> None:
    assert wording.duration(seconds) == expected


def test_what_was_a_moment_ago_was_just_now() -> None:
    assert wording.ago(1.9) == "just now"
    assert wording.ago(45) == "45 s ago"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (9_940, "9.9 kB"),
        (9_960, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_500_000_000, "1.5 GB"),
        (2_000_000_000_000, "2.0 TB"),
        (2_000_000_000_000_000, "2000.0 TB"),
    ],
)
def test_a_size_has_the_prefix_of_the_si(number: int, expected: str) -> None:
    assert wording.size(number) == expected


def test_things_are_counted() -> None:
    assert wording.things(0, "file") == "0 files"
    assert wording.things(1, "file") == "1 file"
    assert wording.things(20123, "file") == "20,123 files"


@given(st.text())
def test_clean_text_can_be_shown_and_encoded(text: str) -> None:
    cleaned = wording.clean(text)
    assert cleaned.isprintable()
    assert len(cleaned) <= 300
    cleaned.encode()


@given(st.text(max_size=300))
def test_text_that_can_be_shown_stays_as_it_is(text: str) -> None:
    if text.isprintable():
        assert wording.clean(text) == text
