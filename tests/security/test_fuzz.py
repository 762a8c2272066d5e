"""Arbitrary bytes at every reader of something from the network: refused or read, in no time.

Each reader has a border: the errors that it documents. Anything else that gets out would be an
answer 500 at best. The readers themselves have more particular tests beside their modules.
"""

import asyncio
import re
import signal
import string
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mediaserver import dlna, urls
from mediaserver.av.filter import parse as parse_filter
from mediaserver.av.search_criteria import parse as parse_search_criteria
from mediaserver.av.sort_criteria import parse as parse_sort_criteria
from mediaserver.delivery.ranges import NotSatisfiable, select
from mediaserver.library import object_ids
from mediaserver.server.admission import Admission
from mediaserver.server.heads import BadHead, write_head
from mediaserver.upnp import gena, soap, ssdp
from mediaserver.upnp.errors import ActionError
from tests.http_server import connected, echo, serving
from tests.security.wire import responses

FAST = settings(deadline=500, max_examples=300)
"""No text of these lengths may take half a second."""

LATIN = st.text(st.characters(max_codepoint=255), max_size=300)


def words(*known: str) -> st.SearchStrategy[str]:
    """Texts that are made of what a reader looks for, and of anything else."""
    return st.lists(st.sampled_from(known) | LATIN, max_size=30).map("".join)


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """A loop without end is ended, and fails."""

    def late(number: int, frame: object) -> None:
        raise AssertionError("it takes too long")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def code_of(read: Callable[[], object]) -> int | None:
    """The error code that a reader of an argument gives; None if it takes it."""
    try:
        read()
    except ActionError as error:
        return error.code
    return None


@FAST
@given(
    st.sampled_from([b"", b"M-SEARCH * HTTP/1.1\r\n", b"NOTIFY * HTTP/1.1\r\n"]),
    st.lists(
        st.sampled_from(
            [
                b'MAN: "ssdp:discover"\r\n',
                b"MX: 3\r\n",
                b"ST: ssdp:all\r\n",
                b"NTS: ssdp:alive\r\n",
                b"NT: upnp:rootdevice\r\n",
                b"USN: uuid:1\r\n",
                b"\r\n",
                b":\r\n",
                b" ",
                b"\0",
            ]
        )
        | st.binary(max_size=200),
        max_size=20,
    ),
    st.booleans(),
)
def test_ssdp(start: bytes, parts: list[bytes], multicast: bool) -> None:
    data = start + b"".join(parts)
    search = ssdp.read_search(data, multicast=multicast)
    assert search is None or search.mx is None or 0 <= search.mx <= 5
    ssdp.read_advertisement(data)
    ssdp.read_response(data)


@FAST
@given(
    st.lists(
        st.sampled_from(
            [
                b"<?xml version='1.0'?>",
                b"<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'>",
                b"<s:Body>",
                b"<u:Browse xmlns:u='urn:schemas-upnp-org:service:ContentDirectory:1'>",
                b"<ObjectID>0</ObjectID>",
                b"</u:Browse>",
                b"</s:Body>",
                b"</s:Envelope>",
                b"<![CDATA[",
                b"]]>",
                b"<!--",
                b"<!DOCTYPE x [<!ENTITY e 'x'>]>",
                b"&e;",
                b"&#0;",
                b"\xff\xfe",
                b"\0",
            ]
        )
        | st.binary(max_size=50),
        max_size=30,
    ),
    LATIN,
    LATIN,
)
def test_soap(parts: list[bytes], action: str, content_type: str) -> None:
    browse = '"urn:schemas-upnp-org:service:ContentDirectory:1#Browse"'
    for soap_action, announced in ((browse, content_type), (action, "")):
        with suppress(soap.RequestRefused, ActionError):
            soap.read_call(b"".join(parts), soap_action, announced)


@FAST
@given(
    words("<http://", "127.0.0.1", ":80", "/", ">", "@", "[::1]", "%", "//", "\\", "0x7f"),
    st.sampled_from(["127.0.0.1", "192.0.2.1", "::1", "fe80::1"]),
)
@example("<http://127.0.0.1:80/" + "a" * 3000 + ">", "127.0.0.1")
@example("<" * 5000, "127.0.0.1")
def test_callbacks(text: str, peer: str) -> None:
    try:
        found = gena.read_callbacks(text, gena.CallbackPolicy(ip_address(peer)))
    except gena.SubscriptionRefused:
        return
    assert {str(callback.address) for callback in found} == {peer}


OURS = {"127.0.0.1", "[::1]", "localhost", "nas", "nas.local"}


@FAST
@given(words(*OURS, ":8200", ":80", ":", "%", "[", "]", "@", ",", " ", ".", "0", "evil.example"))
@example("127.0.0.1:" + "0" * 5000)
@example("[" + ":" * 5000 + "]")
def test_hosts(text: str) -> None:
    """Whatever stands in Host, it is us in full or not at all (security.md N1)."""
    admission = Admission(hostname="nas")
    admission.set_interfaces(map(ip_address, ("127.0.0.1", "::1")), [])
    if admission.is_ours(text.encode("latin-1"), 8200):
        name = text.lower().removesuffix(":8200").removesuffix(".")
        assert re.sub("^\\[[0:]+:0*1(%[^]]*)?]$", "[::1]", name) in OURS


