"""The index as a file: whether it can be used, what to do if not, and bringing it up to date.

All of it happens before the index is opened for use (:mod:`.database`). An index is only a
summary of the media roots: one that is damaged is set aside and made anew by scanning
(security.md F5). What must not be lost with it is that SystemUpdateID never goes back.
"""

import contextlib
import logging
import os
import sqlite3
import time
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from mediaserver.library import schema
from mediaserver.library.errors import IndexUnusable
from mediaserver.library.indexing import touched
from mediaserver.library.migrating import migrate, revision_of, tables_of

logger = logging.getLogger(__name__)

BUSY_MS = 5000
"""How long to wait for another program's lock."""
EPOCH = 1_577_836_800
"""2020-01-01. Seconds since then start the SystemUpdateID after an index was lost whole: there
is at most one change a second in the long run, so that the number is higher than any before."""

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_READONLY: "it cannot be written to",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened",
    sqlite3.SQLITE_BUSY: "another program has locked it",
    sqlite3.SQLITE_LOCKED: "another program has locked it",
    sqlite3.SQLITE_IOERR: "reading or writing it failed",
    sqlite3.SQLITE_PERM: "access is denied",
    sqlite3.SQLITE_AUTH: "access is denied",
    sqlite3.SQLITE_CORRUPT: "it is damaged",
    sqlite3.SQLITE_NOTADB: "it is damaged",
}


