"""Which pictures are art: of their folder or one in it, of the artist it is named after, of one
file.

Names are those that owners give and that Kodi, Plex, Jellyfin, Windows and ripping programs
write. A picture that is art, or decoration that only such programs show, is no photo.
"""

import re
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mediaserver.library.names.videos import season_of_folder

_SUFFIXES = (b"jpg", b"jpeg", b"png", b"webp", b"gif")
_OWN_SUFFIXES = (b"tbn", b"thm")
"""Pictures that are art and nothing else: Kodi's thumbnails, and those of cameras' films."""

_NAMES = (
    b"cover", b"folder", b"front", b"album", b"albumart", b"art", b"poster", b"movie", b"thumb",
)  # fmt: skip
# AlbumArtSmall.jpg, AlbumArt_{GUID}_Large.jpg: Windows Media Player's.
_WINDOWS = re.compile(rb"albumart(?:small|_\{[0-9a-f-]+\}_(?:large|small))")
_ARTIST = b"artist"

_DECORATION = (
    rb"(?:fan-?art|backdrop|background|banner|logo|clear-?logo|clear-?art|character-?art"
    rb"|land-?scape|disc|disc-?art|cd-?art|key-?art|back|back-?cover|booklet|inlay|inside)"
)
_DECORATES_FOLDER = re.compile(
    _DECORATION + rb"[ _-]?\d{0,2}"
    rb"|season[ _-]?(?:\d+|all|specials)-(?:poster|banner|fanart|landscape|thumb)"
)
# season01-poster.jpg, season-specials-poster.jpg (Kodi), Season01.jpg (Plex).
_SEASON_POSTER = re.compile(rb"season[ _-]?(?:(?P<season>\d{1,2})|specials)(?:-poster)?")
_OF_ONE = (b"poster", b"cover", b"thumb", b"folder")
"""What stands behind the name of a film, the best first."""
_WITH_WORD = re.compile(
    rb"(?P<stem>.+)-(?:(?P<word>" + b"|".join(_OF_ONE) + rb")|" + _DECORATION + rb"\d{0,2})"
)
# A camera's: DCF names (DSC_0001, P1010001, 100_0001, _MG_0001), telephones' (IMG_20190705_143059,
# PXL_..., 20190705_143059). A film of a few seconds that belongs to a photo has the photo's name.
_CAMERA = re.compile(
    rb"(?:img|dsc[nf]?|mvi|mov|vid|pxl|gopr|g[hxp]|dji|sam|pict|cimg|imgp|pano|burst|wp|sany|hpim)"
    rb"[_-]?e?\d{3,}.*|p\d{7}|\d{3}[_-]\d{4}|_[a-z]{2,3}_?\d{4}|\d{8}[_-]?\d{6}.*"
)


