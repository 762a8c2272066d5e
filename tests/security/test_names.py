"""M1, M2, M8, S3: whatever files and tags are called, all is listed, well-formed and fetched."""

import os
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from lxml import etree

from tests.security.conftest import Besieged
from tests.security.hostile import CANARY, VALUES
from tests.security.wire import Response, ask, everything, search

pytestmark = pytest.mark.end_to_end

XML_CHARACTERS = (
    {0x9, 0xA, 0xD}
    | set(range(0x20, 0xD800))
    | set(range(0xE000, 0xFFFE))
    | set(range(0x10000, 0x110000))
)
"""XML 1.0 §2.2, Char."""


def strictly(response: Response) -> None:
    """Fails unless two parsers, of libxml2 and expat, take the answer and the Result in it."""
    assert response.headers["content-type"] == 'text/xml; charset="utf-8"'
    response.body.decode("utf-8")  # without surrogates
    result = etree.fromstring(response.body).findtext(".//Result")
    assert result is not None
    assert ElementTree.fromstring(response.body).findtext(".//Result") == result  # noqa: S314 - ours
    assert set(map(ord, result)) <= XML_CHARACTERS
    etree.fromstring(result.encode())
    ElementTree.fromstring(result.encode())  # noqa: S314


def test_every_answer_is_xml_and_every_file_is_listed_and_streams_byte_for_byte(
    besieged: Besieged,
) -> None:
    found = everything(besieged.program, strictly)

    streams = set()
    for each in found.values():
        resource = each.find("{*}res")
        if resource is not None:
            streams.add(urlsplit(str(resource.text)).path)
    contents = [ask(besieged.program, path).body for path in sorted(streams)]
    assert sorted(contents) == sorted(besieged.served.values())


def test_every_text_of_a_tag_is_1_kib_at_most(besieged: Besieged) -> None:
    """security.md 2; DLNA allows less for most properties."""
    assert max(map(len, VALUES)) > 10_000  # or it would prove nothing

    found = everything(besieged.program, strictly)

    texts = [each.text or "" for item in found.values() for each in item.iter()]
    texts += [str(value) for item in found.values() for value in item.attrib.values()]
    assert max(len(text.encode()) for text in texts) <= 1024


def test_every_object_is_found_by_the_title_that_it_has(besieged: Besieged) -> None:
    """What is shown can be typed in again, whatever it consists of."""
    found = everything(besieged.program, strictly)
    items = [each for each in found.values() if each.get("refID") is None]
    titles = {str(each.findtext("{*}title")) for each in items if str(each.tag).endswith("}item")}
    assert titles

    for title in sorted(titles):
        quoted = title.replace("\\", "\\\\").replace('"', '\\"')
        answer = search(besieged.program, SearchCriteria=f'dc:title = "{quoted}"')
        strictly(answer)
        assert b"&lt;item " in answer.body, title


def test_what_is_hidden_or_no_media_or_elsewhere_is_in_no_answer(besieged: Besieged) -> None:
    seen: list[bytes] = []

    everything(besieged.program, lambda answer: seen.append(answer.body))

    for name in (b"hidden", b"private", b"notes", b"page", b"drawing", b"link", b"passwords"):
        assert not any(name in answer for answer in seen), name
    for name in (b"fifo", b"socket", b"loop", b"secret"):
        assert not any(name in answer for answer in seen), name


@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/description.xml"])
def test_pages_and_documents_show_nothing_of_the_disk(besieged: Besieged, path: str) -> None:
    answer = ask(besieged.program, path, "X-Forwarded-For: 192.0.2.1")

    assert answer.status == 200
    assert CANARY not in answer.body
    assert os.fsencode(besieged.root) not in answer.body
    assert b"<Besieged>" not in answer.body
