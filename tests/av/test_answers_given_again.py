"""What ContentDirectory answered is given again: to the same question, until the library changes.

Asked over its control URL, since it is there that answers are kept.
"""

from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from lxml import etree
from starlette.routing import Router

from mediaserver.av.content_directory import ContentDirectory
from mediaserver.clients import UNKNOWN, ClientProfile
from mediaserver.library.objects import Page
from mediaserver.upnp import control
from tests.av.library_fake import FILM, FOLDER, PHOTO, ROOT, TRACK, FakeLibrary, texts

TYPE = "urn:schemas-upnp-org:service:ContentDirectory:1"
BROWSE = {
    "ObjectID": "f0000000001",
    "BrowseFlag": "BrowseDirectChildren",
    "Filter": "*",
    "StartingIndex": "0",
    "RequestedCount": "0",
    "SortCriteria": "",
}
SEARCH = {
    "ContainerID": "f0000000001",
    "SearchCriteria": "",
    "Filter": "*",
    "StartingIndex": "0",
    "RequestedCount": "0",
    "SortCriteria": "",
}


class ControlPoint:
    """Asks; ``profile`` is what it is taken for."""

    def __init__(self, library: FakeLibrary) -> None:
        self.profile = UNKNOWN
        service = ContentDirectory(
            library, search_capabilities=(), sort_capabilities=("dc:title",)
        ).service
        app = Router([control.route("/", service, server="x", profile_of=lambda *_: self.profile)])
        self._transport = httpx.ASGITransport(app)

    async def ask(self, action: str, arguments: dict[str, str]) -> str:
        """The Result."""
        fields = "".join(f"<{name}>{value}</{name}>" for name, value in arguments.items())
        body = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<u:{action} xmlns:u="{TYPE}">{fields}</u:{action}></s:Body></s:Envelope>'
        )
        async with httpx.AsyncClient(transport=self._transport) as client:
            answer = await client.post(
                "http://192.0.2.5:8200/", content=body, headers={"SOAPACTION": f"{TYPE}#{action}"}
            )
        assert answer.status_code == 200, answer.text
        return etree.fromstring(answer.content).findtext(".//Result") or ""


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary(ROOT, FOLDER, TRACK, PHOTO, FILM, system_update_id=9)


def titles(result: str) -> list[str]:
    return [
        title for each in etree.fromstring(result.encode()) for title in texts(each, "dc:title")
    ]


async def test_the_same_question_is_not_asked_twice(library: FakeLibrary) -> None:
    control_point = ControlPoint(library)
    first = await control_point.ask("Browse", BROWSE)
    assert await control_point.ask("Browse", BROWSE) == first
    assert library.questions == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"ObjectID": "0"},
        {"BrowseFlag": "BrowseMetadata"},
        {"Filter": ""},
        {"StartingIndex": "1"},
        {"RequestedCount": "1"},
        {"SortCriteria": "-dc:title"},
    ],
)
async def test_another_question_gets_another_answer(
    library: FakeLibrary, changes: dict[str, str]
) -> None:
    control_point = ControlPoint(library)
    first = await control_point.ask("Browse", BROWSE)
    assert await control_point.ask("Browse", BROWSE | changes) != first


async def test_another_device_gets_another_answer(library: FakeLibrary) -> None:
    control_point = ControlPoint(library)
    await control_point.ask("Browse", BROWSE)
    control_point.profile = ClientProfile(title_characters={"S": "Z"})
    assert titles(await control_point.ask("Browse", BROWSE))[0] == "Zong"


async def test_browse_and_search_do_not_get_each_others_answers(library: FakeLibrary) -> None:
    control_point = ControlPoint(library)
    browsed = await control_point.ask("Browse", BROWSE)
    assert await control_point.ask("Search", SEARCH) == browsed
    assert library.questions == 2


def retitle(library: FakeLibrary) -> None:
    library.objects[TRACK.object_id] = replace(TRACK, title="Changed")
    library.system_update_id += 1


async def test_a_change_is_seen_at_once(library: FakeLibrary) -> None:
    control_point = ControlPoint(library)
    await control_point.ask("Browse", BROWSE)
    retitle(library)
    assert titles(await control_point.ask("Browse", BROWSE))[0] == "Changed"


class Overtaken(FakeLibrary):
    """The library changes when it has been asked, before it is known what is answered."""

    overtake: Callable[[FakeLibrary], None] | None = None

    async def metadata(self, object_id: str) -> Page:
        page = await super().metadata(object_id)
        if self.overtake is not None:
            self.overtake(self)
        return page


async def test_an_answer_that_a_change_overtook_is_not_kept() -> None:
    library = Overtaken(ROOT, FOLDER, TRACK)
    library.overtake = retitle
    control_point = ControlPoint(library)
    question = BROWSE | {"ObjectID": TRACK.object_id, "BrowseFlag": "BrowseMetadata"}
    assert titles(await control_point.ask("Browse", question)) == ["Song"]
    library.overtake = None
    assert titles(await control_point.ask("Browse", question)) == ["Changed"]
