"""What tags say beside what lists are made of: ReplayGain, the owner's rating, MusicBrainz's ids.

Names are those of Vorbis comments, to which other families are translated. No control point is
told of gains (a renderer reads them from the file itself) or ids.
"""

import dataclasses
import re
from collections.abc import Mapping, Sequence

from mediaserver.library.objects import Details
from mediaserver.library.readers import ratings
from mediaserver.library.readers.found import MAX_VALUES, Found
from mediaserver.library.readers.values import first, release_id

_GAINS = {
    "REPLAYGAIN_TRACK_GAIN": "track_gain_db",
    "REPLAYGAIN_ALBUM_GAIN": "album_gain_db",
}
_PEAKS = {
    "REPLAYGAIN_TRACK_PEAK": "track_peak",
    "REPLAYGAIN_ALBUM_PEAK": "album_peak",
}
_OPUS_GAINS = {
    "R128_TRACK_GAIN": "track_gain_db",
    "R128_ALBUM_GAIN": "album_gain_db",
}
_IDS = {
    "MUSICBRAINZ_TRACKID": "recording_id",
    "MUSICBRAINZ_RELEASETRACKID": "track_id",
    "MUSICBRAINZ_RELEASEGROUPID": "release_group_id",
}
_SEVERAL_IDS = {
    "MUSICBRAINZ_ARTISTID": "artist_ids",
    "MUSICBRAINZ_ALBUMARTISTID": "album_artist_ids",
}
NAMES = frozenset({*_GAINS, *_PEAKS, *_OPUS_GAINS, *_IDS, *_SEVERAL_IDS, *ratings.NAMES})
"""Those that are understood."""

_SPACED = {
    "MUSICBRAINZ TRACK ID": "MUSICBRAINZ_TRACKID",
    "MUSICBRAINZ RELEASE TRACK ID": "MUSICBRAINZ_RELEASETRACKID",
    "MUSICBRAINZ RELEASE GROUP ID": "MUSICBRAINZ_RELEASEGROUPID",
    "MUSICBRAINZ ARTIST ID": "MUSICBRAINZ_ARTISTID",
    "MUSICBRAINZ ALBUM ARTIST ID": "MUSICBRAINZ_ALBUMARTISTID",
}
"""As they are written where names may hold blanks: ID3, MP4, ASF (with a slash)."""

# ReplayGain 2.0: "[-]a.bb dB"; there are programs that write a comma, or a plus.
_GAIN = re.compile(r"\s*([+-]?[0-9]{1,3}(?:[.,][0-9]{1,20})?)\s*(?:dB)?\s*", re.IGNORECASE)
_PEAK = re.compile(r"\s*([0-9]{1,6}(?:[.,][0-9]{1,20})?)\s*")
_Q7_8 = re.compile(r"\s*([+-]?[0-9]{1,5})\s*")
MAX_GAIN = 64.0
"""dB; more is a mistake: the fields of ID3 and LAME cannot hold more either."""
_R128_TO_REPLAYGAIN = 5.0
"""dB between the loudness that R128 tags aim at, -23 LUFS (RFC 7845 §5.2.1), and ReplayGain 2.0's
-18 LUFS."""


def common_name(name: str) -> str | None:
    """The name in Vorbis comments of what other families name freely; None for all else."""
    upper = name.upper().replace("/", " ", 1)
    upper = _SPACED.get(upper, upper)
    return upper if upper in NAMES else None


def named(found: Found, tags: Mapping[str, Sequence[str]]) -> None:
    """Tags by their names in Vorbis comments, in upper case."""
    # Most files have none of them, and there are as many files as a library has.
    if NAMES.isdisjoint(tags):
        for name in tags:
            if name.startswith(ratings.PREFIX):
                found.rating = ratings.named(tags) or found.rating
                break
        return
    found.rating = ratings.named(tags) or found.rating
    values: dict[str, object] = {}
    for read, names in ((gain, _GAINS), (peak, _PEAKS), (opus_gain, _OPUS_GAINS)):
        for name, field in names.items():
            values[field] = read(first(tags.get(name))) if name in tags else values.get(field)
    for name, field in _IDS.items():
        values[field] = release_id(first(tags.get(name)))
    for name, field in _SEVERAL_IDS.items():
        values[field] = ids(tags.get(name, ()))
    add(found, values)


def add(found: Found, values: Mapping[str, object]) -> None:
    """Fields of Details as they are found; what is empty changes nothing."""
    known = {field: value for field, value in values.items() if value not in (None, ())}
    if known:
        found.details = dataclasses.replace(found.details or Details(), **known)  # type: ignore[arg-type]


def gain(text: str | None) -> float | None:
    """dB: ``-7.89 dB``, ``+1.2``."""
    match = _GAIN.fullmatch(text or "")
    return _bounded(float(match[1].replace(",", "."))) if match else None


def peak(text: str | None) -> float | None:
    match = _PEAK.fullmatch(text or "")
    return float(match[1].replace(",", ".")) if match else None


def opus_gain(text: str | None) -> float | None:
    """A whole number of 1/256 dB (RFC 7845 §5.2.1), as ReplayGain counts."""
    match = _Q7_8.fullmatch(text or "")
    return _bounded(int(match[1]) / 256 + _R128_TO_REPLAYGAIN) if match else None


def _bounded(decibels: float) -> float | None:
    return decibels if abs(decibels) <= MAX_GAIN else None


def ids(texts: Sequence[str]) -> tuple[str, ...]:
    """Those of several people: several values, or parts of one."""
    parts = [part for text in texts[:MAX_VALUES] for part in re.split(r"[;,/\0\s]+", text)]
    return tuple(dict.fromkeys(found for part in parts if (found := release_id(part))))[:MAX_VALUES]


def of_header(found: Found, track: float | None, peak: float | None, album: float | None) -> None:
    """What the encoder wrote in front of the sound: better than nothing, tags know better."""
    known = found.details
    if known is None or (known.track_gain_db is None and known.album_gain_db is None):
        values = {"track_gain_db": track, "track_peak": peak, "album_gain_db": album}
        add(found, values)
