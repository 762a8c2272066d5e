"""UPnP Device Architecture 1.1, chapter 4: eventing. Every test names its clause."""

from collections.abc import AsyncIterator

import pytest
from lxml import etree

from mediaserver.upnp.notifying import NotDelivered
from tests.recorded import headers_of, recorded
from tests.upnp.fakes import CHANGES, NUMBER, STATE, settle
from tests.upnp.publisher import OTHER_PATH, PATH, SERVER, Publisher, publisher, values


@pytest.fixture
async def device() -> AsyncIterator[Publisher]:
    async with publisher() as device:
        yield device


# §4.1.2: SUBSCRIBE with NT and CALLBACK


async def test_4_1_2_a_subscription_is_answered_with_its_headers(device: Publisher) -> None:
    """UDA 1.1 §4.1.2: DATE, SERVER, SID, TIMEOUT and CONTENT-LENGTH 0."""
    answer = await device.subscribe()
    assert answer.status == 200
    sid = answer.headers["SID"]
    assert sid.startswith("uuid:")
    assert answer.raw_headers == (
        ("SID", sid),
        ("TIMEOUT", "Second-1800"),
        ("DATE", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("SERVER", SERVER),
        ("CONTENT-LENGTH", "0"),
    )
    assert answer.body == b""


async def test_4_1_2_every_subscription_has_a_sid_of_its_own(device: Publisher) -> None:
    """UDA 1.1 §4.1.2: SID is unique for all time; the device validator checks two."""
    first, second = await device.subscribed(), await device.subscribed()
    await device.unsubscribe(("SID", first))
    third = await device.subscribed()
    assert len({first, second, third}) == 3


@pytest.mark.parametrize("message", recorded("*-SUBSCRIBE.gena"))
async def test_4_1_2_real_control_points_are_subscribed(message: bytes, device: Publisher) -> None:
    """UDA 1.1 §4.1.2: as they were recorded; each gets its initial event where it listens."""
    answer = await device.server.request("SUBSCRIBE", PATH, headers_of(message))
    assert answer.status == 200
    await device.clock.advance(0.1)
    (event,) = device.post.take()
    assert f"<http://{event.callback.host}{event.callback.target}>".encode() in message


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (412, {"CALLBACK": ""}),
        (412, {"CALLBACK": "http://10.77.0.2:5000/"}),
        (412, {"CALLBACK": "<https://10.77.0.2:5000/>"}),
        (412, {"NT": ""}),
        (412, {"NT": "upnp:other"}),
        (400, {"SID": "uuid:1"}),
    ],
)
async def test_4_1_2_an_improper_subscription_is_refused(
    status: int, headers: dict[str, str], device: Publisher
) -> None:
    """UDA 1.1 §4.1.2, table of errors: 412 without a valid CALLBACK or NT, 400 with SID as well."""
    answer = await device.subscribe(**headers)  # type: ignore[arg-type]
    assert answer.status == status
    await device.clock.advance(60)
    assert device.post.messages == []


async def test_4_1_2_a_callback_elsewhere_is_refused_and_nothing_goes_there(
    device: Publisher,
) -> None:
    """UDA 2.0 §4.1.1 (2020): a delivery URL on another network segment is never accepted."""
    for host in ("10.77.0.3", "192.0.2.1", "127.0.0.1", "10.77.0.1"):
        assert (await device.subscribe(CALLBACK=f"<http://{host}:8200/>")).status == 412
    await device.clock.advance(60)
    assert device.post.messages == []


async def test_4_1_2_no_more_can_be_accepted_than_there_is_room_for() -> None:
    """UDA 1.1 §4.1.2, table of errors: 5xx if the publisher cannot accept the subscription."""
    async with publisher(max_subscriptions=3, max_per_peer=2) as device:
        for _ in range(2):
            await device.subscribed()
        assert (await device.subscribe()).status == 503
        sid = await device.subscribed(peer="10.77.0.3")
        assert (await device.subscribe(peer="10.77.0.4")).status == 503
        await device.unsubscribe(("SID", sid))
        assert (await device.subscribe(peer="10.77.0.4")).status == 200


