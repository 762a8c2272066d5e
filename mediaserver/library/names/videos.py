"""Episodes and films by their names and folders.

Names that people or their programs have put in order (``Series - S01E02 - Title``, ``Film (1999)``)
are taken as they are, letter by letter. Names full of dots and technical words go to guessit, but
only if they hold what makes an episode or a film: it finds a season in ``IMG_1234`` otherwise, and
takes ``Blade Runner 2049`` for an episode. All other videos, those of cameras above all, keep
their names and are neither.
"""

import contextlib
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple


class VideoName(NamedTuple):
    """What a video's path says. Neither a film nor with a series: nothing but its name."""

    title: str | None = None
    """Of the film, or of the episode itself."""
    year: str | None = None
    film: bool = False
    series: str | None = None
    season: int | None = None
    """0: specials."""
    episode: int | None = None
    last_episode: int | None = None
    """Of a file that holds several."""


MAX_STEM = 200
"""Characters of a name that guessit is asked about: its time grows with them."""

_EPISODE = re.compile(
    r"(?:(?P<series>.*?\S)\s*(?:\s[-\u2013]\s|\s))?\[?"
    r"(?:s(?P<season>[0-9]{1,2})\s?e(?P<episode>[0-9]{1,4})(?:\s?-?\s?e(?P<last>[0-9]{1,4}))?"
    r"|(?P<season_x>[0-9]{1,2})x(?P<episode_x>[0-9]{2,3})(?:-(?P<last_x>[0-9]{2,3}))?)\]?"
    r"(?:\s*[-\u2013:.]?\s+(?P<title>\S.*))?",
    re.IGNORECASE,
)
_IN_SEASON = re.compile(
    r"(?:(?:e|ep|episode|folge|episodio|épisode|aflevering|avsnitt|серия)\s?\.?\s?)?"
    r"(?P<episode>[0-9]{1,3})(?:\s*[-\u2013.:]\s*|\s+|$)(?P<title>.*)",
    re.IGNORECASE,
)
_SEASON = re.compile(
    r"(?:season|staffel|saison|series|temporada|stagione|seizoen|säsong|sæson|sesong|сезон)"
    r"[ ._]?(?P<season>[0-9]{1,2})(?:\s*[-(\[].*)?|s(?P<short>[0-9]{2})|(?P<specials>specials?)",
    re.IGNORECASE,
)
_FILM = re.compile(r"(?P<title>.*\w.*?)\s+\((?P<year>(?:19|20)[0-9]{2})\)")
_FILM_FOLDERS = frozenset(
    {"film", "films", "movie", "movies", "filme", "spielfilme", "kino", "cinema", "películas"}
    | {"peliculas", "pelis", "filmes", "filmer", "elokuvat", "фильмы", "кино", "电影", "電影"}
    | {"映画", "영화"}
)
_MARKED = re.compile(
    r"(?<![a-z0-9])(?:s[0-9]{1,2}[ ._]?e[0-9]{1,4}|[0-9]{1,2}x[0-9]{2,3}(?![0-9]))", re.IGNORECASE
)
"""What makes an episode, wherever it stands."""
_TECHNICAL = re.compile(
    r"(?<![a-z0-9])(?:480p|576p|720p|1080[pi]|2160p|4k|uhd|hdr(?:10)?|x26[45]|h\.?26[45]|hevc|xvid|divx|"
    r"bluray|blu-ray|bdrip|brrip|dvd-?rip|dvd[59]?|web-?dl|web-?rip|hdtv|dvb|hdrip|remux|aac|ac3|"
    r"dts|ddp?5\.1|multi|proper|extended|unrated|directors?[ .]cut|dubbed|subbed)(?![a-z0-9])",
    re.IGNORECASE,
)
_INSTEAD_OF_BLANKS = re.compile(r"[^\W_][._][^\W_]")
_YEAR_WITHIN = re.compile(r"(?<=[ ._(\[])(?:19|20)[0-9]{2}(?=[ ._)\]]|$)")


def of_path(path: bytes) -> VideoName:
    """What the last three parts of a path say of a video."""
    parts = [part.decode(errors="replace") for part in path.split(b"/")[-3:]]
    name = parts.pop()
    stem = name.rpartition(".")[0] or name
    return _found(stem.strip(), tuple(part.strip() for part in parts if part))


