"""Why a file is, or is not, served, and as what: for ``mediaserver why PATH``.

Asks the rules and the disk as a scan does, then the index, which may be in use by a server: it
is opened for reading only. Reads no media.
"""

import contextlib
import os
import sqlite3
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mediaserver import urls
from mediaserver.library.explaining import sheets
from mediaserver.library.explaining.details import facts_beside, stars
from mediaserver.library.explaining.no_item import why_no_item
from mediaserver.library.indexing import known
from mediaserver.library.object_ids import folder_id, item_id, playlist_id
from mediaserver.library.objects import ObjectID
from mediaserver.library.readers.naming import clean
from mediaserver.library.roots import (
    MAX_DEPTH,
    NOT_REGULAR,
    TOO_DEEP,
    Exclusion,
    Rules,
    explain_error,
    join,
)
from mediaserver.library.scanning.listing import file_status
from mediaserver.media_types import by_suffix


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What a path is in the library."""

    object_id: ObjectID
    title: str
    upnp_class: str
    mime_type: str | None = None
    dlna_profile: str | None = None
    url_path: str | None = None
    """On the server; folders have none."""
    facts: tuple[tuple[str, str], ...] = ()
    """What else is known, as pairs of a word and a value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """``served`` and ``reasons`` may both be there: an old state is served, and why so."""

    path: bytes
    reasons: tuple[str, ...] = ()
    served: Served | None = None

    def lines(self) -> list[str]:
        """For people; one line of printable text each."""
        lines = [clean(os.fsdecode(self.path))]
        if self.served is None:
            lines.append("is not served")
        else:
            lines += _served_lines(self.served)
        lines += [f"because: {reason}" for reason in self.reasons if self.served is None]
        lines += [f"but: {reason}" for reason in self.reasons if self.served is not None]
        return [clean(line) for line in lines]


def explain(
    path: Path,
    *,
    index: Path,
    roots: Sequence[Path],
    ignore: Sequence[str] = (),
    follow_links: bool = False,
) -> Explanation:
    """Explain a file or folder. ``index`` is the index's file; it need not exist.

    ``roots`` are the media roots that are configured; those that the index knows besides count
    too, as they may have been named to a server directly. Raises nothing for what it finds; an
    index that cannot be read is a reason of its own.
    """
    absolute = os.path.abspath(os.fsencode(path))  # noqa: PTH100 - links are to be seen
    roots = [*roots, *(root for root in _known_roots(index) if root not in roots)]
    rules = Rules([os.fsencode(root) for root in roots], ignore=ignore, follow_links=follow_links)
    located = rules.locate(absolute)
    if located is None:
        shown = ", ".join(str(root) for root in roots) or "there are none"
        return Explanation(path=absolute, reasons=(f"it lies in no media root ({shown})",))
    root, inside = located
    excluded = _excluded(root, inside, rules)
    try:
        with _opened(index) as connection:
            answer = _look_up(connection, absolute, root, inside, excluded)
    except (sqlite3.Error, OSError) as error:
        reason = excluded or f"the index cannot be read: {error}"
        return Explanation(path=absolute, reasons=(reason,))
    return answer


# ---- the disk


def _excluded(root: bytes, inside: bytes, rules: Rules) -> str | None:
    """Why the rules, or the system, leave the path out; None: they do not."""
    exclusion = rules.by_path(inside)
    if exclusion is not None:
        return _naming(inside, rules, exclusion)
    try:
        os.stat(root)  # noqa: PTH116 - a path of bytes
    except OSError as error:
        return f"its media root: {explain_error(root, error)}"
    parent = b""
    names = inside.split(b"/") if inside else []
    for depth, name in enumerate(names):
        reason = _component(root, parent, name, rules, last=depth == len(names) - 1)
        if reason is not None:
            return reason
        parent = join(parent, name)
    if len(names) - 1 > MAX_DEPTH:
        return TOO_DEEP.reason
    return None


