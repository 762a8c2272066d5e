"""UDA 1.1 §2: description. Expected values are those of the text, not of the program."""

import inspect
import json
from pathlib import Path

import pytest
from lxml import etree

from mediaserver import urls
from mediaserver.upnp.description import device_document, service_document
from mediaserver.upnp.device import Device, dlna_document
from mediaserver.upnp.service import Action, Handler, Service, StateVariable, keyword
from tests.upnp.switch import Switch, http, make_device

SCPD = Path(__file__).parent / "scpd"
DEVICE_NS = "urn:schemas-upnp-org:device-1-0"
SERVICE_NS = "urn:schemas-upnp-org:service-1-0"


@pytest.fixture
def device() -> Device:
    return make_device(
        Switch().service,
        manufacturer_url="http://example.org/",
        model_description="A lamp for tests",
        model_number="1",
        model_url="http://example.org/lamp",
        serial_number="42",
        presentation_url="/",
        elements=(dlna_document("DMS-1.50"),),
    )


def names(parent: etree._Element) -> list[str]:
    return [etree.QName(child).localname for child in parent]


def find(parent: etree._Element, path: str, namespace: str) -> etree._Element:
    [found] = parent.iterfind("/".join(f"{{{namespace}}}{name}" for name in path.split("/")))
    return found


# §2.3 Device description


def test_2_3_the_document_is_utf_8_xml_with_a_declaration(device: Device) -> None:
    document = device_document(device, urls)
    assert document.lower().startswith(b'<?xml version="1.0" encoding="utf-8"?>')
    document.decode("utf-8")


def test_2_3_root_holds_spec_version_and_device(device: Device) -> None:
    root = etree.fromstring(device_document(device, urls))
    assert root.tag == f"{{{DEVICE_NS}}}root"
    assert names(root) == ["specVersion", "device"]
    assert [(etree.QName(part).localname, part.text) for part in root[0]] == [
        ("major", "1"),
        ("minor", "0"),
    ]


def test_2_3_there_is_no_url_base(device: Device) -> None:
    """URLBase is deprecated; URLs are relative to where the description was read."""
    assert b"URLBase" not in device_document(device, urls)


def test_2_3_elements_of_a_device_are_in_the_order_of_the_template(device: Device) -> None:
    root = etree.fromstring(device_document(device, urls))
    assert names(find(root, "device", DEVICE_NS)) == [
        "deviceType",
        "friendlyName",
        "manufacturer",
        "manufacturerURL",
        "modelDescription",
        "modelName",
        "modelNumber",
        "modelURL",
        "serialNumber",
        "UDN",
        "iconList",
        "serviceList",
        "presentationURL",
        "X_DLNADOC",
    ]


def test_2_3_an_icon_has_five_elements(device: Device) -> None:
    icon = find(etree.fromstring(device_document(device, urls)), "device/iconList/icon", DEVICE_NS)
    assert [(etree.QName(part).localname, part.text) for part in icon] == [
        ("mimetype", "image/png"),
        ("width", "48"),
        ("height", "48"),
        ("depth", "24"),
        ("url", "/icon/lamp.png"),
    ]


def test_2_3_a_service_has_five_elements_in_the_order_of_uda_1_0(device: Device) -> None:
    service = find(
        etree.fromstring(device_document(device, urls)), "device/serviceList/service", DEVICE_NS
    )
    assert names(service) == ["serviceType", "serviceId", "SCPDURL", "controlURL", "eventSubURL"]
    assert [part.text for part in service[:2]] == [
        "urn:schemas-upnp-org:service:SwitchPower:1",
        "urn:upnp-org:serviceId:SwitchPower",
    ]


def test_2_3_the_urls_of_a_service_differ(device: Device) -> None:
    """§2.3: controlURL and eventSubURL shall be unique within the device."""
    service = find(
        etree.fromstring(device_document(device, urls)), "device/serviceList/service", DEVICE_NS
    )
    paths = [part.text or "" for part in service[2:]]
    assert len(set(paths)) == 3
    assert all(path.startswith("/") and not path.startswith("//") for path in paths)


def test_2_3_event_sub_url_is_there_but_empty_without_evented_variables() -> None:
    service = Service(
        name="Quiet",
        service_type="urn:schemas-upnp-org:service:Quiet:1",
        service_id="urn:upnp-org:serviceId:Quiet",
        actions={},
        variables=(StateVariable("Thing"),),
    )
    root = etree.fromstring(device_document(make_device(service), urls))
    assert not find(root, "device/serviceList/service/eventSubURL", DEVICE_NS).text


# §2.5 Service description


def test_2_5_scpd_holds_spec_version_actions_and_variables() -> None:
    root = etree.fromstring(service_document(Switch().service))
    assert root.tag == f"{{{SERVICE_NS}}}scpd"
    assert names(root) == ["specVersion", "actionList", "serviceStateTable"]


def test_2_5_an_argument_has_name_direction_and_related_variable() -> None:
    root = etree.fromstring(service_document(Switch().service))
    argument = next(root.iter(f"{{{SERVICE_NS}}}argument"))
    assert [(etree.QName(part).localname, part.text) for part in argument] == [
        ("name", "newTargetValue"),
        ("direction", "in"),
        ("relatedStateVariable", "Target"),
    ]


