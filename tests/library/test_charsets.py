"""Character sets of tags: real titles and names, each in the set of its country."""

import pytest

from mediaserver.library.readers import charsets

WESTERN = [
    ["Chanson d'\u00e9t\u00e9 \u00e0 \u00c9vry", "C\u00e9line Dion"],
    ["F\u00fcr \u00c9lise", "Die \u00c4rzte", "M\u00e4nner", "Gr\u00fc\u00dfe aus K\u00f6ln"],
    ["\u00dcBER \u00d6L", "MOT\u00d6RHEAD", "DIE \u00c4RZTE"],
    ["H\u00e5kan Hellstr\u00f6m", "F\u00e5 mig p\u00e5", "R\u00e4kna sm\u00e5 f\u00e5r"],
    ["\u00c5\u00e4\u00f6"],
    ["\u00c6\u00d8\u00c5"],
    ["Coraz\u00f3n espinado", "\u00bfD\u00f3nde est\u00e1?", "\u00a1Ol\u00e9!"],
    ["Sigur R\u00f3s", "\u00c1g\u00e6tis byrjun", "\u00de\u00fa ert j\u00f6r\u00f0in"],
    ["S\u00e3o Jo\u00e3o", "Cora\u00e7\u00e3o"],
    ["Beyonc\u00e9"],
    ["\u00e0"],
    ["N\u00ba 5", "50 \u00b0C", "\u00bd"],
]


@pytest.mark.parametrize("texts", WESTERN, ids=lambda texts: texts[0])
def test_western_words_are_latin_1(texts: list[str]) -> None:
    data = [text.encode("latin-1") for text in texts]
    assert charsets.guess(data) is None
    for one in data:
        assert charsets.guess([one]) is None


FOREIGN = [
    ("cp1251", ["Группа крови", "Кино", "Звезда по имени Солнце", "ДДТ"]),
    ("cp1251", ["Перемен!"]),
    ("cp1251", ["Океан Ельзи", "Обійми", "Без бою"]),
    ("koi8-r", ["Группа крови", "Кино"]),
    ("gbk", ["周杰伦", "双截棍", "青花瓷"]),
    ("gbk", ["王菲"]),
    ("gbk", ["邓丽君", "月亮代表我的心"]),
    ("big5", ["周杰倫", "雙截棍", "青花瓷"]),
    ("big5", ["張學友", "吻別"]),
    ("cp932", ["宇多田ヒカル", "さくら", "First Love"]),
    ("cp932", ["椎名林檎", "丸ノ内サディスティック"]),
    ("cp932", ["久石譲"]),
    ("cp949", ["김민수", "사랑했지만"]),
    ("cp949", ["아이유", "좋은 날"]),
    ("cp1253", ["Γιάννης Πάριος", "Ζορμπάς"]),
    ("cp1255", ["שלמה ארצי", "ירושלים של זהב"]),
    ("cp1256", ["فيروز", "أم كلثوم"]),
    ("cp874", ["คาราบาว", "เมดอินไทยแลนด์"]),
]


@pytest.mark.parametrize(("codec", "texts"), FOREIGN, ids=lambda value: str(value)[:24])
def test_words_of_other_scripts_are_recognized(codec: str, texts: list[str]) -> None:
    assert charsets.guess([text.encode(codec) for text in texts]) == codec


def test_a_character_cut_off_at_the_end_of_id3v1_does_no_harm() -> None:
    title = ("月亮代表我的心" * 3).encode("gbk")[:29]
    assert charsets.guess([title]) == "gbk"
    assert charsets.decoded(title, "gbk") == ("月亮代表我的心" * 3)[:14]


def test_a_short_text_is_not_taken_for_one_that_was_cut_off() -> None:
    assert charsets.guess(["\u00c5\u00e4\u00f6".encode("latin-1")]) is None
