"""What cue sheets say: times, tracks, texts, character sets; and those that say nothing.

Times are minutes, seconds and frames, 75 to a second (CDRWIN user's guide, appendix A).
"""

import contextlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaserver.library import sheets
from mediaserver.library.errors import UnreadableMedia
from mediaserver.library.objects import PlaylistFacts, Sheet, SheetTrack
from mediaserver.library.readers.cue_sheets import embedded_sheet, parse_cue_sheet
from mediaserver.library.readers.playlists import MAX_BYTES, parse_playlist, read_playlist

# As Exact Audio Copy writes it, but for the comments of two tracks.
RECORD = """REM GENRE "Trip Hop"
REM DATE 1994
REM DISCID 860B640B
REM DISCNUMBER 2
REM TOTALDISCS 2
REM COMMENT "ExactAudioCopy v1.3"
REM REPLAYGAIN_ALBUM_GAIN -5.48 dB
CATALOG 0724383955329
PERFORMER "Portishead"
SONGWRITER "Barrow"
TITLE "Dummy"
FILE "Portishead - Dummy.wav" WAVE
  TRACK 01 AUDIO
    TITLE "Mysterons"
    PERFORMER "Portishead"
    ISRC GBAAN9400001
    FLAGS DCP
    INDEX 01 00:00:00
  TRACK 02 AUDIO
    TITLE "Sour "Times""
    PERFORMER "Portishead & Others"
    SONGWRITER "Gibbons"
    REM REPLAYGAIN_TRACK_GAIN -6.00 dB
    REM REPLAYGAIN_TRACK_PEAK 0.987
    INDEX 00 05:01:00
    INDEX 01 05:02:74
    INDEX 02 06:00:00
  TRACK 03 AUDIO
    INDEX 01 120:00:01
"""


def tracks(facts: PlaylistFacts, entry: int = 0) -> tuple[SheetTrack, ...]:
    sheet = facts.entries[entry].sheet
    assert sheet is not None
    return sheet.tracks


def sheet(*lines: str) -> PlaylistFacts:
    return parse_cue_sheet("\n".join(lines).encode())


def numbered(*starts: str, file: str = 'FILE "a.flac" WAVE') -> list[str]:
    """A sheet of tracks that begin at these times."""
    lines = [file]
    for number, start in enumerate(starts, 1):
        lines += [f"TRACK {number:02d} AUDIO", f"INDEX 01 {start}"]
    return lines


def test_a_record_in_one_file_is_read_as_its_tracks() -> None:
    facts = parse_cue_sheet(RECORD.encode())
    assert facts.title == "Dummy"
    assert [entry.location for entry in facts.entries] == ["Portishead - Dummy.wav"]
    found = facts.entries[0].sheet
    assert found is not None
    assert (found.title, found.artists, found.composers) == ("Dummy", ("Portishead",), ("Barrow",))
    assert (found.genres, found.date, found.disc) == (("Trip Hop",), "1994", 2)
    assert (found.gain_db, found.peak) == (-5.48, None)
    first, second, third = found.tracks
    assert (first.title, first.artists, first.isrc) == (
        "Mysterons",
        ("Portishead",),
        "GBAAN9400001",
    )
    assert (second.title, second.artists) == ('Sour "Times"', ("Portishead & Others",))
    assert second.composers == ("Gibbons",)
    assert (second.gain_db, second.peak) == (-6.0, 0.987)
    assert (third.number, third.title, third.artists) == (3, None, ())


def test_a_program_that_praises_itself_is_no_description() -> None:
    def description(comment: str) -> str | None:
        facts = sheet(f"REM COMMENT {comment}", *numbered("00:00:00", "01:00:00"))
        found = facts.entries[0].sheet
        assert found is not None
        return found.description

    assert description('"ExactAudioCopy v0.99pb4"') is None
    assert description('"Recorded in Bristol"') == "Recorded in Bristol"


@pytest.mark.parametrize(
    ("time", "seconds"),
    [
        ("00:00:01", Fraction(1, 75)),
        ("00:00:74", Fraction(74, 75)),
        ("05:02:74", 5 * 60 + 2 + Fraction(74, 75)),
        ("120:00:01", 7200 + Fraction(1, 75)),
        ("1:2:3", 62 + Fraction(3, 75)),
    ],
)
def test_times_are_counted_in_frames_of_which_a_second_has_75(time: str, seconds: Fraction) -> None:
    (first, second) = tracks(sheet(*numbered("00:00:00", time)))
    assert second.begin_us == round(seconds * 1_000_000)
    assert (first.begin_us, first.end_us, second.end_us) == (0, second.begin_us, None)


