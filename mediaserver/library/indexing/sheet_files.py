"""Which files cue sheets split, and which sheet it is that splits a file."""

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from mediaserver.library import sheets
from mediaserver.library.indexing.homes import Home
from mediaserver.library.indexing.playlist_lookup import NOT_FOUND, ItemLookup
from mediaserver.library.locations import Files, Meaning, Nothing, beside_sheet, folded_name
from mediaserver.library.objects import Sheet

ELSEWHERE = "a file in another folder: a cue sheet splits those beside it alone"


class Splitting(NamedTuple):
    """The sheet that splits a file, or would if it were right."""

    sheet: Sheet
    name: bytes
    """Of the file that the sheet is in: a cue sheet, or the file itself."""


def files_to_split(
    connection: sqlite3.Connection,
    lookup: ItemLookup,
    home: Home,
    name: bytes,
    named: Sequence[tuple[Meaning, str]],
) -> list[tuple[int | None, str | None]]:
    """For each file that a cue sheet of this name tells the tracks of: its key, or why there is
    nothing to split. ``named``: what its name means, and its tracks as :func:`.sheets.written`."""
    # A sheet of a single file belongs to the one that it stands beside.
    beside = beside_sheet(name) if len(named) == 1 else ()
    found: list[tuple[int | None, str | None]] = []
    for meaning, written in named:
        if isinstance(meaning, Nothing):
            found.append((None, meaning.reason))
            continue
        paths = meaning.paths if isinstance(meaning, Files) else ()
        inside = [path for path in paths if path.rpartition(b"/")[0] == home.path]
        if not inside:
            found.append((None, ELSEWHERE))
            continue
        names = [path.rpartition(b"/")[2] for path in inside]
        key = lookup.file_in(home.folder, (*names, *beside))
        reason = NOT_FOUND if key is None else _misfit(connection, key, written)
        found.append((key if reason is None else None, reason))
    return found


def _misfit(connection: sqlite3.Connection, item: int, written: str) -> str | None:
    (duration,) = connection.execute(
        "SELECT duration_ms FROM items WHERE id = ?", (item,)
    ).fetchone()
    return sheets.misfit(sheets.read(written), duration)


def sheet_of(
    connection: sqlite3.Connection, key: int, name: bytes, embedded: str | None
) -> Splitting | None:
    """What says which tracks a file holds: of the cue sheets that name it (index
    ``entries_of_item``) the one that is called as it is, or the first; else the one inside it."""
    rows = connection.execute(
        "SELECT p.name, e.sheet FROM playlist_entries AS e JOIN playlists AS p"
        " ON p.id = e.playlist_id WHERE e.item_id = ? AND e.sheet IS NOT NULL"
        " ORDER BY p.name, e.position",
        (key,),
    ).fetchall()
    if rows:
        sheet, written = min(rows, key=lambda row: not is_called(row[0], name))
        return Splitting(sheets.read(written), sheet)
    return None if embedded is None else Splitting(sheets.read(embedded), name)


def is_called(sheet: bytes, name: bytes) -> bool:
    """Whether a cue sheet has the name of a media file."""
    return folded_name(name) in {folded_name(each) for each in beside_sheet(sheet)}
