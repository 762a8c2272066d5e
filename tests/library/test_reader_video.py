"""Films of every container: codecs, size, duration, frame rate, profile; and what is no film."""

import struct
from fractions import Fraction
from pathlib import Path

import pytest

from mediaserver.library.objects import Kind, MediaFacts
from mediaserver.library.readers import read
from tests import make_media


def facts_of(path: Path) -> MediaFacts:
    facts = read(bytes(path))
    assert facts.reason is None
    return facts


@pytest.mark.parametrize(
    ("suffix", "mime_type", "codecs"),
    [
        (".mp4", "video/mp4", ("h264", "aac")),
        (".m4v", "video/mp4", ("h264", "aac")),
        (".mov", "video/quicktime", ("h264", "aac")),
        (".mkv", "video/x-matroska", ("h264", "aac")),
        (".webm", "video/webm", ("vp8", "opus")),
        (".avi", "video/x-msvideo", ("mpeg4", "mp3")),
        (".mpg", "video/mpeg", ("mpeg2video", "mp2")),
        (".vob", "video/mpeg", ("mpeg2video", "ac3")),
        # dlna-profiles 1: packets of 188 and of 192 bytes
        (".ts", "video/mpeg", ("h264", "ac3")),
        (".m2ts", "video/vnd.dlna.mpeg-tts", ("h264", "ac3")),
        (".wmv", "video/x-ms-wmv", ("wmv2", "wmav2")),
        (".asf", "video/x-ms-asf", ("wmv2", "wmav2")),
        (".3gp", "video/3gpp", ("mpeg4", "aac")),
        (".flv", "video/x-flv", ("flv1", "mp3")),
        (".ogv", "video/ogg", ("vp8", "vorbis")),
    ],
)
def test_streams_of_every_container_are_read(
    tmp_path: Path, suffix: str, mime_type: str, codecs: tuple[str, str]
) -> None:
    path = make_media.film(tmp_path / f"film{suffix}", seconds=2, size=(320, 240))
    facts = facts_of(path)
    assert (facts.kind, facts.mime_type) == (Kind.VIDEO, mime_type)
    assert (facts.video_codec, facts.audio_codec) == codecs
    assert (facts.width, facts.height) == (320, 240)
    assert facts.frame_rate == 25
    # Encoders put up to a tenth of a second in front of or behind the sound.
    assert facts.duration_ms == pytest.approx(2000, abs=110)
    assert (facts.sample_rate, facts.channels) == (48000, 2)
    assert facts.bitrate == pytest.approx(path.stat().st_size * 8 / 2, rel=0.1)
    assert facts.title == "film"
    assert facts.art is None


@pytest.mark.parametrize(
    ("rate", "expected"),
    [(Fraction(30000, 1001), 29.97), (Fraction(24000, 1001), 23.976), (50, 50)],
)
def test_a_frame_rate_of_television_is_kept_to_the_thousandth(
    tmp_path: Path, rate: int | Fraction, expected: float
) -> None:
    path = make_media.film(tmp_path / "a.mp4", frame_rate=rate)
    assert facts_of(path).frame_rate == pytest.approx(expected, abs=0.001)


def test_a_film_without_sound_is_a_film(tmp_path: Path) -> None:
    facts = facts_of(make_media.film(tmp_path / "a.mp4", audio_codec=None))
    assert (facts.kind, facts.audio_codec, facts.channels) == (Kind.VIDEO, None, None)


def test_a_film_with_sound_of_an_unknown_codec_is_a_film(tmp_path: Path) -> None:
    facts = facts_of(make_media.unknown_codec(make_media.film(tmp_path / "a.mkv"), "audio"))
    assert (facts.kind, facts.video_codec, facts.audio_codec) == (Kind.VIDEO, "h264", None)
    assert (facts.width, facts.height) == (160, 120)


def test_a_film_whose_pictures_are_of_an_unknown_codec_is_a_film(tmp_path: Path) -> None:
    facts = facts_of(make_media.unknown_codec(make_media.film(tmp_path / "a.mkv"), "video"))
    assert (facts.kind, facts.mime_type) == (Kind.VIDEO, "video/x-matroska")
    assert (facts.video_codec, facts.audio_codec) == (None, "aac")
    assert facts.duration_ms is not None
    assert abs(facts.duration_ms - 1000) < 100


