"""GET and HEAD of media files, over a real connection (dlna-http 2 to 7, security.md F6)."""

import asyncio
import os
import random
import socket
from email import message_from_bytes
from email.message import Message
from pathlib import Path

import pytest

from tests.delivery.conftest import Delivering, delivering
from tests.delivery.library_fake import FakeLibrary
from tests.http_server import Answer, ask, connected, request
from tests.patience import PATIENCE

CONTENT = random.Random(1).randbytes(1_000_003)  # noqa: S311 - any bytes do
SIZE = len(CONTENT)
FEATURES = "DLNA.ORG_PN=MP3;DLNA.ORG_OP=01;DLNA.ORG_CI=0;DLNA.ORG_FLAGS=017" + "0" * 29


@pytest.fixture
def url(library: FakeLibrary) -> str:
    """A song of a little more than a megabyte."""
    media = library.add("song.mp3", CONTENT, dlna_profile="MP3", duration_ms=187_500)
    return f"/media/{media.key:x}.mp3"


async def test_a_file_is_sent_as_it_is_with_the_headers_of_dlna(
    service: Delivering, url: str
) -> None:
    answer = await ask(service.server, url, "Accept-Encoding: gzip, deflate, br, zstd")
    assert (answer.status, answer.body) == (200, CONTENT)
    headers = {name: value for name, value in answer.headers if name not in ("ETag", "Date")}
    del headers["Last-Modified"]
    # Spelled as in dlna-http 3; in the order of minidlna where both have them.
    assert list(headers.items()) == [
        ("Content-Type", "audio/mpeg"),
        ("Content-Length", str(SIZE)),
        ("transferMode.dlna.org", "Streaming"),
        ("contentFeatures.dlna.org", FEATURES),
        ("Accept-Ranges", "bytes"),
        ("X-Content-Type-Options", "nosniff"),
    ]


async def test_head_has_the_headers_of_get(service: Delivering, url: str) -> None:
    head = await ask(service.server, url, method="HEAD")
    get = await ask(service.server, url)
    assert without_date(head) == without_date(get)


def without_date(answer: Answer) -> list[tuple[str, str]]:
    return [pair for pair in answer.headers if pair[0] != "Date"]


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=0-1", 0, 1),  # Apple's probe
        ("bytes=1-", 1, SIZE - 1),
        ("bytes=500000-999999", 500_000, 999_999),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE - 1),
        ("bytes=-500", SIZE - 500, SIZE - 1),
        (f"bytes=-{SIZE * 2}", 0, SIZE - 1),
        ("bytes=1000-99999999999", 1000, SIZE - 1),
        ("bytes=65536-131071", 65_536, 131_071),
        ("bytes=65536-327679", 65_536, 327_679),
    ],
)
async def test_a_range_is_206_and_exact(
    service: Delivering, url: str, header: str, first: int, last: int
) -> None:
    # RFC 9110 §15.3.7
    answer = await ask(service.server, url, f"Range: {header}")
    assert answer.status == 206
    assert answer.header("Content-Range") == f"bytes {first}-{last}/{SIZE}"
    assert answer.header("Content-Length") == str(last - first + 1)
    assert answer.body == CONTENT[first : last + 1]
    assert answer.header("contentFeatures.dlna.org") == FEATURES


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0"])
async def test_a_range_behind_the_end_is_416_and_tells_the_size(
    service: Delivering, url: str, header: str
) -> None:
    answer = await ask(service.server, url, f"Range: {header}")
    assert (answer.status, answer.header("Content-Range")) == (416, f"bytes */{SIZE}")


@pytest.mark.parametrize(
    "line",
    ["Range: bytes=5-4", "Range: items=0-1", "Range: bytes=0-1,1-2", "Range: bytes=a",
     "Range: bytes=0-1\r\nRange: bytes=3-4", "Range: bytes=" + "0-1," * 99],
)  # fmt: skip
async def test_a_range_to_be_ignored_gets_the_whole(
    service: Delivering, url: str, line: str
) -> None:
    answer = await ask(service.server, url, line)
    assert (answer.status, answer.body) == (200, CONTENT)


