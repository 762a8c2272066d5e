"""Control URLs over ASGI: statuses, header fields, and handlers that misbehave."""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import Message

from mediaserver.clients import UNKNOWN, ClientProfile
from mediaserver.upnp import control
from mediaserver.upnp.errors import ActionError
from mediaserver.upnp.service import Action, ActionRequest, Service, StateVariable
from tests.upnp.switch import (
    CONTROL,
    SERVER,
    TYPE,
    Switch,
    action_headers,
    envelope,
    http,
    post,
)

NOON = 1_000_000_000.25
"""Sun, 09 Sep 2001 01:46:40 GMT: a round number that everybody can look up."""


def error_code(response: httpx.Response) -> int:
    assert response.status_code == 500
    return int(response.text.partition("<errorCode>")[2].partition("</errorCode>")[0])


class Moody:
    """A service whose action does what it is told to."""

    def __init__(self) -> None:
        self.error: BaseException | None = None
        self.waits = False
        self.waiting = asyncio.Event()
        self.cancelled = False
        self.result: Mapping[str, object] = {"Answer": "yes"}
        text = StateVariable("A_ARG_TYPE_Text")
        self.service = Service(
            name="Moody",
            service_type=TYPE,
            service_id="urn:upnp-org:serviceId:Moody",
            actions={Action("Ask", gives=(("Answer", text),)): self.ask},
        )

    async def ask(self, request: ActionRequest) -> Mapping[str, object]:
        if self.error is not None:
            raise self.error
        if self.waits:
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        return self.result


@pytest.fixture
def moody() -> Moody:
    return Moody()


@pytest.fixture
async def asking(moody: Moody) -> AsyncIterator[httpx.AsyncClient]:
    route = control.route(CONTROL, moody.service, server=SERVER, answer_seconds=0.0)
    async with http(Starlette(routes=[route])) as client:
        yield client


# Answers


async def test_an_action_is_carried_out_and_answered(
    switch: Switch, client: httpx.AsyncClient
) -> None:
    response = await post(client, "SetTarget", "<newTargetValue>1</newTargetValue>")
    assert response.status_code == 200
    assert f'<u:SetTargetResponse xmlns:u="{TYPE}"></u:SetTargetResponse>' in response.text
    assert switch.on


async def test_header_fields_of_an_answer_are_spelled_as_in_the_standard(switch: Switch) -> None:
    route = control.route(CONTROL, switch.service, server=SERVER, clock=lambda: NOON)
    async with http(Starlette(routes=[route])) as client:
        response = await post(client, "GetStatus")
    assert sorted(response.headers.raw) == [
        (b"CONTENT-LENGTH", str(len(response.content)).encode()),
        (b"CONTENT-TYPE", b'text/xml; charset="utf-8"'),
        (b"DATE", b"Sun, 09 Sep 2001 01:46:40 GMT"),
        (b"EXT", b""),
        (b"SERVER", SERVER.encode()),
    ]


async def test_a_fault_has_the_same_header_fields(client: httpx.AsyncClient) -> None:
    response = await post(client, "Explode")
    assert error_code(response) == 401
    assert {name for name, _ in response.headers.raw} == {
        b"CONTENT-LENGTH",
        b"CONTENT-TYPE",
        b"DATE",
        b"EXT",
        b"SERVER",
    }


async def test_date_follows_the_clock(switch: Switch) -> None:
    now = [NOON]
    route = control.route(CONTROL, switch.service, server=SERVER, clock=lambda: now[0])
    async with http(Starlette(routes=[route])) as client:
        dates = []
        for seconds in (0.0, 0.5, 1.0):
            now[0] = NOON + seconds
            dates.append((await post(client, "GetStatus")).headers["date"][-12:])
    assert dates == ["01:46:40 GMT", "01:46:40 GMT", "01:46:41 GMT"]


async def test_content_language_is_sent_when_accept_language_was(
    client: httpx.AsyncClient,
) -> None:
    asked = await post(client, "GetStatus", headers={"Accept-Language": "C;q=1"})
    assert asked.headers["content-language"] == "en"
    assert "content-language" not in (await post(client, "GetStatus")).headers


