"""Object ids: built, taken apart, and nothing else taken for one."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.library.object_ids import (
    FACET_BITS,
    KEY_BITS,
    ROOT,
    Parsed,
    folder_id,
    hashed,
    item_id,
    parse,
    playlist_id,
    reference_id,
    repeated,
    station_id,
    view_id,
)
from mediaserver.library.views import DEFAULT_VIEWS

keys = st.integers(0, 2**KEY_BITS - 1)
facets = st.lists(st.integers(0, 2**FACET_BITS - 1), max_size=3).map(tuple)
views = st.from_regex(r"[a-z][a-z0-9]", fullmatch=True)


@given(keys)
def test_a_folder_and_an_item_are_taken_apart_as_built(key: int) -> None:
    assert parse(folder_id(key)) == Parsed(folder=key)
    assert parse(item_id(key)) == Parsed(item=key)


@given(views, facets, keys)
def test_a_value_of_a_view_and_what_is_in_it_are_taken_apart_as_built(
    view: str, chosen: tuple[int, ...], key: int
) -> None:
    container = view_id(view, chosen)
    assert parse(container) == Parsed(view=view, facets=chosen)
    assert parse(reference_id(container, key)) == Parsed(view=view, facets=chosen, item=key)


@given(views, keys, keys)
def test_a_folder_in_a_view_and_what_is_in_it_are_taken_apart_as_built(
    view: str, folder: int, key: int
) -> None:
    container = folder_id(folder, view=view)
    assert parse(container) == Parsed(view=view, folder=folder)
    assert parse(reference_id(container, key)) == Parsed(view=view, folder=folder, item=key)


times = st.integers(0, 9_999)
"""A playlist has 10,000 entries at most."""


@given(st.none() | views, keys, keys, times)
def test_a_playlist_and_what_is_in_it_are_taken_apart_as_built(
    view: str | None, playlist: int, key: int, time: int
) -> None:
    container = playlist_id(playlist, view=view)
    item = repeated(reference_id(container, key), time)
    station = repeated(station_id(container, key), time)
    assert parse(container) == Parsed(view=view, playlist=playlist)
    assert parse(item) == Parsed(view=view, playlist=playlist, item=key, time=time)
    assert parse(station) == Parsed(view=view, playlist=playlist, station=key, time=time)
    assert len(item) == len(station) <= 32


@given(views, facets, keys, keys)
def test_an_id_is_short_and_safe_anywhere(
    view: str, chosen: tuple[int, ...], folder: int, key: int
) -> None:
    """It stands in URLs, XML and criteria as it is."""
    for made in (
        folder_id(folder),
        item_id(key),
        reference_id(view_id(view, chosen), key),
        reference_id(folder_id(folder, view=view), key),
        playlist_id(folder),
        repeated(station_id(playlist_id(folder, view=view), key), 9_999),
    ):
        assert len(made) <= 32
        assert re.fullmatch("[0-9a-z]{3,32}", made)


@given(st.text(max_size=40))
def test_any_text_is_an_id_in_one_spelling_or_none(text: str) -> None:
    assert_one_spelling(text)


@given(st.text("0123456789abcdefghijklmnopqrstuvw", max_size=33))
def test_any_text_of_its_letters_is_an_id_in_one_spelling_or_none(text: str) -> None:
    assert_one_spelling(text)


def assert_one_spelling(text: str) -> None:
    """What can be taken apart gives the same text when built again."""
    parsed = parse(text)
    if parsed is None or parsed == Parsed():
        assert (parsed is not None) == (text == ROOT)
        return
    if parsed.playlist is not None:
        assert rebuilt_entry(parsed) == text
        return
    if parsed.view is None:
        assert parsed.facets == ()
        rebuilt = folder_id(parsed.folder or 0) if parsed.item is None else item_id(parsed.item)
    else:
        rebuilt = (
            view_id(parsed.view, parsed.facets)
            if parsed.folder is None
            else folder_id(parsed.folder, view=parsed.view)
        )
        if parsed.item is not None:
            rebuilt = reference_id(rebuilt, parsed.item)
    assert rebuilt == text


def rebuilt_entry(parsed: Parsed) -> str:
    container = playlist_id(parsed.playlist or 0, view=parsed.view)
    if parsed.item is not None:
        return repeated(reference_id(container, parsed.item), parsed.time)
    if parsed.station is not None:
        return repeated(station_id(container, parsed.station), parsed.time)
    return container


@given(
    st.from_regex(
        r"(v[a-z][a-z0-9])?[pfiu][0-9a-v]{10}([iunp][0-9a-v]{10}(n[0-9a-v]{3})?)?", fullmatch=True
    )
)
def test_any_text_like_an_entry_of_a_playlist_is_an_id_in_one_spelling_or_none(text: str) -> None:
    assert_one_spelling(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "00",
        "f",
        "i",
        "v",
        "vm",
        "f000000000",
        "f00000000000",
        "f000000000w",
        "F0000000000",
        "i0000000000\n",
        " i0000000000",
        "i000000000٣",
        "i-000000001",
        "vma00000",
        "vma0000000000000000000000000",
        "vmaf0000000000f0000000000",
        "vmai0000000000i0000000000",
        "f0000000000i0000000000",
        "p000000000",
        "p0000000000f0000000000",
        "p0000000000n001",
        "p0000000000i0000000000n",
        "p0000000000i0000000000n01",
        "p0000000000i0000000000n0001",
        "u0000000000",
        "vmau0000000000",
        "vmap0000000000p0000000000",
        # The first of several has no number.
        "p0000000000i0000000000n000",
        "v1a",
        "vMA",
        "i0000000000' or 1=1",
        "i0000000000%00",
        # What control points know by heart is no id of ours (content-directory 14).
        *"AVIR123456789BCDEF",
        "14",
        "A_T",
    ],
)
def test_everything_else_is_no_id(text: str) -> None:
    """security.md S5, T4."""
    assert parse(text) is None


def test_the_root_is_0() -> None:
    """CDS:1 §2.7.1."""
    assert ROOT == "0"
    assert parse("0") == Parsed()


def test_every_view_of_ours_has_an_id() -> None:
    codes = [view.code for view in DEFAULT_VIEWS]
    assert len(codes) == len(set(codes))
    for code in codes:
        assert parse(view_id(code)) == Parsed(view=code)


# ---- hashes


def test_a_hash_is_the_same_on_every_machine_and_in_every_version() -> None:
    """Control points keep ids in bookmarks and playlists."""
    named = b"\0\0\0\6artist\0\0\0\1x"
    digest = hashlib.blake2b(named, digest_size=8, person=b"mediaserver-id").digest()
    expected = int.from_bytes(digest, "big")
    assert hashed(KEY_BITS, b"artist", b"x") == expected >> 14
    assert hashed(FACET_BITS, b"artist", b"x") == expected >> 34


@given(st.lists(st.binary(max_size=5), max_size=3), st.lists(st.binary(max_size=5), max_size=3))
def test_different_names_have_different_hashes(one: list[bytes], other: list[bytes]) -> None:
    """Also where only the borders between the parts differ."""
    assert (hashed(KEY_BITS, *one) == hashed(KEY_BITS, *other)) == (one == other)


@given(st.sampled_from([FACET_BITS, KEY_BITS]), st.binary())
def test_a_hash_fits_its_bits(bits: int, name: bytes) -> None:
    assert 0 <= hashed(bits, name) < 2**bits
