"""Preconditions (RFC 9110 §13)."""

import pytest

from mediaserver.delivery.conditional import Outcome, Validators, evaluate, range_holds, validators

# The date of RFC 9110 §8.8.2's examples' form: Sun, 06 Nov 1994 08:49:37 GMT (§5.6.7).
DATE, SECONDS = "Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777
EARLIER, LATER = "Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:38 GMT"
CURRENT = Validators('"abc"', SECONDS)


def test_last_modified_is_an_http_date() -> None:
    assert CURRENT.last_modified == DATE


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({}, Outcome.PROCEED),
        ({"if-none-match": '"abc"'}, Outcome.NOT_MODIFIED),
        ({"if-none-match": 'W/"abc"'}, Outcome.NOT_MODIFIED),  # weak comparison, §13.1.2
        ({"if-none-match": '"x", "abc"'}, Outcome.NOT_MODIFIED),
        ({"if-none-match": "*"}, Outcome.NOT_MODIFIED),
        ({"if-none-match": '"x"'}, Outcome.PROCEED),
        ({"if-none-match": "abc"}, Outcome.PROCEED),
        ({"if-modified-since": DATE}, Outcome.NOT_MODIFIED),
        ({"if-modified-since": LATER}, Outcome.NOT_MODIFIED),
        ({"if-modified-since": EARLIER}, Outcome.PROCEED),
        ({"if-modified-since": "yesterday"}, Outcome.PROCEED),  # §13.1.3: must be ignored
        ({"if-none-match": '"x"', "if-modified-since": DATE}, Outcome.PROCEED),  # §13.2.2
        ({"if-match": '"abc"'}, Outcome.PROCEED),
        ({"if-match": "*"}, Outcome.PROCEED),
        ({"if-match": '"x"'}, Outcome.FAILED),
        ({"if-match": 'W/"abc"'}, Outcome.FAILED),  # strong comparison, §13.1.1
        ({"if-unmodified-since": DATE}, Outcome.PROCEED),
        ({"if-unmodified-since": EARLIER}, Outcome.FAILED),
        ({"if-match": '"abc"', "if-unmodified-since": EARLIER}, Outcome.PROCEED),
        ({"if-match": '"abc"', "if-none-match": '"abc"'}, Outcome.NOT_MODIFIED),
    ],
)
def test_preconditions_are_evaluated_in_their_order(
    headers: dict[str, str], outcome: Outcome
) -> None:
    assert evaluate(headers, CURRENT) is outcome


@pytest.mark.parametrize(
    ("value", "holds"),
    [
        (None, True),
        ('"abc"', True),
        (DATE, True),
        ('"x"', False),
        ('W/"abc"', False),
        (LATER, False),  # §13.1.5: an exact match, not "not later"
        (EARLIER, False),
        ("nonsense", False),
    ],
)
def test_if_range_takes_the_same_tag_or_the_very_same_date(value: str | None, holds: bool) -> None:
    assert range_holds(value, CURRENT) is holds


def test_a_change_of_size_time_or_file_changes_the_tag() -> None:
    tags = {
        validators(inode, size, mtime_ns, now=100).etag
        for inode in (1, 2)
        for size in (1, 2)
        for mtime_ns in (1, 2)
    }
    assert len(tags) == 8


@pytest.mark.parametrize("mtime_ns", [200_000_000_000, -1, 1 << 100])
def test_a_time_that_cannot_be_is_not_told(mtime_ns: int) -> None:
    # RFC 9110 §8.8.2.1: never later than now.
    assert validators(1, 1, mtime_ns, now=100).last_modified is None


def test_without_a_date_a_date_settles_nothing() -> None:
    undated = Validators('"abc"', None)
    assert evaluate({"if-modified-since": LATER}, undated) is Outcome.PROCEED
    assert not range_holds(DATE, undated)
