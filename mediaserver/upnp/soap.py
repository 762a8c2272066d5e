"""Control messages as bytes and values: SOAP 1.1 as UPnP uses it (UDA 1.1 §3.2).

Pure: no sockets, no service. ``control`` answers requests with what is read and written here.

Read tolerantly, since control points differ: any prefixes, arguments in any order, with or without
XML declaration, with or without quotes around SOAPACTION. What is refused, and how:

====================================================  ==========================================
no or unusable SOAPACTION                             412
no envelope, body or element for the action in it     412, as GUPnP has it
not XML, not UTF-8 or UTF-16, DOCTYPE, too large      400
not XML by its CONTENT-TYPE                           415
an argument twice, or with elements in it             fault 402
====================================================  ==========================================

SOAP's own Header entries are not looked at: UPnP defines none.
"""

import codecs
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from lxml import etree

from mediaserver.upnp.data_types import EscapedUTF8
from mediaserver.upnp.errors import InvalidArgs
from mediaserver.upnp.xml_text import element, escape

CONTROL = "urn:schemas-upnp-org:control-1-0"
"""Namespace of QueryStateVariable and of UPnPError."""

MAX_DEPTH = 32
MAX_ELEMENTS = 2000

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>\n'
_OPEN = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    's:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"><s:Body>'
)
_CLOSE = "</s:Body></s:Envelope>"

_SOAPACTION = re.compile(r"\s*([\"']?)(?P<type>[^\"'#\s]+)#(?P<name>[^\"'#\s]+)\1\s*")
_XML_TYPE = re.compile(r"(?:text/xml|application/(?:[a-z0-9.+-]+\+)?xml)")
_CHARSET = re.compile(r";\s*charset\s*=\s*[\"']?([A-Za-z0-9._-]+)", re.IGNORECASE)

# The encoding is ours to find out (below); entities, DTDs and the network are of no use here
# (security.md S1). Comments and processing instructions are dropped, CDATA is text.
_PARSER = etree.XMLParser(
    encoding="utf-8",
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=True,
    collect_ids=False,
)


class RequestRefused(Exception):  # noqa: N818 - it is an answer, not a fault
    """A request that gets an HTTP status instead of a SOAP answer. ``reason`` is for the log."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason


class Call(NamedTuple):
    """An action as asked for."""

    service_type: str
    """The namespace of the action's element, version and all."""
    action: str
    arguments: Mapping[str, str]
    """Texts by name, as sent."""


def read_call(body: bytes, soap_action: str, content_type: str) -> Call:
    """Read a control request (UDA 1.1 §3.2.1): its body, and two header fields; empty: not there.

    The name of the action must be the one SOAPACTION has; its service type is that of the body,
    and SOAPACTION's only where the body gives none. Raises RequestRefused or InvalidArgs, nothing
    else, whatever the bytes are.
    """
    announced = _SOAPACTION.fullmatch(soap_action)
    if announced is None:
        raise RequestRefused(412, "no SOAPACTION")
    if content_type and not _XML_TYPE.match(content_type.lower()):
        raise RequestRefused(415, "not text/xml")
    action = _action_element(_parse(_utf_8(body, content_type)))
    namespace, name = _split(action)
    if name != announced["name"]:
        raise RequestRefused(412, "SOAPACTION names another action")
    return Call(namespace or announced["type"], name, _arguments(action))


def answer(
    service_type: str, action: str, results: Iterable[tuple[str, str | EscapedUTF8]]
) -> bytes:
    """The answer to an action, with all its results in order (UDA 1.1 §3.2.2).

    Results that are :class:`~mediaserver.upnp.data_types.Escaped` or
    :class:`~mediaserver.upnp.data_types.EscapedUTF8` go in as they are.
    """
    start, end = _frame(service_type, action)
    return b"".join([start, *[_result(name, value) for name, value in results], end])


def _result(name: str, value: str | EscapedUTF8) -> bytes:
    if isinstance(value, EscapedUTF8):
        return b"<%b>%b</%b>" % (name.encode(), value, name.encode())
    return element(name, value).encode()


