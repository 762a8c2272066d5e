"""Subtitles of a video, in every form that devices look for (didl-lite 7).

Further ``res`` elements for programs and most televisions; ``sec:CaptionInfoEx`` and
``sec:CaptionInfo`` for Samsung's, attributes of the video's own ``res`` for Panasonic's. What is
a vendor's comes where it is named, with ``*``, or where the client profile adds it.
"""

from mediaserver import dlna, urls
from mediaserver.av.filter import Filter
from mediaserver.clients import ClientProfile
from mediaserver.library.objects import Item, Subtitle
from mediaserver.media_types import CAPTIONS, SUBTITLE_TYPES

_SAMSUNG = ("sec:CaptionInfoEx", "sec:CaptionInfo")
_PANASONIC = ("pv:subtitleFileType", "pv:subtitleFileUri")


def namespaces(wanted: Filter) -> str:
    """Declarations of the prefixes that answers to a filter may hold, escaped once."""
    declared = ""
    if any(wanted.element(name) for name in _SAMSUNG):
        declared += ' xmlns:sec="http://www.sec.co.kr/"'
    if any(wanted.attribute("res", name) for name in _PANASONIC):
        declared += ' xmlns:pv="http://www.pv.com/pvns/"'
    return declared


class SubtitleWriter:
    """Writes what is told of subtitles, escaped once, for one filter, device and address."""

    def __init__(self, wanted: Filter, profile: ClientProfile, base_url: str) -> None:
        self._base_url = base_url
        self._begin = {
            written: f'&lt;res protocolInfo="{dlna.protocol_info(profile.mime_type(mime_type))}"'
            "&gt;"
            for written, mime_type in SUBTITLE_TYPES.items()
        }
        self._captions = [name for name in _SAMSUNG if wanted.element(name)]
        self._attributes = [name for name in _PANASONIC if wanted.attribute("res", name)]

    def resources(self, item: Item) -> str:
        """``res`` elements, the best subtitle first."""
        return "".join(
            [
                f"{self._begin[one.format]}{self._url(item, one)}&lt;/res&gt;"
                for one in item.subtitles
            ]
        )

    def attributes(self, item: Item) -> str:
        """Panasonic's, of the video's own ``res``: they name one subtitle."""
        one = _caption(item)
        if one is None or not self._attributes:
            return ""
        values = dict(zip(_PANASONIC, (one.format.upper(), self._url(item, one)), strict=True))
        return "".join(f' {name}="{values[name]}"' for name in self._attributes)

    def captions(self, item: Item) -> str:
        """Samsung's elements: all captions, and the best of them for those that know one only."""
        one = _caption(item)
        if one is None:
            return ""
        written = []
        for name in self._captions:
            every = name.endswith("Ex")
            for each in item.subtitles if every else (one,):
                if each.format in CAPTIONS:
                    written.append(
                        f'&lt;{name} sec:type="{each.format}"&gt;{self._url(item, each)}'
                        f"&lt;/{name}&gt;"
                    )
        return "".join(written)

    def _url(self, item: Item, one: Subtitle) -> str:
        path = urls.subtitle(item.key, one.number, one.language, one.note, one.format)
        return self._base_url + path


def _caption(item: Item) -> Subtitle | None:
    """The one for devices that take one."""
    return next((one for one in item.subtitles if one.format in CAPTIONS), None)
