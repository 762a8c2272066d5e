"""What has changed lately: the rows that somebody who knows an earlier state has to look at again.

The catalogue is made at one state of the index and is good for all later ones, as far as it is
known which rows are others since. So each batch notes what it touched, up to a limit: then all
that was noted is dropped, and those who know an earlier state have to begin anew. So they have
where the file may not be the one that was closed last: a backup, or one made by another program.

The table is this log. One row of the form :data:`_SINCE` says which log it is and from which state
on it leaves nothing out; every other is a row of the index, and when it was touched last.
"""

import secrets
import sqlite3
from collections.abc import Collection, Mapping
from typing import NamedTuple

LIMIT = 1000
"""Rows that are noted. A changed file is some ten: itself, its values, the folders above it."""

ITEM, VALUE, FOLDER = "item", "value", "folder"
_SINCE = "since"


class Moment(NamedTuple):
    """A state of an index as somebody knows it."""

    log: int
    """Which log was kept then: of the states before another one nothing is known any more."""
    state: int
    """SystemUpdateID."""


def begin(connection: sqlite3.Connection, state: int) -> None:
    """Forget all; from this state on nothing is left out."""
    connection.execute("DELETE FROM touched")
    connection.execute(
        "INSERT INTO touched VALUES (?, ?, ?)", (_SINCE, secrets.randbits(62), state)
    )


def note(
    connection: sqlite3.Connection,
    update_id: int,
    keys: Mapping[str, Collection[int]],
    *,
    too_much: bool = False,
) -> None:
    """What a batch touched, by form. ``too_much``: more than it can tell."""
    known, begun = connection.execute(
        "SELECT count(*), max(form = ?) FROM touched", (_SINCE,)
    ).fetchone()
    if too_much or not begun or known + sum(map(len, keys.values())) > LIMIT:
        begin(connection, update_id)
        return
    connection.executemany(
        "INSERT OR REPLACE INTO touched VALUES (?, ?, ?)",
        [(form, key, update_id) for form, own in keys.items() for key in own],
    )


def forget(connection: sqlite3.Connection, known: Moment) -> None:
    """Nobody knows an earlier state of this log than this one any more."""
    row = connection.execute(
        "UPDATE touched SET update_id = max(update_id, ?) WHERE form = ? AND key = ? RETURNING 1",
        (known.state, _SINCE, known.log),
    ).fetchone()
    if row is not None:
        connection.execute(
            "DELETE FROM touched WHERE form <> ? AND update_id <= ?", (_SINCE, known.state)
        )


def moment(connection: sqlite3.Connection) -> Moment:
    """The state that a reader sees."""
    row = connection.execute(
        "SELECT (SELECT key FROM touched WHERE form = ?),"
        " (SELECT value FROM settings WHERE name = 'system_update_id')",
        (_SINCE,),
    ).fetchone()
    return Moment(*(number or 0 for number in row))


def since(connection: sqlite3.Connection, known: Moment) -> dict[str, list[int]] | None:
    """What was touched after a state, by form; None if that is not known (any more), or the state
    is a later one."""
    if moment(connection).state < known.state:
        return None
    found: dict[str, list[int]] = {ITEM: [], VALUE: [], FOLDER: []}
    complete = False
    for form, key, update_id in connection.execute("SELECT form, key, update_id FROM touched"):
        if form == _SINCE:
            complete = key == known.log and update_id <= known.state
        elif update_id > known.state:
            found[form].append(key)
    return found if complete else None
