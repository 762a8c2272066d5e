"""X_MS_MediaReceiverRegistrar:1: whether a device may use us (Microsoft's; content-directory 13).

The Xbox 360 and older Windows Media Players ask it before they browse. Who may connect at all is
decided at the door of the server, so everybody who can ask is authorized and validated.
"""

from collections.abc import Mapping

from mediaserver.upnp.service import Action, ActionRequest, Service, StateVariable

DEVICE_ID = StateVariable("A_ARG_TYPE_DeviceID")
RESULT = StateVariable("A_ARG_TYPE_Result", "int")
REQUEST_MESSAGE = StateVariable("A_ARG_TYPE_RegistrationReqMsg", "bin.base64")
RESPONSE_MESSAGE = StateVariable("A_ARG_TYPE_RegistrationRespMsg", "bin.base64")
UPDATE_IDS = tuple(
    StateVariable(name, "ui4", evented=True)
    for name in (
        "AuthorizationGrantedUpdateID",
        "AuthorizationDeniedUpdateID",
        "ValidationSucceededUpdateID",
        "ValidationRevokedUpdateID",
    )
)

IS_AUTHORIZED = Action(
    "IsAuthorized", takes=(("DeviceID", DEVICE_ID),), gives=(("Result", RESULT),)
)
REGISTER_DEVICE = Action(
    "RegisterDevice",
    takes=(("RegistrationReqMsg", REQUEST_MESSAGE),),
    gives=(("RegistrationRespMsg", RESPONSE_MESSAGE),),
)
IS_VALIDATED = Action("IsValidated", takes=(("DeviceID", DEVICE_ID),), gives=(("Result", RESULT),))


class MediaReceiverRegistrar:
    """The service. Nobody's authorization ever changes, so neither do its variables."""

    def __init__(self) -> None:
        self.service = Service(
            name="X_MS_MediaReceiverRegistrar",
            service_type="urn:microsoft.com:service:X_MS_MediaReceiverRegistrar:1",
            service_id="urn:microsoft.com:serviceId:X_MS_MediaReceiverRegistrar",
            actions={
                IS_AUTHORIZED: self._yes,
                REGISTER_DEVICE: self._register,
                IS_VALIDATED: self._yes,
            },
            variables=UPDATE_IDS,
            values=dict.fromkeys(UPDATE_IDS, 0),
        )

    async def _yes(self, request: ActionRequest, *, device_id: str) -> Mapping[str, object]:
        """``device_id`` may be empty: the one who asks."""
        return {"Result": 1}

    async def _register(
        self, request: ActionRequest, *, registration_req_msg: bytes
    ) -> Mapping[str, object]:
        """Registration has no effect on anyone, so its answer holds nothing."""
        return {"RegistrationRespMsg": b""}
