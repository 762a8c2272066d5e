"""Tags of every family, written by mutagen or byte by byte, read back."""

import base64
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.aiff import AIFF
from mutagen.apev2 import APEv2
from mutagen.asf import ASF, ASFByteArrayAttribute, ASFUnicodeAttribute
from mutagen.flac import FLAC, Picture
from mutagen.id3 import (
    APIC,
    COMM,
    ID3,
    PRIV,
    TALB,
    TCMP,
    TCOM,
    TCON,
    TDAT,
    TDRC,
    TIT2,
    TPE1,
    TPE2,
    TPE3,
    TPOS,
    TRCK,
    TSO2,
    TSOA,
    TSOC,
    TSOP,
    TSOT,
    TXXX,
    TYER,
)
from mutagen.mp4 import MP4, MP4Cover
from mutagen.oggopus import OggOpus
from mutagen.oggvorbis import OggVorbis
from mutagen.trueaudio import TrueAudio
from mutagen.wave import WAVE
from mutagen.wavpack import WavPack

from mediaserver.library.objects import MediaFacts
from mediaserver.library.readers import read, values
from mediaserver.library.readers.naming import clean
from tests import make_media

COVER = make_media.picture("JPEG", (60, 50))
OTHER = make_media.picture("PNG", (40, 30))


def facts_of(path: Path) -> MediaFacts:
    facts = read(bytes(path))
    assert facts.reason is None
    return facts


def assert_all_there(facts: MediaFacts) -> None:
    """The values that every writer below puts into its file."""
    assert facts.title == "Für Élise"
    assert facts.artists == ("AC/DC", "坂本 真")
    assert facts.album_artists == ("Various; Artists",)
    assert facts.album == "Rock & <b>Roll</b>"
    assert facts.composers == ("Ludwig",)
    assert facts.genres == ("Rock", "Chanson française")
    assert facts.date == "2004-05-06"
    assert (facts.track, facts.disc) == (1, 2)
    assert facts.compilation
    assert facts.sort_title == "Fur Elise"
    assert facts.art is not None
    assert (facts.art.mime_type, facts.art.width, facts.art.height) == ("image/jpeg", 60, 50)


def id3_frames(*, multiple: bool = True) -> ID3:
    tags = ID3()
    tags.add(TIT2(encoding=3, text="Für Élise"))
    tags.add(TSOT(encoding=3, text="Fur Elise"))
    tags.add(TPE1(encoding=3, text=["AC/DC", "坂本 真"] if multiple else ["AC/DC"]))
    tags.add(TPE2(encoding=3, text="Various; Artists"))
    tags.add(TALB(encoding=3, text="Rock & <b>Roll</b>"))
    tags.add(TCOM(encoding=3, text="Ludwig"))
    tags.add(TCON(encoding=3, text=["17", "Chanson française"]))
    tags.add(TDRC(encoding=3, text="2004-05-06"))
    tags.add(TRCK(encoding=3, text="1/02"))
    tags.add(TPOS(encoding=3, text="2/2"))
    tags.add(TCMP(encoding=3, text="1"))
    tags.add(APIC(encoding=3, mime="image/png", type=0, desc="back", data=OTHER))
    tags.add(APIC(encoding=3, mime="image/jpg", type=3, desc="front", data=COVER))
    return tags


def test_id3v2_4_is_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    id3_frames().save(path)
    assert_all_there(facts_of(path))


