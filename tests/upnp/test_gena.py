"""Eventing as values: requests, property sets, SEQ, moderation (UDA 1.1 §4)."""

import re
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from mediaserver.upnp import gena
from mediaserver.upnp.gena import (
    Callback,
    CallbackPolicy,
    Moderation,
    NewSubscription,
    Renewal,
    Subscription,
    SubscriptionRefused,
)
from mediaserver.upnp.interfaces import Interface
from mediaserver.upnp.service import StateVariable
from tests.recorded import headers_of, recorded

PEER = "10.77.0.2"
POLICY = CallbackPolicy(ip_address(PEER), server=(ip_address("10.77.0.1"), 8200))
EVENT = "{urn:schemas-upnp-org:event-1-0}"


def subscribe(**changed: str | None) -> list[tuple[str, str]]:
    """The headers of a SUBSCRIBE with some exchanged, or left out if None."""
    headers = {
        "HOST": "10.77.0.1:8200",
        "CALLBACK": "<http://10.77.0.2:5000/notify>",
        "NT": "upnp:event",
        "TIMEOUT": "Second-1800",
        **changed,
    }
    return [(name, value) for name, value in headers.items() if value is not None]


def refused(headers: list[tuple[str, str]], policy: CallbackPolicy = POLICY) -> int:
    with pytest.raises(SubscriptionRefused) as caught:
        gena.read_subscribe(headers, policy)
    return caught.value.status


def callbacks(text: str, policy: CallbackPolicy = POLICY) -> list[tuple[str, int, str, str]]:
    return [
        (str(found.address), found.port, found.host, found.target)
        for found in gena.read_callbacks(text, policy)
    ]


# SUBSCRIBE


def test_a_subscription_is_read() -> None:
    assert gena.read_subscribe(subscribe(), POLICY) == NewSubscription(
        callbacks=(Callback(ip_address(PEER), 5000, "10.77.0.2:5000", "/notify"),), seconds=1800
    )


@pytest.mark.parametrize("message", recorded("*-SUBSCRIBE.gena"))
def test_subscriptions_of_real_control_points_are_read(message: bytes) -> None:
    found = gena.read_subscribe(headers_of(message), POLICY)
    assert isinstance(found, NewSubscription)
    (callback,) = found.callbacks
    assert f"<http://{callback.host}{callback.target}>".encode() in message


@pytest.mark.parametrize("message", recorded("*-RENEW.gena"))
def test_renewals_of_real_control_points_are_read(message: bytes) -> None:
    found = gena.read_subscribe(headers_of(message), POLICY)
    assert isinstance(found, Renewal)
    assert found.sid.encode() in message


@pytest.mark.parametrize("message", recorded("*-UNSUBSCRIBE.gena"))
def test_cancellations_of_real_control_points_are_read(message: bytes) -> None:
    assert gena.read_unsubscribe(headers_of(message)).encode() in message


@pytest.mark.parametrize("message", recorded("*-SUBSCRIBE-without-CALLBACK.gena"))
def test_a_recorded_subscription_without_callback_is_412(message: bytes) -> None:
    assert refused(headers_of(message)) == 412


@pytest.mark.parametrize("name", ["SID", "NT", "CALLBACK", "TIMEOUT", "STATEVAR"])
def test_a_header_that_matters_given_twice_is_400(name: str) -> None:
    value = dict(subscribe()).get(name, "x")
    assert refused([*subscribe(**{name: value}), (name.lower(), value)]) == 400


def test_other_headers_may_come_twice() -> None:
    headers = [*subscribe(), ("X-A", "1"), ("X-A", "2")]
    assert isinstance(gena.read_subscribe(headers, POLICY), NewSubscription)


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("Second-1800", 1800),
        ("second-900", 900),
        ("Second-1", 300),
        ("Second-0", 300),
        ("Second-999999", 3600),
        ("Second-" + "9" * 5000, 3600),
        ("Second-" + "0" * 5000 + "900", 900),
        ("Second-infinite", 3600),
        ("infinite", 1800),
        ("Second--5", 1800),
        ("Second-1e3", 1800),
        ("Second-²", 1800),
        ("", 1800),
    ],
)
def test_the_granted_time_is_within_bounds_and_never_infinite(asked: str, granted: int) -> None:
    assert gena.granted_seconds(asked) == granted


