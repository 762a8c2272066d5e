"""Which DLNA profile a video has: the limits of the tables, and just beyond them.

Expected values: GUPnP-DLNA's ``data/*.xml`` where it has the profile, libdlna's limits and
minidlna's rules for the others (dlna-profiles 4 to 6).
"""

from dataclasses import replace

import pytest

from mediaserver.library.readers.dlna_profiles import VideoFile, video

AVC_MP4 = VideoFile(
    container="mp4",
    timestamps=False,
    bitrate=2_000_000,
    video_codec="h264",
    video_profile="Main",
    level=30,
    video_bitrate=1_800_000,
    width=720,
    height=576,
    frame_rate=25.0,
    audio_codec="aac",
    audio_profile="LC",
    audio_bitrate=128_000,
    sample_rate=48000,
    channels=2,
)
HD_MP4 = replace(AVC_MP4, width=1280, height=720, level=31, video_bitrate=14_000_000)
HIGH_MP4 = replace(
    AVC_MP4, video_profile="High", width=1920, height=1080, level=40, bitrate=25_000_000
)
AVC_TS = replace(AVC_MP4, container="mpegts", audio_codec="ac3", audio_bitrate=384_000)
HIGH_TS = replace(
    AVC_TS, video_profile="High", width=1920, height=1080, level=40, bitrate=30_000_000
)
MPEG2_TS = replace(AVC_TS, video_codec="mpeg2video", level=8, bitrate=18_000_000)
MPEG2_NTSC = replace(MPEG2_TS, width=720, height=480, frame_rate=29.97)
MPEG2_PS = replace(MPEG2_TS, container="mpegps", bitrate=9_800_000)
MPEG1 = replace(
    AVC_MP4,
    container="mpeg1ps",
    video_codec="mpeg1video",
    video_profile="",
    video_bitrate=1_152_000,
    width=352,
    height=288,
    audio_codec="mp2",
    audio_bitrate=224_000,
    sample_rate=44100,
)
SIMPLE = replace(
    AVC_MP4,
    video_codec="mpeg4",
    video_profile="Simple Profile",
    level=3,
    width=640,
    height=480,
    frame_rate=30.0,
)
WMV = replace(
    AVC_MP4,
    container="asf",
    video_codec="wmv3",
    audio_codec="wmav2",
    audio_profile="",
    audio_bitrate=192_999,
    bitrate=10_000_000,
)


def with_ac3(file: VideoFile) -> VideoFile:
    return replace(file, audio_codec="ac3", audio_profile="", audio_bitrate=448_000)


def with_mp3(file: VideoFile) -> VideoFile:
    return replace(file, audio_codec="mp3", audio_profile="", audio_bitrate=320_000)


