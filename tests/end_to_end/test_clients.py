"""Devices that need something of their own, by the headers they send (quirks.md 2)."""

import contextlib
from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from tests.control_point import DEVICE, DIDL, UPNP, ControlPoint
from tests.end_to_end.program import Program
from tests.make_media import film, picture, settle, sound

pytestmark = pytest.mark.end_to_end

SAMSUNG = "DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0"
XBOX_360 = "Xbox/2.0.17559.0 UPnP/1.0 Xbox/2.0.17559.0"
SEC = "{http://www.sec.co.kr/dlna}"
SEC_IN_DIDL = "{http://www.sec.co.kr/}"
SUBTITLE = "1\n00:00:00,100 --> 00:00:00,900\nGrüße\n\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    root = tmp_path_factory.mktemp("Media")
    sound(root / "song.flac", seconds=1, metadata={"title": "Song", "genre": "Jazz"})
    film(root / "film.mkv", seconds=1)
    (root / "film.de.srt").write_bytes(SUBTITLE.encode("cp1252"))
    (root / "film-poster.jpg").write_bytes(picture(size=(300, 450)))
    (root / "photo.jpg").write_bytes(picture(size=(1200, 900)))
    (root / "mine.m3u").write_text("song.flac")
    home = tmp_path_factory.mktemp("home")
    with Program(settle(root), home=home, options=("--name", "Attic")) as running:
        running.wait_until_scanned(items=3)
        yield running


Speak = Callable[[str], ControlPoint]


@pytest.fixture
def speak(program: Program) -> Iterator[Speak]:
    """Makes control points of a User-Agent."""
    with contextlib.ExitStack() as points:

        def make(agent: str) -> ControlPoint:
            point = ControlPoint(f"{program.url}description.xml", headers={"User-Agent": agent})
            points.callback(point.close)
            return point

        yield make


def described(point: ControlPoint, name: str) -> str | None:
    text: str | None = point.description().findtext(f".//{DEVICE}{name}")
    return text


def test_nobody_in_particular_is_told_nothing_in_particular(speak: Speak) -> None:
    point = speak("SomeThing/1.0 UPnP/1.0")
    assert described(point, "friendlyName") == "Attic"
    namespaces = {each.tag.partition("}")[0][1:] for each in point.description().iter()}
    assert namespaces == {
        "urn:schemas-upnp-org:device-1-0",
        "urn:schemas-dlna-org:device-1-0",
    }


# ---- Samsung televisions


def test_samsung_televisions_find_product_cap_in_the_description(speak: Speak) -> None:
    device = speak(SAMSUNG).description().find(f"{DEVICE}device")
    for name in ("ProductCap", "X_ProductCap"):
        # description-soap-gena 2: without these no subtitles are asked for
        expected = "smi,getMediaInfo.sec,getCaptionInfo.sec"  # DCM10 stands for bookmarks
        assert device.findtext(f"{SEC}{name}") == expected
    assert described(speak(SAMSUNG), "friendlyName") == "Attic"


def test_samsung_televisions_browse_what_the_feature_list_names(speak: Speak) -> None:
    """content-directory 13: BASICVIEW, before anything is shown."""
    point = speak(SAMSUNG)
    features = point.call("ContentDirectory", "X_GetFeatureList")["FeatureList"]
    document = etree.fromstring(features.encode())
    [feature] = document.iter("{urn:schemas-upnp-org:av:avs}Feature")
    assert feature.get("name") == "samsung.com_BASICVIEW"
    found = {
        each.get("type"): point.browse(each.get("id") or "").objects
        for each in feature.iter("{urn:schemas-upnp-org:av:avs}container")
    }
    assert {
        "object.item.audioItem",
        "object.item.videoItem",
        "object.item.imageItem",
    } <= found.keys()
    assert all(found.values())


def test_samsung_televisions_get_matroska_under_their_name_for_it(speak: Speak) -> None:
    """Also when they fetch it, which they do with another User-Agent."""
    [item] = speak(SAMSUNG).search("0", 'dc:title = "film"').objects
    res, _ = item.iter(f"{DIDL}res")
    assert res.get("protocolInfo").split(":")[2] == "video/x-mkv"
    fetched = speak("samsung-agent/1.1").request(res.text, "HEAD")
    assert fetched.headers["content-type"] == "video/x-mkv"


