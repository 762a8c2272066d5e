"""Where the catalogue is: opened when there is another one, and kept open."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from mediaserver.library.catalogue.reading import Catalogue
from mediaserver.library.catalogue.section_file import CatalogueError

logger = logging.getLogger(__name__)


class Shelf:
    """The catalogue at a path, which may come, be replaced and go. For any thread."""

    def __init__(self, path: Path, on_loss: Callable[[], None] = lambda: None) -> None:
        """``on_loss`` is called, in any thread, when a catalogue that was in use is no more."""
        self.path = path
        self._on_loss = on_loss
        self._lock = threading.Lock()
        self._open: Catalogue | None = None
        self._seen: tuple[int, int] | None = None
        """The file that was opened last, or could not be."""

    def newest(self) -> Catalogue | None:
        """The catalogue that was made last, of whatever state; None: there is none."""
        with self._lock:
            before = self._open
            self._look()
            found = self._open
        if before is not None and found is None:
            self._on_loss()
        return found

    def condemn(self, catalogue: Catalogue, error: Exception) -> None:
        """It is damaged: it is not asked again."""
        with self._lock:
            if self._open is not catalogue:
                return  # there is another one by now, or it is known
            self._open = None
        logger.warning("catalogue %s is damaged: %s", self.path, error)
        self._on_loss()

    def check(self) -> bool | None:
        """Read all of it: whether it is as it was written, or else it is removed; None: there is
        none. Raises OSError."""
        catalogue = self.newest()
        if catalogue is not None and catalogue.is_whole():
            return True
        if not self.path.exists():
            return None
        self.path.unlink()
        return False

    def _look(self) -> None:
        try:
            status = self.path.stat()
        except OSError:
            self._open = self._seen = None
            return
        file = status.st_ino, status.st_mtime_ns
        if file == self._seen:
            return
        self._seen = file
        try:
            self._open = Catalogue(self.path)
        except CatalogueError as error:
            logger.debug("catalogue %s: %s", self.path, error)
            self._open = None
