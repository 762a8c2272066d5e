"""Text of files made fit for a Result: XML escaped twice, cut, made valid (didl-lite 1)."""

from xml.sax.saxutils import escape as escape_once

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mediaserver.av.text import LONG, SHORT, escaper
from mediaserver.clients import UNKNOWN, ClientProfile

PLAIN = escaper(UNKNOWN, LONG)


def test_plain_text_stays_as_it_is() -> None:
    assert PLAIN("Blue Quartet: Día, 東京") == "Blue Quartet: Día, 東京"


def test_markup_is_escaped_twice() -> None:
    """The Result is XML, escaped as text of the envelope (CDS:1 §2.7.4)."""
    assert PLAIN("<Q & A>") == "&amp;lt;Q &amp;amp; A&amp;gt;"


def test_quotes_are_left_alone() -> None:
    """didl-lite 1: some devices show ``&apos;`` as it stands."""
    assert PLAIN('"It\'s"') == '"It\'s"'


def test_quotes_are_escaped_for_a_device_that_wants_it() -> None:
    """Bose: ``&amp;apos;`` in the double-escaped result (quirks 2)."""
    escape = escaper(ClientProfile(escape_quotes=True), LONG)
    assert escape('"It\'s"') == "&amp;quot;It&amp;apos;s&amp;quot;"


def test_characters_beyond_ascii_are_references_for_a_device_that_wants_it() -> None:
    """Yamaha receivers (quirks 2)."""
    escape = escaper(ClientProfile(ascii_only=True), LONG)
    assert escape("Día & 東") == "D&amp;#237;a &amp;amp; &amp;#26481;"


@pytest.mark.parametrize("bad", ["\0", "\x1b", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_becomes_a_replacement_character(bad: str) -> None:
    """XML 1.0 §2.2; security.md M1."""
    assert PLAIN(f"a{bad}b") == "a\ufffdb"


def test_a_carriage_return_survives_the_reading_of_xml() -> None:
    assert PLAIN("a\rb") == "a&amp;#13;b"


@pytest.mark.parametrize("limit", [SHORT, LONG])
def test_text_is_as_long_as_dlna_allows_at_most(limit: int) -> None:
    """DLNA 7.3.17.4: 256 or 1024 bytes of the escaped form."""
    escape = escaper(UNKNOWN, limit)
    assert escape("a" * 2000) == "a" * limit
    assert escape("é" * 2000) == "é" * (limit // 2)
    # "&amp;" in the DIDL-Lite document is five bytes.
    assert escape("&" * 2000) == "&amp;amp;" * (limit // 5)


def test_text_is_cut_between_two_characters() -> None:
    assert escaper(UNKNOWN, SHORT)("a" + "東" * 100) == "a" + "東" * 85


def test_text_that_just_fits_is_whole() -> None:
    assert escaper(UNKNOWN, SHORT)("é" * 128) == "é" * 128


@pytest.mark.parametrize(
    "profile",
    [UNKNOWN, ClientProfile(ascii_only=True), ClientProfile(escape_quotes=True)],
    ids=["plain", "ascii only", "quotes"],
)
@pytest.mark.parametrize("repeats", [False, True])
@given(text=st.text(max_size=60))
def test_whatever_the_text_the_answer_is_xml_and_says_it(
    profile: ClientProfile, repeats: bool, text: str
) -> None:
    escaped = escaper(profile, LONG, repeats=repeats)(text)
    didl = etree.fromstring(f"<Result>{escaped}</Result>".encode()).text or ""
    value = etree.fromstring(f"<title>{didl}</title>".encode()).text or ""
    valid = "".join(each if _is_xml(each) else "\ufffd" for each in text)
    assert value == valid
    assert len(didl.encode()) <= LONG


@given(st.text(alphabet=st.characters(exclude_categories=["C"]), max_size=40))
def test_text_is_escaped_as_python_s_own_library_does_it_twice(text: str) -> None:
    assert PLAIN(text) == escape_once(escape_once(text))


def _is_xml(character: str) -> bool:
    number = ord(character)
    return (
        number in (0x9, 0xA, 0xD)
        or 0x20 <= number <= 0xD7FF
        or 0xE000 <= number <= 0xFFFD
        or number >= 0x10000
    )
