"""Delivery as a whole: its routes, and what of it can be watched."""

from collections.abc import Sequence

from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp

from mediaserver import urls
from mediaserver.clients import ClientRegistry
from mediaserver.delivery.answers import METHODS
from mediaserver.delivery.converted import Converted
from mediaserver.delivery.files import Files
from mediaserver.delivery.images import Art, Images
from mediaserver.delivery.library import Library, MediaFiles
from mediaserver.delivery.media import Media
from mediaserver.delivery.subtitles import Subtitles
from mediaserver.delivery.transfers import STREAMS_PER_HOST, Transfers
from mediaserver.library.decoding.decoders import Decoders


class Delivery:
    """The resources of a library over HTTP.

    ``roots``: media roots that links in another root may lead to; none unless links are followed.
    ``dscp``: mark packets with the priority of their transfer mode. ``decoders`` is for tests.
    """

    def __init__(
        self,
        library: Library,
        clients: ClientRegistry,
        *,
        streams_per_host: int = STREAMS_PER_HOST,
        dscp: bool = True,
        roots: Sequence[bytes] = (),
        decoders: Decoders | None = None,
    ) -> None:
        self.transfers = Transfers(streams_per_host)
        self._files = Files(roots)
        self._decoders = Decoders() if decoders is None else decoders
        media_files = MediaFiles(library)
        self._endpoints: dict[str, ASGIApp] = {
            urls.MEDIA: Media(
                library, media_files, clients, self.transfers, self._files, dscp=dscp
            ),
            urls.CONVERTED: Converted(
                media_files, clients, self.transfers, self._files, self._decoders, dscp=dscp
            ),
            urls.ART: Art(library, clients, self._files),
            urls.IMAGE: Images(library, clients, self._files),
            urls.SUBTITLE: Subtitles(library, clients, self._files),
        }

    def routes(self) -> list[BaseRoute]:
        """Everything below ``urls.MEDIA``, ``CONVERTED``, ``ART``, ``IMAGE`` and ``SUBTITLE``."""
        return [
            Route(prefix + "{name}", endpoint, methods=METHODS)
            for prefix, endpoint in self._endpoints.items()
        ]

    def close(self) -> None:
        """Let go of threads and processes; after the last request."""
        self._files.close()
        self._decoders.close()
