"""``upnp:albumArtURI``: the picture that stands for an item or a container (didl-lite 5).

Which renditions, and in which order, the client profile says: many devices take the first.
"""

from collections.abc import Callable
from functools import lru_cache, partial

from mediaserver import urls
from mediaserver.av import renditions
from mediaserver.av.filter import Filter
from mediaserver.clients import ClientProfile
from mediaserver.library.objects import Art, Item, Kind

ORIGINAL = "original"
"""The picture as it was found, of no DLNA profile that we know of."""
_SMALLEST = "JPEG_TN"


class ArtWriter:
    """Writes albumArtURI elements, escaped once, for one filter, device and address."""

    def __init__(self, wanted: Filter, profile: ClientProfile, base_url: str) -> None:
        named = wanted.attribute("upnp:albumArtURI", "dlna:profileID")
        self._begin = {
            rendition: "&lt;upnp:albumArtURI"
            + (f' dlna:profileID="{rendition}"' if named and rendition != ORIGINAL else "")
            + f"&gt;{base_url}"
            for rendition in (*profile.album_art, _SMALLEST)
        }
        # Of a photo or film there is no art as found, only what we make of it.
        self._of_file = tuple(each for each in profile.album_art if each != ORIGINAL) or (
            _SMALLEST,
        )

        # The tracks of an album come one after the other and share their art.
        self._shared = lru_cache(maxsize=64)(partial(self._write, urls.art, profile.album_art))

    def of_art(self, art: Art | None) -> str:
        return "" if art is None else self._shared(art.art_id)

    def of_item(self, item: Item) -> str:
        """The art of its own; a photo stands for itself, a film shows one of its pictures."""
        if item.kind is not Kind.IMAGE and item.art is not None:
            return self.of_art(item.art)
        if item.kind is Kind.IMAGE:
            shown = renditions.possible(item)
        else:
            # A film without a size could not be read.
            shown = item.kind is Kind.VIDEO and bool(item.width)
        return "" if not shown else self._write(urls.image, self._of_file, item.key)

    def _write(self, url: Callable[[int, str], str], names: tuple[str, ...], number: int) -> str:
        return "".join(
            [f"{self._begin[name]}{url(number, name)}&lt;/upnp:albumArtURI&gt;" for name in names]
        )
