"""ReplayGain, ratings, MusicBrainz's ids and dates of releases, as programs write them.

Names of tags are those of MusicBrainz Picard's documentation ("Tag Mapping"), scales of ratings
those of the players' own: see each test.
"""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutagen.apev2 import APEv2
from mutagen.asf import ASF
from mutagen.flac import FLAC
from mutagen.id3 import ID3, POPM, RVA2, TDOR, TDRC, TDRL, TIT2, TORY, TXXX, TYER, UFID
from mutagen.mp4 import MP4, MP4FreeForm
from mutagen.oggopus import OggOpus

from mediaserver.library.objects import Details, Kind, MediaFacts
from mediaserver.library.readers import details, ratings, read
from mediaserver.library.readers.found import Found
from tests import make_media

RECORDING = "b84ee12a-09ef-421b-82de-0441a926375b"
TRACK = "9d444787-3f25-4c16-9261-597b9ab021cc"
GROUP = "ccdb3dd3-9cd7-3e4c-9e9e-4ff3ff3bd4ba"
RELEASE = "fe7ddd48-a5fb-4ed7-8f0d-8c0d1c7d1c3e"
ARTIST = "5441c29d-3602-4898-b1a1-b77fa23b8e50"
GUEST = "66fc5bf8-daa4-4241-b378-9bc9077939d2"


def facts_of(path: Path) -> MediaFacts:
    facts = read(bytes(path))
    assert facts.reason is None
    return facts


def details_of(path: Path) -> Details:
    found = facts_of(path).details
    assert found is not None
    return found


def tagged_flac(folder: Path, tags: Mapping[str, str | Sequence[str]]) -> Path:
    path = make_media.sound(folder / "a.flac")
    file = FLAC(path)
    file.update(tags)
    file.save()
    return path


def tagged_mp3(folder: Path, *frames: object) -> Path:
    path = make_media.sound(folder / "a.mp3", container_options={"write_xing": "0"})
    tags = ID3()
    for frame in (TIT2(encoding=3, text="Song"), *frames):
        tags.add(frame)
    tags.save(path)
    return path


# ---- MusicBrainz


IDS = Details(
    recording_id=RECORDING,
    track_id=TRACK,
    release_group_id=GROUP,
    artist_ids=(ARTIST, GUEST),
    album_artist_ids=(ARTIST,),
)


def test_musicbrainz_ids_of_vorbis_comments_are_kept(tmp_path: Path) -> None:
    path = tagged_flac(
        tmp_path,
        {
            "MUSICBRAINZ_TRACKID": RECORDING,
            "MUSICBRAINZ_RELEASETRACKID": TRACK,
            "MUSICBRAINZ_RELEASEGROUPID": GROUP,
            "MUSICBRAINZ_ALBUMID": RELEASE,
            "MUSICBRAINZ_ARTISTID": [ARTIST, GUEST],
            "MUSICBRAINZ_ALBUMARTISTID": ARTIST,
        },
    )
    assert details_of(path) == IDS
    assert facts_of(path).release_id == RELEASE


def free_frames(version: int) -> list[object]:
    """As Picard writes them: several values in one text where ID3v2.3 has no other way."""
    both = [ARTIST, GUEST] if version == 4 else [f"{ARTIST}/{GUEST}"]
    return [
        UFID(owner="http://musicbrainz.org", data=RECORDING.encode()),
        TXXX(encoding=1, desc="MusicBrainz Release Track Id", text=TRACK),
        TXXX(encoding=1, desc="MusicBrainz Release Group Id", text=GROUP),
        TXXX(encoding=1, desc="MusicBrainz Artist Id", text=both),
        TXXX(encoding=1, desc="MusicBrainz Album Artist Id", text=ARTIST),
    ]


@pytest.mark.parametrize("version", [3, 4])
def test_musicbrainz_ids_of_id3_are_kept(tmp_path: Path, version: int) -> None:
    path = tagged_mp3(tmp_path, *free_frames(version))
    ID3(path).save(path, v2_version=version)
    assert details_of(path) == IDS


