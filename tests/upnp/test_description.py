"""Description documents, their number, and the routes that serve them."""

import hashlib
import io
from dataclasses import replace

import httpx
import pytest
from lxml import etree
from PIL import Image
from starlette.applications import Starlette
from starlette.requests import Request

from mediaserver import urls
from mediaserver.upnp import description
from mediaserver.upnp.description import config_id, device_document, service_document
from mediaserver.upnp.device import (
    Device,
    Element,
    Icon,
    default_icons,
    dlna_document,
)
from mediaserver.upnp.service import Action, Service, StateVariable
from tests.upnp.switch import SERVER, Switch, http, make_device

DEVICE_NS = "{urn:schemas-upnp-org:device-1-0}"


def parse_device(device: Device) -> etree._Element:
    [element] = etree.fromstring(device_document(device, urls)).iterfind(f"{DEVICE_NS}device")
    return element


def silent(name: str = "Silent", **more: object) -> Service:
    """A service without evented variables."""
    values: dict[str, object] = {
        "name": name,
        "service_type": f"urn:schemas-upnp-org:service:{name}:1",
        "service_id": f"urn:upnp-org:serviceId:{name}",
        "actions": {},
        **more,
    }
    return Service(**values)  # type: ignore[arg-type]  # the defaults are right


# The device as a value


@pytest.mark.parametrize(
    ("field", "length"),
    [
        ("friendly_name", 63),
        ("manufacturer", 63),
        ("model_name", 31),
        ("model_description", 127),
        ("model_number", 31),
        ("serial_number", 63),
    ],
)
def test_texts_are_cut_to_the_lengths_of_uda_1_0(field: str, length: int) -> None:
    """description-soap-gena.md 2: below 64, 128 and 32 characters."""
    assert getattr(make_device(**{field: "é" * 200}), field) == "é" * length


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  Living\r\n\troom  ", "Living room"),
        ("bad\x00\x1b[31m name", "bad\ufffd\ufffd[31m name"),
        ("surrogate \udce9", "surrogate \ufffd"),
        ("a" * 62 + " b", "a" * 62),
    ],
)
def test_texts_are_one_line_that_xml_can_hold(text: str, shown: str) -> None:
    assert make_device(friendly_name=text).friendly_name == shown


@pytest.mark.parametrize(
    "more",
    [
        {"udn": "2fac1234-31f8-11b4-a222-08002b34c003"},
        {"udn": "uuid:a b"},
        {"udn": "uuid:"},
        {"device_type": "urn:schemas-upnp-org:device:MediaServer"},
        {"device_type": "urn:schemas-upnp-org:service:ContentDirectory:1"},
        {"friendly_name": ""},
        {"friendly_name": " \n"},
        {"manufacturer": ""},
        {"model_name": ""},
        {"model_url": "http://example.org/a b"},
        {"presentation_url": "/\r\nX: y"},
    ],
)
def test_a_device_that_nobody_could_read_is_refused(more: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"not a|required"):
        make_device(**more)


def test_two_services_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two services"):
        make_device(silent(), silent())


@pytest.mark.parametrize(
    "element",
    [
        ("", "urn:x", "A", ""),
        ("a", "", "A", ""),
        ("a", "urn:x", "A B", ""),
        ("a", "urn:x", ">", ""),
    ],
)
def test_an_element_that_xml_does_not_allow_is_refused(element: tuple[str, str, str, str]) -> None:
    with pytest.raises(ValueError, match="not an element"):
        Element(*element)


# Documents


def test_optional_elements_without_text_are_left_out(switch: Switch) -> None:
    tags = [etree.QName(child).localname for child in parse_device(switch.device)]
    assert tags == [
        "deviceType",
        "friendlyName",
        "manufacturer",
        "modelName",
        "UDN",
        "iconList",
        "serviceList",
    ]


def test_lists_without_entries_are_left_out() -> None:
    device = parse_device(make_device(icons=()))
    assert device.find(f"{DEVICE_NS}iconList") is None
    assert device.find(f"{DEVICE_NS}serviceList") is None


def test_texts_are_escaped() -> None:
    name = "R&B <&amp;> ]]> \"'"
    device = parse_device(make_device(friendly_name=name))
    assert device.findtext(f"{DEVICE_NS}friendlyName") == name


