"""What delivery needs of the library: which file a number in a URL stands for."""

from typing import Protocol

from mediaserver.library.artwork import Rendition


class MediaFile(Protocol):
    """A file of the library as the index knows it."""

    @property
    def key(self) -> int: ...
    @property
    def root(self) -> bytes:
        """Absolute path of its media root."""

    @property
    def path(self) -> bytes:
        """Absolute."""

    @property
    def kind(self) -> str: ...
    @property
    def mime_type(self) -> str: ...
    @property
    def dlna_profile(self) -> str | None: ...
    @property
    def title(self) -> str: ...
    @property
    def duration_ms(self) -> int | None: ...
    @property
    def art_id(self) -> int | None: ...


class ArtSource(Protocol):
    """Where a piece of art is: a picture file, or inside a media file."""

    @property
    def root(self) -> bytes: ...
    @property
    def path(self) -> bytes: ...
    @property
    def embedded(self) -> bool: ...
    @property
    def mime_type(self) -> str: ...


class Artwork(Protocol):
    """Makes and keeps renditions: :class:`mediaserver.library.artwork.Artwork`."""

    async def picture(self, path: bytes, profile: str) -> Rendition | None: ...
    async def embedded(self, path: bytes, profile: str) -> Rendition | None: ...
    async def frame(self, path: bytes, profile: str) -> Rendition | None: ...


class Library(Protocol):
    """The library."""

    @property
    def artwork(self) -> Artwork: ...
    async def media_file(self, key: int) -> MediaFile | None: ...
    async def art_source(self, art_id: int) -> ArtSource | None: ...
