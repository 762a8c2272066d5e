"""What the Device Architecture asks of a device as an HTTP server (description-soap-gena 1 and 2),
of the running program, in the octets that go over the network."""

import email.utils
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO

import pytest
from lxml import etree
from PIL import Image

from tests.control_point import DEVICE, DIDL, ControlPoint
from tests.end_to_end.program import Program
from tests.make_media import settle, sound

pytestmark = pytest.mark.end_to_end

DLNA = "{urn:schemas-dlna-org:device-1-0}"
CONTROL_PATH = "/service/ContentDirectory/control"
SOAP = (
    b'<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
    b'<s:Body><u:GetSystemUpdateID xmlns:u="urn:schemas-upnp-org:service:ContentDirectory:1"/>'
    b"</s:Body></s:Envelope>"
)
ACTION = (
    b'SOAPACTION: "urn:schemas-upnp-org:service:ContentDirectory:1#GetSystemUpdateID"\r\n'
    b'Content-Type: text/xml; charset="utf-8"\r\n'
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    root = tmp_path_factory.mktemp("Media")
    sound(root / "song.flac", seconds=1)
    with Program(settle(root), home=tmp_path_factory.mktemp("home")) as running:
        running.wait_until_scanned(items=1)
        yield running


@pytest.fixture
def point(program: Program) -> Iterator[ControlPoint]:
    point = ControlPoint(f"{program.url}description.xml")
    yield point
    point.close()


@dataclass(frozen=True)
class Raw:
    status_line: str
    headers: dict[str, str]
    """By name as it was spelled."""
    body: bytes


def exchange(program: Program, request: bytes) -> Raw:
    """The answer to the octets of a request; reads until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", program.port), 30) as sock:
        sock.sendall(request.replace(b"HOST", b"127.0.0.1:%d" % program.port))
        with sock.makefile("rb") as file:
            head, _, body = file.read().partition(b"\r\n\r\n")
    status_line, *lines = head.decode("ascii").split("\r\n")
    parts = (line.partition(":") for line in lines)
    return Raw(status_line, {name: value.strip() for name, _, value in parts}, body)


def media_url(point: ControlPoint) -> str:
    [item] = point.search("0", 'upnp:class derivedfrom "object.item"').objects
    url: str = item.findtext(f"{DIDL}res")
    return url


def test_1_every_answer_names_server_and_date(program: Program, point: ControlPoint) -> None:
    """Clause 1: one SERVER string, the one of SSDP, with UPnP and DLNADOC; DATE."""
    media = media_url(point).removeprefix(program.url.rstrip("/"))
    servers = set()
    for line in (
        "GET /description.xml",
        "GET /service/ContentDirectory/scpd.xml",
        "GET /icon/icon-48.png",
        f"GET {media}",
        "GET /",
        "GET /nothing/here",
        "SUBSCRIBE /service/ContentDirectory/event",
        f"POST {CONTROL_PATH}",
        f"DELETE {media}",
    ):
        answer = exchange(
            program, f"{line} HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n".encode()
        )
        headers = {name.lower(): value for name, value in answer.headers.items()}
        servers.add(headers["server"])
        assert email.utils.parsedate_to_datetime(headers["date"]).tzinfo is not None, line
    [server] = servers
    assert re.fullmatch(r"\S+/\S+ UPnP/1\.0 DLNADOC/1\.50 mediaserver/\S+", server)


def test_1_http_1_0_is_answered_with_http_1_1_and_the_end_of_the_connection(
    program: Program,
) -> None:
    """Clause 1 (DLNA 7.5.4.3.2.7.2); no Host is needed then, nothing is chunked."""
    answer = exchange(program, b"GET /description.xml HTTP/1.0\r\n\r\n")
    assert answer.status_line == "HTTP/1.1 200 OK"
    headers = {name.lower(): value for name, value in answer.headers.items()}
    assert headers["connection"] == "close"
    assert "transfer-encoding" not in headers
    assert int(headers["content-length"]) == len(answer.body)


def test_1_http_1_1_without_host_is_400(program: Program) -> None:
    answer = exchange(program, b"GET /description.xml HTTP/1.1\r\n\r\n")
    assert answer.status_line.startswith("HTTP/1.1 400 ")


def test_1_the_host_of_somebody_else_is_refused(program: Program) -> None:
    """Clause 1: it keeps scripts of web pages out, whose names were made to lead here."""
    answer = exchange(program, b"GET /description.xml HTTP/1.1\r\nHost: attacker.example\r\n\r\n")
    assert answer.status_line.split()[1] in ("400", "421")
    assert b"<root" not in answer.body


@pytest.mark.parametrize("port", [b"", b":PORT"], ids=["without port", "with port"])
def test_1_our_address_is_taken_with_and_without_port(port: bytes, program: Program) -> None:
    host = b"127.0.0.1" + port.replace(b"PORT", b"%d" % program.port)
    answer = exchange(
        program, b"GET /description.xml HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n\r\n" % host
    )
    assert answer.status_line == "HTTP/1.1 200 OK"


def test_1_absolute_targets_are_understood(program: Program) -> None:
    answer = exchange(
        program,
        b"GET http://HOST/description.xml HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n",
    )
    assert answer.status_line == "HTTP/1.1 200 OK"


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_1_a_control_request_may_have_a_length(version: bytes, program: Program) -> None:
    answer = exchange(
        program,
        b"POST %b HTTP/%b\r\nHost: HOST\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n%b"
        % (CONTROL_PATH.encode(), version, ACTION, len(SOAP), SOAP),
    )
    assert answer.status_line == "HTTP/1.1 200 OK"
    assert b"<Id>" in answer.body


def test_1_a_control_request_may_be_chunked(program: Program) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (SOAP[:50], SOAP[50:]))
    answer = exchange(
        program,
        b"POST %b HTTP/1.1\r\nHost: HOST\r\n%bTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n%b0\r\n\r\n" % (CONTROL_PATH.encode(), ACTION, chunks),
    )
    assert answer.status_line == "HTTP/1.1 200 OK"
    # Some control points cannot read chunks.
    assert int(answer.headers["CONTENT-LENGTH"]) == len(answer.body)


def test_1_requests_on_one_connection_are_answered_in_their_order(program: Program) -> None:
    """Clause 1, HTTP/1.1: without waiting for answers (RFC 9112 §9.3.2), SOAP among them."""
    action = b"POST %b HTTP/1.1\r\nHost: HOST\r\n%bContent-Length: %d\r\n\r\n%b" % (
        CONTROL_PATH.encode(), ACTION, len(SOAP), SOAP,
    )  # fmt: skip
    head = b"HEAD /description.xml HTTP/1.1\r\nHost: HOST\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
    answer = exchange(program, action + head + action + last)
    everything = answer.status_line.encode() + answer.body
    assert re.findall(rb"HTTP/1\.1 (\d+)|(<Id>)", everything) == [
        (b"200", b""), (b"", b"<Id>"), (b"200", b""), (b"200", b""), (b"", b"<Id>"), (b"404", b""),
    ]  # fmt: skip


def test_uda_1_0_3_2_m_post_is_501_since_post_always_works(program: Program) -> None:
    """UDA 1.0 §3.2.1: 501 or 510 of a device without; its control point has tried POST before."""
    answer = exchange(
        program,
        b"M-POST %b HTTP/1.1\r\nHost: HOST\r\n"
        b'MAN: "http://schemas.xmlsoap.org/soap/envelope/"; ns=01\r\n'
        b"01-%bContent-Length: %d\r\n\r\n%b" % (CONTROL_PATH.encode(), ACTION, len(SOAP), SOAP),
    )
    assert answer.status_line == "HTTP/1.1 501 Not Implemented"
    assert b"<Id>" not in answer.body


def test_uda_1_0_3_3_variables_of_the_content_directory_can_be_queried(
    program: Program, point: ControlPoint
) -> None:
    """The value that the action gives, whether the variable is evented or not."""
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<u:QueryStateVariable xmlns:u="urn:schemas-upnp-org:control-1-0">'
        "<u:varName>{}</u:varName></u:QueryStateVariable></s:Body></s:Envelope>"
    )
    action = '"urn:schemas-upnp-org:control-1-0#QueryStateVariable"'
    for name, value in (
        *point.call("ContentDirectory", "GetSearchCapabilities").items(),
        *point.call("ContentDirectory", "GetSortCapabilities").items(),
        *point.call("ContentDirectory", "GetSystemUpdateID").items(),
    ):
        variable = {
            "SearchCaps": "SearchCapabilities", "SortCaps": "SortCapabilities",
            "Id": "SystemUpdateID",
        }[name]  # fmt: skip
        answer = point.request(
            CONTROL_PATH,
            "POST",
            {"Content-Type": 'text/xml; charset="utf-8"', "SOAPACTION": action},
            body.format(variable).encode(),
        )
        assert answer.status == 200
        assert etree.fromstring(answer.body).findtext(".//return") == value


@pytest.mark.parametrize("asked", [b"", b"Accept-Language: de\r\n"], ids=["not asked", "asked"])
def test_1_a_language_is_told_to_who_asked_for_one(asked: bytes, program: Program) -> None:
    """UDA 1.1 §2.11 and §5: if and only if."""
    for line in (b"GET /description.xml", b"GET /", b"POST " + CONTROL_PATH.encode()):
        body = SOAP if line.startswith(b"POST") else b""
        answer = exchange(
            program,
            b"%b HTTP/1.1\r\nHost: HOST\r\n%b%bContent-Length: %d\r\nConnection: close\r\n\r\n%b"
            % (line, asked, ACTION, len(body), body),
        )
        assert answer.status_line == "HTTP/1.1 200 OK"
        names = {name.lower() for name in answer.headers}
        assert ("content-language" in names) == bool(asked)


def test_1_documents_are_utf_8_and_never_compressed(program: Program) -> None:
    for path in (b"/description.xml", b"/service/ConnectionManager/scpd.xml"):
        answer = exchange(
            program,
            b"GET %b HTTP/1.1\r\nHost: HOST\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n"
            % path,
        )
        assert answer.headers["CONTENT-TYPE"] == 'text/xml; charset="utf-8"'
        assert answer.body.startswith(b"<?xml ")


def test_2_head_is_get_without_the_document(program: Program) -> None:
    for path in (b"/description.xml", b"/service/ContentDirectory/scpd.xml", b"/icon/icon-48.jpg"):
        request = b"%b %b HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n"
        got = exchange(program, request % (b"GET", path))
        head = exchange(program, request % (b"HEAD", path))
        assert head.body == b""
        assert head.headers.keys() == got.headers.keys()
        assert int(head.headers["CONTENT-LENGTH"]) == len(got.body)


def test_2_the_device_describes_itself_as_a_media_server(
    program: Program, point: ControlPoint
) -> None:
    """Clause 2: version 1 everywhere, serviceIds of the standard, URLs that work on any
    interface, no comments, DLNA 1.50."""
    root = point.description()
    device = root.find(f"{DEVICE}device")
    assert device.findtext(f"{DEVICE}deviceType") == "urn:schemas-upnp-org:device:MediaServer:1"
    assert device.findtext(f"{DEVICE}UDN") == program.udn
    assert device.findtext(f"{DLNA}X_DLNADOC") == "DMS-1.50"
    assert {each.findtext(f"{DEVICE}serviceId") for each in device.iter(f"{DEVICE}service")} == {
        "urn:upnp-org:serviceId:ContentDirectory",
        "urn:upnp-org:serviceId:ConnectionManager",
        "urn:microsoft.com:serviceId:X_MS_MediaReceiverRegistrar",
    }
    for name in ("SCPDURL", "controlURL", "eventSubURL", "presentationURL", "url"):
        urls = [each.text or "" for each in device.iter(f"{DEVICE}{name}")]
        assert urls
        assert all(url.startswith("/") for url in urls)
    assert not [each for each in root.iter() if each.tag is etree.Comment]


def test_2_icons_are_the_four_of_dlna_and_as_described(point: ControlPoint) -> None:
    """Clause 2, "Icons": PNG and JPEG, 48 and 120 pixels, 24 bits."""
    found = set()
    for icon in point.description().iter(f"{DEVICE}icon"):
        answer = point.request(icon.findtext(f"{DEVICE}url"))
        mime_type = icon.findtext(f"{DEVICE}mimetype")
        assert (answer.status, answer.headers["content-type"]) == (200, mime_type)
        width, height, depth = (
            int(icon.findtext(f"{DEVICE}{name}")) for name in ("width", "height", "depth")
        )
        with Image.open(BytesIO(answer.body)) as image:
            assert image.size == (width, height)
            assert len(image.getbands()) * 8 == depth
        found.add((mime_type, width))
    assert found >= {
        ("image/png", 48),
        ("image/png", 120),
        ("image/jpeg", 48),
        ("image/jpeg", 120),
    }


def test_4_answers_of_control_have_the_headers_of_the_table(program: Program) -> None:
    """Clause 4: EXT without value, on success and on faults alike."""
    for body, status in ((SOAP, "200 OK"), (SOAP.replace(b"GetSystem", b"GetOther"), "500")):
        answer = exchange(
            program,
            b"POST %b HTTP/1.1\r\nHost: HOST\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n%b"
            % (
                CONTROL_PATH.encode(),
                ACTION.replace(b"GetSystem", b"GetOther") if status == "500" else ACTION,
                len(body),
                body,
            ),
        )
        assert answer.status_line.startswith(f"HTTP/1.1 {status}")
        assert answer.headers["EXT"] == ""
        assert answer.headers["CONTENT-TYPE"] == 'text/xml; charset="utf-8"'
        assert int(answer.headers["CONTENT-LENGTH"]) == len(answer.body)
