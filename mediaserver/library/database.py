"""The index for its users: one writer thread's connection, and readers that never wait for it.

Questions are plain functions of a SQLAlchemy Core connection; this module alone knows threads.
SQLite in WAL mode lets any number of readers see the last committed state while one writes.
What is SQLite's own is here, in :mod:`.index_file`, :mod:`.index_place` and in the full text
tables of :mod:`.schema`.
"""

import asyncio
import ctypes
import logging
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from mediaserver.library import index_file, index_place
from mediaserver.library.errors import IndexUnusable, TooExpensive
from mediaserver.library.index_place import Place

logger = logging.getLogger(__name__)

T = TypeVar("T")

READ_SECONDS = 5.0
"""The longest a question may take."""
STEPS = 50_000
"""Instructions of SQLite's machine, some milliseconds, between two looks at the clock."""
LOG_BYTES = 64 << 20
"""What the write-ahead log is cut to when it has grown larger."""
CHECKPOINT_PAGES = 4000
"""Pages in the log, of 4 KB, at which they are carried over into the index."""
WRITER_CACHE_KB = 16_000
BULK_CACHE_KB = 128_000
"""Of the writer while it may have much to write: ids are hashes, so each of many new rows is on
another page, and a page that had to leave the cache is read again, and written again."""
READER_CACHE_KB = 8_000


