"""async_upnp_client, the control point of Home Assistant, against the program on real files."""

import asyncio
import io
import urllib.request
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any

import av
import pytest
import pytest_asyncio
from async_upnp_client.aiohttp import AiohttpNotifyServer, AiohttpRequester
from async_upnp_client.client import UpnpDevice, UpnpService, UpnpStateVariable
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.profiles.dlna import DmsDevice
from async_upnp_client.search import async_search
from async_upnp_client.utils import CaseInsensitiveDict
from didl_lite.didl_lite import Container, DidlObject, Item

from tests.end_to_end.program import Program
from tests.make_media import film, picture, settle, sound
from tests.patience import PATIENCE

pytestmark = pytest.mark.end_to_end

MEDIA_SERVER = "urn:schemas-upnp-org:device:MediaServer:1"


@pytest.fixture(scope="module")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("Media")
    album = root / "Music" / "Björk" / "Début"
    album.mkdir(parents=True)
    for number, title in enumerate(("Human Behaviour", "Crying", "Vénus as a Boy"), 1):
        tags = {
            "title": title,
            "artist": "Björk",
            "album": "Début",
            "track": f"{number}/3",
            "genre": "Pop",
            "date": "1993",
        }
        sound(album / f"0{number}.flac", seconds=1 + number, metadata=tags)
    (album / "cover.jpg").write_bytes(picture(size=(300, 300)))
    (root / "Lists").mkdir()
    entries = [f"..\\Music\\Björk\\Début\\0{number}.flac" for number in (3, 1, 3)]
    entries += ["../Films/gone.mkv", "http://radio.example/live", "../Films/A%20Film.mkv"]
    (root / "Lists" / "Sunday.m3u").write_bytes("\r\n".join(entries).encode("cp1252"))
    (root / "Films").mkdir()
    film(root / "Films" / "A Film.mkv", seconds=3)
    (root / "Photos").mkdir()
    (root / "Photos" / "sea & sky.jpg").write_bytes(picture(size=(1200, 900)))
    return settle(root)


