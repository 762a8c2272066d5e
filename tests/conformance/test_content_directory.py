"""ContentDirectory:1: its tables, the rules that the UPnP Forum's validator checks
(content-directory 15), and what real control points ask (``recordings``)."""

from typing import Any

import pytest
from didl_lite import didl_lite
from lxml import etree

from mediaserver.av.content_directory import ContentDirectory
from mediaserver.av.search_criteria import parse as parse_criteria
from mediaserver.av.sort_criteria import parse as parse_sort_criteria
from mediaserver.library.criteria import And, Compare, Criteria, Operator, Or
from mediaserver.library.objects import Object
from mediaserver.upnp import soap
from mediaserver.upnp.errors import ActionError
from tests.av.library_fake import (
    ALBUM,
    FILM,
    FOLDER,
    PHOTO,
    ROOT,
    TRACK,
    FakeLibrary,
    asked,
    bytes_of,
    objects_of,
    reference,
)
from tests.conformance.filters import expected, filters, properties
from tests.conformance.tables import Table, assert_conforms
from tests.recorded import RECORDINGS, headers_of, recorded

TABLE = Table("ContentDirectory1")
VENDOR = frozenset({"X_GetFeatureList", "A_ARG_TYPE_FeatureList"})
EVERYTHING: tuple[Object, ...] = (
    ROOT,
    FOLDER,
    TRACK,
    PHOTO,
    FILM,
    ALBUM,
    reference(TRACK, ALBUM.object_id),
)


@pytest.fixture
def directory() -> ContentDirectory:
    return ContentDirectory(
        FakeLibrary(*EVERYTHING),
        search_capabilities=("dc:title", "upnp:class"),
        sort_capabilities=("dc:title",),
    )


def test_actions_and_variables_are_those_of_cds_1(directory: ContentDirectory) -> None:
    assert_conforms(directory.service, TABLE, vendor=VENDOR)


def test_search_is_offered(directory: ContentDirectory) -> None:
    assert "Search" in {action.name for action in directory.service.actions}


@pytest.mark.parametrize(
    "name", sorted(TABLE.actions.keys() - TABLE.required - {"Search"}), ids=str
)
async def test_actions_that_change_things_are_not_there(
    directory: ContentDirectory, name: str
) -> None:
    """security.md S8; an action that is not implemented is not declared, so 401 (UDA 1.1)."""
    with pytest.raises(ActionError) as caught:
        await directory.service.call(name, {}, asked())
    assert caught.value.code == 401


def test_update_ids_are_moderated(directory: ContentDirectory) -> None:
    """CDS:1 §2.5.20, §2.5.21: two seconds (content-directory 8)."""
    evented = {variable.name: variable.moderation for variable, _ in directory.service.evented()}
    assert evented == {"SystemUpdateID": 2.0, "ContainerUpdateIDs": 2.0}


async def test_capabilities_are_the_librarys(directory: ContentDirectory) -> None:
    """CDS:1 §2.5.16, §2.5.17: names separated by commas."""
    service = directory.service
    assert await service.call("GetSearchCapabilities", {}, asked()) == [
        ("SearchCaps", "dc:title,upnp:class")
    ]
    assert await service.call("GetSortCapabilities", {}, asked()) == [("SortCaps", "dc:title")]


# ---- Filter, as the validator looks at it: nothing that was not named, everything that was


async def browse(directory: ContentDirectory, object_id: str, wanted: str) -> Any:
    arguments = {
        "ObjectID": object_id,
        "BrowseFlag": "BrowseMetadata",
        "Filter": wanted,
        "StartingIndex": "0",
        "RequestedCount": "0",
        "SortCriteria": "",
    }
    answer = dict(await directory.service.call("Browse", arguments, asked()))
    [element] = objects_of(answer["Result"])
    return element


