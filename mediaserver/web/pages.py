"""The routes for people: presentation page, its style and script, health and metrics.

Nothing here changes anything, but for :mod:`.scan_now`, and nobody needs to log in; so nothing
here shows configuration, log or the layout of the disks either (security.md N4).
"""

import hashlib
from collections.abc import Awaitable, Callable, Iterable
from importlib import resources
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from mediaserver import urls
from mediaserver.web import health, machine, metrics, scan_now, wording
from mediaserver.web.answers import answer
from mediaserver.web.metrics import Measure
from mediaserver.web.scan_now import ScanNow
from mediaserver.web.status import Status
from mediaserver.web.visitors import is_local

STATIC = "/static/"
ROWS = 50
"""Rows of a table at most; the page says how many more there are."""

_STATIC_TYPES = {
    "style.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "logo.svg": "image/svg+xml",
}


def routes(
    status: Callable[[], Awaitable[Status]],
    *,
    measures: Iterable[Measure] = (),
    details: Literal["network", "loopback"] = "network",
    scan: ScanNow,
) -> list[BaseRoute]:
    """The routes; ``status`` is asked once for every request.

    ``details`` says who sees other devices and unreadable files: everyone who may connect, or
    this machine alone. Paths of media roots are for this machine alone in any case.
    """
    page = _environment().get_template("status.html")
    measures = tuple(measures)

    async def show_page(request: Request) -> Response:
        local = is_local(request)
        text = page.render(
            status=await status(),
            local=local,
            details=local or details == "network",
            rows=ROWS,
            description=urls.DESCRIPTION,
            health=urls.HEALTH,
            metrics=urls.METRICS,
            scan_now=urls.SCAN,
            static=STATIC,
        )
        response = answer(text.encode("utf-8"), "text/html; charset=utf-8")
        if "accept-language" in request.headers:  # UDA 1.1 §5: if and only if
            response.headers["Content-Language"] = "en"
        return response

    async def show_health(request: Request) -> Response:
        return answer(health.document(await status()), "application/json")

    async def show_status(request: Request) -> Response:
        if not is_local(request):
            return answer(b"for this machine alone\n", "text/plain; charset=utf-8", status=403)
        return answer(machine.document(await status()), "application/json")

    async def show_metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        return answer(*metrics.exposition(await status(), measures, accept))

    return [
        Route(urls.PRESENTATION, show_page),
        Route(urls.HEALTH, show_health),
        Route(urls.METRICS, show_metrics),
        Route(urls.STATUS, show_status),
        scan_now.route(scan),
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
            response = answer(b"", content_type, status=304)
        else:
            response = answer(content, content_type)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["ETag"] = tag
        return response

    return Route(STATIC + name, show, name=name)
