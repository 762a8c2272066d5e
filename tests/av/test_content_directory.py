"""ContentDirectory over a library: answers, errors, what is evented."""

from collections.abc import Mapping
from typing import Any

import pytest
from lxml import etree

from mediaserver.av.content_directory import (
    MAX_CONTAINERS_EVENTED,
    ContentDirectory,
    merge_container_update_ids,
)
from mediaserver.clients import UNKNOWN, ClientProfile, default_profiles
from mediaserver.library.errors import LibraryError
from mediaserver.library.objects import Change, Container, ObjectID, Page
from mediaserver.library.views import DEFAULT_VIEWS
from mediaserver.upnp.errors import ActionError
from mediaserver.upnp.service import StateVariable
from tests.av.library_fake import (
    FILM,
    FOLDER,
    PHOTO,
    ROOT,
    TRACK,
    FakeLibrary,
    asked,
    objects_of,
    reference,
)

ALL_MUSIC = Container(
    object_id=ObjectID("vma"),
    parent_id=ObjectID("vmu"),
    title="All music",
    upnp_class="object.container",
    child_count=1,
    update_id=6,
)


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary(
        ROOT, FOLDER, TRACK, PHOTO, FILM, ALL_MUSIC, reference(TRACK, "vma"), system_update_id=9
    )


def directory(library: FakeLibrary) -> ContentDirectory:
    return ContentDirectory(
        library,
        search_capabilities=("dc:title", "@refID"),
        sort_capabilities=("dc:title",),
    )


async def call(
    content_directory: ContentDirectory,
    action: str,
    arguments: Mapping[str, str] | None = None,
    profile: ClientProfile = UNKNOWN,
) -> dict[str, str]:
    request = asked(profile=profile)
    results = await content_directory.service.call(action, arguments or {}, request)
    return {name: value.decode() if isinstance(value, bytes) else value for name, value in results}


async def browse(
    content_directory: ContentDirectory, profile: ClientProfile = UNKNOWN, /, **changes: str
) -> dict[str, str]:
    arguments = {
        "ObjectID": "f0000000001",
        "BrowseFlag": "BrowseDirectChildren",
        "Filter": "*",
        "StartingIndex": "0",
        "RequestedCount": "0",
        "SortCriteria": "",
    }
    return await call(content_directory, "Browse", arguments | changes, profile)


async def search(
    content_directory: ContentDirectory, profile: ClientProfile = UNKNOWN, /, **changes: str
) -> dict[str, str]:
    arguments = {
        "ContainerID": "0",
        "SearchCriteria": "*",
        "Filter": "",
        "StartingIndex": "0",
        "RequestedCount": "0",
        "SortCriteria": "",
    }
    return await call(content_directory, "Search", arguments | changes, profile)


def ids(answer: Mapping[str, str]) -> list[str]:
    return [element.get("id") for element in objects_of(answer["Result"])]


def numbers(answer: Mapping[str, str]) -> tuple[str, str, str]:
    return answer["NumberReturned"], answer["TotalMatches"], answer["UpdateID"]


# ---- Browse


async def test_children_are_listed_with_the_update_id_of_their_container(
    library: FakeLibrary,
) -> None:
    answer = await browse(directory(library))
    assert ids(answer) == ["i0000000001", "i0000000002", "i0000000003"]
    assert numbers(answer) == ("3", "3", "5")


async def test_a_page_says_how_many_there_are_in_all(library: FakeLibrary) -> None:
    answer = await browse(directory(library), StartingIndex="1", RequestedCount="1")
    assert ids(answer) == ["i0000000002"]
    assert numbers(answer) == ("1", "3", "5")


async def test_behind_the_end_there_is_nothing_and_no_error(library: FakeLibrary) -> None:
    answer = await browse(directory(library), StartingIndex="4000000000", RequestedCount="10")
    assert ids(answer) == []
    assert numbers(answer) == ("0", "3", "5")


async def test_the_largest_count_is_as_good_as_all(library: FakeLibrary) -> None:
    answer = await browse(directory(library), RequestedCount="4294967295")
    assert numbers(answer) == ("3", "3", "5")


async def test_metadata_is_of_the_object_itself(library: FakeLibrary) -> None:
    answer = await browse(directory(library), BrowseFlag="BrowseMetadata")
    assert ids(answer) == ["f0000000001"]
    assert numbers(answer) == ("1", "1", "5")


