"""ConnectionManager:1 of a server that only answers HTTP GET (CM:1).

Without PrepareForConnection there is always exactly one connection, number 0, of which nothing is
known: control points set up their transfers without us.
"""

from collections.abc import Mapping
from functools import lru_cache

from mediaserver.av import source_protocol_info
from mediaserver.av.errors import InvalidConnectionReference
from mediaserver.clients import UNKNOWN
from mediaserver.upnp.service import Action, ActionRequest, Service, StateVariable

SOURCE_PROTOCOL_INFO = StateVariable("SourceProtocolInfo", evented=True)
SINK_PROTOCOL_INFO = StateVariable("SinkProtocolInfo", evented=True)
CURRENT_CONNECTION_IDS = StateVariable("CurrentConnectionIDs", evented=True)
CONNECTION_STATUS = StateVariable(
    "A_ARG_TYPE_ConnectionStatus",
    allowed=(
        "OK",
        "ContentFormatMismatch",
        "InsufficientBandwidth",
        "UnreliableChannel",
        "Unknown",
    ),
)
CONNECTION_MANAGER = StateVariable("A_ARG_TYPE_ConnectionManager")
DIRECTION = StateVariable("A_ARG_TYPE_Direction", allowed=("Input", "Output"))
PROTOCOL_INFO = StateVariable("A_ARG_TYPE_ProtocolInfo")
CONNECTION_ID = StateVariable("A_ARG_TYPE_ConnectionID", "i4")
AV_TRANSPORT_ID = StateVariable("A_ARG_TYPE_AVTransportID", "i4")
RCS_ID = StateVariable("A_ARG_TYPE_RcsID", "i4")

GET_PROTOCOL_INFO = Action(
    "GetProtocolInfo", gives=(("Source", SOURCE_PROTOCOL_INFO), ("Sink", SINK_PROTOCOL_INFO))
)
GET_CURRENT_CONNECTION_IDS = Action(
    "GetCurrentConnectionIDs", gives=(("ConnectionIDs", CURRENT_CONNECTION_IDS),)
)
GET_CURRENT_CONNECTION_INFO = Action(
    "GetCurrentConnectionInfo",
    takes=(("ConnectionID", CONNECTION_ID),),
    gives=(
        ("RcsID", RCS_ID),
        ("AVTransportID", AV_TRANSPORT_ID),
        ("ProtocolInfo", PROTOCOL_INFO),
        ("PeerConnectionManager", CONNECTION_MANAGER),
        ("PeerConnectionID", CONNECTION_ID),
        ("Direction", DIRECTION),
        ("Status", CONNECTION_STATUS),
    ),
)

_ONLY_CONNECTION = 0


class ConnectionManager:
    """The service. Its variables never change: what we can send does not depend on the library."""

    def __init__(self) -> None:
        self._source = lru_cache(maxsize=64)(source_protocol_info.source)
        self.service = Service(
            name="ConnectionManager",
            service_type="urn:schemas-upnp-org:service:ConnectionManager:1",
            service_id="urn:upnp-org:serviceId:ConnectionManager",
            actions={
                GET_PROTOCOL_INFO: self._get_protocol_info,
                GET_CURRENT_CONNECTION_IDS: self._get_current_connection_ids,
                GET_CURRENT_CONNECTION_INFO: self._get_current_connection_info,
            },
            values={
                # Events go to whoever subscribed, so they say what suits everybody.
                SOURCE_PROTOCOL_INFO: self._source(UNKNOWN),
                SINK_PROTOCOL_INFO: "",
                CURRENT_CONNECTION_IDS: str(_ONLY_CONNECTION),
            },
        )

    async def _get_protocol_info(self, request: ActionRequest) -> Mapping[str, object]:
        return {"Source": self._source(request.profile), "Sink": ""}

    async def _get_current_connection_ids(self, request: ActionRequest) -> Mapping[str, object]:
        return {"ConnectionIDs": str(_ONLY_CONNECTION)}

    async def _get_current_connection_info(
        self, request: ActionRequest, *, connection_id: int
    ) -> Mapping[str, object]:
        if connection_id != _ONLY_CONNECTION:
            raise InvalidConnectionReference(f"connection {connection_id}")
        return {
            "RcsID": -1,
            "AVTransportID": -1,
            "ProtocolInfo": "",
            "PeerConnectionManager": "",
            "PeerConnectionID": -1,
            "Direction": "Output",
            "Status": "OK",
        }
