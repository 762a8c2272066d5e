"""One file to facts: which reader looks at it, and what happens when it cannot.

The contents decide; where their first bytes prove nothing, the suffix does. A file that mutagen
does not understand is shown to FFmpeg before it counts as unreadable.
"""

import contextlib
import logging

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers.contents import RAW, Contents, format_of, id3_size, open_contents
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.unreadable import UNKNOWN, facts_by_name
from mediaserver.media_types import RAW_TYPES, MediaType, by_suffix

logger = logging.getLogger(__name__)

_BY_SUFFIX = {
    "mp3": "mp3",
    "mp2": "mp3",
    "mpa": "mp3",
    "aac": "adts",
    "mpc": "mpc",
    "ape": "ape",
    "wv": "wv",
    "tta": "tta",
}
"""Formats that may begin with something else (a tag, silence) or have several beginnings."""

_AUDIO_TYPES = {
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp4": "audio/mp4",
    "asf": "audio/x-ms-wma",
    "wav": "audio/x-wav",
    "aiff": "audio/x-aiff",
    "dsf": "audio/x-dsf",
    "dff": "audio/x-dff",
    "tta": "audio/x-tta",
    "ape": "audio/x-ape",
    "wv": "audio/x-wavpack",
    "mpc": "audio/x-musepack",
    "adts": "audio/aac",
    "amr": "audio/amr",
}
_SAME = {"audio/3gpp": "audio/mp4"}
"""Types that a suffix may claim for a format that we would name otherwise."""

_AUDIO_ONLY = frozenset(_AUDIO_TYPES) - {"ogg", "mp4", "asf"}
_IMAGES = frozenset({"jpeg", "png", "gif", "bmp", "tiff", "webp", "avif", "heif"})


def read(path: bytes) -> MediaFacts:
    """See :func:`mediaserver.library.readers.read`."""
    fingerprint = b""
    try:
        contents = open_contents(path)
        with contents.file:
            fingerprint = contents.fingerprint()
            return understand(contents).facts(path, fingerprint)
    except OSError as error:
        reason = error.strerror or str(error)
    except UnreadableMedia as error:
        reason = error.reason
    return facts_by_name(path, reason, fingerprint=fingerprint)


def understand(contents: Contents) -> Found:
    """What one open file is. Raises UnreadableMedia; nothing else but for lack of memory."""
    media_type = by_suffix(contents.path) or UNKNOWN
    if not contents.size:
        raise UnreadableMedia("the file is empty")
    proven = _proven(contents)
    try:
        return _read(contents, media_type, proven)
    except (UnreadableMedia, OSError):
        raise
    except MemoryError:
        raise UnreadableMedia("it needs too much memory") from None
    except Exception as error:  # readers of others raise anything at broken files
        logger.debug("%r", contents.path, exc_info=True)
        raise UnreadableMedia(f"{type(error).__name__}: {error}") from error


def _proven(contents: Contents) -> str | None:
    """The format by the contents alone; behind an ID3 tag counts what stands there."""
    head = contents.head
    size = id3_size(head)
    return format_of(head[size : size + 1024] or contents.at(size, 1024) if size else head)


def _read(contents: Contents, media_type: MediaType, proven: str | None) -> Found:
    name = proven or _BY_SUFFIX.get(media_type.suffix)
    if name is None and id3_size(contents.head):
        name = "mp3"
    if is_raw(contents.path, name):
        return _raw(contents, media_type)
    if name in _IMAGES:
        # Deferred here and below: each worker loads what its files need.
        from mediaserver.library.readers import image

        found = Found(Kind.IMAGE, media_type.mime_type)
        image.read(contents, found, name)
        return found
    if media_type.kind == "image":
        raise UnreadableMedia("not a picture")
    if name in _AUDIO_ONLY or (name in _AUDIO_TYPES and _claims(media_type, name)):
        try:
            return _audio(contents, media_type, name)
        except MemoryError:
            raise
        except Exception as error:  # mutagen raises anything at broken files; FFmpeg may know
            logger.debug("%r: %s", contents.path, error)
            return _streams(contents, media_type, proven, error)
    return _streams(contents, media_type, proven, None)


def is_raw(path: bytes, proven: str | None) -> bool:
    """Whether a file is a RAW photo. Many formats are TIFF and have nothing but their name."""
    media_type = by_suffix(path) or UNKNOWN
    return proven == RAW or (proven == "tiff" and media_type.mime_type in RAW_TYPES)


def _raw(contents: Contents, media_type: MediaType) -> Found:
    from mediaserver.library.readers import raw

    found = Found(Kind.IMAGE, raw.mime_type(contents, media_type.mime_type))
    raw.read(contents, found)
    return found


def _claims(media_type: MediaType, name: str) -> bool:
    """Whether the suffix stands for sound in this very format (``.m4a``), which may hold films."""
    return _AUDIO_TYPES[name] in (media_type.mime_type, _SAME.get(media_type.mime_type))


def _audio(contents: Contents, media_type: MediaType, name: str) -> Found:
    from mediaserver.library.readers import audio

    own = _claims(media_type, name)
    found = Found(Kind.AUDIO, media_type.mime_type if own else _AUDIO_TYPES[name])
    audio.READERS[name](contents, found)
    if not found.duration:
        raise UnreadableMedia("a length that is nowhere written")
    return found


def _streams(
    contents: Contents, media_type: MediaType, name: str | None, earlier: Exception | None
) -> Found:
    from mediaserver.library.readers import streams

    found = Found(Kind(media_type.kind), media_type.mime_type)
    try:
        name = streams.read(contents, found, name)
    except UnreadableMedia:
        if isinstance(earlier, UnreadableMedia):
            raise earlier from None
        raise
    if found.kind is Kind.AUDIO:
        if (
            name in _AUDIO_TYPES
            and found.mime_type == media_type.mime_type
            and not _claims(media_type, name)
        ):
            found.mime_type = _AUDIO_TYPES[name]
        _better_tags(contents, found, name)
    return found


def _better_tags(contents: Contents, found: Found, name: str | None) -> None:
    """Tags through mutagen, which keeps several values apart, for sound FFmpeg measured."""
    if name not in ("mp4", "asf", "ogg", "mp3", "wav", "flac", "adts"):
        return
    from mediaserver.library.readers import audio

    tagged = Found(found.kind, found.mime_type)
    contents.file.seek(0)
    with contextlib.suppress(Exception):  # it failed before, but tags may have been read
        audio.READERS[name](contents, tagged)
    for field in _TAG_FIELDS:
        value = getattr(tagged, field)
        if value:
            setattr(found, field, value)
    found.dlna_profile = found.dlna_profile or tagged.dlna_profile


_TAG_FIELDS = (
    "title",
    "sort_title",
    "artists",
    "artist_sorts",
    "album_artists",
    "album_artist_sorts",
    "composers",
    "composer_sorts",
    "conductors",
    "genres",
    "album",
    "album_sort",
    "release_id",
    "compilation",
    "track",
    "disc",
    "date",
    "original_date",
    "description",
    "rating",
    "details",
    "chapters",
    "cue_sheet",
    "sheet",
    "picture",
)


def embedded_art(path: bytes) -> bytes:
    """The picture that :func:`read` tells of, itself. Raises OSError, UnreadableMedia.

    ``path`` leads through no link.
    """
    contents = open_contents(path, exact=True)
    with contents.file:
        picture = understand(contents).picture
    if picture is None:
        raise UnreadableMedia("no picture in it")
    return picture
