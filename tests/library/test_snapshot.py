"""What is remembered of lists between questions, and when it is forgotten."""

from array import array

import pytest

from mediaserver.library.browsing import snapshot
from mediaserver.library.browsing.snapshot import Memory


def never() -> int:
    raise AssertionError("it should have been remembered")


def never_order() -> "array[int]":
    raise AssertionError("it should have been remembered")


def test_a_total_is_counted_once() -> None:
    memory = Memory()
    assert memory.total(1, ("list",), lambda: 7) == 7
    assert memory.total(1, ("list",), never) == 7


def test_lists_with_other_parameters_are_other_lists() -> None:
    memory = Memory()
    memory.total(1, ("list", "a"), lambda: 7)
    assert memory.total(1, ("list", "b"), lambda: 8) == 8


def test_a_change_makes_it_forget_everything() -> None:
    memory = Memory()
    memory.total(1, ("list",), lambda: 7)
    memory.order(1, ("list",), lambda: array("q", [1, 2]))
    memory.note_position(1, ("list",), 5, ("e", 5))
    assert memory.total(2, ("list",), lambda: 8) == 8
    assert memory.order(2, ("list",), lambda: array("q", [3])) == array("q", [3])
    assert memory.position(2, ("list",), 9) == (0, None)


def test_the_nearest_position_in_front_is_given() -> None:
    memory = Memory()
    for after in (30, 10, 20):
        memory.note_position(1, ("list",), after, ("row", after))
    assert memory.position(1, ("list",), 9) == (0, None)
    assert memory.position(1, ("list",), 10) == (10, ("row", 10))
    assert memory.position(1, ("list",), 29) == (20, ("row", 20))
    assert memory.position(1, ("list",), 1000) == (30, ("row", 30))


def test_no_more_keys_are_remembered_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ORDERS_LIMIT", 100)
    memory = Memory()
    for name in range(10):
        memory.order(1, (name,), lambda: array("q", range(30)))
    # The three last ones fit; the one before them is asked for again.
    for name in (7, 8, 9):
        assert len(memory.order(1, (name,), never_order)) == 30
    assert memory.order(1, (6,), lambda: array("q", [6])) == array("q", [6])


def test_a_list_that_was_used_stays_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ORDERS_LIMIT", 70)
    memory = Memory()
    memory.order(1, ("old",), lambda: array("q", range(30)))
    memory.order(1, ("new",), lambda: array("q", range(30)))
    memory.order(1, ("old",), never_order)
    memory.order(1, ("newest",), lambda: array("q", range(30)))
    memory.order(1, ("old",), never_order)
    assert len(memory.order(1, ("new",), lambda: array("q"))) == 0


def test_a_list_beyond_the_limit_is_given_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "ORDERS_LIMIT", 10)
    memory = Memory()
    assert len(memory.order(1, ("long",), lambda: array("q", range(30)))) == 30


def test_totals_and_positions_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "NOTES_LIMIT", 32)
    monkeypatch.setattr(snapshot, "POSITIONS_LIMIT", 4)
    memory = Memory()
    for number in range(33):
        memory.total(1, (number,), lambda: 7)
    assert memory.total(1, (0,), lambda: 8) == 8
    for after in range(1, 10):
        memory.note_position(1, ("list",), after, (after,))
    assert memory.position(1, ("list",), 100) == (4, (4,))
    for name in ("second", "third"):
        memory.note_position(1, (name,), 1, (1,))
    assert memory.position(1, ("list",), 100) == (0, None)
