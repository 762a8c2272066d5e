"""Tags that nobody means: very long, very many, or lies. A file with them is played even so."""

import struct
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TALB, TDRC, TIT2, TPE1, TRCK
from mutagen.mp4 import MP4
from mutagen.oggvorbis import OggVorbis

from mediaserver.library.objects import MediaFacts
from mediaserver.library.readers import read
from tests import make_media
from tests.library.an_index import Index

MOST_TEXT = 1024
"""Bytes of a value (security.md M2)."""
MOST_VALUES = 64
MOST_MEMORY = 64 << 20

Tags = Mapping[str, Sequence[str]]
Writer = Callable[[Path, Tags], Path]


def _mp3(folder: Path, tags: Tags) -> Path:
    path = make_media.sound(folder / "a.mp3")
    frames = {"TITLE": TIT2, "ARTIST": TPE1, "ALBUM": TALB, "DATE": TDRC, "TRACKNUMBER": TRCK}
    written = ID3()
    for name, texts in tags.items():
        written.add(frames[name](encoding=3, text=list(texts)))
    written.save(path)
    return path


def _vorbis(suffix: str, kind: type[FLAC] | type[OggVorbis]) -> Writer:
    def write(folder: Path, tags: Tags) -> Path:
        path = make_media.sound(folder / f"a{suffix}")
        file = kind(path)
        file.update(tags)
        file.save()
        return path

    return write


def _mp4(folder: Path, tags: Tags) -> Path:
    path = make_media.sound(folder / "a.m4a")
    names = {"TITLE": "\xa9nam", "ARTIST": "\xa9ART", "ALBUM": "\xa9alb", "DATE": "\xa9day"}
    file = MP4(path)
    file.update({names[name]: list(texts) for name, texts in tags.items() if name in names})
    file.save()
    return path


def _asf(folder: Path, tags: Tags) -> Path:
    path = make_media.sound(folder / "a.wma")
    names = {
        "TITLE": "Title",
        "ARTIST": "Author",
        "ALBUM": "WM/AlbumTitle",
        "DATE": "WM/Year",
        "TRACKNUMBER": "WM/TrackNumber",
    }
    file = ASF(path)
    for name, texts in tags.items():
        file[names[name]] = list(texts)
    file.save()
    return path


def _ape(folder: Path, tags: Tags) -> Path:
    path = make_media.sound(folder / "a.wv")
    file = APEv2()
    names = {"TRACKNUMBER": "Track", "DATE": "Year"}
    for name, texts in tags.items():
        file[names.get(name, name.title())] = list(texts)
    file.save(path)
    return path


WRITERS = {
    "ID3": _mp3,
    "FLAC": _vorbis(".flac", FLAC),
    "Vorbis": _vorbis(".ogg", OggVorbis),
    "MP4": _mp4,
    "ASF": _asf,
    "APEv2": _ape,
}
every_family = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())


