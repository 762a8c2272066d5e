"""Cue sheets: text that says which tracks a file (or several) holds, and from where to where.

The format has no standard but the manual of CDRWIN (appendix A); times are minutes, seconds and
frames, of which a second has 75. A track lies in the file that its ``INDEX 01`` stands below, and
lasts until the next one's: the gap in front of a track (``INDEX 00``) is heard with the track
before it, as on a CD. What cannot be right makes the sheet say nothing: an album that is cut at
wrong places is worse than one that is not cut.

What a sheet names is not opened here (security.md M7).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import PlaylistEntry, PlaylistFacts, Sheet, SheetTrack
from mediaserver.library.readers.details import gain, peak
from mediaserver.library.readers.naming import clean
from mediaserver.library.readers.values import charset_of_bytes, date, decoded, first, number
from mediaserver.library.sheets import MAX_TRACKS

MAX_CHARACTERS = 1 << 20
"""Of a sheet inside a media file."""

_COMMAND = re.compile(r"\s*(?P<name>[A-Za-z]+)\s+(?P<rest>\S.*)")
_TIME = re.compile(r"([0-9]{1,4}):([0-5]?[0-9]):([0-6]?[0-9]|7[0-4])")
FRAMES = 75
"""In a second."""
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_MADE_BY = re.compile(r"exact ?audio ?copy|^eac ", re.IGNORECASE)
"""What a program writes as the comment of each record, about itself."""


@dataclass(slots=True)
class _Track:
    number: int
    audible: bool
    texts: dict[str, str] = field(default_factory=dict)
    file: int | None = None
    begin_us: int | None = None


@dataclass(slots=True)
class _Text:
    """A sheet as it is written: file names, tracks, and what stands in front of these."""

    files: list[str] = field(default_factory=list)
    tracks: list[_Track] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)


def parse_cue_sheet(data: bytes) -> PlaylistFacts:
    """The contents of a cue sheet file. Raises UnreadableMedia.

    An entry for each of its files, with what that is split into; where none of them holds more
    than one track, the sheet is a list of files as others are.
    """
    text = _parsed(sheet_text(data))
    album = _album(text)
    found = _by_file(text)
    if len(text.files) == 1 and len(found[0][1]) < 2:
        raise UnreadableMedia("it has a single track: its file is served as it is")
    if all(len(tracks) == 1 for _, tracks in found):
        entries = [PlaylistEntry(location, tracks[0].title) for location, tracks in found]
    else:
        entries = [
            PlaylistEntry(location, None, replace(album, tracks=tracks))
            for location, tracks in found
        ]
    return PlaylistFacts(title=album.title, entries=tuple(entries))


def embedded_sheet(text: str) -> Sheet | None:
    """A cue sheet that stands in the tags of the file it is for; None if there is but one track."""
    try:
        if len(text) > MAX_CHARACTERS:
            raise UnreadableMedia("it is too long")
        parsed = _parsed(text, inside=True)
        found = _by_file(parsed)
    except UnreadableMedia as error:
        return Sheet(reason=error.reason)
    if len(found) > 1:
        return Sheet(reason="it names several files")
    tracks = found[0][1]
    return replace(_album(parsed), tracks=tracks) if len(tracks) > 1 else None


class _FlacIndex(Protocol):
    index_number: int
    index_offset: int


class _FlacTrack(Protocol):
    track_number: int
    start_offset: int
    type: int
    isrc: bytes
    indexes: list[_FlacIndex]


_LEAD_OUT = (170, 255)


def flac_sheet(tracks: Iterable[_FlacTrack], sample_rate: int) -> Sheet | None:
    """The block CUESHEET of a FLAC file (RFC 9639 §8.7), as mutagen gives its tracks: offsets are
    in samples. It has no titles."""
    found = _Text(files=[""])
    for track in tracks:
        if track.track_number in _LEAD_OUT:
            continue
        # Some have no index 1; the first one there is begins the track.
        offsets = {one.index_number: one.index_offset for one in track.indexes}
        offset = offsets.get(1, next(iter(offsets.values()), 0))
        begin = (track.start_offset + offset) * 1_000_000
        found.tracks.append(
            _Track(
                track.track_number,
                audible=not track.type,
                texts={"ISRC": track.isrc.decode("ascii", "replace")},
                file=0,
                begin_us=round(begin / sample_rate),
            )
        )
    try:
        _check(found)
        listed = _by_file(found)[0][1]
    except UnreadableMedia as error:
        return Sheet(reason=error.reason)
    return Sheet(tracks=listed) if len(listed) > 1 else None


# ---- text


def sheet_text(data: bytes) -> str:
    """By the byte order mark, as UTF-8, or in the character set that its lines look like."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines()
    charset = charset_of_bytes(lines)
    return "\n".join(decoded(line, charset) for line in lines)


