"""Tracks by their names: ``01 - Title``, ``1-03 Title``, ``Artist - 01 - Title``.

What counts as a number of a track is narrow, because a title that has lost its first word is
worse than one with a number in front: *99 Luftballons* and *7 Seconds* are titles. A number needs
a sign behind it (``7. Title``, ``7 - Title``), or a zero in front (``07 Title``), or two digits up
to :data:`MOST_BARE` and a capital behind it (``12 Title``): that is how programs that copy discs
name their files.

An artist is taken from in front of a number (``Artist - 01 - Title``), or from in front of a dash
(``01 - Artist - Title``, ``Artist - Title``) unless what follows is a kind of recording
(``Title - Live``) or what stands in front is a work of its own (``Sonata No. 5 - Allegro``).
"""

import re
from functools import lru_cache
from typing import NamedTuple

MOST_BARE = 29
MOST_DISCS = 20


class TrackName(NamedTuple):
    """What a file's name says; ``title`` is never empty where the name is not."""

    title: str
    track: int | None = None
    disc: int | None = None
    artist: str | None = None
    album: str | None = None


class AlbumName(NamedTuple):
    """What the folders of a track say."""

    album: str | None = None
    artist: str | None = None
    year: str | None = None


_DISC_AND_TRACK = re.compile(
    r"(?P<disc>[0-9]{1,2})[-.](?P<track>[0-9]{2})(?:\s*[-.)\u2013]\s*|\s+)(?P<rest>\S.*)"
)
_SIGN_BEHIND = re.compile(
    r"[\[(]?(?P<track>[0-9]{1,4})(?:\s*[.)\]](?![0-9])\s*|\s*[-\u2013]\s+|\s+[-\u2013]\s*|-(?=[^\W\d]))"
    r"(?:[-\u2013]\s+)?(?P<rest>[^\s.)\]].*)"
)
_BARE = re.compile(r"(?P<track>0[0-9]{1,2}|[12][0-9])\s+(?P<rest>\S.*)")
_NUMBER_WITHIN = re.compile(r"(?:(?P<disc>[0-9]{1,2})[-.])?(?P<track>[0-9]{1,3})\.?")
_TRACK_WORD = re.compile(
    r"(?:(?:audio|cd)[ -]?)?(?:track|titel|title|piste|pista|traccia|spår|nummer)[ _-]*"
    r"(?P<track>[0-9]{1,3})",
    re.IGNORECASE,
)
_DASH = re.compile(r"\s+[-\u2013\u2014]\s+")
_RECORDING = re.compile(
    r"(?:live|remix|remaster\w*|demo|edit|radio|acoustic|instrumental|mono|stereo|version|bonus|"
    r"part|pt|vol|act|reprise|intro|outro|[0-9])\b",
    re.IGNORECASE,
)
_WORK = re.compile(
    r"\b(?:no|nr|op|bwv|kv?|hob|rv|hwv)\b\.?\s*[0-9]"
    r"|\b(?:concerto|sonata|symphon\w*|sinfoni\w*|suite|quartet\w*|requiem|prelude)\b",
    re.IGNORECASE,
)


@lru_cache(256)
def of_file(stem: str) -> TrackName:
    """A file's name, without its suffix and clean, taken apart."""
    if " " not in stem and "_" in stem:
        stem = stem.replace("_", " ").strip() or stem
    word = _TRACK_WORD.fullmatch(stem)
    if word is not None:
        return TrackName(stem, int(word["track"]) or None)
    for pattern in (_DISC_AND_TRACK, _SIGN_BEHIND, _BARE):
        match = pattern.fullmatch(stem)
        if match is not None and (found := _numbered(match)) is not None:
            return found
    return _dashed(stem)


def _numbered(match: re.Match[str]) -> TrackName | None:
    groups = match.groupdict()
    track, disc = int(groups["track"]), int(groups.get("disc") or 0)
    if match.re is _BARE and not groups["track"].startswith("0"):
        first = groups["rest"][0]
        if track > MOST_BARE or not first.isalpha() or first.islower():
            return None
    if disc > MOST_DISCS or (match.re is _DISC_AND_TRACK and not disc):
        return None
    artist, title = _artist_and_title(groups["rest"])
    return TrackName(title, track or None, disc or None, artist)


