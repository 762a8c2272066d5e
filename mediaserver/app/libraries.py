"""The library as the settings want it, opened."""

import logging

from mediaserver.app.failures import StartFailed
from mediaserver.config import Settings
from mediaserver.data_directory import DataDirectory
from mediaserver.library.errors import IndexUnusable
from mediaserver.library.library import Library, Root
from mediaserver.supervision import Supervisor

logger = logging.getLogger(__name__)


async def open_library(
    settings: Settings, directory: DataDirectory, supervisor: Supervisor | None = None
) -> Library:
    """Open the library; what its owner should know is logged. Raises StartFailed."""
    library = Library(
        directory.path,
        [
            Root(root.path, title)
            for root, title in zip(settings.library.roots, settings.library.titles, strict=True)
        ],
        ignore=settings.library.ignore,
        follow_links=settings.library.follow_links,
        internet_radio=settings.library.internet_radio,
        poll_seconds=settings.library.poll_seconds,
        quiet_seconds=settings.library.quiet_seconds,
        workers=settings.library.workers,
        art_cache_bytes=settings.delivery.art_cache_mb << 20,
        supervisor=supervisor,
    )
    try:
        notes = await library.open()
    except IndexUnusable as error:
        await library.close()
        raise StartFailed(f"the index {directory.index}: {error.reason}") from error
    for note in notes:
        logger.warning("%s", note)
    return library
