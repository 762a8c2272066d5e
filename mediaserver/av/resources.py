"""The ``res`` elements of an item: the file itself, then pictures made of it, or subtitles; or a
part of a file, decoded (CDS:1 Appendix B).

Written as they stand in a Result, escaped once: ``&lt;res ...``. The file comes first, as many
devices take the first resource; smaller JPEGs of a photo follow (DLNA wants JPEG_TN and JPEG_SM of
every picture). Values of attributes are made here of numbers and names of ours: none needs
escaping of its own.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from mediaserver import dlna, urls
from mediaserver.av import renditions
from mediaserver.av.durations import duration
from mediaserver.av.filter import Filter
from mediaserver.av.parts import PartWriter
from mediaserver.av.subtitles import SubtitleWriter
from mediaserver.clients import ClientProfile
from mediaserver.library.objects import Item, Kind
from mediaserver.media_types import RAW_TYPES

JPEG = "image/jpeg"

ItemText = Callable[[Item], str]
"""One part of an item; empty where there is nothing to say."""


def writer(kind: Kind, wanted: Filter, profile: ClientProfile, base_url: str) -> ItemText | None:
    """The function that writes all resources of an item of a kind; None where the filter leaves
    out ``res``."""
    every = wanted.element("res")
    bare = wanted.bare_res_attributes
    if not every and not bare:
        return None
    # protocolInfo is always there, so naming it asks for every resource.
    every = every or "protocolInfo" in bare
    if kind is Kind.AUDIO:
        return _sound_writer(wanted, profile, base_url, every=every)
    subtitles = SubtitleWriter(wanted, profile, base_url) if kind is Kind.VIDEO else None
    itself = _file_writer(kind, wanted, profile, base_url, subtitles, every=every)
    if subtitles is not None and every:
        more = subtitles.resources
        return lambda item: itself(item) + more(item) if item.subtitles else itself(item)
    if kind is not Kind.IMAGE or not (every or "resolution" in bare):
        return itself
    smaller = _rendition_writer(wanted, profile, base_url)
    jpeg_first = profile.jpeg_first

    def write(item: Item) -> str:
        others = smaller(item)
        if not others:
            return itself(item)
        if item.mime_type in RAW_TYPES:
            # Hardly any device shows one; programs that do choose by the type.
            return "".join(others) + itself(item)
        if jpeg_first and item.mime_type != JPEG:
            return others[0] + itself(item) + "".join(others[1:])
        return itself(item) + "".join(others)

    return write


def _sound_writer(
    wanted: Filter, profile: ClientProfile, base_url: str, *, every: bool
) -> ItemText:
    itself = _file_writer(Kind.AUDIO, wanted, profile, base_url, None, every=every)
    decoded = PartWriter(wanted, profile, base_url, every=every)
    return lambda item: itself(item) if item.span is None else decoded.resources(item)


def _file_writer(
    kind: Kind,
    wanted: Filter,
    profile: ClientProfile,
    base_url: str,
    subtitles: SubtitleWriter | None,
    *,
    every: bool,
) -> ItemText:
    """``every``: also where the item has none of the attributes asked for."""
    attributes = [
        write for name, write in _ATTRIBUTES[kind].items() if wanted.attribute("res", name)
    ]
    if subtitles is not None:
        attributes.append(subtitles.attributes)
    begin = _beginner(kind, profile)
    media = f"&gt;{base_url}{urls.MEDIA}"
    end = "&lt;/res&gt;"

    def write(item: Item) -> str:
        described = "".join([attribute(item) for attribute in attributes])
        if not described and not every:
            return ""
        name = item.file_name
        dot = name.rfind(".")
        suffix = _suffix(name[dot + 1 :]) if dot > 0 else ""
        return (
            f"{begin(item.mime_type, item.dlna_profile)}{described}{media}{item.key:x}{suffix}{end}"
        )

    return write


def _rendition_writer(
    wanted: Filter, profile: ClientProfile, base_url: str
) -> Callable[[Item], Sequence[str]]:
    begin = _beginner(Kind.IMAGE, profile, converted=True)
    with_resolution = wanted.attribute("res", "resolution")

    def write(item: Item) -> list[str]:
        written = []
        for each in renditions.of_image(item):
            size = f' resolution="{each.width}x{each.height}"' if with_resolution else ""
            url = f"{base_url}{urls.image(item.key, each.profile)}"
            written.append(f"{begin(JPEG, each.profile)}{size}&gt;{url}&lt;/res&gt;")
        return written

    return write


def _beginner(
    kind: Kind, profile: ClientProfile, *, converted: bool = False
) -> Callable[[str, str | None], str]:
    """The function from MIME type and DLNA profile to ``<res protocolInfo="..."``."""

    @lru_cache(maxsize=256)
    def begin(mime_type: str, dlna_profile: str | None) -> str:
        if mime_type in profile.without_dlna_profile:
            dlna_profile = None
        features = dlna.content_features(kind=kind.value, profile=dlna_profile, converted=converted)
        info = dlna.protocol_info(profile.mime_type(mime_type), features)
        return f'&lt;res protocolInfo="{info}"'

    return begin


@lru_cache(maxsize=256)
def _suffix(suffix: str) -> str:
    """The suffix of a file's name for its URL: players look at it. Empty for an odd one."""
    return f".{suffix.lower()}" if suffix.isascii() and suffix.isalnum() and len(suffix) < 9 else ""


# ---- attributes of the file itself


def _size(item: Item) -> str:
    return f' size="{item.size}"'


def _duration(item: Item) -> str:
    return f' duration="{duration(item.duration_ms)}"' if item.duration_ms else ""


def _bitrate(item: Item) -> str:
    """Bytes a second, in spite of its name (CDS:1 Appendix B)."""
    return f' bitrate="{item.bitrate // 8}"' if item.bitrate else ""


def _sample_frequency(item: Item) -> str:
    return f' sampleFrequency="{item.sample_rate}"' if item.sample_rate else ""


def _bits_per_sample(item: Item) -> str:
    return f' bitsPerSample="{item.bits_per_sample}"' if item.bits_per_sample else ""


def _channels(item: Item) -> str:
    return f' nrAudioChannels="{item.channels}"' if item.channels else ""


def _resolution(item: Item) -> str:
    """As stored: renderers mostly ignore the orientation that EXIF notes (dlna-http 8).

    Of a RAW photo only the size of the preview in it is known.
    """
    known = item.width and item.height and item.mime_type not in RAW_TYPES
    return f' resolution="{item.width}x{item.height}"' if known else ""


def _color_depth(item: Item) -> str:
    return f' colorDepth="{item.color_depth}"' if item.color_depth else ""


_SOUND: dict[str, ItemText] = {
    "size": _size,
    "duration": _duration,
    "bitrate": _bitrate,
    "sampleFrequency": _sample_frequency,
    "bitsPerSample": _bits_per_sample,
    "nrAudioChannels": _channels,
}
_PICTURE: dict[str, ItemText] = {"resolution": _resolution, "colorDepth": _color_depth}
_ATTRIBUTES: dict[Kind, dict[str, ItemText]] = {
    Kind.AUDIO: _SOUND,
    Kind.VIDEO: _SOUND | _PICTURE,
    Kind.IMAGE: {"size": _size} | _PICTURE,
}