@pytest.mark.parametrize("each", EVERYTHING, ids=lambda each: each.title)
async def test_an_object_has_what_the_filter_names_and_nothing_else(
    directory: ContentDirectory, each: Object
) -> None:
    every = properties(await browse(directory, each.object_id, "*"))
    names = sorted(
        every
        | {f"@{name.partition('@')[2]}" for name in every if name.startswith("res@")}
        | {"desc", "upnp:genre", "res#", "container@childCount", "dc:nonsense"}
    )
    for wanted in filters(names):
        element = await browse(directory, each.object_id, ",".join(sorted(wanted)))
        assert properties(element) == expected(every, each.upnp_class, wanted), wanted


async def test_every_resource_has_its_protocol_info(directory: ContentDirectory) -> None:
    for wanted in ("res", "res@size", "@resolution", "*"):
        element = await browse(directory, PHOTO.object_id, wanted)
        assert all(res.get("protocolInfo") for res in element.iter("{*}res"))


async def test_a_bare_attribute_brings_the_resources_that_have_it(
    directory: ContentDirectory,
) -> None:
    """content-directory 5: the sizes of pictures not made yet are unknown."""
    of_all = await browse(directory, PHOTO.object_id, "res")
    with_size = await browse(directory, PHOTO.object_id, "@size")
    assert len(list(of_all.iter("{*}res"))) == 4
    assert [res.get("size") for res in with_size.iter("{*}res")] == [str(PHOTO.size)]


async def test_metadata_is_what_the_parents_list_says(directory: ContentDirectory) -> None:
    arguments = {
        "ObjectID": FOLDER.object_id,
        "BrowseFlag": "BrowseDirectChildren",
        "Filter": "*",
        "StartingIndex": "0",
        "RequestedCount": "0",
        "SortCriteria": "",
    }
    answer = dict(await directory.service.call("Browse", arguments, asked()))
    for listed in objects_of(answer["Result"]):
        alone = await browse(directory, listed.get("id"), "*")
        assert _values(alone) == _values(listed)


def _values(element: Any) -> list[tuple[str, dict[str, str], str | None]]:
    return [(each.tag, dict(each.attrib), each.text) for each in element.iter()]


async def test_a_container_does_not_contain_its_children(directory: ContentDirectory) -> None:
    element = await browse(directory, FOLDER.object_id, "*")
    assert not list(element.iter("{*}item", "{*}container"))[1:]


async def test_a_whole_soap_answer_is_read_back(directory: ContentDirectory) -> None:
    """Unpacked by a strict parser twice: the envelope, then the document in Result."""
    arguments = {
        "ContainerID": "0",
        "SearchCriteria": "*",
        "Filter": "*",
        "StartingIndex": "0",
        "RequestedCount": "0",
        "SortCriteria": "",
    }
    results = await directory.service.call("Search", arguments, asked())
    envelope = etree.fromstring(soap.answer(directory.service.service_type, "Search", results))
    [result] = envelope.iter("Result")
    document = etree.fromstring((result.text or "").encode())
    titles = [title.text for title in document.iter("{http://purl.org/dc/elements/1.1/}title")]
    assert titles == ["Folder", "Song", "Beach", "Film"]


async def test_python_didl_lite_reads_our_objects(directory: ContentDirectory) -> None:
    """The reader of Home Assistant; strict about required and unknown properties of a class."""
    arguments = {
        "ObjectID": FOLDER.object_id,
        "BrowseFlag": "BrowseDirectChildren",
        "Filter": "*",
        "StartingIndex": "0",
        "RequestedCount": "0",
        "SortCriteria": "",
    }
    answer = dict(await directory.service.call("Browse", arguments, asked()))
    inner = etree.fromstring(b"<Result>%b</Result>" % bytes_of(answer["Result"])).text or ""
    track, photo, film = didl_lite.from_xml_string(inner)
    assert isinstance(track, didl_lite.MusicTrack)
    assert isinstance(photo, didl_lite.Photo)
    assert isinstance(film, didl_lite.VideoItem)
    assert [each.title for each in (track, photo, film)] == ["Song", "Beach", "Film"]
    assert [len(each.res) for each in (track, photo, film)] == [1, 4, 1]
    assert film.res[0].size == str(FILM.size)


# ---- what control points really send


def call_of(message: bytes) -> soap.Call:
    _, _, body = message.partition(b"\r\n\r\n")
    fields = {name.lower(): value for name, value in headers_of(message)}
    return soap.read_call(body, fields["soapaction"], fields["content-type"])


