"""An ID3 tag taken apart: its frames, and the texts in them (ID3v2.2, 2.3, 2.4; ID3v1).

Done here and not by mutagen, which reads most other formats for us: it makes an object of every
frame and decodes UTF-16 one character at a time, which is half of the work that an MP3 is, and
most libraries are MP3s. Here a frame is looked into when somebody asks for it. What is not as the
standard says but found in real files is understood: plain numbers as the sizes of ID3v2.4 (old
iTunes), short names in ID3v2.3, UTF-16 without its mark or with half an end, UTF-8 that is none.
"""

import re
import struct
import zlib
from collections.abc import Iterator, KeysView, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from typing import NamedTuple

from mutagen.id3 import TCON, Frames_2_2, ID3TimeStamp

from mediaserver.library.readers.contents import Contents, id3_size
from mediaserver.library.readers.values import charset_of, decoded, repaired

LATIN1 = 0
_CODECS = {LATIN1: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}
"""By the first byte of a text frame (ID3v2.4 §4)."""
_MARKED = 1
_WIDE = (_MARKED, 2)
_MARKS = (b"\xff\xfe", b"\xfe\xff")

_UNSYNCHRONISED, _EXTENDED, _FOOTED = 0x80, 0x40, 0x10
"""Flags of the tag (ID3v2.4 §3.1)."""
_FOOTER = 10
"""Bytes; it is the header again, but for its first three."""
MAX_UNPACKED = 16 << 20
"""Bytes of a compressed frame that are looked at."""

_SHORT_NAMES = {name: frame.__base__.__name__ for name, frame in Frames_2_2.items()}
"""Names of ID3v2.2 to those of the later versions."""
_NAME = re.compile(rb"[A-Z][A-Z0-9]{2}[A-Z0-9 \0]")
_FOUR_DIGITS = re.compile("[0-9]{4}")
_NO_SYNC = re.compile(rb"\xff[\xe0-\xff]")
"""What cannot be in unsynchronised data (ID3v2.4 §6.1)."""


_DATES = {"TDRC": "TYER", "TDRL": "", "TDOR": "TORY"}
"""And what they were in ID3v2.3."""


class Frame(NamedTuple):
    """A frame as it stands in the tag: flags still apply."""

    name: str
    flags: int
    data: bytes


class _Texts(NamedTuple):
    encoding: int
    values: list[str]


def read(contents: Contents) -> "Tag":
    """The tag in front of a file (or behind it, where none is in front), with what is only in that
    of ID3v1 at its end; empty without any."""
    return Tag(front(contents) or _behind(contents), contents.tail[-128:])


def front(contents: Contents) -> bytes:
    """The bytes of the tag in front."""
    size = id3_size(contents.head)
    return contents.head[:size] if size <= len(contents.head) else contents.at(0, size)


def _behind(contents: Contents) -> bytes:
    """The bytes of a tag that is found by its footer: at the end, or before one of ID3v1
    (ID3v2.4 §3.4, §5)."""
    tail = contents.tail
    for end in (len(tail), len(tail) - 128):
        footer = tail[max(end - _FOOTER, 0) : max(end, 0)]
        if footer.startswith(b"3DI"):
            size = id3_size(b"ID3" + footer[3:])
            start = contents.size - len(tail) + end - size
            return contents.at(start, size) if size and start >= 0 else b""
    return b""