def test_names_asked_for_are_read() -> None:
    asked = "SystemUpdateID, ContainerUpdateIDs,SystemUpdateID,<x>,,"
    found = gena.read_subscribe(subscribe(STATEVAR=asked), POLICY)
    assert isinstance(found, NewSubscription)
    assert found.variables == ("SystemUpdateID", "ContainerUpdateIDs")
    assert gena.evented_names(found.variables, ["A", "SystemUpdateID"]) == ("SystemUpdateID",)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["SID", "NT", "CALLBACK", "TIMEOUT", "STATEVAR", "X"]),
            st.one_of(
                st.text(st.characters(max_codepoint=255), max_size=60),
                st.sampled_from(["upnp:event", "<http://10.77.0.2/>", "uuid:1"]),
            ),
        ),
        max_size=6,
    )
)
def test_arbitrary_headers_are_read_or_refused(headers: list[tuple[str, str]]) -> None:
    for read in (
        lambda: gena.read_subscribe(headers, POLICY),
        lambda: gena.read_unsubscribe(headers),
    ):
        with suppress(SubscriptionRefused):
            read()


# CALLBACK: a list of URLs at the subscriber, and nothing that could hurt somebody else


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<http://10.77.0.2:5000/a>", [(PEER, 5000, "10.77.0.2:5000", "/a")]),
        ("<http://10.77.0.2>", [(PEER, 80, "10.77.0.2", "/")]),
        ("<HTTP://10.77.0.2:8/>", [(PEER, 8, "10.77.0.2:8", "/")]),
        ("<http://10.77.0.2:5000?a=b>", [(PEER, 5000, "10.77.0.2:5000", "/?a=b")]),
        ("<http://10.77.0.2:1/a%20b;c=d#e>", [(PEER, 1, "10.77.0.2:1", "/a%20b;c=d")]),
        (
            " <http://10.77.0.2:1/> <http://10.77.0.2:2/>",
            [(PEER, 1, "10.77.0.2:1", "/"), (PEER, 2, "10.77.0.2:2", "/")],
        ),
    ],
)
def test_urls_of_the_subscriber_are_read(
    text: str, expected: list[tuple[str, int, str, str]]
) -> None:
    assert callbacks(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://10.77.0.2/",  # no angle brackets
        "<>",
        "<http://10.77.0.2/> junk",
        "<http://10.77.0.3/>",  # somebody else
        "<http://10.77.0.2/><http://10.77.0.3/>",  # all must pass
        "<http://10.77.0.1:8200/>",  # ourselves
        "<http://127.0.0.1/>",
        "<http://169.254.169.254/>",
        "<http://239.255.255.250:1900/>",
        "<http://255.255.255.255/>",
        "<http://0.0.0.0/>",
        "<http://example.com/>",
        "<http://localhost/>",
        "<https://10.77.0.2/>",
        "<ftp://10.77.0.2/>",
        "<//10.77.0.2/>",
        "<http://user@10.77.0.2/>",
        "<http://10.77.0.2@10.77.0.3/>",
        "<http://10.77.0.2:0/>",
        "<http://10.77.0.2:65536/>",
        "<http://10.77.0.2:/>",
        "<http://10.77.0.2:+80/>",
        "<http://10.77.0.2.:80/>",
        "<http://010.077.000.002/>",  # octal to some
        "<http://10.77.2/>",  # inet_aton forms
        "<http://0x0a.77.0.2/>",
        "<http://172818434/>",
        "<http://[::ffff:10.77.0.2]/>",
        "<http://[::ffff:a4d:2]/>",
        "<http://[fe80::2%25eth0]/>",
        "<http://[::1]/>",
        "<http://10.77.0.2/a\r\nX: y>",
        "<http://10.77.0.2/a b>",
        "<http://10.77.0.2/\u00fc>",
        "<http://10.77.0.2\\@x/>",
        "<http://10.77.0.2/" + "a" * 1024 + ">",
        "<http://10.77.0.2/>" * 5,
    ],
)
def test_any_other_url_is_412(text: str) -> None:
    assert refused(subscribe(CALLBACK=text)) == 412


