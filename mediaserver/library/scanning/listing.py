"""One folder as it is on disk: its media files, folders, playlists and art, and what could not
be looked at.

The one place that decides from a directory entry what it is; :mod:`.walk` compares the
result with the index. Costs one ``stat`` for each of these, none for other files.
"""

import os
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Literal

from mediaserver.library.disks import moved
from mediaserver.library.indexer import FileStatus
from mediaserver.library.names.pictures import NO_PICTURES, Pictures, is_art_only, pictures_of
from mediaserver.library.names.subtitles import is_subtitle
from mediaserver.library.roots import LINK_LOOP, NOT_REGULAR, Exclusion, Rules, explain_error
from mediaserver.media_types import by_suffix, is_playlist

PLAYLIST = "playlist"
"""In place of a kind."""

STEP = 1000
"""Entries looked at in a row, some milliseconds: a folder may have a hundred thousand."""

Identity = tuple[int, int]
"""(device, inode)."""


@dataclass(frozen=True, slots=True)
class Subfolder:
    identity: Identity
    mtime_ns: int
    linked: bool
    """It is a symbolic link to a folder."""


@dataclass(slots=True)
class Listing:
    """What is in a folder, by name."""

    files: dict[bytes, FileStatus] = field(default_factory=dict)
    """Media files; pictures that are art are not among them."""
    folders: dict[bytes, Subfolder] = field(default_factory=dict)
    art: dict[bytes, FileStatus] = field(default_factory=dict)
    """Those pictures."""
    pictures: Pictures = NO_PICTURES
    """What pictures stand for."""
    thumbnails: set[bytes] = field(default_factory=set)
    """Pictures that can be nothing but art."""
    subtitles: set[bytes] = field(default_factory=set)
    playlists: dict[bytes, FileStatus] = field(default_factory=dict)
    unknown: set[bytes] = field(default_factory=set)
    """They are there, but the system would not say more: not to be taken for gone."""
    empty: bool = True
    """Nothing at all is there, of whatever kind."""
    error: str | None = None
    """Why the listing is not complete: what is not in it may be there all the same."""


def advance(steps: Generator[None, None, Listing]) -> Listing | None:
    """Make one step of :func:`listed`; what it gives if that was the last one."""
    try:
        next(steps)
    except StopIteration as end:
        listing: Listing = end.value
        return listing
    return None


def list_folder(path: bytes, inside: bytes, rules: Rules, *, linked: bool = False) -> Listing:
    """List a folder, all at once; like :func:`listed`."""
    steps = listed(path, inside, rules, linked=linked)
    while (listing := advance(steps)) is None:
        pass
    return listing


def listed(
    path: bytes,
    inside: bytes,
    rules: Rules,
    *,
    above: frozenset[Identity] = frozenset(),
    linked: bool = False,
) -> Generator[None, None, Listing]:
    """List the folder at an absolute path, step by step, and give the whole in the end.

    ``inside`` is the path relative to its root. ``above``: the folders it lies in, itself
    included; links to them are loops. ``linked``: it was reached through a link, and no further
    ones to folders are followed. Never raises OSError.
    """
    listing = Listing()
    kinds: set[str] = set()
    try:
        with os.scandir(path) as entries:
            for number, entry in enumerate(entries, 1):
                moved()
                if not number % STEP:
                    yield
                listing.empty = False
                name = entry.name
                if rules.by_name(name, inside) is not None:
                    continue
                try:
                    kind = _add(listing, entry, rules, above, linked)
                except FileNotFoundError:
                    continue  # gone since: as if it had not been listed
                except OSError:
                    listing.unknown.add(name)
                    continue
                if kind is not None:
                    kinds.add(kind)
    except OSError as error:
        listing.error = explain_error(path, error)
    _set_art_apart(listing, kinds)
    return listing


def _add(
    listing: Listing,
    entry: os.DirEntry[bytes],
    rules: Rules,
    above: frozenset[Identity],
    linked: bool,
) -> str | None:
    """File an entry; the kind that a media file's name claims."""
    found = classify(entry, rules, above, linked)
    if isinstance(found, Exclusion) or found is None:
        return None
    if isinstance(found, Subfolder):
        listing.folders[entry.name] = found
        return None
    if isinstance(found, str):
        (listing.subtitles if is_subtitle(entry.name) else listing.thumbnails).add(entry.name)
        return None
    status, kind = found
    if kind == PLAYLIST:
        listing.playlists[entry.name] = status
        return None
    listing.files[entry.name] = status
    return kind


def classify(
    entry: os.DirEntry[bytes], rules: Rules, above: frozenset[Identity], linked: bool
) -> tuple[FileStatus, str] | Subfolder | Exclusion | Literal["sidecar"] | None:
    """A media file with its kind, or a playlist, a folder, something left out, a file that belongs
    to a media file; None: a file of no known type."""
    link = entry.is_symlink()
    if link:
        target = rules.link_target(entry.path)
        if isinstance(target, Exclusion):
            return target
    if entry.is_dir(follow_symlinks=link):
        status = entry.stat(follow_symlinks=link)
        identity = (status.st_dev, status.st_ino)
        if link and (linked or identity in above):
            return LINK_LOOP
        return Subfolder(identity, status.st_mtime_ns, link)
    media_type = by_suffix(entry.name)
    sidecar = is_subtitle(entry.name) or is_art_only(entry.name)
    if media_type is None and not sidecar and not is_playlist(entry.name):
        return None
    if not entry.is_file(follow_symlinks=link):
        return NOT_REGULAR
    if sidecar:
        return "sidecar"
    kind = media_type.kind if media_type is not None else PLAYLIST
    return file_status(entry.stat(follow_symlinks=link)), kind


def file_status(status: os.stat_result) -> FileStatus:
    return FileStatus(status.st_size, status.st_mtime_ns, status.st_dev, status.st_ino)


def _set_art_apart(listing: Listing, kinds: set[str]) -> None:
    """Pictures that stand for something else are no photos (:mod:`.names.pictures`)."""
    if "image" not in kinds and not listing.thumbnails:
        return
    if kinds == {"image"} and not listing.folders and not listing.playlists:
        return
    pictures = list(listing.thumbnails)
    media: list[bytes] = []
    for name in listing.files:
        found = by_suffix(name)
        (pictures if found is not None and found.kind == "image" else media).append(name)
    listing.pictures = pictures_of(
        pictures, media, folders=listing.folders, playlists=listing.playlists
    )
    for name in listing.pictures.names.intersection(listing.files):
        listing.art[name] = listing.files.pop(name)
