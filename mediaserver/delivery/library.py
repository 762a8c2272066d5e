"""What delivery needs of the library: which file a number in a URL stands for, and pictures."""

from typing import Protocol

from mediaserver.library.artwork import Rendition
from mediaserver.library.lookup import ArtSource, MediaFile


class Artwork(Protocol):
    """Makes and keeps renditions: :class:`mediaserver.library.artwork.Artwork`."""

    async def picture(self, path: bytes, profile: str) -> Rendition | None: ...
    async def embedded(self, path: bytes, profile: str) -> Rendition | None: ...
    async def frame(self, path: bytes, profile: str) -> Rendition | None: ...


class Library(Protocol):
    """The library: :class:`mediaserver.library.library.Library`."""

    @property
    def artwork(self) -> Artwork: ...

    async def media_file(self, key: int) -> MediaFile | None:
        """The file of an item; None if there is none, or its media root is not available."""

    async def art_source(self, art_id: int) -> ArtSource | None:
        """Where art comes from; None as above."""
