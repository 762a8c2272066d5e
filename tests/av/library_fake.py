"""A small library in memory, and objects for it: a tree that can be browsed, searched, changed."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from lxml import etree

from mediaserver.clients import UNKNOWN, ClientProfile
from mediaserver.library.criteria import (
    And,
    Compare,
    Criteria,
    Everything,
    Exists,
    Operator,
    Or,
    SortKey,
)
from mediaserver.library.errors import (
    NoSuchObject,
    NotAContainer,
    UnsupportedCriteria,
    UnsupportedSort,
)
from mediaserver.library.objects import Art, Container, Item, Kind, Object, ObjectID, Page
from mediaserver.upnp.service import ActionRequest

BASE_URL = "http://192.0.2.5:8200"

DIDL = "urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"
NAMES = {
    "d": DIDL,
    "dc": "http://purl.org/dc/elements/1.1/",
    "upnp": "urn:schemas-upnp-org:metadata-1-0/upnp/",
    "dlna": "urn:schemas-dlna-org:metadata-1-0/",
}
_PREFIXES = {uri: "" if prefix == "d" else f"{prefix}:" for prefix, uri in NAMES.items()}

COVER = Art(art_id=0x63, mime_type="image/jpeg", width=500, height=500)

TRACK = Item(
    object_id=ObjectID("i0000000001"),
    parent_id=ObjectID("f0000000001"),
    ref_id=None,
    key=0x2A,
    kind=Kind.AUDIO,
    upnp_class="object.item.audioItem.musicTrack",
    mime_type="audio/mpeg",
    dlna_profile="MP3",
    file_name="01 Song.mp3",
    size=5_012_345,
    modified=1_000_000_000,
    added=1_000_000_000,
    title="Song",
    artists=("Ann", "Bob"),
    album_artists=("Various artists",),
    composers=("Cleo",),
    genres=("Jazz", "Blues"),
    album="Day Lines",
    track=1,
    disc=2,
    date="2004-05",
    description="live",
    duration_ms=192_345,
    bitrate=256_000,
    sample_rate=44100,
    channels=2,
    bits_per_sample=16,
    art=COVER,
)
PHOTO = Item(
    object_id=ObjectID("i0000000002"),
    parent_id=ObjectID("f0000000001"),
    ref_id=None,
    key=0x2B,
    kind=Kind.IMAGE,
    upnp_class="object.item.imageItem.photo",
    mime_type="image/jpeg",
    dlna_profile="JPEG_LRG",
    file_name="IMG_0001.JPG",
    size=2_000_000,
    modified=1_000_000_000,
    added=1_000_000_000,
    title="Beach",
    date="2004-05-06T07:08:09",
    width=4000,
    height=3000,
    color_depth=24,
)
FILM = Item(
    object_id=ObjectID("i0000000003"),
    parent_id=ObjectID("f0000000001"),
    ref_id=None,
    key=0x2C,
    kind=Kind.VIDEO,
    upnp_class="object.item.videoItem",
    mime_type="video/mp4",
    dlna_profile="AVC_MP4_MP_SD_AAC_MULT5",
    file_name="Film.mp4",
    size=6_000_000_000,
    modified=1_000_000_000,
    added=1_000_000_000,
    title="Film",
    duration_ms=5_400_000,
    bitrate=8_888_888,
    sample_rate=48000,
    channels=6,
    width=720,
    height=576,
)
ALBUM = Container(
    object_id=ObjectID("vml00000a"),
    parent_id=ObjectID("vml"),
    title="Day Lines",
    upnp_class="object.container.album.musicAlbum",
    child_count=12,
    update_id=7,
    artists=("Ann",),
    genres=("Jazz",),
    date="2004",
    art=COVER,
)
FOLDER = Container(
    object_id=ObjectID("f0000000001"),
    parent_id=ObjectID("0"),
    title="Folder",
    upnp_class="object.container.storageFolder",
    child_count=3,
    update_id=5,
)
ROOT = Container(
    object_id=ObjectID("0"),
    parent_id=ObjectID("-1"),
    title="Root",
    upnp_class="object.container",
    child_count=1,
    update_id=9,
)


def reference(item: Item, container: str) -> Item:
    """An item as it appears in a container of a view."""
    return replace(
        item,
        object_id=ObjectID(container + item.object_id),
        parent_id=ObjectID(container),
        ref_id=item.object_id,
    )


class FakeLibrary:
    """Objects in memory. Counts the questions it was asked in ``questions``."""

    def __init__(self, *objects: Object, system_update_id: int = 9) -> None:
        self.objects: dict[str, Object] = {each.object_id: each for each in objects}
        self.system_update_id = system_update_id
        self.questions = 0

    async def metadata(self, object_id: str) -> Page:
        self.questions += 1
        found = self._get(object_id)
        return Page([found], 1, self._update_id(found))

    async def children(
        self, object_id: str, *, start: int, count: int, sort: Sequence[SortKey]
    ) -> Page:
        self.questions += 1
        container = self._container(object_id)
        children = [each for each in self.objects.values() if each.parent_id == object_id]
        return self._page(children, container, start, count, sort)

    async def search(
        self,
        container_id: str,
        criteria: Criteria,
        *,
        start: int,
        count: int,
        sort: Sequence[SortKey],
    ) -> Page:
        self.questions += 1
        container = self._container(container_id)
        found = [
            each
            for each in self.objects.values()
            if self._is_below(each, container_id) and _matches(each, criteria)
        ]
        return self._page(found, container, start, count, sort)

    def _page(
        self,
        found: list[Object],
        container: Container,
        start: int,
        count: int,
        sort: Sequence[SortKey],
    ) -> Page:
        for key in reversed(sort):
            if key.property != "dc:title":
                raise UnsupportedSort(key.property)
            found = sorted(found, key=lambda each: each.title, reverse=not key.ascending)
        stop = start + count if count else len(found)
        return Page(found[start:stop], len(found), self._update_id(container))

    def _get(self, object_id: str) -> Object:
        if object_id not in self.objects:
            raise NoSuchObject(object_id)
        return self.objects[object_id]

    def _container(self, object_id: str) -> Container:
        found = self._get(object_id)
        if not isinstance(found, Container):
            raise NotAContainer(object_id)
        return found

    def _update_id(self, each: Object) -> int:
        return (
            each.update_id
            if isinstance(each, Container)
            else self._update_id(self._get(each.parent_id))
        )

    def _is_below(self, each: Object, container_id: str) -> bool:
        while each.parent_id in self.objects:
            if each.parent_id == container_id:
                return True
            each = self.objects[each.parent_id]
        return False


def _matches(each: Object, criteria: Criteria) -> bool:
    match criteria:
        case Everything():
            return True
        case And(terms):
            return all(_matches(each, term) for term in terms)
        case Or(terms):
            return any(_matches(each, term) for term in terms)
        case Exists("@refID", wanted):
            return (isinstance(each, Item) and each.ref_id is not None) == wanted
        case Compare("dc:title", Operator.CONTAINS, value):
            return value.lower() in each.title.lower()
        case Compare("upnp:class", Operator.DERIVED_FROM, value):
            return f"{each.upnp_class}.".startswith(f"{value}.")
    raise UnsupportedCriteria(str(criteria))


def asked(
    service_type: str = "urn:schemas-upnp-org:service:ContentDirectory:1",
    profile: ClientProfile = UNKNOWN,
) -> ActionRequest:
    return ActionRequest(BASE_URL, profile, service_type)


# ---- reading answers


def bytes_of(result: str | bytes) -> bytes:
    """A result as it goes into the answer."""
    return result.encode() if isinstance(result, str) else result


def objects_of(result: str | bytes) -> list[Any]:
    """The objects of a Result as it stands in the SOAP answer: unpacked as a control point does."""
    inner = etree.fromstring(b"<Result>%b</Result>" % bytes_of(result)).text
    assert inner is not None
    document = etree.fromstring(inner.encode())
    assert document.tag == f"{{{DIDL}}}DIDL-Lite"
    return list(document)


def prefixed(name: str) -> str:
    """``{http://purl.org/dc/elements/1.1/}title`` as ``dc:title``."""
    if not name.startswith("{"):
        return name
    uri, _, local = name[1:].partition("}")
    return _PREFIXES[uri] + local


def texts(element: Any, path: str) -> list[str]:
    """Texts of the elements (or values of the attributes) at an XPath."""
    found: Iterable[Any] = element.xpath(path, namespaces=NAMES)
    return [str(each) if isinstance(each, str) else (each.text or "") for each in found]
