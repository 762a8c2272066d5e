"""Subtitles in UTF-8 (quirks.md 2: televisions)."""

import pytest

from mediaserver.library.subtitle_text import in_utf8

CUE = "1\r\n00:00:01,000 --> 00:00:02,000\r\n{}\r\n\r\n"


def subtitle(*lines: str) -> str:
    return "".join(map(CUE.format, lines))


@pytest.mark.parametrize("text", ["", "plain", "ÄÖÜ ß", "Привет", "\ufeffmarked ä"])
def test_utf_8_stays_as_it_is(text: str) -> None:
    assert in_utf8(text.encode(), None) is None


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_by_its_mark(codec: str) -> None:
    text = subtitle("Grüße 字幕")
    assert in_utf8(("\ufeff" + text).encode(codec), None) == text.encode()


@pytest.mark.parametrize(
    ("language", "codec", "line"),
    [
        ("pl", "cp1250", "Zażółć gęślą jaźń"),
        ("cs", "cp1250", "Příliš žluťoučký kůň"),
        ("ru", "cp1251", "Съешь же ещё этих мягких булок"),
        ("el", "cp1253", "Ξεσκεπάζω την ψυχοφθόρα"),
        ("tr", "cp1254", "Pijamalı hasta yağız şoföre"),
        ("he", "cp1255", "דג סקרן שט בים"),
        ("ar", "cp1256", "صِف خَلقَ خَودِ"),
        ("lt", "cp1257", "Įlinkdama fechtuotojo špaga"),
        ("ja", "cp932", "いろはにほへと"),
        ("ko", "cp949", "키스의 고유조건은"),
        ("zh-Hans", "gb18030", "视野无限广"),
        ("zh-Hant", "big5", "視野無限廣"),
        ("de", "cp1252", "Falsches Üben von Xylophonmusik quält – jeden"),
        (None, "cp1252", "Voix ambiguë d’un cœur"),
    ],
)
def test_the_language_of_the_name_tells_what_windows_wrote(
    language: str | None, codec: str, line: str
) -> None:
    text = subtitle(line)
    assert in_utf8(text.encode(codec), language) == text.encode()


@pytest.mark.parametrize(
    ("codec", "line"),
    [
        ("cp1251", "Съешь же ещё этих мягких французских булок, да выпей чаю"),
        ("cp1253", "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία"),
        ("cp932", "色は匂へど散りぬるを我が世誰ぞ常ならむ"),
        ("cp949", "키스의 고유조건은 입술끼리 만나야 하고"),
    ],
)
def test_without_a_language_the_characters_tell(codec: str, line: str) -> None:
    text = subtitle(line, line)
    assert in_utf8(text.encode(codec), None) == text.encode()


def test_a_wrong_language_gives_way_to_what_the_characters_tell() -> None:
    text = subtitle("Съешь же ещё этих мягких французских булок, да выпей чаю")
    assert in_utf8(text.encode("cp1251"), "ja") == text.encode()


def test_what_nobody_can_read_is_text_all_the_same() -> None:
    found = in_utf8(bytes(range(256)), None)
    assert found is not None
    found.decode()