class Tag:
    """``data``: of ID3v2, from its header on; ``end``: the last 128 bytes of the file.

    Either may be anything else, and then holds no frames. Texts come as they were meant: in the
    character set that the Latin-1 texts of the tag are really in.
    """

    def __init__(self, data: bytes, end: bytes = b"") -> None:
        self._version = data[3] if id3_size(data) else 0
        self._all_unsynchronised = False
        self._frames: dict[str, list[Frame]] = {}
        for frame in self._taken_apart(data):
            self._frames.setdefault(frame.name, []).append(frame)
        self._end = _of_end(end)

    def texts(self, name: str) -> list[str]:
        """The texts of a frame, none of them empty: ``TIT2``, ``TXXX:ARTISTS``; of genres, their
        names, of dates all there is to them.

        ``TDRC`` and ``TDOR`` are also what those of ID3v2.3 say: ``TYER``, ``TDAT``, ``TIME``;
        ``TORY``.
        """
        found = self._plain(name)
        if name == "TCON":
            return [genre for text in found for genre in _genres(text)]
        if name in _DATES:
            stamps = [stamp for text in found if (stamp := _time_stamp(text))]
            return stamps or self._older_date(name)
        return found

    def comments(self) -> list[str]:
        """Comments without a description; with one they are notes of some program."""
        return [
            self._repaired(encoding, text)
            for description, (encoding, texts) in self._described("COMM", 3)
            if not description
            for text in texts
        ]

    def pictures(self) -> Iterator[tuple[int, bytes]]:
        """Type and bytes of each picture that is in the tag itself."""
        for data in self.contents("APIC"):
            picture = _picture(data, short=self._version == 2)
            if picture is not None:
                yield picture

    def contents(self, name: str) -> Iterator[bytes]:
        """The frames of a name, flags undone."""
        for frame in self._frames.get(name, ()):
            data = self._undone(frame)
            if data:
                yield data

    @property
    def names(self) -> KeysView[str]:
        """Of the frames that there are."""
        return self._frames.keys()

    def inside(self, data: bytes) -> "Tag":
        """Frames that stand in a frame of this tag (ID3v2 Chapter Frame Addendum §3.1)."""
        size = bytes(len(data) >> shift & 0x7F for shift in (21, 14, 7, 0))
        return Tag(bytes((*b"ID3", self._version, 0, 0)) + size + data)

    def freely_named(self) -> Iterator[tuple[str, list[str]]]:
        """What stands in frames of free use: what each is for, and its texts."""
        for name in self._free:
            yield name, self._plain(f"TXXX:{name}")

    # ---- frames

    def _taken_apart(self, data: bytes) -> Sequence[Frame]:
        if self._version not in (2, 3, 4):
            return ()
        flags, end = data[5], id3_size(data)
        data = data[10 : end - _FOOTER if flags & _FOOTED else end]
        if self._version == 2:
            # The second flag means compressed, by a scheme that was never made.
            return () if flags & _EXTENDED else list(_short_frames(_sync(data, flags)))
        if self._version == 3:
            data = _sync(data, flags)
        else:
            self._all_unsynchronised = bool(flags & _UNSYNCHRONISED)
        if flags & _EXTENDED and not _NAME.match(data):
            # Its size counts itself in ID3v2.4 only; some programs set the flag without one.
            size = struct.unpack(">L", data[:4].rjust(4, b"\0"))[0]
            data = data[_syncsafe(size) if self._version == 4 else size + 4 :]
        if self._version == 3:
            return _long_frames(data, syncsafe=False).frames
        found = _long_frames(data, syncsafe=True)
        if found.large:
            plain = _long_frames(data, syncsafe=False)
            if plain.credible > found.credible:
                return plain.frames
        return found.frames

    def _undone(self, frame: Frame) -> bytes:
        """The contents of a frame; empty if they are encrypted or damaged."""
        if self._version == 4:
            return _undone_2_4(frame, unsynchronised=self._all_unsynchronised)
        return _undone_2_3(frame) if frame.flags else frame.data

    # ---- texts

    def _plain(self, name: str) -> list[str]:
        if name.startswith("TXXX:"):
            frames = self._free.get(name[5:], [])
        elif name in self._frames or name in self._end:
            frames = self._decoded(name) or self._at_end(name)
        else:
            return []
        found = [self._repaired(encoding, text) for encoding, texts in frames for text in texts]
        return found if len(found) < 2 else list(dict.fromkeys(found))

    def _decoded(self, name: str) -> list[_Texts]:
        return [_Texts(data[0], _values(data[0], data[1:])) for data in self.contents(name)]

    def _at_end(self, name: str) -> list[_Texts]:
        text = self._end.get(name)
        return [_Texts(LATIN1, [text])] if text else []

    def _described(self, name: str, skipped: int = 0) -> Iterator[tuple[str, _Texts]]:
        """Frames of free use: what each is for, and its texts."""
        for data in self.contents(name):
            description, *values = _parts(data[0], data[1 + skipped :]) or [""]
            yield description, _Texts(data[0], [value for value in values if value])

    @cached_property
    def _free(self) -> dict[str, list[_Texts]]:
        found: dict[str, list[_Texts]] = {}
        for description, texts in self._described("TXXX"):
            found.setdefault(description, []).append(texts)
        return found

    def _older_date(self, name: str) -> list[str]:
        """What became a date in ID3v2.4 (§3 of its changes): day and time stood apart."""
        years = self._plain(_DATES[name])
        if name != "TDRC" or not years:
            return years
        day, time = (first[0] if first else "" for first in map(self._plain, ("TDAT", "TIME")))
        if len(years[0]) != 4 or not _FOUR_DIGITS.fullmatch(day):
            return years
        clock = f"T{time[:2]}:{time[2:]}:00" if _FOUR_DIGITS.fullmatch(time) else ""
        return [f"{years[0]}-{day[2:]}-{day[:2]}{clock}"]

    def _repaired(self, encoding: int, text: str) -> str:
        if encoding != LATIN1 or text.isascii():
            return text
        return repaired(text, self._charset)

    @cached_property
    def _charset(self) -> str | None:
        found = list(chain.from_iterable(self._free.values()))
        for name in self._frames:
            if name[0] == "T" and name != "TXXX":
                found += self._decoded(name)
        found += [texts for _, texts in self._described("COMM", 3)]
        texts = [text for one in found if one.encoding == LATIN1 for text in one.values]
        return charset_of([*texts, *self._end.values()])


