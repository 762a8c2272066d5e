"""What the device validator of the UPnP Forum checks of a ContentDirectory (content-directory 15),
asked of the running program over the network."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import etree

from tests.conformance.filters import expected, filters, properties
from tests.control_point import DC, DIDL, UPNP, ControlPoint, Page
from tests.end_to_end.program import Program
from tests.make_media import film, picture, settle, sound

pytestmark = pytest.mark.end_to_end

ALBUMS = (
    ("Ann", "Evening", "Jazz", "1959"),
    ("Ann", "Morning", "Jazz", "1961"),
    ("Bea", "Rails", "Folk", "1961"),
)


@pytest.fixture(scope="module")
def media_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("Media")
    for artist, album, genre, year in ALBUMS:
        folder = root / "Music" / album
        folder.mkdir(parents=True)
        for number in (1, 2):
            tags = {
                "title": f"{album} {number}",
                "artist": artist,
                "album": album,
                "genre": genre,
                "date": year,
                "track": str(number),
            }
            sound(folder / f"{number}.flac", seconds=number / 10, metadata=tags)
    (folder / "cover.jpg").write_bytes(picture(size=(500, 500)))
    (root / "Films").mkdir()
    film(root / "Films" / "A film & more.mkv", seconds=0.2)
    sound(root / "untagged <1>.wav", seconds=0.1)
    for name in ("sea.jpg", "hill.jpg"):
        (root / name).write_bytes(picture(size=(1200, 900)))
    return settle(root)


@pytest.fixture(scope="module")
def program(media_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    with Program(media_root, home=tmp_path_factory.mktemp("home")) as running:
        running.wait_until_scanned(items=10)
        yield running


@pytest.fixture(scope="module")
def point(program: Program) -> Iterator[ControlPoint]:
    point = ControlPoint(f"{program.url}description.xml")
    yield point
    point.close()


# ---- ContentDirectory: the walk through the tree, one object at a time


@dataclass
class Visited:
    """A container as the walk found it."""

    alone: Page
    """BrowseMetadata."""
    pages: list[Page] = field(default_factory=list)
    """BrowseDirectChildren with RequestedCount 1, Filter ``*``."""

    @property
    def ids(self) -> list[str]:
        return [each.get("id") for page in self.pages for each in page.objects]


@dataclass
class Walk:
    containers: dict[str, Visited] = field(default_factory=dict)
    items: dict[str, Page] = field(default_factory=dict)
    """BrowseMetadata."""

    def listed(self) -> Iterator[tuple[str, Page, Any]]:
        """Every object in the list of its parent: the parent's id, the answer, the element."""
        for container_id, visited in self.containers.items():
            for page in visited.pages:
                for element in page.objects:
                    yield container_id, page, element

    def alone(self, object_id: str) -> Page:
        if object_id in self.items:
            return self.items[object_id]
        return self.containers[object_id].alone

    @property
    def largest(self) -> str:
        """Id of the container with the most children."""
        return max(self.containers, key=lambda each: len(self.containers[each].pages))


@pytest.fixture(scope="module")
def walk(point: ControlPoint) -> Walk:
    found = Walk()
    waiting = ["0"]
    while waiting:
        object_id = waiting.pop()
        assert object_id not in found.containers
        visited = Visited(point.browse(object_id, metadata=True))
        found.containers[object_id] = visited
        while True:
            page = point.browse(object_id, start=len(visited.pages), count=1)
            if page.returned == 0:
                break
            visited.pages.append(page)
            for element in page.objects:
                if element.tag == f"{DIDL}container":
                    waiting.append(element.get("id"))
                else:
                    alone = point.browse(element.get("id"), metadata=True)
                    found.items[element.get("id")] = alone
    return found


def test_there_is_something_to_walk_through(walk: Walk) -> None:
    home = {each.get("id") for _, _, each in walk.listed() if each.get("refID") is None}
    assert len(home & walk.items.keys()) == 10
    assert len(walk.containers) > 30
    assert len(walk.containers[walk.largest].pages) >= 7


def test_number_returned_is_the_number_of_objects(walk: Walk) -> None:
    for _, page, _ in walk.listed():
        assert page.returned == len(page.objects) == 1


def test_metadata_is_one_object_of_one(walk: Walk) -> None:
    for page in (*walk.items.values(), *(each.alone for each in walk.containers.values())):
        assert len(page.objects) == page.returned == page.total == 1