def test_samsung_televisions_find_subtitles_and_get_them_in_utf_8(speak: Speak) -> None:
    """didl-lite 7; dlna-http 3."""
    point = speak(SAMSUNG)
    [item] = point.search("0", 'dc:title = "film"', wanted="res").objects
    [caption] = item.iter(f"{SEC_IN_DIDL}CaptionInfoEx")
    assert caption.get(f"{SEC_IN_DIDL}type") == "srt"
    answer = point.request(caption.text, "GET")
    assert answer.body.decode() == SUBTITLE
    video = next(item.iter(f"{DIDL}res")).text
    told = point.request(video, "HEAD", {"getCaptionInfo.sec": "1"})
    assert told.headers["captioninfo.sec"] == caption.text


def test_anybody_finds_subtitles_as_further_resources(speak: Speak) -> None:
    point = speak("SomeThing/1.0 UPnP/1.0")
    [item] = point.search("0", 'dc:title = "film"', wanted="res").objects
    video, subtitle = item.iter(f"{DIDL}res")
    assert ":video/" in video.get("protocolInfo")
    assert subtitle.get("protocolInfo") == "http-get:*:text/srt:*"
    assert subtitle.text.endswith(".de.srt")
    answer = point.request(subtitle.text, "GET")
    assert answer.headers["content-type"] == "text/srt; charset=utf-8"
    assert answer.body.decode() == SUBTITLE


# ---- Xbox 360


def test_the_xbox_360_sees_a_windows_media_player(speak: Speak) -> None:
    point = speak(XBOX_360)
    assert ":" in (described(point, "friendlyName") or "")
    assert "Attic" in (described(point, "friendlyName") or "")
    assert described(point, "modelName") == "Windows Media Player Sharing"
    assert described(point, "modelNumber") in ("11", "12")
    types = [
        each.text or ""
        for name in ("deviceType", "serviceType")
        for each in point.description().iter(f"{DEVICE}{name}")
    ]
    assert all(each.endswith(":1") for each in types)


def test_the_xbox_360_is_authorized(speak: Speak) -> None:
    for action in ("IsAuthorized", "IsValidated"):
        answer = speak(XBOX_360).call("X_MS_MediaReceiverRegistrar", action, DeviceID="")
        assert answer == {"Result": "1"}


@pytest.mark.parametrize(
    ("container_id", "title"), [("14", "song"), ("15", "film"), ("16", "photo")]
)
def test_the_xbox_360_browses_by_the_ids_it_knows(
    container_id: str, title: str, speak: Speak
) -> None:
    """content-directory 14; the argument is called ContainerID by it (content-directory 4)."""
    answer = speak(XBOX_360).call(
        "ContentDirectory",
        "Browse",
        ContainerID=container_id,
        BrowseFlag="BrowseDirectChildren",
        Filter="*",
        StartingIndex=0,
        RequestedCount=100,
        SortCriteria="+dc:title",
    )
    document = etree.fromstring(answer["Result"].encode())
    assert title in "".join(document.itertext()).casefold()
    assert int(answer["TotalMatches"]) > 0


def test_the_xbox_360_finds_playlists(speak: Speak) -> None:
    """content-directory 9 and 14: a search in F, which it browses then."""
    point = speak(XBOX_360)
    found = point.search("F", 'upnp:class = "object.container.playlistContainer"')
    [playlist] = found.objects
    assert playlist.get("parentID") == "F"
    [entry] = point.browse(playlist.get("id")).objects
    assert entry.get("refID") is None


def test_the_xbox_360_finds_music_once(speak: Speak) -> None:
    """quirks.md 2: no duplicates by @refID."""
    criteria = '(upnp:class derivedfrom "object.item.audioItem")'
    found = speak(XBOX_360).search("4", criteria)
    assert [each.findtext(f"{UPNP}class") for each in found.objects] == [
        "object.item.audioItem.musicTrack"
    ]
    assert found.objects[0].get("refID") is None
    assert found.total == 1
