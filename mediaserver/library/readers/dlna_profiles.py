"""DLNA media format profiles (DLNA.ORG_PN) of files as they are.

A profile is named only where everything that it demands is known to hold (dlna-profiles 2 to 6):
a wrong one is worse than none. Sizes of video are the exact rasters of the guideline, not the
relaxed upper bounds that other implementations accept. Matroska's profiles are left out: devices
before 2011 do not know them, later ones do not need them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from mediaserver.library.readers.found import Found

_MP3_RATES = (32000, 44100, 48000)
_AAC_RATES = range(8000, 48001)


# ---- audio


def mpeg_audio(found: Found, *, mpeg1: bool) -> str | None:
    fits = (
        mpeg1
        and found.audio_codec == "mp3"
        and found.sample_rate in _MP3_RATES
        and found.channels in (1, 2)
        and 32_000 <= (found.bitrate or 0) <= 320_000
    )
    return "MP3" if fits else None


def aac_iso(found: Found, *, low_complexity: bool) -> str | None:
    """AAC in MP4 or 3GP with sound only."""
    return _aac(found, low_complexity, ("AAC_ISO_320", "AAC_ISO", "AAC_MULT5_ISO"))


def aac_adts(found: Found, *, low_complexity: bool) -> None:
    """AAC without a container; its profile comes with its own MIME type."""
    # Below 32 kHz the stream may hold spectral band replication that nothing announces.
    if (found.sample_rate or 0) >= 32000:
        names = ("AAC_ADTS_320", "AAC_ADTS", "AAC_MULT5_ADTS")
        found.dlna_profile = _aac(found, low_complexity, names)
    if found.dlna_profile is not None:
        found.mime_type = "audio/vnd.dlna.adts"


def _aac(found: Found, low_complexity: bool, names: tuple[str, str, str]) -> str | None:
    channels, bitrate = found.channels or 0, found.bitrate or 0
    if not low_complexity or found.sample_rate not in _AAC_RATES or not bitrate:
        return None
    if channels in (1, 2) and bitrate <= 320_000:
        return names[0]
    if channels in (1, 2) and bitrate <= 576_000:
        return names[1]
    if channels in (3, 4, 5, 6) and bitrate <= 1_440_000:
        return names[2]
    return None


def windows_audio(found: Found) -> str | None:
    rate, channels = found.sample_rate or 0, found.channels or 0
    bitrate = found.bitrate or 0
    if not rate or not channels or not bitrate:
        return None
    if found.audio_codec in ("wmav1", "wmav2") and rate <= 48000 and channels <= 2:
        if bitrate < 193_000:
            return "WMABASE"
        return "WMAFULL" if bitrate <= 385_000 else None
    if found.audio_codec == "wmapro" and rate <= 96000 and channels <= 8:
        return "WMAPRO" if bitrate <= 1_500_000 else None
    return None


def dolby(found: Found) -> None:
    """AC-3 without a container; its profile comes with its own MIME type."""
    if (
        found.audio_codec == "ac3"
        and found.sample_rate in _MP3_RATES
        and 64_000 <= (found.bitrate or 0) <= 640_000
    ):
        found.dlna_profile, found.mime_type = "AC3", "audio/vnd.dolby.dd-raw"


# ---- images

_JPEG_SIZES = (
    ("JPEG_TN", 160, 160),
    ("JPEG_SM", 640, 480),
    ("JPEG_MED", 1024, 768),
    ("JPEG_LRG", 4096, 4096),
)
_BASELINE = 0xC0
_CHROMA_HALVED = (((2, 2), (1, 1), (1, 1)), ((2, 1), (1, 1), (1, 1)))


def jpeg(
    width: int, height: int, marker: int, bits: int, sampling: Sequence[tuple[int, int]]
) -> str | None:
    """Baseline, 8 bits, grey or colour with halved chroma (dlna-http 8).

    ``marker`` is that of the frame (0xC0 is baseline), ``sampling`` the factors of each
    component, horizontal and vertical.
    """
    if marker != _BASELINE or bits != 8:
        return None
    if len(sampling) != 1 and tuple(sampling) not in _CHROMA_HALVED:
        return None
    for name, most_width, most_height in _JPEG_SIZES:
        if width <= most_width and height <= most_height:
            return name
    return None


def png(width: int, height: int, bits: int, colour: int, interlace: int) -> str | None:
    """``bits``, ``colour`` and ``interlace`` as in IHDR (PNG §11.2.2)."""
    grey = colour in (0, 4)
    if interlace or not (bits <= 8 or (grey and bits == 16)):
        return None
    if width <= 160 and height <= 160:
        return "PNG_TN"
    return "PNG_LRG" if width <= 4096 and height <= 4096 else None


def gif(width: int, height: int, version: bytes) -> str | None:
    return "GIF_LRG" if version == b"GIF89a" and width <= 1600 and height <= 1200 else None


# ---- video


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFile:
    """What decides about a profile of moving pictures. Bit rates in bits a second."""

    container: str
    """As :func:`contents.format_of` names it; ``mpeg1ps`` for MPEG-1's program stream."""
    timestamps: bool
    """Packets of 192 bytes whose time stamps are not all zero."""
    bitrate: int
    video_codec: str
    video_profile: str
    level: int
    video_bitrate: int
    width: int
    height: int
    frame_rate: float
    audio_codec: str
    audio_profile: str
    audio_bitrate: int
    sample_rate: int
    channels: int

    def rate_is(self, *rates: float) -> bool:
        return any(abs(self.frame_rate - rate) < 0.02 for rate in rates)

    @property
    def raster(self) -> tuple[int, int]:
        return self.width, self.height