async def test_a_range_with_head_is_ignored(service: Delivering, url: str) -> None:
    # RFC 9110 §14.2: range handling is defined for GET alone.
    answer = await ask(service.server, url, "Range: bytes=0-9", method="HEAD")
    assert (answer.status, answer.header("Content-Length")) == (200, str(SIZE))


async def test_several_ranges_come_as_parts_of_one_answer(service: Delivering, url: str) -> None:
    # RFC 9110 §14.6; read by Python's own reader of MIME messages.
    async with connected(service.server) as client:
        await client.send(request(service.server, url, "Range: bytes=0-99,500-300499,-7"))
        answer = await client.answer()
        assert answer.status == 206
        content_type = answer.header("Content-Type")
        assert content_type is not None
        assert answer.header("Content-Range") is None
        whole = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + answer.body)
        parts = whole.get_payload()
        assert isinstance(parts, list)
        # Binary parts: Python's reader ends lines its own way, so bytes are cut out by hand.
        boundary = whole.get_boundary()
        cut = answer.body.split(f"--{boundary}".encode())[1:-1]
        expected = [(0, 100), (500, 300_500), (SIZE - 7, SIZE)]
        for part, raw, (start, stop) in zip(parts, cut, expected, strict=True):
            assert isinstance(part, Message)
            assert part["Content-Type"] == "audio/mpeg"
            assert part["Content-Range"] == f"bytes {start}-{stop - 1}/{SIZE}"
            body = raw.partition(b"\r\n\r\n")[2]
            assert body == CONTENT[start:stop] + b"\r\n"
        await client.send(request(service.server, url, method="HEAD"))
        assert (await client.answer("HEAD")).status == 200  # the length was true


async def test_what_a_client_has_already_is_not_sent_again(service: Delivering, url: str) -> None:
    first = await ask(service.server, url, method="HEAD")
    for name, header in (("ETag", "If-None-Match"), ("Last-Modified", "If-Modified-Since")):
        answer = await ask(service.server, url, f"{header}: {first.header(name)}")
        assert (answer.status, answer.body) == (304, b"")
        assert answer.header("ETag") == first.header("ETag")
    assert (await ask(service.server, url, 'If-Match: "other"')).status == 412


async def test_a_range_of_a_file_that_has_changed_meanwhile_gets_the_whole(
    service: Delivering, url: str, library: FakeLibrary
) -> None:
    # RFC 9110 §13.1.5
    tag = (await ask(service.server, url, method="HEAD")).header("ETag")
    lines = ("Range: bytes=0-9", f"If-Range: {tag}")
    assert (await ask(service.server, url, *lines)).body == CONTENT[:10]
    changed = library.root / "song.mp3"
    changed.write_bytes(b"other")
    os.utime(changed, (1, 1))
    answer = await ask(service.server, url, *lines)
    assert (answer.status, answer.body) == (200, b"other")


async def test_an_empty_file_is_an_empty_answer(service: Delivering, library: FakeLibrary) -> None:
    media = library.add("empty.mp3", b"")
    answer = await ask(service.server, f"/media/{media.key:x}.mp3")
    assert (answer.status, answer.header("Content-Length"), answer.body) == (200, "0", b"")
    refused = await ask(service.server, f"/media/{media.key:x}.mp3", "Range: bytes=0-")
    assert (refused.status, refused.header("Content-Range")) == (416, "bytes */0")


# ---- DLNA


@pytest.mark.parametrize("mode", ["Streaming", "Interactive", "Background"])
async def test_the_transfer_mode_is_echoed(service: Delivering, url: str, mode: str) -> None:
    answer = await ask(service.server, url, f"transferMode.dlna.org: {mode}")
    assert answer.header("transferMode.dlna.org") == mode