def code_of(error: BaseException) -> int:
    """The primary result code of SQLite (``SQLITE_FULL`` and so on); 0 for any other error."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return int(getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF


def is_damage(error: BaseException) -> bool:
    return code_of(error) in _DAMAGE


def unusable(path: Path, error: BaseException) -> IndexUnusable | None:
    """The error as its owner can understand it; None if it is a fault of the program."""
    reason = _REASONS.get(code_of(error))
    return None if reason is None else IndexUnusable(f"index {path}: {reason} ({error})")


def connect(path: Path, *, foreign_keys: bool = True) -> sqlite3.Connection:
    """A connection that leaves transactions to us and may go from thread to thread.

    The file is there: one that somebody has deleted is not made again, empty.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
    )
    for pragma in (
        "synchronous = NORMAL",
        f"foreign_keys = {int(foreign_keys)}",
        "trusted_schema = OFF",
        "temp_store = MEMORY",
        # A file whose pages lie about their cells is found out before they are followed.
        "cell_size_check = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def prepare(path: Path, migrations: Path | None = None, *, least_update_id: int = 0) -> list[str]:
    """See that there is a sound index of the present schema at ``path``.

    Its SystemUpdateID becomes ``least_update_id`` if it is lower. Returns what the owner should
    know. Raises :class:`IndexUnusable` where the file can be neither used nor replaced.
    """
    notes: list[str] = []
    try:
        update_id = 0
        sound = _is_noted_sound(path)
        if not _is_empty(path):
            fault = _fault(path, thoroughly=not sound)
            if fault is not None:
                update_id = _last_update_id(path)
                notes.append(_set_aside(path, fault))
        create(path)
        notes += _migrated(path, migrations)
        update_id = max(update_id, least_update_id)
        if update_id:
            _start_at(path, update_id)
        if notes or not sound:
            _forget_changes(path)
    except (sqlite3.Error, DBAPIError) as error:
        raise unusable(path, error) or error from error
    except OSError as error:
        raise IndexUnusable(f"index {path}: {error.strerror or error}") from error
    for note in notes:
        logger.warning("%s", note)
    return notes


def mark_damaged(path: Path) -> None:
    """Remember that damage showed, so that the next start does not trust the file."""
    with contextlib.suppress(OSError):
        beside(path, "-damaged").touch(mode=0o600)


def note_sound(path: Path) -> None:
    """Remember that the file was closed in good order, and as what, until it is opened again.

    A look at every page takes a second for each hundred thousand files.
    """
    with contextlib.suppress(OSError):
        beside(path, "-sound").write_text(_state_of(path), encoding="ascii")


def _is_noted_sound(path: Path) -> bool:
    """Whether nothing happened to the file since :func:`note_sound`; asked once each time."""
    note = beside(path, "-sound")
    try:
        noted = note.read_text(encoding="ascii", errors="replace")
        note.unlink()
        return noted == _state_of(path) and not beside(path, "-wal").exists()
    except OSError:
        return False


def _state_of(path: Path) -> str:
    status = path.stat()
    return f"{status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}\n"


def beside(path: Path, suffix: str) -> Path:
    """A file that belongs to the index."""
    return path.with_name(path.name + suffix)


def _is_empty(path: Path) -> bool:
    """Whether there is no index yet. What may be left of an earlier one's log is removed."""
    if path.exists() and path.stat().st_size:
        return False
    remove_log(path)
    return True


def log_bytes(path: Path) -> int:
    """How large the write-ahead log of an index is; 0 if there is none."""
    try:
        return beside(path, "-wal").stat().st_size
    except OSError:
        return 0


def remove_log(path: Path) -> None:
    for suffix in ("-wal", "-shm", "-journal"):
        beside(path, suffix).unlink(missing_ok=True)


def create(path: Path) -> None:
    """The file, if it is not there, so that nobody else can read it at any time."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


# ---- soundness


def _fault(path: Path, *, thoroughly: bool) -> str | None:
    """Why the file is not a sound index that we can use or migrate; None if it is."""
    if beside(path, "-damaged").exists():
        return "was damaged"
    try:
        with contextlib.closing(connect(path)) as connection:
            if thoroughly:
                (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if answer != "ok":
                    logger.warning("index %s: %s", path, answer)
                    return "was damaged"
            revision = revision_of(connection)
            if revision is None:
                return "was not an index of this program"
            if revision > schema.REVISION:
                return "was written by a newer version of this program"
            if revision == schema.REVISION and not _is_complete(connection):
                return "was incomplete"
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            return "was damaged"
        raise
    return None


def _is_complete(connection: sqlite3.Connection) -> bool:
    return tables_of(connection) >= {*schema.metadata.tables, *schema.TEXTS}


def _last_update_id(path: Path) -> int:
    """A SystemUpdateID that is higher than any the lost index can have given."""
    try:
        with contextlib.closing(connect(path)) as connection:
            row = connection.execute(
                "SELECT value FROM settings WHERE name = 'system_update_id'"
            ).fetchone()
            if row is not None and isinstance(row[0], int):
                return row[0] + 1
    except sqlite3.Error:
        pass
    return max(1, int(time.time()) - EPOCH)


def _start_at(path: Path, update_id: int) -> None:
    with contextlib.closing(connect(path)) as connection:
        connection.execute(
            "INSERT INTO settings VALUES ('system_update_id', ?)"
            " ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            (update_id,),
        )


def _forget_changes(path: Path) -> None:
    """The file may not be the one that was closed last: what a catalogue tells is of no use."""
    with contextlib.closing(connect(path)) as connection:
        touched.begin(connection, touched.moment(connection).state)


def _set_aside(path: Path, fault: str) -> str:
    """Keep one copy of a file that cannot be used, for those who want to know why."""
    kept = beside(path, ".set-aside")
    remove_log(kept)
    path.replace(kept)
    for suffix in ("-wal", "-journal"):
        with contextlib.suppress(FileNotFoundError):
            beside(path, suffix).replace(beside(kept, suffix))
    beside(path, "-shm").unlink(missing_ok=True)
    beside(path, "-damaged").unlink(missing_ok=True)
    return f"the index {fault}: it is made anew by scanning; the old file is kept as {kept.name}"


def _migrated(path: Path, migrations: Path | None) -> list[str]:
    notes = []
    with contextlib.closing(connect(path, foreign_keys=False)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            notes.append(
                f"the file system of {path.parent} does not allow a write-ahead log: "
                "reading waits while the index is written"
            )
        revision = revision_of(connection)
        if revision == schema.REVISION:
            return notes
        if revision is not None:
            kept = _copy(path, connection)
            notes.append(f"the index is brought up to date; the old one is kept as {kept.name}")
        migrate(connection, migrations)
    return notes


def _copy(path: Path, connection: sqlite3.Connection) -> Path:
    """Keep the index as it was before a migration; of earlier ones no copy stays."""
    for old in path.parent.glob(f"{path.name}.before-*"):
        old.unlink()
    kept = beside(path, f".before-{schema.REVISION}")
    create(kept)
    with contextlib.closing(sqlite3.connect(kept)) as target:
        connection.backup(target)
    return kept
