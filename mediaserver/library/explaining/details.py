"""What is known of an item beside its row, as words and values for people: ``mediaserver why``."""

import sqlite3
from collections.abc import Iterable
from datetime import timedelta

from mediaserver.library.indexing.details import chapters_of, details_of, streams_of
from mediaserver.library.objects import Details, EmbeddedStream

Facts = list[tuple[str, str]]
MAX_CHAPTERS = 20
"""That are named one by one."""


def facts_beside(connection: sqlite3.Connection, item: int) -> Facts:
    """Gains, ids, streams, chapters."""
    details = details_of(connection, item)
    found = [] if details is None else _details(details)
    found += [_stream(one) for one in streams_of(connection, item)]
    chapters = chapters_of(connection, item)
    if chapters:
        found.append(("chapters", str(len(chapters))))
    for one in chapters[:MAX_CHAPTERS]:
        begin = timedelta(seconds=one.begin_ms // 1000)
        found.append(("chapter", f"{begin} {one.title or ''}".rstrip()))
    return found


def stars(rating: int) -> str:
    """Hundredths as people count: halves at most."""
    number = f"{round(rating / 10) / 2:g}"
    return f"{number} of 5 stars"


def _details(details: Details) -> Facts:
    said: Iterable[tuple[str, str | None]] = (
        ("release date", details.release_date),
        ("track gain", _gain(details.track_gain_db, details.track_peak)),
        ("album gain", _gain(details.album_gain_db, details.album_peak)),
        ("MusicBrainz recording", details.recording_id),
        ("MusicBrainz track", details.track_id),
        ("MusicBrainz release group", details.release_group_id),
        ("MusicBrainz artist", "; ".join(details.artist_ids)),
        ("MusicBrainz album artist", "; ".join(details.album_artist_ids)),
    )
    return [(word, value) for word, value in said if value]


def _gain(decibels: float | None, peak: float | None) -> str | None:
    known = [] if decibels is None else [f"{decibels:+.2f} dB"]
    known += [] if peak is None else [f"peak {peak:.6g}"]
    return ", ".join(known) or None


def _stream(stream: EmbeddedStream) -> tuple[str, str]:
    word = "sound" if stream.kind == "audio" else "subtitles inside"
    known = (stream.language, stream.codec, stream.title, *stream.flags)
    return word, ", ".join(value for value in known if value) or "nothing is said of it"
