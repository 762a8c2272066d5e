"""What cue sheets do to files, for ``mediaserver why``."""

import os
import sqlite3
from collections.abc import Iterator

from mediaserver.library import sheets
from mediaserver.library.indexing.sheet_files import is_called, sheet_of
from mediaserver.library.object_ids import item_id
from mediaserver.media_types import is_cue_sheet


def of_split_file(connection: sqlite3.Connection, key: int) -> list[str]:
    """Why a file is not shown: its tracks are, and as what. Nothing of one that is whole."""
    row = connection.execute(
        "SELECT folder_id, name, sheet FROM items WHERE id = ? AND split", (key,)
    ).fetchone()
    if row is None:
        return []
    folder, name, embedded = row
    parts = connection.execute(
        "SELECT id, part, title, begin_us, end_us, isrc FROM items"
        " LEFT JOIN details ON item_id = id"
        " WHERE folder_id = ? AND name = ? AND part > 0 ORDER BY part",
        (folder, name),
    ).fetchall()
    found = sheet_of(connection, key, name, embedded)
    by = "inside it" if found is None or found.name == name else os.fsdecode(found.name)
    return [
        f"it is listed as its {len(parts)} tracks, by the cue sheet {by}",
        *(
            f"track {part}: {title}, {sheets.clock(begin)} to {sheets.clock(end)} "
            f"({item_id(own)}{'' if isrc is None else f', ISRC {isrc}'})"
            for own, part, title, begin, end, isrc in parts
        ),
    ]


def of_whole_file(connection: sqlite3.Connection, key: int) -> list[str]:
    """Why the cue sheet of a file that is shown as a whole is not used."""
    folder, name, embedded, duration = connection.execute(
        "SELECT folder_id, name, sheet, duration_ms FROM items WHERE id = ?", (key,)
    ).fetchone()
    reasons = [
        f"its cue sheet {os.fsdecode(sheet)} is not used: {reason}"
        for sheet, reason in connection.execute(
            "SELECT p.name, coalesce(p.reason, e.reason) FROM playlists AS p LEFT JOIN"
            " playlist_entries AS e ON e.playlist_id = p.id AND e.sheet IS NOT NULL"
            " WHERE p.folder_id = ? ORDER BY p.name, e.position",
            (folder,),
        )
        if reason is not None and is_cue_sheet(sheet) and is_called(sheet, name)
    ]
    reason = None if embedded is None else sheets.misfit(sheets.read(embedded), duration)
    if reason is not None:
        reasons.append(f"the cue sheet inside it is not used: {reason}")
    return reasons


def of_sheet(connection: sqlite3.Connection, playlist: int) -> Iterator[str]:
    """What a cue sheet splits, and what it does not; nothing of one that is a list of files."""
    for location, reason, key, name, own, embedded in connection.execute(
        "SELECT e.location, e.reason, i.id, i.name, p.name, i.sheet FROM playlist_entries AS e"
        " JOIN playlists AS p ON p.id = e.playlist_id LEFT JOIN items AS i ON i.id = e.item_id"
        " WHERE e.playlist_id = ? AND e.sheet IS NOT NULL ORDER BY e.position",
        (playlist,),
    ).fetchall():
        if reason is not None:
            yield f"{location} is not split: {reason}"
            continue
        found = sheet_of(connection, key, name, embedded)
        if found is not None and found.name != own:
            yield f"{os.fsdecode(name)} is split by the cue sheet {os.fsdecode(found.name)} already"
        elif found is not None:
            number = len(found.sheet.tracks)
            yield f"{os.fsdecode(name)} is listed as its {number} tracks; it is no list itself"
