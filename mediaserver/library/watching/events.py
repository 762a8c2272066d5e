"""What watchdog tells, to the folders of roots that are to be scanned."""

import logging
import os
from collections.abc import Callable

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)

from mediaserver.library.names.pictures import is_art_only
from mediaserver.library.names.subtitles import is_subtitle
from mediaserver.library.roots import Rules, relative
from mediaserver.media_types import by_suffix, is_playlist

EVENTS: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileClosedEvent,
    FileDeletedEvent,
    FileMovedEvent,
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
]
"""Not FileModifiedEvent: one a write while a file is copied, and its closing tells the same."""

LOSSES = "watchdog.observers"
"""The logger in which watchdog, and nowhere else, tells that the kernel's queue ran over."""


class Handler(FileSystemEventHandler):
    """In watchdog's thread: an event to the folders that it changes.

    ``changed`` is given these, ``grown`` the root when folders have been made in it.
    """

    def __init__(
        self,
        root: bytes,
        rules: Rules,
        changed: Callable[[bytes], None],
        grown: Callable[[bytes], None],
    ) -> None:
        self._root = root
        self._rules = rules
        self._changed = changed
        self._grown = grown

    def dispatch(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if path:
                folder = self.folder_of(os.fsencode(path), is_directory=event.is_directory)
                if folder is not None:
                    self._changed(folder)
                    if isinstance(event, DirCreatedEvent | DirMovedEvent):
                        self._grown(self._root)

    def folder_of(self, path: bytes, *, is_directory: bool) -> bytes | None:
        """The folder whose listing an event changes; None: nothing in the library changes."""
        inside = relative(self._root, path)
        if inside is None:
            return None
        if not inside:
            return self._root
        if not is_directory and not _concerns(path):
            return None
        if self._rules.by_path(inside) is not None:
            return None
        return path.rpartition(b"/")[0]


def _concerns(path: bytes) -> bool:
    """Whether the name of a file is of media, or of what belongs to media."""
    known = by_suffix(path) is not None
    return known or is_playlist(path) or is_subtitle(path) or is_art_only(path)


class Losses(logging.Handler):
    """Hears watchdog say that events were lost; it tells nobody else (watchdog 7)."""

    def __init__(self, lost: Callable[[], None]) -> None:
        super().__init__(logging.WARNING)
        self._told = lost

    def emit(self, record: logging.LogRecord) -> None:
        if "overflow" in record.getMessage():
            self._told()
