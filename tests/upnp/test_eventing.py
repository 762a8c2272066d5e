"""Subscriptions of a publisher; clauses of UDA are in ``conformance``."""

import asyncio
import logging
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest

from mediaserver.upnp.eventing import SubscriptionState
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.notifying import NotDelivered
from mediaserver.upnp.service import Service
from tests.upnp.fakes import NUMBER, STATE, settle
from tests.upnp.publisher import OTHER_PATH, PATH, Publisher, publisher, values


@pytest.fixture
async def device() -> AsyncIterator[Publisher]:
    async with publisher() as device:
        yield device


# Who may subscribe


@pytest.mark.parametrize(
    ("peer", "status"),
    [("10.77.0.2", 200), ("127.0.0.1", 200), ("10.78.0.2", 403), ("203.0.113.1", 403)],
)
async def test_neighbours_and_our_own_host_may_subscribe(
    peer: str, status: int, device: Publisher
) -> None:
    assert (await device.subscribe(peer=peer)).status == status


async def test_who_may_subscribe_can_be_decided_elsewhere() -> None:
    async with publisher(admit=lambda peer: peer == ip_address("203.0.113.1")) as device:
        assert (await device.subscribe(peer="203.0.113.1")).status == 200
        assert (await device.subscribe(peer="10.77.0.2")).status == 403


async def test_a_stranger_can_neither_renew_nor_cancel(device: Publisher) -> None:
    sid = await device.subscribed()
    for method in ("SUBSCRIBE", "UNSUBSCRIBE"):
        answer = await device.server.request(method, PATH, [("SID", sid)], peer="203.0.113.1")
        assert answer.status == 403
    assert (await device.renew(sid)).status == 200


async def test_with_the_whole_subnet_a_neighbour_may_be_called_back() -> None:
    async with publisher(whole_subnet=True) as device:
        assert (await device.subscribe(CALLBACK="<http://10.77.0.3:1/>")).status == 200
        for host in ("10.78.0.3:1", "10.77.0.1:8200", "10.77.0.255:1"):
            assert (await device.subscribe(CALLBACK=f"<http://{host}/>")).status == 412


async def test_a_link_local_subscriber_is_called_back_on_its_interface() -> None:
    scopes: list[int] = []

    async def post(callback: object, message: bytes, scope_id: int, seconds: float) -> int:
        scopes.append(scope_id)
        return 200

    link = Interface("eth1", 3, ip_address("fe80::1"), 64)
    async with publisher(interfaces=lambda: (link,), post=post) as device:
        answer = await device.subscribe(peer="fe80::2%eth1", CALLBACK="<http://[fe80::2]:5000/>")
        assert answer.status == 200
        await device.clock.advance(0.1)
    assert scopes == [3]


async def test_other_methods_are_405(device: Publisher) -> None:
    assert (await device.server.request("GET", PATH)).status == 405


async def test_a_refusal_says_nothing_but_its_status(device: Publisher) -> None:
    answer = await device.subscribe(CALLBACK="<http://10.77.0.3/>")
    assert (answer.status, answer.body) == (412, b"")
    assert [name for name, _ in answer.raw_headers] == ["DATE", "SERVER", "CONTENT-LENGTH"]


async def test_refusals_do_not_fill_the_log(
    device: Publisher, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "mediaserver.upnp.eventing")
    for _ in range(100):
        await device.subscribe(CALLBACK="<http://10.77.0.3/>")
    await device.subscribe(NT="")
    assert [record.getMessage() for record in caplog.records] == [
        "SUBSCRIBE refused peer=10.77.0.2 status=412 reason=CALLBACK is not an address of the "
        "subscriber",
        "SUBSCRIBE refused peer=10.77.0.2 status=412 reason=NT is not upnp:event",
    ]
    await device.clock.advance(1)
    await device.subscribe(CALLBACK="<http://10.77.0.3/>")
    assert len(caplog.records) == 3


# One subscriber's trouble is not another's


