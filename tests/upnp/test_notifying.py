"""Delivery of event messages: order, failures, time limits; and real ones over TCP."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from ipaddress import ip_address

import pytest

from mediaserver.upnp import notifying
from mediaserver.upnp.gena import Callback, Subscription
from mediaserver.upnp.notifying import NotAnswered, NotDelivered, Subscriber
from tests.leaks import nothing_left
from tests.upnp.fakes import FakeClock, FakePost, settle

PEER = ip_address("10.77.0.2")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def post(clock: FakeClock) -> FakePost:
    return FakePost(clock)


@dataclass
class Ended:
    reasons: list[str] = field(default_factory=list)

    def __call__(self, subscriber: Subscriber, reason: str) -> None:
        self.reasons.append(reason)


@pytest.fixture
def ended() -> Ended:
    return Ended()


Make = Callable[..., Subscriber]


@pytest.fixture
async def make(clock: FakeClock, post: FakePost, ended: Ended) -> AsyncIterator[Make]:
    """Makes subscribers that call back at these ports."""
    made: list[Subscriber] = []

    def make(*ports: int) -> Subscriber:
        callbacks = tuple(Callback(PEER, port, f"10.77.0.2:{port}", "/cb") for port in ports)
        subscriber = Subscriber(
            Subscription(callbacks or (Callback(PEER, 80, "10.77.0.2", "/cb"),), PEER, 1e9),
            ended=ended,
            merge={"List": lambda older, newer: f"{older},{newer}"},
            post=post,
            sleep=clock.sleep,
        )
        made.append(subscriber)
        return subscriber

    async with nothing_left():
        yield make
        for subscriber in made:
            await subscriber.close()


def values(body: bytes) -> dict[str, str]:
    return dict(re.findall(r"<e:property><(\w+)>([^<]*)<", body.decode()))


async def test_messages_keep_their_order_one_under_way_at_a_time(
    make: Make, post: FakePost
) -> None:
    post.answers[80] = None
    subscriber = make()
    subscriber.begin({"A": "0"})
    subscriber.put({"A": "1"})
    await settle()
    assert [message.seq for message in post.messages] == [0]
    post.messages[0].outcome.set_result(200)
    await settle()
    assert [(each.seq, values(each.body)) for each in post.take()] == [
        (0, {"A": "0"}),
        (1, {"A": "1"}),
    ]


async def test_nothing_goes_out_before_the_initial_event(make: Make, post: FakePost) -> None:
    subscriber = make()
    subscriber.put({"A": "0"})
    await settle()
    assert post.messages == []
    subscriber.begin({"A": "0", "B": ""})
    await settle()
    assert [(each.seq, values(each.body)) for each in post.take()] == [(0, {"A": "0", "B": ""})]


async def test_callbacks_are_tried_in_order_until_one_connects(make: Make, post: FakePost) -> None:
    post.answers[1] = NotDelivered("refused")
    make(1, 2, 3).begin({"A": "0"})
    await settle()
    assert [(each.callback.port, each.seq) for each in post.take()] == [(1, 0), (2, 0)]


async def test_the_initial_event_is_tried_again_then_the_subscription_ends(
    make: Make, post: FakePost, clock: FakeClock, ended: Ended
) -> None:
    post.answers[80] = NotDelivered("no route")
    make().begin({"A": "0"})
    await clock.advance(60)
    assert [(each.at, each.seq) for each in post.take()] == [(1000, 0), (1001, 0), (1003, 0)]
    assert ended.reasons == ["not reached"]


async def test_an_initial_event_that_gets_through_late_is_delivered_once(
    make: Make, post: FakePost, clock: FakeClock, ended: Ended
) -> None:
    post.answers[80] = NotDelivered("no route")
    subscriber = make()
    subscriber.begin({"A": "0"})
    await clock.advance(0.5)
    del post.answers[80]
    subscriber.put({"A": "1"})
    await clock.advance(60)
    assert [each.seq for each in post.take()] == [0, 0, 1]
    assert ended.reasons == []


async def test_other_events_are_not_tried_again_and_three_failures_end_it(
    make: Make, post: FakePost, clock: FakeClock, ended: Ended
) -> None:
    subscriber = make()
    subscriber.begin({"A": "0"})
    await settle()
    post.take()
    post.answers[80] = NotDelivered("no route")
    for seq in (1, 2, 3):
        assert ended.reasons == []
        subscriber.put({"A": str(seq)})
        await clock.advance(60)
        assert [each.seq for each in post.take()] == [seq]
    assert ended.reasons == ["not reached"]
    subscriber.put({"A": "4"})
    await clock.advance(60)
    assert post.messages == []


async def test_a_success_in_between_forgives_failures(
    make: Make, post: FakePost, ended: Ended
) -> None:
    subscriber = make()
    for answer in (200, 500, 500, 200, 500, 500):
        post.answers[80] = answer
        if subscriber.subscription.seq == 0:
            subscriber.begin({"A": ""})
        else:
            subscriber.put({"A": ""})
        await settle()
    assert ended.reasons == []
    subscriber.put({"A": ""})
    await settle()
    assert ended.reasons == ["refused"]


@pytest.mark.parametrize("status", [301, 404, 500])
async def test_an_answer_that_is_no_success_is_not_followed(
    status: int, make: Make, post: FakePost
) -> None:
    post.answers[1] = status
    make(1, 2).begin({"A": ""})
    await settle()
    assert [each.callback.port for each in post.take()] == [1]


async def test_412_ends_the_subscription_at_once(make: Make, post: FakePost, ended: Ended) -> None:
    post.answers[80] = 412
    subscriber = make()
    subscriber.begin({"A": ""})
    subscriber.put({"A": "1"})
    await settle()
    assert [each.seq for each in post.take()] == [0]
    assert ended.reasons == ["refused"]


async def test_who_never_answers_is_kept_and_waited_for_less(
    make: Make, post: FakePost, ended: Ended
) -> None:
    # upnp-device-client reads every NOTIFY and answers none.
    post.answers[80] = NotAnswered("timed out")
    subscriber = make()
    subscriber.begin({"A": ""})
    for _ in range(5):
        subscriber.put({"A": ""})
        await settle()
    assert [(each.seq, each.answer_seconds) for each in post.take()] == [
        (0, 10.0),
        *[(seq, 1.0) for seq in range(1, 6)],
    ]
    assert ended.reasons == []


async def test_a_full_queue_merges_its_last_two_messages(make: Make, post: FakePost) -> None:
    post.answers[80] = None
    subscriber = make()
    subscriber.begin({"Number": "0", "List": "0"})
    await settle()
    for number in range(1, 31):
        subscriber.put({"Number": str(number), "List": str(number)})
    for _ in range(11):
        post.messages[-1].outcome.set_result(200)
        await settle()
    last = values(post.messages[-1].body)
    assert len(post.messages) == 11
    assert [each.seq for each in post.messages] == list(range(11))
    assert last == {"Number": "30", "List": ",".join(map(str, range(10, 31)))}


async def test_an_end_before_the_initial_event_leaves_only_that_one(
    make: Make, post: FakePost
) -> None:
    subscriber = make()
    subscriber.begin({"A": "0"})
    subscriber.put({"A": "1"})
    subscriber.retire()
    subscriber.put({"A": "2"})
    await settle()
    assert [each.seq for each in post.take()] == [0]


async def test_an_end_later_drops_what_waits(make: Make, post: FakePost) -> None:
    post.answers[80] = None
    subscriber = make()
    subscriber.begin({"A": "0"})
    await settle()
    subscriber.put({"A": "1"})
    subscriber.retire()
    post.messages[0].outcome.set_result(200)
    await settle()
    assert [each.seq for each in post.take()] == [0]


async def test_a_failure_that_nobody_thought_of_ends_the_subscription(
    make: Make, post: FakePost, ended: Ended, caplog: pytest.LogCaptureFixture
) -> None:
    """security.md F12: it subscribes anew when its renewal is answered with 412."""
    post.answers[5000] = RuntimeError("unthought of")
    subscriber = make(5000)
    subscriber.begin({"State": "on"})
    await settle()
    subscriber.put({"State": "off"})
    await settle()
    assert len(post.messages) == 1
    assert ended.reasons == ["failed"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


async def test_closing_cuts_what_is_under_way(make: Make, post: FakePost) -> None:
    post.answers[80] = None
    subscriber = make()
    subscriber.begin({"A": "0"})
    await settle()
    await subscriber.close()
    assert post.messages[0].outcome.cancelled()


def test_the_message_is_as_uda_writes_it() -> None:
    callback = Callback(PEER, 5000, "10.77.0.2:5000", "/a?b")
    message = notifying.event_message(callback, "uuid:1", 4294967295, b"<e/>")
    assert message.decode().split("\r\n") == [
        "NOTIFY /a?b HTTP/1.1",
        "HOST: 10.77.0.2:5000",
        'CONTENT-TYPE: text/xml; charset="utf-8"',
        "NT: upnp:event",
        "NTS: upnp:propchange",
        "SID: uuid:1",
        "SEQ: 4294967295",
        "CONTENT-LENGTH: 4",
        "CONNECTION: close",
        "",
        "<e/>",
    ]


# Over TCP, on the loopback interface


@dataclass
class TcpSubscriber:
    """Takes one message on each connection and answers with what a test says."""

    answer: bytes | None
    """None: never."""
    received: list[bytes] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"CONTENT-LENGTH: (\d+)", head)
        assert length is not None
        self.received.append(head + await reader.readexactly(int(length[1])))
        self.arrived.set()
        if self.answer is not None:
            writer.write(self.answer)
            writer.close()

    def callback(self) -> Callback:
        return Callback(ip_address("127.0.0.1"), self.port, f"127.0.0.1:{self.port}", "/cb")

    def close(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


Listen = Callable[[bytes | None], Awaitable[TcpSubscriber]]


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    """Starts subscribers."""
    servers: list[tuple[asyncio.Server, TcpSubscriber]] = []

    async def start(answer: bytes | None) -> TcpSubscriber:
        subscriber = TcpSubscriber(answer)
        server = await asyncio.start_server(subscriber.connected, "127.0.0.1", 0)
        subscriber.port = server.sockets[0].getsockname()[1]
        servers.append((server, subscriber))
        return subscriber

    async with nothing_left():
        yield start
        for server, subscriber in servers:
            subscriber.close()
            server.close()
            await server.wait_closed()
        await settle()


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.0 412 Precondition Failed\r\n\r\n", 412),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n\r\n", 302),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * 100_000, 200),
    ],
)
async def test_the_status_is_read_and_nothing_else(
    answer: bytes, status: int, listen: Listen
) -> None:
    subscriber = await listen(answer)
    message = notifying.event_message(subscriber.callback(), "uuid:1", 0, b"<e/>")
    assert await notifying.post(subscriber.callback(), message, 0, 5) == status
    assert subscriber.received == [message]


@pytest.mark.parametrize(
    "answer",
    [b"", b"hello\r\n", b"HTTP/1.1 20\r\n\r\n", b"x" * 100_000, b"\r\n" * 50_000, b"HTTP/1.1 200"],
)
async def test_what_is_no_http_is_no_answer(answer: bytes, listen: Listen) -> None:
    subscriber = await listen(answer)
    message = notifying.event_message(subscriber.callback(), "uuid:1", 0, b"")
    if answer == b"HTTP/1.1 200":  # a line without its end says enough
        assert await notifying.post(subscriber.callback(), message, 0, 5) == 200
    else:
        with pytest.raises(NotAnswered):
            await notifying.post(subscriber.callback(), message, 0, 5)


async def test_no_answer_in_time_is_told(listen: Listen) -> None:
    subscriber = await listen(None)
    message = notifying.event_message(subscriber.callback(), "uuid:1", 0, b"")
    with pytest.raises(NotAnswered, match="timed out"):
        await notifying.post(subscriber.callback(), message, 0, 0.05)
    assert subscriber.received == [message]


async def test_a_closed_port_is_told_at_once() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens
        callback = Callback(ip_address("127.0.0.1"), closed.getsockname()[1], "x", "/")
        async with nothing_left():
            with pytest.raises(NotDelivered, match="Connect call failed"):
                await notifying.post(callback, b"NOTIFY", 0, 5)


async def test_cancelling_a_delivery_closes_its_connection(listen: Listen) -> None:
    subscriber = await listen(None)
    message = notifying.event_message(subscriber.callback(), "uuid:1", 0, b"")
    async with nothing_left():
        task = asyncio.create_task(notifying.post(subscriber.callback(), message, 0, 60))
        await subscriber.arrived.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        subscriber.close()
