"""``POST /scan``: what it has scanned, and for whom (security.md N1, N2, N4)."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
from lxml import html
from starlette.applications import Starlette

from mediaserver.library.errors import NotInLibrary
from mediaserver.web import pages
from mediaserver.web.status import ScanStatus, Status
from tests.web.statuses import RICH

HERE = "127.0.0.1"
THERE = "192.0.2.99"
OWN = "http://192.0.2.10:8200"


class Scanning:
    """Stands for the library; notes what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[Sequence[bytes]] = []

    async def __call__(self, paths: Sequence[bytes]) -> Sequence[bytes]:
        if b"/elsewhere" in paths:
            raise NotInLibrary(b"/elsewhere", "it is in none of the media roots (/srv)")
        self.asked.append(paths)
        return paths or [b"/srv/music", b"/srv/films"]


@pytest.fixture
def scanning() -> Scanning:
    return Scanning()


@asynccontextmanager
async def client(scanning: Scanning, address: str = HERE) -> AsyncIterator[httpx.AsyncClient]:
    async def status() -> Status:
        return replace(RICH, scan=ScanStatus())

    app = Starlette(routes=pages.routes(status, scan=scanning))
    transport = httpx.ASGITransport(app, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
        yield client


async def test_without_a_path_all_media_roots_are_scanned(scanning: Scanning) -> None:
    async with client(scanning) as asking:
        answer = await asking.post("/scan")
    assert (answer.status_code, answer.json()) == (202, {"scanning": ["/srv/music", "/srv/films"]})
    assert scanning.asked == [[]]


async def test_the_paths_that_are_named_are_scanned(scanning: Scanning) -> None:
    """As ``curl --data-urlencode path=...`` sends them; names need not be Unicode."""
    async with client(scanning) as asking:
        answer = await asking.post("/scan", data={"path": ["/srv/A & B+C", "/srv/Björk"]})
        assert answer.json() == {"scanning": ["/srv/A & B+C", "/srv/Björk"]}
        await asking.post("/scan", content=b"path=/srv/%FF%20x")
    assert scanning.asked == [[b"/srv/A & B+C", "/srv/Björk".encode()], [b"/srv/\xff x"]]


async def test_a_path_outside_of_the_roots_is_refused_with_the_reason(scanning: Scanning) -> None:
    async with client(scanning) as asking:
        answer = await asking.post("/scan", data={"path": "/elsewhere"})
    assert answer.status_code == 400
    assert answer.json() == {"error": "/elsewhere: it is in none of the media roots (/srv)"}


@pytest.mark.parametrize("body", [b"paths=/srv", b"path=/srv&x=1", b"\x00", b"path=x&" * 1001])
async def test_what_is_no_such_form_is_refused(scanning: Scanning, body: bytes) -> None:
    async with client(scanning) as asking:
        answer = await asking.post("/scan", content=body)
    assert answer.status_code == 400
    assert scanning.asked == []


async def test_other_machines_cannot_have_anything_scanned(scanning: Scanning) -> None:
    async with client(scanning, THERE) as asking:
        answer = await asking.post("/scan", data={"path": "/elsewhere"})
    assert answer.status_code == 403
    assert "srv" not in answer.text
    assert scanning.asked == []


async def test_this_machine_is_known_by_its_own_address_too(scanning: Scanning) -> None:
    async with client(scanning, "192.0.2.10") as asking:
        assert (await asking.post("/scan")).status_code == 202


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://192.0.2.10"},
        {"Origin": "http://192.0.2.10:82000"},
        {"Origin": "https://192.0.2.10:8200"},
        {"Referer": "http://evil.example/http://192.0.2.10:8200/"},
        {"Referer": "http://192.0.2.10:8200.evil.example/"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Via": "1.1 proxy"},
    ],
)
async def test_no_page_of_another_site_can_have_anything_scanned(
    scanning: Scanning, headers: dict[str, str]
) -> None:
    """A form of theirs in a browser on this machine; Fetch §3.2, Fetch Metadata §2.4."""
    async with client(scanning) as asking:
        answer = await asking.post("/scan", headers=headers)
    assert answer.status_code == 403
    assert scanning.asked == []


async def test_to_look_is_not_to_scan(scanning: Scanning) -> None:
    """An image or a link of another site makes browsers ask with GET."""
    async with client(scanning) as asking:
        answer = await asking.get("/scan")
    assert answer.status_code == 405
    assert scanning.asked == []


async def test_the_button_of_the_page_works_without_script(scanning: Scanning) -> None:
    async with client(scanning) as asking:
        page = html.document_fromstring((await asking.get("/")).text, base_url=f"{OWN}/")
        (form,) = page.forms
        page.make_links_absolute()
        assert (form.method, form.action) == ("POST", f"{OWN}/scan")
        headers = {
            "Accept": "text/html,application/xhtml+xml",
            "Origin": OWN,
            "Referer": f"{OWN}/",
            "Sec-Fetch-Site": "same-origin",
        }
        answer = await asking.post(str(form.action), headers=headers)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert scanning.asked == [[]]


async def test_only_this_machine_is_shown_the_button(scanning: Scanning) -> None:
    async with client(scanning, THERE) as asking:
        page = html.document_fromstring((await asking.get("/")).text)
    assert not page.forms