@pytest.mark.parametrize(
    ("suffix", "mime_type"),
    [
        (".mp4", "audio/mp4"),
        (".mkv", "audio/x-matroska"),
        (".webm", "audio/webm"),
        (".3gp", "audio/3gpp"),
        (".wmv", "audio/x-ms-wma"),
        (".ogv", "audio/ogg"),
    ],
)
def test_a_film_container_with_sound_only_is_audio(
    tmp_path: Path, suffix: str, mime_type: str
) -> None:
    codec = {".webm": "libopus", ".wmv": "wmav2", ".ogv": "libopus"}.get(suffix, "aac")
    path = make_media.sound(
        tmp_path / f"song{suffix}",
        codec=codec,
        rate=48000,
        container={".wmv": "asf", ".ogv": "ogg"}.get(suffix),
    )
    facts = facts_of(path)
    assert (facts.kind, facts.mime_type) == (Kind.AUDIO, mime_type)
    assert (facts.video_codec, facts.width, facts.frame_rate) == (None, None, None)
    assert facts.duration_ms == pytest.approx(1000, abs=110)


def test_an_attached_picture_is_art_and_no_second_film(tmp_path: Path) -> None:
    cover = make_media.picture("JPEG", (120, 180))
    facts = facts_of(make_media.film(tmp_path / "a.mp4", size=(320, 240), cover=cover))
    assert (facts.video_codec, facts.width, facts.height) == ("h264", 320, 240)
    assert facts.art is not None
    assert (facts.art.mime_type, facts.art.width, facts.art.height) == ("image/jpeg", 120, 180)


def test_the_title_and_date_of_a_film_are_read(tmp_path: Path) -> None:
    path = make_media.film(
        tmp_path / "a.mkv",
        metadata={"title": "Der Schnee & <das> Eis", "date": "2011-12-24", "genre": "Drama"},
    )
    facts = facts_of(path)
    assert facts.title == "Der Schnee & <das> Eis"
    assert (facts.date, facts.genres) == ("2011-12-24", ("Drama",))


@pytest.mark.parametrize("title", ["video", "Untitled", "  ", "default"])
def test_a_title_that_a_program_made_up_is_none(tmp_path: Path, title: str) -> None:
    path = make_media.film(tmp_path / "Holiday 2011.mkv", metadata={"title": title})
    assert facts_of(path).title == "Holiday 2011"


def test_the_date_of_a_conversion_is_not_the_film_s(tmp_path: Path) -> None:
    made = {"creation_time": "2020-02-03T04:05:06Z"}
    assert facts_of(make_media.film(tmp_path / "a.mkv", metadata=made)).date is None


def test_the_date_of_a_camera_s_recording_is_read(tmp_path: Path) -> None:
    path = make_media.film(
        tmp_path / "a.mov",
        metadata={
            "com.apple.quicktime.make": "Apple",
            "com.apple.quicktime.creationdate": "2019-07-05T14:30:59+0200",
        },
        container_options={"movflags": "use_metadata_tags"},
    )
    assert facts_of(path).date == "2019-07-05T14:30:59"


def test_a_film_held_upright_says_how_it_is_turned(tmp_path: Path) -> None:
    """ISO/IEC 14496-12 §6.2.2, §8.3.2: the matrix of the track header."""
    path = make_media.film(tmp_path / "a.mp4", size=(320, 240))
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 4 + 40
    assert struct.unpack_from(">9i", data, matrix)[0] == 0x10000
    struct.pack_into(">9i", data, matrix, 0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000)
    path.write_bytes(data)
    facts = facts_of(path)
    assert facts.orientation == 6
    assert (facts.width, facts.height) == (320, 240)


def test_a_fragmented_film_has_its_whole_length(tmp_path: Path) -> None:
    path = make_media.film(
        tmp_path / "a.mp4",
        seconds=3,
        container_options={"movflags": "frag_keyframe+empty_moov", "frag_duration": "500000"},
    )
    assert facts_of(path).duration_ms == pytest.approx(3000, abs=110)


def test_a_film_whose_index_stands_at_its_end_is_read(tmp_path: Path) -> None:
    path = make_media.film(tmp_path / "a.mp4")
    data = path.read_bytes()
    assert data.index(b"mdat") < data.index(b"moov")
    assert facts_of(path).video_codec == "h264"


# ---- profiles of real files; the limits are test_dlna_profiles.py's