def test_the_gap_in_front_of_a_track_is_heard_with_the_one_before() -> None:
    """As a CD player counts: a track begins at its index 1 (IEC 60908)."""
    first, second, _ = tracks(parse_cue_sheet(RECORD.encode()))
    assert first.end_us == second.begin_us == round((302 + Fraction(74, 75)) * 1_000_000)


def test_what_is_hidden_in_front_of_the_first_track_belongs_to_none() -> None:
    lines = ['FILE "a.wav" WAVE', "TRACK 01 AUDIO", "INDEX 00 00:00:00", "INDEX 01 04:00:00"]
    first, _ = tracks(sheet(*lines, "TRACK 02 AUDIO", "INDEX 01 08:00:00"))
    assert first.begin_us == 240_000_000


def test_a_track_of_data_is_left_out_and_ends_the_one_before() -> None:
    lines = numbered("00:00:00", "01:00:00")
    (first, second) = tracks(sheet(*lines, "TRACK 03 MODE1/2352", "INDEX 01 02:00:00"))
    assert (first.end_us, second.end_us) == (60_000_000, 120_000_000)


def test_a_sheet_with_a_file_for_each_track_is_a_list_of_files() -> None:
    """As programs write it that leave gaps at the end: a track's index 1 decides about its file."""
    facts = sheet(
        'FILE "01.wav" WAVE',
        "TRACK 01 AUDIO",
        'TITLE "One"',
        "INDEX 01 00:00:00",
        "TRACK 02 AUDIO",
        'TITLE "Two"',
        "INDEX 00 03:12:00",
        'FILE "02.wav" WAVE',
        "INDEX 01 00:00:00",
    )
    assert [(entry.location, entry.title, entry.sheet) for entry in facts.entries] == [
        ("01.wav", "One", None),
        ("02.wav", "Two", None),
    ]


def test_the_sides_of_a_record_are_split_each_for_itself() -> None:
    facts = sheet(
        *numbered("00:00:00", "05:00:00", file='FILE "side a.flac" WAVE'),
        'FILE "side b.flac" WAVE',
        "TRACK 03 AUDIO",
        "INDEX 01 00:00:00",
    )
    assert [entry.location for entry in facts.entries] == ["side a.flac", "side b.flac"]
    assert [track.end_us for track in tracks(facts)] == [300_000_000, None]
    assert [(track.number, track.begin_us) for track in tracks(facts, 1)] == [(3, 0)]


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('FILE "a b.flac" WAVE', "a b.flac"),
        ("FILE a.flac WAVE", "a.flac"),
        ("FILE a b.flac WAVE", "a b.flac"),
        ('  file   "a.flac"   WAVE', "a.flac"),
        ('FILE "5" single.wav" WAVE', '5" single.wav'),
        ('FILE "a.flac', "a.flac"),
    ],
)
def test_file_names_are_found_with_and_without_quotes(written: str, name: str) -> None:
    facts = sheet(*numbered("00:00:00", "01:00:00", file=written))
    assert facts.entries[0].location == name


@pytest.mark.parametrize(
    ("text", "charset"),
    [
        ("Ångström à côté", "utf-8"),
        ("Ångström à côté", "utf-8-sig"),
        ("Ångström à côté", "utf-16"),
        ("Ångström à côté", "cp1252"),
        ("Время и стекло: лучшие песни", "cp1251"),
        ("中森明菜のベストアルバム", "cp932"),
        ("周杰伦的范特西专辑", "gbk"),
    ],
)
def test_sheets_are_read_in_the_character_set_they_look_like(text: str, charset: str) -> None:
    lines = [f'TITLE "{text}"', f'PERFORMER "{text}"', *numbered("00:00:00", "01:00:00")]
    facts = parse_cue_sheet("\r\n".join(lines).encode(charset))
    assert facts.title == text