@dataclass(frozen=True, slots=True)
class Pictures:
    """What the pictures of a folder are, as far as they are no photos. Candidates: best first."""

    folder: tuple[bytes, ...] = ()
    artist: tuple[bytes, ...] = ()
    files: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the media file or playlist that they stand for."""
    folders: Mapping[bytes, tuple[bytes, ...]] = field(default_factory=lambda: MappingProxyType({}))
    """By the name of the folder in this one that they stand for: posters of seasons."""
    unused: frozenset[bytes] = frozenset()
    """Decoration."""

    @property
    def names(self) -> frozenset[bytes]:
        """All of them."""
        single = (
            name for of in (self.files, self.folders) for names in of.values() for name in names
        )
        return frozenset((*self.folder, *self.artist, *single)) | self.unused


NO_PICTURES = Pictures()


def is_art_only(name: bytes) -> bool:
    """Whether a file is a picture, but never a photo, by its suffix."""
    return _split(name)[1] in _OWN_SUFFIXES


def pictures_of(
    pictures: Collection[bytes],
    media: Collection[bytes],
    *,
    folders: Collection[bytes] = (),
    playlists: Collection[bytes] = (),
) -> Pictures:
    """Sort the pictures of a folder by what they stand for. ``media``: its sound and video.

    In a folder of pictures alone, all of them are photos, whatever their names; but one with
    nothing else than covers and folders is that of an artist, a series, an album of several discs.
    A picture called like a playlist is that playlist's anywhere.
    """
    of_playlists = _of_playlists(pictures, playlists)
    stems = {_split(name)[0] for name in media}
    posters = _posters(name for name in pictures if _split(name)[0] not in stems)
    of_folders = _of_seasons(posters, folders)
    of_seasons = {name for names in of_folders.values() for name in names}
    # Those of a single season, among its episodes, are of this folder.
    alone = media and not of_folders and len(posters) == 1
    own = next(iter(posters.values())) if alone else ()
    named = [name for name in pictures if _is_of_folder(name) or name in {*of_seasons, *own}]
    if not media and not (folders and len(named) == len(pictures)):
        return Pictures(files=of_playlists) if of_playlists else NO_PICTURES
    artist = _best_first(name for name in named if _split(name)[0] == _ARTIST)
    ranked = sorted((rank, name) for name in named if (rank := _rank(name)) is not None)
    folder = [*(name for _, name in ranked), *own]
    art = {*folder, *artist, *of_seasons}
    single = {name for names in of_playlists.values() for name in names}
    files, unused = _of_files(set(pictures).difference(named, single), media)
    return Pictures(
        # Among sound it is the artist's picture, and no cover.
        folder=(*folder, *(() if media else artist)),
        artist=artist,
        files={**files, **of_playlists},
        folders=of_folders,
        unused=frozenset(unused.union(named) - art),
    )


def _of_playlists(
    pictures: Iterable[bytes], playlists: Iterable[bytes]
) -> dict[bytes, tuple[bytes, ...]]:
    stems: dict[bytes, list[bytes]] = {}
    for name in playlists:
        stems.setdefault(_split(name)[0], []).append(name)
    found: dict[bytes, list[bytes]] = {}
    for name in pictures if stems else ():
        stem, suffix = _split(name)
        for playlist in stems.get(stem, ()) if suffix in _SUFFIXES else ():
            found.setdefault(playlist, []).append(name)
    return {playlist: _best_first(names) for playlist, names in found.items()}


def _posters(pictures: Iterable[bytes]) -> dict[int, tuple[bytes, ...]]:
    """Posters of seasons; specials are season 0."""
    found: dict[int, list[bytes]] = {}
    for name in pictures:
        stem, suffix = _split(name)
        match = _SEASON_POSTER.fullmatch(stem)
        if match is not None and suffix in _SUFFIXES:
            found.setdefault(int(match["season"] or 0), []).append(name)
    return {season: _best_first(names) for season, names in found.items()}


def _of_seasons(
    posters: Mapping[int, tuple[bytes, ...]], folders: Iterable[bytes]
) -> dict[bytes, tuple[bytes, ...]]:
    seasons = {name: season_of_folder(name.decode(errors="replace")) for name in folders}
    return {
        name: posters[season]
        for name, season in seasons.items()
        if season is not None and season in posters
    }


def _of_files(
    pictures: set[bytes], media: Iterable[bytes]
) -> tuple[Mapping[bytes, tuple[bytes, ...]], set[bytes]]:
    stems: dict[bytes, list[bytes]] = {}
    for name in media:
        stems.setdefault(_split(name)[0], []).append(name)
    found: dict[bytes, list[tuple[int, int, bytes]]] = {}
    unused, plain = set[bytes](), set[bytes]()
    for name in pictures:
        stem, suffix = _split(name)
        match = _WITH_WORD.fullmatch(stem)
        if match is not None and match["stem"] in stems:
            if match["word"] is None:
                unused.add(name)
            else:
                rank = (_OF_ONE.index(match["word"]), _kind(suffix), name)
                found.setdefault(match["stem"], []).append(rank)
        elif stem in stems and suffix in _OWN_SUFFIXES:
            found.setdefault(stem, []).append((len(_OF_ONE) + 1, _kind(suffix), name))
        elif suffix not in _OWN_SUFFIXES:
            plain.add(name)
    if all(_may_be_art(*_split(name), stems) for name in plain):
        # With other pictures around they would be photos, some of them with a film beside.
        for name in plain:
            stem, suffix = _split(name)
            found.setdefault(stem, []).append((len(_OF_ONE), _kind(suffix), name))
    of_files = {
        name: tuple(picture for *_, picture in sorted(ranks))
        for stem, ranks in found.items()
        for name in stems[stem]
    }
    return of_files, unused


def _may_be_art(stem: bytes, suffix: bytes, stems: Container[bytes]) -> bool:
    return suffix in _SUFFIXES and stem in stems and not _CAMERA.fullmatch(stem)


def _is_of_folder(name: bytes) -> bool:
    stem, suffix = _split(name)
    known = _rank(name) is not None or stem == _ARTIST or _DECORATES_FOLDER.fullmatch(stem)
    return suffix in _SUFFIXES and bool(known)


def _rank(name: bytes) -> tuple[int, int] | None:
    """``cover`` before ``folder`` before ``front`` and so on, JPEG before others, small ones of
    Windows Media Player last; letter case does not matter."""
    stem, suffix = _split(name)
    if suffix not in _SUFFIXES:
        return None
    if stem in _NAMES:
        return _NAMES.index(stem), _kind(suffix)
    if _WINDOWS.fullmatch(stem):
        return len(_NAMES) + (b"small" in stem), _kind(suffix)
    return None


def _best_first(names: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(sorted(names, key=lambda name: (_kind(_split(name)[1]), name)))


def _kind(suffix: bytes) -> int:
    return (*_SUFFIXES, *_OWN_SUFFIXES).index(suffix) if suffix in _SUFFIXES else len(_SUFFIXES)


def _split(name: bytes) -> tuple[bytes, bytes]:
    stem, dot, suffix = name.lower().rpartition(b".")
    return (stem, suffix) if dot else (name.lower(), b"")
