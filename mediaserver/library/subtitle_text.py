"""Subtitles in UTF-8, whatever they were written in.

Players that are told ``charset=utf-8`` show what they get; left alone, most take anything else for
the character set of where they were sold. Nothing but the encoding is changed.
"""

import codecs

from mediaserver.library.readers import charsets

MAX_BYTES = 8 << 20
"""Of a file that is looked at; subtitles of a film are a hundredth of that."""
CONVERTED = frozenset({"srt", "ssa", "vtt"})
"""Formats; others are pictures, or declare a character set inside."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_BY_LANGUAGE = {
    **dict.fromkeys(("bs", "cs", "hr", "hu", "pl", "ro", "sk", "sl", "sq"), "cp1250"),
    **dict.fromkeys(("bg", "kk", "mk", "ru", "sr", "uk"), "cp1251"),
    **dict.fromkeys(("et", "lt", "lv"), "cp1257"),
    **dict.fromkeys(("ar", "fa", "ur"), "cp1256"),
    "el": "cp1253",
    "tr": "cp1254",
    "he": "cp1255",
    "vi": "cp1258",
    "th": "cp874",
    "ja": "cp932",
    "ko": "cp949",
    "zh": "gb18030",
    "zh-Hant": "big5",
    "zh-TW": "big5",
    "zh-HK": "big5",
}
"""What Windows of a language writes; the language is what the file's name says."""
_WESTERN = "cp1252"


def in_utf8(data: bytes, language: str | None) -> bytes | None:
    """The text in UTF-8; None if it is already, which a mark at its beginning does not change."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return None if mark == codecs.BOM_UTF8 else data.decode(codec, "replace").encode()
    try:
        data.decode()
    except UnicodeDecodeError:
        return _decoded(data, language).encode()
    return None


def _decoded(data: bytes, language: str | None) -> str:
    codec = _codec_of(language)
    if codec is not None:
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            pass  # the name is wrong, or somebody wrote it elsewhere
    return data.decode(charsets.guess(data.splitlines()) or _WESTERN, "replace")


def _codec_of(language: str | None) -> str | None:
    if not language:
        return None
    return _BY_LANGUAGE.get(language) or _BY_LANGUAGE.get(language.partition("-")[0])
