"""What has changed lately: the rows that somebody who knows an earlier state has to look at again.

The catalogue is made at one state of the index and is good for all later ones, as far as it is
known which rows are others since. So each batch notes what it touched, up to a limit: then all
that was noted is dropped, and those who know an earlier state have to begin anew.
"""

import sqlite3
from collections.abc import Collection, Mapping

LIMIT = 1000
"""Rows that are noted. A changed file is some ten: itself, its values, the folders above it."""

ITEM, VALUE, FOLDER = "item", "value", "folder"
_SINCE = "since"


def note(
    connection: sqlite3.Connection,
    update_id: int,
    keys: Mapping[str, Collection[int]],
    *,
    too_much: bool = False,
) -> None:
    """What a batch touched, by form. ``too_much``: more than it can tell."""
    known, since = connection.execute(
        "SELECT count(*), max(form = ?) FROM touched", (_SINCE,)
    ).fetchone()
    if too_much or not since or known + sum(map(len, keys.values())) > LIMIT:
        connection.execute("DELETE FROM touched")
        connection.execute("INSERT INTO touched VALUES (?, 0, ?)", (_SINCE, update_id))
        return
    connection.executemany(
        "INSERT OR REPLACE INTO touched VALUES (?, ?, ?)",
        [(form, key, update_id) for form, own in keys.items() for key in own],
    )


def forget(connection: sqlite3.Connection, state: int) -> None:
    """Nobody knows an earlier state than this one any more."""
    connection.execute("DELETE FROM touched WHERE form <> ? AND update_id <= ?", (_SINCE, state))


def since(connection: sqlite3.Connection, state: int) -> dict[str, list[int]] | None:
    """What was touched after a state, by form; None if that is no longer known."""
    found: dict[str, list[int]] = {ITEM: [], VALUE: [], FOLDER: []}
    complete = False
    for form, key, update_id in connection.execute("SELECT form, key, update_id FROM touched"):
        if form == _SINCE:
            complete = update_id <= state
        elif update_id > state:
            found[form].append(key)
    return found if complete else None
