"""Which files are media, by the suffix of their name: kind and MIME type.

The MIME types are the ones devices ask for (connection-manager, dlna-profiles, quirks), not
always IANA's; what single families of devices want instead is in ``client_profiles.toml``.
Readers correct both by the contents: a sound-only MP4 is audio, a transport stream of 192-byte
packets is ``video/vnd.dlna.mpeg-tts``. A leaf: imports nothing of ours.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MediaType:
    """What a suffix stands for. ``suffix`` in lower case, without its dot."""

    suffix: str
    mime_type: str
    kind: str
    """``audio``, ``video`` or ``image``."""


_AUDIO = {
    "mp3": "audio/mpeg",
    "mp2": "audio/mpeg",
    "mpa": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "oga": "audio/ogg",
    "opus": "audio/ogg",
    "spx": "audio/ogg",
    "m4a": "audio/mp4",
    "m4b": "audio/mp4",
    "m4r": "audio/mp4",
    "alac": "audio/mp4",
    "3ga": "audio/3gpp",
    "aac": "audio/aac",
    "wav": "audio/x-wav",
    "rf64": "audio/x-wav",
    "aiff": "audio/x-aiff",
    "aif": "audio/x-aiff",
    "aifc": "audio/x-aiff",
    "wma": "audio/x-ms-wma",
    "ape": "audio/x-ape",
    "wv": "audio/x-wavpack",
    "mpc": "audio/x-musepack",
    "tta": "audio/x-tta",
    "dsf": "audio/x-dsf",
    "dff": "audio/x-dff",
    "mka": "audio/x-matroska",
    "weba": "audio/webm",
    "ac3": "audio/ac3",
    "eac3": "audio/eac3",
    "ec3": "audio/eac3",
    "dts": "audio/vnd.dts",
    "amr": "audio/amr",
}
_VIDEO = {
    "mp4": "video/mp4",
    "m4v": "video/mp4",
    "f4v": "video/mp4",
    "mov": "video/quicktime",
    "qt": "video/quicktime",
    "mkv": "video/x-matroska",
    "webm": "video/webm",
    "avi": "video/x-msvideo",
    "divx": "video/x-msvideo",
    "mpg": "video/mpeg",
    "mpeg": "video/mpeg",
    "mpe": "video/mpeg",
    "vob": "video/mpeg",
    # 188-byte packets are video/mpeg in DLNA, 192-byte ones video/vnd.dlna.mpeg-tts
    # (dlna-profiles 1); cameras and discs write the latter.
    "ts": "video/mpeg",
    "m2t": "video/mpeg",
    "m2ts": "video/vnd.dlna.mpeg-tts",
    "mts": "video/vnd.dlna.mpeg-tts",
    "wmv": "video/x-ms-wmv",
    "asf": "video/x-ms-asf",
    "3gp": "video/3gpp",
    "3g2": "video/3gpp2",
    "flv": "video/x-flv",
    "ogv": "video/ogg",
}
_IMAGE = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "jpe": "image/jpeg",
    "png": "image/png",
    "gif": "image/gif",
    "bmp": "image/bmp",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "avif": "image/avif",
}
_RAW = {
    "cr2": "image/x-canon-cr2",
    "cr3": "image/x-canon-cr3",
    "nef": "image/x-nikon-nef",
    "nrw": "image/x-nikon-nrw",
    "arw": "image/x-sony-arw",
    "sr2": "image/x-sony-sr2",
    "dng": "image/x-adobe-dng",
    "orf": "image/x-olympus-orf",
    "rw2": "image/x-panasonic-rw2",
    "raf": "image/x-fuji-raf",
    "pef": "image/x-pentax-pef",
    "srw": "image/x-samsung-srw",
}

MEDIA_TYPES: dict[str, MediaType] = {
    suffix: MediaType(suffix, mime_type, kind)
    for kind, table in (("audio", _AUDIO), ("video", _VIDEO), ("image", _IMAGE | _RAW))
    for suffix, mime_type in table.items()
}
"""By suffix, lower case without its dot."""

RAW_TYPES = frozenset(_RAW.values())
"""RAW photos: nobody shows them as they are, only the preview inside."""

SIDECAR_SUFFIXES = frozenset(
    {"srt", "sub", "idx", "smi", "sami", "ssa", "ass", "vtt", "ttml", "txt", "lrc"} | {"nfo"}
)
"""Files that belong to media (captions, lyrics, descriptions); not items themselves."""

_LEFT_OUT = {
    "MIDI holds notes and no sound; devices on the network do not play it": "mid midi kar rmi",
    "a tracker's or chip's music holds notes; devices on the network do not play it": (
        "mod xm s3m it mtm med okt 669 stm ult umx mptm ahx sid nsf spc vgm"
    ),
    "an archive: what is in it would have to be unpacked": "zip rar 7z tar gz bz2 xz tgz cbz cbr",
    "an image of a disc: what is on it would have to be copied out": "iso img nrg mdf bin ccd cdi",
    "a document, no media": "pdf doc docx odt rtf epub mobi azw3 md htm html xls xlsx csv xml json",
    "a part of a DVD's structure; its films are the VOB files": "ifo bup",
    "a vector graphic or project file, which devices do not show": "svg ai eps psd xcf kra",
    "an encrypted file, which nobody but its owner's programs can play": "aax aa m4p wvm",
    "not complete: a download under way": "part crdownload download partial aria2 ut! !ut bc!",
}
LEFT_OUT: dict[str, str] = {
    suffix: reason for reason, suffixes in _LEFT_OUT.items() for suffix in suffixes.split()
}
"""Suffixes that people may take for media, and why they are not served."""

SUBTITLE_TYPES = {
    "srt": "text/srt",
    "ssa": "text/ssa",
    "vtt": "text/vtt",
    "smi": "smi/caption",
    "sub": "text/sub",
    "idx": "text/idx",
}
"""By format: the names that players look for, Kodi and televisions, rather than IANA's."""

CAPTIONS = ("srt", "smi", "ssa")
"""Formats of subtitles that televisions read which are told of one, or name captions."""

PLAYLIST_SUFFIXES = frozenset({"m3u", "m3u8", "pls", "wpl", "xspf", "asx", "cue"})
"""Files that list media: containers, not items; or the tracks of a file beside them."""


def by_suffix(name: str | bytes) -> MediaType | None:
    """The type that a file's name claims; None where it claims none we know.

    ``name`` may be a path. A name that is only a suffix (``.mp3``) is a hidden file without one.
    """
    return MEDIA_TYPES.get(suffix_of(name))


def is_playlist(name: str | bytes) -> bool:
    """Whether a file's name claims that it lists media."""
    return suffix_of(name) in PLAYLIST_SUFFIXES


def is_cue_sheet(name: str | bytes) -> bool:
    """Whether a file's name claims that it tells the tracks of a record."""
    return suffix_of(name) == "cue"


def suffix_of(name: str | bytes) -> str:
    """The suffix of a name or path in lower case, without its dot; empty if there is none."""
    if isinstance(name, bytes):
        stem, _, raw = name.rpartition(b".")
        if not stem or stem.endswith(b"/"):
            return ""
        return raw.decode("ascii", "replace").lower()
    stem_text, _, suffix = name.rpartition(".")
    if not stem_text or stem_text.endswith("/"):
        return ""
    return suffix.lower()
