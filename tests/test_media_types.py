"""Suffixes of media files."""

import pytest

from mediaserver.media_types import (
    LEFT_OUT,
    MEDIA_TYPES,
    PLAYLIST_SUFFIXES,
    SIDECAR_SUFFIXES,
    by_suffix,
    is_playlist,
)


@pytest.mark.parametrize("name", ["song.MP3", b"song.MP3", "a/b.c/song.mp3", b"/a/\xff.x/song.mP3"])
def test_a_suffix_is_found_in_any_letter_case_and_behind_any_path(name: str | bytes) -> None:
    media_type = by_suffix(name)
    assert media_type is not None
    assert (media_type.mime_type, media_type.kind) == ("audio/mpeg", "audio")


@pytest.mark.parametrize(
    "name", ["mp3", ".mp3", b"/music/.mp3", "song.mp3/", "song.", "", b"song.\xff", "a.mp3.part"]
)
def test_a_name_without_a_suffix_of_ours_is_no_media(name: str | bytes) -> None:
    assert by_suffix(name) is None


@pytest.mark.parametrize(
    ("suffix", "mime_type"),
    [
        # IANA, where it has one that devices know
        ("flac", "audio/flac"),
        ("opus", "audio/ogg"),
        ("m4b", "audio/mp4"),
        ("heic", "image/heic"),
        ("jpe", "image/jpeg"),
        ("cr2", "image/x-canon-cr2"),
        ("dng", "image/x-adobe-dng"),
        # dlna-profiles 1: plain 188-byte packets, and M2TS
        ("ts", "video/mpeg"),
        ("m2ts", "video/vnd.dlna.mpeg-tts"),
        # connection-manager: what televisions list
        ("mkv", "video/x-matroska"),
        ("avi", "video/x-msvideo"),
        ("divx", "video/x-msvideo"),
        ("wma", "audio/x-ms-wma"),
    ],
)
def test_a_suffix_has_the_mime_type_that_devices_ask_for(suffix: str, mime_type: str) -> None:
    assert MEDIA_TYPES[suffix].mime_type == mime_type


def test_a_mime_type_is_of_the_kind_of_its_suffix() -> None:
    for media_type in MEDIA_TYPES.values():
        assert media_type.mime_type.partition("/")[0] == media_type.kind


def test_a_suffix_is_of_one_sort() -> None:
    assert not SIDECAR_SUFFIXES & set(MEDIA_TYPES)
    assert not PLAYLIST_SUFFIXES & (SIDECAR_SUFFIXES | set(MEDIA_TYPES))


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.m3u", True), (b"/x/a.XSPF", True), (".m3u", False), ("m3u", False), ("a.mp3", False)],
)
def test_a_playlist_is_known_by_its_suffix(name: str | bytes, expected: bool) -> None:
    assert is_playlist(name) is expected


def test_what_is_left_out_is_no_media() -> None:
    others = SIDECAR_SUFFIXES | PLAYLIST_SUFFIXES | set(MEDIA_TYPES)
    assert not others & set(LEFT_OUT)