async def test_the_handler_knows_the_request(switch: Switch) -> None:
    bravia = ClientProfile(name="BRAVIA")
    asked: list[tuple[str | None, str | None, str]] = []

    def profile_of(headers: Mapping[str, str], address: str) -> ClientProfile:
        asked.append((headers.get("X-Av-Client-Info"), headers.get("missing"), address))
        return bravia

    route = control.route(CONTROL, switch.service, server=SERVER, profile_of=profile_of)
    async with http(Starlette(routes=[route])) as client:
        await post(client, "GetStatus", headers={"X-AV-Client-Info": 'av=5.0; mn="BRAVIA"'})
    assert switch.requests == [ActionRequest("http://192.0.2.5:8200", bravia, TYPE)]
    assert asked == [('av=5.0; mn="BRAVIA"', None, "127.0.0.1")]


@pytest.mark.parametrize(
    ("server", "base_url"),
    [
        (("192.0.2.5", 8200), "http://192.0.2.5:8200"),
        (("2001:db8::5", 8200), "http://[2001:db8::5]:8200"),
        (("fe80::1%eth0", 8200), "http://[fe80::1]:8200"),
        (("::ffff:192.0.2.5", 8200), "http://192.0.2.5:8200"),
        (("lamp.local", 80), "http://lamp.local:80"),
        (None, "http://127.0.0.1"),
    ],
)
async def test_the_base_url_is_the_address_the_request_came_to(
    switch: Switch, server: tuple[str, int] | None, base_url: str
) -> None:
    await raw_post(switch, [envelope("GetStatus")], server=server)
    assert switch.requests[0].base_url == base_url


# Answers that are given again


class Counting:
    """A service that tells how often its action was carried out, and when that has changed."""

    def __init__(self) -> None:
        self.calls = 0
        self.revision = 1
        self.error: ActionError | None = None
        count = StateVariable("Count", "ui4", default="0")
        self.variable = count
        self.service = Service(
            name="Counting",
            service_type=TYPE,
            service_id="urn:upnp-org:serviceId:Counting",
            actions={Action("Ask", gives=(("Calls", count),)): self.ask},
            revision=lambda: self.revision,
        )

    async def ask(self, request: ActionRequest) -> Mapping[str, object]:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return {"Calls": self.calls}


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture
async def counter(counting: Counting) -> AsyncIterator[httpx.AsyncClient]:
    route = control.route(CONTROL, counting.service, server=SERVER)
    async with http(Starlette(routes=[route])) as client:
        yield client


def calls(response: httpx.Response) -> str:
    assert response.status_code == 200
    return response.text.partition("<Calls>")[2].partition("</Calls>")[0]


async def test_an_answer_is_given_again_until_the_revision_is_another(
    counting: Counting, counter: httpx.AsyncClient
) -> None:
    assert [calls(await post(counter, "Ask")) for _ in range(3)] == ["1", "1", "1"]
    counting.revision = 2
    assert [calls(await post(counter, "Ask")) for _ in range(2)] == ["2", "2"]


async def test_without_revision_every_call_is_carried_out(
    switch: Switch, client: httpx.AsyncClient
) -> None:
    for _ in range(2):
        await post(client, "GetStatus")
    assert len(switch.requests) == 2


async def test_a_fault_is_not_given_again(counting: Counting, counter: httpx.AsyncClient) -> None:
    counting.error = ActionError("no")
    assert error_code(await post(counter, "Ask")) == ActionError.code
    counting.error = None
    assert calls(await post(counter, "Ask")) == "2"


async def test_a_queried_variable_has_its_value_of_now(
    counting: Counting, counter: httpx.AsyncClient
) -> None:
    """The variable may change without anything else: no revision is asked about it."""
    answers = []
    for value in (5, 6):
        counting.service.set({counting.variable: value})
        response = await post(
            counter,
            "QueryStateVariable",
            "<u:varName>Count</u:varName>",
            service_type="urn:schemas-upnp-org:control-1-0",
        )
        answers.append(response.text.partition("<return>")[2].partition("<")[0])
    assert answers == ["5", "6"]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"SOAPACTION": ""}, 412),
        ({"SOAPACTION": f'"{TYPE}#Tell"'}, 412),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Origin": "http://evil.example"}, 403),
        ({"Content-Length": "999999"}, 413),
    ],
)
async def test_what_is_refused_is_refused_when_its_answer_is_there(
    counter: httpx.AsyncClient, fields: dict[str, str], status: int
) -> None:
    assert calls(await post(counter, "Ask")) == "1"
    assert (await post(counter, "Ask", headers=fields)).status_code == status