@lru_cache(maxsize=128)
def fault(code: int, description: str) -> bytes:
    """The answer to an action that failed, for HTTP status 500 (UDA 1.1 §3.2.2)."""
    return (
        f"{_DECLARATION}{_OPEN}<s:Fault><faultcode>s:Client</faultcode>"
        "<faultstring>UPnPError</faultstring>"
        f'<detail><UPnPError xmlns="{CONTROL}"><errorCode>{code}</errorCode>'
        f"{element('errorDescription', description)}</UPnPError></detail></s:Fault>{_CLOSE}"
    ).encode()


@lru_cache(maxsize=256)
def _frame(service_type: str, action: str) -> tuple[bytes, bytes]:
    """What stands before and after the results. Only for actions that exist: it is kept."""
    namespace = escape(service_type).replace('"', "&quot;")
    return (
        f'{_DECLARATION}{_OPEN}<u:{action}Response xmlns:u="{namespace}">'.encode(),
        f"</u:{action}Response>{_CLOSE}".encode(),
    )


def _utf_8(body: bytes, content_type: str) -> bytes:
    """The body in UTF-8, whatever says so: byte order mark, charset, or its first bytes.

    An encoding that the document or the header names is believed only so far as it is UTF-16;
    everything else has to be UTF-8, or at least ASCII (security.md S3).
    """
    if body.startswith(codecs.BOM_UTF8):
        return body[len(codecs.BOM_UTF8) :]
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif body.startswith(b"<\0"):
        encoding = "utf-16-le"
    elif body.startswith(b"\0<"):
        encoding = "utf-16-be"
    else:
        charset = _CHARSET.search(content_type)
        if charset is not None and charset[1].lower() not in ("utf-8", "utf8", "us-ascii"):
            return _ascii(body)
        return body
    try:
        return body.decode(encoding).encode("utf-8")
    except UnicodeError as error:
        raise RequestRefused(400, f"not {encoding}") from error


def _ascii(body: bytes) -> bytes:
    """A body said to be in some other encoding: readable if it does not make use of it."""
    if not body.isascii():
        raise RequestRefused(400, "neither UTF-8 nor UTF-16")
    return body


def _parse(body: bytes) -> etree._Element:
    """The document element. RequestRefused for what is not XML, or too much of it."""
    # Some control points count a C string's final NUL as part of the body.
    body = body.strip(b" \t\r\n\0")
    if b"<!DOCTYPE" in body:
        raise RequestRefused(400, "DOCTYPE")
    # An element has a tag or two, so this bounds the tree before there is one.
    tags = body.count(b"<")
    if tags > 2 * MAX_ELEMENTS + MAX_DEPTH:
        raise RequestRefused(400, "too many elements")
    try:
        root = etree.fromstring(body, _PARSER)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise RequestRefused(400, "not XML") from error
    if tags > MAX_DEPTH:
        _check_size(root)
    return root


def _check_size(root: etree._Element) -> None:
    depth = elements = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        if event == "end":
            depth -= 1
            continue
        depth += 1
        elements += 1
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
            raise RequestRefused(400, "too many elements, or too deep")


def _action_element(root: etree._Element) -> etree._Element:
    """The first element in Body. Envelope and Body are known by their local names."""
    if _split(root)[1] == "Envelope":
        for part in root:
            if _split(part)[1] == "Body":
                for action in part:
                    return action
    raise RequestRefused(412, "no element for the action")


def _split(node: etree._Element) -> tuple[str, str]:
    """Namespace (empty if there is none) and local name."""
    namespace, _, name = str(node.tag).rpartition("}")
    return namespace[1:], name


def _arguments(action: etree._Element) -> dict[str, str]:
    arguments: dict[str, str] = {}
    for argument in action:
        _, name = _split(argument)  # UDA has them without namespace, Net::UPnP does not
        if name in arguments:
            raise InvalidArgs("an argument is repeated")
        if len(argument):
            raise InvalidArgs("an argument has elements in it")
        arguments[name] = argument.text or ""
    return arguments
