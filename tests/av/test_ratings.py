"""Ratings and languages as control points are told of them."""

import re
from dataclasses import replace
from typing import Any

import pytest

from mediaserver.av import didl, filter
from mediaserver.clients import UNKNOWN
from mediaserver.library.objects import Item
from tests.av.library_fake import BASE_URL, FILM, TRACK, bytes_of, objects_of
from tests.recorded import RECORDINGS

RATED = replace(TRACK, rating=80)
SPOKEN = replace(FILM, languages=("de", "pt-BR"))
XBMC = "{urn:schemas-xbmc-org:metadata-1-0/}"
MICROSOFT = "{urn:schemas-microsoft-com:WMPNSS-1-0/}"
DC = "{http://purl.org/dc/elements/1.1/}"


def result(wanted: str, item: Item) -> bytes:
    writer = didl.writer(filter.parse(wanted), UNKNOWN, BASE_URL)
    return bytes_of(writer.result([item], 1 << 20)[0])


def told(wanted: str, item: Item) -> Any:
    writer = didl.writer(filter.parse(wanted), UNKNOWN, BASE_URL)
    [element] = objects_of(writer.result([item], 1 << 20)[0])
    return element


def recorded_filter(name: str) -> str:
    match = re.search(rb"<Filter>(.*)</Filter>", (RECORDINGS / name).read_bytes())
    assert match is not None
    return match[1].decode()


@pytest.mark.parametrize(("rating", "expected"), [(80, "8"), (70, "7"), (100, "10"), (1, "1")])
def test_kodi_is_told_the_rating_as_it_counts(rating: int, expected: str) -> None:
    element = told(recorded_filter("kodi/04-Browse.http"), replace(TRACK, rating=rating))
    assert element.findtext(f"{XBMC}userrating") == expected


def test_windows_is_told_the_rating_in_a_description() -> None:
    """MS-UPMC §3.1.3; the numbers are those that Windows writes for four stars."""
    wanted = (
        "dc:title,microsoft:userRatingInStars,microsoft:userEffectiveRatingInStars,"
        "microsoft:userRating,microsoft:userEffectiveRating"
    )
    [description] = told(wanted, RATED).findall("{*}desc")
    assert dict(description.attrib) == {"id": "UserRating", "nameSpace": MICROSOFT[1:-1]}
    assert {each.tag: each.text for each in description} == {
        f"{MICROSOFT}userRating": "75",
        f"{MICROSOFT}userEffectiveRating": "75",
        f"{MICROSOFT}userRatingInStars": "4",
        f"{MICROSOFT}userEffectiveRatingInStars": "4",
    }


def test_only_what_is_asked_for_is_in_the_description() -> None:
    [description] = told("microsoft:userRatingInStars", RATED).findall("{*}desc")
    assert [each.tag for each in description] == [f"{MICROSOFT}userRatingInStars"]


@pytest.mark.parametrize("wanted", ["*", "dc:title,res", "upnp:rating"])
def test_nobody_else_is_told_of_ratings(wanted: str) -> None:
    """``upnp:rating`` is that of a board of film (CDS:1 Appendix B)."""
    assert b"ating" not in result(wanted, RATED)
    assert b"xbmc" not in result(wanted, RATED)


def test_what_is_not_rated_has_no_rating_and_no_prefix() -> None:
    found = result(recorded_filter("kodi/04-Browse.http"), TRACK)
    assert b"xbmc" not in found


def test_the_languages_of_a_film_are_told_one_by_one() -> None:
    element = told("dc:language", SPOKEN)
    assert [each.text for each in element.findall(f"{DC}language")] == ["de", "pt-BR"]
    assert told("*", SPOKEN).findtext(f"{DC}language") == "de"


def test_languages_come_only_where_they_are_asked_for() -> None:
    assert told("dc:title,res", SPOKEN).find(f"{DC}language") is None
