"""ConnectionManager:1 and X_MS_MediaReceiverRegistrar:1 against their specifications."""

import pytest

from mediaserver.av.connection_manager import ConnectionManager
from mediaserver.av.registrar import MediaReceiverRegistrar
from mediaserver.clients import ClientProfile
from mediaserver.upnp.errors import ActionError
from mediaserver.upnp.service import Service
from tests.av.library_fake import asked
from tests.conformance.tables import Table, assert_conforms

CONNECTION_MANAGER = Table("ConnectionManager1")
REGISTRAR = Table("X_MS_MediaReceiverRegistrar1")


@pytest.fixture
def manager() -> Service:
    return ConnectionManager().service


async def call(service: Service, action: str, **arguments: str) -> dict[str, str]:
    results = await service.call(action, arguments, asked(service.service_type))
    return {name: str(value) for name, value in results}


def test_actions_and_variables_are_those_of_cm_1(manager: Service) -> None:
    assert_conforms(manager, CONNECTION_MANAGER, vendor=frozenset())


def test_connections_are_not_prepared(manager: Service) -> None:
    """Optional actions that do nothing are not to be declared (connection-manager 1)."""
    declared = {action.name for action in manager.actions}
    assert declared == CONNECTION_MANAGER.required


async def test_the_only_connection_is_0(manager: Service) -> None:
    """CM:1 §2.4.4 without PrepareForConnection."""
    assert await call(manager, "GetCurrentConnectionIDs") == {"ConnectionIDs": "0"}


async def test_connection_0_says_what_servers_without_connections_say(manager: Service) -> None:
    """connection-manager 1; Rygel's values."""
    assert await call(manager, "GetCurrentConnectionInfo", ConnectionID="0") == {
        "RcsID": "-1",
        "AVTransportID": "-1",
        "ProtocolInfo": "",
        "PeerConnectionManager": "",
        "PeerConnectionID": "-1",
        "Direction": "Output",
        "Status": "OK",
    }


@pytest.mark.parametrize("number", ["1", "-1", "2147483647"])
async def test_any_other_connection_is_706(manager: Service, number: str) -> None:
    with pytest.raises(ActionError) as caught:
        await call(manager, "GetCurrentConnectionInfo", ConnectionID=number)
    assert caught.value.code == 706


@pytest.mark.parametrize("number", ["", "none", "2147483648"])
async def test_a_connection_that_is_no_number_is_402(manager: Service, number: str) -> None:
    with pytest.raises(ActionError) as caught:
        await call(manager, "GetCurrentConnectionInfo", ConnectionID=number)
    assert caught.value.code == 402


async def test_a_server_has_sources_and_no_sink(manager: Service) -> None:
    answer = await call(manager, "GetProtocolInfo")
    assert answer["Sink"] == ""
    for entry in answer["Source"].split(","):
        protocol, network, _, _ = entry.split(":")
        assert (protocol, network) == ("http-get", "*")


async def test_what_is_evented_is_what_is_answered(manager: Service) -> None:
    values = {variable.name: value for variable, value in manager.evented()}
    answer = await call(manager, "GetProtocolInfo")
    assert values == {
        "SourceProtocolInfo": answer["Source"],
        "SinkProtocolInfo": "",
        "CurrentConnectionIDs": "0",
    }


async def test_a_device_is_answered_in_its_own_names() -> None:
    profile = ClientProfile(mime_types={"audio/flac": "audio/x-flac"})
    service = ConnectionManager().service
    request = asked(service.service_type, profile)
    answer = dict(await service.call("GetProtocolInfo", {}, request))
    assert "http-get:*:audio/x-flac:*" in str(answer["Source"]).split(",")


# ---- X_MS_MediaReceiverRegistrar


@pytest.fixture
def registrar() -> Service:
    return MediaReceiverRegistrar().service


def test_actions_and_variables_are_those_of_the_registrar(registrar: Service) -> None:
    assert_conforms(registrar, REGISTRAR, vendor=frozenset())
    assert {action.name for action in registrar.actions} == set(REGISTRAR.actions)


@pytest.mark.parametrize("action", ["IsAuthorized", "IsValidated"])
@pytest.mark.parametrize("device", ["", "uuid:11111111-1111-4111-8111-111111111111"])
async def test_every_device_is_welcome(registrar: Service, action: str, device: str) -> None:
    """content-directory 13: Result 1; an empty DeviceID is the one who asks (Xbox 360)."""
    assert await call(registrar, action, DeviceID=device) == {"Result": "1"}


async def test_registration_is_answered_with_nothing(registrar: Service) -> None:
    """content-directory 13."""
    answer = await call(registrar, "RegisterDevice", RegistrationReqMsg="AAECAw==")
    assert answer == {"RegistrationRespMsg": ""}
