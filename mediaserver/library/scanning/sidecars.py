"""Files beside media that belong to them, compared on the walk: pictures and subtitles.

What they are is told by names (:mod:`mediaserver.library.names`); only of a picture that is new
or has changed the head is read, for its size.
"""

import contextlib
import os
from collections.abc import Container, Sequence
from functools import partial
from typing import Protocol

from mediaserver.library.disks import NO_ANSWER, Disks, NoAnswer
from mediaserver.library.indexer import (
    NO_SIDECARS,
    ArtFile,
    Batch,
    FileStatus,
    Sidecars,
    SubtitleFile,
)
from mediaserver.library.names import subtitles
from mediaserver.library.readers.picture_header import measure
from mediaserver.library.roots import Rules, join
from mediaserver.library.scanning.folder_tree import FolderTree
from mediaserver.library.scanning.listing import Listing, list_folder
from mediaserver.library.scanning.outbox import Outbox
from mediaserver.media_types import by_suffix

ART_HEAD = 256 << 10
"""Bytes of a picture in which its size must stand."""


class Folder(Protocol):
    """A folder on the walk."""

    key: int | None

    @property
    def path(self) -> bytes:
        """Relative to its root."""

    @property
    def absolute(self) -> bytes: ...

    def ensure(self, batch: Batch) -> int:
        """Its key, once it is in the index."""


class SidecarFiles:
    """Those of one scan."""

    def __init__(self, known: FolderTree, rules: Rules, disks: Disks, outbox: Outbox) -> None:
        self._known = known
        self._rules = rules
        self._disks = disks
        self._outbox = outbox

    def compare(self, folder: Folder, listing: Listing) -> None:
        """Tell the index what is another than it knows."""
        art, before = None, NO_SIDECARS
        if folder.key is not None:
            art, before = self._known.art(folder.key), self._known.sidecars(folder.key)
        self._compare_art(folder, listing, art)
        found = self._found(folder, listing, before)
        if found != before:

            def set_sidecars(batch: Batch) -> None:
                batch.set_sidecars(folder.ensure(batch), found)

            self._outbox.add(set_sidecars)

    # ---- pictures

    def _compare_art(self, folder: Folder, listing: Listing, known: ArtFile | None) -> None:
        art = self._first(folder, listing, listing.pictures.folder, known)
        if art != known:

            def set_art(batch: Batch) -> None:
                batch.set_folder_art(folder.ensure(batch), art)

            self._outbox.add(set_art)

    def _found(self, folder: Folder, listing: Listing, before: Sidecars) -> Sidecars:
        pictures = listing.pictures
        if not pictures.names and not listing.subtitles and not listing.folders:
            return NO_SIDECARS
        known = dict(before.art)
        # The picture of a folder that has others inside, and no media, is that of an artist if
        # there is one of its name.
        artist = pictures.artist or (() if listing.files else pictures.folder)
        art = {
            name: self._first(folder, listing, candidates, known.get(name))
            for name, candidates in sorted({**pictures.files, **pictures.folders}.items())
        }
        return Sidecars(
            artist=self._first(folder, listing, artist, before.artist),
            art=tuple((name, one) for name, one in art.items() if one is not None),
            subtitles=self._subtitles(folder, listing, before),
        )

    def _first(
        self,
        folder: Folder,
        listing: Listing,
        candidates: Sequence[bytes],
        known: ArtFile | None,
    ) -> ArtFile | None:
        """The best picture that can be shown."""
        if not candidates:
            return None
        path = folder.absolute
        try:
            return self._disks.ask(path, partial(_first, path, listing, candidates, known))
        except NoAnswer:
            return known

    # ---- subtitles

    def _subtitles(
        self, folder: Folder, listing: Listing, before: Sidecars
    ) -> tuple[SubtitleFile, ...]:
        named = [name for name in listing.folders if name.lower() in subtitles.FOLDERS]
        if not named and not listing.subtitles:
            return ()
        videos = [
            name
            for name in listing.files
            if (found := by_suffix(name)) is not None and found.kind == "video"
        ]
        stems = {name.rpartition(b".")[0].lower() for name in videos}
        below = set[bytes]()
        for name in named if videos else ():
            below |= self._below(folder, name, stems, before)
        by_video = subtitles.subtitles_of(listing.subtitles, below, videos)
        return tuple(
            SubtitleFile(video, one.name, one.language, one.format, one.note)
            for video, named in sorted(by_video.items())
            for one in named
        )

    def _below(
        self, folder: Folder, name: bytes, stems: Container[bytes], before: Sidecars
    ) -> set[bytes]:
        """The subtitles in a folder for them, and in those folders in it that are called like
        videos; by their paths."""
        path, relative = folder.absolute + b"/" + name, join(folder.path, name)
        try:
            inside = self._disks.ask(
                path, partial(list_folder, path, relative, self._rules, linked=True)
            )
        except NoAnswer:
            inside = Listing(error=NO_ANSWER)
        found = {name + b"/" + one for one in inside.subtitles}
        if inside.error is not None:
            # What cannot be listed is unknown, not gone.
            known = (one.name for one in before.subtitles)
            found.update(one for one in known if one.startswith(name + b"/"))
        for deeper in inside.folders:
            if deeper.lower() in stems:
                found |= self._below(folder, name + b"/" + deeper, (), before)
        return found


def _first(
    folder: bytes, listing: Listing, candidates: Sequence[bytes], known: ArtFile | None
) -> ArtFile | None:
    for name in candidates:
        path = folder + b"/" + name
        mtime_ns = _changed(path, listing.art.get(name))
        if mtime_ns is None:
            continue
        if known is not None and (known.name, known.mtime_ns) == (name, mtime_ns):
            return known
        art = _art_file(path, name, mtime_ns)
        if art is not None:
            return art
    return None


def _changed(path: bytes, status: FileStatus | None) -> int | None:
    if status is not None:
        return status.mtime_ns
    with contextlib.suppress(OSError):
        return os.stat(path).st_mtime_ns  # noqa: PTH116 - a path of bytes
    return None


def _art_file(path: bytes, name: bytes, mtime_ns: int) -> ArtFile | None:
    """A picture that can be shown; None for anything else of that name."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        measured = measure(os.pread(descriptor, ART_HEAD, 0))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return ArtFile(name, *measured, mtime_ns) if measured is not None else None
