"""What delivery needs of the library: which file a number in a URL stands for, and pictures."""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

from mediaserver.library.artwork import Rendition
from mediaserver.library.lookup import ArtSource, MediaFile, SubtitleSource


class Artwork(Protocol):
    """Makes and keeps renditions: :class:`mediaserver.library.artwork.Artwork`."""

    async def picture(self, path: bytes, profile: str) -> Rendition | None: ...
    async def embedded(self, path: bytes, profile: str) -> Rendition | None: ...
    async def frame(self, path: bytes, profile: str) -> Rendition | None: ...


class Library(Protocol):
    """The library: :class:`mediaserver.library.library.Library`."""

    @property
    def artwork(self) -> Artwork: ...
    @property
    def system_update_id(self) -> int:
        """Another after every change of what can be seen."""

    async def media_file(self, key: int) -> MediaFile | None:
        """The file of an item; None if there is none, or its media root is not available."""

    async def art_source(self, art_id: int) -> ArtSource | None:
        """Where art comes from; None as above."""

    async def subtitles(self, key: int) -> Sequence[SubtitleSource]:
        """The subtitles of a video, best first; none as above."""


class MediaFiles:
    """Looks up media files, and remembers the last ones until something in the library changes.

    A player that seeks, or reads in pieces, asks for the same file many times.
    """

    LIMIT = 256

    def __init__(self, library: Library) -> None:
        self._library = library
        self._update_id = -1
        self._known: OrderedDict[int, MediaFile] = OrderedDict()

    async def find(self, key: int) -> MediaFile | None:
        update_id = self._library.system_update_id
        if update_id != self._update_id:
            self._update_id = update_id
            self._known.clear()
        known = self._known.get(key)
        if known is not None:
            return known
        found = await self._library.media_file(key)
        # Only what is still true: the library may have changed while we waited.
        if found is not None and self._update_id == update_id == self._library.system_update_id:
            self._known[key] = found
            if len(self._known) > self.LIMIT:
                self._known.popitem(last=False)
        return found
