"""N5 to N8: subscriptions as a weapon, against the running program."""

import re
import socket
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.end_to_end.program import Program
from tests.patience import PATIENCE
from tests.security.conftest import Besieged, descriptors
from tests.security.wire import Response, ask, connected, request, responses, rest

pytestmark = pytest.mark.end_to_end

EVENT = "/service/ContentDirectory/event"


def subscribe(program: Program, callback: str, *lines: str, source: str = "127.0.0.1") -> Response:
    asked = request(
        program.port,
        EVENT,
        "NT: upnp:event",
        f"CALLBACK: {callback}",
        "TIMEOUT: Second-300",
        "Connection: close",
        *lines,
        method="SUBSCRIBE",
    )
    with connected(program.port, source=source) as sock:
        sock.sendall(asked)
        (answer,) = responses(rest(sock), ["SUBSCRIBE"])
    return answer


def cancel(program: Program, answer: Response, source: str = "127.0.0.1") -> None:
    asked = request(
        program.port,
        EVENT,
        f"SID: {answer.headers['sid']}",
        "Connection: close",
        method="UNSUBSCRIBE",
    )
    with connected(program.port, source=source) as sock:
        sock.sendall(asked)
        (ended,) = responses(rest(sock))
    assert ended.status == 200


@contextmanager
def subscriber(address: str = "127.0.0.1") -> Iterator[socket.socket]:
    with socket.create_server((address, 0)) as listener:
        listener.settimeout(PATIENCE)
        yield listener


def notification(listener: socket.socket) -> bytes:
    """The next message of events, acknowledged."""
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(PATIENCE)
        data = b""
        while b"</e:propertyset>" not in data and b":propertyset>" not in data[-200:]:
            piece = connection.recv(65536)
            assert piece, data
            data += piece
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    return data


FORBIDDEN = (
    "<http://127.0.0.2:{port}/>",
    "<http://192.0.2.1:{port}/>",
    "<http://169.254.169.254/latest/meta-data/>",
    "<http://[::ffff:127.0.0.1]:{port}/>",
    "<http://[::1]:{port}/>",
    "<http://localhost:{port}/>",
    "<http://evil.example:{port}/>",
    "<http://127.0.0.1.evil.example:{port}/>",
    "<http://127.1:{port}/>",
    "<http://2130706433:{port}/>",
    "<http://0x7f000001:{port}/>",
    "<http://0177.0.0.1:{port}/>",
    "<http://127.0.0.01:{port}/>",
    "<http://127.0.0.1:0/>",
    "<http://127.0.0.1:65536/>",
    "<http://127.0.0.1:+{port}/>",
    "<http://u:p@127.0.0.1:{port}/>",
    "<http://127.0.0.1:{port}@192.0.2.1/>",
    "<http://255.255.255.255:{port}/>",
    "<http://0.0.0.0:{port}/>",
    "<http://239.255.255.250:{port}/>",
    "<https://127.0.0.1:{port}/>",
    "<ftp://127.0.0.1:{port}/>",
    "<file:///etc/passwd>",
    "<gopher://127.0.0.1:{port}/>",
    "<//127.0.0.1:{port}/>",
    "http://127.0.0.1:{port}/",
    "<http://127.0.0.1:{port}/a b>",
    "<http://127.0.0.1:{port}/\x01>",
    "<http://127.0.0.1:{port}/\xe9>",
    "<http://127.0.0.1:{port}/" + "x" * 1100 + ">",
    "<http://127.0.0.1:{port}/><http://127.0.0.2:{port}/>",
    "<http://192.0.2.1:{port}/><http://127.0.0.1:{port}/>",
    "<http://127.0.0.1:{port}/>" * 5,
    "<>",
    "",
)


@pytest.mark.parametrize("callback", FORBIDDEN)
def test_a_callback_that_is_not_the_subscriber_s_own_is_refused(
    besieged: Besieged, callback: str
) -> None:
    """N5 (CVE-2020-12695, CVE-2021-29921): and nothing goes there."""
    with subscriber("0.0.0.0") as listener:
        port = listener.getsockname()[1]

        answer = subscribe(besieged.program, callback.format(port=port))

        assert answer.status in (400, 412)
        listener.settimeout(0.05)
        with pytest.raises((BlockingIOError, TimeoutError)):
            listener.accept()


def test_a_callback_to_ourselves_does_us_no_harm(besieged: Besieged) -> None:
    """N5: the program asked to notify its own control URL."""
    program = besieged.program
    url = f"<http://127.0.0.1:{program.port}/service/ContentDirectory/control>"

    answer = subscribe(program, url)

    assert answer.status in (200, 412)
    assert ask(program, "/health").status == 200
    if answer.status == 200:
        cancel(program, answer)


