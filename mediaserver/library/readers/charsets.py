"""The character set of tags that declare none, or the wrong one.

ID3v1 has no character set, and ID3v2 knows Latin-1 or Unicode only; programs of Russia and East
Asia wrote their own bytes there. All texts of a tag are looked at together, for a title alone is
too short to tell, as the cost of each reading in nats: how surprising its characters are. The
text is what it says it is (Latin-1, or Windows' own) unless another reading is cheaper by
:data:`MARGIN`. General detectors are made for pages of text: on titles of songs those at hand
take Swedish for Polish and Chinese for Korean.

What is common is told by where the standards themselves put it: GB 2312, JIS X 0208 and Big5 keep
their common characters in a first level, KS X 1001 the Hangul in one range.
"""

import math
import re
from collections.abc import Callable, Iterable

MARGIN = 14.0
"""e^14: a million times as likely."""
MAX_BYTES, MAX_TEXTS = 400, 16
"""Of one text, and texts of one tag: more would tell nothing new."""
ID3V1 = 28
"""Bytes at least of a text that may have been cut off: ID3v1 holds thirty, or twenty-eight."""
_CUT = "\ufffd"

_ASCII = 3.0
"""What any character of ASCII costs: as much in every reading."""
_MIXED = 5.0
"""For a letter of another script next to one of ASCII, within a word."""


def guess(texts: Iterable[bytes]) -> str | None:
    """The character set of texts that are not UTF-8, as a codec's name; None for Latin-1."""
    some = [text[:MAX_BYTES] for text in texts if not text.isascii()][:MAX_TEXTS]
    if not some:
        return None
    best, least = None, sum(map(_latin, some)) - MARGIN
    for codec, cost_of in _READINGS:
        try:
            found = sum(cost_of(_decoded(text, codec)) for text in some)
        except UnicodeDecodeError:
            continue
        if found < least:
            best, least = codec, found
    return best


def decoded(data: bytes, codec: str) -> str:
    """Text in a character set that was guessed; what was cut off at its end is left out."""
    try:
        return _decoded(data, codec).removesuffix(_CUT)
    except UnicodeDecodeError:
        return data.decode(codec, "replace")


def _decoded(data: bytes, codec: str) -> str:
    """Raises UnicodeDecodeError, but for half a character at the end of ID3v1's thirty bytes."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        if len(data) < ID3V1 or error.start < len(data) - 1:
            raise
        return data[: error.start].decode(codec) + _CUT


def _latin(data: bytes) -> float:
    """Accented letters stand alone among others; capitals of them begin words."""
    cost = 0.0
    before = 0x20
    for at, byte in enumerate(data):
        after = data[at + 1] if at + 1 < len(data) else 0x20
        if byte < 0x80:
            cost += _ASCII
        elif byte in _QUOTES:
            cost += 5.0
        elif byte < 0xC0 or byte in (0xD7, 0xF7):
            cost += 9.0
        else:
            alone = before < 0x80 and after < 0x80
            cost += (4.5 if byte >= 0xDF else 5.5) + (0.0 if alone else 2.5)
        before = byte
    return cost


_QUOTES = frozenset(b"\x85\x91\x92\x93\x94\x96\x97\xa1\xab\xb0\xb4\xbb\xbf")
"""Windows' quotes and dashes, and the signs of Latin-1 that occur in titles."""


# ---- alphabets

# Letters in the order of the share they have in texts, and that share in per mille.
_RUSSIAN = (
    "о110е85а80и74н67т63с55р47в45л44к35м32д30п28у26я20ы19ь17г17з16б16ч14й12х10ж9ш7ю6ц5щ4э3ф3ъ1ё1"
    "і8ї3є3ґ1ў1ђ1ј3љ1њ1ћ1џ1"
)
_GREEK = (
    "α100ο82ι75ε70τ77ν62σ50η40υ38ρ42π40κ40ς40μ34λ28ω18γ18δ17χ12θ12φ9β7ξ4ζ4ψ2ά18έ16ή14ί24ό24ύ12ώ9ϊ1"
)
_HEBREW = "י110ו104ה100ל74א63ר56ת50ב47מ46ש44ע32ם30נ29ד26ח25כ24ק21פ17ס15ז13ג13ט12צ12ן12ך9ף3ץ2"
_ARABIC = (
    "ا125ل110ي67م65و60ن60ر50ه45ب40ت40ع37ف30س30د30ق25ة25ك23ح22أ20ج14ش12ص10خ10ى10إ10ط9ض7ز6ث6ذ6غ5"
    "ء5ئ4آ3ظ2ؤ2"
)
_THAI = (
    "า75น70ร65อ60ก55เ52ง45่45ม42ย40้40ั40ล38ว35ี35ท33ิ33ด32ส30ต29ะ27ป26ห26บ24ค24แ19ุ19จ18พ18์16ข15ไ15ช14"
    "ื14ู13ใ12็10โ10ำ10ศ8ผ7ถ7ซ7ณ6ษ6ธ6ภ5ญ4ฟ3ฉ3ฝ2"
)
_SHARE = re.compile(r"(\D)([0-9]+)")
_WORD_SIGNS = frozenset("№«»“”„–—…’\xa0·ـ")


