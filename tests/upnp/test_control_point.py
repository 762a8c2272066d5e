"""The switch as seen by a control point that others wrote: async_upnp_client."""

import httpx
import pytest
from async_upnp_client.client import UpnpRequester, UpnpService
from async_upnp_client.client_factory import UpnpFactory
from async_upnp_client.const import HttpRequest, HttpResponse
from async_upnp_client.exceptions import UpnpActionError

from mediaserver.upnp.errors import ActionFailed
from tests.upnp.switch import TYPE, Switch

LOCATION = "http://192.0.2.5:8200/description.xml"


class Requester(UpnpRequester):
    """Takes requests straight to the application."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def async_http_request(self, http_request: HttpRequest) -> HttpResponse:
        response = await self._client.request(
            http_request.method,
            http_request.url,
            headers=dict(http_request.headers),
            content=http_request.body,
        )
        return HttpResponse(response.status_code, response.headers, response.text)


@pytest.fixture
async def service(client: httpx.AsyncClient) -> UpnpService:
    factory = UpnpFactory(Requester(client), non_strict=False)
    device = await factory.async_create_device(LOCATION)
    return device.service(TYPE)


async def test_the_device_is_understood(client: httpx.AsyncClient, switch: Switch) -> None:
    device = await UpnpFactory(Requester(client)).async_create_device(LOCATION)
    assert device.friendly_name == "A lamp"
    assert device.udn == switch.device.udn
    assert device.device_type == "urn:schemas-upnp-org:device:BinaryLight:1"
    [icon] = device.icons
    assert (icon.url, icon.width, icon.mimetype) == (
        "http://192.0.2.5:8200/icon/lamp.png",
        48,
        "image/png",
    )
    assert list(device.services) == [TYPE]


async def test_the_service_is_understood(service: UpnpService) -> None:
    assert set(service.actions) == {"SetTarget", "GetTarget", "GetStatus"}
    assert service.state_variable("Status").send_events
    assert not service.state_variable("Target").send_events
    assert service.state_variable("Target").default_value is False
    assert service.control_url == "http://192.0.2.5:8200/service/SwitchPower/control"
    assert service.event_sub_url == "http://192.0.2.5:8200/service/SwitchPower/event"


async def test_actions_work_to_and_fro(service: UpnpService, switch: Switch) -> None:
    assert await service.action("GetStatus").async_call() == {"ResultStatus": False}
    assert await service.action("SetTarget").async_call(newTargetValue=True) == {}
    assert switch.on
    assert await service.action("GetStatus").async_call() == {"ResultStatus": True}


async def test_a_fault_is_understood(service: UpnpService, switch: Switch) -> None:
    switch.stuck = ActionFailed
    with pytest.raises(UpnpActionError) as caught:
        await service.action("SetTarget").async_call(newTargetValue=True)
    assert caught.value.error_code == 501
    assert caught.value.error_desc == "Action Failed"