def _dashed(stem: str) -> TrackName:
    parts = _DASH.split(stem)
    for at in range(1, min(len(parts) - 1, 3)):
        match = _NUMBER_WITHIN.fullmatch(parts[at])
        if match is not None:
            return TrackName(
                " - ".join(parts[at + 1 :]),
                int(match["track"]) or None,
                int(match["disc"] or 0) or None,
                parts[0],
                parts[1] if at == 2 else None,
            )
    artist, title = _artist_and_title(stem)
    return TrackName(title, artist=artist)


def _artist_and_title(text: str) -> tuple[str | None, str]:
    parts = _DASH.split(text, maxsplit=1)
    if len(parts) < 2 or not all(parts) or _RECORDING.match(parts[1]) or _WORK.search(parts[0]):
        return None, text
    return parts[0], parts[1]


# ---- folders

_DISC = re.compile(
    r"(?:cd|dis[ck])\s*[-_.#]?\s*[0-9]{1,2}(?:\s*[-_:.].*)?|[0-9]{1,2}", re.IGNORECASE
)
_YEAR_FIRST = re.compile(
    r"[\[(]?(?P<year>(?:19|20)[0-9]{2})[\])]?(?:\s*[-.\u2013]\s*|\s+)(?P<rest>.*\w.*)"
)
_YEAR_LAST = re.compile(r"(?P<rest>.*\w.*?)\s*[\[(](?P<year>(?:19|20)[0-9]{2})[\])]")
_SORTED_UNDER = re.compile(r"[^\W\d]|[0-9#]|0-9|[^\W\d]\s*-\s*[^\W\d]")
"""``A``, ``A-C``, ``0-9``: a folder of artists' initials."""
NO_ARTISTS = frozenset(
    {"music", "musik", "musique", "música", "musica", "muziek", "muzyka", "musikk", "музыка"}
    | {"音乐", "音楽", "음악", "audio", "sound", "sounds", "mp3", "flac", "wav", "aiff", "dsd"}
    | {"lossless", "alben", "albums", "álbumes", "artists", "künstler", "artistes", "interpreten"}
    | {"cds", "cd", "rips", "ripped", "downloads", "download", "incoming", "new", "neu"}
    | {"unsorted", "misc", "diverse", "various", "various artists", "various interpreters", "va"}
    | {"v.a.", "sampler", "samplers", "compilation", "compilations", "soundtrack", "soundtracks"}
    | {"ost", "singles", "media", "share", "shared", "public", "songs", "tracks", "my music"}
    | {"eigene musik", "classical", "klassik", "jazz", "pop", "rock", "kinder", "children"}
)
"""Names of folders above albums that are not an artist's, in lower case."""


@lru_cache(256)
def of_folders(inside: str) -> AlbumName:
    """Album and artist by a folder's path below its media root: ``Artist/1999 - Album/CD1``.

    Only the media root knows where artists begin: its own name counts for nothing, nor does a
    name from :data:`NO_ARTISTS`. ``Artist - Album`` in one name is understood as well.
    """
    folders = [folder for folder in inside.split("/") if folder]
    if len(folders) > 1 and _DISC.fullmatch(folders[-1]):
        folders.pop()
    if not folders or _is_collection(folders[-1]):
        return AlbumName()
    album, year = _year_of(folders[-1])
    above = folders[-2] if len(folders) > 1 else ""
    parts = _DASH.split(album, maxsplit=1)
    if above and not _is_collection(above):
        artist: str | None = above
        if len(parts) == 2 and parts[0].casefold() == above.casefold():
            album = parts[1]
    elif len(parts) == 2 and not _RECORDING.match(parts[1]):
        artist, album = parts
    else:
        artist = None
    if year is None:
        album, year = _year_of(album)
    return AlbumName(album, artist, year)


def _is_collection(folder: str) -> bool:
    return folder.casefold() in NO_ARTISTS or _SORTED_UNDER.fullmatch(folder) is not None


def _year_of(name: str) -> tuple[str, str | None]:
    match = _YEAR_FIRST.fullmatch(name) or _YEAR_LAST.fullmatch(name)
    return (match["rest"].strip(), match["year"]) if match else (name, None)