def _alphabet(shares: str, *, rare: float = 0.0) -> Callable[[str], float]:
    """Costs of an alphabet beside ASCII. ``rare``: what a reading in it costs to begin with."""
    per_mille = {letter: int(share) for letter, share in _SHARE.findall(shares)}
    whole = sum(per_mille.values())
    costs = {letter: -math.log(share / whole) for letter, share in per_mille.items()}

    def cost_of(text: str) -> float:
        cost = rare
        before = " "
        for character in text:
            if character.isascii():
                cost += _ASCII
                other = character.isalpha() and before in costs
            elif character in _WORD_SIGNS:
                cost += 5.0
                other = False
            else:
                lower = character.lower()
                cost += costs.get(lower, 9.0)
                if character != lower:
                    # A capital stands in front, or among others.
                    cost += 5.0 if before in costs else 0.7
                other = before.isascii() and before.isalpha()
            if other:
                cost += _MIXED
            before = character
        return cost

    return cost_of


# ---- East Asia

_SIGNS = "\u3000、。・「」『』〜！？（）…·，：；—～＆－，．"
_FREQUENT = frozenset(
    # Hanzi of both forms, and Kanji, that titles and names of songs are full of.
    "的一是不了在人有我他这这個个们們中来來上大为為和国國到说說时時要出会會也你对對生能子那得年过過天里裡"
    "想心她爱愛情歌曲月夜风風雨雪花梦夢星海泪淚吻王李张張陈陳林周刘劉黄黃邓鄧学學友丽麗君杰傑小红紅白青春秋冬夏"
    "日本語恋戀君空道光声聲音手山田中村木川島崎東京原井石野藤高橋佐私愛人男女世界永远遠最好后後再见見没沒什么麼"
    "就从從下去开開放走水云雲飞飛自由给給多无無一二三四五十百千万萬生命真家路回老儿兒孤单單寂寞快乐樂幸福美"
)
_FREQUENT_HANGUL = frozenset(
    "이다는에의가을를고하지은한사나그리로아도서어기시인자대해과라내너우만일정수보수안게니마으면여"
    "김박최민영사랑봄날밤꿈눈물별노래가요좋전화오미주유성현지연진소"
)


def _hanzi(codec: str, level: Callable[[bytes], float]) -> Callable[[str], float]:
    """Costs of a double-byte character set; ``level`` is that of a character's two bytes."""

    def cost(text: str) -> float:
        total = 0.0
        for character in text:
            if character.isascii():
                total += _ASCII
            elif character == _CUT:
                total += 9.0
            elif character in _SIGNS or character in _FREQUENT:
                total += 7.0
            else:
                total += level(character.encode(codec, "replace"))
        return total

    return cost


def _gbk(pair: bytes) -> float:
    if len(pair) < 2 or pair[1] < 0xA1 or pair[0] < 0xB0:
        return 16.0
    return 9.5 if pair[0] < 0xD8 else 12.0


def _big5(pair: bytes) -> float:
    if len(pair) < 2:
        return 16.0
    return 9.5 if 0xA4 <= pair[0] <= 0xC6 else 13.0


def _shift_jis(pair: bytes) -> float:
    if len(pair) < 2:
        # Katakana of half width.
        return 7.5
    if pair[0] == 0x82 and pair[1] >= 0x9F:
        return 5.5
    if pair[0] == 0x83 and pair[1] <= 0x96:
        return 5.5
    if pair[0] == 0x81:
        return 7.0
    if pair[0] == 0x82:
        # Letters and digits of full width.
        return 6.5
    return 9.5 if 0x88 <= pair[0] <= 0x97 else 12.0


def _korean(text: str) -> float:
    total = 0.0
    for character in text:
        if character.isascii():
            total += _ASCII
        elif character in _FREQUENT_HANGUL:
            total += 6.0
        elif character == _CUT:
            total += 9.0
        else:
            total += 9.0 if "\uac00" <= character <= "\ud7a3" else 13.0
    return total


_READINGS: tuple[tuple[str, Callable[[str], float]], ...] = (
    ("cp1251", _alphabet(_RUSSIAN)),
    ("koi8-r", _alphabet(_RUSSIAN, rare=4.0)),
    ("cp1253", _alphabet(_GREEK, rare=4.0)),
    ("cp1255", _alphabet(_HEBREW, rare=4.0)),
    ("cp1256", _alphabet(_ARABIC, rare=4.0)),
    ("cp874", _alphabet(_THAI, rare=4.0)),
    ("gbk", _hanzi("gbk", _gbk)),
    ("big5", _hanzi("big5", _big5)),
    ("cp932", _hanzi("cp932", _shift_jis)),
    ("cp949", _korean),
)
"""Codecs as Windows of these languages has them: supersets of the standards."""