_NTSC_RASTERS = {(720, 480), (704, 480), (544, 480), (480, 480), (352, 480)}
_PAL_RASTERS = {(720, 576), (704, 576), (544, 576), (480, 576), (352, 576)}
_HD_RASTERS = {(1920, 1080), (1280, 720)}
_AVC_SD_RASTERS = {
    (720, 576), (720, 480), (704, 576), (704, 480), (640, 480), (640, 360), (544, 576),
    (544, 480), (480, 576), (480, 480), (480, 360), (480, 270), (352, 576), (352, 480),
    (352, 288), (352, 240), (320, 240), (320, 180), (240, 180), (208, 160), (176, 144),
    (176, 120), (160, 120), (160, 112), (160, 90), (128, 96),
}  # fmt: skip


def video(file: VideoFile) -> str | None:
    """The profile of a video file; None where none surely applies."""
    if file.container == "mp4":
        if file.video_codec == "h264":
            return _avc_mp4(file)
        return _mpeg4_mp4(file) if file.video_codec == "mpeg4" else None
    if file.container in ("mpegts", "m2ts"):
        suffix = "_ISO" if file.container == "mpegts" else "_T" if file.timestamps else ""
        name = _avc_ts(file) if file.video_codec == "h264" else _mpeg2_ts(file)
        return None if name is None else name + suffix
    if file.container == "mpeg1ps":
        return _mpeg1(file)
    if file.container == "mpegps":
        return _mpeg_ps(file)
    if file.container == "asf":
        return _windows_video(file)
    return None


def _plain_aac(file: VideoFile, bitrate: int = 576_000, channels: int = 2) -> bool:
    return (
        file.audio_codec == "aac"
        and file.audio_profile == "LC"
        and file.sample_rate in _AAC_RATES
        and 1 <= file.channels <= channels
        and 0 < file.audio_bitrate <= bitrate
    )


def _plain_ac3(file: VideoFile, bitrate: int = 640_000) -> bool:
    return (
        file.audio_codec == "ac3"
        and file.sample_rate in _MP3_RATES
        and 1 <= file.channels <= 6
        and 64_000 <= file.audio_bitrate <= bitrate
    )


