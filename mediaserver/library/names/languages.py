"""Languages by their codes and English names, as BCP 47 tags: ``pt-BR``."""

import re

# ISO 639-1, ISO 639-2 (bibliographic and terminological), English name.
_LANGUAGES = """
ar ara arabic|bg bul bulgarian|bn ben bengali|bs bos bosnian|ca cat catalan|cs cze ces czech
cy wel cym welsh|da dan danish|de ger deu german|el gre ell greek|en eng english|es spa spanish
et est estonian|eu baq eus basque|fa per fas persian|fi fin finnish|fr fre fra french
ga gle irish|gl glg galician|he heb hebrew|hi hin hindi|hr hrv croatian|hu hun hungarian
hy arm hye armenian|id ind indonesian|is ice isl icelandic|it ita italian|ja jpn japanese
ka geo kat georgian|kk kaz kazakh|ko kor korean|lt lit lithuanian|lv lav latvian
mk mac mkd macedonian|ml mal malayalam|ms may msa malay|nb nob bokmal|nl dut nld dutch
nn nno nynorsk|no nor norwegian|pl pol polish|pt por portuguese|ro rum ron romanian
ru rus russian|sk slo slk slovak|sl slv slovenian|sq alb sqi albanian|sr srp serbian
sv swe swedish|ta tam tamil|te tel telugu|th tha thai|tl tgl tagalog|tr tur turkish
uk ukr ukrainian|ur urd urdu|vi vie vietnamese|zh chi zho chinese
"""
BY_WORD = {
    word: words.split()[0]
    for line in _LANGUAGES.split("\n")
    for words in line.split("|")
    for word in words.split()
}
"""Codes and names, in lower case, to the shortest code, as BCP 47 wants it (RFC 5646 §2.2.1)."""

_TAG = re.compile(r"([A-Za-z]{2,3})((?:[-_][A-Za-z0-9]{2,8})*)")
_NONE = frozenset({"und", "mis", "mul", "zxx", "unk"})
"""Codes of no language in particular (ISO 639-2)."""


def tag(code: str | None) -> str | None:
    """A code in a media file: ISO 639-2 (``ger``), a tag, or several with commas; of those the
    first. None for what names no language."""
    match = _TAG.fullmatch((code or "").partition(",")[0].strip())
    if match is None or match[1].lower() in _NONE:
        return None
    language = match[1].lower()
    parts = match[2].replace("_", "-").split("-")[1:]
    return "-".join([BY_WORD.get(language, language), *(map(subtag, parts))])


def subtag(code: str) -> str:
    """A region is written in capitals, a script as a name (RFC 5646 §2.1.1)."""
    if len(code) == 2:
        return code.upper()
    return code.title() if len(code) == 4 else code.lower()
