"""Finished answers: kept while the library is the same, within bounds."""

from mediaserver.av.results import Results

ANSWER = {"Result": "text"}


def test_an_answer_is_given_again() -> None:
    results = Results()
    assert results.get(("a",), 7) is None
    results.put(("a",), 7, ANSWER, 4)
    assert results.get(("a",), 7) is ANSWER


def test_an_answer_of_another_question_is_not() -> None:
    results = Results()
    results.get(("a",), 7)
    results.put(("a",), 7, ANSWER, 4)
    assert results.get(("b",), 7) is None


def test_a_change_of_the_library_ends_all_answers() -> None:
    results = Results()
    results.get(("a",), 7)
    results.put(("a",), 7, ANSWER, 4)
    assert results.get(("b",), 8) is None
    assert results.get(("a",), 8) is None


def test_an_answer_of_the_library_as_it_was_is_not_kept() -> None:
    """The question was asked before a change and answered after it."""
    results = Results()
    results.get(("a",), 7)
    results.get(("b",), 8)
    results.put(("a",), 7, ANSWER, 4)
    assert results.get(("a",), 8) is None


def test_the_answer_not_asked_for_longest_makes_room() -> None:
    results = Results(limit_bytes=4096)
    results.get(("a",), 7)
    for key in "abcde":
        results.put((key,), 7, ANSWER, 500)
        # Asked for again and again, it is never the oldest.
        assert results.get(("a",), 7) is ANSWER
    assert results.get(("b",), 7) is None
    assert results.get(("d",), 7) is ANSWER


def test_an_answer_too_large_for_its_share_is_not_kept() -> None:
    results = Results(limit_bytes=4096)
    results.get(("a",), 7)
    results.put(("a",), 7, ANSWER, 1025)
    assert results.get(("a",), 7) is None


def test_long_arguments_count_as_well() -> None:
    results = Results(limit_bytes=4096)
    key = ("x" * 1025,)
    results.get(key, 7)
    results.put(key, 7, ANSWER, 4)
    assert results.get(key, 7) is None


def test_an_answer_put_again_counts_once() -> None:
    results = Results(limit_bytes=4096)
    results.get(("a",), 7)
    results.put(("b",), 7, ANSWER, 4)
    for _ in range(100):
        results.put(("a",), 7, ANSWER, 4)
    assert results.get(("b",), 7) is ANSWER