async def test_an_answer_given_again_has_the_header_fields_of_its_own_request(
    counting: Counting,
) -> None:
    now = [NOON]
    route = control.route(CONTROL, counting.service, server=SERVER, clock=lambda: now[0])
    async with http(Starlette(routes=[route])) as client:
        first = await post(client, "Ask", headers={"Accept-Language": "en"})
        now[0] = NOON + 1
        again = await post(client, "Ask")
    assert calls(first) == calls(again) == "1"
    assert (first.headers["date"][-12:], again.headers["date"][-12:]) == (
        "01:46:40 GMT",
        "01:46:41 GMT",
    )
    assert ("content-language" in first.headers, "content-language" in again.headers) == (
        True,
        False,
    )


async def test_each_control_point_is_noted_when_an_answer_is_given_again(
    counting: Counting,
) -> None:
    noted: list[str] = []

    def profile_of(headers: Mapping[str, str], address: str) -> ClientProfile:
        noted.append(address)
        return UNKNOWN

    route = control.route(CONTROL, counting.service, server=SERVER, profile_of=profile_of)
    async with http(Starlette(routes=[route])) as client:
        assert [calls(await post(client, "Ask")) for _ in range(2)] == ["1", "1"]
    assert noted == ["127.0.0.1"] * 2


# Refusals


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "M-POST", "TRACE"])
async def test_other_methods_are_405_and_told_what_is_allowed(
    switch: Switch, client: httpx.AsyncClient, method: str
) -> None:
    response = await client.request(
        method,
        CONTROL,
        content=envelope("GetStatus"),
        headers={
            "MAN": '"http://schemas.xmlsoap.org/soap/envelope/"; ns=01',
            "01-SOAPACTION": f'"{TYPE}#GetStatus"',
        },
    )
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert switch.requests == []


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"SOAPACTION": ""}, 412),
        ({"SOAPACTION": f'"{TYPE}#SetTarget"'}, 412),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Encoding": "gzip"}, 415),
        ({"Content-Encoding": "GZIP, identity"}, 415),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://192.0.2.5"}, 403),
        ({"Origin": "http://192.0.2.5:8200.evil.example"}, 403),
        ({"Origin": "http://evil.example/192.0.2.5:8200"}, 403),
        ({"Referer": "http://evil.example/?192.0.2.5:8200"}, 403),
        ({"Referer": "http://user@192.0.2.5:8200/"}, 403),
    ],
)
async def test_a_request_is_refused_and_nothing_done(
    switch: Switch, client: httpx.AsyncClient, fields: dict[str, str], status: int
) -> None:
    response = await post(client, "GetStatus", headers=fields)
    assert (response.status_code, response.content) == (status, b"")
    assert response.headers["server"] == SERVER
    assert switch.requests == []


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "http://192.0.2.5:8200"},
        {"Referer": "http://192.0.2.5:8200/"},
        {"Origin": "https://192.0.2.5:8200", "Referer": "https://192.0.2.5:8200/page?a#b"},
        {"Content-Encoding": "identity"},
    ],
)
async def test_our_own_pages_may_ask(client: httpx.AsyncClient, fields: dict[str, str]) -> None:
    assert (await post(client, "GetStatus", headers=fields)).status_code == 200


async def test_no_answer_lets_other_sites_read_it(client: httpx.AsyncClient) -> None:
    for response in (
        await post(client, "GetStatus"),
        await client.options(CONTROL, headers={"Origin": "http://evil.example"}),
    ):
        assert not [name for name in response.headers if name.startswith("access-control")]


async def raw_post(
    switch: Switch,
    chunks: list[bytes | None],
    *,
    fields: Mapping[str, str] | None = None,
    server: tuple[str, int] | None = ("192.0.2.5", 8200),
) -> list[Message]:
    """What the application sends if the body comes in such pieces; None: the connection ends."""
    app = control.route(CONTROL, switch.service, server=SERVER).app
    sent: list[Message] = []
    pieces = list(chunks)

    async def receive() -> Message:
        piece = pieces.pop(0)
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app(
        {
            "type": "http",
            "method": "POST",
            "path": CONTROL,
            "headers": [
                (name.lower().encode(), value.encode())
                for name, value in {**action_headers("GetStatus"), **(fields or {})}.items()
            ],
            "server": server,
            "client": ("192.0.2.77", 40000),
        },
        receive,
        send,
    )
    return sent


def status(sent: list[Message]) -> int:
    return int(sent[0]["status"])