async def test_4_1_2_the_initial_event_follows_the_answer(device: Publisher) -> None:
    """UDA 1.1 §4.1.2: the control point has to have the SID before the first event comes."""
    answer = await device.subscribe()
    await settle()
    assert answer.status == 200
    assert device.post.messages == []
    await device.clock.advance(0.1)
    (event,) = device.post.take()
    assert event.headers["SID"] == answer.headers["SID"]
    # GUPnP loses an event that comes within half a millisecond.
    assert event.at >= 1000.001


async def test_4_1_2_statevar_selects_variables(device: Publisher) -> None:
    """UDA 2.0 §4.1.2: STATEVAR asks for some variables only, ACCEPTED-STATEVAR tells which."""
    answer = await device.subscribe(STATEVAR="State,Nonesuch")
    assert answer.headers["ACCEPTED-STATEVAR"] == "State"
    await device.clock.advance(0.1)
    device.service.set({NUMBER: 1})
    device.service.set({STATE: "busy"})
    await settle()
    assert [values(event) for event in device.post.take()] == [{"State": "idle"}, {"State": "busy"}]


# §4.1.3: renewal


async def test_4_1_3_a_renewal_keeps_the_sid_and_extends_the_time(device: Publisher) -> None:
    """UDA 1.1 §4.1.3: SUBSCRIBE with SID and TIMEOUT only."""
    sid = await device.subscribed()
    for _ in range(3):
        await device.clock.advance(1700)
        answer = await device.renew(sid)
        assert (answer.status, answer.headers["SID"]) == (200, sid)
        assert answer.headers["TIMEOUT"] == "Second-1800"
    device.post.take()
    device.service.set({STATE: "busy"})
    await settle()
    assert [event.seq for event in device.post.take()] == [1]  # no new initial event


async def test_4_1_3_an_expired_subscription_cannot_be_renewed(device: Publisher) -> None:
    """UDA 1.1 §4.1.3: 412, whereupon a control point subscribes anew."""
    sid = await device.subscribed()
    await device.clock.advance(1800)
    assert (await device.renew(sid)).status == 412


async def test_4_1_3_an_unknown_sid_is_412(device: Publisher) -> None:
    """UDA 1.1 §4.1.3, table of errors: 412 for a SID that is no current subscription's."""
    sid = await device.subscribed()
    assert (await device.renew("uuid:00000000-0000-4000-8000-000000000000")).status == 412
    assert (await device.renew(sid, path=OTHER_PATH)).status == 412


@pytest.mark.parametrize("more", [{"NT": "upnp:event"}, {"CALLBACK": "<http://10.77.0.2:5001/>"}])
async def test_4_1_3_a_renewal_with_nt_or_callback_is_400(
    more: dict[str, str], device: Publisher
) -> None:
    """UDA 1.1 §4.1.3: incompatible header fields. A renewal cannot move the delivery."""
    sid = await device.subscribed()
    assert (await device.renew(sid, **more)).status == 400


# §4.1.4: UNSUBSCRIBE


async def test_4_1_4_a_cancelled_subscription_gets_no_more_events(device: Publisher) -> None:
    """UDA 1.1 §4.1.4: 200 with nothing in it; then it is as if it never was."""
    sid = await device.subscribed()
    device.post.take()
    answer = await device.unsubscribe(("SID", sid))
    assert (answer.status, answer.body) == (200, b"")
    device.service.set({STATE: "busy"})
    await device.clock.advance(10)
    assert device.post.messages == []
    assert (await device.renew(sid)).status == 412
    assert (await device.unsubscribe(("SID", sid))).status == 412


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (412, []),
        (412, [("SID", "uuid:1")]),
        (412, [("SID", "")]),
        (400, [("SID", "uuid:1"), ("NT", "upnp:event")]),
        (400, [("SID", "uuid:1"), ("CALLBACK", "<http://10.77.0.2/>")]),
    ],
)
async def test_4_1_4_an_improper_cancellation_is_refused(
    status: int, headers: list[tuple[str, str]], device: Publisher
) -> None:
    """UDA 1.1 §4.1.4, table of errors: 400 with NT or CALLBACK, 412 without a valid SID."""
    assert (await device.unsubscribe(*headers)).status == status