def facts_of(path: Path) -> MediaFacts:
    """What is read, with no more memory than any file may take, and the sound understood."""
    tracemalloc.start()
    try:
        facts = read(bytes(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert facts.reason is None
    assert facts.duration_ms is not None
    assert peak < MOST_MEMORY
    return facts


@every_family
def test_a_title_of_a_megabyte_is_cut(tmp_path: Path, write: Writer) -> None:
    # ASF cannot hold more than 64 KB in an attribute.
    length = 30_000 if write is _asf else 1 << 20
    facts = facts_of(write(tmp_path, {"TITLE": ["ä" * length]}))
    assert facts.title == "ä" * (MOST_TEXT // 2)


@every_family
def test_control_characters_are_left_out(tmp_path: Path, write: Writer) -> None:
    facts = facts_of(write(tmp_path, {"TITLE": ["\x01So\x1bng\x7f\n\tTwo\ufffe"]}))
    assert facts.title == "Song Two"


@every_family
def test_ten_thousand_artists_are_as_many_as_a_tag_may_name(tmp_path: Path, write: Writer) -> None:
    names = [f"Artist {number}" for number in range(10_000)]
    facts = facts_of(write(tmp_path, {"TITLE": ["x"], "ARTIST": names}))
    assert facts.artists == tuple(names[:MOST_VALUES])


@every_family
def test_a_year_of_five_digits_and_a_negative_track_are_none(tmp_path: Path, write: Writer) -> None:
    tags = {"TITLE": ["x"], "DATE": ["99999"], "TRACKNUMBER": ["-3"]}
    facts = facts_of(write(tmp_path, tags))
    assert (facts.date, facts.track) == (None, None)


def test_bytes_that_are_no_unicode_become_text_that_is(tmp_path: Path) -> None:
    path = _vorbis(".flac", FLAC)(tmp_path, {"TITLE": ["AAAA"], "ARTIST": ["BBBB"]})
    data = path.read_bytes().replace(b"AAAA", b"A\xff\xfe\x80").replace(b"BBBB", b"\xed\xa0\x80B")
    path.write_bytes(data)
    facts = facts_of(path)
    assert facts.title is not None
    for text in (facts.title, *facts.artists):
        assert text.encode().decode() == text


def test_half_characters_of_utf_16_do_no_harm(tmp_path: Path) -> None:
    path = _mp3(tmp_path, {})
    frame = b"\x01\xff\xfe" + "Song".encode("utf-16-le") + b"\x00\xd8"
    body = b"TIT2" + struct.pack(">IH", len(frame), 0) + frame
    sound = path.read_bytes()
    path.write_bytes(b"ID3\x03\0\0" + syncsafe(len(body)) + body + sound)
    facts = facts_of(path)
    assert facts.title is not None
    assert facts.title.encode()


# ---- pictures that claim to be larger than the file


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def test_a_picture_of_id3_that_claims_four_gigabytes_is_none(tmp_path: Path) -> None:
    path = _mp3(tmp_path, {})
    picture = b"\0image/jpeg\0\x03\0" + b"\xff\xd8" + b"x" * 100
    title = b"TIT2" + struct.pack(">IH", 5, 0) + b"\0Song"
    body = title + b"APIC" + struct.pack(">IH", 0xFFFFFFFF, 0) + picture
    path.write_bytes(b"ID3\x03\0\0" + syncsafe(len(body)) + body + path.read_bytes())
    facts = facts_of(path)
    assert (facts.title, facts.art) == ("Song", None)


def test_a_tag_of_id3_that_claims_more_than_the_file_does_not_hide_what_is_in_it(
    tmp_path: Path,
) -> None:
    sound = make_media.sound(tmp_path / "a.mp3", container_options={"id3v2_version": "0"})
    title = b"TIT2" + struct.pack(">IH", 5, 0) + b"\0Song"
    path = tmp_path / "b.mp3"
    path.write_bytes(b"ID3\x03\0\0" + syncsafe((1 << 28) - 1) + title + sound.read_bytes())
    tracemalloc.start()
    try:
        facts = read(bytes(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Where the sound begins is not known then; it is served, and nobody runs out of memory.
    assert facts.mime_type == "audio/mpeg"
    assert peak < MOST_MEMORY


def test_a_picture_of_flac_that_claims_four_gigabytes_is_none(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.flac", metadata={"title": "Song"})
    data = path.read_bytes()
    picture = (
        struct.pack(">II", 3, 10) + b"image/jpeg" + struct.pack(">I4II", 0, 9, 9, 24, 0, 2**32 - 1)
    )
    block = bytes([6]) + len(picture).to_bytes(3, "big") + picture
    # Behind STREAMINFO, which is the first block and 34 bytes long (RFC 9639 §8).
    path.write_bytes(data[:42] + block + data[42:])
    facts = facts_of(path)
    assert facts.art is None


def test_a_picture_of_mp4_that_claims_five_gigabytes_is_none(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.m4a")
    file = MP4(path)
    file["\xa9nam"], file["covr"] = ["Song"], [b"\xff\xd8" + b"x" * 200]
    file.save()
    data = path.read_bytes()
    at = data.index(b"covr") + 4
    assert data[at + 4 : at + 8] == b"data"
    # A size of 1 stands for one of 64 bits behind the name (ISO/IEC 14496-12 §4.2).
    path.write_bytes(data[:at] + struct.pack(">I4sQ", 1, b"data", 5 << 30) + data[at + 16 :])
    facts = facts_of(path)
    assert facts.art is None


@pytest.mark.parametrize("name", ["a.flac", "a.m4a", "a.aiff", "a.wav"])
def test_no_size_in_a_header_makes_room_for_what_is_not_there(tmp_path: Path, name: str) -> None:
    path = make_media.sound(tmp_path / name, seconds=0.1, metadata={"title": "Song"})
    data = path.read_bytes()
    start = max(data.find(b"moov"), 0)
    tracemalloc.start()
    try:
        for at in range(start, min(start + 1200, len(data) - 4), 4 if start else 2):
            lying = bytearray(data)
            lying[at : at + 4] = b"\x7f\xff\xff\xff"
            path.write_bytes(lying)
            read(bytes(path))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < MOST_MEMORY


# ---- in the index


def test_what_is_absurd_is_shown_as_far_as_it_makes_sense(tmp_path: Path) -> None:
    names = [f"Artist {number}" for number in range(10_000)]
    tags = {"TITLE": ["\x02" + "x" * (1 << 20)], "ARTIST": names, "DATE": ["99999"]}
    facts = facts_of(_vorbis(".flac", FLAC)(tmp_path, tags))
    index = Index(tmp_path / "index.sqlite")
    _, folder = index.root()
    index.item(folder, b"a.flac", facts)
    assert index.problems() == []
    assert index.ask("SELECT length(title), date FROM items") == [(MOST_TEXT, None)]
    # Sixteen are enough to find it by (facets.MAX_VALUES).
    assert len(index.facets("artist")) == 16
    assert index.facets("year") == [("Unknown year", 1)]
    index.close()


def test_a_length_that_leads_back_is_not_followed_for_ever(tmp_path: Path) -> None:
    # A packet of Musepack SV8: two letters, its length with these and itself, which is 0 here.
    path = tmp_path / "a.mpc"
    path.write_bytes(b"MPCKXX\0" + bytes(100))
    assert read(bytes(path)).reason is not None