@pytest.mark.parametrize("path", ["/%0d%0aX:%20y", "/a?b=c&d=%00", "/~!$&'()*+,;=:@", "/"])
def test_a_path_is_sent_as_it_came_and_adds_no_header(besieged: Besieged, path: str) -> None:
    """N6."""
    with subscriber() as listener:
        port = listener.getsockname()[1]
        answer = subscribe(besieged.program, f"<http://127.0.0.1:{port}{path}>")
        assert answer.status == 200

        head = notification(listener).split(b"\r\n\r\n")[0]

        lines = head.decode().split("\r\n")
        assert lines[0] == f"NOTIFY {path} HTTP/1.1"
        names = [line.partition(":")[0].upper() for line in lines[1:]]
        assert sorted(names) == sorted(set(names))
        assert "X" not in names
        cancel(besieged.program, answer)


def test_a_renewal_cannot_change_the_callback(besieged: Besieged) -> None:
    with subscriber() as listener:
        port = listener.getsockname()[1]
        answer = subscribe(besieged.program, f"<http://127.0.0.1:{port}/>")
        notification(listener)
        sid = answer.headers["sid"]
        renewal = (f"SID: {sid}", f"CALLBACK: <http://127.0.0.1:{port}/other>")

        assert ask(besieged.program, EVENT, *renewal, method="SUBSCRIBE").status == 400
        cancel(besieged.program, answer)


def test_a_redirect_is_not_followed(besieged: Besieged) -> None:
    with subscriber() as listener, subscriber() as elsewhere:
        answer = subscribe(besieged.program, f"<http://127.0.0.1:{listener.getsockname()[1]}/>")
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            target = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"
            connection.sendall(
                f"HTTP/1.1 307 x\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
            )
        cancel(besieged.program, answer)
        elsewhere.settimeout(0.2)
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def test_one_host_has_32_subscriptions_and_nobody_more_than_256(besieged: Besieged) -> None:
    """N7; granted times are within 300 and 3600 s and never infinite."""
    program = besieged.program
    with ExitStack() as ends:
        answers = []
        for host in range(9):
            source = f"127.0.2.{host + 1}"
            listener = ends.enter_context(subscriber(source))
            url = f"<http://{source}:{listener.getsockname()[1]}/>"
            for number in range(33):
                answer = subscribe(program, url, source=source)
                full = number == 32 or host == 8
                assert answer.status == (503 if full else 200), (host, number)
                if not full:
                    answers.append((answer, source))
        sids = {answer.headers["sid"] for answer, _ in answers}
        assert len(sids) == len(answers) == 256
        assert {uuid.UUID(sid.removeprefix("uuid:")).version for sid in sids} == {4}
        for answer, source in answers:
            granted = re.fullmatch(r"Second-(\d+)", answer.headers["timeout"])
            assert granted
            assert 300 <= int(granted[1]) <= 3600
            cancel(program, answer, source)


@pytest.mark.parametrize(
    "timeout", ["Second-infinite", "Second-0", "Second-99999999999", "x", "-1"]
)
def test_no_subscription_lasts_for_ever(besieged: Besieged, timeout: str) -> None:
    with subscriber() as listener:
        port = listener.getsockname()[1]
        asked = request(
            besieged.program.port,
            EVENT,
            "NT: upnp:event",
            f"CALLBACK: <http://127.0.0.1:{port}/>",
            f"TIMEOUT: {timeout}",
            "Connection: close",
            method="SUBSCRIBE",
        )
        with connected(besieged.program.port) as sock:
            sock.sendall(asked)
            (answer,) = responses(rest(sock))
        assert answer.status == 200
        granted = int(answer.headers["timeout"].removeprefix("Second-"))
        assert 300 <= granted <= 3600
        cancel(besieged.program, answer)


def test_subscribers_that_hang_or_are_gone_delay_nobody_and_leave_nothing_open(
    besieged: Besieged,
) -> None:
    """N7: a good one gets its first event while thirty others say nothing."""
    program = besieged.program
    before = descriptors(program)
    with ExitStack() as ends:
        silent = [ends.enter_context(subscriber(f"127.0.3.{n + 1}")) for n in range(20)]
        answers = []
        for number, listener in enumerate(silent):
            source = f"127.0.3.{number + 1}"
            port = listener.getsockname()[1] if number % 2 else 1  # nobody listens there
            url = f"<http://{source}:{port}/>"
            answers += [(subscribe(program, url, source=source), source) for _ in range(5)]
        good = ends.enter_context(subscriber())
        answer = subscribe(program, f"<http://127.0.0.1:{good.getsockname()[1]}/>")
        assert b"SystemUpdateID" in notification(good)
        cancel(program, answer)
    program.wait_for(lambda: descriptors(program) <= before + 3, "descriptors closed")
