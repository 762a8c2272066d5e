"""Where the chapters of audio books, lectures and mixes begin: Vorbis comments, ID3, MP4.

What FFmpeg opens it reads the chapters of itself (:func:`of_container`).
"""

import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from mediaserver.library.objects import MAX_CHAPTERS, Chapter
from mediaserver.library.readers.boxes import Extent, child, children
from mediaserver.library.readers.contents import Contents
from mediaserver.library.readers.found import MAX_DURATION, Found
from mediaserver.library.readers.id3_tag import Tag
from mediaserver.library.readers.naming import clean
from mediaserver.library.readers.values import first

if TYPE_CHECKING:
    from av.container import InputContainer

FIRST = frozenset({"CHAPTER01", "CHAPTER001", "CHAPTER00", "CHAPTER000"})
"""Names of Vorbis comments, one of which is there if there are chapters."""
MAX_TITLE = 1 << 10
"""Bytes of a title that are read."""
MAX_SAMPLES_BYTES = 1 << 20
"""Of one table of a chapter track."""


def put(found: Found, chapters: Iterable[tuple[float, str | None]]) -> None:
    """Chapters as they are found, seconds and titles: in order of time, each time once."""
    begins: dict[int, str | None] = {}
    for seconds, title in chapters:
        # The comparison is also false for NaN.
        if 0 <= seconds <= MAX_DURATION:
            begins.setdefault(round(seconds * 1000), (clean(title) or None) if title else None)
        if len(begins) >= MAX_CHAPTERS:
            break
    found.chapters = tuple(Chapter(*one) for one in sorted(begins.items())) or found.chapters


# ---- Vorbis comments

_COMMENT = re.compile(r"CHAPTER([0-9]{2,3})")
_TIME = re.compile(r"\s*([0-9]{1,4}):([0-5]?[0-9]):([0-5]?[0-9](?:\.[0-9]{1,9})?)\s*")


def of_comments(tags: Mapping[str, Sequence[str]]) -> Iterator[tuple[float, str | None]]:
    """``CHAPTER001=00:01:02.345`` and ``CHAPTER001NAME`` (wiki.xiph.org, Chapter Extension; the
    two digits of OGM are in use as well)."""
    for name in sorted(tags):
        match = _COMMENT.fullmatch(name)
        time = _TIME.fullmatch(first(tags[name]) or "") if match else None
        if time is not None:
            seconds = int(time[1]) * 3600 + int(time[2]) * 60 + float(time[3])
            yield seconds, first(tags.get(f"{name}NAME"))


# ---- ID3

_TOP, _FRAMES = 0x02, struct.Struct(">4I")


def of_id3(tag: Tag) -> Iterator[tuple[float, str | None]]:
    """Frames CHAP: those that the table of contents names, if there is one (ID3v2 Chapter Frame
    Addendum §3)."""
    listed = _listed(tag)
    for data in tag.contents("CHAP"):
        name, _, rest = data.partition(b"\0")
        if len(rest) >= _FRAMES.size and (not listed or name in listed):
            begin_ms, *_ = _FRAMES.unpack_from(rest)
            yield begin_ms / 1000, first(tag.inside(rest[_FRAMES.size :]).texts("TIT2"))


def _listed(tag: Tag) -> set[bytes]:
    """The ids of all that the table on top leads to, of chapters and of tables below."""
    tables: dict[bytes, list[bytes]] = {}
    top: list[bytes] = []
    for data in tag.contents("CTOC"):
        name, _, rest = data.partition(b"\0")
        if len(rest) >= 2:
            tables[name] = rest[2:].split(b"\0", rest[1])[: rest[1]]
            top += [name] if rest[0] & _TOP else []
    found: set[bytes] = set()
    while top:
        name = top.pop()
        if name not in found:
            found.add(name)
            top += tables.get(name, ())
    return found if any(name not in tables for name in found) else set()


# ---- MP4


def of_mp4(contents: Contents) -> Iterator[tuple[float, str | None]]:
    """The track of texts that another one names as its chapters (QuickTime File Format, "Chapter
    lists"): each sample is a title, and begins where the one before ends."""
    movie = child(contents, Extent(0, contents.size), b"moov")
    tracks = [] if movie is None else list(children(contents, movie, b"trak"))
    wanted = {number for track in tracks for number in _named(contents, track)}
    for track in tracks if wanted else ():
        if _number(contents, track) in wanted:
            media = child(contents, track, b"mdia")
            found = [] if media is None else list(_titles(contents, media))
            if found:
                yield from found
                return


