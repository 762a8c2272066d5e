"""Control URLs: a SOAP request in, its answer or a fault out (UDA 1.1 §3.2).

The busiest path of the server, so a plain ASGI application that Starlette only routes to, and
one that gives an answer again to whoever asks the same before the service has another revision.
Whether a request is to be answered at all is decided anew each time.

``M-POST`` of UDA 1.0 §3.2.1 is not needed: a control point tries it only after a POST that was
answered with 405, and POST never is. Who tries it all the same is answered 501 by the HTTP server,
as the text has it for devices without; other methods are 405 here.
"""

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from mediaserver.clients import UNKNOWN, ClientProfile
from mediaserver.server.addresses import base_url
from mediaserver.upnp import soap
from mediaserver.upnp.errors import ActionError, ActionFailed, InvalidArgs
from mediaserver.upnp.headers import LANGUAGE, XML, RequestHeaders, ResponseHeaders
from mediaserver.upnp.kept_answers import KeptAnswers, Question
from mediaserver.upnp.service import ActionRequest, Service
from mediaserver.upnp.soap import Call, RequestRefused

logger = logging.getLogger(__name__)
traffic = logging.getLogger("mediaserver.traffic.soap")

MAX_BODY = 256 * 1024
"""Octets of a request."""
ANSWER_SECONDS = 30.0
"""Within which an action is answered (UDA 1.1 §3.2)."""

_CONTENT_TYPE = (b"CONTENT-TYPE", XML)
_EXT = (b"EXT", b"")
_CLOSE = (b"CONNECTION", b"close")
_ALLOW = (b"ALLOW", b"POST")
_SITE = re.compile(r"https?://(?P<authority>[^/?#]+)", re.IGNORECASE)
_HEADERS = {405: _ALLOW, 413: _CLOSE}

ProfileOf = Callable[[Mapping[str, str], str], ClientProfile]
"""Tells the profile of a control point by the header fields of its request and its address."""


def route(
    path: str,
    service: Service,
    *,
    server: str,
    profile_of: ProfileOf = lambda headers, address: UNKNOWN,
    clock: Callable[[], float] = time.time,
    answer_seconds: float = ANSWER_SECONDS,
) -> Route:
    """The control URL of a service. ``server`` is the SERVER header, ``clock`` for DATE.

    ``profile_of`` is asked once for every request.
    """
    headers = ResponseHeaders(server, clock)
    return Route(path, _ControlURL(service, headers, profile_of, answer_seconds))


class _Answer(NamedTuple):
    status: int
    body: bytes = b""
    header: tuple[bytes, bytes] | None = None
    """One that belongs to the status."""
    lasts: bool = False
    """Until the revision of the service is another."""


class _ControlURL:
    """The ASGI application behind one control URL."""

    def __init__(
        self, service: Service, headers: ResponseHeaders, profile_of: ProfileOf, seconds: float
    ) -> None:
        self._service = service
        self._headers = headers
        self._profile_of = profile_of
        self._seconds = seconds
        self._kept = KeptAnswers()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = RequestHeaders(scope["headers"])
        try:
            _check(scope["method"], headers)
            body = await _read_body(headers, receive)
            if body is None:
                return
            answer = await self._answer(body, headers, scope)
        except RequestRefused as refused:
            logger.debug("refused status=%d reason=%s", refused.status, refused.reason)
            answer = _Answer(refused.status, header=_HEADERS.get(refused.status))
        fields = [_CONTENT_TYPE, _EXT] if answer.body else [_EXT]
        if answer.header is not None:
            fields.append(answer.header)
        if "accept-language" in headers:
            fields.append(LANGUAGE)
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": self._headers.make(len(answer.body), *fields),
            }
        )
        await send({"type": "http.response.body", "body": answer.body})

    async def _answer(self, body: bytes, headers: RequestHeaders, scope: Scope) -> _Answer:
        client, server = scope.get("client"), scope.get("server")
        peer = client[0] if client else ""
        shown = traffic.isEnabledFor(logging.DEBUG)
        if shown:
            traffic.debug("from %s: %r", peer, body)
        question = Question(
            body,
            headers.get("soapaction", ""),
            headers.get("content-type", ""),
            self._profile_of(headers, peer),
            base_url(*server) if server else "http://127.0.0.1",
        )
        answer = await self._give_again_or_make(question, peer)
        if shown:
            traffic.debug("to %s: %d %r", peer, answer.status, answer.body)
        return answer

    async def _give_again_or_make(self, question: Question, peer: str) -> _Answer:
        if self._service.revision is None:
            return await self._make(question, peer)
        revision = self._service.revision()
        kept = self._kept.get(question, revision)
        if kept is not None:
            return _Answer(200, kept)
        answer = await self._make(question, peer)
        if answer.lasts and self._service.revision() == revision:
            self._kept.put(question, revision, answer.body)
        return answer

    async def _make(self, question: Question, peer: str) -> _Answer:
        action = ""
        try:
            call = soap.read_call(question.body, question.soap_action, question.content_type)
            action = call.action
            if call.service_type == soap.CONTROL and action == "QueryStateVariable":
                return _Answer(200, self._query(call))
            request = ActionRequest(question.base_url, question.profile, call.service_type)
            return _Answer(200, await self._carry_out(call, request), lasts=True)
        except ActionError as error:
            logger.debug("%s action=%r peer=%s: %r", self._service.name, action, peer, str(error))
            return _Answer(500, soap.fault(error.code, error.description))
        except RequestRefused:
            raise
        except Exception:
            logger.exception("%s failed action=%r peer=%s", self._service.name, action, peer)
            return _Answer(500, soap.fault(ActionFailed.code, ActionFailed.description))

    def _query(self, call: Call) -> bytes:
        value = self._service.query(_variable_name(call))
        return soap.answer(soap.CONTROL, call.action, [("return", value)])

    async def _carry_out(self, call: Call, request: ActionRequest) -> bytes:
        deadline = asyncio.timeout(self._seconds)
        try:
            async with deadline:
                results = await self._service.call(call.action, call.arguments, request)
        except TimeoutError:
            if not deadline.expired():
                raise
            logger.warning("%s.%s was not answered in time", self._service.name, call.action)
            raise ActionFailed("not answered in time") from None
        return soap.answer(call.service_type, call.action, results)


def _check(method: str, headers: RequestHeaders) -> None:
    """Refuse what is none of ours before its body is read."""
    if method != "POST":
        raise RequestRefused(405, "not POST")
    # Browsers send these of themselves: another site's page is no control point (security.md N2).
    for name in ("origin", "referer"):
        value = headers.get(name)
        if value is not None and not _is_own_page(value, headers):
            raise RequestRefused(403, f"foreign {name}")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise RequestRefused(415, "Content-Encoding")


def _is_own_page(url: str, headers: RequestHeaders) -> bool:
    site = _SITE.match(url)
    return site is not None and site["authority"].lower() == headers.get("host", "").lower()


async def _read_body(headers: RequestHeaders, receive: Receive) -> bytes | None:
    """The whole body; None if the control point went away before its end."""
    announced = headers.get("content-length", "0")
    if len(announced) > 8 or (announced.isdecimal() and int(announced) > MAX_BODY):
        raise RequestRefused(413, "body too large")
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY:
            raise RequestRefused(413, "body too large")
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _variable_name(call: Call) -> str:
    try:
        return call.arguments["varName"]
    except KeyError:
        raise InvalidArgs("varName is missing") from None
