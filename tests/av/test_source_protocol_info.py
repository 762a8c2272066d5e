"""What GetProtocolInfo offers is what the readers can name and the library can serve."""

from collections import defaultdict
from itertools import product

import pytest

from mediaserver.av.source_protocol_info import DLNA_PROFILES, csv, source
from mediaserver.clients import UNKNOWN, ClientProfile
from mediaserver.library.readers import dispatch, dlna_profiles, image, streams
from mediaserver.library.readers.dlna_profiles import VideoFile
from mediaserver.media_types import MEDIA_TYPES

VIDEO_TYPES = {
    "mp4": "video/mp4",
    "mpegts": "video/mpeg",
    "mpegps": "video/mpeg",
    "mpeg1ps": "video/mpeg",
    "m2ts": "video/vnd.dlna.mpeg-tts",
    "asf": "video/x-ms-wmv",
}
"""By the readers' name of a container, the MIME type of dlna-profiles 4 to 6."""

CODECS = (
    ("h264", "Constrained Baseline"),
    ("h264", "Main"),
    ("h264", "High"),
    ("mpeg4", "Simple Profile"),
    ("mpeg2video", "Main"),
    ("mpeg1video", ""),
    ("wmv3", "Main"),
)
SOUNDS = (
    ("aac", "LC", 2),
    ("aac", "LC", 6),
    ("ac3", "", 6),
    ("mp3", "", 2),
    ("mp2", "", 2),
    ("wmav2", "", 2),
    ("wmapro", "", 6),
)
RASTERS = (
    ((320, 240), 15.0),
    ((640, 480), 30.0),
    ((720, 576), 25.0),
    ((720, 480), 29.97),
    ((352, 288), 25.0),
    ((1280, 720), 30.0),
    ((1920, 1080), 29.97),
)


def named_profiles() -> dict[str, set[str]]:
    """Every profile that the readers name of some file in a raster of properties, by MIME type."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for container, (codec, level_of), (sound, profile, channels), (raster, rate) in product(
        VIDEO_TYPES, CODECS, SOUNDS, RASTERS
    ):
        for level, (bitrate, audio_bitrate), timestamps in product(
            (3, 12, 30, 31, 40),
            ((300_000, 96_000), (1_376_000, 224_000), (9_000_000, 384_000)),
            (False, True),
        ):
            name = dlna_profiles.video(
                VideoFile(
                    container=container,
                    timestamps=timestamps,
                    bitrate=bitrate,
                    video_codec=codec,
                    video_profile=level_of,
                    level=level,
                    video_bitrate=bitrate - audio_bitrate,
                    width=raster[0],
                    height=raster[1],
                    frame_rate=rate,
                    audio_codec=sound,
                    audio_profile=profile,
                    audio_bitrate=audio_bitrate,
                    sample_rate=44100 if codec == "mpeg1video" else 48000,
                    channels=channels,
                )
            )
            if name is not None:
                found[VIDEO_TYPES[container]].add(name)
    return dict(found)


def test_the_profiles_of_films_are_those_that_the_readers_name() -> None:
    named = named_profiles()
    offered = {
        mime_type: set(names)
        for mime_type, names in DLNA_PROFILES.items()
        if mime_type.startswith("video/")
    }
    assert offered == named


def test_every_mime_type_of_the_library_is_offered_plainly() -> None:
    entries = source(UNKNOWN).split(",")
    for media_type in MEDIA_TYPES.values():
        assert f"http-get:*:{media_type.mime_type}:*" in entries


def test_every_mime_type_that_a_reader_finds_instead_is_offered_plainly() -> None:
    """Sound alone in a file named as a film, a picture under another format's suffix."""
    entries = source(UNKNOWN).split(",")
    found = {
        *(mime_type for both in streams._MIME_TYPES.values() for mime_type in both),
        *streams._OTHER_KIND.values(),
        *dispatch._AUDIO_TYPES.values(),
        *image.MIME_TYPES.values(),
    }
    assert [each for each in sorted(found) if f"http-get:*:{each}:*" not in entries] == []


def test_a_profile_is_all_that_the_fourth_field_holds() -> None:
    """connection-manager 3: other parameters are not meaningful in a list."""
    entries = source(UNKNOWN).split(",")
    assert "http-get:*:audio/mpeg:DLNA.ORG_PN=MP3" in entries
    assert all(len(entry.split(":")) == 4 and ";" not in entry.split(":")[3] for entry in entries)


def test_no_entry_comes_twice() -> None:
    profile = ClientProfile(mime_types={"video/x-msvideo": "video/mpeg"})
    entries = source(profile).split(",")
    assert len(set(entries)) == len(entries)


def test_the_list_is_short_enough_for_control_points_that_cut_it() -> None:
    """connection-manager 4: some cut the evented value at 4 to 8 kB."""
    assert len(source(UNKNOWN)) < 8000


def test_a_device_reads_its_own_names_of_types() -> None:
    profile = ClientProfile(
        mime_types={"audio/flac": "audio/x-flac"}, without_dlna_profile=frozenset({"video/mp4"})
    )
    entries = source(profile).split(",")
    assert "http-get:*:audio/x-flac:*" in entries
    assert "http-get:*:audio/flac:*" not in entries
    assert [each for each in entries if ":video/mp4:" in each] == ["http-get:*:video/mp4:*"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [(["a", "b"], "a,b"), (["a,b", "c"], "a\\,b,c"), (["a\\b"], "a\\\\b"), ([], "")],
)
def test_a_comma_within_an_entry_is_escaped(values: list[str], expected: str) -> None:
    """connection-manager 3."""
    assert csv(values) == expected
