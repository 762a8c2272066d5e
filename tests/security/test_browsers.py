"""N1 to N4, N18, N19: what a web page or a curious client may and may not do."""

import os
import socket

import pytest

from tests.security.conftest import Besieged
from tests.security.wire import (
    BROWSE,
    arguments,
    ask,
    browse,
    envelope,
    numbers,
    post,
    request,
    responses,
    talk,
)

Urls = dict[str, tuple[str, str]]

pytestmark = pytest.mark.end_to_end

FOREIGN_HOSTS = (
    "evil.example",
    "evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "evil127.0.0.1:{port}",
    "localhost.evil.example",
    "evil-localhost",
    "127.0.0.1:{port}.evil.example",
    "127.0.0.1@evil.example:{port}",
    "evil.example@127.0.0.1:{port}",
    "127.0.0.1:{port}@evil.example",
    "127.0.0.1#evil.example",
    "127.0.0.1/evil.example",
    "127.0.0.1\\evil.example",
    "127.0.0.1 evil.example",
    "127.0.0.1,evil.example",
    "127.0.0.1:1",
    "127.0.0.1:0{port}0",
    "127.0.0.1:",
    "127.0.0.1:+{port}",
    "127.0.0.1: {port}",
    "127.1:{port}",
    "2130706433",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0.0.0.0",
    "[::1",
    "::1",
    "[::ffff:127.0.0.1]evil",
    "[evil.example]",
    "",
    ".",
    "%6cocalhost",
    "ｌocalhost",
    "192.0.2.1",
)
OWN_HOSTS = ("127.0.0.1", "127.0.0.1:{port}", "localhost", "LOCALHOST:{port}", "{name}", "{name}.")
TITLES = (b"track", b"&lt;DIDL", b"upnp:class", b"friendlyName", b"RIFF")
"""Something of which is in every answer that tells anything."""


def test_a_foreign_host_is_refused_on_every_url_and_learns_nothing(
    besieged: Besieged, urls: Urls
) -> None:
    """N1. The name of another site that resolves to our address (CVE-2022-26505)."""
    body = envelope("Browse", arguments(**BROWSE))
    for family, (method, path) in urls.items():
        for host in ("evil.example", f"127.0.0.1.evil.example:{besieged.program.port}"):
            answer = ask(besieged.program, path, method=method, host=host, body=body)

            assert answer.status == 421, family
            assert len(answer.body) < 100
            assert not any(title in answer.body for title in TITLES)


@pytest.mark.parametrize("host", FOREIGN_HOSTS)
def test_what_only_looks_like_our_host_is_refused(besieged: Besieged, host: str) -> None:
    port = besieged.program.port
    value = host.format(port=port).encode()

    answer = ask(besieged.program, "/health", host=value)

    assert answer.status in (400, 421)


@pytest.mark.parametrize("host", OWN_HOSTS)
def test_our_own_names_in_every_spelling_are_served(besieged: Besieged, host: str) -> None:
    name = socket.gethostname()
    value = host.format(port=besieged.program.port, name=name)

    assert ask(besieged.program, "/health", host=value).status == 200


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ((), 400),
        (("Host: 127.0.0.1", "Host: evil.example"), 400),
        (("Host: evil.example", "Host: 127.0.0.1"), 400),
        (("Host: 127.0.0.1", "Host: 127.0.0.1"), 400),
        (("Host : 127.0.0.1",), 400),
        (("X: y\r\n Host: 127.0.0.1",), 400),
        (("X-Forwarded-Host: 127.0.0.1", "Host: evil.example"), 421),
        (("Forwarded: host=127.0.0.1", "Host: evil.example"), 421),
    ],
)
def test_exactly_one_host_counts(besieged: Besieged, lines: tuple[str, ...], status: int) -> None:
    """N1; RFC 9112 §3.2."""
    head = "\r\n".join(["GET /health HTTP/1.1", *lines, "", ""]).encode()

    (answer,) = responses(talk(besieged.program.port, head))

    assert answer.status == status


@pytest.mark.parametrize(
    "target",
    [
        "http://evil.example/health",
        "http://evil.example:{port}/health",
        "http://127.0.0.1@evil.example/health",
        "http://127.0.0.1:{port}@evil.example/health",
        "https://127.0.0.1:{port}/health",
        "ftp://127.0.0.1/health",
        "file:///etc/passwd",
        "//evil.example/health",
        "evil.example:80",
        "health",
        "http://",
        "http:///health",
    ],
)
def test_no_target_makes_us_speak_for_another_host(besieged: Besieged, target: str) -> None:
    """N18: no proxy. ``//evil.example/health`` is a path of ours that leads nowhere."""
    answer = ask(besieged.program, target.format(port=besieged.program.port))

    assert answer.status in (400, 404, 421)


