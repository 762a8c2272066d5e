"""Where the catalogue is: opened when there is another one, and kept open."""

import logging
import threading
from pathlib import Path

from mediaserver.library.catalogue.reading import Catalogue
from mediaserver.library.catalogue.section_file import CatalogueError

logger = logging.getLogger(__name__)


class Shelf:
    """The catalogue at a path, which may come, be replaced and go. For any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._open: Catalogue | None = None
        self._seen: tuple[int, int] | None = None
        """The file that was opened last, or could not be."""

    def newest(self) -> Catalogue | None:
        """The catalogue that was made last, of whatever state; None: there is none."""
        with self._lock:
            self._look()
            return self._open

    def condemn(self, error: CatalogueError) -> None:
        """The catalogue is damaged: it is not asked again."""
        logger.warning("catalogue %s: %s", self.path, error)
        with self._lock:
            self._open = None

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