# ---- frames


def _short_frames(data: bytes) -> Iterator[Frame]:
    """ID3v2.2 §3.2: name and size of three bytes each."""
    at = 0
    while at + 6 < len(data) and data[at]:
        size = int.from_bytes(data[at + 3 : at + 6], "big")
        name = data[at : at + 3].decode("latin-1")
        yield Frame(_SHORT_NAMES.get(name, name), 0, data[at + 6 : at + 6 + size])
        at += 6 + size


_HEADER = struct.Struct(">4sLH")


class _Walk(NamedTuple):
    """Frames as the sizes of one kind lead from each to the next."""

    frames: list[Frame]
    large: bool
    """Whether there is a size that says something else as one of the other kind."""
    rest: bytes | None
    """What is behind the last; None if that would end behind the tag."""

    @property
    def credible(self) -> tuple[int, bool]:
        """The more frames the better; and that nothing is behind them but padding."""
        return len(self.frames), self.rest is not None and not self.rest.strip(b"\0")


def _long_frames(data: bytes, *, syncsafe: bool) -> _Walk:
    """ID3v2.3 §3.3, ID3v2.4 §4: name and size of four bytes each, flags of two."""
    frames, large = [], False
    at, end = 0, len(data) - 10
    while at < end and data[at]:
        name, size, flags = _HEADER.unpack_from(data, at)
        if size > 127:
            large = True
            if syncsafe:
                size = _syncsafe(size)
        at += 10
        if _NAME.match(name):
            text = name.decode()
            if name[3] == 0:
                text = _SHORT_NAMES.get(text[:3], text)
            frames.append(Frame(text, flags, data[at : at + size]))
        at += size
    return _Walk(frames, large, data[at:] if at <= len(data) else None)


def _syncsafe(number: int) -> int:
    """Four bytes of seven bits each (ID3v2.4 §6.2)."""
    return (
        (number >> 24 & 0x7F) << 21
        | (number >> 16 & 0x7F) << 14
        | (number >> 8 & 0x7F) << 7
        | number & 0x7F
    )


def _sync(data: bytes, flags: int) -> bytes:
    """Undo unsynchronisation, unless only the flag says that it was done."""
    if flags & _UNSYNCHRONISED and not _NO_SYNC.search(data):
        return data.replace(b"\xff\0", b"\xff")
    return data