def test_a_service_without_events_has_an_empty_event_url() -> None:
    device = parse_device(make_device(silent()))
    assert device.findtext(f".//{DEVICE_NS}eventSubURL") == ""
    assert device.findtext(f".//{DEVICE_NS}controlURL") == "/service/Silent/control"


def test_vendor_elements_stand_last_in_their_namespace() -> None:
    capabilities = Element("sec", "http://www.sec.co.kr/dlna", "ProductCap", "smi,DCM10")
    device = make_device(elements=(dlna_document("DMS-1.50"), capabilities))
    assert [(child.tag, child.text) for child in parse_device(device)[-2:]] == [
        ("{urn:schemas-dlna-org:device-1-0}X_DLNADOC", "DMS-1.50"),
        ("{http://www.sec.co.kr/dlna}ProductCap", "smi,DCM10"),
    ]
    # Old parsers look for the prefix instead of the namespace.
    document = device_document(device, urls)
    assert b'<dlna:X_DLNADOC xmlns:dlna="urn:schemas-dlna-org:device-1-0">' in document


def test_config_id_is_an_attribute_of_uda_1_1_alone(switch: Switch) -> None:
    """UDA 1.0 has none; UDA 1.1 §2.3, §2.5: required, and equal to CONFIGID.UPNP.ORG."""
    device = switch.device
    assert b"configId" not in device_document(device, urls, config_id=5)
    assert b"configId" not in service_document(switch.service, config_id=5)
    newer = replace(device, minor=1)
    for document in (
        device_document(newer, urls, config_id=5),
        service_document(switch.service, minor=1, config_id=5),
    ):
        root = etree.fromstring(document)
        assert root.get("configId") == "5"
        assert [part.text for part in root[0]] == ["1", "1"]


def test_documents_are_small(switch: Switch) -> None:
    """No comments, no blanks: some parsers have buffers of 4 KiB."""
    document = device_document(switch.device, urls)
    assert len(document) < 2048
    assert b"<!--" not in document
    assert b"> " not in document


# The number of a configuration


def test_the_number_of_a_configuration_has_24_bits(switch: Switch) -> None:
    """UDA 1.1 §1.2.2: 0 to 2^24 - 1 are the vendor's."""
    numbers = {config_id(make_device(friendly_name=f"Lamp {n}"), urls) for n in range(200)}
    assert all(0 <= number < 2**24 for number in numbers)
    assert len(numbers) == 200


def test_the_number_stays_while_the_documents_stay() -> None:
    first, second = Switch(), Switch()
    first.service.set({first.service.variables[1]: True})
    assert config_id(first.device, urls) == config_id(second.device, urls)


def test_the_number_changes_with_either_document(switch: Switch) -> None:
    number = config_id(switch.device, urls)
    assert config_id(replace(switch.device, friendly_name="Another lamp"), urls) != number
    more = Service(
        name=switch.service.name,
        service_type=switch.service.service_type,
        service_id=switch.service.service_id,
        actions={},
        variables=switch.service.variables,
    )
    assert config_id(replace(switch.device, services=(more,)), urls) != number


# Serving


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/description.xml", 'text/xml; charset="utf-8"'),
        ("/service/SwitchPower/scpd.xml", 'text/xml; charset="utf-8"'),
        ("/icon/lamp.png", "image/png"),
    ],
)
async def test_documents_and_icons_are_served(
    client: httpx.AsyncClient, path: str, content_type: str
) -> None:
    response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == content_type
    assert int(response.headers["content-length"]) == len(response.content) > 0
    assert response.headers["server"] == SERVER
    assert response.headers["date"].endswith("GMT")
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == response.headers["content-length"]


async def test_what_is_served_is_what_was_written(
    switch: Switch, client: httpx.AsyncClient
) -> None:
    assert (await client.get("/description.xml")).content == device_document(switch.device, urls)
    scpd = (await client.get("/service/SwitchPower/scpd.xml")).content
    assert scpd == service_document(switch.service)
    assert (await client.get("/icon/lamp.png")).content == b"\x89PNG lamp"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "TRACE", "SUBSCRIBE"])
