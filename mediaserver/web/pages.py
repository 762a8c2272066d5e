"""The routes for people: presentation page, its style and script, health and metrics.

Nothing here changes anything, and nobody needs to log in; so nothing here shows configuration,
log or the layout of the disks either. Every answer forbids scripts that are not ours, framing
and guessing of types (security.md N2 to N4).
"""

import hashlib
import ipaddress
from collections.abc import Awaitable, Callable, Iterable
from importlib import resources
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mediaserver import urls
from mediaserver.web import health, machine, metrics, wording
from mediaserver.web.metrics import Measure
from mediaserver.web.status import Status

STATIC = "/static/"
ROWS = 50
"""Rows of a table at most; the page says how many more there are."""

SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}

_STATIC_TYPES = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "logo.svg": "image/svg+xml",
}
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def routes(
    status: Callable[[], Awaitable[Status]],
    *,
    measures: Iterable[Measure] = (),
    details: Literal["network", "loopback"] = "network",
) -> list[BaseRoute]:
    """The routes; ``status`` is asked once for every request.

    ``details`` says who sees other devices and unreadable files: everyone who may connect, or
    this machine alone. Paths of media roots are for this machine alone in any case.
    """
    page = _environment().get_template("status.html")
    measures = tuple(measures)

    async def show_page(request: Request) -> Response:
        local = _is_local(request)
        text = page.render(
            status=await status(),
            local=local,
            details=local or details == "network",
            rows=ROWS,
            description=urls.DESCRIPTION,
            health=urls.HEALTH,
            metrics=urls.METRICS,
            static=STATIC,
        )
        return _answer(text.encode("utf-8"), "text/html; charset=utf-8")

    async def show_health(request: Request) -> Response:
        return _answer(health.document(await status()), "application/json")

    async def show_status(request: Request) -> Response:
        if not _is_local(request):
            return _answer(b"for this machine alone\n", "text/plain; charset=utf-8", status=403)
        return _answer(machine.document(await status()), "application/json")

    async def show_metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        return _answer(*metrics.exposition(await status(), measures, accept))

    return [
        Route(urls.PRESENTATION, show_page),
        Route(urls.HEALTH, show_health),
        Route(urls.METRICS, show_metrics),
        Route(urls.STATUS, show_status),
        *(_static_route(name, content_type) for name, content_type in _STATIC_TYPES.items()),
    ]


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mediaserver.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("ago", "count", "duration", "size", "things"):
        environment.filters[name] = getattr(wording, name)
    return environment


def _finalize(value: object) -> object:
    """Applied to whatever a template shows, before it is escaped."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return wording.clean(value)
    return value


def _static_route(name: str, content_type: str) -> Route:
    content = resources.files("mediaserver.web").joinpath("static", name).read_bytes()
    tag = f'"{hashlib.blake2b(content, digest_size=8).hexdigest()}"'

    async def show(request: Request) -> Response:
        if request.headers.get("if-none-match") == tag:
            answer = _answer(b"", content_type, status=304)
        else:
            answer = _answer(content, content_type)
        answer.headers["Cache-Control"] = "no-cache"
        answer.headers["ETag"] = tag
        return answer

    return Route(STATIC + name, show, name=name)


def _answer(content: bytes, content_type: str, status: int = 200) -> Response:
    return Response(
        content,
        status_code=status,
        headers={
            "Content-Type": content_type,
            "Cache-Control": "no-store",
            **SECURITY_HEADERS,
        },
    )


def _is_local(request: Request) -> bool:
    """Whether this machine asks, and does not ask for another (a proxy on it would).

    A connection of ours to an address of ours comes from the same address, unless it is told to
    come from elsewhere; one of others cannot (RFC 1812 §5.3.7: martian sources are dropped).
    """
    if request.client is None or any(name in request.headers for name in _PROXY_HEADERS):
        return False
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    local, _port = request.scope.get("server") or ("", None)
    return (mapped or address).is_loopback or request.client.host == local