def _plain_mp3(file: VideoFile) -> bool:
    return (
        file.audio_codec == "mp3"
        and file.sample_rate in _MP3_RATES
        and 1 <= file.channels <= 2
        and 32_000 <= file.audio_bitrate <= 320_000
    )


def _avc_mp4(file: VideoFile) -> str | None:
    if not file.frame_rate or not file.level:
        return None
    baseline = file.video_profile in ("Constrained Baseline", "Baseline")
    main = file.video_profile in ("Constrained Baseline", "Main")
    return (
        (_avc_mp4_baseline(file) if baseline else None)
        or (_avc_mp4_sd(file) if main else None)
        or _avc_mp4_hd(file, main=main)
    )


def _avc_mp4_baseline(file: VideoFile) -> str | None:
    rate, raster = file.frame_rate, file.raster
    if (
        file.level <= 12
        and raster == (320, 240)
        and rate <= 20.01
        and file.video_bitrate <= 384_000
        and file.bitrate <= 520_000
        and _plain_aac(file, 128_000)
    ):
        return "AVC_MP4_BL_CIF15_AAC_520"
    fits = (raster == (720, 576) and rate <= 25.01) or (
        raster in {(720, 480), (640, 480), (640, 360)} and rate <= 30.01
    )
    if fits and file.level <= 30 and file.video_bitrate <= 4_000_000 and _plain_aac(file, 256_000):
        return "AVC_MP4_BL_L3_SD_AAC"
    return None


def _avc_mp4_sd(file: VideoFile) -> str | None:
    if (
        file.level > 30
        or file.raster not in _AVC_SD_RASTERS
        or file.frame_rate > 30.01
        or file.video_bitrate > 10_000_000
    ):
        return None
    if _plain_aac(file, 1_440_000, 6):
        return "AVC_MP4_MP_SD_AAC_MULT5"
    if _plain_ac3(file):
        return "AVC_MP4_MP_SD_AC3"
    return "AVC_MP4_MP_SD_MPEG1_L3" if _plain_mp3(file) else None


def _avc_mp4_hd(file: VideoFile, *, main: bool) -> str | None:
    rate, raster = file.frame_rate, file.raster
    if file.level > 40 or not _plain_aac(file):
        return None
    slow = raster in _HD_RASTERS and rate <= 30.01
    if main:
        if file.level <= 31 and raster == (1280, 720) and slow and file.video_bitrate <= 14_000_000:
            return "AVC_MP4_MP_HD_720p_AAC"
        fits = slow or (raster == (1280, 720) and rate <= 60.01)
        if fits and file.video_bitrate <= 20_000_000:
            return "AVC_MP4_MP_HD_1080i_AAC"
    elif file.video_profile == "High" and slow and file.bitrate <= 25_000_000:
        return "AVC_MP4_HP_HD_AAC"
    return None


def _mpeg4_mp4(file: VideoFile) -> str | None:
    if file.video_profile != "Simple Profile" or not 0 < file.frame_rate <= 30.01:
        return None
    if file.raster in {(640, 480), (640, 360)} and file.level <= 3 and _plain_aac(file, 256_000):
        return "MPEG4_P2_MP4_SP_VGA_AAC" if file.video_bitrate <= 3_000_000 else None
    small = {(352, 240), (320, 240), (320, 180), (240, 180), (208, 160), (176, 144), (128, 96)}
    most = {0: 64_000, 1: 64_000, 2: 128_000, 3: 384_000}.get(file.level, 0)
    if file.raster in small and file.video_bitrate <= most and _plain_aac(file, 216_000):
        return "MPEG4_P2_MP4_SP_AAC"
    return None