def _undone_2_4(frame: Frame, *, unsynchronised: bool) -> bytes:
    """ID3v2.4 §4.1.2: group, encryption, data length."""
    data, flags = frame.data, frame.flags
    if flags & 0x04:
        return b""
    if flags & 0x40:
        data = data[1:]
    if flags & 0x09:
        data = data[4:]
    if unsynchronised or flags & 0x02:
        data = _sync(data, _UNSYNCHRONISED)
    return _unpacked(data) if flags & 0x08 else data


def _undone_2_3(frame: Frame) -> bytes:
    """ID3v2.3 §3.3.1: size, encryption, group."""
    data, flags = frame.data, frame.flags
    if flags & 0x40:
        return b""
    if flags & 0x80:
        data = data[4:]
    if flags & 0x20:
        data = data[1:]
    return _unpacked(data) if flags & 0x80 else data


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, MAX_UNPACKED)
    except zlib.error:
        return b""


# ---- what is in them


def _values(encoding: int, data: bytes) -> list[str]:
    """The texts in a frame behind the byte of its encoding, empty ones left out."""
    return [value for value in _parts(encoding, data) if value]


def _parts(encoding: int, data: bytes) -> list[str]:
    """What NUL characters keep apart; nothing if it cannot be decoded."""
    codec = _CODECS.get(encoding)
    if codec is None:
        return []
    if encoding in _WIDE and len(data) % 2:
        # One NUL byte as the end, which has two.
        data += b"\0"
    if encoding == _MARKED and data[:2] not in _MARKS:
        codec = _order_of(data)
    try:
        parts = data.decode(codec).split("\0")
        return [_unmarked(part) for part in parts] if encoding in _WIDE else parts
    except UnicodeDecodeError:
        return [] if encoding in _WIDE else decoded(data).split("\0")


def _order_of(data: bytes) -> str:
    """The codec of UTF-16 without its mark, by where the zeros of letters and blanks are; if there
    are none, as the programs of Windows do it, which are those that leave it out."""
    return "utf-16-be" if data[::2].count(0) > data[1::2].count(0) else "utf-16-le"


def _unmarked(text: str) -> str:
    """Each text of several in UTF-16 has a mark of its own, and may be in another byte order."""
    if text[:1] == "\ufffe":
        return text[1:].encode("utf-16-le").decode("utf-16-be")
    return text.removeprefix("\ufeff")


def _picture(data: bytes, *, short: bool) -> tuple[int, bytes] | None:
    """ID3v2.4 §4.14; in ID3v2.2 the format has three letters. None for addresses of pictures."""
    start = 4 if short else data.find(b"\0", 1) + 1
    if not start or data[1:4] == b"-->" or start >= len(data):
        return None
    kind, at = data[start], start + 1
    end = b"\0\0" if data[0] in _WIDE else b"\0"
    stop = data.find(end, at)
    while len(end) == 2 and stop >= 0 and (stop - at) % 2:
        stop = data.find(end, stop + 1)
    return None if stop < 0 else (kind, data[stop + len(end) :])


_NO_GENRE = "Unknown"


@lru_cache(1024)
def _genres(text: str) -> list[str]:
    """mutagen knows "17", "(17)", "(4)Eurodisco", "RX" and "CR", and has a word for numbers that
    stand for none."""
    genres = map(str, TCON(encoding=3, text=[text]).genres)
    return [genre for genre in genres if genre != _NO_GENRE or genre in text]


@lru_cache(1024)
def _time_stamp(text: str) -> str:
    """ISO 8601, with zeros where they were left out (ID3v2.4 §4)."""
    return str(ID3TimeStamp(text))


# ---- ID3v1

_AT_END = (("TIT2", 3, 33), ("TPE1", 33, 63), ("TALB", 63, 93), ("TYER", 93, 97))


def _of_end(data: bytes) -> dict[str, str]:
    """The fields of ID3v1 and 1.1 by the names of frames; but for the comment."""
    if len(data) != 128 or data[:3] != b"TAG":
        return {}
    fields = {
        name: data[start:stop].partition(b"\0")[0].strip().decode("latin-1")
        for name, start, stop in _AT_END
    }
    if not data[125] and data[126]:
        fields["TRCK"] = str(data[126])
    if data[127] != 255:
        fields["TCON"] = str(data[127])
    return fields
