"""Paths: built, taken apart, and nothing else understood."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver import urls
from mediaserver.library.readers.jobs import PROFILES
from mediaserver.media_types import MEDIA_TYPES

keys = st.integers(0, 2**64 - 1)
suffixes = st.sampled_from(["", *(f".{suffix}" for suffix in MEDIA_TYPES)])
profiles = st.sampled_from([*PROFILES])
SAFE = re.compile(r"/[A-Za-z0-9._/-]+")


@given(keys, suffixes)
def test_a_media_path_is_taken_apart_as_built(key: int, suffix: str) -> None:
    assert urls.parse_media(urls.media(key, suffix)) == key


@given(keys, st.sampled_from([*PROFILES, "original"]))
def test_a_path_of_art_is_taken_apart_as_built(art_id: int, profile: str) -> None:
    assert urls.parse_art(urls.art(art_id, profile)) == (art_id, profile)


@given(keys, profiles)
def test_a_path_of_a_scaled_photo_is_taken_apart_as_built(key: int, profile: str) -> None:
    assert urls.parse_image(urls.image(key, profile)) == (key, profile)


@given(keys, st.sampled_from(["wav", "l16"]))
def test_a_path_of_what_is_converted_is_taken_apart_as_built(key: int, form: str) -> None:
    assert urls.parse_converted(urls.converted(key, form)) == (key, form)


@pytest.mark.parametrize(
    "path",
    [
        *("/converted/1", "/converted/1-", "/converted/-wav", "/converted/1-wav.wav/"),
        *("/converted/g-wav", "/converted/1-WAV", "/converted/1-wav\n", "/media/1-wav"),
        "/converted/00000000000000001-wav",
    ],
)
def test_other_paths_are_of_nothing_converted(path: str) -> None:
    assert urls.parse_converted(path) is None


@given(keys, suffixes, profiles)
def test_paths_hold_only_characters_that_no_client_rewrites(
    key: int, suffix: str, profile: str
) -> None:
    """aiohttp clients turn ``%3D`` into ``=``."""
    for path in (
        urls.media(key, suffix),
        urls.art(key, profile),
        urls.art(key, "original"),
        urls.image(key, profile),
        urls.scpd("ContentDirectory"),
        urls.control("ContentDirectory"),
        urls.event("ContentDirectory"),
        urls.icon("large.png"),
        urls.DESCRIPTION,
    ):
        assert SAFE.fullmatch(path)


@given(
    keys,
    keys,
    st.lists(st.sampled_from(["", "en", "pt-BR", "zh-Hans", "forced", "srt"]), max_size=3),
)
def test_a_path_of_a_subtitle_is_taken_apart_as_built(
    key: int, number: int, words: list[str]
) -> None:
    path = urls.subtitle(key, number, *words)
    assert urls.parse_subtitle(path) == (key, number)
    assert SAFE.fullmatch(path)


def test_a_path_ends_in_the_suffix_of_what_comes() -> None:
    """Some players believe it more than Content-Type."""
    assert urls.media(0x1F, ".flac") == "/media/1f.flac"
    assert urls.art(0x1F, "JPEG_TN") == "/art/1f-JPEG_TN.jpg"
    assert urls.image(0x1F, "PNG_LRG") == "/image/1f-PNG_LRG.png"
    assert urls.subtitle(0x1F, 0x2, "pt-BR", None, "srt") == "/subtitle/1f-2.pt-BR.srt"
    assert urls.art(0x1F, "original") == "/art/1f-original"


def test_the_description_is_where_the_contract_says() -> None:
    assert urls.DESCRIPTION == "/description.xml"
    assert (urls.HEALTH, urls.METRICS, urls.PRESENTATION) == ("/health", "/metrics", "/")


def test_the_paths_of_a_service_differ() -> None:
    made = {urls.scpd("A"), urls.control("A"), urls.event("A"), urls.scpd("B")}
    assert len(made) == 4


def test_a_suffix_may_be_missing_or_another() -> None:
    """The number alone counts; a renderer that swaps the suffix still gets its file."""
    assert urls.parse_media("/media/1f") == urls.parse_media("/media/1f.ts") == 0x1F


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/media/",
        "/media/1F",
        "/media/-1",
        "/media/+1",
        "/media/0x1f",
        "/media/1_0",
        "/media/ 1f",
        "/media/1f\n",
        "/media/1f\0",
        "/media/1f.",
        "/media/1f.flac.jpg",
        "/media/1f.FLAC",
        "/media/1f.toolongone",
        "/media/1f/",
        "//media/1f",
        "/media//1f",
        "/media/../media/1f",
        "/media/%31f",
        "/media/1f?x",
        "/media/٣",
        "/media/1f'--",
        "/media/" + "f" * 17,
        "/media/1f/../../etc/passwd",
        "/Media/1f",
        "/art/1f-JPEG_TN.jpg",
    ],
)
def test_every_other_spelling_is_no_media(path: str) -> None:
    """security.md T1, T4."""
    assert urls.parse_media(path) is None


@pytest.mark.parametrize(
    "key", ["", "-1", "1F", "0x1f", "1_0", "٣", "f" * 17, "../1f", "1f/..", "1f'--"]
)
@pytest.mark.parametrize("family", ["art", "image"])
def test_every_other_number_is_no_picture(key: str, family: str) -> None:
    parse = {"art": urls.parse_art, "image": urls.parse_image}[family]
    assert parse(f"/{family}/1f-JPEG_TN.jpg") == (0x1F, "JPEG_TN")
    assert parse(f"/{family}/{key}-JPEG_TN.jpg") is None


@pytest.mark.parametrize(
    "profile",
    [
        "",
        "JPEG",
        "jpeg_tn",
        "JPEG_RES_9999_9999",
        "JPEG_TN/..",
        "JPEG_TN ",
        "JPEG_TN\n",
        "9999x9999",
    ],
)
def test_every_other_profile_is_no_picture(profile: str) -> None:
    """security.md T5: sizes are not the client's choice."""
    assert urls.parse_art(f"/art/1f-{profile}.jpg") is None
    assert urls.parse_image(f"/image/1f-{profile}.jpg") is None


def test_a_photo_as_it_is_has_its_media_path_only() -> None:
    assert urls.parse_image("/image/1f-original") is None


@given(st.text())
def test_no_text_disturbs(text: str) -> None:
    for path in (text, f"/media/{text}", f"/art/{text}", f"/image/{text}"):
        key = urls.parse_media(path)
        assert key is None or 0 <= key < 2**64
        assert urls.parse_art(path) is None or path.startswith("/art/")
        assert urls.parse_image(path) is None or path.startswith("/image/")