async def test_4_1_4_the_initial_event_is_sent_even_after_a_cancellation(
    device: Publisher,
) -> None:
    """UDA 1.1 §4.1.4: it was promised when the subscription was accepted."""
    sid = (await device.subscribe()).headers["SID"]
    assert (await device.unsubscribe(("SID", sid))).status == 200
    device.service.set({STATE: "busy"})
    await device.clock.advance(1)
    assert [event.seq for event in device.post.take()] == [0]


# §4.2, §4.3: events


async def test_4_2_the_initial_event_has_every_evented_variable(device: Publisher) -> None:
    """UDA 1.1 §4.2: all evented variables, whether they changed or not, with SEQ 0."""
    device.service.set({NUMBER: 41})
    device.service.set({NUMBER: 42})  # held back by moderation, told to a new subscriber
    await device.subscribed()
    (event,) = device.post.take()
    assert event.seq == 0
    assert values(event) == {"Number": "42", "Changes": "", "State": "idle"}


async def test_4_3_2_an_event_message_has_the_headers_of_its_table(device: Publisher) -> None:
    """UDA 1.1 §4.3.2: NOTIFY to the delivery URL."""
    sid = await device.subscribed()
    (event,) = device.post.take()
    assert event.message.startswith(b"NOTIFY /cb HTTP/1.1\r\n")
    assert event.headers == {
        "HOST": "10.77.0.2:5000",
        "CONTENT-TYPE": 'text/xml; charset="utf-8"',
        "NT": "upnp:event",
        "NTS": "upnp:propchange",
        "SID": sid,
        "SEQ": "0",
        "CONTENT-LENGTH": str(len(event.body)),
        "CONNECTION": "close",
    }


async def test_4_3_2_the_body_is_a_property_set(device: Publisher) -> None:
    """UDA 1.1 §4.3.2: e:propertyset, e:property, and the variable in no namespace."""
    device.service.set({STATE: "<busy & \U0001f3b5>"})
    await device.subscribed()
    (event,) = device.post.take()
    root = etree.fromstring(event.body)
    namespace = "{urn:schemas-upnp-org:event-1-0}"
    assert root.tag == f"{namespace}propertyset"
    assert [child.tag for child in root] == [f"{namespace}property"] * 3
    assert [(child[0].tag, child[0].text) for child in root][-1] == (
        "State",
        "<busy & \U0001f3b5>",
    )


async def test_4_3_2_seq_counts_for_each_subscriber_alone(device: Publisher) -> None:
    """UDA 1.1 §4.3.2: SEQ is 0, then one more for each message to that subscriber."""
    await device.subscribed(port=5001)
    for state in "ab":
        device.service.set({STATE: state})
        await settle()
    await device.subscribed(port=5002)
    device.service.set({STATE: "c"})
    await settle()
    seqs = [(event.callback.port, event.seq) for event in device.post.take()]
    assert sorted(seqs) == [(5001, 0), (5001, 1), (5001, 2), (5001, 3), (5002, 0), (5002, 1)]