def many(count: int) -> list[str]:
    return numbered(*(f"{minute:02d}:00:00" for minute in range(count)))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "no tracks"),
        (["REM nothing"], "no tracks"),
        (['FILE "a.wav" WAVE', "TRACK 01 AUDIO"], "track 1 has no INDEX 01"),
        (['FILE "a.wav" WAVE', "TRACK 01 AUDIO", "INDEX 00 00:00:00"], "track 1 has no INDEX 01"),
        (["TRACK 01 AUDIO", "INDEX 01 00:00:00"], "track 1 is in no file"),
        (numbered("00:00:00", "02:00:00", "01:59:74"), "track 3 begins no later than the one"),
        (numbered("00:00:00", "02:00:00", "02:00:00"), "track 3 begins no later than the one"),
        (numbered("00:00:00", "00:00:75"), "track 2 begins at no time: 00:00:75"),
        (numbered("00:00:00", "00:60:00"), "track 2 begins at no time: 00:60:00"),
        (numbered("00:00:00", "-1:00:00"), "track 2 begins at no time: -1:00:00"),
        (numbered("00:00:00", "٠١:٠٠:٠٠"), "track 2 begins at no time"),
        (numbered("00:00:00"), "it has a single track"),
        (many(200), "a track of the number 100"),
        (["TRACK 01 AUDIO"] * 200, "more than 99 tracks"),
        ([*many(2), "TRACK 02 AUDIO", "INDEX 01 09:00:00"], "track 2 comes after track 2"),
        ([*many(2), "TRACK 00 AUDIO", "INDEX 01 09:00:00"], "a track of the number 00"),
        ([*many(2), "TRACK 1000000 AUDIO", "INDEX 01 09:00:00"], "a track of the number 1000000"),
        (['FILE "a.bin" BINARY', "TRACK 01 MODE1/2352", "INDEX 01 00:00:00"], "no tracks to hear"),
        (["\0" * 100], "not a text"),
    ],
)
def test_a_sheet_that_cannot_be_right_says_why(lines: list[str], reason: str) -> None:
    with pytest.raises(UnreadableMedia) as caught:
        sheet(*lines)
    assert caught.value.reason.startswith(reason)


def test_a_cd_of_99_tracks_is_read() -> None:
    assert len(tracks(sheet(*many(99)))) == 99


def test_a_huge_sheet_is_not_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("sheets") / "a.cue"
    path.write_bytes(b"REM x\n" * (MAX_BYTES // 6 + 1))
    assert read_playlist(bytes(path)) == PlaylistFacts(reason="larger than 1 MB")


WORDS = st.sampled_from(
    [
        *("FILE", "TRACK", "INDEX", "INDEX 01", "REM", "TITLE", "DISCNUMBER", "DATE", "AUDIO"),
        *("01", "02", '"', '"a.wav"', "WAVE", "00:00:00", "99:59:74"),
        *("\n", "\r", "\0", "\udcff", "٣", "-1"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.lists(WORDS).map(" ".join))
def test_whatever_is_in_a_sheet_nothing_else_is_raised(text: str) -> None:
    with contextlib.suppress(UnreadableMedia):
        assert parse_playlist(text.encode("utf-8", "surrogateescape"), "cue").entries


# ---- inside of a file


def test_a_sheet_inside_a_file_need_not_name_it() -> None:
    found = embedded_sheet("\n".join(numbered("00:00:00", "01:00:00")[1:]))
    assert found is not None
    assert [track.begin_us for track in found.tracks] == [0, 60_000_000]


def test_a_sheet_inside_a_file_that_names_several_is_not_used() -> None:
    lines = [*numbered("00:00:00"), 'FILE "b.flac" WAVE', "TRACK 02 AUDIO", "INDEX 01 00:00:00"]
    assert embedded_sheet("\n".join(lines)) == Sheet(reason="it names several files")


def test_a_sheet_of_one_track_inside_a_file_says_nothing() -> None:
    assert embedded_sheet("\n".join(numbered("00:00:00"))) is None


def test_a_broken_sheet_inside_a_file_says_why() -> None:
    found = embedded_sheet("TRACK 01 AUDIO")
    assert found == Sheet(reason="track 1 has no INDEX 01")


# ---- kept, and used


def test_what_is_kept_of_a_sheet_is_all_of_it() -> None:
    found = parse_cue_sheet(RECORD.encode()).entries[0].sheet
    assert found is not None
    assert sheets.read(sheets.written(found)) == found
    broken = Sheet(reason="no tracks")
    assert sheets.read(sheets.written(broken)) == broken


@pytest.mark.parametrize(
    ("duration_ms", "reason"),
    [
        (60_001, None),
        (60_000, "track 2 begins at 1:00, its file ends at 1:00"),
        (59_000, "track 2 begins at 1:00, its file ends at 0:59"),
        (None, "the length of its file is not known"),
    ],
)
def test_a_sheet_fits_a_file_in_which_all_its_tracks_begin(
    duration_ms: int | None, reason: str | None
) -> None:
    found = embedded_sheet("\n".join(numbered("00:00:00", "01:00:00")))
    assert found is not None
    assert sheets.misfit(found, duration_ms) == reason
