"""Which smaller JPEGs of a picture are offered, and how large they are (DLNA image profiles).

A rendition is never larger than the picture, and none is offered that the next smaller profile
holds as well. Their sizes are those that ``library.pictures`` makes of it, to the pixel.
"""

from dataclasses import dataclass
from functools import lru_cache

from mediaserver.library.objects import Item
from mediaserver.library.readers.jobs import PROFILES
from mediaserver.media_types import RAW_TYPES

MAX_PIXELS = 64_000_000
MAX_FILE_BYTES = 64 << 20
"""Larger pictures are not unpacked (``library.pictures``, security.md M4): no renditions."""

_JPEGS = ("JPEG_LRG", "JPEG_MED", "JPEG_SM", "JPEG_TN")
"""Largest first."""
_TURNED = (5, 6, 7, 8)
"""EXIF orientations in which width and height change places."""


@dataclass(frozen=True, slots=True)
class Rendition:
    """A DLNA image profile and the size in pixels at that profile."""

    profile: str
    width: int
    height: int


def possible(item: Item) -> bool:
    """Whether smaller pictures can be made of a photo."""
    return (
        bool(item.width and item.height and item.width * item.height <= MAX_PIXELS)
        # Of a RAW photo only the preview is unpacked, and no larger one was looked at.
        and (item.size <= MAX_FILE_BYTES or item.mime_type in RAW_TYPES)
    )


def of_image(item: Item) -> tuple[Rendition, ...]:
    """The JPEGs that can be had of a photo beside the file itself, largest first."""
    if not item.width or not item.height or not possible(item):
        return ()
    width, height = item.width, item.height
    if item.orientation in _TURNED:
        width, height = height, width
    return _renditions(width, height, item.dlna_profile)


@lru_cache(maxsize=1024)
def _renditions(width: int, height: int, own_profile: str | None) -> tuple[Rendition, ...]:
    offered = []
    for profile, smaller in zip(_JPEGS, (*_JPEGS[1:], None), strict=True):
        needed = smaller is None or not PROFILES[smaller].holds(width, height)
        # A JPEG that conforms to JPEG_LRG is that rendition itself; so with the others.
        if needed and profile != own_profile:
            offered.append(Rendition(profile, *PROFILES[profile].fit(width, height)))
    return tuple(offered)
