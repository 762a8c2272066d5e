"""What the device validator of the UPnP Forum checks of every service (description-soap-gena 4
and 6), asked of the running program over the network."""

import re
import socket
from collections.abc import Iterator

import pytest
from lxml import etree

from tests.control_point import Answer, ControlPoint, Fault
from tests.end_to_end.program import Program
from tests.make_media import settle, sound

pytestmark = pytest.mark.end_to_end

SCPD = "{urn:schemas-upnp-org:service-1-0}"
EVENT = "{urn:schemas-upnp-org:event-1-0}"
SERVICES = ("ContentDirectory", "ConnectionManager", "X_MS_MediaReceiverRegistrar")


@pytest.fixture(scope="module")
def point(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPoint]:
    root = tmp_path_factory.mktemp("Media")
    sound(root / "song.flac", seconds=1)
    with Program(settle(root), home=tmp_path_factory.mktemp("home")) as program:
        program.wait_until_scanned(items=1)
        point = ControlPoint(f"{program.url}description.xml")
        yield point
        point.close()


# ---- Control: every action of every service


def actions(point: ControlPoint, service: str) -> dict[str, list[tuple[str, str, str]]]:
    """The actions of a service description: name, direction and variable of each argument."""
    document = etree.fromstring(point.get(point.service(service)["SCPDURL"]))
    return {
        action.findtext(f"{SCPD}name", ""): [
            (
                argument.findtext(f"{SCPD}name", ""),
                argument.findtext(f"{SCPD}direction", ""),
                argument.findtext(f"{SCPD}relatedStateVariable", ""),
            )
            for argument in action.iter(f"{SCPD}argument")
        ]
        for action in document.iter(f"{SCPD}action")
    }


VALID = {
    "ObjectID": "0",
    "ContainerID": "0",
    "BrowseFlag": "BrowseDirectChildren",
    "Filter": "*",
    "StartingIndex": "0",
    "RequestedCount": "1",
    "SortCriteria": "",
    "SearchCriteria": "*",
    "ConnectionID": "0",
    "DeviceID": "",
    "RegistrationReqMsg": "",
}


@pytest.mark.parametrize("service", SERVICES)
def test_every_action_answers_valid_arguments_with_all_it_declares(
    service: str, point: ControlPoint
) -> None:
    for action, arguments in actions(point, service).items():
        given = {name: VALID[name] for name, direction, _ in arguments if direction == "in"}
        answer = point.call(service, action, **given)
        assert list(answer) == [name for name, direction, _ in arguments if direction == "out"]


@pytest.mark.parametrize("service", SERVICES)
def test_a_missing_argument_and_a_value_of_another_type_are_402(
    service: str, point: ControlPoint
) -> None:
    tried = 0
    for action, arguments in actions(point, service).items():
        given = {name: VALID[name] for name, direction, _ in arguments if direction == "in"}
        for name in given:
            wrong = [{each: value for each, value in given.items() if each != name}]
            if name in ("StartingIndex", "RequestedCount", "ConnectionID"):
                wrong.append({**given, name: "many"})
            for each in wrong:
                with pytest.raises(Fault) as caught:
                    point.call(service, action, **each)
                assert caught.value.code == 402, (action, each)
                tried += 1
    assert tried


def test_a_value_that_is_not_in_the_allowed_list_is_refused(point: ControlPoint) -> None:
    """The validator takes only codes below 501 as proof that the list is looked at."""
    with pytest.raises(Fault) as caught:
        point.call("ContentDirectory", "Browse", **{**VALID_BROWSE, "BrowseFlag": "Everything"})
    assert caught.value.code < 501


VALID_BROWSE = {
    name: VALID[name]
    for name in (
        "ObjectID",
        "BrowseFlag",
        "Filter",
        "StartingIndex",
        "RequestedCount",
        "SortCriteria",
    )
}


def test_an_action_that_is_not_declared_is_401(point: ControlPoint) -> None:
    for service in SERVICES:
        with pytest.raises(Fault) as caught:
            point.call(service, "NoSuchAction")
        assert caught.value.code == 401


# ---- Eventing (description-soap-gena 6)


def subscribe(point: ControlPoint, url: str, port: int) -> Answer:
    """As the validator does: a delivery URL without path, a short time."""
    headers = {
        "Callback": f"<http://127.0.0.1:{port}>",
        "NT": "upnp:event",
        "Timeout": "Second-15",
    }
    return point.request(url, "SUBSCRIBE", headers)


@pytest.mark.parametrize("service", SERVICES)
def test_a_subscription_is_granted_renewed_cancelled_and_told_everything(
    service: str, point: ControlPoint
) -> None:
    found = point.service(service)
    document = etree.fromstring(point.get(found["SCPDURL"]))
    evented = {
        variable.findtext(f"{SCPD}name")
        for variable in document.iter(f"{SCPD}stateVariable")
        if variable.get("sendEvents") != "no"
    }
    url = found["eventSubURL"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        port = listener.getsockname()[1]
        first = subscribe(point, url, port)
        assert first.status == 200
        assert told(listener) == evented
        sid = first.headers["sid"]
        renewal = point.request(url, "SUBSCRIBE", {"SID": sid, "Timeout": "Second-15"})
        assert (renewal.status, renewal.headers["sid"]) == (200, sid)
        assert point.request(url, "UNSUBSCRIBE", {"SID": sid}).status == 200

        second = subscribe(point, url, port)
        assert second.status == 200
        assert second.headers["sid"] != sid
        assert told(listener) == evented
        point.request(url, "UNSUBSCRIBE", {"SID": second.headers["sid"]})


def told(listener: socket.socket) -> set[str]:
    """The variables of the next event message."""
    connection, _ = listener.accept()
    with connection, connection.makefile("rb") as file:
        connection.settimeout(30)
        head = b"".join(iter(file.readline, b"\r\n"))
        assert head.startswith(b"NOTIFY / HTTP/1.1\r\n")
        length = re.search(rb"(?i)content-length: (\d+)", head)
        assert length is not None
        root = etree.fromstring(file.read(int(length[1])))
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return {str(child.tag) for each in root.iter(f"{EVENT}property") for child in each}