def test_loopback_is_for_subscribers_on_loopback() -> None:
    policy = CallbackPolicy(ip_address("127.0.0.1"), server=(ip_address("127.0.0.1"), 8200))
    assert callbacks("<http://127.0.0.1:8201/>", policy)
    for text in ("<http://127.0.0.1:8200/>", "<http://127.0.0.2:8201/>", "<http://[::1]:1/>"):
        assert refused(subscribe(CALLBACK=text), policy) == 412


@pytest.mark.parametrize("peer", ["fe80::2", "fe80::2%eth0", "2001:db8::2"])
def test_subscribers_of_ipv6_are_called_back(peer: str) -> None:
    plain = peer.partition("%")[0]
    policy = CallbackPolicy(ip_address(peer))
    assert callbacks(f"<http://[{plain.upper()}]:5000/>", policy) == [
        (plain, 5000, f"[{plain.upper()}]:5000", "/")
    ]


def test_a_peer_mapped_into_ipv6_is_called_back_at_ipv4() -> None:
    assert callbacks("<http://10.77.0.2:1/>", CallbackPolicy(ip_address("::ffff:10.77.0.2")))


def test_an_ipv4_address_mapped_into_ipv6_is_nobodys_even_in_a_whole_subnet() -> None:
    for address, prefix_length in (("10.77.0.1", 24), ("fd77::1", 64)):
        interface = Interface("eth0", 2, ip_address(address), prefix_length)
        policy = CallbackPolicy(ip_address("::ffff:10.77.0.2"), interface=interface)
        assert refused(subscribe(CALLBACK="<http://[::ffff:10.77.0.2]/>"), policy) == 412
        assert refused(subscribe(CALLBACK="<http://[::ffff:10.77.0.3]/>"), policy) == 412


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("10.77.0.2", True),
        ("10.77.0.200", True),
        ("10.77.0.0", False),
        ("10.77.0.255", False),
        ("10.77.1.2", False),
        ("127.0.0.1", False),
        ("10.77.0.1:8200", False),
    ],
)
def test_with_the_whole_subnet_neighbours_are_allowed_too(host: str, allowed: bool) -> None:
    policy = CallbackPolicy(
        ip_address(PEER),
        server=(ip_address("10.77.0.1"), 8200),
        interface=Interface("eth0", 2, ip_address("10.77.0.1"), 24),
    )
    if allowed:
        assert callbacks(f"<http://{host}/>", policy)
    else:
        assert refused(subscribe(CALLBACK=f"<http://{host}/>"), policy) == 412


@settings(deadline=None)
@given(st.text(st.characters(max_codepoint=0x2FF), max_size=80), st.booleans())
def test_whatever_the_callback_it_leads_to_the_subscriber_or_nowhere(
    text: str, bracketed: bool
) -> None:
    try:
        found = gena.read_callbacks(f"<http://{text}>" if bracketed else text, POLICY)
    except SubscriptionRefused:
        return
    for callback in found:
        assert str(callback.address) == PEER
        assert re.fullmatch(r"/[!-~]*", callback.target)


def test_reading_a_long_callback_takes_no_longer_than_its_length() -> None:
    # 200,000 characters that a regular expression with a flaw would go over again and again.
    assert refused(subscribe(CALLBACK="<" * 100_000 + ">" * 100_000)) == 412
    assert refused(subscribe(CALLBACK="<a> " * 50_000 + "x")) == 412


# Property sets


def read_properties(body: bytes) -> list[tuple[str, str]]:
    root = etree.fromstring(body)
    assert root.tag == f"{EVENT}propertyset"
    found = []
    for element in root:
        assert element.tag == f"{EVENT}property"
        (variable,) = element
        found.append((str(variable.tag), variable.text or ""))
    return found


def test_a_property_set_has_each_variable_in_a_property_of_its_own() -> None:
    values = [("SystemUpdateID", "7"), ("ContainerUpdateIDs", "")]
    assert read_properties(gena.property_set(values)) == values


