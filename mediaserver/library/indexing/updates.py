"""Update ids: what a batch changed gets a new one (CDS:1 §2.5.20, §2.5.21).

SystemUpdateID rises by one for each batch that control points can see. Folders, playlists and
values whose children changed, and the kinds of items that did, remember it as their own.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from itertools import islice

from mediaserver.library.indexing.batch import Batch
from mediaserver.library.indexing.items import Effects
from mediaserver.library.object_ids import folder_id, playlist_id, view_id
from mediaserver.library.objects import Change, ObjectID
from mediaserver.library.views import Arrangement, View

MAX_CONTAINERS = 300
"""In one change; what is left out are values of views, playlists and folders, never a view."""
_UI4 = 1 << 32


def system_update_id(connection: sqlite3.Connection) -> int:
    row = connection.execute(
        "SELECT value FROM settings WHERE name = 'system_update_id'"
    ).fetchone()
    return 0 if row is None else int(row[0])


def finish(connection: sqlite3.Connection, batch: Batch, views: Sequence[View]) -> Change | None:
    """Write what follows from a batch; what it changed, None if control points see nothing."""
    effects = batch.effects()
    if not effects.any:
        return None
    update_id = (system_update_id(connection) + 1) % _UI4
    facets = batch.facets.finish(update_id)
    batch.note_touched(update_id)
    connection.executemany(
        "UPDATE folders SET update_id = ? WHERE id = ?",
        [(update_id, folder) for folder in effects.folders],
    )
    connection.executemany(
        "UPDATE playlists SET update_id = ? WHERE id = ?",
        [(update_id, playlist) for playlist in effects.playlists],
    )
    if effects.playlists_differ:
        _set(connection, "update_id.playlists", update_id)
    _set(connection, "system_update_id", update_id)
    for kind, more in effects.kinds.items():
        _set(connection, f"update_id.{kind}", update_id)
        connection.execute(
            "INSERT INTO settings VALUES (?, ?) "
            "ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (f"counts.{kind}", more),
        )
    ids = _containers(effects, _shown(connection, effects.playlists), facets, views)
    return Change(update_id, dict.fromkeys(islice(ids, MAX_CONTAINERS), update_id))


def _set(connection: sqlite3.Connection, name: str, value: int) -> None:
    connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", (name, value))


def _shown(connection: sqlite3.Connection, playlists: Iterable[int]) -> dict[int, str]:
    """The playlists that are to be seen, and their kinds."""
    rows = connection.execute(
        "SELECT id, kind FROM playlists WHERE shown AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(playlists)),),
    )
    return dict(rows.fetchall())


def _containers(
    effects: Effects, playlists: dict[int, str], facets: dict[int, str], views: Sequence[View]
) -> Iterable[ObjectID]:
    """Views, then folders, then playlists, then values at the first level of views."""
    lists = [view for view in views if view.arrangement is Arrangement.PLAYLISTS]
    touched = [
        view
        for view in views
        if view not in lists and (view.kind is None or view.kind in effects.kinds)
    ]
    for view in touched:
        yield view_id(view.code)
    for view in lists if effects.playlists_differ else ():
        yield view_id(view.code)
    for folder in sorted(effects.folders):
        yield folder_id(folder)
    for playlist, kind in sorted(playlists.items()):
        yield playlist_id(playlist)
        for view in lists:
            if view.kind == kind:
                yield playlist_id(playlist, view=view.code)
    for view in touched:
        if view.arrangement is Arrangement.FACETS:
            for facet, kind in facets.items():
                if kind == view.levels[0]:
                    yield view_id(view.code, (facet,))
