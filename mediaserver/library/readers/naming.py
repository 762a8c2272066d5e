"""What a file's name alone tells, and text as it may be shown (security.md M1, M2)."""

import re

from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.media_types import MediaType, by_suffix

MAX_TEXT_BYTES = 1024
"""Of one value, in UTF-8."""

UNKNOWN = MediaType("", "application/octet-stream", "audio")
"""For a file whose name claims nothing; nobody asks for one's facts but by mistake."""

# XML 1.0 §2.2 allows none of these but the C1 controls, which nobody means either.
_FORBIDDEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]+")


def clean(text: str) -> str:
    """Valid Unicode without control characters, one line, stripped, at most 1 KB."""
    if not text.isprintable():
        text = _BREAKS.sub(" ", text)
        text = _FORBIDDEN.sub("", text)
        text = _SURROGATES.sub("\ufffd", text)
    text = text.strip()
    if len(text) * 4 > MAX_TEXT_BYTES:
        text = text.encode()[:MAX_TEXT_BYTES].decode(errors="ignore").rstrip()
    return text


def title_of(path: bytes) -> str:
    """The file's name without its suffix, as a title of last resort; never empty."""
    name = path.rpartition(b"/")[2]
    stem, dot, _ = name.rpartition(b".")
    return (
        clean((stem if dot and stem else name).decode(errors="replace"))
        or clean(name.decode(errors="replace"))
        or "\ufffd"
    )


def facts_by_name(path: bytes, reason: str, *, fingerprint: bytes = b"") -> MediaFacts:
    """Facts of a file that could not be read, as good as its name tells."""
    media_type = by_suffix(path) or UNKNOWN
    return MediaFacts(
        kind=Kind(media_type.kind),
        mime_type=media_type.mime_type,
        fingerprint=fingerprint,
        reason=clean(reason),
        title=title_of(path),
    )
