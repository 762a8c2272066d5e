"""The index at one moment, and what is remembered of its lists until it changes."""

import sqlite3
import threading
import time
from array import array
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any, cast

from sqlalchemy import Connection

from mediaserver.library.catalogue.overlay import Overlay
from mediaserver.library.catalogue.reading import Catalogue
from mediaserver.library.catalogue.shelf import Shelf
from mediaserver.library.errors import TooExpensive
from mediaserver.library.folding import fold_lines
from mediaserver.library.indexing import touched

Row = tuple[Any, ...]
Question = tuple[object, ...]
"""Statement and parameters: what tells one list from another."""

ORDERS_LIMIT = 2_000_000
"""Keys of ordered lists that are remembered, in all: 16 MB."""
NOTES_LIMIT = 4096
"""Totals, and lists of which positions are known."""
POSITIONS_LIMIT = 512
"""Positions that are remembered of one list."""
SECONDS = 5.0
"""The longest that is worked on one question beside SQLite, which has a clock of its own."""


class Memory:
    """What has been found out about lists at one state of the index; forgotten when it changes.

    Used by all reader threads. The state is told by the SystemUpdateID, which every change that
    is to be seen increases (CDS:1 §2.5.20).
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state = -1
        self._totals: OrderedDict[Question, int] = OrderedDict()
        self._orders: OrderedDict[Question, array[int]] = OrderedDict()
        self._keys = 0
        self._overlay: tuple[Catalogue, Overlay | None] | None = None
        self._positions: OrderedDict[Question, tuple[list[int], list[Row]]] = OrderedDict()

    def total(self, state: int, question: Question, count: Callable[[], int]) -> int:
        """How long a list is."""
        with self._at(state):
            known = self._totals.get(question)
        if known is not None:
            return known
        total = count()
        with self._at(state):
            self._totals[question] = total
            if len(self._totals) > NOTES_LIMIT:
                self._totals.popitem(last=False)
        return total

    def order(
        self, state: int, question: Question, find: Callable[[], "array[int]"]
    ) -> "array[int]":
        """The keys of a list in their order, for lists that no index keeps in order."""
        with self._at(state):
            known = self._orders.get(question)
            if known is not None:
                self._orders.move_to_end(question)
                return known
        order = find()
        with self._at(state):
            if question not in self._orders:
                self._orders[question] = order
                self._keys += len(order) + 1
            while self._keys > ORDERS_LIMIT and self._orders:
                _, old = self._orders.popitem(last=False)
                self._keys -= len(old) + 1
        return order

    def overlay(
        self,
        state: int,
        catalogue: Catalogue,
        find: Callable[[], dict[str, list[int]] | None],
    ) -> Overlay | None:
        """A catalogue as it is to be read at a state. ``find``: what was touched since it was made;
        None: it is of no use."""
        with self._at(state):
            known = self._overlay
        if known is not None and known[0] is catalogue:
            return known[1]
        found = find()
        made = None if found is None else Overlay(catalogue, found)
        with self._at(state):
            self._overlay = catalogue, made
        return made

    def position(self, state: int, question: Question, start: int) -> tuple[int, Row | None]:
        """The nearest known row before position ``start``: the position after it, and the row."""
        with self._at(state):
            known = self._positions.get(question)
            if known is not None:
                self._positions.move_to_end(question)
                place = bisect_right(known[0], start)
                if place:
                    return known[0][place - 1], known[1][place - 1]
        return 0, None

    def note_position(self, state: int, question: Question, after: int, row: Row) -> None:
        """The row in front of position ``after``."""
        with self._at(state):
            starts, rows = self._positions.setdefault(question, ([], []))
            place = bisect_right(starts, after)
            if (place and starts[place - 1] == after) or len(starts) >= POSITIONS_LIMIT:
                return
            starts.insert(place, after)
            rows.insert(place, row)
            if len(self._positions) > NOTES_LIMIT // 16:
                self._positions.popitem(last=False)

    @contextmanager
    def _at(self, state: int) -> Iterator[None]:
        with self._lock:
            if state != self._state:
                self._state = state
                self._totals.clear()
                self._orders.clear()
                self._positions.clear()
                self._overlay = None
                self._keys = 0
            yield


class Snapshot:
    """The index as one reader sees it while it answers one question.

    Statements go to SQLite's own driver: SQLAlchemy's rows cost as much as the page itself.
    """

    def __init__(self, connection: Connection, memory: Memory, shelf: Shelf | None = None) -> None:
        self._driver = cast("sqlite3.Connection", connection.connection.driver_connection)
        self._shelf = shelf
        self._began = time.monotonic()
        self.memory = memory

    def rows(self, statement: str, parameters: Sequence[object] = ()) -> list[Row]:
        return self._driver.execute(statement, parameters).fetchall()

    def row(self, statement: str, parameters: Sequence[object] = ()) -> Row | None:
        found: Row | None = self._driver.execute(statement, parameters).fetchone()
        return found

    def number(self, statement: str, parameters: Sequence[object] = ()) -> int:
        """The one number a statement gives; 0 for none."""
        row = self.row(statement, parameters)
        return int(row[0] or 0) if row else 0

    def check_time(self) -> None:
        """For what takes long without SQLite. Raises TooExpensive."""
        if time.monotonic() - self._began > SECONDS:
            raise TooExpensive(f"gave up after {SECONDS:g} s")

    def allow_folding(self) -> None:
        """Make ``fold`` known in statements; it folds each line of a text."""
        self._driver.create_function("fold", 1, fold_lines, deterministic=True)

    @cached_property
    def settings(self) -> dict[str, int]:
        return dict(self.rows("SELECT name, value FROM settings"))

    @property
    def state(self) -> int:
        """SystemUpdateID."""
        return self.settings.get("system_update_id", 0)

    @cached_property
    def overlay(self) -> Overlay | None:
        """The catalogue, and what is another way now than there; None: that is not known."""
        catalogue = None if self._shelf is None else self._shelf.newest()
        if catalogue is None:
            return None
        return self.memory.overlay(
            self.state, catalogue, lambda: touched.since(self._driver, catalogue.moment)
        )

    @cached_property
    def only_root(self) -> int | None:
        """The folder of the media root, if there is exactly one; the views stand for it then."""
        found = self.row(
            "SELECT id FROM folders WHERE parent_id IS NULL AND (SELECT count(*) FROM roots) = 1"
        )
        return found[0] if found else None