@FAST
@given(
    words(
        *("dc:title", "upnp:class", "@id", "@refID", "and", "or", "(", ")", '"', '\\"', "\\"),
        *("=", "!=", "<", ">", "contains", "derivedfrom", "exists", "true", "*", " ", "\t", "\n"),
    )
)
@example("(" * 8000)
@example('dc:title = "' + "\\" * 8000)
def test_search_criteria(text: str) -> None:
    assert code_of(lambda: parse_search_criteria(text)) in (None, 708)


@FAST
@given(words("+", "-", ",", "dc:title", "@", "res@size", " ", "upnp:"))
def test_sort_criteria_and_filter(text: str) -> None:
    assert code_of(lambda: parse_sort_criteria(text)) in (None, 709)
    assert code_of(lambda: parse_filter(text)) in (None, 402)


@FAST
@given(
    words("bytes", "=", "-", ",", "0", "1", "99", " ", "\t", "9" * 30, "²"), st.integers(0, 2**63)
)
@example("bytes=" + "0-," * 3000, 10)
@example("bytes=" + " " * 8000, 10)
def test_ranges(text: str, size: int) -> None:
    try:
        spans = select(text, size)
    except NotSatisfiable:
        return
    for span in spans:
        assert 0 <= span.start < span.stop <= size


NAMES = (
    "timeseekrange.dlna.org",
    "playspeed.dlna.org",
    "transfermode.dlna.org",
    "getcontentfeatures.dlna.org",
    "getavailableseekrange.dlna.org",
    "realtimeinfo.dlna.org",
    "range",
)


@FAST
@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        words(
            "npt=", "bytes=", "-", ":", ".", "0", "59", "1", "speed=", "/", "Streaming", "*", "٣"
        ),
    ),
    st.sampled_from(["audio", "video", "image"]),
)
def test_dlna_headers(headers: dict[str, str], kind: str) -> None:
    with suppress(dlna.Refused):
        dlna.read_request(headers, kind)


@FAST
@given(words("/media/", "/art/", "/image/", "0", "f", "-", ".jpg", "JPEG_TN", "\n", "١", "%", ".."))
def test_paths(path: str) -> None:
    for parse in (urls.parse_media, urls.parse_art, urls.parse_image):
        found = parse(path)
        if found is not None:
            key = found if isinstance(found, int) else found[0]
            assert 0 <= key < 2**64
            assert set(path) <= set(string.ascii_letters + string.digits + "/-._")


@FAST
@given(words("0", "v", "f", "i", "ma", "$", "-", ":", "\n", "١", "ff", "g"))
def test_object_ids(text: str) -> None:
    parsed = object_ids.parse(text)
    assert parsed is None or set(text) <= set(string.ascii_lowercase + string.digits + "$-:.")


@FAST
@given(
    st.lists(st.tuples(st.binary(min_size=1, max_size=20), st.binary(max_size=40)), max_size=5),
    st.sampled_from([200, 204, 304, 404, 500]),
    st.sampled_from(["GET", "HEAD", "POST"]),
)
def test_heads_that_are_written(
    headers: list[tuple[bytes, bytes]], status: int, method: str
) -> None:
    """N17: one head, whatever an application puts into it, or none."""
    try:
        head = write_head(
            status,
            headers,
            method=method,
            http_1_1=True,
            keep_alive=True,
            date=b"Date: x\r\n",
            server=b"Server: y\r\n",
        )
    except BadHead:
        return
    assert head.data.count(b"\r\n\r\n") == 1
    assert head.data.endswith(b"\r\n\r\n")
    assert b"\0" not in head.data


PIECES = (
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    b"GET /x HTTP/1.1\r\n",
    b"POST /x HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    b"Content-Length: 5\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    b"Expect: 100-continue\r\n",
    b"Host: 127.0.0.1\r\n",
    b"\r\n",
    b"hello",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"\n",
    b"\0",
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=60), max_size=12), st.booleans())
def test_connections(pieces: list[bytes], at_once: bool) -> None:
    """The real protocol class: whole answers, and the end of the connection, for any bytes."""
    with at_most(30):
        asyncio.run(_exchange(pieces, at_once=at_once))


async def _exchange(pieces: list[bytes], *, at_once: bool) -> None:
    async with serving(echo) as server, connected(server) as client:
        try:
            if at_once:
                await client.send(b"".join(pieces))
            else:
                for piece in pieces:
                    await client.send(piece)
                    await asyncio.sleep(0)
            client.writer.write_eof()
        except OSError:
            pass
        data = await client.rest()
        for answer in responses(data.replace(b"HTTP/1.1 100 Continue\r\n\r\n", b"")):
            assert answer.status in {200, 400, 405, 408, 413, 414, 415, 417, 421, 431, 501, 505}


def _forever() -> None:
    while True:
        pass


def test_an_endless_loop_would_be_noticed() -> None:
    with pytest.raises(AssertionError, match="too long"), at_most(1):
        _forever()
