"""The data directory: one folder that holds everything the program writes.

::

    index.sqlite     the index, with its -wal and -shm; -sound: it was closed in good order
    identity.json    UDN and BOOTID: what control points know the server by
    catalogue        the index in columns, of a large library; may be deleted at any time
    cache/           pictures made smaller; may be deleted at any time
    lock             held while a program uses the folder; says which, and its port

The identity is kept apart from the index: an index may be thrown away and built anew, a changed
UDN makes every control point forget the server.
"""

import fcntl
import json
import logging
import os
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

logger = logging.getLogger(__name__)

INDEX_NAME = "index.sqlite"
IDENTITY_NAME = "identity.json"
MAX_BOOT_ID = 2**31 - 1
"""BOOTID is a non-negative 31-bit integer (UDA 1.1 §1.2.2)."""


class DataDirectoryError(Exception):
    """The data directory cannot be used; the text is one line for its owner."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What stays the same over restarts (``udn``) and what must rise with each (``boot_id``)."""

    udn: str
    boot_id: int


@dataclass(frozen=True, slots=True)
class Holder:
    """The program that uses a data directory; ``port`` is where it serves, None if it does not."""

    pid: int | None
    port: int | None


def read_holder(path: Path) -> Holder | None:
    """Who uses a data directory at the moment; None: nobody. Changes nothing.

    OSError where that cannot be told.
    """
    try:
        lock = os.open(path / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_note(lock)
    finally:
        os.close(lock)
    return None


def read_udn(path: Path) -> str | None:
    """The UDN kept in a data directory; None if there is none (yet). OSError if unreadable."""
    try:
        text = (path / IDENTITY_NAME).read_bytes()
    except FileNotFoundError:
        return None
    try:
        return _parse_identity(text).udn
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_note(lock: int) -> Holder:
    lines = os.pread(lock, 40, 0).decode("ascii", "replace").split("\n")
    pid, port = (int(line) if line.isdigit() else None for line in (*lines, "", "")[:2])
    return Holder(pid, port)


def _parse_identity(text: bytes) -> Identity:
    """Raises ValueError, KeyError, TypeError or AttributeError for anything else."""
    found = json.loads(text)
    udn, boot_id = found["udn"], found["boot_id"]
    uuid.UUID(udn.removeprefix("uuid:"))
    if not udn.startswith("uuid:") or not isinstance(boot_id, int):
        raise ValueError("not an identity")
    return Identity(udn=udn, boot_id=boot_id)


class DataDirectory:
    """A locked data directory. Use as a context manager, or call :meth:`close`."""

    def __init__(self, path: Path, *, wall_clock: Callable[[], float] = time.time) -> None:
        """Create the folder if need be and lock it.

        Raises :class:`DataDirectoryError` if it cannot be written to or another program holds
        it.
        """
        self.path = path
        self._wall_clock = wall_clock
        try:
            path.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except (FileExistsError, NotADirectoryError):
            raise DataDirectoryError(
                f"data directory {path} cannot be used: a file is in the way"
            ) from None
        except OSError as error:
            raise DataDirectoryError(
                f"data directory {path} cannot be used: {error.strerror or error}"
            ) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = _read_note(self._lock)
            os.close(self._lock)
            raise DataDirectoryError(
                f"data directory {path} is in use by another mediaserver"
                + (f" (process {holder.pid})" if holder.pid else "")
            ) from None
        except OSError as error:
            os.close(self._lock)
            raise DataDirectoryError(
                f"data directory {path} cannot be locked: {error.strerror or error}"
            ) from error
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode("ascii"), 0)
        except OSError as error:
            os.close(self._lock)
            raise DataDirectoryError(
                f"data directory {path} cannot be written to: {error.strerror or error}"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the lock back. The file stays: removing it would race with the next holder.

        Idempotent.
        """
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def note_port(self, port: int) -> None:
        """Leave a note for other commands where this program serves."""
        try:
            os.pwrite(self._lock, f"{os.getpid()}\n{port}\n".encode("ascii"), 0)
        except OSError as error:
            logger.warning("data directory %s cannot be written to: %s", self.path, error)

    @property
    def index(self) -> Path:
        return self.path / INDEX_NAME

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    def next_identity(self) -> Identity:
        """The identity for a new start: the same UDN, a higher BOOTID (UDA 1.1 §1.2.2).

        BOOTID follows the clock, as the standard suggests, but rises even if the clock was set
        back; in 2038 both begin again. Raises :class:`DataDirectoryError` if it cannot be stored.
        """
        known = self._read_identity()
        clock = int(self._wall_clock()) & MAX_BOOT_ID
        boot_id = max((known.boot_id if known else 0) + 1, clock)
        identity = Identity(
            udn=known.udn if known else f"uuid:{uuid.uuid4()}",
            boot_id=boot_id if boot_id <= MAX_BOOT_ID else clock,
        )
        self.store_identity(identity)
        return identity

    def store_boot_id(self, boot_id: int) -> None:
        """Remember a BOOTID that rose while running (an interface came or went)."""
        known = self._read_identity()
        if known is not None:
            self.store_identity(replace(known, boot_id=boot_id))

    def store_identity(self, identity: Identity) -> None:
        """Write ``identity.json`` so that a power cut leaves the old one or the new one."""
        target = self.path / IDENTITY_NAME
        draft = self.path / "identity.json.new"
        try:
            with draft.open("w", encoding="utf-8") as file:
                json.dump(asdict(identity), file)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        except OSError as error:
            raise DataDirectoryError(
                f"data directory {self.path} cannot be written to: {error.strerror or error}"
            ) from error

    def _read_identity(self) -> Identity | None:
        target = self.path / IDENTITY_NAME
        try:
            text = target.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            # Perhaps it can be read tomorrow: not the time to become another server.
            raise DataDirectoryError(
                f"{target} cannot be read: {error.strerror or error}"
            ) from error
        try:
            return _parse_identity(text)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self._set_aside(target, error)
            return None

    def _set_aside(self, target: Path, error: Exception) -> None:
        aside = self.path / f"{target.name}.damaged-{int(self._wall_clock())}"
        logger.warning(
            "%s is damaged (%s); control points will see a new server. Kept as %s",
            target,
            error,
            aside.name,
        )
        try:
            target.replace(aside)
        except OSError as problem:
            raise DataDirectoryError(
                f"data directory {self.path} cannot be written to: {problem.strerror or problem}"
            ) from problem
