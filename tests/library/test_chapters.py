"""Chapters of books, films and mixes, written by FFmpeg, mutagen, or byte by byte."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.flac import FLAC
from mutagen.id3 import CHAP, CTOC, ID3, TIT2, CTOCFlags
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis

from mediaserver.library.objects import MAX_CHAPTERS, Chapter, Kind
from mediaserver.library.readers import chapters, read
from mediaserver.library.readers.contents import Contents, open_contents
from mediaserver.library.readers.found import Found
from tests import make_media

BOOK = (Chapter(0, "Eins – für alle"), Chapter(1000, "第二章"), Chapter(2500, "The End"))


def chapters_of(path: Path) -> tuple[Chapter, ...]:
    facts = read(bytes(path))
    assert facts.reason is None
    return facts.chapters


def with_chapters(source: Path, target: Path, muxer: str, **options: str) -> Path:
    """The sound of a file in another container, with the chapters of the book."""
    with (
        av.open(str(source)) as file,
        av.open(str(target), "w", format=muxer, container_options=options) as out,
    ):
        stream = file.streams.audio[0]
        copy = out.add_stream_from_template(stream)
        ends = [*(one.begin_ms for one in BOOK[1:]), 3000]
        out.set_chapters(
            [
                {
                    "id": number,
                    "start": one.begin_ms,
                    "end": end,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": one.title or ""},
                }
                for number, (one, end) in enumerate(zip(BOOK, ends, strict=True))
            ]
        )
        for packet in file.demux(stream):
            if packet.dts is not None:
                packet.stream = copy
                out.mux(packet)
    return target


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return make_media.sound(tmp_path / "source.m4a", seconds=3)


def test_the_chapter_track_of_an_audio_book_is_read(book: Path, tmp_path: Path) -> None:
    path = with_chapters(book, tmp_path / "book.m4b", "ipod", movflags="disable_chpl")
    assert b"chpl" not in path.read_bytes()
    assert chapters_of(path) == BOOK


def test_the_chapter_list_of_an_audio_book_is_read(book: Path, tmp_path: Path) -> None:
    path = with_chapters(book, tmp_path / "book.m4b", "ipod")
    data = path.read_bytes()
    # The same file without the reference to the track.
    path.write_bytes(data.replace(b"chap", b"free"))
    assert b"chpl" in data
    assert chapters_of(path) == BOOK


@pytest.mark.parametrize(("name", "muxer"), [("a.mka", "matroska"), ("a.mp4", "mp4")])
def test_chapters_that_ffmpeg_reads_are_kept(
    book: Path, tmp_path: Path, name: str, muxer: str
) -> None:
    assert chapters_of(with_chapters(book, tmp_path / name, muxer)) == BOOK


def test_chapters_in_vorbis_comments_are_read(tmp_path: Path) -> None:
    # https://wiki.xiph.org/Chapter_Extension
    tags = {
        "CHAPTER001": "00:00:00.000",
        "CHAPTER001NAME": "Intro",
        "chapter002": "01:02:03.456",
        "chapter002name": "Part two",
        "CHAPTER003": "99:99",
        "CHAPTER003NAME": "None",
    }
    expected = (Chapter(0, "Intro"), Chapter(3723456, "Part two"))
    vorbis = OggVorbis(make_media.sound(tmp_path / "a.ogg"))
    opus = OggOpus(make_media.sound(tmp_path / "a.opus", rate=48000))
    flac = FLAC(make_media.sound(tmp_path / "a.flac"))
    for file in (vorbis, opus, flac):
        file.update(tags)
        file.save()
    for name in ("a.ogg", "a.opus", "a.flac"):
        assert chapters_of(tmp_path / name) == expected


def test_chapters_of_ogm_have_two_digits(tmp_path: Path) -> None:
    file = FLAC(make_media.sound(tmp_path / "a.flac"))
    file.update({"CHAPTER01": "00:00:01.500", "CHAPTER01NAME": "One"})
    file.save()
    assert chapters_of(tmp_path / "a.flac") == (Chapter(1500, "One"),)


def chap(name: str, begin: int, title: str | None) -> CHAP:
    frames = [] if title is None else [TIT2(encoding=3, text=title)]
    return CHAP(
        element_id=name,
        start_time=begin,
        end_time=begin + 1,
        start_offset=0xFFFFFFFF,
        end_offset=0xFFFFFFFF,
        sub_frames=frames,
    )


def ctoc(name: str, children: list[str], *, top: bool) -> CTOC:
    flags = CTOCFlags.TOP_LEVEL | CTOCFlags.ORDERED if top else CTOCFlags.ORDERED
    return CTOC(element_id=name, flags=flags, child_element_ids=children, sub_frames=[])


@pytest.mark.parametrize("version", [3, 4])
def test_chapter_frames_of_id3_are_read(tmp_path: Path, version: int) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(chap("two", 61_000, "Zwei"))
    tags.add(chap("one", 0, "Eins"))
    tags.add(chap("three", 90_000, None))
    tags.save(path, v2_version=version)
    expected = (Chapter(0, "Eins"), Chapter(61_000, "Zwei"), Chapter(90_000))
    assert chapters_of(path) == expected


def test_a_table_of_contents_tells_which_chapters_count(tmp_path: Path) -> None:
    # ID3v2 Chapter Frame Addendum §3.2: tables may hold tables; one of them is on top.
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    for number, name in enumerate(("one", "two", "other")):
        tags.add(chap(name, number * 1000, name))
    tags.add(ctoc("toc", ["part", "one"], top=True))
    tags.add(ctoc("part", ["two", "toc"], top=False))
    tags.save(path)
    assert chapters_of(path) == (Chapter(0, "one"), Chapter(1000, "two"))


def test_a_table_that_names_nothing_hides_no_chapters(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(chap("one", 0, "One"))
    tags.add(ctoc("toc", [], top=True))
    tags.save(path)
    assert chapters_of(path) == (Chapter(0, "One"),)


def test_there_are_a_thousand_chapters_at_most_and_their_titles_are_clean() -> None:
    found = Found(Kind.AUDIO, "audio/mp4")
    endless = ((number, "\x00Line\nbreak\x1f " + "x" * 5000) for number in range(10**9))
    chapters.put(found, endless)
    assert len(found.chapters) == MAX_CHAPTERS
    title = found.chapters[0].title
    assert title is not None
    assert title.startswith("Line break x")
    assert len(title.encode()) <= 1024


def test_chapters_at_no_time_are_left_out() -> None:
    found = Found(Kind.AUDIO, "audio/mp4")
    odd = [(float("nan"), "a"), (-1.0, "b"), (1e300, "c"), (5.0, ""), (5.0, "again")]
    chapters.put(found, odd)
    assert found.chapters == (Chapter(5000),)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("book")
    source = make_media.sound(folder / "source.m4a", seconds=3)
    return with_chapters(source, folder / "book.m4b", "ipod")


@given(data=st.data())
def test_a_damaged_chapter_track_is_no_error(original: Path, data: st.DataObject) -> None:
    content = bytearray(original.read_bytes())
    start = content.index(b"moov")
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(start, len(content) - 5))
        struct.pack_into(">I", content, at, data.draw(st.integers(0, 2**32 - 1)))
    path = original.with_name("damaged.m4b")
    path.write_bytes(content)
    with open_contents(bytes(path)).file as file:
        contents = Contents(bytes(path), file, len(content), b"", b"")
        found = Found(Kind.AUDIO, "audio/mp4")
        chapters.put(found, chapters.of_mp4(contents))
    assert len(found.chapters) <= MAX_CHAPTERS
