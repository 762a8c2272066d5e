"""SUBSCRIBE, UNSUBSCRIBE and the events of services (UDA 1.1 §4).

``gena`` decides about requests and messages, ``notifying`` delivers. Here are the subscriptions.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from ipaddress import ip_address
from weakref import WeakSet

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mediaserver.supervision import Supervisor
from mediaserver.upnp import gena, notifying
from mediaserver.upnp.gena import (
    CallbackPolicy,
    Merge,
    Moderation,
    NewSubscription,
    Renewal,
    Subscription,
    SubscriptionRefused,
)
from mediaserver.upnp.interfaces import Address, Interface, on_link, unscoped
from mediaserver.upnp.notifying import Subscriber
from mediaserver.upnp.rates import RateLimit
from mediaserver.upnp.service import Service, StateVariable

logger = logging.getLogger(__name__)

MAX_SUBSCRIPTIONS = 256
MAX_PER_PEER = 32
INITIAL_DELAY = 0.02
"""Seconds between the answer to SUBSCRIBE and the initial event. GUPnP loses one that comes
within half a millisecond (measured)."""


Tell = Callable[[Mapping[str, str]], None]
"""Is given the values of variables that changed, by name."""


@dataclass(frozen=True)
class SubscriptionState:
    """One row for whoever wants to see who listens."""

    sid: str
    service_type: str
    peer: str
    remaining: float
    """Seconds until it ends unless renewed."""


class Eventing:
    """The subscriptions to all evented services.

    ``interfaces`` tells those in use. ``admit`` says who may subscribe at all; without it,
    loopback and neighbours on the links of ``interfaces``. With ``whole_subnet``, events may
    be delivered to any neighbour of the subscriber, not to itself only (for control points
    with several addresses).
    """

    def __init__(
        self,
        *,
        server: str,
        interfaces: Callable[[], Sequence[Interface]],
        admit: Callable[[Address], bool] | None = None,
        whole_subnet: bool = False,
        max_subscriptions: int = MAX_SUBSCRIPTIONS,
        max_per_peer: int = MAX_PER_PEER,
        post: notifying.Post = notifying.post,
        supervisor: Supervisor | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._server = server
        self._interfaces = interfaces
        self._admit = admit or self._is_neighbour
        self._whole_subnet = whole_subnet
        self._max_subscriptions = max_subscriptions
        self._max_per_peer = max_per_peer
        self._post = post
        self._clock = clock
        self._wall_clock = wall_clock
        self._sleep = sleep
        self._supervisor = supervisor or Supervisor(clock=clock, sleep=sleep)
        self._sources: list[_Source] = []
        self._told = RateLimit(1)
        self._stopped = False
        # Besides those in the tables, whoever still has a message under way: its task holds it.
        self._subscribers: WeakSet[Subscriber] = WeakSet()

    def route(
        self,
        path: str,
        service: Service,
        *,
        merge: Mapping[str, Merge] | None = None,
        multicast: Tell | None = None,
    ) -> Route:
        """The event URL of a service. ``merge`` is for variables that hold a list of changes;
        ``multicast`` is told the changes as subscribers are (``MulticastEvents.tell``).

        ValueError if the service has nothing to event: its eventSubURL is to be empty then
        (UDA 1.1 §2.3).
        """
        if not service.evented():
            raise ValueError(f"{service.service_type} has no evented state variables")
        source = _Source(
            service, merge or {}, multicast, self._clock, self._sleep, self._supervisor
        )
        self._sources.append(source)

        async def event_url(request: Request) -> Response:
            try:
                return self._answer(request, source)
            except SubscriptionRefused as refused:
                self._tell_refused(request, refused)
                return self._response(refused.status)

        return Route(path, event_url, methods=["SUBSCRIBE", "UNSUBSCRIBE"])

    def subscriptions(self) -> list[SubscriptionState]:
        """All that are running, in the order they were made per service."""
        self._forget_expired()
        now = self._clock()
        return [
            SubscriptionState(
                sid=sid,
                service_type=source.service.service_type,
                peer=str(subscriber.subscription.peer),
                remaining=subscriber.subscription.expires - now,
            )
            for source in self._sources
            for sid, subscriber in source.subscribers.items()
        ]

    async def stop(self) -> None:
        """End all deliveries; SUBSCRIBE is answered with 503 from now on."""
        self._stopped = True
        await asyncio.gather(
            *(source.stop() for source in self._sources),
            *(subscriber.close() for subscriber in list(self._subscribers)),
        )

    # Requests

    def _tell_refused(self, request: Request, refused: SubscriptionRefused) -> None:
        """Log it, unless the same has just been logged: nobody shall fill the log."""
        peer = request.client.host if request.client else None
        if self._told.allow((peer, refused.reason), self._clock()):
            logger.info(
                "%s refused peer=%s status=%d reason=%s",
                request.method,
                peer,
                refused.status,
                refused.reason,
            )

    def _answer(self, request: Request, source: "_Source") -> Response:
        peer = _address(request.client)
        if peer is None or not self._admit(peer):
            raise SubscriptionRefused(403, "not a neighbour")
        self._forget_expired()
        headers = [
            (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw
        ]
        if request.method == "UNSUBSCRIBE":
            return self._unsubscribe(gena.read_unsubscribe(headers), source)
        interface = self._interface_of(request, peer)
        server = _address(request.scope.get("server"))
        asked = gena.read_subscribe(
            headers,
            CallbackPolicy(
                peer=peer,
                server=(server, request.scope["server"][1]) if server else None,
                interface=interface if self._whole_subnet else None,
            ),
        )
        if isinstance(asked, Renewal):
            return self._renew(asked, source)
        return self._subscribe(asked, source, peer, interface)

    def _subscribe(
        self,
        asked: NewSubscription,
        source: "_Source",
        peer: Address,
        interface: Interface | None,
    ) -> Response:
        peers = [
            subscriber.subscription.peer
            for known in self._sources
            for subscriber in known.subscribers.values()
        ]
        if self._stopped or len(peers) >= self._max_subscriptions:
            raise SubscriptionRefused(503, "no more subscriptions")
        if peers.count(peer) >= self._max_per_peer:
            raise SubscriptionRefused(503, "no more subscriptions of this host")
        accepted = gena.evented_names(asked.variables, source.names())
        subscriber = Subscriber(
            Subscription(
                callbacks=asked.callbacks,
                peer=peer,
                expires=self._clock() + asked.seconds,
                variables=frozenset(accepted) or None,
            ),
            ended=source.forget,
            merge=source.merge,
            scope_id=interface.index if interface else 0,
            post=self._post,
            sleep=self._sleep,
        )
        sid = subscriber.subscription.sid
        source.subscribers[sid] = subscriber
        self._subscribers.add(subscriber)
        logger.info("subscribed service=%s peer=%s", source.service.service_type, peer)

        async def begin() -> None:
            """Runs when the answer has gone out, as the control point needs the SID first."""
            await self._sleep(INITIAL_DELAY)
            if not self._stopped:
                subscriber.begin(source.values())

        return self._response(
            200,
            ("SID", sid),
            ("TIMEOUT", f"Second-{asked.seconds}"),
            *([("ACCEPTED-STATEVAR", ",".join(accepted))] if accepted else []),
            background=BackgroundTask(begin),
        )

    def _renew(self, asked: Renewal, source: "_Source") -> Response:
        subscriber = source.subscribers.get(asked.sid)
        if subscriber is None:
            raise SubscriptionRefused(412, "unknown SID")
        subscriber.subscription.expires = self._clock() + asked.seconds
        return self._response(200, ("SID", asked.sid), ("TIMEOUT", f"Second-{asked.seconds}"))

    def _unsubscribe(self, sid: str, source: "_Source") -> Response:
        subscriber = source.subscribers.pop(sid, None)
        if subscriber is None:
            raise SubscriptionRefused(412, "unknown SID")
        subscriber.retire()
        return self._response(200)

    def _response(
        self,
        status: int,
        *headers: tuple[str, str],
        background: BackgroundTask | None = None,
    ) -> Response:
        """An answer without body. Header names keep their usual spelling: some compare case."""
        response = Response(status_code=status, background=background)
        response.raw_headers = [
            (name.encode("ascii"), value.encode("ascii"))
            for name, value in (
                *headers,
                ("DATE", formatdate(self._wall_clock(), usegmt=True)),
                ("SERVER", self._server),
                ("CONTENT-LENGTH", "0"),
            )
        ]
        return response

    def _forget_expired(self) -> None:
        now = self._clock()
        for source in self._sources:
            source.forget_expired(now)

    def _is_neighbour(self, peer: Address) -> bool:
        return peer.is_loopback or on_link(peer, self._interfaces())

    def _interface_of(self, request: Request, peer: Address) -> Interface | None:
        """The interface the request came in on: by our address, else by the peer's network."""
        server = _address(request.scope.get("server"))
        known = [interface for interface in self._interfaces() if interface.holds(peer)]
        for interface in known:
            if interface.address == server:
                return interface
        return known[0] if known else None