def _parsed(text: str, *, inside: bool = False) -> _Text:
    """``inside``: of the file that holds it nobody needs the name."""
    if "\0" in text:
        raise UnreadableMedia("not a text")
    found = _Text(files=[""] if inside else [])
    below = False
    """Whether a file has been named in a sheet that is inside one."""
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        match = _COMMAND.match(line)
        if match is None:
            continue
        name, rest = match["name"].upper(), match["rest"].strip()
        if name == "FILE":
            if not inside or below:
                found.files.append(_file_name(rest))
            below = True
        elif name == "TRACK":
            found.tracks.append(_track(rest))
        elif name == "INDEX":
            _index(found, rest)
        elif name == "REM":
            _note(found, *rest.partition(" ")[::2])
        else:
            _note(found, name, rest)
        if len(found.tracks) > MAX_TRACKS:
            raise UnreadableMedia(f"more than {MAX_TRACKS} tracks")
    _check(found)
    return found


def _note(found: _Text, name: str, value: str) -> None:
    texts = found.tracks[-1].texts if found.tracks else found.texts
    texts.setdefault(name.upper(), _unquoted(value))


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:].removesuffix('"') if text.startswith('"') else text


def _file_name(rest: str) -> str:
    """``"name" WAVE``; without quotes the type is the last word."""
    if rest.startswith('"'):
        return rest[1:].rpartition('"')[0] or rest[1:]
    return rest.rpartition(" ")[0] or rest


def _track(rest: str) -> _Track:
    words = rest.split()
    found = number(words[0])
    if found is None or found > MAX_TRACKS:
        raise UnreadableMedia(f"a track of the number {clean(words[0])[:20]}")
    return _Track(found, audible=len(words) < 2 or words[1].upper() == "AUDIO")


def _index(found: _Text, rest: str) -> None:
    which, _, place = rest.partition(" ")
    if number(which) != 1 or not found.tracks:
        return
    track = found.tracks[-1]
    match = _TIME.fullmatch(place.strip())
    if match is None:
        raise UnreadableMedia(f"track {track.number} begins at no time: {clean(place)[:20]}")
    if not found.files:
        raise UnreadableMedia(f"track {track.number} is in no file")
    minutes, seconds, frames = map(int, match.groups())
    # 40,000 thirds of a microsecond are a frame.
    thirds = ((minutes * 60 + seconds) * FRAMES + frames) * 40_000
    track.file, track.begin_us = len(found.files) - 1, (thirds + 1) // 3


# ---- sense


def _check(found: _Text) -> None:
    """Raises UnreadableMedia for what cannot be right."""
    if not found.tracks:
        raise UnreadableMedia("no tracks")
    before = None
    for track in found.tracks:
        if track.begin_us is None:
            raise UnreadableMedia(f"track {track.number} has no INDEX 01")
        if before is not None:
            if track.number <= before.number:
                raise UnreadableMedia(f"track {track.number} comes after track {before.number}")
            if track.file == before.file and track.begin_us <= (before.begin_us or 0):
                raise UnreadableMedia(f"track {track.number} begins no later than the one before")
        before = track


def _by_file(found: _Text) -> list[tuple[str, tuple[SheetTrack, ...]]]:
    """File names with the tracks to hear in them; files without any are left out."""
    tracks: dict[int, list[SheetTrack]] = {}
    for track, after in zip(found.tracks, [*found.tracks[1:], None], strict=True):
        if not track.audible or track.file is None or track.begin_us is None:
            continue
        here = after is not None and after.file == track.file
        tracks.setdefault(track.file, []).append(
            SheetTrack(
                number=track.number,
                begin_us=track.begin_us,
                end_us=after.begin_us if here and after is not None else None,
                title=_value(track.texts, "TITLE"),
                artists=_values(track.texts, "PERFORMER"),
                composers=_values(track.texts, "SONGWRITER", "COMPOSER"),
                isrc=_isrc(track.texts.get("ISRC", "")),
                gain_db=gain(track.texts.get("REPLAYGAIN_TRACK_GAIN")),
                peak=peak(track.texts.get("REPLAYGAIN_TRACK_PEAK")),
            )
        )
    if not tracks:
        raise UnreadableMedia("no tracks to hear")
    return [(found.files[file], tuple(own)) for file, own in tracks.items()]


def _album(found: _Text) -> Sheet:
    comment = _value(found.texts, "COMMENT")
    return Sheet(
        title=_value(found.texts, "TITLE"),
        artists=_values(found.texts, "PERFORMER"),
        composers=_values(found.texts, "SONGWRITER", "COMPOSER"),
        genres=_values(found.texts, "GENRE"),
        date=date(first([found.texts.get("DATE", ""), found.texts.get("YEAR", "")])),
        disc=number(found.texts.get("DISCNUMBER")),
        description=None if comment is None or _MADE_BY.search(comment) else comment,
        gain_db=gain(found.texts.get("REPLAYGAIN_ALBUM_GAIN")),
        peak=peak(found.texts.get("REPLAYGAIN_ALBUM_PEAK")),
    )


def _value(texts: dict[str, str], name: str) -> str | None:
    return clean(texts.get(name, "")) or None


def _values(texts: dict[str, str], *names: str) -> tuple[str, ...]:
    found = next((value for name in names if (value := _value(texts, name))), None)
    return () if found is None else (found,)


def _isrc(text: str) -> str | None:
    text = text.strip("\0 ").upper().replace("-", "")
    return text if _ISRC.fullmatch(text) else None