def test_a_target_in_full_with_our_host_is_served(besieged: Besieged) -> None:
    """RFC 9112 §3.2.2: a server has to take it."""
    target = f"http://127.0.0.1:{besieged.program.port}/health"

    assert ask(besieged.program, target).status == 200


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("TRACE", "/"),
        ("CONNECT", "127.0.0.1:22"),
        ("CONNECT", "/"),
        ("PUT", "/media/1.wav"),
        ("DELETE", "/media/1.wav"),
        ("PATCH", "/"),
        ("POST", "/"),
        ("POST", "/media/1.wav"),
        ("PROPFIND", "/"),
        ("MKCOL", "/x"),
        ("MOVE", "/media/1.wav"),
        ("PURGE", "/"),
        ("M-SEARCH", "*"),
        ("NOTIFY", "/service/ContentDirectory/event"),
        ("M-POST", "/service/ContentDirectory/control"),
        ("GET", "/service/ContentDirectory/control"),
        ("POST", "/service/ContentDirectory/event"),
        ("SUBSCRIBE", "/"),
        ("FOO", "/"),
        ("get", "/"),
    ],
)
def test_methods_that_are_not_used_do_nothing(besieged: Besieged, method: str, target: str) -> None:
    """N18 (CVE-2016-6255)."""
    answer = ask(besieged.program, target, "X-Secret: echo me", method=method)

    assert answer.status in (400, 404, 405, 501)
    assert b"echo me" not in answer.body


def test_no_answer_of_any_url_can_be_read_by_another_site(besieged: Besieged, urls: Urls) -> None:
    """N2: nowhere a header of CORS, whatever is asked."""
    lines = (
        "Origin: http://evil.example",
        "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: soapaction",
        "Access-Control-Request-Private-Network: true",
    )
    for family, (method, path) in urls.items():
        for asked in (method, "OPTIONS"):
            answer = ask(besieged.program, path, *lines, method=asked)

            names = [name for name in answer.headers if name.startswith("access-control-")]
            assert not names, (family, asked)
            assert asked != "OPTIONS" or answer.status in (404, 405), family


@pytest.mark.parametrize(
    "line",
    [
        "Origin: http://evil.example",
        "Origin: null",
        "Origin: http://127.0.0.1",
        "Origin: http://127.0.0.1:1",
        "Origin: http://127.0.0.1:{port}.evil.example",
        "Origin: http://localhost:{port}",
        "Referer: http://evil.example/127.0.0.1:{port}/",
        "Referer: http://127.0.0.1:{port}@evil.example/",
        "Referer: data:text/html,x",
    ],
)
def test_a_page_of_another_site_cannot_carry_out_an_action(besieged: Besieged, line: str) -> None:
    body = envelope("Browse", arguments(**BROWSE))

    answer = post(besieged.program, body, line.format(port=besieged.program.port))

    assert answer.status == 403


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
)
def test_what_a_form_can_send_is_no_action(besieged: Besieged, content_type: str) -> None:
    """N2, N20: the types of requests that need no preflight (Fetch, "CORS-safelisted")."""
    body = envelope("Browse", arguments(**BROWSE))
    port = besieged.program.port
    lines = (
        f"Content-Type: {content_type}",
        'SOAPACTION: "urn:schemas-upnp-org:service:ContentDirectory:1#Browse"',
        "Connection: close",
    )
    asked = request(port, "/service/ContentDirectory/control", *lines, method="POST", body=body)

    (answer,) = responses(talk(port, asked))

    assert answer.status == 415


@pytest.mark.parametrize("family", ["page", "health", "metrics", "static", "media", "image", "art"])
def test_pages_and_what_the_library_holds_forbid_to_guess_their_type(
    besieged: Besieged, urls: Urls, family: str
) -> None:
    """N3, T7: nothing of the library can be run as a page of ours."""
    answer = ask(besieged.program, urls[family][1])

    assert answer.status == 200
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ("html" in answer.headers["content-type"]) is (family == "page")


def test_errors_repeat_nothing_and_tell_nothing(besieged: Besieged) -> None:
    """N3, N19: neither the request nor our insides."""
    mark = "zq<script>zq"
    answers = [
        ask(besieged.program, "/" + mark),
        ask(besieged.program, "/media/" + mark),
        ask(besieged.program, "/health?" + mark, method="PUT"),
        ask(besieged.program, "/health", host=mark),
        ask(besieged.program, "/health", "Expect: " + mark),
        ask(besieged.program, "/service/ContentDirectory/event", "NT: " + mark, method="SUBSCRIBE"),
        browse(besieged.program, ObjectID=mark),
        browse(besieged.program, SortCriteria=mark),
        browse(besieged.program, BrowseFlag=mark),
        browse(besieged.program, StartingIndex=mark),
        post(besieged.program, envelope(mark.replace("<", "").replace(">", ""), "")),
        post(besieged.program, b"<" + mark.encode()),
    ]

    for answer in answers:
        assert answer.status >= 400
        text = answer.body + repr(answer.headers).encode()
        assert b"zq" not in text
        for word in (b"Traceback", b".py", b"sqlite", b"SELECT", b"lxml", b"starlette", b"uvicorn"):
            assert word not in text, word
        assert os.fsencode(besieged.root) not in text


def test_the_library_is_as_before(besieged: Besieged) -> None:
    assert numbers(browse(besieged.program))[1] > 0
