"""ID3 tags taken apart: as mutagen, another reader, writes and understands them; as the standard
says (clauses of ID3v2.4 unless another is named); as programs write them all the same."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.id3 import APIC, COMM, ID3, TALB, TCON, TDRC, TIT2, TPE1, TRCK, TXXX, Encoding

from mediaserver.library.readers.id3_tag import Tag
from mediaserver.library.readers.naming import clean

FRONT = 3


def syncsafe(number: int) -> bytes:
    return bytes(number >> shift & 0x7F for shift in (21, 14, 7, 0))


def tag(version: int, frames: bytes, *, flags: int = 0) -> Tag:
    return Tag(b"ID3" + bytes((version, 0, flags)) + syncsafe(len(frames)) + frames)


def frame(name: bytes, data: bytes, *, flags: int = 0, size: bytes | None = None) -> bytes:
    return name + (size or struct.pack(">L", len(data))) + struct.pack(">H", flags) + data


def saved(tags: ID3, version: int) -> Tag:
    file = io.BytesIO()
    if version == 3:
        tags.update_to_v23()
    tags.save(file, v1=0, v2_version=version, padding=lambda info: 100)
    return Tag(file.getvalue())


texts = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe"), min_size=1
)


# ---- as mutagen writes them


@given(st.lists(texts, min_size=1, unique=True), st.sampled_from([1, 2, 3]))
def test_texts_are_those_that_were_written(values: list[str], encoding: int) -> None:
    tags = ID3()
    tags.add(TPE1(encoding=encoding, text=values))
    tags.add(TXXX(encoding=encoding, desc="ARTISTS", text=values))
    found = saved(tags, 4)
    assert found.texts("TPE1") == values
    assert found.texts("TXXX:ARTISTS") == values


@given(texts, texts)
def test_texts_in_id3v2_3_are_those_that_were_written(title: str, description: str) -> None:
    tags = ID3()
    tags.add(TIT2(encoding=Encoding.UTF16, text=title))
    tags.add(TXXX(encoding=Encoding.UTF16, desc=description, text=title))
    found = saved(tags, 3)
    assert found.texts("TIT2") == [title]
    assert found.texts(f"TXXX:{description}") == [title]


@pytest.mark.parametrize("version", [3, 4])
@pytest.mark.parametrize("encoding", [Encoding.LATIN1, Encoding.UTF16])
@given(data=st.binary(min_size=1, max_size=600), description=texts)
def test_pictures_are_those_that_were_written(
    version: int, encoding: Encoding, data: bytes, description: str
) -> None:
    tags = ID3()
    description = description if encoding else "Vorne"
    tags.add(APIC(encoding=encoding, mime="image/png", type=FRONT, desc=description, data=data))
    assert list(saved(tags, version).pictures()) == [(FRONT, data)]


@given(st.binary(max_size=400), st.sampled_from([2, 3, 4]), st.integers(0, 255))
def test_any_bytes_hold_some_frames_or_none(data: bytes, version: int, flags: int) -> None:
    found = tag(version, data, flags=flags)
    for name in ("TIT2", "TDRC", "TDOR", "TCON", "TXXX:ARTISTS"):
        assert all(isinstance(text, str) for text in found.texts(name))
    assert isinstance(found.comments(), list)
    assert isinstance(list(found.pictures()), list)


@pytest.mark.parametrize("text", ["17", "(17)", "(4)Eurodisco", "RX", "(RX)(CR)", "((Rock)"])
def test_genres_are_what_mutagen_makes_of_them(text: str) -> None:
    tags = ID3()
    tags.add(TCON(encoding=Encoding.UTF8, text=[text]))
    assert saved(tags, 4).texts("TCON") == tags["TCON"].genres


def test_dates_of_both_versions_are_one() -> None:
    tags = ID3()
    tags.add(TDRC(encoding=Encoding.UTF8, text="2004-05-06T07:08:00"))
    assert saved(tags, 4).texts("TDRC") == ["2004-05-06 07:08:00"]
    assert saved(tags, 3).texts("TDRC") == ["2004-05-06T07:08:00"]


def test_a_comment_with_a_description_is_no_comment() -> None:
    tags = ID3()
    tags.add(COMM(encoding=Encoding.UTF16, lang="eng", desc="iTunNORM", text="0000"))
    tags.add(COMM(encoding=Encoding.UTF16, lang="deu", desc="", text="Schön"))
    assert saved(tags, 4).comments() == ["Schön"]


# ---- as the standard says


def test_a_frame_that_occurs_twice_has_the_values_of_both() -> None:
    frames = frame(b"TPE1", b"\3One") + frame(b"TPE1", b"\3Two\0One")
    assert tag(4, frames).texts("TPE1") == ["One", "Two"]


def test_each_text_of_utf_16_has_its_own_byte_order() -> None:
    data = b"\1" + "\ufeffOne\0".encode("utf-16-le") + "\ufeffTwo".encode("utf-16-be")
    assert tag(4, frame(b"TPE1", data)).texts("TPE1") == ["One", "Two"]


def test_unsynchronisation_is_undone() -> None:
    # §6.1: a zero follows each FF. ID3v2.3 does it to the tag, ID3v2.4 to each frame.
    data = b"\0\xff\0a"
    assert tag(3, frame(b"TIT2", data, size=b"\0\0\0\3"), flags=0x80).texts("TIT2") == ["ÿa"]
    assert tag(4, frame(b"TIT2", data), flags=0x80).texts("TIT2") == ["ÿa"]
    assert tag(4, frame(b"TIT2", data, flags=0x02)).texts("TIT2") == ["ÿa"]


def test_unsynchronisation_that_only_a_flag_tells_of_is_not_undone() -> None:
    assert tag(4, frame(b"TIT2", b"\0\xff\xffa"), flags=0x80).texts("TIT2") == ["ÿÿa"]


def test_compressed_and_grouped_frames_are_read_and_encrypted_ones_left_out() -> None:
    packed = zlib.compress(b"\3Title")
    size = struct.pack(">L", 6)
    assert tag(3, frame(b"TIT2", size + b"G" + packed, flags=0xA0)).texts("TIT2") == ["Title"]
    assert tag(4, frame(b"TIT2", b"G" + size + packed, flags=0x49)).texts("TIT2") == ["Title"]
    assert tag(3, frame(b"TIT2", b"G" + packed, flags=0x40)).texts("TIT2") == []
    assert tag(4, frame(b"TIT2", b"G" + packed, flags=0x04)).texts("TIT2") == []
    assert tag(3, frame(b"TIT2", size + b"nothing packed", flags=0x80)).texts("TIT2") == []


def test_an_extended_header_is_skipped() -> None:
    title = frame(b"TIT2", b"\3Title")
    # §3.2: the size counts itself in ID3v2.4; ID3v2.3 §3.2: it does not.
    assert tag(4, b"\0\0\0\6\1\0" + title, flags=0x40).texts("TIT2") == ["Title"]
    assert tag(3, b"\0\0\0\6" + bytes(6) + title, flags=0x40).texts("TIT2") == ["Title"]


def test_a_footer_is_no_frame() -> None:
    frames = frame(b"TIT2", b"\3Title")
    footer = bytes((4, 0, 0x10)) + syncsafe(len(frames))
    found = Tag(b"ID3" + footer + frames + b"3DI" + footer)
    assert found.texts("TIT2") == ["Title"]
    assert list(found.names) == ["TIT2"]


def test_id3v2_2_is_read() -> None:
    picture = b"\0PNG" + bytes((FRONT,)) + b"Front\0bytes"
    frames = b"TT2\0\0\6\0Title" + b"PIC" + len(picture).to_bytes(3, "big") + picture
    found = tag(2, frames)
    assert found.texts("TIT2") == ["Title"]
    assert list(found.pictures()) == [(FRONT, b"bytes")]


def test_the_address_of_a_picture_is_no_picture() -> None:
    assert list(tag(3, frame(b"APIC", b"\0-->\0\3\0http://example.org/")).pictures()) == []


def test_a_later_version_is_not_read() -> None:
    assert tag(5, frame(b"TIT2", b"\3Title")).texts("TIT2") == []


# ---- as programs write them


def test_plain_sizes_in_id3v2_4_are_found_out() -> None:
    # iTunes before version 7.
    title = "x" * 300
    frames = frame(b"TIT2", b"\3" + title.encode()) + frame(b"TALB", b"\3Album")
    assert tag(4, frames).texts("TIT2") == [title]
    assert tag(4, frames).texts("TALB") == ["Album"]


@pytest.mark.parametrize("size", [116, 240, 300, 16_384, 40_000])
@pytest.mark.parametrize("padding", [0, 500])
def test_plain_sizes_in_id3v2_4_are_found_out_by_a_single_frame(size: int, padding: int) -> None:
    # The other kind of sizes finds one frame as well, but not the end of the tag behind it.
    picture = b"\xff\xd8" + bytes(size) + b"\xff\xd9"
    frames = frame(b"APIC", b"\0image/jpeg\0" + bytes((FRONT,)) + b"\0" + picture)
    assert list(tag(4, frames + bytes(padding)).pictures()) == [(FRONT, picture)]


def test_short_names_in_id3v2_3_are_understood() -> None:
    assert tag(3, frame(b"TT2\0", b"\0Title")).texts("TIT2") == ["Title"]


def test_an_extended_header_that_only_a_flag_tells_of_is_not_skipped() -> None:
    assert tag(3, frame(b"TIT2", b"\0Title"), flags=0x40).texts("TIT2") == ["Title"]


@pytest.mark.parametrize(
    "data",
    [b"T\0i\0", b"\0T\0i", b"\0T\0i\0\0", b"\xff\xfeT\0i\0\0", b"\xff\xfeT\0i\0\0\0\0"],
)
def test_utf_16_without_its_mark_or_with_another_end_is_read(data: bytes) -> None:
    assert tag(3, frame(b"TIT2", b"\1" + data)).texts("TIT2") == ["Ti"]


def test_text_in_no_known_encoding_is_left_out() -> None:
    assert tag(3, frame(b"TIT2", b"\7Title") + frame(b"TALB", b"\0A")).texts("TIT2") == []
    assert tag(3, frame(b"TIT2", b"\1\xff\xfe\0\xd8") + frame(b"TALB", b"\0A")).texts("TIT2") == []


def test_latin_1_that_is_called_utf_8_is_read() -> None:
    assert tag(4, frame(b"TPE1", b"\3Caf\xe9\0Two")).texts("TPE1") == ["Café", "Two"]


@pytest.mark.parametrize("data", [b"\3\xef\xbb\xbfTi", b"\2\xfe\xff\0T\0i", b"\2\xff\xfeT\0i\0"])
def test_a_mark_where_none_belongs_is_no_part_of_a_text(data: bytes) -> None:
    # §4: only texts of encoding 1 begin with one.
    assert clean(*tag(4, frame(b"TIT2", data)).texts("TIT2")) == "Ti"


def test_a_number_that_stands_for_no_genre_is_none() -> None:
    # ID3v1: 255 where there is none, which programs have carried over.
    for data in (b"\0(255)", b"\x00255", b"\0(999)"):
        assert tag(3, frame(b"TCON", data)).texts("TCON") == []
    assert tag(3, frame(b"TCON", b"\0Unknown")).texts("TCON") == ["Unknown"]


# ---- ID3v1


def test_the_tag_at_the_end_tells_what_the_one_in_front_does_not() -> None:
    file = io.BytesIO()
    tags = ID3()
    for one in (TALB(encoding=0, text="Album"), TRCK(encoding=0, text="7")):
        tags.add(one)
    tags.add(TIT2(encoding=0, text="At the end"))
    tags.save(file, v1=2)
    end = file.getvalue()[-128:]
    front = frame(b"TIT2", b"\3In front")
    found = Tag(b"ID3\4\0\0" + syncsafe(len(front)) + front, end)
    assert found.texts("TIT2") == ["In front"]
    assert found.texts("TALB") == ["Album"]
    assert found.texts("TRCK") == ["7"]
    assert Tag(b"", end).texts("TIT2") == ["At the end"]
