"""The streams of sound and subtitles inside a video, as they say of themselves."""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from mediaserver.library.names.languages import tag
from mediaserver.library.objects import EmbeddedStream
from mediaserver.library.readers.found import Found
from mediaserver.library.readers.naming import clean

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

MAX_STREAMS = 200

_WORDS = (
    ("forced", re.compile(r"\bforced\b", re.IGNORECASE)),
    ("sdh", re.compile(r"\bsdh\b|\bcc\b|\bhearing[ -]impaired\b", re.IGNORECASE)),
    ("commentary", re.compile(r"\bcommentary\b", re.IGNORECASE)),
)
"""What titles say where nobody has set the flag."""


def read(container: "InputContainer", found: Found) -> None:
    """Fill in streams, and the languages that the film can be heard in."""
    audio = [_stream(one, "audio") for one in container.streams.audio[:MAX_STREAMS]]
    subtitles = [_stream(one, "subtitle") for one in container.streams.subtitles[:MAX_STREAMS]]
    languages = [one.language for one in audio if one.language and "commentary" not in one.flags]
    found.languages = tuple(dict.fromkeys(languages))
    # A single stream that says nothing of itself is as good as none.
    if len(audio) > 1 or subtitles or any(one.language or one.title for one in audio):
        found.streams = (*audio, *subtitles)


def _stream(
    stream: "av.AudioStream | av.subtitles.stream.SubtitleStream",
    kind: Literal["audio", "subtitle"],
) -> EmbeddedStream:
    context = stream.codec_context
    metadata = stream.metadata
    title = clean(metadata.get("title") or metadata.get("name") or "") or None
    return EmbeddedStream(
        kind=kind,
        codec=None if context is None else context.codec.canonical_name or None,
        language=tag(metadata.get("language")),
        title=title,
        flags=_flags(stream, title or ""),
    )


def _flags(
    stream: "av.AudioStream | av.subtitles.stream.SubtitleStream", title: str
) -> tuple[str, ...]:
    # Plain numbers: members of an enumeration take a microsecond to compare.
    disposition = int(stream.disposition)
    said = {name for name, wanted in _dispositions().items() if disposition & wanted}
    said |= {name for name, words in _WORDS if title and words.search(title)}
    return tuple(name for name in _dispositions() if name in said)


@lru_cache(1)
def _dispositions() -> dict[str, int]:
    """Our words for FFmpeg's flags, in the order they are told."""
    import av

    known = av.stream.Disposition
    return {
        "default": int(known.default),
        "forced": int(known.forced),
        "sdh": int(known.hearing_impaired | known.captions),
        "description": int(known.visual_impaired | known.descriptions),
        "commentary": int(known.comment),
    }