def _avc_ts(file: VideoFile) -> str | None:
    main = file.video_profile in ("Constrained Baseline", "Main")
    level, rate = file.level, file.frame_rate
    if not level or not rate:
        return None
    sound = (
        "AC3"
        if _plain_ac3(file)
        else "AAC_MULT5"
        if _plain_aac(file, 1_440_000, 6)
        else "MPEG1_L3"
        if _plain_mp3(file)
        else None
    )
    if sound is None:
        return None
    if main and level <= 30 and file.raster in _AVC_SD_RASTERS and rate <= 30.01:
        return f"AVC_TS_MP_SD_{sound}" if file.bitrate <= 10_000_000 else None
    if file.raster not in _HD_RASTERS or level > 40 or rate > 60.01:
        return None
    if main and file.bitrate <= 20_000_000:
        return f"AVC_TS_MP_HD_{sound}"
    if file.video_profile == "High" and sound == "AC3" and file.bitrate <= 30_000_000:
        return "AVC_TS_HP_HD_AC3"
    return None


def _mpeg2_ts(file: VideoFile) -> str | None:
    if file.video_codec != "mpeg2video" or file.video_profile not in ("Main", "Simple"):
        return None
    if file.bitrate > 18_881_700:
        return None
    ac3 = _plain_ac3(file, 448_000)
    layer2 = (
        file.audio_codec == "mp2"
        and file.sample_rate in _MP3_RATES
        and 0 < file.audio_bitrate <= 448_000
    )
    if file.raster in _PAL_RASTERS and file.rate_is(25) and (ac3 or layer2):
        return "MPEG_TS_SD_EU"
    if not ac3 or file.sample_rate != 48000:
        return None
    if file.raster in _NTSC_RASTERS and file.rate_is(29.97):
        return "MPEG_TS_SD_NA"
    if file.raster in {(1920, 1080), (1280, 720), (1440, 1080), (1280, 1080)} and file.rate_is(
        29.97, 30, 23.976, 24
    ):
        return "MPEG_TS_HD_NA"
    return None


def _mpeg1(file: VideoFile) -> str | None:
    fits = (
        (file.raster == (352, 288) and file.rate_is(25))
        or (file.raster == (352, 240) and file.rate_is(29.97, 23.976))
    ) and (file.audio_codec, file.sample_rate, file.channels) == ("mp2", 44100, 2)
    near = file.video_bitrate <= 1_152_000 and file.audio_bitrate == 224_000
    return "MPEG1" if file.video_codec == "mpeg1video" and fits and near else None


def _mpeg_ps(file: VideoFile) -> str | None:
    if file.video_codec != "mpeg2video" or file.video_profile not in ("Main", "Simple"):
        return None
    if file.bitrate > 9_800_000 or file.sample_rate != 48000:
        return None
    if not (_plain_ac3(file) or file.audio_codec in ("mp2", "pcm_dvd")):
        return None
    if file.raster in _PAL_RASTERS and file.rate_is(25):
        return "MPEG_PS_PAL"
    if file.raster in _NTSC_RASTERS | {(352, 240)} and file.rate_is(29.97):
        return "MPEG_PS_NTSC"
    return None


def _windows_video(file: VideoFile) -> str | None:
    if file.video_codec != "wmv3" or file.video_profile not in ("Simple", "Main"):
        return None
    if file.audio_codec in ("wmav1", "wmav2") and file.channels <= 2 and file.sample_rate <= 48000:
        sound = "BASE" if file.audio_bitrate < 193_000 else "FULL"
    elif file.audio_codec == "wmapro" and file.channels <= 8 and file.sample_rate <= 96000:
        sound = "PRO"
    else:
        return None
    width, height, rate = file.width, file.height, file.frame_rate
    if not rate or not file.bitrate:
        return None
    medium = (width <= 720 and height <= 480 and rate <= 30.01) or (
        width <= 720 and height <= 576 and rate <= 25.01
    )
    if medium and file.bitrate <= 10_000_000:
        return f"WMVMED_{sound}"
    if width <= 1920 and height <= 1080 and rate <= 30.01 and file.bitrate <= 20_000_000:
        return f"WMVHIGH_{sound}" if sound != "BASE" else None
    return None
