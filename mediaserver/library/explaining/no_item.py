"""Why a file is no item of its own: what it belongs to, or what it is instead of media."""

import os
from collections.abc import Iterable

from mediaserver.library.names.subtitles import Named, home_of, is_subtitle, subtitles_of
from mediaserver.library.roots import Rules
from mediaserver.library.scanning.listing import Listing, list_folder
from mediaserver.media_types import LEFT_OUT, SIDECAR_SUFFIXES, by_suffix, is_playlist, suffix_of


def why_no_item(path: bytes, inside: bytes, rules: Rules) -> str | None:
    """For a regular file at an absolute path; ``inside`` is its folder, relative to its root.

    None if it is one, as far as its name and those beside it tell.
    """
    folder, _, name = path.rpartition(b"/")
    if is_subtitle(name):
        return _of_subtitle(folder, inside, name, rules)
    listing = list_folder(folder, inside, rules)
    if name in listing.pictures.names:
        return _of_picture(listing, name)
    if by_suffix(name) is not None or is_playlist(name):
        return None
    suffix = suffix_of(name)
    if suffix in LEFT_OUT:
        return LEFT_OUT[suffix]
    if suffix in SIDECAR_SUFFIXES:
        return f"a file of the type .{suffix} belongs to others, it is no media itself"
    return f"no media type is known for its suffix ({'.' + suffix if suffix else 'none'})"


def _of_picture(listing: Listing, name: bytes) -> str:
    pictures = listing.pictures
    of_files = [media for media, names in pictures.files.items() if name in names]
    if of_files:
        return f"it is the picture of {_listed(of_files)}, not a photo"
    of_folders = [folder for folder, names in pictures.folders.items() if name in names]
    if of_folders:
        return f"it is the picture of the folder {_listed(of_folders)}, not a photo"
    if name in pictures.folder:
        return "it is the art of its folder, shown with what is in it, not a photo"
    if name in pictures.artist:
        return "it is the picture of the artist that its folder is named after, not a photo"
    return "it is decoration for programs that show it behind or beside a film or album, no photo"


def _of_subtitle(folder: bytes, inside: bytes, name: bytes, rules: Rules) -> str:
    found = _videos_with(list_folder(folder, inside, rules), [name], [])
    home = home_of(inside)
    if not found and home is not None:
        below = inside[len(home) :].lstrip(b"/")
        listing = list_folder(folder[: -len(below)].rstrip(b"/"), home, rules)
        found = _videos_with(listing, [], [below + b"/" + name])
    if not found:
        return "it is a subtitle, but no video of its name is beside it"
    one = next(iter(found.values()))
    told = ", ".join(filter(None, (one.language, one.note)))
    return f"it is a subtitle of {_listed(found)}{f' ({told})' if told else ''}, sent with it"


def _videos_with(
    listing: Listing, names: Iterable[bytes], below: Iterable[bytes]
) -> dict[bytes, Named]:
    videos = [
        name
        for name in listing.files
        if (found := by_suffix(name)) is not None and found.kind == "video"
    ]
    return {video: named[0] for video, named in subtitles_of(names, below, videos).items()}


def _listed(names: Iterable[bytes]) -> str:
    return " and ".join(os.fsdecode(name) for name in sorted(names))