async def test_other_methods_are_405(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/description.xml")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("{tag}", 304),
        ("W/{tag}", 304),
        ('"other", {tag}', 304),
        ("*", 304),
        ('"other"', 200),
        ("", 200),
    ],
)
async def test_who_has_the_document_need_not_read_it_again(
    client: httpx.AsyncClient, condition: str, status: int
) -> None:
    """RFC 9110 §13.1.2, §15.4.5: the tag again, no content."""
    tag = (await client.get("/description.xml")).headers["etag"]
    response = await client.get(
        "/description.xml", headers={"If-None-Match": condition.format(tag=tag)}
    )
    assert response.status_code == status
    assert response.headers["etag"] == tag
    if status == 304:
        assert response.content == b""
        assert "content-length" not in response.headers


async def test_content_language_is_sent_when_accept_language_was(
    client: httpx.AsyncClient,
) -> None:
    asked = await client.get("/description.xml", headers={"Accept-Language": "en_US"})
    assert asked.headers["content-language"] == "en"
    assert "content-language" not in (await client.get("/description.xml")).headers


async def test_a_control_point_may_be_told_something_else(switch: Switch) -> None:
    other = replace(switch.device, friendly_name="A lamp: 1 :")

    def variant(request: Request) -> Device:
        return other if "Xbox" in request.headers.get("user-agent", "") else switch.device

    routes = description.routes(switch.device, urls, server=SERVER, variant=variant)
    async with http(Starlette(routes=routes)) as client:
        ours = await client.get("/description.xml")
        xbox = await client.get("/description.xml", headers={"User-Agent": "Xbox/2.0.1"})
    assert "<friendlyName>A lamp</friendlyName>" in ours.text
    assert "<friendlyName>A lamp: 1 :</friendlyName>" in xbox.text
    assert ours.headers["etag"] != xbox.headers["etag"]


async def test_icons_of_others_are_named_but_not_served(switch: Switch) -> None:
    elsewhere = Icon("image/png", 48, 48, 24, "http://192.0.2.7/lamp.png")
    device = replace(switch.device, icons=(elsewhere,))
    routes = description.routes(device, urls, server=SERVER)
    assert [route.path for route in routes] == ["/description.xml", "/service/SwitchPower/scpd.xml"]
    assert b"<url>http://192.0.2.7/lamp.png</url>" in device_document(device, urls)


# Icons


@pytest.mark.parametrize("icon", default_icons(urls.icon), ids=lambda icon: icon.url)
def test_an_icon_is_what_its_entry_says(icon: Icon) -> None:
    picture = Image.open(io.BytesIO(icon.content))
    assert Image.MIME[picture.format or ""] == icon.mime_type
    assert picture.size == (icon.width, icon.height)
    assert (picture.mode, icon.depth) == ("RGB", 24)
    assert "progressive" not in picture.info
    assert picture.convert("L").getextrema()[0] != picture.convert("L").getextrema()[1]


def test_the_four_icons_of_dlna_are_there() -> None:
    """description-soap-gena.md 2: PNG and JPEG, 48 and 120 pixels."""
    found = {(icon.mime_type, icon.width) for icon in default_icons(urls.icon)}
    assert found >= {
        ("image/png", 48),
        ("image/png", 120),
        ("image/jpeg", 48),
        ("image/jpeg", 120),
    }


def test_icons_are_different_files() -> None:
    icons = default_icons(urls.icon)
    assert len({hashlib.sha256(icon.content).digest() for icon in icons}) == len(icons)
    assert len({icon.url for icon in icons}) == len(icons)


def test_a_variable_is_described_in_full() -> None:
    service = silent(
        actions={Action("Do"): _do},
        variables=(
            StateVariable("Mode", allowed=("A&B", "C"), default="C"),
            StateVariable("Volume", "ui2", minimum=0, maximum=100, step=5, default="0"),
            StateVariable("Plain", "dateTime.tz"),
        ),
    )
    table = etree.fromstring(service_document(service))[2]
    assert [
        [(etree.QName(child).localname, [each.text for each in child] or child.text) for child in v]
        for v in table
    ] == [
        [
            ("name", "Mode"),
            ("dataType", "string"),
            ("defaultValue", "C"),
            ("allowedValueList", ["A&B", "C"]),
        ],
        [
            ("name", "Volume"),
            ("dataType", "ui2"),
            ("defaultValue", "0"),
            ("allowedValueRange", ["0", "100", "5"]),
        ],
        [("name", "Plain"), ("dataType", "dateTime.tz")],
    ]


async def _do(request: object) -> dict[str, object]:
    return {}
