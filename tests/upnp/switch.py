"""A small device to test with: a switch that can be turned (SwitchPower:1, as UPnP has it)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from starlette.applications import Starlette

from mediaserver import urls
from mediaserver.upnp import control, description
from mediaserver.upnp.device import Device, Icon
from mediaserver.upnp.errors import ActionError
from mediaserver.upnp.service import Action, ActionRequest, Service, StateVariable

SERVER = "Linux/6.1 UPnP/1.0 Switch/1.0"
TYPE = "urn:schemas-upnp-org:service:SwitchPower:1"
CONTROL = urls.control("SwitchPower")

TARGET = StateVariable("Target", "boolean", default="0")
STATUS = StateVariable("Status", "boolean", evented=True, default="0")

SET_TARGET = Action("SetTarget", takes=(("newTargetValue", TARGET),))
GET_TARGET = Action("GetTarget", gives=(("RetTargetValue", TARGET),))
GET_STATUS = Action("GetStatus", gives=(("ResultStatus", STATUS),))


@dataclass
class Switch:
    """What the actions do, and the device around them."""

    on: bool = False
    stuck: type[ActionError] | None = None
    """Why it cannot be turned."""
    requests: list[ActionRequest] = field(default_factory=list)
    """Those of GetStatus."""

    def __post_init__(self) -> None:
        self.service = Service(
            name="SwitchPower",
            service_type=TYPE,
            service_id="urn:upnp-org:serviceId:SwitchPower",
            actions={
                SET_TARGET: self.set_target,
                GET_TARGET: self.get_target,
                GET_STATUS: self.get_status,
            },
        )
        self.device = make_device(self.service)

    async def set_target(
        self, request: ActionRequest, *, new_target_value: bool
    ) -> Mapping[str, object]:
        if self.stuck is not None:
            raise self.stuck("stuck")
        self.on = new_target_value
        self.service.set({TARGET: self.on, STATUS: self.on})
        return {}

    async def get_target(self, request: ActionRequest) -> Mapping[str, object]:
        return {"RetTargetValue": self.on}

    async def get_status(self, request: ActionRequest) -> Mapping[str, object]:
        self.requests.append(request)
        return {"ResultStatus": self.on}

    def app(self) -> Starlette:
        """The device over HTTP, without eventing."""
        return Starlette(
            routes=[
                *description.routes(self.device, urls, server=SERVER),
                control.route(CONTROL, self.service, server=SERVER),
            ]
        )


def make_device(*services: Service, **more: object) -> Device:
    values: dict[str, object] = {
        "udn": "uuid:2fac1234-31f8-11b4-a222-08002b34c003",
        "device_type": "urn:schemas-upnp-org:device:BinaryLight:1",
        "friendly_name": "A lamp",
        "manufacturer": "Somebody",
        "model_name": "Lamp",
        "icons": (Icon("image/png", 48, 48, 24, "/icon/lamp.png", b"\x89PNG lamp"),),
        "services": services,
        **more,
    }
    return Device(**values)  # type: ignore[arg-type]  # what a test hands in, Device checks


def http(app: Starlette, host: str = "192.0.2.5:8200") -> httpx.AsyncClient:
    """Somebody who speaks HTTP with the application, without a network."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=f"http://{host}")


def envelope(action: str, arguments: str = "", service_type: str = TYPE) -> bytes:
    """A control request as UDA 1.1 §3.2.1 writes it; ``arguments`` is XML."""
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
        f'<u:{action} xmlns:u="{service_type}">{arguments}</u:{action}>'
        "</s:Body></s:Envelope>"
    ).encode()


def action_headers(action: str, service_type: str = TYPE) -> dict[str, str]:
    return {
        "Content-Type": 'text/xml; charset="utf-8"',
        "SOAPACTION": f'"{service_type}#{action}"',
    }


async def post(
    client: httpx.AsyncClient,
    action: str,
    arguments: str = "",
    *,
    service_type: str = TYPE,
    headers: Mapping[str, str] | None = None,
    path: str = CONTROL,
) -> httpx.Response:
    return await client.post(
        path,
        content=envelope(action, arguments, service_type),
        headers={**action_headers(action, service_type), **(headers or {})},
    )
