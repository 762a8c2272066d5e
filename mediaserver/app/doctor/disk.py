"""What can be seen of data directory, index and media roots. Blocking; changes nothing."""

import contextlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mediaserver.app.doctor.library import DataDirectoryFacts, IndexedRoot, IndexFacts, RootFacts
from mediaserver.library import index_file
from mediaserver.library.indexing import known
from mediaserver.library.roots import look
from mediaserver.library.watching import mounts

CHECK_SECONDS = 3.0
"""For reading the whole index."""
NAMES = 5000
"""Read of a folder's; one that is found is enough to know it by."""
_STEPS = 50_000
"""Instructions of SQLite's machine between two looks at the clock."""


def look_at_data_directory(path: Path) -> DataDirectoryFacts:
    """Where the folder is not there yet, the nearest one above it counts."""
    above = path
    while not os.path.lexists(above) and above != above.parent:
        above = above.parent
    error = None
    try:
        if above == path:
            with tempfile.TemporaryFile(dir=path):
                pass
        elif not above.is_dir():
            error = f"{above} is not a folder"
        elif not os.access(above, os.W_OK | os.X_OK, effective_ids=True):
            error = f"{above} is closed to this user"
    except OSError as problem:
        error = problem.strerror or str(problem)
    try:
        free: int | None = shutil.disk_usage(above).free
    except OSError:
        free = None
    return DataDirectoryFacts(path=path, exists=above == path, error=error, free=free)


def look_at_index(
    path: Path,
    *,
    held: bool,
    seconds: float = CHECK_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> IndexFacts:
    """Whether it opens and is sound, and what is in it. ``held``: a server is using it."""
    try:
        if not path.exists():
            return IndexFacts(path=path, exists=False)
        with contextlib.closing(_open(path, held=held)) as connection:
            until = clock() + seconds
            connection.set_progress_handler(lambda: clock() > until, _STEPS)
            checked = True
            try:
                (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            except sqlite3.OperationalError as error:
                if index_file.code_of(error) != sqlite3.SQLITE_INTERRUPT:
                    raise
                answer, checked = "ok", False
            if answer != "ok":
                return IndexFacts(path=path, damage=str(answer).splitlines()[-1])
            connection.set_progress_handler(None, 0)
            return IndexFacts(
                path=path,
                checked=checked,
                items=_number(
                    connection,
                    "SELECT sum(value) FROM settings WHERE name IN"
                    " ('counts.audio', 'counts.video', 'counts.image')",
                ),
                unreadable=_number(
                    connection, "SELECT count(*) FROM items WHERE reason IS NOT NULL"
                ),
                roots=tuple(_roots(connection)),
            )
    except sqlite3.Error as error:
        if index_file.is_damage(error):
            return IndexFacts(path=path, damage=str(error))
        return IndexFacts(path=path, error=str(error))
    except OSError as error:
        return IndexFacts(path=path, error=error.strerror or str(error))


def _open(path: Path, *, held: bool) -> sqlite3.Connection:
    """Read-only. Of an index that nobody uses and that has no log, nothing is written beside it."""
    quiet = not held and not path.with_name(path.name + "-wal").exists()
    uri = f"{path.absolute().as_uri()}?mode=ro{'&immutable=1' if quiet else ''}"
    return sqlite3.connect(uri, uri=True, timeout=1)


def _number(connection: sqlite3.Connection, question: str, *values: int) -> int:
    (number,) = connection.execute(question, values).fetchone()
    return int(number or 0)


def _roots(connection: sqlite3.Connection) -> list[IndexedRoot]:
    found = []
    for root in known.roots(connection):
        top = connection.execute(
            "SELECT id FROM folders WHERE root_id = ? AND path = x''", (root.root_id,)
        ).fetchone()
        names: set[bytes] = set()
        if top is not None:
            for question in (
                "SELECT name FROM items WHERE folder_id = ? LIMIT ?",
                "SELECT path FROM folders WHERE parent_id = ? LIMIT ?",
            ):
                names |= {row[0] for row in connection.execute(question, (*top, NAMES))}
        folders = _number(
            connection, "SELECT count(*) FROM folders WHERE root_id = ?", root.root_id
        )
        found.append(
            IndexedRoot(path=root.path, device=root.device, known=frozenset(names), folders=folders)
        )
    return found


def look_at_root(path: bytes, indexed: IndexedRoot | None) -> RootFacts:
    """Whether a media root is there. Does not return if its file system does not answer."""
    state = look(
        path,
        device=indexed.device if indexed else None,
        known=indexed.known if indexed else frozenset(),
    )
    return RootFacts(path=path.decode(errors="replace"), reason=state.reason, silent=_silent(path))


def _silent(path: bytes) -> str | None:
    return mounts.silence(os.path.realpath(path), mounts.read_mounts()).root


def count_folders(path: bytes, indexed: IndexedRoot | None) -> int:
    """How many folders are to be watched: as the index knows, else counted."""
    limit = mounts.max_watches()
    if _silent(path) is not None or limit is None:
        return 0
    if indexed is not None and indexed.folders:
        return indexed.folders
    return mounts.count_folders(path, limit)