def test_id3v2_3_is_read_and_a_slash_separates_nothing(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = id3_frames(multiple=False)
    tags.delall("TDRC")
    tags.add(TYER(encoding=1, text="2004"))
    tags.add(TDAT(encoding=1, text="0605"))
    tags.save(path, v2_version=3, v23_sep=None)
    facts = facts_of(path)
    assert facts.artists == ("AC/DC",)
    assert facts.date == "2004-05-06"


def test_id3v2_2_is_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3", container_options={"write_id3v2": "0"})
    sound = path.read_bytes()
    frames = b"".join(
        name + struct.pack(">I", len(text) + 1)[1:] + b"\0" + text
        for name, text in (
            (b"TT2", b"Old song"),
            (b"TP1", b"Old band"),
            (b"TAL", b"Old album"),
            (b"TRK", b"7"),
            (b"TYE", b"1999"),
            (b"TCO", b"(17)"),
        )
    )
    size = struct.pack(">4B", 0, 0, len(frames) >> 7, len(frames) & 0x7F)
    path.write_bytes(b"ID3\2\0\0" + size + frames + sound[make_media.id3_length(sound) :])
    facts = facts_of(path)
    assert (facts.title, facts.artists, facts.album) == ("Old song", ("Old band",), "Old album")
    assert (facts.track, facts.date, facts.genres) == (7, "1999", ("Rock",))


def id3v1(title: bytes, artist: bytes) -> bytes:
    return (
        b"TAG"
        + title.ljust(30, b"\0")
        + artist.ljust(30, b"\0")
        + b"Album".ljust(30, b"\0")
        + b"1977"
        + bytes(28)
        + bytes([0, 200, 17])
    )


@pytest.mark.parametrize("keep_empty_v2", [True, False], ids=["behind an empty v2", "alone"])
def test_id3v1_is_read(tmp_path: Path, keep_empty_v2: bool) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    sound = path.read_bytes()[make_media.id3_length(path.read_bytes()) :]
    empty = b"ID3\4\0\0\0\0\0\x0a" + bytes(10) if keep_empty_v2 else b""
    path.write_bytes(empty + sound + id3v1(b"Title", b"Artist"))
    facts = facts_of(path)
    assert (facts.title, facts.artists, facts.album) == ("Title", ("Artist",), "Album")
    assert (facts.date, facts.track, facts.genres) == ("1977", 200, ("Rock",))


@pytest.mark.parametrize("end", [b"", id3v1(b"Of the end", b"Artist")])
def test_a_tag_behind_the_sound_is_found_by_its_footer(tmp_path: Path, end: bytes) -> None:
    # ID3v2.4 §3.4: the header again, which begins with 3DI.
    frames = b"TIT2" + bytes((0, 0, 0, 7, 0, 0)) + b"\3Behind"
    same = bytes((4, 0, 0x10, 0, 0, 0, len(frames)))
    path = make_media.sound(tmp_path / "a.mp3")
    sound = path.read_bytes()[make_media.id3_length(path.read_bytes()) :]
    path.write_bytes(sound + b"ID3" + same + frames + b"3DI" + same + end)
    assert facts_of(path).title == "Behind"


def test_text_called_latin_1_that_is_utf_8_is_repaired(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    sound = path.read_bytes()[make_media.id3_length(path.read_bytes()) :]
    # The last character does not fit into 30 bytes whole.
    path.write_bytes(sound + id3v1("Белый снег".encode(), "Группа Север12345".encode()[:30]))
    facts = facts_of(path)
    assert facts.title == "Белый снег"
    assert facts.artists == ("Группа Север12345"[:18],)


def test_latin_1_stays_and_windows_1252_becomes_what_was_meant(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(TIT2(encoding=0, text="Für Élise"))
    tags.add(TALB(encoding=0, text="Rock \x92n\x92 Roll"))
    tags.save(path)
    facts = facts_of(path)
    assert (facts.title, facts.album) == ("Für Élise", "Rock ’n’ Roll")


def test_a_damaged_frame_does_not_hide_the_others(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(TIT2(encoding=3, text="Good"))
    tags.add(PRIV(owner="x", data=b"\xff" * 50))
    tags.add(TPE1(encoding=3, text="Fine"))
    tags.save(path)
    data = path.read_bytes()
    at = data.index(b"PRIV")
    path.write_bytes(data[:at] + b"TALB\0\0\0\x34\0\0\x07" + data[at + 11 :])
    facts = facts_of(path)
    assert (facts.title, facts.artists) == ("Good", ("Fine",))


def test_album_artist_and_compilation_of_other_programs_are_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(TXXX(encoding=3, desc="ALBUM ARTIST", text="Everybody"))
    tags.add(TXXX(encoding=3, desc="COMPILATION", text="1"))
    tags.save(path)
    facts = facts_of(path)
    assert (facts.album_artists, facts.compilation) == (("Everybody",), True)


def test_a_comment_is_the_description_unless_a_program_wrote_it_for_itself(
    tmp_path: Path,
) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(COMM(encoding=3, lang="eng", desc="iTunNORM", text=" 00000A2C 00000B11"))
    tags.add(COMM(encoding=3, lang="eng", desc="", text="Recorded at home"))
    tags.save(path)
    assert facts_of(path).description == "Recorded at home"
    tags.setall("COMM", [COMM(encoding=3, lang="eng", desc="", text="0000105A 00001041")])
    tags.save(path)
    assert facts_of(path).description is None


def test_apev2_behind_an_mp3_is_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3", container_options={"id3v2_version": "0"})
    tags = APEv2()
    tags["Title"], tags["Artist"], tags["Track"] = "Behind", "Someone", "3/9"
    tags.save(path)
    facts = facts_of(path)
    assert (facts.title, facts.artists, facts.track) == ("Behind", ("Someone",), 3)


VORBIS = {
    "title": ["Für Élise"],
    "TITLESORT": ["Fur Elise"],
    "Artist": ["AC/DC", "坂本 真"],
    "ALBUMARTIST": ["Various; Artists"],
    "ALBUM": ["Rock & <b>Roll</b>"],
    "COMPOSER": ["Ludwig"],
    "GENRE": ["Rock", "Chanson française"],
    "DATE": ["2004-05-06"],
    "TRACKNUMBER": ["1/02"],
    "DISCNUMBER": ["2"],
    "COMPILATION": ["1"],
}


def front() -> Picture:
    picture = Picture()
    # The size that is written is a lie; what counts are the bytes.
    picture.type, picture.mime, picture.data, picture.width = 3, "image/png", COVER, 9999
    return picture


def test_vorbis_comments_of_flac_are_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.flac")
    file = FLAC(path)
    file.update(VORBIS)
    back = Picture()
    back.type, back.mime, back.data = 4, "image/png", OTHER
    file.add_picture(back)
    file.add_picture(front())
    file.save()
    assert_all_there(facts_of(path))


@pytest.mark.parametrize(("suffix", "kind"), [(".ogg", OggVorbis), (".opus", OggOpus)])
def test_vorbis_comments_of_ogg_are_read(
    tmp_path: Path, suffix: str, kind: Callable[[Path], OggVorbis]
) -> None:
    path = make_media.sound(tmp_path / f"a{suffix}", rate=48000)
    file = kind(path)
    file.update(VORBIS)
    file["METADATA_BLOCK_PICTURE"] = base64.b64encode(front().write()).decode()
    file.save()
    assert_all_there(facts_of(path))


def test_an_id3_tag_in_front_of_flac_does_not_hide_it(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.flac", seconds=2)
    file = FLAC(path)
    file["TITLE"] = "Inside"
    file.save()
    tags = ID3()
    tags.add(TIT2(encoding=3, text="In front"))
    tags.add(TPE1(encoding=3, text="Only here"))
    tags.save(path)
    assert path.read_bytes()[:3] == b"ID3"
    facts = facts_of(path)
    assert (facts.title, facts.artists) == ("Inside", ("Only here",))
    assert (facts.mime_type, facts.duration_ms) == ("audio/flac", 2000)


def test_mp4_atoms_are_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.m4a")
    file = MP4(path)
    file["\xa9nam"], file["sonm"] = "Für Élise", "Fur Elise"
    file["\xa9ART"], file["aART"] = ["AC/DC", "坂本 真"], "Various; Artists"
    file["\xa9alb"], file["\xa9wrt"] = "Rock & <b>Roll</b>", "Ludwig"
    file["\xa9gen"], file["\xa9day"] = ["Rock", "Chanson française"], "2004-05-06T07:00:00Z"
    file["trkn"], file["disk"], file["cpil"] = [(1, 2)], [(2, 2)], True
    file["covr"] = [MP4Cover(COVER, MP4Cover.FORMAT_JPEG)]
    file.save()
    facts = facts_of(path)
    assert facts.date == "2004-05-06T07:00:00"
    file["\xa9day"] = "2004-05-06"
    file.save()
    assert_all_there(facts_of(path))


@pytest.mark.parametrize("of_case", [str, str.upper, str.lower])
def test_freely_named_mp4_atoms_are_read_in_any_case(
    tmp_path: Path, of_case: Callable[[str], str]
) -> None:
    path = make_media.sound(tmp_path / "a.m4a", seconds=2)
    file = MP4(path)
    release = "0123456b-89ab-4cde-8f01-23456789abcd"
    sheet = "TRACK 01 AUDIO\nINDEX 01 00:00:00\nTRACK 02 AUDIO\nINDEX 01 00:01:00"
    for name, value in (
        ("OriginalDate", "1969-09-26"),
        ("MusicBrainz Album Id", release),
        ("CueSheet", sheet),
    ):
        file[f"----:com.apple.iTunes:{of_case(name)}"] = value.encode()
    file.save()
    facts = facts_of(path)
    assert (facts.date, facts.release_id) == ("1969-09-26", release)
    assert facts.sheet is not None
    assert [track.begin_us for track in facts.sheet.tracks] == [0, 1_000_000]


def test_asf_attributes_are_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.wma")
    file = ASF(path)
    text = ASFUnicodeAttribute
    file["Title"], file["WM/TitleSortOrder"] = [text("Für Élise")], [text("Fur Elise")]
    file["Author"] = [text("AC/DC"), text("坂本 真")]
    file["WM/AlbumArtist"] = [text("Various; Artists")]
    file["WM/AlbumTitle"], file["WM/Composer"] = [text("Rock & <b>Roll</b>")], [text("Ludwig")]
    file["WM/Genre"] = [text("Rock"), text("Chanson française")]
    file["WM/Year"], file["WM/TrackNumber"] = [text("2004-05-06")], [text("1/2")]
    file["WM/PartOfSet"], file["WM/IsCompilation"] = [text("2/2")], [text("1")]
    words = "image/jpeg".encode("utf-16-le") + b"\0\0" + "f".encode("utf-16-le") + b"\0\0"
    picture = struct.pack("<BI", 3, len(COVER)) + words + COVER
    file["WM/Picture"] = [ASFByteArrayAttribute(picture)]
    file.save()
    assert_all_there(facts_of(path))


@pytest.mark.parametrize(("text", "expected"), [("0", 1), ("11", 12), ("\u00b2", None)])
def test_the_older_track_number_of_asf_counts_from_0(
    tmp_path: Path, text: str, expected: int | None
) -> None:
    path = make_media.sound(tmp_path / "a.wma")
    file = ASF(path)
    file["Title"] = [ASFUnicodeAttribute("Title")]
    file["WM/Track"] = [ASFUnicodeAttribute(text)]
    file.save()
    facts = facts_of(path)
    assert (facts.title, facts.track) == ("Title", expected)


def test_apev2_items_are_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.wv")
    file = WavPack(path)
    assert file.tags is not None
    for name, value in {
        "Title": "Für Élise",
        "TitleSort": "Fur Elise",
        "Artist": ["AC/DC", "坂本 真"],
        "Album Artist": "Various; Artists",
        "Album": "Rock & <b>Roll</b>",
        "Composer": "Ludwig",
        "Genre": ["Rock", "Chanson française"],
        "Year": "2004-05-06",
        "Track": "1/02",
        "Disc": "2/2",
        "Compilation": "1",
        "Cover Art (Front)": b"cover.jpg\0" + COVER,
    }.items():
        file.tags[name] = value
    file.save()
    assert_all_there(facts_of(path))


@pytest.mark.parametrize(("suffix", "kind"), [(".wav", WAVE), (".aiff", AIFF), (".tta", TrueAudio)])
def test_id3_inside_other_formats_is_read(
    tmp_path: Path, suffix: str, kind: Callable[[Path], WAVE]
) -> None:
    path = make_media.sound(tmp_path / f"a{suffix}")
    file = kind(path)
    if file.tags is None:
        file.add_tags()
    for frame in id3_frames().values():
        file.tags.add(frame)
    file.save()
    assert_all_there(facts_of(path))


def test_riff_info_is_read_and_id3_says_more(tmp_path: Path) -> None:
    form = struct.pack("<HHIIHH", 1, 1, 8000, 16000, 2, 16)
    info = b"INFO" + b"".join(
        name + struct.pack("<I", len(text) + 1) + text + b"\0" + b"\0" * ((len(text) + 1) & 1)
        for name, text in (
            (b"INAM", "Belägen".encode()),
            (b"IART", "Кто".encode()),
            (b"IPRD", b"Caf\xe9"),
            (b"IGNR", b"Folk"),
            (b"ICRD", b"2001-02-03"),
            (b"ITRK", b"4"),
        )
    )
    path = tmp_path / "a.wav"
    path.write_bytes(make_media.riff((b"fmt ", form), (b"data", bytes(16000)), (b"LIST", info)))
    facts = facts_of(path)
    assert (facts.title, facts.artists, facts.album) == ("Belägen", ("Кто",), "Café")
    assert (facts.genres, facts.date, facts.track) == (("Folk",), "2001-02-03", 4)
    file = WAVE(path)
    file.add_tags()
    file.tags.add(TIT2(encoding=3, text="By ID3"))
    file.save()
    facts = facts_of(path)
    assert (facts.title, facts.artists) == ("By ID3", ("Кто",))


def test_matroska_tags_are_read(tmp_path: Path) -> None:
    path = make_media.sound(
        tmp_path / "a.mka",
        rate=48000,
        metadata={
            "title": "Für Élise",
            "artist": "AC/DC",
            "album": "Album",
            "track": "3",
            "genre": "Rock",
            "date": "1999",
        },
    )
    facts = facts_of(path)
    assert (facts.title, facts.artists, facts.album) == ("Für Élise", ("AC/DC",), "Album")
    assert (facts.track, facts.genres, facts.date) == (3, ("Rock",), "1999")


def test_a_title_falls_back_to_the_whole_name_without_its_suffix(tmp_path: Path) -> None:
    facts = facts_of(make_media.sound(tmp_path / "A.B. song.wav"))
    assert (facts.title, facts.named, facts.track) == ("A.B. song", True, None)


def test_without_tags_the_name_tells_track_artist_and_title(tmp_path: Path) -> None:
    facts = facts_of(make_media.sound(tmp_path / "2-01 - Someone - A.B. song.wav"))
    assert (facts.title, facts.named) == ("A.B. song", True)
    assert (facts.disc, facts.track, facts.artists) == (2, 1, ("Someone",))


def test_what_tags_say_counts_more_than_the_name(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "01 - Someone - Song.flac")
    file = FLAC(path)
    file["TITLE"], file["ARTIST"], file["TRACKNUMBER"] = "Title", "Artist", "5"
    file.save()
    facts = facts_of(path)
    assert (facts.title, facts.artists, facts.track) == ("Title", ("Artist",), 5)
    assert not facts.named


def test_a_track_that_tags_leave_out_is_told_by_the_name(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "04 - Song.flac")
    file = FLAC(path)
    file["TITLE"] = "Title"
    file.save()
    facts = facts_of(path)
    assert (facts.title, facts.track, facts.named) == ("Title", 4, False)


def test_an_unreadable_file_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "04 - Someone - Song.mp3"
    path.write_bytes(b"")
    facts = read(bytes(path))
    assert facts.reason is not None
    assert (facts.title, facts.track, facts.artists) == ("Song", 4, ("Someone",))


def test_all_latin_1_texts_of_a_tag_tell_its_character_set(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    sound = path.read_bytes()[make_media.id3_length(path.read_bytes()) :]
    # Of the title alone nobody could tell.
    path.write_bytes(sound + id3v1("Би-2".encode("cp1251"), "Группа крови".encode("cp1251")))
    facts = facts_of(path)
    assert (facts.title, facts.artists) == ("Би-2", ("Группа крови",))
    tags = ID3()
    tags.add(TIT2(encoding=0, text="青花瓷".encode("gbk").decode("latin-1")))
    tags.add(TPE1(encoding=0, text="周杰伦".encode("gbk").decode("latin-1")))
    tags.add(TALB(encoding=1, text="Привет"))
    tags.save(path)
    facts = facts_of(path)
    assert (facts.title, facts.artists, facts.album) == ("青花瓷", ("周杰伦",), "Привет")


SORTED = {
    "TITLESORT": "Song, A",
    "ARTISTSORT": "Bowie, David",
    "ALBUMARTISTSORT": "Queen",
    "ALBUMSORT": "Works 1",
    "COMPOSERSORT": "Bach, Johann Sebastian",
    "CONDUCTOR": "Karajan",
    "MUSICBRAINZ_ALBUMID": "F5093C06-23E3-404F-AEAA-40F72885EE3A",
}
RELEASE = "f5093c06-23e3-404f-aeaa-40f72885ee3a"


def assert_sorted(facts: MediaFacts) -> None:
    assert facts.sort_title == "Song, A"
    assert facts.artist_sorts == ("Bowie, David",)
    assert facts.album_artist_sorts == ("Queen",)
    assert facts.album_sort == "Works 1"
    assert facts.composer_sorts == ("Bach, Johann Sebastian",)
    assert facts.conductors == ("Karajan",)
    assert facts.release_id == RELEASE


PEOPLE = {"ARTIST": "David Bowie", "ALBUMARTIST": "Queen", "COMPOSER": "J. S. Bach"}


def test_sort_tags_of_vorbis_comments_are_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.flac")
    file = FLAC(path)
    file.update(PEOPLE | SORTED)
    file.save()
    assert_sorted(facts_of(path))


def test_sort_frames_of_id3_are_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    for frame, text in (
        (TPE1, "David Bowie"),
        (TPE2, "Queen"),
        (TCOM, "J. S. Bach"),
        (TSOT, "Song, A"),
        (TSOP, "Bowie, David"),
        (TSO2, "Queen"),
        (TSOA, "Works 1"),
        (TSOC, "Bach, Johann Sebastian"),
        (TPE3, "Karajan"),
    ):
        tags.add(frame(encoding=3, text=text))
    tags.add(TXXX(encoding=3, desc="MusicBrainz Album Id", text=RELEASE))
    tags.save(path)
    assert_sorted(facts_of(path))


def test_sort_atoms_of_mp4_are_read(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.m4a")
    file = MP4(path)
    file["\xa9ART"], file["aART"], file["\xa9wrt"] = "David Bowie", "Queen", "J. S. Bach"
    file["sonm"], file["soar"], file["soaa"] = "Song, A", "Bowie, David", "Queen"
    file["soal"], file["soco"] = "Works 1", "Bach, Johann Sebastian"
    file["----:com.apple.iTunes:CONDUCTOR"] = b"Karajan"
    file["----:com.apple.iTunes:MusicBrainz Album Id"] = RELEASE.encode()
    file.save()
    assert_sorted(facts_of(path))


def test_sort_names_that_do_not_fit_the_artists_are_left_out(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.flac")
    file = FLAC(path)
    file["ARTIST"], file["ARTISTSORT"] = ["A", "B"], ["C"]
    file.save()
    assert facts_of(path).artist_sorts == ()


def test_artists_one_by_one_count_more_than_how_they_are_credited(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.flac")
    file = FLAC(path)
    file["ARTIST"], file["ARTISTS"] = "A feat. B", ["A", "B"]
    file.save()
    assert facts_of(path).artists == ("A", "B")


@pytest.mark.parametrize(
    ("artist", "ids", "expected"),
    [
        ("AC/DC", None, ("AC/DC",)),
        ("AC/DC", "66c662b6", ("AC/DC",)),
        ("Alice / Bob", None, ("Alice", "Bob")),
        ("Alice/Bob", "66c662b6/8bd3a4f1", ("Alice", "Bob")),
        ("Alice; Bob", "66c662b6; 8bd3a4f1", ("Alice", "Bob")),
        ("Alice; Bob", None, ("Alice; Bob",)),
        ("Alice/AC/DC", "66c662b6/8bd3a4f1", ("Alice/AC/DC",)),
    ],
)
def test_artists_in_one_text_of_id3v2_3_are_separated_where_it_is_sure(
    tmp_path: Path, artist: str, ids: str | None, expected: tuple[str, ...]
) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(TPE1(encoding=1, text=artist))
    if ids is not None:
        tags.add(TXXX(encoding=1, desc="MusicBrainz Artist Id", text=ids))
    tags.save(path, v2_version=3, v23_sep=None)
    assert facts_of(path).artists == expected


@pytest.mark.parametrize(
    ("genre", "expected"),
    [
        ("Rock; Pop", ("Rock", "Pop")),
        ("Rock;Pop;", ("Rock", "Pop")),
        ("Hip-Hop/Rap", ("Hip-Hop/Rap",)),
        ("R&amp;B", ("R&amp;B",)),
    ],
)
def test_genres_in_one_text_are_separated_by_semicolons_alone(
    tmp_path: Path, genre: str, expected: tuple[str, ...]
) -> None:
    # As foobar2000 and MusicBee write several, and iTunes a single one.
    path = make_media.sound(tmp_path / "a.m4a")
    file = MP4(path)
    file["\xa9gen"] = [genre]
    file.save()
    assert facts_of(path).genres == expected


def test_a_name_that_is_no_unicode_gives_a_title_that_is(tmp_path: Path) -> None:
    source = make_media.sound(tmp_path / "a.wav")
    path = bytes(tmp_path) + b"/caf\xe9\x01.wav"
    source.rename(path.decode(errors="surrogateescape"))
    assert read(path).title == "caf\ufffd"


def test_very_long_values_and_control_characters_are_made_harmless(tmp_path: Path) -> None:
    """security.md M2."""
    path = make_media.sound(tmp_path / "a.flac")
    file = FLAC(path)
    file["TITLE"] = "é" * 1_000_000
    file["ARTIST"] = ["One\0\x07\nTwo\ufffe", "  ", "\x01"]
    file.save()
    facts = facts_of(path)
    assert facts.title == "é" * 512
    assert facts.artists == ("One Two",)


def test_a_picture_that_is_none_is_no_art(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.mp3")
    tags = ID3()
    tags.add(APIC(encoding=3, mime="image/jpeg", type=3, desc="", data=b"<html>"))
    tags.add(APIC(encoding=3, mime="image/jpeg", type=0, desc="x", data=COVER[:20]))
    tags.add(APIC(encoding=3, mime="-->", type=0, desc="y", data=b"http://192.0.2.1/a.jpg"))
    tags.save(path)
    assert facts_of(path).art is None


# ---- values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1/02", 1),
        ("012", 12),
        (" 7 of 9", 7),
        ("200", 200),
        ("0", None),
        ("A1", None),
        ("-3", None),
        ("", None),
        ("9" * 30, None),
        (None, None),
    ],
)
def test_a_track_is_its_leading_number(text: str | None, expected: int | None) -> None:
    assert values.number(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2004", "2004"),
        ("2004-05", "2004-05"),
        ("2004-05-06", "2004-05-06"),
        ("20040506", "2004-05-06"),
        ("2004:05:06 07:08:09", "2004-05-06T07:08:09"),
        ("2004-05-06T07:08:09+02:00", "2004-05-06T07:08:09"),
        ("2004-05-06 07:08", "2004-05-06T07:08:00"),
        ("2004-00-00", "2004"),
        ("2004-02-31", "2004-02"),
        ("06.05.2004", "2004-05-06"),
        ("May 6, 2004", "2004"),
        ("℗ 1984 Nobody", "1984"),
        ("0000:00:00 00:00:00", None),
        ("    :  :     :  :  ", None),
        ("", None),
    ],
)
def test_a_date_is_as_precise_as_it_says(text: str, expected: str | None) -> None:
    assert values.date(text) == expected


@given(st.text())
def test_a_date_of_any_text_is_a_date_or_nothing(text: str) -> None:
    found = values.date(text)
    assert found is None or found[:4].isdigit()


@given(st.text())
def test_clean_text_can_stand_in_xml_on_one_line(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned.encode()) <= 1024
    assert cleaned == cleaned.strip()
    for character in cleaned:
        assert character >= " "
        assert not "\ud800" <= character <= "\udfff"
        assert character not in "\x7f\x85\u2028\ufffe\uffff"


@given(st.binary())
def test_text_of_unknown_character_set_never_fails(data: bytes) -> None:
    assert isinstance(values.decoded(data), str)
