"""The page for people: what it shows, to whom, and that nobody else's text runs in it."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Literal

import httpx
import pytest
from lxml import html
from starlette.applications import Starlette

from mediaserver.web import pages
from mediaserver.web.status import (
    HeardSearch,
    InterfaceStatus,
    RootStatus,
    ScanStatus,
    SeenClient,
    Status,
    SubscriptionStatus,
    TaskFailure,
    Transfer,
    UnreadableFile,
)
from tests.web.statuses import EMPTY, RICH, UDN, no_scan

HERE = "127.0.0.1"
THERE = "192.0.2.99"


@asynccontextmanager
async def browser(
    status: Status, *, address: str = HERE, details: Literal["network", "loopback"] = "network"
) -> AsyncIterator[httpx.AsyncClient]:
    """Something at an address that asks the pages."""

    async def current() -> Status:
        return status

    app = Starlette(routes=pages.routes(current, details=details, scan=no_scan))
    transport = httpx.ASGITransport(app, client=(address, 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.10:8200") as client:
        yield client


async def page_of(
    status: Status,
    *,
    address: str = HERE,
    details: Literal["network", "loopback"] = "network",
    headers: dict[str, str] | None = None,
) -> html.HtmlElement:
    async with browser(status, address=address, details=details) as client:
        answer = await client.get("/", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return html.document_fromstring(answer.text)


def text_of(page: html.HtmlElement) -> str:
    return " ".join(page.text_content().split())


# ---- what it shows


async def test_a_server_that_knows_nothing_yet_says_what_to_do() -> None:
    text = text_of(await page_of(EMPTY))
    assert "Media mediaserver 1.2.3 · running for 12 s Ready" in text
    assert "No media root is configured." in text
    assert "Nothing is being played." in text
    assert UDN in text


async def test_a_server_at_work_shows_everything() -> None:
    text = text_of(await page_of(RICH))
    for expected in (
        "NAS & Co",
        "running for 3 days",
        "Needs attention",
        "20,123 music",
        "412 video",
        "98,765 pictures",
        "3,456 folders and lists",
        "12,345 of 45,678 files · 412 a second · about 81 s left",
        "Films it is not mounted",
        "73 files could not be read",
        "Music/00.mp3 the reader crashed (signal 11)",
        "Schnee to 192.0.2.20",
        "512 MB of 1.5 GB in 5 min",
        "51 kB in 3 s",
        "192.0.2.22 3 s ago DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0",
        "profile Samsung television · 1,234 requests",
        "urn:schemas-upnp-org:device:MediaServer:1",
        "ContentDirectory",
        "for 25 min",
        "Failed and started again",
        "announcements 3 times, last 70 s ago",
        "SystemUpdateID 4711",
    ):
        assert expected in text


@pytest.mark.parametrize(
    ("scan", "expected"),
    [
        (ScanStatus(running=True), "Scanning Listing folders"),
        (ScanStatus(running=True, done=1), "Listing folders · 1 file so far"),
        (ScanStatus(running=True, done=5, total=4), "5 of 4 files"),
        (ScanStatus(), "Waiting for the first scan."),
        (ScanStatus(last_ended_ago=1, last_seconds=70), "Last scan just now, it took 70 s."),
        (
            ScanStatus(last_ended_ago=7300, last_seconds=0.4),
            "Last scan 2 h 2 min ago, it took 0.4 s.",
        ),
    ],
)
async def test_every_state_of_a_scan_has_its_words(scan: ScanStatus, expected: str) -> None:
    status = dataclasses.replace(RICH, scan=scan, roots=RICH.roots[:1])
    assert expected in text_of(await page_of(status))


async def test_a_progress_bar_never_stands_beyond_its_end() -> None:
    scan = ScanStatus(running=True, done=50, total=40)
    transfer = Transfer(address=HERE, title="x", sent=90, size=70, seconds=1)
    page = await page_of(dataclasses.replace(RICH, scan=scan, transfers=(transfer,)))
    for bar in page.iter("progress"):
        assert float(bar.get("value", "0")) <= float(bar.get("max", "1"))


async def test_a_long_table_says_how_much_is_left_out() -> None:
    page = await page_of(RICH)
    (unreadable,) = page.xpath("//details[@id='unreadable']")
    assert len(unreadable.xpath(".//li")) == pages.ROWS
    assert "… and 23 more" in text_of(unreadable)


async def test_one_thing_is_not_called_things() -> None:
    library = dataclasses.replace(RICH.library, unreadable=1)
    status = dataclasses.replace(RICH, library=library, unreadable=RICH.unreadable[:1])
    assert "1 file could not be read" in text_of(await page_of(status))


async def test_the_links_of_the_page_are_the_server_s_own() -> None:
    page = await page_of(RICH)
    links = {link.get("href") for link in page.iter("a")}
    assert links == {"/description.xml", "/health", "/metrics", "http://192.0.2.10:8200/"}
    files = set(page.xpath("//@src | //link/@href"))
    assert files == {"/static/logo.svg", "/static/style.css", "/static/page.js"}


async def test_the_page_looks_right_on_a_phone_and_needs_no_script() -> None:
    page = await page_of(EMPTY)
    (viewport,) = page.xpath("//meta[@name='viewport']/@content")
    assert viewport == "width=device-width, initial-scale=1"
    assert page.xpath("//noscript/meta[@http-equiv='refresh']") != []


# ---- foreign text (security.md N3)

MARKUP = "</bdi><script>alert(1)</script><img src=x onerror=alert(1)>\"'{{ 7*7 }}"


def hostile() -> Status:
    """Markup in every field that others fill."""
    return Status(
        name=MARKUP,
        version=MARKUP,
        udn=MARKUP,
        uptime_seconds=1,
        system_update_id=1,
        library=RICH.library,
        roots=(
            RootStatus(title=MARKUP, path=MARKUP, reason=MARKUP),
            RootStatus(title=MARKUP, path=MARKUP),
        ),
        unreadable=(UnreadableFile(name=MARKUP, reason=MARKUP),),
        interfaces=(
            InterfaceStatus(name=MARKUP, address=MARKUP, url="http://192.0.2.10/" + MARKUP),
        ),
        transfers=(Transfer(address=MARKUP, title=MARKUP, sent=1, size=2, seconds=3),),
        subscriptions=(SubscriptionStatus(address=MARKUP, service=MARKUP, expires_in=1),),
        clients=(
            SeenClient(address=MARKUP, agent=MARKUP, profile=MARKUP, requests=1, seconds_ago=1),
        ),
        searches=(HeardSearch(address=MARKUP, target=MARKUP, answered=True, seconds_ago=1),),
        failures=(TaskFailure(task=MARKUP, error=MARKUP, count=1, seconds_ago=1),),
    )


async def test_a_link_local_address_is_no_link_as_browsers_cannot_open_it() -> None:
    """Its URL has no zone (RFC 6874), and browsers take none."""
    interfaces = (
        InterfaceStatus(name="eth0", address="fe80::1", url="http://[fe80::1]:8200/"),
        InterfaceStatus(name="eth0", address="fd00::1", url="http://[fd00::1]:8200/"),
    )
    page = await page_of(dataclasses.replace(RICH, interfaces=interfaces))
    links = {link.get("href") for link in page.iter("a")}
    assert "http://[fd00::1]:8200/" in links
    assert "http://[fe80::1]:8200/" not in links
    assert "http://[fe80::1]:8200/" in page.text_content()


async def test_markup_in_any_field_is_text() -> None:
    page = await page_of(hostile())
    assert [script.get("src") for script in page.iter("script")] == ["/static/page.js"]
    assert {image.get("src") for image in page.iter("img")} == {"/static/logo.svg"}
    assert not [name for element in page.iter() for name in element.attrib if name.startswith("on")]
    text = page.text_content()
    assert text.count("<script>alert(1)</script>") >= 18
    assert "49" not in text.replace(MARKUP, "")


@pytest.mark.parametrize(
    "text", ["a\x00b\x1bc", "\u202egnp.exe", "\ud800", "line\r\nbreak", "\ufffe", "x" * 5000]
)
async def test_text_that_cannot_be_shown_disturbs_nothing(text: str) -> None:
    status = dataclasses.replace(RICH, name=text)
    async with browser(status) as client:
        answer = await client.get("/")
    answer.content.decode("utf-8", "strict")
    heading = html.document_fromstring(answer.text).findtext(".//h1/bdi") or ""
    assert heading.isprintable()
    assert 0 < len(heading) <= 300


# ---- who sees what


async def test_paths_of_this_machine_are_shown_to_this_machine_alone() -> None:
    assert "/srv/music" in text_of(await page_of(RICH, address=HERE))
    assert "/srv/music" in text_of(await page_of(RICH, address="::1"))
    assert "/srv/music" in text_of(await page_of(RICH, address="::ffff:127.0.0.1"))
    assert "/srv" not in text_of(await page_of(RICH, address=THERE))


async def test_while_folders_are_listed_the_number_of_files_is_an_estimate() -> None:
    scan = ScanStatus(running=True, done=10, total=40, listing=True, files_per_second=5)
    text = text_of(await page_of(dataclasses.replace(RICH, scan=scan)))
    assert "10 of about 40 files · 5 a second" in text


async def test_what_is_wrong_is_told_to_all_and_its_reason_to_this_machine_alone() -> None:
    here, there = await page_of(RICH, address=HERE), await page_of(RICH, address=THERE)

    assert "scanning fails, it is tried again" in text_of(there)
    assert "the disk is full" not in text_of(there)
    assert "the disk is full" in text_of(here)
    assert "Needs attention" in text_of(there)


async def test_this_machine_is_known_by_its_own_address_too() -> None:
    """Asked under an address of the network, the connection comes from that same address."""
    own = "192.0.2.10"
    async with browser(RICH, address=own) as client:
        assert "/srv/music" in (await client.get(f"http://{own}:8200/")).text
        assert "/srv/music" not in (await client.get("http://192.0.2.11:8200/")).text


async def test_what_programs_read_is_the_status_and_for_this_machine_alone() -> None:
    async with browser(RICH) as client:
        answer = await client.get("/status.json")
    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["udn"] == UDN
    assert found["roots"][1] == {
        "title": "Films",
        "path": "/srv/films",
        "reason": "it is not mounted",
        "polled": None,
    }
    async with browser(RICH, address=THERE) as client:
        refused = await client.get("/status.json")
    assert refused.status_code == 403
    assert "srv" not in refused.text


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"])
async def test_a_proxy_on_this_machine_asks_for_others(header: str) -> None:
    assert "/srv" not in text_of(await page_of(RICH, headers={header: THERE}))


async def test_other_devices_are_shown_to_the_network_unless_the_owner_says_no() -> None:
    private = ("192.0.2.20", "192.0.2.22", "192.0.2.23", "SEC_HHP", "Schnee", "Music/00.mp3")
    shown = text_of(await page_of(RICH, address=THERE))
    hidden = text_of(await page_of(RICH, address=THERE, details="loopback"))
    local = text_of(await page_of(RICH, address=HERE, details="loopback"))
    for one in private:
        assert one in shown
        assert one in local
        assert one not in hidden
    assert "2 transfers; shown on the machine itself." in hidden
    assert "1 device; shown on the machine itself." in hidden
    assert "73 files could not be read" in hidden


# ---- headers and files


@pytest.mark.parametrize(
    "path", ["/", "/health", "/metrics", "/static/style.css", "/static/page.js", "/static/logo.svg"]
)
async def test_no_answer_lets_a_foreign_script_run_or_another_page_look_in(path: str) -> None:
    """security.md N2 to N4."""
    async with browser(RICH, address=THERE) as client:
        answer = await client.get(path, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/health", "/metrics"])
async def test_what_changes_is_kept_by_nobody(path: str) -> None:
    async with browser(RICH) as client:
        answer = await client.get(path)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("style.css", "text/css; charset=utf-8"),
        ("page.js", "text/javascript; charset=utf-8"),
        ("logo.svg", "image/svg+xml"),
    ],
)
async def test_a_static_file_is_sent_once_and_then_asked_after(
    name: str, content_type: str
) -> None:
    async with browser(EMPTY) as client:
        first = await client.get(f"/static/{name}")
        again = await client.get(
            f"/static/{name}", headers={"If-None-Match": first.headers["etag"]}
        )
    assert first.headers["content-type"] == content_type
    assert first.content
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/static/", "/static/../pages.py", "/static/%2e%2e/pages.py", "/static/none.css"]
)
async def test_nothing_else_is_under_static(path: str) -> None:
    async with browser(EMPTY) as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/health", "/metrics", "/static/page.js"])
async def test_nothing_can_be_changed_here(method: str, path: str) -> None:
    async with browser(EMPTY) as client:
        assert (await client.request(method, path)).status_code == 405


async def test_the_status_is_asked_anew_for_every_request() -> None:
    asked = []

    def counted(name: str) -> Callable[[], Awaitable[Status]]:
        async def current() -> Status:
            asked.append(name)
            return dataclasses.replace(EMPTY, system_update_id=len(asked))

        return current

    transport = httpx.ASGITransport(Starlette(routes=pages.routes(counted("x"), scan=no_scan)))
    async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.10") as client:
        first = (await client.get("/health")).json()["system_update_id"]
        assert (await client.get("/health")).json()["system_update_id"] == first + 1