def _naming(inside: bytes, rules: Rules, exclusion: Exclusion) -> str:
    """The reason, with the folder that it is about where that is not the path itself."""
    parent = b""
    names = inside.split(b"/")
    for name in names[:-1]:
        if rules.by_name(name, parent) is not None:
            return f"the folder {os.fsdecode(name)!r}: {exclusion.reason}"
        parent = join(parent, name)
    return exclusion.reason


def _component(root: bytes, parent: bytes, name: bytes, rules: Rules, *, last: bool) -> str | None:
    path = join(root, join(parent, name)) if not root.endswith(b"/") else root + join(parent, name)
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            target = rules.link_target(path)
            if isinstance(target, Exclusion):
                return target.reason if last else f"{os.fsdecode(name)!r}: {target.reason}"
            status = os.stat(path)  # noqa: PTH116
        if last and stat.S_ISDIR(status.st_mode):
            os.scandir(path).close()
    except OSError as error:
        return explain_error(path, error)
    if not last or stat.S_ISDIR(status.st_mode):
        return None
    return _of_file(path, parent, rules, status)


def _of_file(path: bytes, parent: bytes, rules: Rules, status: os.stat_result) -> str | None:
    reason = why_no_item(path, parent, rules)
    return reason if reason is not None or stat.S_ISREG(status.st_mode) else NOT_REGULAR.reason


# ---- the index


@contextlib.contextmanager
def _opened(index: Path) -> Iterator[sqlite3.Connection]:
    if not index.exists():
        raise FileNotFoundError("there is none yet; nothing has been scanned")
    uri = f"{index.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=5)) as connection:
        yield connection


def _known_roots(index: Path) -> list[Path]:
    try:
        with _opened(index) as connection:
            return [Path(os.fsdecode(root.path)) for root in known.roots(connection)]
    except (sqlite3.Error, OSError):
        return []  # told when a path is looked up


def _look_up(
    connection: sqlite3.Connection,
    absolute: bytes,
    root: bytes,
    inside: bytes,
    excluded: str | None,
) -> Explanation:
    known_root = next((one for one in known.roots(connection) if one.path == root), None)
    served, reasons = None, []
    if excluded is not None:
        reasons.append(excluded)
    if known_root is not None and not known_root.available:
        reasons.append(f"its media root is not available: {known_root.reason}")
    elif known_root is not None:
        folders = known.known_folders(connection, known_root.root_id)
        folder = folders.get(inside)
        parent = folders.get(inside.rpartition(b"/")[0]) if inside else None
        if folder is not None:
            served = _folder(connection, folder.key)
        elif parent is not None:
            name = inside.rpartition(b"/")[2]
            file = known.file(connection, parent.key, name)
            if file is not None:
                split = sheets.of_split_file(connection, file.key)
                served = None if split else _item(connection, file.key)
                reasons += split or sheets.of_whole_file(connection, file.key)
                reasons += _differences(absolute, file.status, file.reason)
            playlist = known.known_playlists(connection, parent.key).get(name)
            if playlist is not None:
                served, left_out = _playlist(connection, playlist)
                reasons += [*left_out, *_differences(absolute, playlist.status, None)]
    if served is None and not reasons:
        reasons.append("it has not been scanned yet")
        if os.path.isdir(absolute):  # noqa: PTH112
            reasons.append("folders are served once media files have been found in them")
    elif served is not None and excluded is not None:
        reasons = [f"not for long: {excluded}", *reasons[1:]]
    return Explanation(path=absolute, reasons=tuple(reasons), served=served)


def _differences(path: bytes, before: known.FileStatus, reason: str | None) -> list[str]:
    """What is wrong with a file, or is not any more what the index has of it."""
    reasons = []
    if reason is not None:
        reasons.append(f"its contents could not be read: {reason}")
    try:
        now = file_status(os.stat(path))  # noqa: PTH116
    except OSError:
        return reasons  # told by the rules already
    if (now.size, now.mtime_ns) != (before.size, before.mtime_ns):
        reasons.append("it has changed since it was read; the next scan reads it again")
    return reasons


_FACTS = (
    "artists", "album", "album_artists", "genres", "track", "disc", "date", "rating", "duration_ms",
    "bitrate", "sample_rate", "channels", "audio_codec", "video_codec", "width", "height", "camera",
    "languages", "release_id",
)  # fmt: skip


