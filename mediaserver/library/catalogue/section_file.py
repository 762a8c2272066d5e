"""A file of named sections, written once and then only read.

::

    MAGIC, sections each at a multiple of eight bytes, the table of sections (JSON), its place,
    the checksum of all that, MAGIC

It is written under another name and renamed, so that a reader sees a whole file or none. Read with
``pread``, not mapped: a disk that fails is then an error, and not the end of the program.
"""

import json
import os
import struct
import zlib
from array import array
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, overload

T = TypeVar("T")

MAGIC = b"catalog2"
_END = struct.Struct("<QQQ8s")
_BLOCK = 1 << 20
"""Bytes that are read at a time for the checksum."""


class CatalogueError(Exception):
    """The file cannot be used; why is for the log alone."""


def draft_of(path: Path) -> Path:
    """Where a file is while it is being written."""
    return path.with_name(path.name + "-new")


class SectionWriter:
    """A file that appears at ``path`` when all is well, and not at all otherwise.

    For its owner alone: it tells what the index tells.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = draft_of(path)
        self._draft.unlink(missing_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._file = os.fdopen(os.open(self._draft, flags, 0o600), "w+b")
        self._file.write(MAGIC)
        self._sections: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
                self._draft.replace(self._path)
        finally:
            # A full disk is to have its space back; what is left to be written fails again.
            with suppress(OSError):
                self._file.close()
            self._draft.unlink(missing_ok=True)

    def add(self, name: str, parts: Iterable[bytes]) -> None:
        start = self._file.tell()
        self._file.writelines(parts)
        length = self._file.tell() - start
        self._file.write(b"\0" * (-length % 8))
        self._sections[name] = start, length

    def _finish(self) -> None:
        table = json.dumps(self._sections).encode()
        at = self._file.tell()
        self._file.write(table)
        self._file.flush()
        sum_of_all = _checksum(self._file.fileno(), at + len(table))
        self._file.write(_END.pack(at, len(table), sum_of_all, MAGIC))
        self._file.flush()
        os.fsync(self._file.fileno())


class SectionFile:
    """The sections of a file. Raises CatalogueError, from any method, where it is not sound.

    May be used by several threads at once.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise CatalogueError(f"{path}: {error.strerror}") from error
        self._size = os.fstat(self._fd).st_size
        self._sections = self._table()

    def __del__(self) -> None:
        # Those who still ask an old file keep it open, and nobody else does.
        fd = getattr(self, "_fd", None)
        if fd is not None:
            os.close(fd)

    def __contains__(self, name: str) -> bool:
        return name in self._sections

    def is_whole(self) -> bool:
        """Whether all of it is as it was written; reads all of it."""
        try:
            *_, noted, _ = self._end()
            return _checksum(self._fd, self._size - _END.size) == noted
        except (CatalogueError, OSError):
            return False

    def length(self, name: str) -> int:
        """In bytes."""
        return self._place(name)[1]

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """A part of a section, or all of it."""
        start, whole = self._place(name)
        length = whole - offset if length is None else length
        if offset < 0 or length < 0 or offset + length > whole:
            raise CatalogueError(f"{name}: nothing at {offset}+{length} of {whole}")
        return self._read(start + offset, length)

    def _place(self, name: str) -> tuple[int, int]:
        place = self._sections.get(name)
        if place is None:
            raise CatalogueError(f"{name} is missing")
        return place

    def _read(self, at: int, length: int) -> bytes:
        try:
            data = os.pread(self._fd, length, at)
        except OSError as error:
            raise CatalogueError(f"cannot be read: {error.strerror}") from error
        if len(data) != length:
            raise CatalogueError("it is cut short")
        return data

    def _end(self) -> tuple[int, int, int, bytes]:
        """Where the table is, how long, the checksum, and MAGIC."""
        at, length, noted, magic = _END.unpack(self._read(self._size - _END.size, _END.size))
        return at, length, noted, magic

    def _table(self) -> dict[str, tuple[int, int]]:
        if self._size < len(MAGIC) + _END.size or self._read(0, len(MAGIC)) != MAGIC:
            raise CatalogueError("it is no catalogue")
        at, length, _, magic = self._end()
        if magic != MAGIC or at + length + _END.size != self._size:
            raise CatalogueError("it has no end")
        try:
            table = json.loads(self._read(at, length))
            places = {str(name): (int(start), int(size)) for name, (start, size) in table.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise CatalogueError("its table makes no sense") from error
        if any(start < 0 or size < 0 or start + size > at for start, size in places.values()):
            raise CatalogueError("its table makes no sense")
        return places


def _checksum(file: int, length: int) -> int:
    """Of so many bytes from the beginning. Raises OSError."""
    found = 0
    for at in range(0, length, _BLOCK):
        found = zlib.crc32(os.pread(file, min(_BLOCK, length - at), at), found)
    return found


class _Entries(Sequence[T]):
    """What is read from a section one by one, so that it can be searched without reading it."""

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> list[T]: ...
    def __getitem__(self, at: int | slice) -> T | list[T]:
        if isinstance(at, slice):
            return [self._entry(each) for each in range(*at.indices(len(self)))]
        if not 0 <= at < len(self):
            raise IndexError(at)
        return self._entry(at)

    def _entry(self, at: int) -> T:
        raise NotImplementedError


class Numbers(_Entries[int]):
    """A section that is an array of numbers; ``code`` as in :mod:`array`."""

    def __init__(self, file: SectionFile, name: str, code: str) -> None:
        self._file = file
        self._name = name
        self._code = code
        self._width = array(code).itemsize
        self._length = file.length(name) // self._width

    def __len__(self) -> int:
        return self._length

    def part(self, start: int, stop: int) -> "array[int]":
        """Some that follow one another, read at once."""
        data = self._file.read(self._name, start * self._width, (stop - start) * self._width)
        return array(self._code, data)

    def _entry(self, at: int) -> int:
        return self.part(at, at + 1)[0]


class Texts(_Entries[bytes]):
    """Sections that are texts, one after the other, and where they end."""

    def __init__(self, file: SectionFile, name: str) -> None:
        self._file = file
        self._name = name
        self._ends = Numbers(file, f"{name}/ends", "Q")

    def __len__(self) -> int:
        return len(self._ends) - 1

    def whole(self) -> "tuple[bytes, array[int]]":
        """All texts, and where they begin and end."""
        return self._file.read(f"{self._name}/texts"), self._ends.part(0, len(self._ends))

    def _entry(self, at: int) -> bytes:
        start, stop = self._ends.part(at, at + 2)
        return self._file.read(f"{self._name}/texts", start, stop - start)