def test_total_matches_is_the_number_of_children_on_every_page(walk: Walk) -> None:
    for visited in walk.containers.values():
        assert {page.total for page in visited.pages} <= {len(visited.pages)}


def test_child_count_is_total_matches(walk: Walk) -> None:
    for visited in walk.containers.values():
        [element] = visited.alone.objects
        assert element.get("childCount") in (None, str(len(visited.pages)))


def test_no_id_occurs_twice(walk: Walk) -> None:
    ids = [element.get("id") for _, _, element in walk.listed()]
    assert len(ids) == len(set(ids))


def test_every_object_names_the_container_it_is_listed_in(walk: Walk) -> None:
    for container_id, _, element in walk.listed():
        assert element.get("parentID") == container_id


def test_the_update_id_is_that_of_the_containers_metadata(walk: Walk) -> None:
    for container_id, page, _ in walk.listed():
        assert page.update_id == walk.containers[container_id].alone.update_id


def test_an_object_says_the_same_alone_and_in_a_list(walk: Walk) -> None:
    for _, _, element in walk.listed():
        [alone] = walk.alone(element.get("id")).objects
        assert etree.tostring(alone, method="c14n") == etree.tostring(element, method="c14n")


def test_no_object_contains_another(walk: Walk) -> None:
    for _, _, element in walk.listed():
        inside = [each.tag for each in element.iterdescendants()]
        assert not {f"{DIDL}item", f"{DIDL}container"} & set(inside)


# ---- Filter, on the objects with the most metadata


def richest(walk: Walk, tag: str) -> Any:
    return max(
        (element for _, _, element in walk.listed() if element.tag == f"{DIDL}{tag}"),
        key=lambda element: len(properties(element)),
    )


@pytest.mark.parametrize("tag", ["item", "container"])
@pytest.mark.parametrize("metadata", [True, False], ids=["BrowseMetadata", "children"])
def test_a_filter_brings_what_it_names_and_nothing_else(
    tag: str, metadata: bool, walk: Walk, point: ControlPoint
) -> None:
    """Every name alone and every pair of names, ``res@attr`` and ``@attr`` too, and ``desc``."""
    element = richest(walk, tag)
    every = properties(element)
    names = sorted(
        every
        | {f"@{name.partition('@')[2]}" for name in every if name.startswith("res@")}
        | {"res", "desc"}
    )
    assert len(names) > (20 if tag == "item" else 6)
    upnp_class = element.findtext(f"{UPNP}class")
    siblings = walk.containers[element.get("parentID")].ids
    place = siblings.index(element.get("id"))
    for wanted in (*filters(names), set(names)):
        text = ",".join(sorted(wanted))
        if metadata:
            page = point.browse(element.get("id"), metadata=True, wanted=text)
        else:
            page = point.browse(element.get("parentID"), start=place, count=1, wanted=text)
        [found] = page.objects
        assert properties(found) == expected(every, upnp_class, wanted), text
        assert all(res.get("protocolInfo") for res in found.iter(f"{DIDL}res"))


# ---- Ranges, on the root and the largest container


def around(total: int) -> list[int]:
    return sorted({0, 1, 2, total - 2, total - 1, total, total + 1} - {-1, -2})


@pytest.mark.parametrize("which", ["root", "largest"])
def test_every_range_is_the_part_of_the_list_it_names(
    which: str, walk: Walk, point: ControlPoint
) -> None:
    container_id = "0" if which == "root" else walk.largest
    visited = walk.containers[container_id]
    total = len(visited.pages)
    for start, count in product(around(total), around(total)):
        page = point.browse(container_id, start=start, count=count)
        ids = [each.get("id") for each in page.objects]
        assert ids == visited.ids[start : start + count if count else None], (start, count)
        assert page.returned == len(ids)
        assert page.total == total
        assert page.update_id == visited.alone.update_id


# ---- Sorting


def sort_capabilities(point: ControlPoint) -> list[str]:
    return point.call("ContentDirectory", "GetSortCapabilities")["SortCaps"].split(",")


def value_of(element: Any, name: str) -> Any:
    """The first value of a property, comparable; None if there is none."""
    tag, _, attribute = name.partition("@")
    prefix, _, local = tag.rpartition(":")
    namespace = {"dc": DC, "upnp": UPNP, "": DIDL}[prefix]
    found = element.find(f"{namespace}{local}") if tag else element
    text = None if found is None else found.get(attribute) if attribute else found.text
    if text is None:
        return None
    if name in ("upnp:originalTrackNumber", "res@size"):
        return int(text)
    if name == "dc:date":
        return date.fromisoformat(text[:10])
    return text.casefold()