async def test_a_body_in_pieces_is_put_together(switch: Switch) -> None:
    body = envelope("GetStatus")
    assert status(await raw_post(switch, [body[:10], b"", body[10:200], body[200:]])) == 200


async def test_a_body_of_256_kib_is_read_and_one_octet_more_is_413(switch: Switch) -> None:
    """security.md 2: counted while reading, not believed from Content-Length."""
    body = envelope("GetStatus")
    full = body + b" " * (256 * 1024 - len(body))
    assert status(await raw_post(switch, [full[:1000], full[1000:]])) == 200
    assert status(await raw_post(switch, [full, b" "])) == 413


@pytest.mark.parametrize("length", ["262145", "99999999999999999999"])
async def test_a_large_body_is_refused_when_it_is_announced(switch: Switch, length: str) -> None:
    sent = await raw_post(switch, [], fields={"Content-Length": length})
    assert status(sent) == 413
    assert (b"CONNECTION", b"close") in sent[0]["headers"]


async def test_a_control_point_that_goes_away_is_not_answered(switch: Switch) -> None:
    assert await raw_post(switch, [b"<s:Env", None]) == []
    assert switch.requests == []


# Faults


async def test_errors_of_a_service_become_faults_of_their_code(
    moody: Moody, asking: httpx.AsyncClient
) -> None:
    class NoSuchObjectError(ActionError):
        code = 701
        description = "No Such Object"

    moody.error = NoSuchObjectError("a reason <that> is ours alone")
    response = await post(asking, "Ask")
    assert error_code(response) == 701
    assert "<errorDescription>No Such Object</errorDescription>" in response.text
    assert "reason" not in response.text


@pytest.mark.parametrize("error", [RuntimeError("/home/me"), TimeoutError("/home/me"), KeyError()])
async def test_any_other_error_is_501_and_told_in_the_log_alone(
    moody: Moody,
    asking: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    moody.error = error
    response = await post(asking, "Ask")
    assert error_code(response) == 501
    assert "/home/me" not in response.text
    [record] = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert record.exc_info[1] is error


async def test_wrong_results_of_a_handler_are_501(
    moody: Moody, asking: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    moody.result = {"Answr": "yes"}
    assert error_code(await post(asking, "Ask")) == 501
    assert [each.levelname for each in caplog.records] == ["ERROR"]


async def test_a_handler_that_does_not_end_is_ended_and_answered_with_501(
    moody: Moody, asking: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    """UDA 1.1 §3.2 gives 30 seconds; here none at all."""
    moody.waits = True
    assert error_code(await post(asking, "Ask")) == 501
    assert moody.cancelled
    assert [each.levelname for each in caplog.records] == ["WARNING"]


async def test_a_handler_that_does_not_end_holds_up_nobody(moody: Moody) -> None:
    moody.waits = True
    route = control.route(CONTROL, moody.service, server=SERVER)
    async with http(Starlette(routes=[route])) as client:
        slow = asyncio.create_task(post(client, "Ask"))
        await moody.waiting.wait()
        moody.waits = False
        assert (await post(client, "Ask")).status_code == 200
        assert not slow.done()
        slow.cancel()
        with pytest.raises(asyncio.CancelledError):
            await slow
    assert moody.cancelled


async def test_faults_do_not_repeat_the_request(client: httpx.AsyncClient) -> None:
    for arguments in ("<newTargetValue>canary-41</newTargetValue>", "<canary-41/>"):
        response = await post(client, "SetTarget", arguments)
        assert error_code(response) == 402
        assert "canary" not in response.text


# The log


async def test_the_traffic_log_shows_both_messages_without_control_characters(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "mediaserver.traffic.soap"):
        await post(client, "SetTarget", "<newTargetValue>\n\tyes\u2028</newTargetValue>")
    texts = [
        each.getMessage() for each in caplog.records if each.name == "mediaserver.traffic.soap"
    ]
    assert len(texts) == 2
    assert "newTargetValue" in texts[0]
    assert "errorCode" in texts[1]
    assert all(text.isprintable() for text in texts)


async def test_nothing_from_the_network_reaches_the_log_raw(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await client.post(
            CONTROL,
            content=envelope("SetTarget", "<newTargetValue>a\nFORGED\x7f</newTargetValue>"),
            headers=action_headers("SetTarget"),
        )
    assert caplog.records
    assert all(each.getMessage().isprintable() for each in caplog.records)