def _named(contents: Contents, track: Extent) -> tuple[int, ...]:
    """The numbers of the tracks that hold the chapters of this one."""
    references = child(contents, track, b"tref")
    named = None if references is None else child(contents, references, b"chap")
    data = b"" if named is None else contents.at(named.begin, min(named.size, 64))
    return struct.unpack_from(f">{len(data) // 4}I", data)


def _number(contents: Contents, track: Extent) -> int | None:
    """The track's own number (ISO/IEC 14496-12 §8.3.2)."""
    header = child(contents, track, b"tkhd")
    data = b"" if header is None else contents.at(header.begin, 24)
    if len(data) < 24:
        return None
    return int.from_bytes(data[20:24] if data[0] == 1 else data[12:16], "big")


def _titles(contents: Contents, media: Extent) -> Iterator[tuple[float, str]]:
    scale = _time_scale(contents, media)
    information = child(contents, media, b"minf")
    table = None if information is None else child(contents, information, b"stbl")
    if not scale or table is None:
        return
    ticks = 0
    for (offset, size), length in zip(
        _places(contents, table), _lengths(contents, table), strict=False
    ):
        yield ticks / scale, _title(contents.at(offset, min(size, MAX_TITLE)))
        ticks += length


def _time_scale(contents: Contents, media: Extent) -> int:
    """Ticks a second (§8.4.2)."""
    header = child(contents, media, b"mdhd")
    data = b"" if header is None else contents.at(header.begin, 24)
    if len(data) < 24:
        return 0
    return int.from_bytes(data[20:24] if data[0] == 1 else data[12:16], "big")


def _title(sample: bytes) -> str:
    """A length of two bytes, then UTF-8, or UTF-16 with a mark (3GPP TS 26.245 §5.17)."""
    text = sample[2 : 2 + int.from_bytes(sample[:2], "big")]
    wide = text.startswith((b"\xfe\xff", b"\xff\xfe"))
    return text.decode("utf-16" if wide else "utf-8", "replace")


def _lengths(contents: Contents, table: Extent) -> Iterator[int]:
    """How many ticks each sample lasts (§8.6.1.2)."""
    for count, ticks in _entries(contents, table, b"stts", ">II"):
        for _ in range(min(count, MAX_CHAPTERS)):
            yield ticks


def _places(contents: Contents, table: Extent) -> Iterator[tuple[int, int]]:
    """Offset and size of each sample (§8.7.3 to §8.7.5), the first thousand of them."""
    sizes = iter(_sizes(contents, table))
    chunks = [offset for (offset,) in _entries(contents, table, b"stco", ">I")] or [
        offset for (offset,) in _entries(contents, table, b"co64", ">Q")
    ]
    runs = list(_entries(contents, table, b"stsc", ">III"))
    per_chunk = 0
    for number, offset in enumerate(chunks, 1):
        if runs and runs[0][0] <= number:
            per_chunk = min(runs.pop(0)[1], MAX_CHAPTERS)
        for _ in range(per_chunk):
            size = next(sizes, None)
            if size is None:
                return
            yield offset, size
            offset += size


def _sizes(contents: Contents, table: Extent) -> Sequence[int]:
    box = child(contents, table, b"stsz")
    data = b"" if box is None else contents.at(box.begin, min(box.size, 12 + 4 * MAX_CHAPTERS))
    if len(data) < 12:
        return ()
    size, count = struct.unpack_from(">II", data, 4)
    if size:
        return [size] * min(count, MAX_CHAPTERS)
    return struct.unpack_from(f">{min(count, (len(data) - 12) // 4)}I", data, 12)


def _entries(
    contents: Contents, table: Extent, name: bytes, layout: str
) -> Iterator[tuple[int, ...]]:
    """A full box with a count, then entries of one layout; the first thousand."""
    box = child(contents, table, name)
    entry = struct.Struct(layout)
    most = 8 + entry.size * MAX_CHAPTERS
    data = b"" if box is None else contents.at(box.begin, min(box.size, most))
    count = int.from_bytes(data[4:8], "big") if len(data) >= 8 else 0
    for at in range(8, len(data) - entry.size + 1, entry.size)[:count]:
        yield entry.unpack_from(data, at)


# ---- FFmpeg


def of_container(container: "InputContainer") -> Iterator[tuple[float, str | None]]:
    """Those that FFmpeg has found: of Matroska, MP4, ..."""
    for one in container.chapters():
        if one["time_base"]:
            yield float(one["start"] * one["time_base"]), one["metadata"].get("title")
