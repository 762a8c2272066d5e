"""What GetProtocolInfo says we can send (CM:1 §2.2.1; connection-manager 4).

Each MIME type that the library serves stands in it plainly: Windows, the Xbox and several
televisions look for no more. Before it stand the DLNA profiles that our readers may name, which
certified devices look for. Field 4 holds the profile alone; other parameters mean nothing there.
"""

from collections.abc import Iterable, Iterator

from mediaserver import dlna
from mediaserver.clients import ClientProfile
from mediaserver.library.decoding.pcm import L16_TYPE, LPCM_CHANNELS, LPCM_PROFILE, LPCM_RATES
from mediaserver.media_types import MEDIA_TYPES, SUBTITLE_TYPES

_AVC_MP4 = (
    "AVC_MP4_BL_CIF15_AAC_520",
    "AVC_MP4_BL_L3_SD_AAC",
    "AVC_MP4_MP_SD_AAC_MULT5",
    "AVC_MP4_MP_SD_AC3",
    "AVC_MP4_MP_SD_MPEG1_L3",
    "AVC_MP4_MP_HD_720p_AAC",
    "AVC_MP4_MP_HD_1080i_AAC",
    "AVC_MP4_HP_HD_AAC",
)
_MPEG4_MP4 = ("MPEG4_P2_MP4_SP_AAC", "MPEG4_P2_MP4_SP_VGA_AAC")
_TRANSPORT = (
    "AVC_TS_MP_SD_AC3",
    "AVC_TS_MP_SD_AAC_MULT5",
    "AVC_TS_MP_SD_MPEG1_L3",
    "AVC_TS_MP_HD_AC3",
    "AVC_TS_MP_HD_AAC_MULT5",
    "AVC_TS_MP_HD_MPEG1_L3",
    "AVC_TS_HP_HD_AC3",
    "MPEG_TS_SD_EU",
    "MPEG_TS_SD_NA",
    "MPEG_TS_HD_NA",
)
_AAC = ("AAC_ISO_320", "AAC_ISO", "AAC_MULT5_ISO")

DLNA_PROFILES: dict[str, tuple[str, ...]] = {
    "image/jpeg": ("JPEG_TN", "JPEG_SM", "JPEG_MED", "JPEG_LRG"),
    "image/png": ("PNG_TN", "PNG_LRG"),
    "image/gif": ("GIF_LRG",),
    "audio/mpeg": ("MP3",),
    "audio/mp4": _AAC,
    "audio/3gpp": _AAC,
    "audio/vnd.dlna.adts": ("AAC_ADTS_320", "AAC_ADTS", "AAC_MULT5_ADTS"),
    "audio/vnd.dolby.dd-raw": ("AC3",),
    "audio/x-ms-wma": ("WMABASE", "WMAFULL", "WMAPRO"),
    "video/mp4": (*_AVC_MP4, *_MPEG4_MP4),
    # Transport streams of 188-byte packets; 192-byte ones with and without time stamps.
    "video/mpeg": (
        *(f"{name}_ISO" for name in _TRANSPORT),
        "MPEG_PS_PAL",
        "MPEG_PS_NTSC",
        "MPEG1",
    ),
    "video/vnd.dlna.mpeg-tts": tuple(
        f"{name}{suffix}" for name in _TRANSPORT for suffix in ("", "_T")
    ),
    "video/x-ms-wmv": ("WMVMED_BASE", "WMVMED_FULL", "WMVMED_PRO", "WMVHIGH_FULL", "WMVHIGH_PRO"),
}
"""By our MIME type, the profiles that :mod:`mediaserver.library.readers.dlna_profiles` names."""

_SOUND_ALONE = ("audio/3gpp2", "audio/x-flv")
"""Of files whose suffix claims a film, and that hold none."""

_LPCM = tuple(
    f";rate={rate};channels={channels}"
    for rate in LPCM_RATES
    for channels in range(1, LPCM_CHANNELS + 1)
)
"""Parameters of what parts of files are decoded to, beside WAV."""

MIME_TYPES: tuple[str, ...] = tuple(
    dict.fromkeys(
        (
            *DLNA_PROFILES,
            *(media_type.mime_type for media_type in MEDIA_TYPES.values()),
            *_SOUND_ALONE,
            *SUBTITLE_TYPES.values(),
        )
    )
)


def source(profile: ClientProfile) -> str:
    """SourceProtocolInfo for a device: its names of the MIME types, profiles it can bear."""
    return csv(dict.fromkeys(_entries(profile)))


def _entries(profile: ClientProfile) -> Iterator[str]:
    for mime_type in MIME_TYPES:
        told = profile.mime_type(mime_type)
        if mime_type not in profile.without_dlna_profile:
            for name in DLNA_PROFILES.get(mime_type, ()):
                yield dlna.protocol_info(told, f"DLNA.ORG_PN={name}")
        yield dlna.protocol_info(told)
    for parameters in _LPCM:
        told = profile.mime_type(L16_TYPE) + parameters
        if L16_TYPE not in profile.without_dlna_profile:
            yield dlna.protocol_info(told, f"DLNA.ORG_PN={LPCM_PROFILE}")
        yield dlna.protocol_info(told)


def csv(values: Iterable[str]) -> str:
    """A list of values in one argument: a comma inside of one is escaped (AVArchitecture:1)."""
    return ",".join(value.replace("\\", "\\\\").replace(",", "\\,") for value in values)