def test_2_5_an_action_without_arguments_has_no_argument_list() -> None:
    async def do(request: object) -> dict[str, object]:
        return {}

    service = Service(
        name="Plain",
        service_type="urn:schemas-upnp-org:service:Plain:1",
        service_id="urn:upnp-org:serviceId:Plain",
        actions={Action("Do"): do},
    )
    [action] = etree.fromstring(service_document(service)).iter(f"{{{SERVICE_NS}}}action")
    assert names(action) == ["name"]


def test_2_5_send_events_is_written_for_every_variable() -> None:
    """Its default is "yes"."""
    root = etree.fromstring(service_document(Switch().service))
    variables = root.iter(f"{{{SERVICE_NS}}}stateVariable")
    assert {
        variable.findtext(f"{{{SERVICE_NS}}}name"): variable.get("sendEvents")
        for variable in variables
    } == {"Target": "no", "Status": "yes"}


def from_table(table: dict[str, object]) -> Service:
    """The service that a published table describes (scpd/*.json), made with our declarations."""
    facts = json.loads(json.dumps(table))
    variables = {
        each["name"]: StateVariable(
            each["name"],
            each["type"],
            evented=each["evented"],
            allowed=tuple(each.get("allowed", ())),
        )
        for each in facts["variables"]
    }
    actions = {}
    for each in facts["actions"]:
        action = Action(
            each["name"],
            takes=[
                (argument["name"], variables[argument["variable"]])
                for argument in each["args"]
                if argument["direction"] == "in"
            ],
            gives=[
                (argument["name"], variables[argument["variable"]])
                for argument in each["args"]
                if argument["direction"] == "out"
            ],
        )
        actions[action] = handler_of(action)
    values = {
        variable: "" if variable.data_type == "string" else 0
        for variable in variables.values()
        if variable.evented
    }
    return Service(
        name=facts["service"],
        service_type=facts["service_type"],
        service_id=facts["service_id"],
        actions=actions,
        variables=tuple(variables.values()),
        values=values,
    )


def handler_of(action: Action) -> Handler:
    """A handler with the parameters that the action needs."""

    async def handler(request: object, **arguments: object) -> dict[str, object]:
        return {}

    parameters = [
        inspect.Parameter("request", inspect.Parameter.POSITIONAL_ONLY),
        *(inspect.Parameter(keyword(n), inspect.Parameter.KEYWORD_ONLY) for n, _ in action.takes),
    ]
    handler.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return handler


@pytest.mark.parametrize("path", sorted(SCPD.glob("*.json")), ids=lambda path: path.stem)
def test_2_5_published_tables_come_out_as_they_went_in(path: Path) -> None:
    table = json.loads(path.read_text(encoding="utf-8"))
    root = etree.fromstring(service_document(from_table(table)))
    ns = f"{{{SERVICE_NS}}}"
    assert [
        {
            "name": action.findtext(f"{ns}name"),
            "args": [
                {
                    "name": argument.findtext(f"{ns}name"),
                    "direction": argument.findtext(f"{ns}direction"),
                    "variable": argument.findtext(f"{ns}relatedStateVariable"),
                }
                for argument in action.iter(f"{ns}argument")
            ],
        }
        for action in root.iter(f"{ns}action")
    ] == [{"name": each["name"], "args": each["args"]} for each in table["actions"]]
    assert [
        {
            "name": variable.findtext(f"{ns}name"),
            "type": variable.findtext(f"{ns}dataType"),
            "evented": variable.get("sendEvents") == "yes",
            "allowed": [each.text for each in variable.iter(f"{ns}allowedValue")],
        }
        for variable in root.iter(f"{ns}stateVariable")
    ] == [
        {
            "name": each["name"],
            "type": each["type"],
            "evented": each["evented"],
            "allowed": each.get("allowed", []),
        }
        for each in table["variables"]
    ]


def test_2_5_in_arguments_precede_out_arguments() -> None:
    """In every published table already: then it must hold for what is written from it."""
    for path in SCPD.glob("*.json"):
        root = etree.fromstring(service_document(from_table(json.loads(path.read_text("utf-8")))))
        for action in root.iter(f"{{{SERVICE_NS}}}action"):
            directions = [each.text or "" for each in action.iter(f"{{{SERVICE_NS}}}direction")]
            assert directions == sorted(directions)  # "in" sorts before "out"


# §2.11 Retrieving a description


async def test_2_11_a_description_is_retrieved_by_get() -> None:
    async with http(Switch().app()) as client:
        response = await client.get(urls.DESCRIPTION)
        assert response.status_code == 200
        assert response.headers["content-type"] == 'text/xml; charset="utf-8"'
        assert "content-length" in response.headers
        assert "date" in response.headers
        assert "UPnP/1.0" in response.headers["server"]


async def test_2_11_every_path_of_the_description_leads_somewhere() -> None:
    async with http(Switch().app()) as client:
        root = etree.fromstring((await client.get(urls.DESCRIPTION)).content)
        paths = [find(root, "device/iconList/icon/url", DEVICE_NS).text or ""]
        paths += [each.text or "" for each in root.iter(f"{{{DEVICE_NS}}}SCPDURL")]
        for path in paths:
            assert (await client.get(path)).status_code == 200
        for each in root.iter(f"{{{DEVICE_NS}}}controlURL"):
            assert (await client.get(each.text or "")).status_code == 405