def test_the_prefix_is_the_one_that_node_upnp_looks_for() -> None:
    body = gena.property_set([("A", "1")])
    assert body.startswith(b'<?xml version="1.0" encoding="utf-8"?>\n<e:propertyset ')
    assert b"<e:property><A>1</A></e:property>" in body


@settings(deadline=None)
@given(st.text(max_size=50))
def test_any_value_arrives_as_it_was_but_for_what_xml_cannot_hold(value: str) -> None:
    expected = re.sub("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", value)
    assert read_properties(gena.property_set([("A", value)])) == [("A", expected)]


def test_lone_surrogates_of_file_names_do_not_break_an_event() -> None:
    assert read_properties(gena.property_set([("A", "a\udcffb")])) == [("A", "a\ufffdb")]


# Subscriptions


def subscription(**more: object) -> Subscription:
    return Subscription((), ip_address(PEER), expires=100.0, **more)  # type: ignore[arg-type]


def test_sids_are_random_uuids() -> None:
    sids = {subscription().sid for _ in range(100)}
    assert len(sids) == 100
    for sid in sids:  # RFC 9562 §5.4: version 4
        assert re.fullmatch(
            r"uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-.{12}", sid
        )


def test_the_event_key_counts_from_zero_and_wraps_to_one() -> None:
    counted = subscription()
    assert [counted.take_seq() for _ in range(3)] == [0, 1, 2]
    counted.seq = 4294967294
    assert [counted.take_seq() for _ in range(3)] == [4294967294, 4294967295, 1]


def test_a_subscription_expires_when_its_time_is_over() -> None:
    assert not subscription().expired(99.9)
    assert subscription().expired(100.0)


def test_a_subscriber_gets_what_it_asked_for() -> None:
    values = {"A": "1", "B": "2"}
    assert subscription().select(values) == values
    assert subscription(variables=frozenset({"B"})).select(values) == {"B": "2"}


# Moderation

FAST = StateVariable("Fast", evented=True, default="")
SLOW = StateVariable("Slow", evented=True, default="", moderation=2.0)
LIST = StateVariable("List", evented=True, default="", moderation=0.2)


def joined(older: str, newer: str) -> str:
    return f"{older},{newer}"


def test_a_variable_without_moderation_goes_out_at_once() -> None:
    moderation = Moderation()
    for now, value in enumerate("abc"):
        moderation.change({FAST: value})
        assert moderation.take_due(now) == {"Fast": value}
    assert moderation.next_due() is None


def test_a_moderated_variable_waits_and_goes_out_with_its_last_value() -> None:
    moderation = Moderation()
    moderation.change({SLOW: "1"})
    assert moderation.take_due(10.0) == {"Slow": "1"}
    moderation.change({SLOW: "2"})
    moderation.change({SLOW: "3"})
    assert moderation.take_due(11.9) == {}
    assert moderation.next_due() == 12.0
    assert moderation.take_due(12.0) == {"Slow": "3"}


def test_lists_of_changes_grow_while_they_wait() -> None:
    moderation = Moderation({"List": joined})
    moderation.change({LIST: "a"})
    assert moderation.take_due(0.0) == {"List": "a"}
    moderation.change({LIST: "b"})
    moderation.change({LIST: "c"})
    assert moderation.take_due(0.2) == {"List": "b,c"}
    assert moderation.take_due(9.9) == {}


def test_a_slow_variable_does_not_hold_up_a_fast_one() -> None:
    moderation = Moderation()
    moderation.change({SLOW: "1", LIST: "a"})
    moderation.take_due(0.0)
    moderation.change({SLOW: "2", LIST: "b"})
    assert moderation.next_due() == 0.2
    assert moderation.take_due(0.2) == {"List": "b"}
    assert moderation.next_due() == 2.0


def test_two_messages_become_one_without_loss() -> None:
    assert gena.merge_values({"A": "1", "L": "a"}, {"L": "b", "B": "2"}, {"L": joined}) == {
        "A": "1",
        "L": "a,b",
        "B": "2",
    }