async def test_headers_that_are_asked_for_are_sent(service: Delivering, url: str) -> None:
    answer = await ask(
        service.server, url, "GetContentFeatures.DLNA.ORG: 1", "getMediaInfo.sec: 1",
        "realTimeInfo.dlna.org: DLNA.ORG_TLAG=*", "getAvailableSeekRange.dlna.org: 1",
        method="HEAD",
    )  # fmt: skip
    assert answer.header("contentFeatures.dlna.org") == FEATURES
    assert answer.header("MediaInfo.sec") == "SEC_Duration=187500;"
    assert answer.header("realTimeInfo.dlna.org") == "DLNA.ORG_TLAG=*"
    seek_range = answer.header("availableSeekRange.dlna.org")
    assert seek_range == f"1 npt=0.000-187.500 bytes=0-{SIZE - 1}"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("getcontentFeatures.dlna.org: 2", 400),
        ("transferMode.dlna.org: Fast", 400),
        ("TimeSeekRange.dlna.org: npt=10-", 406),
        ("PlaySpeed.dlna.org: speed=2", 406),
    ],
)
async def test_what_dlna_forbids_or_we_do_not_support_is_refused(
    service: Delivering, url: str, line: str, status: int
) -> None:
    answer = await ask(service.server, url, line)
    assert answer.status == status
    assert CONTENT[:20] not in answer.body


async def test_a_device_is_told_the_type_that_it_knows(
    service: Delivering, library: FakeLibrary
) -> None:
    # Samsung: mkv is video/x-mkv (quirks.md 2), the same in protocolInfo and Content-Type.
    media = library.add("film.mkv", b"film", dlna_profile="X")
    url = f"/media/{media.key:x}.mkv"
    agent = "User-Agent: DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0"
    assert (await ask(service.server, url, agent)).header("Content-Type") == "video/x-mkv"
    assert (await ask(service.server, url)).header("Content-Type") == "video/x-matroska"


async def test_packets_are_marked_by_the_mode_of_the_transfer(
    service: Delivering, url: str
) -> None:
    async with connected(service.server) as client:
        for mode, tos in (("Streaming", 0xA0), ("Background", 0x20), ("Interactive", 0)):
            await client.send(request(service.server, url, f"transferMode.dlna.org: {mode}"))
            await client.answer()
            (connection,) = service.server._state.connections
            sock = connection.transport.get_extra_info("socket")
            assert sock.getsockopt(socket.IPPROTO_IP, socket.IP_TOS) == tos


async def test_the_xbox_finds_the_art_of_a_resource(
    service: Delivering, library: FakeLibrary
) -> None:
    media = library.add("song.mp3", b"x", art_id=0xB1)
    answer = await ask(service.server, f"/media/{media.key:x}.mp3?albumArt=true")
    assert (answer.status, answer.header("Location")) == (302, "/art/b1-JPEG_TN.jpg")


@pytest.mark.parametrize("name", ["film.mkv", "photo.jpg"])
async def test_the_xbox_finds_a_picture_of_a_film_or_photo_instead_of_all_of_it(
    service: Delivering, library: FakeLibrary, name: str
) -> None:
    library.add(name, b"x")
    answer = await ask(service.server, "/media/a1?albumArt=true")
    assert (answer.status, answer.header("Location")) == (302, "/image/a1-JPEG_TN.jpg")


async def test_a_song_without_art_is_not_sent_as_its_art(
    service: Delivering, library: FakeLibrary
) -> None:
    library.add("song.mp3", b"x")
    assert (await ask(service.server, "/media/a1.mp3?albumArt=true")).status == 404


# ---- what is not there


@pytest.mark.parametrize(
    "path",
    [
        "/media/", "/media/ff.mp3", "/media/-1", "/media/A1.mp3", "/media/0xa1",
        "/media/a1%00", "/media/a1.mp3%0d%0aX:%20y", "/media/..%2f..%2fetc%2fpasswd",
        "/media/../media/a1.mp3", "/media//etc/passwd", "/media/%2e%2e/a1", 
        "/media/11111111111111111",        "/media/a1'--", "/media/%d9%a1",
    ],
)  # fmt: skip
async def test_a_path_that_names_no_item_is_404(service: Delivering, url: str, path: str) -> None:
    answer = await ask(service.server, path)
    assert answer.status == 404
    assert answer.header("X") is None


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_are_405(service: Delivering, url: str, method: str) -> None:
    answer = await ask(service.server, url, method=method)
    assert answer.status == 405
    assert answer.header("Access-Control-Allow-Origin") is None


async def test_a_file_that_is_gone_is_404(
    service: Delivering, url: str, library: FakeLibrary
) -> None:
    (library.root / "song.mp3").unlink()
    assert (await ask(service.server, url)).status == 404


