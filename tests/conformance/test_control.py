"""UDA 1.1 §3.2: control. Expected values are those of the text, not of the program."""

from collections.abc import AsyncIterator

import httpx
import pytest
from lxml import etree

from mediaserver.upnp import errors
from mediaserver.upnp.service import Action, ActionRequest, Service, StateVariable
from tests.upnp.switch import CONTROL, SERVER, STATUS, TYPE, Switch, action_headers, http, post

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
CONTROL_NS = "urn:schemas-upnp-org:control-1-0"


@pytest.fixture
def switch() -> Switch:
    return Switch()


@pytest.fixture
async def client(switch: Switch) -> AsyncIterator[httpx.AsyncClient]:
    async with http(switch.app()) as client:
        yield client


def body_of(response: httpx.Response) -> etree._Element:
    """The element in Body, from an envelope that is as the text wants it."""
    root = etree.fromstring(response.content)
    assert root.tag == f"{{{ENVELOPE}}}Envelope"
    assert root.get(f"{{{ENVELOPE}}}encodingStyle") == ENCODING
    [body] = root
    assert body.tag == f"{{{ENVELOPE}}}Body"
    [element] = body
    return element


def fault_of(response: httpx.Response) -> tuple[str, str]:
    """errorCode and errorDescription, from a fault that is as the text wants it."""
    assert response.status_code == 500
    fault = body_of(response)
    assert fault.tag == f"{{{ENVELOPE}}}Fault"
    assert [child.tag for child in fault] == ["faultcode", "faultstring", "detail"]
    assert fault[0].text == "s:Client"
    assert fault[1].text == "UPnPError"
    [error] = fault[2]
    assert error.tag == f"{{{CONTROL_NS}}}UPnPError"
    assert [child.tag for child in error] == [
        f"{{{CONTROL_NS}}}errorCode",
        f"{{{CONTROL_NS}}}errorDescription",
    ]
    return error[0].text or "", error[1].text or ""


async def test_3_2_1_the_request_of_the_text_is_answered(
    client: httpx.AsyncClient, switch: Switch
) -> None:
    response = await client.post(
        CONTROL,
        content=(
            '<?xml version="1.0"?>\n'
            f'<s:Envelope\n  xmlns:s="{ENVELOPE}"\n  s:encodingStyle="{ENCODING}">\n'
            f'  <s:Body>\n    <u:SetTarget xmlns:u="{TYPE}">\n'
            "      <newTargetValue>1</newTargetValue>\n"
            "      <!-- other in args and their values go here, if any -->\n"
            "    </u:SetTarget>\n  </s:Body>\n</s:Envelope>\n"
        ),
        headers=action_headers("SetTarget"),
    )
    assert response.status_code == 200
    assert switch.on


async def test_3_2_2_the_answer_is_named_after_the_action(client: httpx.AsyncClient) -> None:
    answer = body_of(await post(client, "GetStatus"))
    assert answer.tag == f"{{{TYPE}}}GetStatusResponse"
    assert [(child.tag, child.text) for child in answer] == [("ResultStatus", "0")]


async def test_3_2_2_an_action_without_results_is_answered_with_an_empty_element(
    client: httpx.AsyncClient,
) -> None:
    answer = body_of(await post(client, "SetTarget", "<newTargetValue>0</newTargetValue>"))
    assert answer.tag == f"{{{TYPE}}}SetTargetResponse"
    assert len(answer) == 0
    assert not answer.text


async def test_3_2_2_the_answer_has_the_prefix_and_namespace_of_the_text(
    client: httpx.AsyncClient,
) -> None:
    """Some control points look for ``u:`` and ``s:`` instead of namespaces."""
    text = (await post(client, "GetStatus")).text
    assert f'<u:GetStatusResponse xmlns:u="{TYPE}">' in text
    assert f'<s:Envelope xmlns:s="{ENVELOPE}" s:encodingStyle="{ENCODING}">' in text


async def test_3_2_2_the_answer_has_its_header_fields(client: httpx.AsyncClient) -> None:
    response = await post(client, "GetStatus")
    assert response.headers["content-type"] == 'text/xml; charset="utf-8"'
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.headers["ext"] == ""
    assert response.headers["server"] == SERVER
    assert "date" in response.headers
    assert "transfer-encoding" not in response.headers


