"""GET and HEAD of art and of pictures made smaller (dlna-http 8, security.md T2, T5, T7)."""

import io
from pathlib import Path

import pytest
from PIL import Image

from tests.delivery.conftest import Delivering
from tests.delivery.library_fake import FakeLibrary
from tests.http_server import ask
from tests.make_media import picture

COVER = picture("JPEG", (64, 64))


async def test_art_that_is_a_file_is_sent_as_it_is(
    service: Delivering, library: FakeLibrary
) -> None:
    art = library.add_art("cover.jpg", COVER)
    answer = await ask(service.server, f"/art/{art.art_id:x}-original")
    assert (answer.status, answer.body) == (200, COVER)
    assert answer.header("Content-Type") == "image/jpeg"
    assert answer.header("transferMode.dlna.org") == "Interactive"
    features = "DLNA.ORG_OP=01;DLNA.ORG_FLAGS=00F00000000000000000000000000000"
    assert answer.header("contentFeatures.dlna.org") == features
    assert library.artwork.made == []


@pytest.mark.parametrize(("embedded", "source"), [(False, "picture"), (True, "embedded")])
async def test_art_at_a_profile_is_made_from_its_source(
    service: Delivering, library: FakeLibrary, embedded: bool, source: str
) -> None:
    art = library.add_art("song.mp3", COVER, embedded=embedded)
    answer = await ask(service.server, f"/art/{art.art_id:x}-JPEG_TN.jpg")
    assert answer.status == 200
    assert Image.open(io.BytesIO(answer.body)).format == "JPEG"
    assert answer.header("contentFeatures.dlna.org") == (
        "DLNA.ORG_PN=JPEG_TN;DLNA.ORG_OP=01;DLNA.ORG_CI=1;"
        "DLNA.ORG_FLAGS=00F00000000000000000000000000000"
    )
    assert library.artwork.made == [(source, art.path, "JPEG_TN")]


async def test_embedded_art_can_be_had_as_it_is(service: Delivering, library: FakeLibrary) -> None:
    art = library.add_art("song.mp3", b"music", embedded=True)
    answer = await ask(service.server, f"/art/{art.art_id:x}-original")
    assert answer.status == 200
    assert library.artwork.made == [("embedded", art.path, "original")]


@pytest.mark.parametrize(
    ("name", "source"), [("photo.jpg", "picture"), ("photo.heic", "picture"), ("a.mkv", "frame")]
)
async def test_a_photo_or_video_can_be_had_as_a_small_picture(
    service: Delivering, library: FakeLibrary, name: str, source: str
) -> None:
    media = library.add(name, COVER)
    answer = await ask(service.server, f"/image/{media.key:x}-PNG_TN.png")
    assert (answer.status, answer.header("Content-Type")) == (200, "image/png")
    assert library.artwork.made == [(source, media.path, "PNG_TN")]


async def test_kodi_gets_art_in_ranges(service: Delivering, library: FakeLibrary) -> None:
    # HEAD, then GET with bytes=0-; another server answers 406 (clients/README.md).
    art = library.add_art("cover.jpg", COVER)
    url = f"/art/{art.art_id:x}-JPEG_SM.jpg"
    head = await ask(service.server, url, method="HEAD")
    answer = await ask(service.server, url, "Range: bytes=0-")
    assert answer.status == 206
    assert head.header("Content-Length") == str(len(answer.body))
    assert answer.header("Content-Range") == f"bytes 0-{len(answer.body) - 1}/{len(answer.body)}"


async def test_streaming_of_an_image_is_406(service: Delivering, library: FakeLibrary) -> None:
    # dlna-http 3
    media = library.add("photo.jpg", COVER)
    for url in (f"/media/{media.key:x}.jpg", f"/image/{media.key:x}-JPEG_TN.jpg"):
        answer = await ask(service.server, url, "transferMode.dlna.org: Streaming")
        assert answer.status == 406


@pytest.mark.parametrize(
    "path",
    [
        "/art/b1", "/art/b1-", "/art/b1-JPEG_XX.jpg", "/art/b1-99999x99999", "/art/b1-jpeg_tn",
        "/art/ff-original", "/art/b1-ORIGINAL", "/image/a1-original", "/image/a1",
        "/image/a2-JPEG_TN",        "/image/ff-JPEG_TN", "/art/..%2fb1-original",
    ],
)  # fmt: skip
async def test_sizes_are_those_of_dlna_and_no_others(
    service: Delivering, library: FakeLibrary, path: str
) -> None:
    library.add_art("cover.jpg", COVER)
    library.add("photo.jpg", COVER)
    library.add("song.mp3", b"music")
    assert (await ask(service.server, path)).status == 404


async def test_a_picture_that_cannot_be_made_is_404(
    service: Delivering, library: FakeLibrary
) -> None:
    media = library.add("photo.jpg", b"not a picture")
    library.artwork.fails = True
    assert (await ask(service.server, f"/image/{media.key:x}-JPEG_TN.jpg")).status == 404


@pytest.mark.parametrize("profile", ["original", "JPEG_TN.jpg"])
async def test_art_that_leads_out_of_the_root_is_not_even_shown_small(
    service: Delivering, library: FakeLibrary, tmp_path: Path, profile: str
) -> None:
    art = library.add_art("cover.jpg", COVER)
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(COVER)
    (library.root / "cover.jpg").unlink()
    (library.root / "cover.jpg").symlink_to(secret)
    assert (await ask(service.server, f"/art/{art.art_id:x}-{profile}")).status == 404
    assert library.artwork.made == []


async def test_a_page_in_place_of_a_cover_is_sent_as_the_picture_it_claims_to_be(
    service: Delivering, library: FakeLibrary
) -> None:
    # security.md T7: no browser takes it for a page.
    art = library.add_art("cover.jpg", b"<html><script>alert(1)</script>")
    answer = await ask(service.server, f"/art/{art.art_id:x}-original")
    assert answer.header("Content-Type") == "image/jpeg"
    assert answer.header("X-Content-Type-Options") == "nosniff"
