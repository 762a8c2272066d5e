"""A small control point that shares no code with the program: HTTP and SOAP as UDA 1.0 writes them.

How it connects can be handed in, so that it can sit on another host of a test's network.
"""

import http.client
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

from lxml import etree

DEVICE = "{urn:schemas-upnp-org:device-1-0}"
DIDL = "{urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/}"
DC = "{http://purl.org/dc/elements/1.1/}"
UPNP = "{urn:schemas-upnp-org:metadata-1-0/upnp/}"
CONTROL = "{urn:schemas-upnp-org:control-1-0}"
ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
SECONDS = 60.0

Connect = Callable[[str, int], socket.socket]


def connect(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), SECONDS)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class Fault(Exception):  # noqa: N818 - as SOAP calls it
    """The errorCode of a refused action."""

    def __init__(self, code: int, description: str) -> None:
        super().__init__(code, description)
        self.code = code


@dataclass(frozen=True)
class Page:
    """An answer to Browse or Search."""

    objects: list[Any]
    """Elements ``item`` and ``container``."""
    returned: int
    total: int
    update_id: int


@dataclass
class ControlPoint:
    """Speaks with the device described at ``location``; ``headers`` go with every request."""

    location: str
    connect: Connect = connect
    headers: Mapping[str, str] = field(default_factory=dict)
    _connections: dict[str, http.client.HTTPConnection] = field(default_factory=dict, repr=False)

    def request(
        self,
        url: str,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Answer:
        """On a connection that is kept for the next request to the same host."""
        parts = urlsplit(urljoin(self.location, url))
        connection = self._connections.get(parts.netloc)
        if connection is None:
            connection = http.client.HTTPConnection(parts.netloc, timeout=SECONDS)
            connection.auto_open = 0
            self._connections[parts.netloc] = connection
        if connection.sock is None:
            assert parts.hostname is not None
            connection.sock = self.connect(parts.hostname, parts.port or 80)
            # Head and body are two packets: the second must not wait for the first to be confirmed.
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, {**self.headers, **(headers or {})})
        response = connection.getresponse()
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, found, response.read())

    def get(self, url: str, **headers: str) -> bytes:
        answer = self.request(url, headers=headers)
        assert answer.status in (200, 206), (url, answer)
        return answer.body

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()
        self._connections.clear()

    def description(self) -> Any:
        """The root element of the device description."""
        return etree.fromstring(self.get(self.location))

    def service(self, name: str) -> dict[str, str]:
        """What the description says of a service, by element name."""
        for service in self.description().iter(f"{DEVICE}service"):
            found = {etree.QName(child).localname: child.text or "" for child in service}
            if found["serviceType"].split(":")[-2] == name:
                return found
        raise LookupError(name)

    def call(self, service: str, action: str, **arguments: str | int) -> dict[str, str]:
        """The out arguments of an action, in the order they came. Fault."""
        kind, url = self._control(service)
        content = "".join(
            f"<{name}>{escape(str(value))}</{name}>" for name, value in arguments.items()
        )
        body = (
            '<?xml version="1.0"?>\n'
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
            ' s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
            f'<u:{action} xmlns:u="{kind}">{content}</u:{action}></s:Body></s:Envelope>'
        )
        headers = {
            "Content-Type": 'text/xml; charset="utf-8"',
            "SOAPACTION": f'"{kind}#{action}"',
        }
        answer = self.request(url, "POST", headers, body.encode())
        root = etree.fromstring(answer.body, etree.XMLParser(huge_tree=True))
        if answer.status == 500:
            code = root.findtext(f".//{CONTROL}errorCode")
            assert code is not None
            raise Fault(int(code), root.findtext(f".//{CONTROL}errorDescription") or "")
        assert answer.status == 200, answer
        [response] = root.findall(f"{ENVELOPE}Body/{{{kind}}}{action}Response")
        return {str(child.tag): child.text or "" for child in response}

    def browse(
        self,
        object_id: str,
        *,
        metadata: bool = False,
        wanted: str = "*",
        start: int = 0,
        count: int = 0,
        sort: str = "",
    ) -> Page:
        """Browse of ContentDirectory; ``wanted`` is the Filter. Fault."""
        answer = self.call(
            "ContentDirectory",
            "Browse",
            ObjectID=object_id,
            BrowseFlag="BrowseMetadata" if metadata else "BrowseDirectChildren",
            Filter=wanted,
            StartingIndex=start,
            RequestedCount=count,
            SortCriteria=sort,
        )
        return _page(answer)

    def search(self, container_id: str, criteria: str, *, wanted: str = "*") -> Page:
        """Search of ContentDirectory, everything that is found. Fault."""
        answer = self.call(
            "ContentDirectory",
            "Search",
            ContainerID=container_id,
            SearchCriteria=criteria,
            Filter=wanted,
            StartingIndex=0,
            RequestedCount=0,
            SortCriteria="",
        )
        return _page(answer)

    def _control(self, service: str) -> tuple[str, str]:
        """Type and control URL, looked up once."""
        if service not in self._controls:
            found = self.service(service)
            self._controls[service] = (
                found["serviceType"],
                urljoin(self.location, found["controlURL"]),
            )
        return self._controls[service]

    _controls: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)


def _page(answer: Mapping[str, str]) -> Page:
    assert list(answer) == ["Result", "NumberReturned", "TotalMatches", "UpdateID"]
    root = etree.fromstring(answer["Result"].encode(), etree.XMLParser(huge_tree=True))
    assert root.tag == f"{DIDL}DIDL-Lite"
    return Page(
        objects=list(root),
        returned=int(answer["NumberReturned"]),
        total=int(answer["TotalMatches"]),
        update_id=int(answer["UpdateID"]),
    )
