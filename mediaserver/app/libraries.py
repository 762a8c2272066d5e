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
        [Root(root.path, root.title) for root in settings.library.roots],
        ignore=settings.library.ignore,
        follow_links=settings.library.follow_links,
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
    if not settings.library.roots:
        logger.warning("no media root: name one on the command line or in library.roots")
    return library