def test_musicbrainz_ids_of_mp4_are_kept(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.m4a")
    file = MP4(path)
    for name, values in (
        ("MusicBrainz Track Id", (RECORDING,)),
        ("MusicBrainz Release Track Id", (TRACK,)),
        ("MusicBrainz Release Group Id", (GROUP,)),
        ("MusicBrainz Artist Id", (ARTIST, GUEST)),
        ("MusicBrainz Album Artist Id", (ARTIST,)),
    ):
        file[f"----:com.apple.iTunes:{name}"] = [MP4FreeForm(one.encode()) for one in values]
    file.save()
    assert details_of(path) == IDS


def test_musicbrainz_ids_of_asf_are_kept(tmp_path: Path) -> None:
    path = make_media.sound(tmp_path / "a.wma")
    file = ASF(path)
    file["MusicBrainz/Track Id"] = RECORDING
    file["MusicBrainz/Release Track Id"] = TRACK
    file["MusicBrainz/Release Group Id"] = GROUP
    file["MusicBrainz/Artist Id"] = [ARTIST, GUEST]
    file["MusicBrainz/Album Artist Id"] = ARTIST
    file.save()
    assert details_of(path) == IDS


def test_what_is_no_uuid_is_no_id_of_musicbrainz(tmp_path: Path) -> None:
    path = tagged_flac(
        tmp_path, {"MUSICBRAINZ_TRACKID": "12", "MUSICBRAINZ_ARTISTID": f"x{ARTIST}"}
    )
    assert facts_of(path).details is None


# ---- ReplayGain


def test_gains_of_vorbis_comments_are_kept(tmp_path: Path) -> None:
    path = tagged_flac(
        tmp_path,
        {
            "REPLAYGAIN_TRACK_GAIN": "-7.89 dB",
            "REPLAYGAIN_TRACK_PEAK": "0.98765",
            "replaygain_album_gain": "+1.20 dB",
            "replaygain_album_peak": "1.034",
        },
    )
    assert details_of(path) == Details(
        track_gain_db=-7.89, track_peak=0.98765, album_gain_db=1.2, album_peak=1.034
    )


def test_gains_of_opus_count_from_another_loudness(tmp_path: Path) -> None:
    # RFC 7845 §5.2.1: Q7.8 dB to -23 LUFS; ReplayGain 2.0 aims at -18 LUFS.
    path = make_media.sound(tmp_path / "a.opus", rate=48000)
    file = OggOpus(path)
    file["R128_TRACK_GAIN"], file["R128_ALBUM_GAIN"] = "-573", "111"
    file.save()
    assert details_of(path) == Details(track_gain_db=-573 / 256 + 5, album_gain_db=111 / 256 + 5)


@pytest.mark.parametrize("name", ["REPLAYGAIN_TRACK_GAIN", "replaygain_track_gain"])
def test_gains_of_id3_are_kept_in_any_case(tmp_path: Path, name: str) -> None:
    path = tagged_mp3(tmp_path, TXXX(encoding=3, desc=name, text="-3.5 dB"))
    assert details_of(path) == Details(track_gain_db=-3.5)


def test_relative_volumes_of_id3v2_4_are_kept(tmp_path: Path) -> None:
    path = tagged_mp3(
        tmp_path,
        RVA2(desc="track", channel=1, gain=-6.5, peak=0.5),
        RVA2(desc="album", channel=1, gain=2.25, peak=1.0),
        RVA2(desc="bass", channel=7, gain=3.0, peak=0.1),
    )
    found = details_of(path)
    assert (found.track_gain_db, found.album_gain_db) == (-6.5, 2.25)
    assert found.track_peak == pytest.approx(0.5, abs=1e-4)
    assert found.album_peak == pytest.approx(1.0, abs=1e-4)


def test_gains_of_mp4_asf_and_ape_are_kept(tmp_path: Path) -> None:
    mp4 = MP4(make_media.sound(tmp_path / "a.m4a"))
    mp4["----:com.apple.iTunes:replaygain_track_gain"] = MP4FreeForm(b"-1.5 dB")
    mp4.save()
    asf = ASF(make_media.sound(tmp_path / "a.wma"))
    asf["replaygain_track_gain"] = "-1.5 dB"
    asf.save()
    ape = APEv2()
    ape["REPLAYGAIN_TRACK_GAIN"] = "-1.5 dB"
    ape.save(make_media.sound(tmp_path / "a.wv"))
    for name in ("a.m4a", "a.wma", "a.wv"):
        assert details_of(tmp_path / name) == Details(track_gain_db=-1.5)


def test_mp3gain_writes_gains_behind_what_id3_says(tmp_path: Path) -> None:
    path = tagged_mp3(tmp_path)
    ape = APEv2()
    ape["REPLAYGAIN_TRACK_GAIN"], ape["Title"] = "-4.125000 dB", "Another"
    ape.save(path)
    facts = facts_of(path)
    assert facts.title == "Song"
    assert facts.details == Details(track_gain_db=-4.125)


def lame_file(folder: Path, *frames: object) -> Path:
    """An MP3 whose first frame says what LAME measured (Mp3 Info Tag, revision 1)."""
    path = make_media.sound(folder / "a.mp3", bitrate=128_000)
    data = bytearray(path.read_bytes())
    at = max(data.find(b"Info"), data.find(b"Xing"))
    start = at + 120  # flags, frames, bytes, table of contents, quality
    data[start : start + 9] = b"LAME3.100"
    # Radio (1), set by the encoder (3), negative, 8.9 dB: bits 3, 3, 1, 9.
    gain = 1 << 13 | 3 << 10 | 1 << 9 | 89
    peak = struct.pack(">f", 0.0)
    data[start + 11 : start + 19] = peak + struct.pack(">HH", gain, 0)
    path.write_bytes(data)
    tags = ID3()
    for frame in frames:
        tags.add(frame)
    tags.save(path)
    return path


def test_what_lame_measured_counts_where_no_tag_says_more(tmp_path: Path) -> None:
    assert details_of(lame_file(tmp_path)).track_gain_db == pytest.approx(-8.9)


def test_a_tag_counts_more_than_what_lame_measured(tmp_path: Path) -> None:
    tag = TXXX(encoding=3, desc="REPLAYGAIN_TRACK_GAIN", text="-2.00 dB")
    assert details_of(lame_file(tmp_path, tag)).track_gain_db == -2.0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-7.89 dB", -7.89),
        ("-7,89 dB", -7.89),
        ("+3 db", 3.0),
        ("0.00", 0.0),
        ("-64 dB", -64.0),
        ("-64.01 dB", None),
        ("1e3 dB", None),
        ("nan dB", None),
        ("inf", None),
        ("loud", None),
        ("", None),
        (None, None),
    ],
)
def test_a_gain_is_a_number_of_decibels(text: str | None, expected: float | None) -> None:
    assert details.gain(text) == expected