def _item(connection: sqlite3.Connection, key: int) -> Served:
    columns = "title, upnp_class, mime_type, dlna_profile, name, kind, size, added"
    row = connection.execute(
        f"SELECT {columns}, {', '.join(_FACTS)} FROM items WHERE id = ?",  # noqa: S608 - our names
        (key,),
    ).fetchone()
    title, upnp_class, mime_type, profile, name, kind, size, _ = row[:8]
    media_type = by_suffix(name)
    facts = [("kind", kind), ("size", f"{size} bytes")]
    for word, value in zip(_FACTS, row[8:], strict=True):
        if value not in (None, ""):
            facts.append(_fact(word, value))
    facts += facts_beside(connection, key)
    return Served(
        object_id=item_id(key),
        title=title,
        upnp_class=upnp_class,
        mime_type=mime_type,
        dlna_profile=profile,
        url_path=urls.media(key, f".{media_type.suffix}" if media_type else ""),
        facts=tuple(facts),
    )


def _fact(word: str, value: object) -> tuple[str, str]:
    match word:
        case "duration_ms":
            return "duration", f"{timedelta(seconds=round(int(str(value)) / 1000))}"
        case "bitrate" | "sample_rate":
            return word, f"{value} {'bit/s' if word == 'bitrate' else 'Hz'}"
        case "rating":
            return word, stars(int(str(value)))
        case "release_id":
            return "MusicBrainz release", str(value)
    return word, "; ".join(str(value).splitlines())


def _folder(connection: sqlite3.Connection, key: int) -> Served:
    title, audio, video, image = connection.execute(
        "SELECT title, audio_below, video_below, image_below FROM folders WHERE id = ?", (key,)
    ).fetchone()
    counts = (("audio", audio), ("video", video), ("image", image))
    return Served(
        object_id=folder_id(key),
        title=title,
        upnp_class="object.container.storageFolder",
        facts=tuple(
            (word, f"{count} file{'' if count == 1 else 's'}") for word, count in counts if count
        ),
    )


_EXAMPLES = 3
"""Entries of a playlist that are named for each reason why they are left out."""


def _playlist(
    connection: sqlite3.Connection, known_one: known.KnownPlaylist
) -> tuple[Served | None, list[str]]:
    """What a playlist is served as, and why not, or not all of it."""
    title, shown, count = connection.execute(
        "SELECT title, shown, entry_count FROM playlists WHERE id = ?", (known_one.key,)
    ).fetchone()
    left_out: dict[str, list[str]] = {}
    total = 0
    for location, reason in connection.execute(
        "SELECT location, reason FROM playlist_entries WHERE playlist_id = ? ORDER BY position",
        (known_one.key,),
    ):
        total += 1
        if reason is not None:
            left_out.setdefault(reason, []).append(location)
    reasons = list(sheets.of_sheet(connection, known_one.key))
    if reasons:
        return None, reasons
    if known_one.reason is not None:
        reasons.append(known_one.reason if total else f"it could not be read: {known_one.reason}")
    elif not total:
        reasons.append("it names nothing")
    for reason, locations in left_out.items():
        examples = ", ".join(locations[:_EXAMPLES])
        more = ", ..." if len(locations) > _EXAMPLES else ""
        reasons.append(f"{len(locations)} of {total} entries left out: {reason} ({examples}{more})")
    if not shown:
        return None, reasons
    served = Served(
        object_id=playlist_id(known_one.key),
        title=title,
        upnp_class="object.container.playlistContainer",
        facts=(("entries", str(count)),),
    )
    return served, reasons


def _served_lines(served: Served) -> list[str]:
    rows = [
        ("title", served.title),
        ("class", served.upnp_class),
        ("MIME type", served.mime_type),
        ("DLNA profile", served.dlna_profile or ("none" if served.mime_type else None)),
        ("object id", served.object_id),
        ("URL path", served.url_path),
        *((word.replace("_", " "), value) for word, value in served.facts),
    ]
    return ["is served", *(f"{word}: {value}" for word, value in rows if value is not None)]
