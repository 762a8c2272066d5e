"""A file of named sections, written once and then only read.

::

    MAGIC, sections each at a multiple of eight bytes, the table of sections (JSON), its place

It is written under another name and renamed, so that a reader sees a whole file or none. Read with
``pread``, not mapped: a disk that fails is then an error, and not the end of the program.
"""

import json
import os
import struct
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, overload

T = TypeVar("T")

MAGIC = b"catalog1"
_END = struct.Struct("<QQ8s")


class CatalogueError(Exception):
    """The file cannot be used; why is for the log alone."""


class SectionWriter:
    """A file that appears at ``path`` when all is well, and not at all otherwise."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._draft = path.with_name(path.name + "-new")
        self._file = self._draft.open("wb")
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
        if kind is not None:
            self._file.close()
            self._draft.unlink(missing_ok=True)
            return
        table = json.dumps(self._sections).encode()
        at = self._file.tell()
        self._file.write(table + _END.pack(at, len(table), MAGIC))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._draft.replace(self._path)

    def add(self, name: str, parts: Iterable[bytes]) -> None:
        start = self._file.tell()
        self._file.writelines(parts)
        length = self._file.tell() - start
        self._file.write(b"\0" * (-length % 8))
        self._sections[name] = start, length


class SectionFile:
    """The sections of a file. Raises CatalogueError, from any method, where it is not sound.

    May be used by several threads at once.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise CatalogueError(f"{path}: {error.strerror}") from error
        self._sections = self._table()

    def __del__(self) -> None:
        # Those who still ask an old file keep it open, and nobody else does.
        fd = getattr(self, "_fd", None)
        if fd is not None:
            os.close(fd)

    def __contains__(self, name: str) -> bool:
        return name in self._sections

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

    def _table(self) -> dict[str, tuple[int, int]]:
        size = os.fstat(self._fd).st_size
        if size < len(MAGIC) + _END.size or self._read(0, len(MAGIC)) != MAGIC:
            raise CatalogueError("it is no catalogue")
        at, length, magic = _END.unpack(self._read(size - _END.size, _END.size))
        if magic != MAGIC or at + length + _END.size != size:
            raise CatalogueError("it has no end")
        try:
            table = json.loads(self._read(at, length))
            return {str(name): (int(start), int(size)) for name, (start, size) in table.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise CatalogueError("its table makes no sense") from error


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