class Database:
    """The index file. Not open until :meth:`open` has returned.

    ``readers`` is the number of threads for :meth:`read`. More than one makes short reads
    slower (the interpreter's lock), a second one helps against slow searches.
    """

    def __init__(
        self,
        path: Path,
        *,
        migrations: Path | None = None,
        readers: int = 1,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        self.path = path
        self.damaged = False
        """Whether damage has shown; closing and opening again sets the file aside."""
        self._migrations = migrations
        self._threads = readers
        self._read_seconds = read_seconds
        self._engine = create_engine(
            "sqlite+pysqlite://", creator=lambda: index_file.connect(path), poolclass=NullPool
        )
        self._executor: ThreadPoolExecutor | None = None
        self._idle: deque[_Reader] = deque()
        self._writer: Connection | None = None
        self._identity: index_place.Identity | None = None

    def open(self, *, least_update_id: int = 0) -> list[str]:
        """Check, migrate, and if need be replace the index; blocks, some seconds if it is large.

        SystemUpdateID is ``least_update_id`` at least. Returns what its owner should know. Raises
        :class:`IndexUnusable`.
        """
        notes = index_file.prepare(self.path, self._migrations, least_update_id=least_update_id)
        self.damaged = False
        with self._translated():
            self._writer = self._connected(WRITER_CACHE_KB)
        self._identity = index_place.identity_of(self.path)
        self._idle.append(self._reader())
        self._executor = ThreadPoolExecutor(self._threads, thread_name_prefix="index-reader")
        return notes

    def close(self) -> None:
        """Wait for the questions that are being answered, and let the file go."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()  # what waits is told that the index is closed
        while self._idle:
            self._idle.pop().close()
        if self._writer is not None:
            # The last connection carries the log over into the index and removes it.
            self._writer.close()
            self._writer = None
            if not self.damaged and self.place is Place.SAME:
                index_file.note_sound(self.path)

    @property
    def is_open(self) -> bool:
        return self._writer is not None

    @property
    def place(self) -> Place:
        """What is at the path of the index; one that was deleted can be used until it is closed."""
        if self._identity is None:
            return Place.SAME
        return index_place.place_of(self.path, self._identity)

    def put_back(self) -> list[str]:
        """Write an index that was deleted again, and go on with that; for the writer's thread.

        Questions are answered meanwhile, but for a moment at the end. Like :meth:`open`.
        """
        if self._writer is None:
            raise IndexUnusable(f"index {self.path}: it is closed")
        draft = index_place.save(driver_of(self._writer), self.path)
        self.close()
        index_place.put_back(draft, self.path)
        return self.open()

    async def read(self, question: Callable[[Connection], T]) -> T:
        """Ask in a reader thread.

        The question sees one state of the index from its beginning to its end. Raises what the
        question raises, :class:`TooExpensive`, :class:`IndexUnusable`.
        """
        if self._executor is None:
            raise IndexUnusable(f"index {self.path}: it is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, self.read_now, question)

    def read_now(self, question: Callable[[Connection], T]) -> T:
        """The same from any thread, blocking it."""
        if self._executor is None:
            raise IndexUnusable(f"index {self.path}: it is closed")
        with self._translated():
            try:
                reader = self._idle.pop()
            except IndexError:
                reader = self._reader()
            try:
                return reader.ask(question)
            finally:
                self._put_back(reader)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A transaction that writes; for one thread, the writer. An error undoes it.

        Raises :class:`IndexUnusable` where SQLite cannot write: the disk is full, for example.
        """
        if self._writer is None:
            raise IndexUnusable(f"index {self.path}: it is closed")
        driver = driver_of(self._writer)
        with self._translated():
            driver.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                driver.execute("COMMIT")
            except BaseException:
                # A full disk may have ended the transaction already.
                if driver.in_transaction:
                    driver.execute("ROLLBACK")
                raise

    @contextmanager
    def writing_much(self) -> Iterator[None]:
        """The writer may use more memory meanwhile; it takes what it needs, and gives it back."""
        if self._writer is None:
            raise IndexUnusable(f"index {self.path}: it is closed")
        driver = driver_of(self._writer)
        driver.execute(f"PRAGMA cache_size = -{BULK_CACHE_KB}")
        try:
            yield
        finally:
            driver.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KB}")
            driver.execute("PRAGMA shrink_memory")
            _give_back_memory()

    def carry_over(self) -> bool:
        """Carry the log over into the index and cut it, as far as that goes without waiting for
        those who read; whether nothing is left. For the writer's thread, between transactions."""
        if self._writer is None or not self.log_bytes:
            return True
        driver = driver_of(self._writer)
        with self._translated():
            driver.execute("PRAGMA busy_timeout = 0")
            try:
                (busy, *_) = driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                driver.execute(f"PRAGMA busy_timeout = {index_file.BUSY_MS}")
        return not busy

    @property
    def log_bytes(self) -> int:
        """How large the write-ahead log is."""
        return index_file.log_bytes(self.path)

    def condemn(self, reason: str) -> None:
        """The index is damaged: it is set aside when it is opened the next time."""
        if not self.damaged:
            self.damaged = True
            index_file.mark_damaged(self.path)
            logger.error("index %s: it is damaged (%s)", self.path, reason)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, DBAPIError) as error:
            if index_file.is_damage(error):
                self.condemn(str(error))
            if index_file.code_of(error) == sqlite3.SQLITE_INTERRUPT:
                raise TooExpensive(f"gave up after {self._read_seconds:g} s") from error
            unusable = index_file.unusable(self.path, error)
            if unusable is not None:
                raise unusable from error
            raise

    def _put_back(self, reader: "_Reader") -> None:
        if self._executor is None:
            # Closed meanwhile, by another thread.
            reader.close()
        else:
            self._idle.append(reader)

    def _connected(self, cache_kb: int) -> Connection:
        connection = self._engine.connect()
        driver = driver_of(connection)
        for pragma in (
            f"cache_size = -{cache_kb}",
            f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
            f"journal_size_limit = {LOG_BYTES}",
        ):
            driver.execute(f"PRAGMA {pragma}")
        return connection

    def _reader(self) -> "_Reader":
        return _Reader(self._connected(READER_CACHE_KB), self._read_seconds)


class _Reader:
    """A connection that only reads, a limited time each."""

    def __init__(self, connection: Connection, seconds: float) -> None:
        self._connection = connection
        self._seconds = seconds
        self._driver = driver_of(connection)
        self._driver.execute("PRAGMA query_only = ON")
        self._driver.set_progress_handler(self._is_late, STEPS)
        self._deadline = 0.0

    def ask(self, question: Callable[[Connection], T]) -> T:
        self._deadline = time.monotonic() + self._seconds
        # One state of the index for all statements of the question. SQLAlchemy has its own
        # idea of a transaction, which costs more than the statements of a page.
        self._driver.execute("BEGIN")
        try:
            return question(self._connection)
        finally:
            if self._driver.in_transaction:
                self._driver.execute("ROLLBACK")

    def close(self) -> None:
        self._connection.close()

    def _is_late(self) -> bool:
        return time.monotonic() > self._deadline


def _give_back_memory() -> None:
    """Hand memory that was freed to the system, where the C library keeps it otherwise (glibc)."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def driver_of(connection: Connection) -> sqlite3.Connection:
    """The SQLite connection below, for statements that run by the ten thousand."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - what we have made ourselves
    return driver