@pytest.mark.parametrize(
    ("action", "arguments", "code", "description"),
    [
        ("Explode", "", "401", "Invalid Action"),
        ("SetTarget", "", "402", "Invalid Args"),
        ("SetTarget", "<NewTargetValue>1</NewTargetValue>", "402", "Invalid Args"),
        ("SetTarget", "<newTargetValue>maybe</newTargetValue>", "402", "Invalid Args"),
        ("SetTarget", "<newTargetValue></newTargetValue>", "402", "Invalid Args"),
        ("SetTarget", "<newTargetValue>1</newTargetValue>" * 2, "402", "Invalid Args"),
    ],
)
async def test_3_2_2_errors_are_faults_with_http_status_500(
    client: httpx.AsyncClient, action: str, arguments: str, code: str, description: str
) -> None:
    response = await post(client, action, arguments)
    assert fault_of(response) == (code, description)
    assert response.headers["content-type"] == 'text/xml; charset="utf-8"'
    assert response.headers["ext"] == ""


async def test_3_2_2_an_action_that_fails_is_501(client: httpx.AsyncClient, switch: Switch) -> None:
    switch.stuck = errors.ActionFailed
    response = await post(client, "SetTarget", "<newTargetValue>1</newTargetValue>")
    assert fault_of(response) == ("501", "Action Failed")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ArgumentValueInvalid, "600"),
        (errors.ArgumentValueOutOfRange, "601"),
        (errors.OptionalActionNotImplemented, "602"),
        (errors.OutOfMemory, "603"),
        (errors.HumanInterventionRequired, "604"),
        (errors.StringArgumentTooLong, "605"),
        (errors.ActionNotAuthorized, "606"),
    ],
)
async def test_3_2_2_every_code_of_table_3_3_arrives_as_a_fault(
    client: httpx.AsyncClient, switch: Switch, error: type[errors.ActionError], code: str
) -> None:
    switch.stuck = error
    response = await post(client, "SetTarget", "<newTargetValue>1</newTargetValue>")
    assert fault_of(response)[0] == code


async def test_2_3_a_lower_version_is_answered_in_its_own_namespace() -> None:
    """§2.3: versions are backward compatible; a control point of version 1 asks for 1."""

    async def ask(request: ActionRequest) -> dict[str, object]:
        return {"Answer": "yes"}

    base = "urn:schemas-upnp-org:service:Oracle"
    service = Service(
        name="SwitchPower",
        service_type=f"{base}:3",
        service_id="urn:upnp-org:serviceId:Oracle",
        actions={Action("Ask", gives=(("Answer", StateVariable("A_ARG_TYPE_Text")),)): ask},
    )
    switch = Switch()
    switch.service = service
    async with http(switch.app()) as client:
        for version in (1, 2, 3):
            answer = body_of(await post(client, "Ask", service_type=f"{base}:{version}"))
            assert answer.tag == f"{{{base}:{version}}}AskResponse"
        response = await post(client, "Ask", service_type=f"{base}:4")
        assert fault_of(response) == ("401", "Invalid Action")


async def query(client: httpx.AsyncClient, arguments: str) -> httpx.Response:
    return await post(client, "QueryStateVariable", arguments, service_type=CONTROL_NS)


async def test_uda_1_0_3_3_a_variable_can_be_queried(
    client: httpx.AsyncClient, switch: Switch
) -> None:
    switch.service.set({STATUS: True})
    answer = body_of(await query(client, f'<u:varName xmlns:u="{CONTROL_NS}">Status</u:varName>'))
    assert answer.tag == f"{{{CONTROL_NS}}}QueryStateVariableResponse"
    assert [(child.tag, child.text) for child in answer] == [("return", "1")]


async def test_uda_1_0_3_3_an_unknown_variable_is_404(client: httpx.AsyncClient) -> None:
    assert fault_of(await query(client, "<varName>Colour</varName>")) == ("404", "Invalid Var")


async def test_uda_1_0_3_3_a_query_for_nothing_is_402(client: httpx.AsyncClient) -> None:
    assert fault_of(await query(client, "")) == ("402", "Invalid Args")
