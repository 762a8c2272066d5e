# ruff: noqa: N818 - the names say what is wrong, as the errors of ContentDirectory do
"""What can go wrong in the library.

::

    LibraryError
    ├── NoSuchObject           an id that names nothing (any more)
    ├── NotAContainer          children asked of an item
    ├── UnsupportedCriteria    a property or operator that Search cannot answer
    ├── UnsupportedSort        a property that lists cannot be ordered by
    ├── UnreadableMedia        a file whose contents could not be understood
    ├── TooExpensive           a question that would take too long to answer
    ├── FileGone               nothing that may be served is at a path (opening)
    ├── FileUnavailable        it cannot be told: the root is missing, the disk fails (opening)
    ├── NotInLibrary           a path that is to be scanned, and belongs to no media root
    └── IndexUnusable          the index cannot be read or written: disk full, locked, damaged
"""


class LibraryError(Exception):
    """Something the caller asked of the library cannot be had."""


class NoSuchObject(LibraryError):
    def __init__(self, object_id: str) -> None:
        super().__init__(object_id)
        self.object_id = object_id


class NotAContainer(LibraryError):
    def __init__(self, object_id: str) -> None:
        super().__init__(object_id)
        self.object_id = object_id


class UnsupportedCriteria(LibraryError):
    """Search was asked for a property or operator outside SearchCapabilities."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class UnsupportedSort(LibraryError):
    """An order was asked by a property outside SortCapabilities."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.what = what


class UnreadableMedia(LibraryError):
    """A reader could not make sense of a file; the file is still served under its name."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooExpensive(LibraryError):
    """Answering was given up, so that one question does not keep all others waiting."""


class NotInLibrary(LibraryError):
    """A path that somebody has named; ``reason`` is a sentence's end, for people."""

    def __init__(self, path: bytes, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


class IndexUnusable(LibraryError):
    """The index cannot be used at the moment; ``reason`` is one line for its owner."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