async def test_the_order_is_the_one_asked_for(library: FakeLibrary) -> None:
    answer = await browse(directory(library), SortCriteria="-dc:title")
    assert ids(answer) == ["i0000000001", "i0000000003", "i0000000002"]


async def test_a_device_may_get_another_order_than_it_asks_for(library: FakeLibrary) -> None:
    profile = ClientProfile(sort_criteria="+dc:title")
    answer = await browse(directory(library), profile, SortCriteria="+upnp:nonsense")
    assert ids(answer) == ["i0000000002", "i0000000003", "i0000000001"]


async def test_the_xbox_may_call_the_object_a_container(library: FakeLibrary) -> None:
    arguments = {
        "ContainerID": "f0000000001",
        "BrowseFlag": "BrowseDirectChildren",
        "Filter": "",
        "StartingIndex": "0",
        "RequestedCount": "0",
        "SortCriteria": "",
    }
    assert len(ids(await call(directory(library), "Browse", arguments))) == 3


async def test_an_answer_is_no_larger_than_the_device_takes(library: FakeLibrary) -> None:
    answer = await browse(directory(library), ClientProfile(answer_bytes=2500))
    assert len(answer["Result"]) <= 2500
    assert numbers(answer) == ("1", "3", "5")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ObjectID": "nonsense"}, 701),
        ({"ObjectID": "x" * 5000}, 701),
        ({"ObjectID": "i0000000001"}, 402),
        ({"BrowseFlag": "BrowseEverything"}, 402),
        ({"StartingIndex": "-1"}, 402),
        ({"RequestedCount": "many"}, 402),
        ({"RequestedCount": "4294967296"}, 402),
        ({"SortCriteria": "dc:title"}, 709),
        ({"SortCriteria": "+dc:date"}, 709),
        ({"Filter": "x" * 5000}, 402),
    ],
)
async def test_what_browse_cannot_answer_has_its_error(
    library: FakeLibrary, changes: dict[str, str], code: int
) -> None:
    """CDS:1 §2.7.4; Browse of an item's children is 402 as Rygel has it."""
    with pytest.raises(ActionError) as caught:
        await browse(directory(library), **changes)
    assert caught.value.code == code


# ---- Search


async def test_all_below_a_container_are_found(library: FakeLibrary) -> None:
    answer = await search(directory(library))
    assert ids(answer) == ["f0000000001", "i0000000001", "i0000000002", "i0000000003"]
    assert numbers(answer) == ("4", "4", "9")


async def test_only_what_the_criteria_say_is_found(library: FakeLibrary) -> None:
    answer = await search(
        directory(library),
        SearchCriteria='upnp:class derivedfrom "object.item" and dc:title contains "so"',
    )
    assert ids(answer) == ["i0000000001"]


async def test_to_find_nothing_is_a_success(library: FakeLibrary) -> None:
    answer = await search(directory(library), SearchCriteria='dc:title contains "zzz"')
    assert numbers(answer) == ("0", "0", "9")


async def test_the_container_may_be_called_an_object(library: FakeLibrary) -> None:
    arguments = {
        "ObjectID": "vma",
        "SearchCriteria": "*",
        "Filter": "",
        "StartingIndex": "0",
        "RequestedCount": "0",
        "SortCriteria": "",
    }
    assert ids(await call(directory(library), "Search", arguments)) == ["vmai0000000001"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ContainerID": "nonsense"}, 710),
        ({"ContainerID": "i0000000001"}, 710),
        ({"SearchCriteria": "nonsense"}, 708),
        ({"SearchCriteria": 'dc:nonsense = "x"'}, 708),
        ({"SearchCriteria": "x" * 9000}, 708),
        ({"SortCriteria": "+dc:nonsense"}, 709),
    ],
)
async def test_what_search_cannot_answer_has_its_error(
    library: FakeLibrary, changes: dict[str, str], code: int
) -> None:
    with pytest.raises(ActionError) as caught:
        await search(directory(library), **changes)
    assert caught.value.code == code


async def test_another_trouble_of_the_library_is_720() -> None:
    class Troubled(FakeLibrary):
        async def metadata(self, object_id: str) -> Page:
            raise LibraryError("the index is locked")

    with pytest.raises(ActionError) as caught:
        await browse(directory(Troubled(ROOT)), BrowseFlag="BrowseMetadata")
    assert caught.value.code == 720


