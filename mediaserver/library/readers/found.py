"""What the readers of one file gather, before it becomes facts."""

from dataclasses import dataclass, field

from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers.naming import clean, title_of
from mediaserver.library.readers.picture_header import art_of


@dataclass(slots=True)
class Found:
    """The fields of :class:`MediaFacts` as found: texts raw, several values in lists."""

    kind: Kind
    mime_type: str
    dlna_profile: str | None = None
    reason: str | None = None

    title: str | None = None
    sort_title: str | None = None
    artists: list[str] = field(default_factory=list)
    album_artists: list[str] = field(default_factory=list)
    composers: list[str] = field(default_factory=list)
    genres: list[str] = field(default_factory=list)
    album: str | None = None
    compilation: bool = False
    track: int | None = None
    disc: int | None = None
    date: str | None = None
    description: str | None = None

    duration: float | None = None
    """Seconds."""
    bitrate: int | None = None
    """Bits a second."""
    sample_rate: int | None = None
    channels: int | None = None
    bits_per_sample: int | None = None
    audio_codec: str | None = None
    video_codec: str | None = None
    frame_rate: float | None = None
    width: int | None = None
    height: int | None = None
    color_depth: int | None = None
    orientation: int | None = None
    camera: str | None = None

    picture: bytes | None = None
    """The embedded picture that stands for the file."""

    def facts(self, path: bytes, fingerprint: bytes) -> MediaFacts:
        return MediaFacts(
            kind=self.kind,
            mime_type=self.mime_type,
            dlna_profile=self.dlna_profile,
            fingerprint=fingerprint,
            reason=self.reason,
            title=_text(self.title) or title_of(path),
            sort_title=_text(self.sort_title),
            artists=_texts(self.artists),
            album_artists=_texts(self.album_artists),
            composers=_texts(self.composers),
            genres=_texts(self.genres),
            album=_text(self.album),
            compilation=self.compilation,
            track=self.track,
            disc=self.disc,
            date=self.date,
            description=_text(self.description),
            duration_ms=_milliseconds(self.duration),
            bitrate=_number(self.bitrate),
            sample_rate=_number(self.sample_rate),
            channels=_number(self.channels),
            bits_per_sample=_number(self.bits_per_sample),
            audio_codec=self.audio_codec,
            video_codec=self.video_codec,
            frame_rate=self.frame_rate,
            width=_number(self.width),
            height=_number(self.height),
            color_depth=_number(self.color_depth),
            orientation=self.orientation,
            camera=_text(self.camera),
            art=art_of(self.picture) if self.picture is not None else None,
        )


MAX_DURATION = 10_000 * 3600.0
"""Seconds; beyond it a header lies. It is as much as an hour field of four digits says."""

MAX_VALUES = 64
"""Of one tag; beyond it somebody plays with us."""


def _milliseconds(seconds: float | None) -> int | None:
    # The comparison is also false for NaN.
    if seconds is None or not 0 < seconds <= MAX_DURATION:
        return None
    return round(seconds * 1000)


def _number(value: int | None) -> int | None:
    return value if value and 0 < value < 1 << 40 else None


def _text(text: str | None) -> str | None:
    return (clean(text) or None) if text else None


def _texts(values: list[str]) -> tuple[str, ...]:
    """Each value once, empty ones left out."""
    if not values:
        return ()
    return tuple(dict.fromkeys(text for value in values[:MAX_VALUES] if (text := clean(value))))
