"""Control requests as bytes: what is understood, what is refused, what goes back."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from mediaserver.upnp import soap
from mediaserver.upnp.data_types import Escaped, EscapedUTF8
from mediaserver.upnp.errors import ActionError, InvalidArgs
from mediaserver.upnp.headers import RequestHeaders
from mediaserver.upnp.soap import Call, RequestRefused, read_call
from tests.upnp.switch import TYPE, action_headers, envelope

RECORDINGS = Path(__file__).parents[1] / "recordings"
CONTENT_DIRECTORY = "urn:schemas-upnp-org:service:ContentDirectory:1"


def headers(values: Mapping[str, str]) -> RequestHeaders:
    return RequestHeaders(
        [(name.lower().encode(), value.encode("latin-1")) for name, value in values.items()]
    )


def read(body: bytes, action: str = "SetTarget", **more: str) -> Call:
    return read_request(body, headers({**action_headers(action), **more}))


def read_request(body: bytes, fields: RequestHeaders) -> Call:
    return read_call(body, fields.get("soapaction", ""), fields.get("content-type", ""))


def refused(body: bytes, action: str = "SetTarget", **more: str) -> int:
    with pytest.raises(RequestRefused) as caught:
        read(body, action, **more)
    return caught.value.status


def parse_recording(path: Path) -> tuple[RequestHeaders, bytes]:
    head, _, body = path.read_bytes().partition(b"\r\n\r\n")
    fields = [line.split(b":", 1) for line in head.split(b"\r\n")[1:]]
    return RequestHeaders([(name.lower(), value.strip()) for name, value in fields]), body


# What is understood


def test_an_action_is_read_with_its_arguments() -> None:
    body = envelope("SetTarget", "<newTargetValue>1</newTargetValue><Note>a b</Note>")
    assert read(body) == Call(TYPE, "SetTarget", {"newTargetValue": "1", "Note": "a b"})


@pytest.mark.parametrize("path", sorted(RECORDINGS.rglob("*.http")), ids=lambda path: path.stem)
def test_requests_of_real_control_points_are_understood(path: Path) -> None:
    fields, body = parse_recording(path)
    assert len(body) == int(fields["content-length"])
    call = read_request(body, fields)
    assert call.action == path.stem.split("-")[1]
    if call.action == "Browse":
        assert set(call.arguments) == {
            "ObjectID",
            "BrowseFlag",
            "Filter",
            "StartingIndex",
            "RequestedCount",
            "SortCriteria",
        }
        assert call.arguments["BrowseFlag"] in ("BrowseMetadata", "BrowseDirectChildren")
        assert call.arguments["RequestedCount"].isdecimal()


def test_every_recorded_control_point_is_read() -> None:
    assert len({path.parent.name for path in RECORDINGS.rglob("*.http")}) >= 11


@pytest.mark.parametrize(
    ("recording", "arguments"),
    [
        (
            "net-upnp-perl/03-QueryStateVariable.http",  # the argument has a namespace
            {"varName": "SystemUpdateID"},
        ),
        (
            "async_upnp_client/32-Search.http",
            {
                "ContainerID": "0",
                "SearchCriteria": 'dc:title contains "東京"',
                "Filter": "*",
                "StartingIndex": "0",
                "RequestedCount": "0",
                "SortCriteria": "",
            },
        ),
        (
            "kodi/10-UpdateObject.http",
            {"ObjectID": "2%2415%242%241%240/", "CurrentTagValue": "", "NewTagValue": ""},
        ),
    ],
)
def test_arguments_of_real_requests_are_read_exactly(
    recording: str, arguments: dict[str, str]
) -> None:
    fields, body = parse_recording(RECORDINGS / recording)
    assert read_request(body, fields).arguments == arguments


@pytest.mark.parametrize(
    "value",
    [
        f'"{TYPE}#SetTarget"',
        f"{TYPE}#SetTarget",
        f"'{TYPE}#SetTarget'",
        f' "{TYPE}#SetTarget" ',
    ],
)
def test_soapaction_is_taken_with_and_without_quotes(value: str) -> None:
    assert read(envelope("SetTarget"), SOAPACTION=value).action == "SetTarget"


@pytest.mark.parametrize("name", ["SOAPAction", "SOAPACTION", "Soapaction", "soapaction"])
def test_soapaction_is_taken_in_any_case(name: str) -> None:
    fields = headers({name: f'"{TYPE}#SetTarget"'})
    assert read_request(envelope("SetTarget"), fields).action == "SetTarget"


@pytest.mark.parametrize(
    "body",
    [
        b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
        b'<SetTarget xmlns="%s"><newTargetValue>1</newTargetValue></SetTarget></Body></Envelope>',
        b'<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/">'
        b'<SOAP-ENV:Header><t:T xmlns:t="t">5</t:T></SOAP-ENV:Header><SOAP-ENV:Body>'
        b'<m:SetTarget xmlns:m="%s"><newTargetValue>1</newTargetValue></m:SetTarget>'
        b"</SOAP-ENV:Body></SOAP-ENV:Envelope>",
        b'\r\n<?xml version="1.0"?>\r\n<!-- hello --><s:Envelope xmlns:s="http://schemas.xmlsoap.org'
        b'/soap/envelope/">\r\n <s:Body>\r\n <?x y?><u:SetTarget xmlns:u="%s">\r\n'
        b" <newTargetValue><![CDATA[1]]></newTargetValue>\r\n</u:SetTarget></s:Body>"
        b"</s:Envelope>\r\n",
    ],
    ids=["default namespaces", "other prefixes and a header", "blanks, comments, CDATA"],
)
def test_xml_is_read_by_its_meaning(body: bytes) -> None:
    assert read(body % TYPE.encode()) == Call(TYPE, "SetTarget", {"newTargetValue": "1"})


def test_text_of_an_argument_is_kept_with_its_blanks() -> None:
    body = envelope("SetTarget", "<a> x\n y </a><b/><c></c><d>&lt;&#233;&amp;</d>")
    assert read(body).arguments == {"a": " x\n y ", "b": "", "c": "", "d": "<é&"}


def test_a_body_without_namespace_gets_the_type_of_soapaction() -> None:
    body = b"<Envelope><Body><SetTarget/></Body></Envelope>"
    assert read(body) == Call(TYPE, "SetTarget", {})


def test_the_version_in_the_body_counts() -> None:
    body = envelope("SetTarget", service_type=f"{TYPE[:-1]}2")
    assert read(body).service_type == f"{TYPE[:-1]}2"


def test_a_final_nul_is_no_part_of_the_document() -> None:
    assert read(envelope("SetTarget") + b"\0").action == "SetTarget"


TEXT = envelope("SetTarget", "<Note>Größe 東京 😀</Note>").decode()


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (TEXT.encode(), "text/xml"),
        (TEXT.encode(), "text/xml; charset=UTF-8"),
        (TEXT.encode(), ""),
        (TEXT.encode(), "application/soap+xml"),
        (TEXT.encode("utf-8-sig"), 'text/xml; charset="utf-8"'),
        (TEXT.encode("utf-16"), 'text/xml; charset="utf-16"'),
        (TEXT.replace("?>", ' encoding="UTF-16"?>').encode("utf-16"), "text/xml"),
        (TEXT.encode("utf-16-le"), "text/xml"),
        (TEXT.encode("utf-16-be"), "text/xml; charset=utf-16be"),
        (TEXT.replace("?>", ' encoding="utf-8"?>').encode(), "text/xml"),
    ],
)
def test_utf_8_and_utf_16_are_read(body: bytes, content_type: str) -> None:
    assert read(body, **{"Content-Type": content_type}).arguments["Note"] == "Größe 東京 😀"


def test_ascii_is_read_whatever_it_is_called() -> None:
    body = envelope("SetTarget", "<Note>plain</Note>").replace(b"?>", b' encoding="cp1252"?>')
    assert read(body, **{"Content-Type": "text/xml; charset=iso-8859-1"}).arguments == {
        "Note": "plain"
    }


# What is refused


@pytest.mark.parametrize(
    "value",
    ["", '""', "SetTarget", f'"{TYPE}"', f'"{TYPE}#"', "#SetTarget", '"#"', "a b#c", "\x00"],
)
def test_a_request_without_usable_soapaction_is_412(value: str) -> None:
    assert refused(envelope("SetTarget"), SOAPACTION=value) == 412


def test_a_request_without_soapaction_is_412() -> None:
    with pytest.raises(RequestRefused) as caught:
        read_call(envelope("SetTarget"), "", "text/xml")
    assert caught.value.status == 412


@pytest.mark.parametrize(
    "body",
    [
        envelope("GetTarget"),
        b"<SetTarget/>",
        b"<Envelope/>",
        b"<Envelope><Header/></Envelope>",
        b"<Envelope><Body>text</Body></Envelope>",
        b"<Envelope><Body><!-- nothing --></Body></Envelope>",
    ],
)
def test_a_body_without_the_action_of_soapaction_is_412(body: bytes) -> None:
    assert refused(body) == 412


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0",
        b"ObjectID=0",
        envelope("SetTarget")[:-1],
        envelope("SetTarget", "<a>\xe9</a>").replace("\xe9".encode(), b"\xe9"),
        envelope("SetTarget", "<a>\x00</a>"),
        envelope("SetTarget", "<a>&#0;</a>"),
        envelope("SetTarget", "<a>&#xD800;</a>"),
        envelope("SetTarget", "<a>x</a>").replace(b">x<", b">\xed\xa0\x80<"),
        envelope("SetTarget", "<a>&nbsp;</a>"),
        envelope("SetTarget", "<x:a/>"),
        envelope("SetTarget") + envelope("SetTarget"),
        b"\xff\xfe<\0a",
        "<a/>".encode("utf-32"),
    ],
)
def test_what_is_not_xml_in_utf_8_is_400(body: bytes) -> None:
    assert refused(body) == 400


def test_another_encoding_that_is_made_use_of_is_400() -> None:
    body = envelope("SetTarget", "<a>é</a>").decode().encode("latin-1")
    assert refused(body, **{"Content-Type": "text/xml; charset=iso-8859-1"}) == 400


DOCTYPES = [
    "<!DOCTYPE s:Envelope>",
    '<!DOCTYPE x [<!ENTITY e "1">]>',
    '<!DOCTYPE x SYSTEM "http://192.0.2.9/x.dtd">',
    '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>',
    '<!DOCTYPE x [<!ENTITY % e SYSTEM "file:///etc/passwd">%e;]>',
]


@pytest.mark.parametrize("doctype", DOCTYPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_doctype_is_400_in_every_encoding(doctype: str, encoding: str) -> None:
    text = envelope("SetTarget", "<a>1</a>").decode().replace("?>", f"?>{doctype}")
    assert refused(text.encode(encoding)) == 400


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "xml"],
)
def test_what_is_not_called_xml_is_415(content_type: str) -> None:
    assert refused(envelope("SetTarget"), **{"Content-Type": content_type}) == 415


def test_32_levels_are_read_and_33_are_400() -> None:
    """Envelope, Body, action and argument are four of them; security.md 2."""

    def body(depth: int) -> bytes:
        header = f"<s:Header>{'<a>' * (depth - 2)}{'</a>' * (depth - 2)}</s:Header>"
        return envelope("SetTarget").replace(b"<s:Body>", header.encode() + b"<s:Body>")

    assert read(body(32)).action == "SetTarget"
    assert refused(body(33)) == 400


@pytest.mark.parametrize("form", ["<a{}/>", "<a{}></a{}>"])
def test_2000_elements_are_read_and_2001_are_400(form: str) -> None:
    def body(elements: int) -> bytes:
        return envelope("SetTarget", "".join(form.format(i, i) for i in range(elements - 3)))

    assert len(read(body(2000)).arguments) == 1997
    assert refused(body(2001)) == 400


def test_a_flood_of_elements_is_400_before_it_is_parsed() -> None:
    assert refused(b"<a>" * 80_000) == 400


def test_an_argument_twice_is_402() -> None:
    with pytest.raises(InvalidArgs):
        read(envelope("SetTarget", "<a>1</a><a>1</a>"))


def test_an_argument_with_elements_is_402() -> None:
    with pytest.raises(InvalidArgs):
        read(envelope("SetTarget", "<a><b/></a>"))


@given(
    st.binary(max_size=300),
    st.sampled_from(["", "text/xml", "text/xml; charset=utf-16", "text/xml; charset=\xff"]),
)
def test_no_bytes_raise_anything_else(data: bytes, content_type: str) -> None:
    with contextlib.suppress(RequestRefused, ActionError):
        read(data, **{"Content-Type": content_type})


@given(st.data())
def test_no_damaged_request_raises_anything_else(data: st.DataObject) -> None:
    body = bytearray(TEXT.encode(data.draw(st.sampled_from(["utf-8", "utf-16"]))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        call = read(bytes(body))
    except (RequestRefused, ActionError):
        return
    assert call.action == "SetTarget"


# What goes back


def answered(body: bytes) -> tuple[str, list[tuple[str, str | None]]]:
    """The name of the answer's element, and the results in it, read by another's eyes."""
    [part] = etree.fromstring(body)[0]
    return str(part.tag), [(str(result.tag), result.text) for result in part]


def test_an_answer_has_all_results_in_order() -> None:
    body = soap.answer(TYPE, "GetStatus", [("B", "2"), ("A", "")])
    assert answered(body) == (f"{{{TYPE}}}GetStatusResponse", [("B", "2"), ("A", None)])


def test_text_is_escaped_once_and_escaped_text_not_again() -> None:
    results: list[tuple[str, str | EscapedUTF8]] = [
        ("A", "<a>&amp;"),
        ("B", Escaped("&lt;b&gt;")),
        ("C", EscapedUTF8(b"&lt;c&gt;")),
    ]
    body = soap.answer(TYPE, "X", results)
    assert b"<A>&lt;a&gt;&amp;amp;</A><B>&lt;b&gt;</B><C>&lt;c&gt;</C>" in body


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_every_text_comes_back_as_far_as_xml_can_hold_it(text: str) -> None:
    def expected(character: str) -> str:
        code = ord(character)
        allowed = code in (9, 10, 13) or 0x20 <= code <= 0xFFFD or code >= 0x10000
        return character if allowed else "\ufffd"

    _, [(_, found)] = answered(soap.answer(TYPE, "X", [("A", text)]))
    assert (found or "") == "".join(map(expected, text))


def test_lone_surrogates_do_not_spoil_an_answer() -> None:
    _, [(_, found)] = answered(soap.answer(TYPE, "X", [("A", "a\udce9b")]))
    assert found == "a\ufffdb"


def test_a_fault_holds_code_and_description() -> None:
    root = etree.fromstring(soap.fault(402, "Invalid Args"))
    [fault] = root[0]
    assert fault.findtext("faultcode") == "s:Client"
    assert fault.findtext("faultstring") == "UPnPError"
    space = "{urn:schemas-upnp-org:control-1-0}"
    assert fault.findtext(f"detail/{space}UPnPError/{space}errorCode") == "402"
    assert fault.findtext(f"detail/{space}UPnPError/{space}errorDescription") == "Invalid Args"


def test_the_prefix_of_a_fault_is_that_of_its_envelope() -> None:
    """faultcode holds a QName: its prefix has to be declared (SOAP 1.1 §4.4)."""
    [fault] = etree.fromstring(soap.fault(501, "Action Failed"))[0]
    prefix = (fault.findtext("faultcode") or "").partition(":")[0]
    assert fault.nsmap[prefix] == "http://schemas.xmlsoap.org/soap/envelope/"
