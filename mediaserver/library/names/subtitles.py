"""Which files are subtitles of a video, and in what language: ``Film.pt-BR.forced.srt``.

A subtitle stands beside its video under the same name, or in a folder ``Subs`` there, which may
have a folder for each video (``Subs/Episode 1/2_English.srt``). What stands behind the video's name
are the language (ISO 639-1 or -2, with a region, or its English name) and what it is for; anything
else says nothing.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from mediaserver.library.names import languages

FORMATS = {
    b"srt": "srt",
    b"ass": "ssa",
    b"ssa": "ssa",
    b"vtt": "vtt",
    b"smi": "smi",
    b"sami": "smi",
    b"idx": "idx",
    b"sub": "sub",
}
"""By suffix; the formats that are understood most widely first. Where an ``idx`` of the same name
is, a ``sub`` is VobSub's pictures, otherwise MicroDVD's text."""
FOLDERS = frozenset({b"subs", b"sub", b"subtitles", b"subtitle"})
MAX_SUBTITLES = 64
"""Of one video."""

# A video's name goes on with one of these, not with a blank: "Film 2.srt" is another film's.
_SEPARATORS = (b".", b"-", b"_")
_TOKEN = re.compile(r"[^\W_]+(?:-[a-z]{2,4}(?=[\W_]|$))?", re.ASCII)
_HINDI = "hi"
"""Unless another language is named: then "hearing impaired"."""
_RANKS = {"": 0, "sdh": 1, "forced": 2}
_FLAGS = {"forced": "forced", "foreign": "forced", "sdh": "sdh", "hi": "sdh", "cc": "sdh"}

_REGIONAL = {"brazilian": "pt-BR", "pob": "pt-BR", "chs": "zh-Hans", "cht": "zh-Hant"}


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """What a subtitle's name tells; in the order they are offered."""

    rank: int
    """Plain ones before those for the deaf and those of foreign passages alone."""
    language: str
    """BCP 47: ``pt-BR``; empty where the name does not say."""
    kind: int
    """Place of its suffix among :data:`FORMATS`."""
    name: bytes
    """As it was given: with the folder ``Subs`` before it."""
    note: str
    """``forced``, ``sdh``, or empty."""

    @property
    def format(self) -> str:
        return list(FORMATS.values())[self.kind]


def home_of(path: bytes) -> bytes | None:
    """The folder whose videos have subtitles in this one (by paths), if it may be one for them."""
    above, _, name = path.rpartition(b"/")
    if name.lower() in FOLDERS:
        return above
    home, _, name = above.rpartition(b"/")
    return home if name.lower() in FOLDERS else None


def is_subtitle(name: bytes) -> bool:
    """Whether a file is one, by its suffix."""
    return _split(name)[1].lower() in FORMATS


def subtitles_of(
    names: Iterable[bytes], below: Iterable[bytes], videos: Collection[bytes]
) -> dict[bytes, tuple[Named, ...]]:
    """The subtitles of the videos of a folder. ``names`` stand beside them, ``below`` in
    ``Subs``: there a single video's may be called as they like, and those in a folder of the
    video's name."""
    stems: dict[bytes, list[bytes]] = {}
    for video in videos:
        stems.setdefault(_split(video)[0].lower(), []).append(video)
    only = next(iter(stems)) if len(stems) == 1 else None
    found: dict[bytes, list[Named]] = {}
    for name, alone in (*((name, None) for name in names), *((name, only) for name in below)):
        stem = _split(name.rpartition(b"/")[2])[0].lower()
        owner = _owner(stem, stems)
        rest = stem[len(owner) :] if owner is not None else stem
        folder = name.rpartition(b"/")[0].rpartition(b"/")[2].lower()
        if owner is None:
            owner = folder if folder in stems else alone
        if owner is not None:
            found.setdefault(owner, []).append(_told(name, rest.decode("ascii", "replace")))
    return {
        video: tuple(sorted(of_one)[:MAX_SUBTITLES])
        for stem, of_one in found.items()
        for video in stems[stem]
    }


def _owner(stem: bytes, stems: Collection[bytes]) -> bytes | None:
    """The longest name of a video that this one goes on from."""
    end = len(stem)
    while end > 0:
        if stem[:end] in stems:
            return stem[:end]
        end = max(stem.rfind(separator, 0, end) for separator in _SEPARATORS)
    return None


def _told(name: bytes, rest: str) -> Named:
    tokens = _TOKEN.findall(rest)
    # From the end: a part of the film's title may go before, in any language.
    named = [found for token in reversed(tokens) if (found := _language(token))]
    notes = [_FLAGS[token] for token in tokens if token in _FLAGS]
    language = named[0] if named else ""
    if not language and _HINDI in tokens:
        language = _HINDI
        notes = [_FLAGS[token] for token in tokens if token in _FLAGS and token != _HINDI]
    kind = list(FORMATS).index(_split(name)[1].lower())
    note = notes[0] if notes else ""
    return Named(_RANKS[note], language, kind, name, note)


def _language(token: str) -> str:
    if token in _FLAGS:
        return ""
    plain, _, region = token.partition("-")
    known = _REGIONAL.get(token) or languages.BY_WORD.get(plain, "")
    return f"{known}-{languages.subtag(region)}" if known and region else known


def _split(name: bytes) -> tuple[bytes, bytes]:
    stem, _, suffix = name.rpartition(b".")
    return stem, suffix