async def test_subscribers_that_hang_do_not_delay_the_next() -> None:
    async with publisher(max_per_peer=256) as device:
        for port in range(6000, 6200):
            device.post.answers[port] = None
            await device.subscribed(port=port)
        device.post.take()
        began = device.clock()
        await device.subscribe(port=5000)
        await device.clock.advance(0.1)
        (initial,) = device.post.take()
        assert (initial.callback.port, initial.seq) == (5000, 0)
        assert initial.at - began < 0.1

        device.service.set({STATE: "busy"})
        await settle()
        assert [event.callback.port for event in device.post.take()] == [5000]


async def test_hundreds_of_dead_subscribers_are_forgotten(device: Publisher) -> None:
    for number in range(200):
        port, peer = 6000 + number, f"10.77.0.{number % 20 + 10}"
        device.post.answers[port] = NotDelivered("no route")
        await device.subscribed(port=port, peer=peer)
    good = await device.subscribed()
    await device.clock.advance(60)
    assert [state.sid for state in device.eventing.subscriptions()] == [good]


async def test_a_subscription_that_was_refused_by_its_subscriber_is_over(
    device: Publisher,
) -> None:
    device.post.answers[5000] = 412
    sid = await device.subscribed()
    assert (await device.renew(sid)).status == 412


# Seen from inside


async def test_subscriptions_can_be_seen(device: Publisher) -> None:
    first = await device.subscribed()
    await device.clock.advance(100)
    second = await device.subscribed(peer="10.77.0.3", path=OTHER_PATH)
    states = device.eventing.subscriptions()
    assert [(each.sid, each.service_type, each.peer) for each in states] == [
        (first, "urn:example-org:service:Counter:1", "10.77.0.2"),
        (second, "urn:example-org:service:Other:1", "10.77.0.3"),
    ]
    assert isinstance(states[0], SubscriptionState)
    assert [round(each.remaining) for each in states] == [1700, 1800]


async def test_the_wall_clock_does_not_end_subscriptions() -> None:
    async with publisher(wall_clock=lambda: 4e9) as device:
        sid = await device.subscribed()
        assert (await device.renew(sid)).status == 200


async def test_a_service_without_evented_variables_has_no_event_url(device: Publisher) -> None:
    service = Service(
        name="Silent", service_type="urn:x:service:Silent:1", service_id="urn:x", actions={}
    )
    with pytest.raises(ValueError, match="no evented state variables"):
        device.eventing.route("/silent", service)


async def test_stopping_ends_deliveries_and_refuses_subscriptions(device: Publisher) -> None:
    device.post.answers[5000] = None
    sid = await device.subscribed()
    (hanging,) = device.post.take()
    device.service.set({NUMBER: 1})
    device.service.set({NUMBER: 2})  # waits for its moderation
    await device.eventing.stop()
    assert hanging.outcome.cancelled()
    assert (await device.renew(sid)).status == 412
    assert (await device.subscribe()).status == 503
    tasks = asyncio.all_tasks()
    device.service.set({NUMBER: 3})
    assert asyncio.all_tasks() == tasks
    await device.clock.advance(10)
    assert device.post.messages == []


async def test_stopping_before_the_initial_event_sends_none(device: Publisher) -> None:
    assert (await device.subscribe()).status == 200
    await device.eventing.stop()
    await device.clock.advance(1)
    assert device.post.messages == []


async def test_a_delivery_under_way_is_finished_after_a_cancellation(device: Publisher) -> None:
    device.post.answers[5000] = None
    sid = await device.subscribed()
    (initial,) = device.post.take()
    await device.unsubscribe(("SID", sid))
    assert not initial.outcome.done()
    initial.outcome.set_result(200)
    await settle()


async def test_a_slow_subscriber_gets_the_last_state_when_it_wakes(device: Publisher) -> None:
    device.post.answers[5000] = None
    await device.subscribed()
    for number in range(100):
        device.service.set({STATE: str(number)})
    while device.post.messages:
        last = device.post.take()[-1]
        last.outcome.set_result(200)
        await settle()
    assert values(last) == {"State": "99"}
