"""Finished answers: kept while the revision is the same, within bounds."""

import pytest

from mediaserver.clients import UNKNOWN, ClientProfile
from mediaserver.upnp.kept_answers import KeptAnswers, Question

ANSWER = b"text"


def question(body: bytes) -> Question:
    return Question(body, '"type#Browse"', "text/xml", UNKNOWN, "http://192.0.2.5:8200")


A, B, D = question(b"a"), question(b"b"), question(b"d")


def test_an_answer_is_given_again() -> None:
    kept = KeptAnswers()
    assert kept.get(A, 7) is None
    kept.put(A, 7, ANSWER)
    assert kept.get(question(b"a"), 7) == ANSWER


@pytest.mark.parametrize(
    "other",
    [
        A._replace(body=b"b"),
        A._replace(soap_action='"type#Search"'),
        A._replace(content_type="text/xml; charset=utf-16"),
        A._replace(profile=ClientProfile()),
        A._replace(base_url="http://198.51.100.5:8200"),
    ],
)
def test_an_answer_of_another_question_is_not(other: Question) -> None:
    kept = KeptAnswers()
    kept.get(A, 7)
    kept.put(A, 7, ANSWER)
    assert kept.get(other, 7) is None


def test_a_new_revision_ends_all_answers() -> None:
    kept = KeptAnswers()
    kept.get(A, 7)
    kept.put(A, 7, ANSWER)
    assert kept.get(B, 8) is None
    assert kept.get(A, 8) is None


def test_an_answer_of_an_earlier_revision_is_not_kept() -> None:
    """The question was asked before a change and answered after it."""
    kept = KeptAnswers()
    kept.get(A, 7)
    kept.get(B, 8)
    kept.put(A, 7, ANSWER)
    assert kept.get(A, 8) is None


def test_the_answer_not_asked_for_longest_makes_room() -> None:
    kept = KeptAnswers(limit_bytes=4096)
    kept.get(A, 7)
    for key in b"abcde":
        kept.put(question(bytes([key])), 7, b"x" * 400)
        # Asked for again and again, it is never the oldest.
        assert kept.get(A, 7) is not None
    assert kept.get(B, 7) is None
    assert kept.get(D, 7) is not None


def test_an_answer_too_large_for_its_share_is_not_kept() -> None:
    kept = KeptAnswers(limit_bytes=4096)
    kept.get(A, 7)
    kept.put(A, 7, b"x" * 1025)
    assert kept.get(A, 7) is None


@pytest.mark.parametrize(
    "long",
    [
        A._replace(body=b"x" * 1025),
        A._replace(soap_action="x" * 1025),
        A._replace(content_type="x" * 1025),
    ],
)
def test_a_long_question_counts_as_well(long: Question) -> None:
    kept = KeptAnswers(limit_bytes=4096)
    kept.get(long, 7)
    kept.put(long, 7, ANSWER)
    assert kept.get(long, 7) is None


def test_an_answer_put_again_counts_once() -> None:
    kept = KeptAnswers(limit_bytes=4096)
    kept.get(A, 7)
    kept.put(B, 7, ANSWER)
    for _ in range(100):
        kept.put(A, 7, ANSWER)
    assert kept.get(B, 7) == ANSWER