async def test_4_3_2_seq_wraps_from_the_highest_number_to_one(device: Publisher) -> None:
    """UDA 1.1 §4.3.2: 4294967295 is followed by 1, as 0 is for initial events."""
    sid = await device.subscribed()
    (subscriber,) = device.eventing._subscribers
    assert subscriber.subscription.sid == sid
    subscriber.subscription.seq = 4294967295
    device.post.take()
    for state in "ab":
        device.service.set({STATE: state})
        await settle()
    assert [event.seq for event in device.post.take()] == [4294967295, 1]


async def test_4_3_all_subscribers_of_a_service_get_the_same_variables(
    device: Publisher,
) -> None:
    """UDA 1.1 §4.3.2: and those of another service get none of them."""
    await device.subscribed(port=5001)
    await device.subscribed(port=5002)
    await device.subscribed(port=5003, path=OTHER_PATH)
    device.post.take()
    device.service.set({STATE: "busy", NUMBER: 1})
    await settle()
    assert [(event.callback.port, values(event)) for event in device.post.take()] == [
        (5001, {"State": "busy", "Number": "1"}),
        (5002, {"State": "busy", "Number": "1"}),
    ]


async def test_4_3_a_variable_that_keeps_its_value_is_not_told(device: Publisher) -> None:
    """UDA 1.1 §4.3: event messages tell changes."""
    await device.subscribed()
    device.post.take()
    device.service.set({STATE: "idle"})
    await device.clock.advance(10)
    assert device.post.messages == []


async def test_4_3_1_changes_come_no_faster_than_moderation_allows(device: Publisher) -> None:
    """UDA 1.1 §4.3.1 maximumRate: the last value when the time has passed."""
    await device.subscribed()
    device.post.take()
    began = device.clock()
    for number in range(1, 101):
        device.service.set({NUMBER: number})
        await device.clock.advance(0.1)
    await device.clock.advance(5)
    events = device.post.take()
    assert [round(event.at - began, 1) for event in events] == [0, 2, 4, 6, 8, 10]
    assert values(events[-1]) == {"Number": "100"}


async def test_4_3_1_lists_of_changes_lose_nothing_to_moderation(device: Publisher) -> None:
    """UDA 1.1 §4.3.1: what is held back goes out as one, a list with all its entries."""
    await device.subscribed()
    device.post.take()
    for change in ("a,1", "b,2", "c,3"):
        device.service.set({CHANGES: change})
    await device.clock.advance(1)
    assert [values(event)["Changes"] for event in device.post.take()] == ["a,1", "b,2,c,3"]


async def test_4_3_1_a_fast_variable_does_not_wait_for_a_slow_one(device: Publisher) -> None:
    """UDA 1.1 §4.3.1: each variable has its own maximumRate."""
    await device.subscribed()
    began = device.clock()
    device.service.set({NUMBER: 1, CHANGES: "a"})
    device.service.set({NUMBER: 2})
    await device.clock.advance(0.1)
    device.service.set({CHANGES: "b"})
    device.post.take()
    await device.clock.advance(5)
    assert [(round(event.at - began, 1), values(event)) for event in device.post.take()] == [
        (0.2, {"Changes": "b"}),
        (2.0, {"Number": "2"}),
    ]


async def test_4_3_the_delivery_urls_are_tried_in_order(device: Publisher) -> None:
    """UDA 1.1 §4.1.2 CALLBACK: until one of them takes the message."""
    device.post.answers[5001] = NotDelivered("refused")
    await device.subscribe(CALLBACK="<http://10.77.0.2:5001/a><http://10.77.0.2:5002/b>")
    await device.clock.advance(0.1)
    assert [event.callback.target for event in device.post.take()] == ["/a", "/b"]


async def test_4_3_an_expired_subscription_gets_no_more_events(device: Publisher) -> None:
    """UDA 1.1 §4.1: a subscription that is not renewed in time is over."""
    await device.subscribed()
    device.post.take()
    await device.clock.advance(1800)
    device.service.set({STATE: "busy"})
    await device.clock.advance(10)
    assert device.post.messages == []
    assert device.eventing.subscriptions() == []