@pytest.mark.parametrize("message", recorded("*-Browse.http"))
async def test_recorded_browse_requests_are_answered(message: bytes) -> None:
    """The ids in them are another server's: 701 then, and an answer for the root."""
    call = call_of(message)
    directory = ContentDirectory(
        FakeLibrary(*EVERYTHING),
        search_capabilities=(),
        sort_capabilities=("dc:title",),
    )
    arguments = {**call.arguments, "ObjectID": "0"}
    # Sorting is by what GetSortCapabilities of that server said.
    parse_sort_criteria(arguments["SortCriteria"])
    arguments["SortCriteria"] = ""
    answer = dict(await directory.service.call("Browse", arguments, asked()))
    assert int(answer["NumberReturned"]) == len(objects_of(answer["Result"])) == 1


WRONG = ("async_upnp_client-38-Search", "async_upnp_client-39-Search")
"""An operator that does not exist, a bracket that is not closed: sent on purpose by a script."""
SEARCHES = recorded("*-Search.http")


@pytest.mark.parametrize("message", [each for each in SEARCHES if each.id not in WRONG])
def test_recorded_search_criteria_are_understood(message: bytes) -> None:
    parse_criteria(call_of(message).arguments["SearchCriteria"])


@pytest.mark.parametrize("message", [each for each in SEARCHES if each.id in WRONG])
def test_recorded_criteria_that_are_wrong_are_708(message: bytes) -> None:
    with pytest.raises(ActionError) as caught:
        parse_criteria(call_of(message).arguments["SearchCriteria"])
    assert caught.value.code == 708


@pytest.fixture
def of_mpd(request: pytest.FixtureRequest) -> Criteria:
    path = RECORDINGS / "mpd" / f"{request.param}-Search.http"
    return parse_criteria(call_of(path.read_bytes()).arguments["SearchCriteria"])


@pytest.mark.parametrize("of_mpd", ["10"], indirect=True)
def test_mpd_searches_every_property_at_once(of_mpd: Criteria) -> None:
    """Its "any": every property of SearchCapabilities, joined by ``or``, in brackets."""
    assert isinstance(of_mpd, Or)
    assert all(
        isinstance(term, Compare) and (term.operator, term.value) == (Operator.CONTAINS, "lamp")
        for term in of_mpd.terms
    )
    assert len(of_mpd.terms) == 11


@pytest.mark.parametrize("of_mpd", ["14"], indirect=True)
def test_mpd_searches_artist_and_album(of_mpd: Criteria) -> None:
    assert of_mpd == And(
        (
            Compare("upnp:artist", Operator.EQUAL, "Blue Quartet"),
            Compare("upnp:album", Operator.EQUAL, "Day Lines"),
        )
    )


@pytest.mark.parametrize(
    "criteria",
    [
        'upnp:class derivedfrom "object.item.audioItem" and ( dc:title contains "blue" or '
        'upnp:album contains "blue" or upnp:artist contains "blue" or upnp:genre contains "blue" )',
        r'( upnp:class derivedfrom "object.container.album" and dc:title contains "\"Dark the\"" )',
        'upnp:class derivedfrom "object.container.person.musicArtist" and dc:title contains "punk"',
        'upnp:class derivedfrom "object.item.audioItem" and @refID exists false',
        'upnp:class = "object.container.playlistContainer" and @refID exists false',
        '(upnp:class derivedfrom "object.item.videoItem")',
    ],
)
def test_criteria_known_of_devices_are_understood(criteria: str) -> None:
    """content-directory 7.2."""
    parse_criteria(criteria)


@pytest.mark.parametrize("message", recorded("10-UpdateObject.http"))
async def test_kodi_is_told_that_objects_cannot_be_updated(
    directory: ContentDirectory, message: bytes
) -> None:
    """It asks after playing, and a clean fault is enough for it."""
    call = call_of(message)
    with pytest.raises(ActionError) as caught:
        await directory.service.call(call.action, call.arguments, asked())
    assert caught.value.code == 401
