"""A client that sends exactly the bytes it is told, and believes nothing that comes back.

Answers are taken apart strictly: a byte that belongs to no response, or a header with a control
character in it, is a failure of the server (RFC 9112).
"""

import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

from lxml import etree

from tests.end_to_end.program import Program
from tests.patience import PATIENCE

CONTENT_DIRECTORY = "urn:schemas-upnp-org:service:ContentDirectory:1"

_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) [ -~]*")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*)")


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


def talk(port: int, data: bytes, *, source: str = "127.0.0.1") -> bytes:
    """All bytes that come back until the connection ends, which it has to in good time."""
    with connected(port, source=source) as sock:
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:  # refused before all was sent
            pass
        return rest(sock)


@contextmanager
def connected(
    port: int, *, source: str = "127.0.0.1", receive_buffer: int = 0
) -> Iterator[socket.socket]:
    with socket.socket() as sock:
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.settimeout(PATIENCE)
        sock.bind((source, 0))
        sock.connect(("127.0.0.1", port))
        yield sock


def rest(sock: socket.socket) -> bytes:
    """Everything up to the end of a connection, also where it is broken off."""
    received = bytearray()
    try:
        while data := sock.recv(1 << 16):
            received += data
    except ConnectionError:
        pass
    return bytes(received)


def responses(data: bytes, methods: Sequence[str] = ()) -> list[Response]:
    """All of the bytes as responses; ``methods`` of their requests, GET if not told."""
    found: list[Response] = []
    while data:
        head, blank, data = data.partition(b"\r\n\r\n")
        assert blank, head[:200]
        first, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(first)
        assert status, first[:200]
        headers: dict[str, str] = {}
        for line in lines:
            field = _HEADER.fullmatch(line)
            assert field, line[:200]
            name = field[1].decode().lower()
            assert name not in headers, f"{name} twice"
            headers[name] = field[2].decode("latin-1").strip()
        method = methods[len(found)] if len(found) < len(methods) else "GET"
        code = int(status[1])
        if method == "HEAD" or code in (204, 304) or code < 200:
            body = b""
        elif headers.get("transfer-encoding") == "chunked":
            body, data = _chunks(data)
        else:
            length = int(headers["content-length"])
            body, data = data[:length], data[length:]
            assert len(body) == length
        found.append(Response(code, headers, body))
    return found


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    body = b""
    while True:
        size, line_end, data = data.partition(b"\r\n")
        assert line_end
        length = int(size, 16)
        piece, data = data[:length], data[length:]
        assert len(piece) == length
        assert data.startswith(b"\r\n")
        data = data[2:]
        if not length:
            return body, data
        body += piece


def request(
    port: int,
    target: str | bytes,
    *lines: str | bytes,
    method: str = "GET",
    body: bytes = b"",
    host: str | bytes | None = None,
) -> bytes:
    """A request with its Host; ``lines`` are further headers."""
    if host is None:
        host = f"127.0.0.1:{port}"
    head = [method.encode() + b" " + _bytes(target) + b" HTTP/1.1", b"Host: " + _bytes(host)]
    head += map(_bytes, lines)
    if body:
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join([*head, b"", b""]) + body


def ask(
    program: Program,
    target: str | bytes,
    *lines: str | bytes,
    method: str = "GET",
    body: bytes = b"",
    host: str | bytes | None = None,
) -> Response:
    """One request on a connection of its own; there must be one answer and nothing more."""
    port = program.port
    asked = request(port, target, "Connection: close", *lines, method=method, body=body, host=host)
    (answer,) = responses(talk(port, asked), [method])
    return answer


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


# ---- SOAP


def envelope(action: str, arguments: str, service: str = CONTENT_DIRECTORY) -> bytes:
    """``arguments`` as XML, well-formed or not."""
    return (
        '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
        's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
        f'<u:{action} xmlns:u="{service}">{arguments}</u:{action}></s:Body></s:Envelope>'
    ).encode()


def arguments(**values: str) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def post(program: Program, body: bytes, *lines: str, action: str = "Browse") -> Response:
    """A body of any kind to ContentDirectory's control URL."""
    return ask(
        program,
        "/service/ContentDirectory/control",
        'Content-Type: text/xml; charset="utf-8"',
        f'SOAPACTION: "{CONTENT_DIRECTORY}#{action}"',
        *lines,
        method="POST",
        body=body,
    )


BROWSE = {
    "ObjectID": "0",
    "BrowseFlag": "BrowseDirectChildren",
    "Filter": "*",
    "StartingIndex": "0",
    "RequestedCount": "0",
    "SortCriteria": "",
}
SEARCH = {
    "ContainerID": "0",
    "SearchCriteria": "*",
    "Filter": "*",
    "StartingIndex": "0",
    "RequestedCount": "0",
    "SortCriteria": "",
}


def browse(program: Program, **changed: str) -> Response:
    return post(program, envelope("Browse", arguments(**(BROWSE | changed))))


def search(program: Program, **changed: str) -> Response:
    body = envelope("Search", arguments(**(SEARCH | changed)))
    return post(program, body, action="Search")


def fault_of(response: Response) -> int:
    """The error code of a fault (UDA 1.1 §3.2.2)."""
    assert response.status == 500, response
    code = etree.fromstring(response.body).findtext(".//{*}errorCode")
    assert code is not None
    return int(code)


def numbers(response: Response) -> tuple[int, int]:
    """NumberReturned and TotalMatches."""
    assert response.status == 200, response
    answer = etree.fromstring(response.body)
    return int(answer.findtext(".//NumberReturned", "")), int(
        answer.findtext(".//TotalMatches", "")
    )


def objects(response: Response) -> list[etree._Element]:
    """The objects in the DIDL-Lite of an answer."""
    assert response.status == 200, response
    result = etree.fromstring(response.body).findtext(".//Result")
    assert result is not None
    return list(etree.fromstring(result.encode()))


def everything(program: Program, answered: Callable[[Response], None]) -> dict[str, etree._Element]:
    """All objects of the tree by id; ``answered`` sees every answer that told of them."""
    found: dict[str, etree._Element] = {}
    waiting = ["0"]
    while waiting:
        container = waiting.pop()
        start = 0
        while True:
            answer = browse(program, ObjectID=container, StartingIndex=str(start))
            answered(answer)
            returned, total = numbers(answer)
            for each in objects(answer):
                object_id = str(each.get("id"))
                assert each.get("parentID") == container
                if object_id not in found and str(each.tag).endswith("}container"):
                    waiting.append(object_id)
                found[object_id] = each
            start += returned
            if start >= total:
                break
            assert returned
    return found
