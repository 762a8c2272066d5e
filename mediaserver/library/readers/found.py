"""What the readers of one file gather, before it becomes facts."""

import re
from dataclasses import dataclass, field, replace

from mediaserver.library.names import by_name, videos
from mediaserver.library.objects import (
    Chapter,
    Details,
    EmbeddedStream,
    Kind,
    MediaFacts,
    Sheet,
)
from mediaserver.library.readers.naming import clean
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
    artist_sorts: list[str] = field(default_factory=list)
    album_artists: list[str] = field(default_factory=list)
    album_artist_sorts: list[str] = field(default_factory=list)
    composers: list[str] = field(default_factory=list)
    composer_sorts: list[str] = field(default_factory=list)
    conductors: list[str] = field(default_factory=list)
    genres: list[str] = field(default_factory=list)
    album: str | None = None
    album_sort: str | None = None
    release_id: str | None = None
    compilation: bool = False
    track: int | None = None
    disc: int | None = None
    date: str | None = None
    original_date: str | None = None
    """Of the first release, where that is another one."""
    description: str | None = None
    rating: int | None = None
    series: str | None = None
    season: int | None = None
    episode: int | None = None

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
    languages: tuple[str, ...] = ()
    chapters: tuple[Chapter, ...] = ()
    streams: tuple[EmbeddedStream, ...] = ()
    details: Details | None = None

    cue_sheet: str | None = None
    """In its tags, as it is written there."""
    sheet: Sheet | None = None
    """In a block of its own."""

    picture: bytes | None = None
    """The embedded picture that stands for the file."""

    def facts(self, path: bytes, fingerprint: bytes) -> MediaFacts:
        """With what the path tells where the tags say nothing."""
        title = _text(self.title)
        artists, album_artists = _texts(self.artists), _texts(self.album_artists)
        composers = _texts(self.composers)
        track, disc, details = self.track, self.disc, self.details
        date = self.date
        if self.original_date is not None:
            date, release = self._dates()
            if release is not None:
                details = replace(details or Details(), release_date=release)
        own = _NOTHING
        if title is None or self.kind is Kind.VIDEO:
            own = by_name.told(self.kind, path)
            if self.kind is Kind.VIDEO:
                own = self._video(own)
            artists = artists or own.artists
        if self.kind is Kind.AUDIO and track is None:
            # Its album needs the order, also where only titles are written down.
            named = by_name.told(self.kind, path)
            track, disc = named.track, disc or named.disc
        return MediaFacts(
            kind=self.kind,
            mime_type=self.mime_type,
            dlna_profile=self.dlna_profile,
            fingerprint=fingerprint,
            reason=self.reason,
            title=own.title or title,
            named=title is None,
            sort_title=_text(self.sort_title),
            artists=artists,
            artist_sorts=_sorts(self.artist_sorts, artists),
            album_artists=album_artists,
            album_artist_sorts=_sorts(self.album_artist_sorts, album_artists),
            composers=composers,
            composer_sorts=_sorts(self.composer_sorts, composers),
            conductors=_texts(self.conductors),
            genres=_texts(_separated(self.genres)),
            album=_text(self.album) or own.album,
            album_sort=_text(self.album_sort),
            release_id=self.release_id,
            compilation=self.compilation,
            track=track,
            disc=disc,
            date=date or own.date,
            description=_text(self.description),
            rating=self.rating,
            film=own.film,
            series=own.series,
            season=own.season,
            episode=own.episode,
            program=own.program,
            duration_ms=_units(self.duration, 1000),
            length_us=_units(self.duration, 1_000_000),
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
            languages=self.languages,
            chapters=self.chapters,
            streams=self.streams,
            details=details,
            art=art_of(self.picture) if self.picture is not None else None,
            sheet=self.sheet if self.cue_sheet is None else _sheet(self.cue_sheet) or self.sheet,
        )

    def _dates(self) -> tuple[str | None, str | None]:
        """The date that stands for it, and that of this edition where it is another one.

        A listener means the year the music came out, not that of the remaster. Of two that do not
        contradict each other the more precise one counts; a first release after this one is none.
        """
        original, own = self.original_date, self.date
        if original is None or own is None or original.startswith(own):
            return original or own, None
        if own.startswith(original) or original > own:
            return own, None
        return original, own

    def _video(self, named: by_name.Told) -> by_name.Told:
        """What its path tells, and its tags know better: title, series, season, episode."""
        tagged = _text(self.title)
        title = None if tagged is None else videos.title_in(tagged)
        series = _text(self.series) or named.series
        episode = self.episode or named.episode
        if series is None or episode is None:
            return named if title is None else named._replace(title=title)
        if title is not None and title.casefold() == series.casefold():
            title = None
        found = named._replace(
            film=False,
            series=series,
            season=self.season or named.season,
            episode=episode,
            program=title or named.program,
        )
        return found._replace(title=by_name.episode_title(found, found.program))


_NOTHING = by_name.Told("")
MAX_DURATION = 10_000 * 3600.0
"""Seconds; beyond it a header lies. It is as much as an hour field of four digits says."""

MAX_VALUES = 64
"""Of one tag; beyond it somebody plays with us."""


def _sheet(text: str) -> Sheet | None:
    # Deferred: few files have one.
    from mediaserver.library.readers.cue_sheets import embedded_sheet

    return embedded_sheet(text)


def _units(seconds: float | None, of_a_second: int) -> int | None:
    # The comparison is also false for NaN.
    if seconds is None or not 0 < seconds <= MAX_DURATION:
        return None
    return round(seconds * of_a_second)


def _number(value: int | None) -> int | None:
    return value if value and 0 < value < 1 << 40 else None


def _text(text: str | None) -> str | None:
    return (clean(text) or None) if text else None


# Not one that ends a character as HTML writes it: R&amp;B.
_BETWEEN_GENRES = re.compile("(?<!&amp);")


def _separated(genres: list[str]) -> list[str]:
    """Programs put a semicolon between several where a field holds one text (ID3v2.3, MP4).
    A slash belongs to a genre (Hip-Hop/Rap), or may."""
    if not any(";" in genre for genre in genres):
        return genres
    return [each for genre in genres for each in _BETWEEN_GENRES.split(genre)]


def _sorts(values: list[str], names: tuple[str, ...]) -> tuple[str, ...]:
    """Only where there is one for each name: nobody could tell whose it is otherwise."""
    sorts = _texts(values)
    return sorts if len(sorts) == len(names) else ()


def _texts(values: list[str]) -> tuple[str, ...]:
    """Each value once, empty ones left out."""
    if not values:
        return ()
    return tuple(dict.fromkeys(text for value in values[:MAX_VALUES] if (text := clean(value))))