@given(st.text())
def test_no_text_is_an_error(text: str) -> None:
    for name in details.NAMES:
        details.named(Found(Kind.AUDIO, "audio/flac"), {name: [text]})


# ---- ratings


@pytest.mark.parametrize(
    ("byte", "stars"),
    # What Windows' explorer writes; MusicBee's half stars.
    [(1, 1), (64, 2), (128, 3), (196, 4), (255, 5), (13, 0.5), (54, 1.5), (118, 2.5), (242, 4.5)],
)
def test_stars_of_windows_and_musicbee_are_read(tmp_path: Path, byte: int, stars: float) -> None:
    path = tagged_mp3(tmp_path, POPM(email="Windows Media Player 9 Series", rating=byte, count=3))
    assert facts_of(path).rating == stars * 20


def test_quod_libet_counts_evenly(tmp_path: Path) -> None:
    # Its default of 0.5 is written as 127 of 255.
    popm = POPM(email="quodlibet@lists.sacredchao.net", rating=127, count=0)
    assert facts_of(tagged_mp3(tmp_path, popm)).rating == 50


def test_0_is_not_rated_and_another_player_may_know(tmp_path: Path) -> None:
    # ID3v2.4 §4.17: "0 is unknown".
    unknown = POPM(email="no@email", rating=0, count=0)
    assert facts_of(tagged_mp3(tmp_path, unknown)).rating is None
    known = POPM(email="rating@winamp.com", rating=196, count=0)
    assert facts_of(tagged_mp3(tmp_path, unknown, known)).rating == 80


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"FMPS_RATING": "0.7"}, 70),
        ({"RATING": "4"}, 80),
        ({"RATING": "80"}, 80),
        ({"RATING": "7"}, 70),
        ({"RATING": "196"}, 80),
        ({"rating:me@example.org": "0.25"}, 25),
        ({"RATING": "0"}, None),
        ({"RATING": "-3"}, None),
        ({"RATING": "99999"}, None),
        ({"RATING": "PG-13"}, None),
        ({"FMPS_RATING": "1.5"}, None),
    ],
)
def test_ratings_of_vorbis_comments_are_read_in_any_scale(
    tmp_path: Path, tags: Mapping[str, str], expected: int | None
) -> None:
    assert facts_of(tagged_flac(tmp_path, tags)).rating == expected