def test_sort_capabilities_are_there(point: ControlPoint) -> None:
    assert {"dc:title", "dc:date", "upnp:album", "upnp:originalTrackNumber"} <= set(
        sort_capabilities(point)
    )


@pytest.mark.parametrize("sign", ["+", "-"])
def test_the_largest_container_is_sorted_by_every_capability_the_same_each_time(
    sign: str, walk: Walk, point: ControlPoint
) -> None:
    container_id = walk.largest
    for name in sort_capabilities(point):
        page = point.browse(container_id, sort=f"{sign}{name}")
        ids = [each.get("id") for each in page.objects]
        assert sorted(ids) == sorted(walk.containers[container_id].ids)
        again = point.browse(container_id, sort=f"{sign}{name}")
        assert [each.get("id") for each in again.objects] == ids
        values = [value_of(each, name) for each in page.objects]
        present = [value for value in values if value is not None]
        assert present == sorted(present, reverse=sign == "-"), name
        # content-directory 6: objects without the property come first when ascending.
        missing = len(values) - len(present)
        gap = values[:missing] if sign == "+" else values[len(present) :]
        assert gap == [None] * missing, name


def test_filter_range_and_sorting_work_together(walk: Walk, point: ControlPoint) -> None:
    container_id = walk.largest
    total = len(walk.containers[container_id].pages)
    for name, sign in product(sort_capabilities(point), "+-"):
        whole = point.browse(container_id, sort=f"{sign}{name}")
        ids = [each.get("id") for each in whole.objects]
        for start, count in ((0, 2), (1, 3), (total - 1, 2), (2, 0)):
            page = point.browse(
                container_id, sort=f"{sign}{name}", start=start, count=count, wanted="dc:date"
            )
            assert [each.get("id") for each in page.objects] == ids[start:][: count or None]
            assert page.total == total
            for each in page.objects:
                every = properties(walk.alone(each.get("id")).objects[0])
                assert properties(each) == expected(
                    every, each.findtext(f"{UPNP}class"), {"dc:date"}
                )


# ---- Beyond the validator (content-directory 15, last lines)


def test_every_reference_leads_to_an_item_at_home(walk: Walk) -> None:
    references = [element for _, _, element in walk.listed() if element.get("refID") is not None]
    assert references
    for element in references:
        [home] = walk.items[element.get("refID")].objects
        assert home.get("refID") is None
        assert home.findtext(f"{DC}title") == element.findtext(f"{DC}title")


def test_everything_that_is_found_can_be_browsed(walk: Walk, point: ControlPoint) -> None:
    found = point.search("0", "*")
    assert found.returned == found.total == len(found.objects)
    for element in found.objects:
        [alone] = walk.alone(element.get("id")).objects
        assert etree.tostring(alone, method="c14n") == etree.tostring(element, method="c14n")
    items = {each.get("id") for each in found.objects if each.tag == f"{DIDL}item"}
    assert items == {
        element.get("id")
        for _, _, element in walk.listed()
        if element.tag == f"{DIDL}item" and element.get("refID") is None
    }


def test_every_resource_is_of_the_type_its_protocol_info_says(
    walk: Walk, point: ControlPoint
) -> None:
    urls: dict[str, str] = {}
    for _, _, element in walk.listed():
        for res in element.iter(f"{DIDL}res"):
            protocol, _, mime_type, _ = res.get("protocolInfo").split(":")
            assert protocol == "http-get"
            assert urls.setdefault(res.text, mime_type) == mime_type
    assert len(urls) >= 10
    for url, mime_type in urls.items():
        assert urlsplit(url).netloc == urlsplit(point.location).netloc
        head, whole = point.request(url, "HEAD"), point.request(url)
        assert (head.status, whole.status) == (200, 200)
        assert head.headers["content-type"] == whole.headers["content-type"] == mime_type


def test_all_art_is_there(walk: Walk, point: ControlPoint) -> None:
    urls = {
        art.text for _, _, element in walk.listed() for art in element.iter(f"{UPNP}albumArtURI")
    }
    assert urls
    for url in urls:
        answer = point.request(url)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