@pytest.mark.parametrize(
    ("name", "options", "video", "profile"),
    [
        (
            "a.mp4",
            {"profile": "main", "level": "3.0"},
            ("libx264", "aac", (640, 480), 25),
            "AVC_MP4_MP_SD_AAC_MULT5",
        ),
        (
            "a.mp4",
            {"profile": "baseline", "level": "3.0"},
            ("libx264", "aac", (640, 360), 25),
            "AVC_MP4_BL_L3_SD_AAC",
        ),
        (
            "a.mp4",
            {"profile": "high", "level": "4.0"},
            ("libx264", "aac", (1280, 720), 25),
            "AVC_MP4_HP_HD_AAC",
        ),
        ("a.mp4", {"profile": "high10"}, ("libx264", "aac", (642, 480), 25), None),
        # What MP4's profiles say is not said of QuickTime and Matroska (dlna-profiles 6).
        ("a.mov", {"profile": "main", "level": "3.0"}, ("libx264", "aac", (640, 480), 25), None),
        ("a.mkv", {"profile": "main", "level": "3.0"}, ("libx264", "aac", (640, 480), 25), None),
        (
            "a.ts",
            {"profile": "main", "level": "3.0"},
            ("libx264", "ac3", (720, 576), 25),
            "AVC_TS_MP_SD_AC3_ISO",
        ),
        (
            "a.m2ts",
            {"profile": "main", "level": "3.0"},
            ("libx264", "ac3", (720, 576), 25),
            "AVC_TS_MP_SD_AC3_T",
        ),
        ("a.ts", {}, ("mpeg2video", "mp2", (720, 576), 25), "MPEG_TS_SD_EU_ISO"),
        ("a.ts", {}, ("mpeg2video", "ac3", (720, 480), Fraction(30000, 1001)), "MPEG_TS_SD_NA_ISO"),
        ("a.vob", {}, ("mpeg2video", "ac3", (720, 576), 25), "MPEG_PS_PAL"),
        ("a.vob", {}, ("mpeg2video", "ac3", (720, 480), Fraction(30000, 1001)), "MPEG_PS_NTSC"),
        # MPEG-2 pictures in MPEG-1's program stream
        ("a.mpg", {}, ("mpeg2video", "mp2", (720, 576), 25), None),
        ("a.avi", {}, ("mpeg4", "libmp3lame", (640, 480), 25), None),
        ("a.webm", {}, ("libvpx", "libopus", (640, 480), 25), None),
    ],
)
def test_a_real_file_has_the_profile_that_it_conforms_to(
    tmp_path: Path,
    name: str,
    options: dict[str, str],
    video: tuple[str, str, tuple[int, int], int | Fraction],
    profile: str | None,
) -> None:
    video_codec, audio_codec, size, rate = video
    path = make_media.film(
        tmp_path / name,
        video_codec=video_codec,
        audio_codec=audio_codec,
        size=size,
        frame_rate=rate,
        options=options,
        bitrate=192_000,
        video_bitrate=600_000,
    )
    assert facts_of(path).dlna_profile == profile


def test_a_film_whose_sound_nobody_knows_has_no_profile(tmp_path: Path) -> None:
    path = make_media.film(
        tmp_path / "a.mp4",
        size=(640, 480),
        options={"profile": "main", "level": "3.0"},
        bitrate=192_000,
        video_bitrate=600_000,
    )
    assert facts_of(path).dlna_profile == "AVC_MP4_MP_SD_AAC_MULT5"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"mp4a", b"xyzw").replace(b"esds", b"free"))
    assert facts_of(path).dlna_profile is None


# ---- names


def test_an_episode_is_told_by_its_name_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / "Dark River" / "Season 01"
    folder.mkdir(parents=True)
    facts = facts_of(make_media.film(folder / "S01E02 - The Door.mkv"))
    assert facts.title == "Dark River - S01E02 - The Door"
    assert (facts.series, facts.season, facts.episode) == ("Dark River", 1, 2)
    assert (facts.program, facts.film, facts.named) == ("The Door", False, True)


def test_the_title_of_an_episode_is_that_of_its_tag(tmp_path: Path) -> None:
    path = make_media.film(tmp_path / "Dark.River.S01E02.720p.mkv", metadata={"title": "The Door"})
    facts = facts_of(path)
    assert facts.title == "Dark River - S01E02 - The Door"
    assert (facts.program, facts.named) == ("The Door", False)


def test_an_episode_is_told_by_its_tags(tmp_path: Path) -> None:
    """The atoms tvsh, tvsn, tves of MP4, by the names that FFmpeg gives them."""
    path = make_media.film(
        tmp_path / "x.mp4",
        metadata={"show": "Dark River", "season_number": "2", "episode_sort": "3"},
    )
    facts = facts_of(path)
    assert (facts.series, facts.season, facts.episode) == ("Dark River", 2, 3)
    assert facts.title == "Dark River - S02E03"


def test_a_film_is_told_by_its_name(tmp_path: Path) -> None:
    facts = facts_of(make_media.film(tmp_path / "Heat.1995.1080p.x264.mkv"))
    assert (facts.title, facts.date, facts.film) == ("Heat (1995)", "1995", True)
    titled = tmp_path / "Heat (1995).mkv"
    facts = facts_of(make_media.film(titled, metadata={"title": "Heat.1995.1080p.x264-GRP"}))
    assert (facts.title, facts.date, facts.film) == ("Heat (1995)", "1995", True)


def test_a_video_of_a_camera_keeps_its_name(tmp_path: Path) -> None:
    facts = facts_of(make_media.film(tmp_path / "MVI_0012.mp4"))
    assert (facts.title, facts.film, facts.series) == ("MVI_0012", False, None)