@pytest.mark.parametrize(
    ("file", "profile"),
    [
        # AVC in MP4
        (AVC_MP4, "AVC_MP4_MP_SD_AAC_MULT5"),
        (replace(AVC_MP4, channels=6, audio_bitrate=1_440_000), "AVC_MP4_MP_SD_AAC_MULT5"),
        (with_ac3(AVC_MP4), "AVC_MP4_MP_SD_AC3"),
        (with_mp3(AVC_MP4), "AVC_MP4_MP_SD_MPEG1_L3"),
        (replace(AVC_MP4, video_profile="Constrained Baseline"), "AVC_MP4_BL_L3_SD_AAC"),
        (replace(AVC_MP4, video_profile="Baseline"), "AVC_MP4_BL_L3_SD_AAC"),
        (
            replace(
                AVC_MP4,
                video_profile="Constrained Baseline",
                width=320,
                height=240,
                frame_rate=15.0,
                level=12,
                video_bitrate=384_000,
                bitrate=520_000,
            ),
            "AVC_MP4_BL_CIF15_AAC_520",
        ),
        (HD_MP4, "AVC_MP4_MP_HD_720p_AAC"),
        (replace(HD_MP4, frame_rate=59.94, level=32), "AVC_MP4_MP_HD_1080i_AAC"),
        (replace(HD_MP4, width=1920, height=1080, level=40), "AVC_MP4_MP_HD_1080i_AAC"),
        (HIGH_MP4, "AVC_MP4_HP_HD_AAC"),
        # AVC in transport streams
        (AVC_TS, "AVC_TS_MP_SD_AC3_ISO"),
        (replace(AVC_TS, container="m2ts"), "AVC_TS_MP_SD_AC3"),
        (replace(AVC_TS, container="m2ts", timestamps=True), "AVC_TS_MP_SD_AC3_T"),
        (with_mp3(AVC_TS), "AVC_TS_MP_SD_MPEG1_L3_ISO"),
        (replace(HIGH_TS, video_profile="Main", bitrate=20_000_000), "AVC_TS_MP_HD_AC3_ISO"),
        (HIGH_TS, "AVC_TS_HP_HD_AC3_ISO"),
        # MPEG-2 and MPEG-1
        (MPEG2_TS, "MPEG_TS_SD_EU_ISO"),
        (replace(MPEG2_TS, container="m2ts", timestamps=True), "MPEG_TS_SD_EU_T"),
        (MPEG2_NTSC, "MPEG_TS_SD_NA_ISO"),
        (replace(MPEG2_NTSC, width=1920, height=1080), "MPEG_TS_HD_NA_ISO"),
        (MPEG2_PS, "MPEG_PS_PAL"),
        (replace(MPEG2_PS, audio_codec="mp2"), "MPEG_PS_PAL"),
        (replace(MPEG2_PS, audio_codec="pcm_dvd"), "MPEG_PS_PAL"),
        (replace(MPEG2_PS, height=480, frame_rate=29.97), "MPEG_PS_NTSC"),
        (MPEG1, "MPEG1"),
        (replace(MPEG1, height=240, frame_rate=23.976), "MPEG1"),
        # MPEG-4 part 2
        (SIMPLE, "MPEG4_P2_MP4_SP_VGA_AAC"),
        (
            replace(SIMPLE, width=320, height=240, video_bitrate=384_000),
            "MPEG4_P2_MP4_SP_AAC",
        ),
        # Windows Media
        (WMV, "WMVMED_BASE"),
        (replace(WMV, audio_bitrate=193_000), "WMVMED_FULL"),
        (replace(WMV, audio_codec="wmapro", channels=6), "WMVMED_PRO"),
        (replace(WMV, width=1920, height=1080, audio_bitrate=256_000), "WMVHIGH_FULL"),
    ],
)
def test_a_file_at_the_limits_of_a_profile_has_it(file: VideoFile, profile: str) -> None:
    assert video(file) == profile


@pytest.mark.parametrize(
    "file",
    [
        replace(AVC_MP4, width=722),
        replace(AVC_MP4, frame_rate=50.0),
        replace(AVC_MP4, frame_rate=0.0),
        replace(AVC_MP4, level=31),
        replace(AVC_MP4, level=0),
        replace(AVC_MP4, video_bitrate=10_000_001),
        replace(AVC_MP4, video_profile="High"),
        replace(AVC_MP4, audio_codec="opus"),
        replace(AVC_MP4, audio_profile="HE-AAC"),
        replace(AVC_MP4, audio_bitrate=0),
        replace(AVC_MP4, channels=8),
        replace(AVC_MP4, audio_codec=""),
        replace(AVC_MP4, video_codec="hevc"),
        replace(HD_MP4, level=32, video_bitrate=20_000_001),
        replace(HIGH_MP4, level=41),
        replace(HIGH_MP4, bitrate=25_000_001),
        replace(HIGH_MP4, frame_rate=59.94),
        replace(AVC_TS, bitrate=10_000_001),
        replace(AVC_TS, audio_codec="eac3"),
        replace(HIGH_TS, audio_codec="aac", audio_profile="LC"),
        replace(HIGH_TS, bitrate=30_000_001),
        replace(MPEG2_TS, width=800),
        replace(MPEG2_TS, bitrate=18_881_701),
        replace(MPEG2_TS, video_profile="4:2:2"),
        replace(MPEG2_NTSC, audio_codec="mp2"),
        replace(MPEG2_NTSC, sample_rate=44100),
        replace(MPEG2_PS, bitrate=9_800_001),
        replace(MPEG2_PS, container="mpeg1ps"),
        replace(MPEG2_PS, frame_rate=29.97),
        replace(MPEG2_PS, sample_rate=44100),
        replace(MPEG1, container="mpegps"),
        replace(MPEG1, video_bitrate=1_152_001),
        replace(MPEG1, channels=1),
        replace(SIMPLE, video_bitrate=3_000_001),
        replace(SIMPLE, video_profile="Advanced Simple Profile"),
        replace(WMV, video_profile="Advanced"),
        replace(WMV, audio_codec="mp3"),
        replace(WMV, width=1920, height=1080),
        replace(WMV, width=1920, height=1080, bitrate=20_000_001, audio_bitrate=256_000),
        replace(AVC_MP4, container="matroska"),
        replace(AVC_MP4, container="avi"),
        replace(AVC_MP4, container=""),
    ],
)
def test_a_file_beyond_the_limits_has_none(file: VideoFile) -> None:
    """A wrong profile is worse than none: many devices then refuse the file."""
    assert video(file) is None