# ---- ids that devices know by heart


async def test_the_xbox_finds_all_music_under_its_own_id(library: FakeLibrary) -> None:
    """content-directory 14: 4 is all music; the answer names the id that was asked for."""
    xbox = next(each for each in default_profiles() if each.name == "Xbox 360")
    [element] = objects_of((await browse(directory(library), xbox, ObjectID="4"))["Result"])
    assert element.get("parentID") == "4"
    [found] = objects_of((await search(directory(library), xbox, ContainerID="4"))["Result"])
    assert (found.get("parentID"), found.get("refID")) == ("4", None)


async def test_metadata_of_such_an_id_has_that_id(library: FakeLibrary) -> None:
    profile = ClientProfile(object_ids={"A_T": "vma"})
    answer = await browse(directory(library), profile, ObjectID="A_T", BrowseFlag="BrowseMetadata")
    [element] = objects_of(answer["Result"])
    assert (element.get("id"), element.get("parentID")) == ("A_T", "vmu")


async def test_other_devices_have_no_such_ids(library: FakeLibrary) -> None:
    with pytest.raises(ActionError) as caught:
        await browse(directory(library), ObjectID="4")
    assert caught.value.code == 701


async def test_samsung_is_told_where_music_films_and_pictures_are(library: FakeLibrary) -> None:
    """content-directory 13: one container for each of three classes, with ids of ours."""
    answer = await call(directory(library), "X_GetFeatureList")
    document: Any = etree.fromstring(answer["FeatureList"].encode())
    names = {"a": "urn:schemas-upnp-org:av:avs"}
    feature = "/a:Features/a:Feature[@name='samsung.com_BASICVIEW'][@version='1']"
    assert document.xpath(f"{feature}/a:container/@type", namespaces=names) == [
        "object.item.audioItem",
        "object.item.videoItem",
        "object.item.imageItem",
    ]
    found = document.xpath(f"{feature}/a:container/@id", namespaces=names)
    codes = {f"v{view.code}": view for view in DEFAULT_VIEWS}
    assert [codes[each].title for each in found] == ["Music", "Video", "Pictures"]


# ---- update ids and events (content-directory 8)


async def test_the_system_update_id_is_the_librarys(library: FakeLibrary) -> None:
    assert await call(directory(library), "GetSystemUpdateID") == {"Id": "9"}


async def test_update_ids_wrap_to_zero(library: FakeLibrary) -> None:
    """ui4 (CDS:1 §2.5.19)."""
    library.system_update_id = 2**32 + 3
    assert await call(directory(library), "GetSystemUpdateID") == {"Id": "3"}


def test_a_change_is_evented(library: FakeLibrary) -> None:
    content_directory = directory(library)
    heard: list[dict[str, str]] = []

    def listen(values: Mapping[StateVariable, str]) -> None:
        heard.append({variable.name: value for variable, value in values.items()})

    content_directory.service.listen(listen)
    change = Change(10, {ObjectID("f0000000001"): 10, ObjectID("vma"): 10})
    content_directory.library_changed(change)
    assert heard == [{"SystemUpdateID": "10", "ContainerUpdateIDs": "f0000000001,10,vma,10"}]


def test_before_any_change_no_container_is_evented(library: FakeLibrary) -> None:
    values = {variable.name: value for variable, value in directory(library).service.evented()}
    assert values == {"SystemUpdateID": "9", "ContainerUpdateIDs": ""}


def test_changes_that_wait_for_each_other_become_one_list(library: FakeLibrary) -> None:
    merge = directory(library).merge["ContainerUpdateIDs"]
    assert merge("f1,5,f2,5", "f3,6,f1,6") == "f2,5,f3,6,f1,6"


@pytest.mark.parametrize(("older", "newer"), [("", "f1,5"), ("f1,5", "")])
def test_a_list_stays_where_the_other_is_empty(older: str, newer: str) -> None:
    assert merge_container_update_ids(older, newer) == "f1,5"


def test_the_list_does_not_grow_without_end() -> None:
    merged = ""
    for number in range(1000):
        merged = merge_container_update_ids(merged, f"f{number},7")
    fields = merged.split(",")
    assert len(fields) == 2 * MAX_CONTAINERS_EVENTED
    assert fields[-2:] == ["f999", "7"]
