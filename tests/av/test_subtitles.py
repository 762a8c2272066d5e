"""Subtitles of a video as devices are told of them (didl-lite 7; clients/README.md)."""

import re
from dataclasses import replace
from typing import Any

import pytest

from mediaserver.av import didl, filter
from mediaserver.clients import UNKNOWN, ClientProfile, profile_named
from mediaserver.library.objects import Object, Subtitle
from tests.av.library_fake import BASE_URL, FILM, FOLDER, TRACK, bytes_of, objects_of
from tests.recorded import RECORDINGS

SRT = Subtitle(0xA, "srt", None, None)
GERMAN = Subtitle(0xB, "ssa", "de", None)
FORCED = Subtitle(0xC, "smi", "pt-BR", "forced")
INDEX = Subtitle(0xD, "idx", "fr", None)
TITLED = replace(FILM, subtitles=(SRT, GERMAN, FORCED, INDEX))
VIDEO_URL = f"{BASE_URL}/media/{FILM.key:x}"
SEC = "{http://www.sec.co.kr/}"
PV = "{http://www.pv.com/pvns/}"
URLS = [
    f"{BASE_URL}/subtitle/{FILM.key:x}-a.srt",
    f"{BASE_URL}/subtitle/{FILM.key:x}-b.de.ssa",
    f"{BASE_URL}/subtitle/{FILM.key:x}-c.pt-BR.forced.smi",
    f"{BASE_URL}/subtitle/{FILM.key:x}-d.fr.idx",
]


def told(each: Object, wanted: str, profile: ClientProfile = UNKNOWN) -> Any:
    writer = didl.writer(filter.parse(wanted, *profile.adds_to_filter), profile, BASE_URL)
    [element] = objects_of(writer.result([each], 1 << 20)[0])
    return element


def result(wanted: str, *objects: Object) -> bytes:
    writer = didl.writer(filter.parse(wanted), UNKNOWN, BASE_URL)
    return bytes_of(writer.result(objects or [TITLED], 1 << 20)[0])


def test_subtitles_are_further_resources_behind_the_video() -> None:
    """Kodi takes text/srt, text/ssa and text/idx, not application/x-subrip."""
    found = [(res.get("protocolInfo"), res.text) for res in told(TITLED, "*").iter("{*}res")]
    assert found[0][1].startswith(VIDEO_URL)
    assert found[1:] == [
        ("http-get:*:text/srt:*", URLS[0]),
        ("http-get:*:text/ssa:*", URLS[1]),
        ("http-get:*:smi/caption:*", URLS[2]),
        ("http-get:*:text/idx:*", URLS[3]),
    ]


def test_kodi_finds_them_with_its_own_filter() -> None:
    request = (RECORDINGS / "kodi" / "04-Browse.http").read_bytes()
    match = re.search(rb"<Filter>(.*)</Filter>", request)
    assert match is not None
    element = told(TITLED, match[1].decode(), profile_named("Kodi"))
    assert [res.text for res in element.iter("{*}res")][1:] == URLS
    assert not [each for each in element.iter() if each.tag.startswith((SEC, PV))]


@pytest.mark.parametrize("wanted", ["dc:title", "@size", "upnp:albumArtURI"])
def test_nobody_is_told_who_asks_for_something_else(wanted: str) -> None:
    assert len(list(told(TITLED, wanted).iter("{*}res"))) <= 1


def test_a_film_without_any_and_other_things_have_no_trace_of_them() -> None:
    for each in (FILM, TRACK, FOLDER):
        element = told(each, "*")
        assert not [one for one in element.iter() if one.tag.startswith(SEC)]
        assert not [name for one in element.iter() for name in one.attrib if PV in name]
    assert len(list(told(FILM, "*").iter("{*}res"))) == 1


# ---- Samsung


@pytest.mark.parametrize("wanted", ["sec:CaptionInfoEx", "*"])
def test_samsung_is_told_of_each_caption_by_an_element(wanted: str) -> None:
    """Also without ``res``; what a television cannot read is left out."""
    found = list(told(TITLED, wanted).iter(f"{SEC}CaptionInfoEx"))
    assert [(each.get(f"{SEC}type"), each.text) for each in found] == [
        ("srt", URLS[0]),
        ("ssa", URLS[1]),
        ("smi", URLS[2]),
    ]


def test_the_older_element_names_the_best_alone() -> None:
    [found] = told(TITLED, "sec:CaptionInfo").iter(f"{SEC}CaptionInfo")
    assert (found.get(f"{SEC}type"), found.text) == ("srt", URLS[0])
    assert not list(told(TITLED, "sec:CaptionInfo").iter(f"{SEC}CaptionInfoEx"))


@pytest.mark.parametrize("name", ["Samsung television", "Samsung Blu-ray player"])
def test_samsung_gets_them_without_asking(name: str) -> None:
    assert list(told(TITLED, "res", profile_named(name)).iter(f"{SEC}CaptionInfoEx"))
    assert not list(told(TITLED, "res").iter(f"{SEC}CaptionInfoEx"))


# ---- Panasonic


def test_panasonic_finds_one_in_attributes_of_the_video() -> None:
    """Type in capitals."""
    for wanted, profile in (
        ("res,res@pv:subtitleFileType,res@pv:subtitleFileUri", UNKNOWN),
        ("res", profile_named("Panasonic Viera")),
        ("res", profile_named("Panasonic Blu-ray player")),
        ("*", UNKNOWN),
    ):
        video, *others = told(TITLED, wanted, profile).iter("{*}res")
        assert video.get(f"{PV}subtitleFileType") == "SRT"
        assert video.get(f"{PV}subtitleFileUri") == URLS[0]
        assert len(others) == 4
        assert not any(other.get(f"{PV}subtitleFileUri") for other in others)


# ---- prefixes


def test_prefixes_are_declared_where_they_may_occur() -> None:
    """Spelled so: many parsers look at the prefix (didl-lite 1)."""
    assert b'xmlns:sec="http://www.sec.co.kr/"' in result("*")
    assert b'xmlns:pv="http://www.pv.com/pvns/"' in result("*")
    assert b"sec:" not in result("res")
    assert b"pv:" not in result("res")
    assert b"xmlns:pv" not in result("sec:CaptionInfoEx")


def test_prefixes_are_declared_only_where_a_video_has_subtitles() -> None:
    """Universum's IR 500 takes no sec: (quirks 2), and radios ask for everything."""
    without = result("*", TRACK, FOLDER, FILM)
    assert b"xmlns:sec" not in without
    assert b"xmlns:pv" not in without
    assert b"xmlns:sec" in result("*", FOLDER, TITLED)