class _Source:
    """An evented service with its subscribers."""

    def __init__(
        self,
        service: Service,
        merge: Mapping[str, Merge],
        multicast: Tell | None,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]],
        supervisor: Supervisor,
    ) -> None:
        self.service = service
        self.merge = merge
        self.subscribers: dict[str, Subscriber] = {}
        self._multicast = multicast
        self._moderation = Moderation(merge)
        self._clock = clock
        self._sleep = sleep
        self._supervisor = supervisor
        self._timer: asyncio.Task[None] | None = None
        self._timer_due = 0.0
        self._stopped = False
        service.listen(self._changed)

    def values(self) -> dict[str, str]:
        """The current values of all evented variables, by name."""
        return {variable.name: value for variable, value in self.service.evented()}

    def names(self) -> list[str]:
        return [variable.name for variable, _ in self.service.evented()]

    def forget(self, subscriber: Subscriber, reason: str) -> None:
        subscription = subscriber.subscription
        if self.subscribers.pop(subscription.sid, None) is not None:
            logger.info(
                "subscription ended service=%s peer=%s reason=%s",
                self.service.service_type,
                subscription.peer,
                reason,
            )

    def forget_expired(self, now: float) -> None:
        for subscriber in list(self.subscribers.values()):
            if subscriber.subscription.expired(now):
                subscriber.retire()
                self.forget(subscriber, "expired")

    async def stop(self) -> None:
        self._stopped = True
        self.subscribers.clear()
        if self._timer is not None:
            self._timer.cancel()
            await asyncio.gather(self._timer, return_exceptions=True)

    def _changed(self, values: Mapping[StateVariable, str]) -> None:
        if not self._stopped:
            self._moderation.change(values)
            self._send_due()
            self._set_timer()

    def _send_due(self) -> None:
        now = self._clock()
        values = self._moderation.take_due(now)
        if values:
            self.forget_expired(now)
            for subscriber in self.subscribers.values():
                subscriber.put(values)
            if self._multicast is not None:
                self._multicast(values)

    def _set_timer(self) -> None:
        due = self._moderation.next_due()
        if due is None or (self._timer is not None and self._timer_due <= due):
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due = due
        self._timer = self._supervisor.start("moderated events", self._send_later)

    async def _send_later(self) -> None:
        """Send what is held back when it is due, until nothing is."""
        while (due := self._moderation.next_due()) is not None:
            self._timer_due = due
            await self._sleep(due - self._clock())
            self._send_due()
        self._timer = None


def _address(place: object) -> Address | None:
    """The IP address of an ASGI ``client`` or ``server`` entry; None if it has none."""
    if not isinstance(place, tuple | list) or not place:
        return None
    try:
        return unscoped(ip_address(place[0]))
    except ValueError:  # a path, or a made-up name
        return None
