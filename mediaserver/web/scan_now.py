"""``POST /scan``: have folders scanned now. The one thing here that makes the server do something.

For this machine alone, and not for pages of other sites in its browsers. Fields ``path``, as many
as there are folders (absolute; none: all media roots), as forms send them
(``application/x-www-form-urlencoded``). The answer says what is scanned; a browser is sent back to
the page.
"""

import json
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediaserver import urls
from mediaserver.library.errors import NotInLibrary
from mediaserver.web.answers import answer
from mediaserver.web.visitors import is_local, is_of_another_site

MAX_PATHS = 1000

ScanNow = Callable[[Sequence[bytes]], Awaitable[Sequence[bytes]]]
"""Has paths scanned and tells what is; raises :class:`NotInLibrary`."""


def route(scan_now: ScanNow) -> Route:
    async def scan(request: Request) -> Response:
        if not is_local(request):
            return _refusal(403, "for this machine alone")
        if is_of_another_site(request):
            return _refusal(403, "not for pages of other sites")
        try:
            paths = _paths(await request.body())
            scanned = await scan_now(paths)
        except ValueError as error:
            return _refusal(400, str(error))
        except NotInLibrary as error:
            return _refusal(400, f"{_shown(error.path)}: {error.reason}")
        if "text/html" in request.headers.get("accept", ""):
            back = answer(b"", "text/plain; charset=utf-8", status=303)
            back.headers["Location"] = urls.PRESENTATION
            return back
        return _json(202, {"scanning": [_shown(path) for path in scanned]})

    return Route(urls.SCAN, scan, methods=["POST"])


def _paths(body: bytes) -> list[bytes]:
    """The fields ``path``, byte by byte. Raises ValueError with a reason to tell."""
    try:
        fields = parse_qsl(
            body.decode("latin-1"),
            keep_blank_values=True,
            encoding="latin-1",
            max_num_fields=MAX_PATHS,
        )
    except ValueError:
        raise ValueError(f"more than {MAX_PATHS} paths") from None
    if any(name != "path" for name, _ in fields) or (body and not fields):
        raise ValueError("the only field is path")
    return [value.encode("latin-1") for _, value in fields]


def _refusal(status: int, reason: str) -> Response:
    return _json(status, {"error": reason})


def _json(status: int, content: dict[str, object]) -> Response:
    return answer(json.dumps(content).encode("ascii"), "application/json", status)


def _shown(path: bytes) -> str:
    return path.decode(errors="replace")