@pytest.fixture(scope="module")
def program(media_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(media_root, home=tmp_path_factory.mktemp("home")) as running:
        running.wait_until_scanned(items=5)
        yield running


@pytest_asyncio.fixture
async def device(program: Program) -> UpnpDevice:
    factory = UpnpFactory(AiohttpRequester(timeout=PATIENCE))
    return await factory.async_create_device(f"{program.url}description.xml")


@pytest_asyncio.fixture
async def server(device: UpnpDevice) -> AsyncIterator[DmsDevice]:
    yield DmsDevice(device, event_handler=None)


def fetch(uri: str) -> tuple[str | None, bytes]:
    with urllib.request.urlopen(uri, timeout=PATIENCE) as answer:  # noqa: S310 - http, ours
        return answer.headers["Content-Type"], answer.read()


def uri_of(item: DidlObject) -> str:
    """Of the first resource, the file as it is."""
    uri = item.res[0].uri
    assert uri is not None
    return uri


async def children(server: DmsDevice, object_id: str) -> list[DidlObject]:
    result = await server.async_browse_direct_children(object_id, metadata_filter="*")
    found = [each for each in result.result if isinstance(each, DidlObject)]
    assert result.number_returned == result.total_matches == len(found)
    return found


async def child(server: DmsDevice, *titles: str) -> DidlObject:
    """The object at a path of titles from the root container."""
    object_id = "0"
    for title in titles:
        found = next(each for each in await children(server, object_id) if each.title == title)
        object_id = found.id
    return found


async def test_a_search_finds_the_server_where_it_says_it_is(program: Program) -> None:
    ours: list[CaseInsensitiveDict] = []

    async def heard(headers: CaseInsensitiveDict) -> None:
        if headers["usn"].startswith(program.udn):
            ours.append(headers)

    async with asyncio.timeout(PATIENCE):
        while not ours:  # the answer may be late on a busy machine
            await async_search(
                heard, timeout=2, search_target=MEDIA_SERVER, source=("127.0.0.1", 0)
            )

    assert {answer["location"] for answer in ours} == {f"{program.url}description.xml"}
    assert {answer["st"] for answer in ours} == {MEDIA_SERVER}


async def test_the_description_offers_the_three_services(device: UpnpDevice) -> None:
    assert device.device_type == MEDIA_SERVER
    assert set(device.services) == {
        "urn:schemas-upnp-org:service:ContentDirectory:1",
        "urn:schemas-upnp-org:service:ConnectionManager:1",
        "urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1",
    }


async def test_the_root_container_offers_music_video_pictures_and_folders(
    server: DmsDevice,
) -> None:
    titles = [each.title for each in await children(server, "0")]

    assert titles == ["Music", "Video", "Pictures", "Folders"]


async def test_everything_can_be_browsed_and_says_the_same_when_asked_alone(
    server: DmsDevice,
) -> None:
    seen: dict[str, DidlObject] = {}
    waiting = ["0"]
    while waiting:
        parent = waiting.pop()
        for each in await children(server, parent):
            assert each.id not in seen
            assert each.parent_id == parent
            seen[each.id] = each
            alone = await server.async_browse_metadata(each.id, metadata_filter="*")
            assert (alone.title, alone.upnp_class, alone.parent_id) == (
                each.title,
                each.upnp_class,
                each.parent_id,
            )
            if isinstance(each, Container):
                waiting.append(each.id)

    home = {each.title for each in seen.values() if isinstance(each, Item)}
    assert home == {"Human Behaviour", "Crying", "Vénus as a Boy", "A Film", "sea & sky"}


async def test_an_album_lists_its_tracks_in_their_order(server: DmsDevice) -> None:
    album = await child(server, "Music", "Album artists", "Björk", "Début")

    titles = [each.title for each in await children(server, album.id)]

    assert titles == ["Human Behaviour", "Crying", "Vénus as a Boy"]


async def test_a_playlist_lists_its_tracks_in_its_order(
    server: DmsDevice, media_root: Path
) -> None:
    playlist = await child(server, "Music", "Playlists", "Sunday")
    assert playlist.upnp_class == "object.container.playlistContainer"

    entries = await children(server, playlist.id)

    assert [each.title for each in entries] == [
        "Vénus as a Boy",
        "Human Behaviour",
        "Vénus as a Boy",
        "A Film",
    ]
    _, data = await asyncio.to_thread(fetch, uri_of(entries[2]))
    assert data == (media_root / "Music/Björk/Début/03.flac").read_bytes()


async def test_search_ignores_case_and_accents(server: DmsDevice) -> None:
    found = await server.async_search_directory(
        "0",
        'upnp:class derivedfrom "object.item.audioItem" and dc:title contains "venus"',
        metadata_filter="*",
    )

    assert [each.title for each in found.result if isinstance(each, DidlObject)] == [
        "Vénus as a Boy"
    ]


async def test_what_is_fetched_is_the_file(server: DmsDevice, media_root: Path) -> None:
    track = await child(server, "Music", "All music", "Crying")

    _, data = await asyncio.to_thread(fetch, uri_of(track))

    assert data == (media_root / "Music/Björk/Début/02.flac").read_bytes()


async def test_ffmpeg_plays_a_track_through_http_as_long_as_it_is_said_to_be(
    server: DmsDevice,
) -> None:
    track = await child(server, "Music", "All music", "Crying")
    assert track.res[0].duration == "0:00:03.000"

    with av.open(uri_of(track), "r") as container:
        samples = sum(frame.samples for frame in container.decode(audio=0))

    assert samples == 3 * 44100


async def test_ffmpeg_seeks_in_a_film_through_http(server: DmsDevice) -> None:
    item = await child(server, "Video", "All video", "A Film")

    with av.open(uri_of(item), "r") as container:
        container.seek(2_000_000)
        frame = next(container.decode(video=0))

    assert frame.time is not None
    assert frame.time <= 2.0
    assert frame.width == 160


async def test_the_cover_comes_in_the_size_that_is_promised(server: DmsDevice) -> None:
    track = await child(server, "Music", "All music", "Crying")
    assert isinstance(track, Item)

    content_type, data = await asyncio.to_thread(fetch, track.album_art_uri)
    with av.open(io.BytesIO(data), "r") as cover:
        frame = next(cover.decode(video=0))

    assert content_type == "image/jpeg"
    assert (frame.width, frame.height) == (300, 300)


async def test_a_subscriber_hears_of_a_file_that_is_dropped_in(
    device: UpnpDevice, media_root: Path, program: Program
) -> None:
    requester = AiohttpRequester(timeout=PATIENCE)
    notify = AiohttpNotifyServer(requester, source=("127.0.0.1", 0))
    await notify.async_start_server()
    try:
        service = device.service("urn:schemas-upnp-org:service:ContentDirectory:1")
        heard: asyncio.Queue[dict[str, object]] = asyncio.Queue()

        def changed(_: UpnpService, variables: Sequence[UpnpStateVariable[Any]]) -> None:
            heard.put_nowait({each.name: each.value for each in variables})

        service.on_event = changed
        await notify.event_handler.async_subscribe(service)
        initial = await asyncio.wait_for(heard.get(), PATIENCE)
        assert "SystemUpdateID" in initial

        sound(media_root / "Music" / "new.wav", seconds=1)
        later = await asyncio.wait_for(heard.get(), PATIENCE)

        assert int(str(later["SystemUpdateID"])) > int(str(initial["SystemUpdateID"]))
        assert later["ContainerUpdateIDs"]
        await notify.event_handler.async_unsubscribe_all()
    finally:
        await notify.async_stop_server()
        (media_root / "Music" / "new.wav").unlink(missing_ok=True)
        await asyncio.to_thread(program.wait_until_scanned, 5)