@pytest.mark.parametrize(("value", "stars"), [(1, 1), (25, 2), (50, 3), (75, 4), (99, 5), (0, 0)])
def test_ratings_of_windows_media_are_read(tmp_path: Path, value: int, stars: int) -> None:
    # WM/SharedUserRating: 0, 1, 25, 50, 75, 99.
    file = ASF(make_media.sound(tmp_path / "a.wma"))
    file["WM/SharedUserRating"] = value
    file.save()
    assert facts_of(tmp_path / "a.wma").rating == (stars * 20 or None)


def test_the_atom_rate_of_mp4_is_read(tmp_path: Path) -> None:
    file = MP4(make_media.sound(tmp_path / "a.m4a"))
    file["rate"] = ["60"]
    file.save()
    assert facts_of(tmp_path / "a.m4a").rating == 60


@given(st.binary())
def test_no_popularimeter_is_an_error(data: bytes) -> None:
    rating = ratings.popularimeter(data)
    assert rating is None or 0 < rating <= 100


# ---- dates


def dates_of(path: Path) -> tuple[str | None, str | None]:
    facts = facts_of(path)
    return facts.date, facts.details.release_date if facts.details is not None else None


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ((TDRC(encoding=3, text="2004-05-06"), TDOR(encoding=3, text="1969")), "1969"),
        ((TDRL(encoding=3, text="2004-05-06"), TDOR(encoding=3, text="1969-09-26")), "1969-09-26"),
    ],
)
def test_music_is_of_the_year_when_it_first_came_out(
    tmp_path: Path, frames: Sequence[object], expected: str
) -> None:
    assert dates_of(tagged_mp3(tmp_path, *frames)) == (expected, "2004-05-06")


def test_the_original_year_of_id3v2_3_is_read(tmp_path: Path) -> None:
    path = tagged_mp3(tmp_path)
    tags = ID3(path)
    tags.add(TYER(encoding=1, text="2004"))
    tags.add(TORY(encoding=1, text="1969"))
    tags.save(path, v2_version=3)
    assert dates_of(path) == ("1969", "2004")


def test_the_original_date_of_vorbis_comments_is_read(tmp_path: Path) -> None:
    path = tagged_flac(tmp_path, {"DATE": "2004-05-06", "ORIGINALDATE": "1969-09-26"})
    assert dates_of(path) == ("1969-09-26", "2004-05-06")


@pytest.mark.parametrize(
    ("own", "original", "expected"),
    [
        ("1969", "1969-09-26", "1969-09-26"),
        ("1969-09-26", "1969", "1969-09-26"),
        ("1969", "1969", "1969"),
        ("1969", "2004", "1969"),
        ("", "1969", "1969"),
    ],
)
def test_dates_that_are_one_are_told_once(
    tmp_path: Path, own: str, original: str, expected: str
) -> None:
    path = tagged_flac(tmp_path, {"DATE": own, "ORIGINALDATE": original})
    assert dates_of(path) == (expected, None)
