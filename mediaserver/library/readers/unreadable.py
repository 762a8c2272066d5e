"""Facts of files that could not be read: what their names tell, and why."""

from mediaserver.library.names import by_name
from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers.naming import clean
from mediaserver.media_types import MediaType, by_suffix

UNKNOWN = MediaType("", "application/octet-stream", "audio")
"""For a file whose name claims nothing; nobody asks for one's facts but by mistake."""


def facts_by_name(path: bytes, reason: str, *, fingerprint: bytes = b"") -> MediaFacts:
    """Facts of a file that could not be read, as good as its name tells."""
    media_type = by_suffix(path) or UNKNOWN
    kind = Kind(media_type.kind)
    own = by_name.told(kind, path)
    return MediaFacts(
        kind=kind,
        mime_type=media_type.mime_type,
        fingerprint=fingerprint,
        reason=clean(reason),
        title=own.title,
        named=True,
        artists=own.artists,
        album=own.album,
        track=own.track,
        disc=own.disc,
        date=own.date,
        film=own.film,
        series=own.series,
        season=own.season,
        episode=own.episode,
        program=own.program,
    )