async def test_a_file_that_became_a_link_out_of_the_root_is_404(
    service: Delivering, url: str, library: FakeLibrary, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (library.root / "song.mp3").unlink()
    (library.root / "song.mp3").symlink_to(tmp_path / "secret")
    answer = await ask(service.server, url)
    assert (answer.status, answer.body) == (404, b"Not Found\n")


async def test_a_root_that_is_not_mounted_is_503(
    service: Delivering, url: str, library: FakeLibrary
) -> None:
    # security.md F7
    library.root.rename(library.root.with_name("away"))
    answer = await ask(service.server, url)
    assert (answer.status, answer.header("Retry-After")) == (503, "30")


async def test_a_file_that_is_replaced_while_it_is_sent_is_sent_to_its_end(
    service: Delivering, library: FakeLibrary
) -> None:
    # security.md F6: one descriptor for the whole answer.
    content = os.urandom(16 << 20)
    media = library.add("long.mp3", content)
    async with connected(service.server) as client:
        client.pause()
        await client.send(request(service.server, f"/media/{media.key:x}.mp3"))
        await started(service)
        new = library.root / "new"
        new.write_bytes(b"other")
        new.rename(library.root / "long.mp3")
        client.resume()
        assert (await client.answer()).body == content


async def started(service: Delivering) -> None:
    """Return when a transfer runs."""
    async with asyncio.timeout(PATIENCE):
        while not service.delivery.transfers.running():  # noqa: ASYNC110 - nothing else tells
            await asyncio.sleep(0)


async def test_a_file_is_looked_up_once_while_the_library_stays_the_same(
    service: Delivering, library: FakeLibrary
) -> None:
    media = library.add("song.mp3", CONTENT)
    url = f"/media/{media.key:x}.mp3"
    for first in (0, 1000, 2000):
        await ask(service.server, url, f"Range: bytes={first}-{first + 999}")
    assert library.lookups == 1
    library.remove(media)
    assert (await ask(service.server, url)).status == 404


# ---- transfers


async def test_what_is_being_sent_can_be_watched(service: Delivering, library: FakeLibrary) -> None:
    content = bytes(32 << 20)
    media = library.add("film.mkv", content)
    async with connected(service.server) as client:
        client.pause()
        await client.send(request(service.server, f"/media/{media.key:x}.mkv"))
        await started(service)
        ((transfer, seconds),) = service.delivery.transfers.running()
        assert (transfer.address, transfer.title) == ("127.0.0.1", "film.mkv")
        assert (transfer.key, transfer.size) == (media.key, len(content))
        assert transfer.sent < len(content)
        assert seconds < 60
        client.resume()
        await client.answer()
        await asyncio.sleep(0)
    assert service.delivery.transfers.running() == []
    assert service.delivery.transfers.bytes_sent == len(content)


async def test_one_host_gets_only_so_many_streams_at_a_time(library: FakeLibrary) -> None:
    # security.md 2
    media = library.add("film.mkv", bytes(32 << 20))
    url = f"/media/{media.key:x}.mkv"
    async with delivering(library, streams_per_host=1) as service:
        async with connected(service.server) as first:
            first.pause()
            await first.send(request(service.server, url))
            await started(service)
            second = await ask(service.server, url)
            assert (second.status, second.header("Retry-After")) == (503, "5")
            assert (await ask(service.server, url, method="HEAD")).status == 200
        async with asyncio.timeout(PATIENCE):
            while service.delivery.transfers.running():  # noqa: ASYNC110 - nothing else tells
                await asyncio.sleep(0)
        assert (await ask(service.server, url, "Range: bytes=0-9")).status == 206


async def test_hundreds_of_dropped_requests_leave_nothing_behind(
    service: Delivering, library: FakeLibrary
) -> None:
    # security.md T6; Samsung sends many overlapping requests and drops them (dlna-http 6).
    media = library.add("film.mkv", bytes(32 << 20))
    before = descriptors()
    for _ in range(200):
        async with connected(service.server) as client:
            await client.send(request(service.server, f"/media/{media.key:x}.mkv"))
            await client.reader.readexactly(15)
    async with asyncio.timeout(PATIENCE):
        while service.delivery.transfers.running() or service.server.connections:  # noqa: ASYNC110
            await asyncio.sleep(0)
    for _ in range(100):
        await asyncio.sleep(0)
    assert descriptors() <= before


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