def title_in(tag: str) -> str | None:
    """The title in a video's own tag, without what programs put around it; None for the name of
    a file that somebody let stand there."""
    episode = _EPISODE.fullmatch(tag)
    if episode is not None:
        return episode["title"]
    return None if _is_messy(tag) else tag


def _is_messy(stem: str) -> bool:
    return _TECHNICAL.search(stem) is not None or (
        " " not in stem and _INSTEAD_OF_BLANKS.search(stem) is not None
    )


@lru_cache(64)
def _found(stem: str, folders: tuple[str, ...]) -> VideoName:
    season = _SEASON.fullmatch(folders[-1]) if folders else None
    messy = _is_messy(stem)
    if not messy:
        found = _episode(stem, folders, season) or _film(stem, folders)
        if found is not None:
            return found
    film_folder = any(folder.casefold() in _FILM_FOLDERS for folder in folders)
    marked = _MARKED.search(stem) is not None or (season is not None and stem[:1].isdigit())
    dated = _YEAR_WITHIN.search(stem) is not None
    if messy and (marked or (dated and (film_folder or _TECHNICAL.search(stem)))):
        return _guessed(stem, folders, season, episode=marked)
    return VideoName(film=film_folder)


def _episode(stem: str, folders: tuple[str, ...], folder: re.Match[str] | None) -> VideoName | None:
    match = _EPISODE.fullmatch(stem)
    if match is not None:
        season = int(match["season"] or match["season_x"])
        episode = int(match["episode"] or match["episode_x"])
        last = match["last"] or match["last_x"]
        return VideoName(
            title=match["title"],
            series=_series(match["series"], folders, folder),
            season=season,
            episode=episode,
            last_episode=int(last) if last else None,
        )
    match = None if folder is None else _IN_SEASON.fullmatch(stem)
    if match is None or folder is None:
        return None
    series = _series(None, folders, folder)
    if series is None:
        return None
    return VideoName(
        title=match["title"] or None,
        series=series,
        season=_season(folder),
        episode=int(match["episode"]),
    )


def season_of_folder(name: str) -> int | None:
    """The season that a folder says it holds, specials 0: ``Season 1``, ``S01``, ``Specials``."""
    folder = _SEASON.fullmatch(name.lower())
    return None if folder is None else _season(folder)


def _season(folder: re.Match[str]) -> int:
    return 0 if folder["specials"] else int(folder["season"] or folder["short"])


def _series(
    named: str | None, folders: tuple[str, ...], folder: re.Match[str] | None
) -> str | None:
    """The folder's name for a series, where there is a folder for its season: it is the same one
    for all episodes. Else what the file says, or the folder it is in."""
    if folder is not None and len(folders) > 1:
        return folders[-2]
    if named:
        return named
    return folders[-1] if folders and folder is None else None


def _film(stem: str, folders: tuple[str, ...]) -> VideoName | None:
    match = _FILM.fullmatch(stem)
    if match is None and folders:
        # "Film (1999)/film.mkv": the folder has the better name, for the same thing.
        above = _FILM.fullmatch(folders[-1])
        if above is not None and above["title"].casefold() == stem.casefold():
            match = above
    return VideoName(match["title"], match["year"], film=True) if match else None


def _guessed(
    stem: str, folders: tuple[str, ...], folder: re.Match[str] | None, *, episode: bool
) -> VideoName:
    # Deferred: half a second and 20 MB, for names that need it.
    from guessit import guessit

    guess: Mapping[str, object] = {}
    # Options that somebody has in their home directory for guessit are not for us.
    options = {"type": "episode" if episode else "movie", "no_user_config": True}
    with contextlib.suppress(Exception):  # an odd name: then it is just a name
        guess = guessit(f"{stem[:MAX_STEM]}.mkv", options)
    title, year = _text(guess.get("title")), guess.get("year")
    if not episode:
        if title is None or not isinstance(year, int):
            return VideoName()
        return VideoName(title, str(year), film=True)
    numbers = _numbers(guess.get("episode"))
    season = _numbers(guess.get("season"))
    series = _series(title, folders, folder)
    if series is None or not numbers:
        return VideoName()
    return VideoName(
        title=_text(guess.get("episode_title")),
        series=series,
        season=season[0] if season else _season(folder) if folder is not None else None,
        episode=numbers[0],
        last_episode=numbers[-1] if len(numbers) > 1 else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _numbers(value: object) -> list[int]:
    values = value if isinstance(value, list) else [value]
    return [number for number in values if isinstance(number, int)]
