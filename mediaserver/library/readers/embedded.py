"""The streams of sound and subtitles inside a video, as they say of themselves."""

import re
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
    found.languages = [
        one.language for one in audio if one.language and "commentary" not in one.flags
    ]
    # A single stream that says nothing of itself is as good as none.
    if len(audio) > 1 or subtitles or any(one.language or one.title for one in audio):
        found.streams = (*audio, *subtitles)


def _stream(
    stream: "av.AudioStream | av.subtitles.stream.SubtitleStream",
    kind: Literal["audio", "subtitle"],
) -> EmbeddedStream:
    context = stream.codec_context
    title = clean(stream.metadata.get("title") or stream.metadata.get("name") or "") or None
    return EmbeddedStream(
        kind=kind,
        codec=None if context is None else context.codec.canonical_name or None,
        language=tag(stream.metadata.get("language")),
        title=title,
        flags=_flags(stream, title or ""),
    )


def _flags(
    stream: "av.AudioStream | av.subtitles.stream.SubtitleStream", title: str
) -> tuple[str, ...]:
    import av

    known = av.stream.Disposition
    flags = {
        "default": known.default,
        "forced": known.forced,
        "sdh": known.hearing_impaired | known.captions,
        "description": known.visual_impaired | known.descriptions,
        "commentary": known.comment,
    }
    said = {name for name, wanted in flags.items() if stream.disposition & wanted}
    said |= {name for name, words in _WORDS if words.search(title)}
    return tuple(name for name in flags if name in said)
