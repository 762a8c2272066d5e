"""Delivery of event messages to one subscriber after the other (UDA 1.1 §4.3).

Each subscription has its own short queue and at most one message under way, so messages keep
their order and a subscriber that is slow or gone holds up nobody else. For the same reason no
further limit is shared: there are never more connections than subscriptions.
"""

import asyncio
import logging
import re
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from ipaddress import IPv6Address

from mediaserver.upnp import gena
from mediaserver.upnp.gena import Callback, Merge, Subscription

logger = logging.getLogger(__name__)
traffic = logging.getLogger("mediaserver.traffic.gena")

SEND_SECONDS = 5.0
"""To connect and to send: a SYN gets lost and is repeated after one second and after three."""
ANSWER_SECONDS = 10.0
HASTY_ANSWER_SECONDS = 1.0
"""For a subscriber that took the last message and did not answer it."""
MAX_ANSWER = 4096
"""Octets that are looked through for the status line."""
MAX_QUEUE = 10
MAX_FAILURES = 3
"""In a row; then the subscription ends."""
RETRY_SECONDS = 1.0

_STATUS = re.compile(rb"HTTP/1\.[0-9] (?P<status>[2-9][0-9]{2})\b")


class NotDelivered(Exception):  # noqa: N818 - the outcome it names
    """No connection, or it broke before the message was out."""


class NotAnswered(Exception):  # noqa: N818
    """The message is out, but no answer came in time."""


async def post(callback: Callback, message: bytes, scope_id: int, answer_seconds: float) -> int:
    """Send one message, return the status of the answer. NotDelivered, NotAnswered.

    Connects to the checked address, follows nothing, and reads no more than the status line.
    ``scope_id`` is the index of the interface, for a link-local IPv6 address.
    """
    host = str(callback.address)
    if isinstance(callback.address, IPv6Address) and callback.address.is_link_local and scope_id:
        host = f"{host}%{scope_id}"
    writer: asyncio.StreamWriter | None = None
    try:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                reader, writer = await asyncio.open_connection(
                    host, callback.port, limit=MAX_ANSWER
                )
                writer.write(message)
                await writer.drain()
        except OSError as error:  # TimeoutError is one
            raise NotDelivered(str(error) or "timed out") from error
        try:
            async with asyncio.timeout(answer_seconds):
                return await _read_status(reader)
        except OSError as error:
            raise NotAnswered(str(error) or "timed out") from error
    finally:
        if writer is not None:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


async def _read_status(reader: asyncio.StreamReader) -> int:
    """The first final status (RFC 9110 §15.2 allows interim ones before it)."""
    left = MAX_ANSWER
    while left > 0:
        try:
            line = await reader.readline()
        except ValueError as error:  # longer than the reader's limit
            raise NotAnswered("no HTTP") from error
        if not line:
            raise NotAnswered("closed")
        left -= len(line)
        match = _STATUS.match(line)
        if match:
            return int(match["status"])
    raise NotAnswered("no HTTP")


def event_message(callback: Callback, sid: str, seq: int, body: bytes) -> bytes:
    """NOTIFY (UDA 1.1 §4.3.2). ``Connection: close`` as GUPnP sends it: one message each."""
    return (
        f"NOTIFY {callback.target} HTTP/1.1\r\n"
        f"HOST: {callback.host}\r\n"
        'CONTENT-TYPE: text/xml; charset="utf-8"\r\n'
        "NT: upnp:event\r\n"
        "NTS: upnp:propchange\r\n"
        f"SID: {sid}\r\n"
        f"SEQ: {seq}\r\n"
        f"CONTENT-LENGTH: {len(body)}\r\n"
        "CONNECTION: close\r\n"
        "\r\n"
    ).encode("ascii") + body


Post = Callable[[Callback, bytes, int, float], Awaitable[int]]


class Subscriber:
    """Queue and delivery of one subscription.

    Nothing goes out before ``begin``, which sends the initial event. ``ended`` is called once,
    with a reason, if the subscription is to be forgotten.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        ended: Callable[["Subscriber", str], None],
        merge: Mapping[str, Merge] | None = None,
        scope_id: int = 0,
        post: Post = post,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.subscription = subscription
        self._ended = ended
        self._merge = merge or {}
        self._scope_id = scope_id
        self._post = post
        self._sleep = sleep
        self._queue: deque[dict[str, str]] = deque()
        self._begun = False
        self._retired = False
        self._failures = 0
        self._unanswered = False
        self._task: asyncio.Task[None] | None = None

    def begin(self, values: Mapping[str, str]) -> None:
        """Send the initial event: the current value of every evented variable, SEQ 0."""
        self._begun = True
        self._enqueue(values)

    def put(self, values: Mapping[str, str]) -> None:
        """Send changed values. Before ``begin`` nothing is kept: the initial event has them."""
        if self._begun and not self._retired:
            self._enqueue(values)

    def retire(self) -> None:
        """No more events. The initial one is still delivered (UDA 1.1 §4.1.4), and what is
        under way is finished."""
        self._retired = True
        initial = 1 if self.subscription.seq == 0 else 0
        while len(self._queue) > initial:
            self._queue.pop()

    async def close(self) -> None:
        """Stop at once; a message under way is cut."""
        self._retired = True
        self._queue.clear()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _enqueue(self, values: Mapping[str, str]) -> None:
        selected = self.subscription.select(values)
        if not selected:
            return
        if len(self._queue) >= MAX_QUEUE:
            # Nothing is lost and nothing grows: the last two messages become one.
            selected = gena.merge_values(self._queue.pop(), selected, self._merge)
        self._queue.append(selected)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._deliver_all())

    async def _deliver_all(self) -> None:
        try:
            while self._queue:
                await self._deliver(self._queue.popleft())
        except Exception:
            # It would wait for events in vain. Told that its SID is unknown when it renews, it
            # subscribes anew.
            logger.exception("event not delivered peer=%s", self.subscription.peer)
            self._end("failed")
        finally:
            self._task = None

    async def _deliver(self, values: Mapping[str, str]) -> None:
        """Send one message; the initial one again if it could not be delivered."""
        seq = self.subscription.take_seq()
        body = gena.property_set(values.items())
        while not await self._try(seq, body):
            if self._failures >= MAX_FAILURES:
                self._end("not reached")
                return
            if seq != 0:  # UDA 1.1 §4.3: other messages are not retransmitted
                return
            await self._sleep(RETRY_SECONDS * self._failures)

    async def _try(self, seq: int, body: bytes) -> bool:
        """Whether the message went out; counts failures and ends what is refused."""
        for callback in self.subscription.callbacks:
            message = event_message(callback, self.subscription.sid, seq, body)
            traffic.debug("to %s: %r", callback.host, message)
            patience = HASTY_ANSWER_SECONDS if self._unanswered else ANSWER_SECONDS
            try:
                status = await self._post(callback, message, self._scope_id, patience)
            except NotDelivered as error:
                traffic.debug("not delivered to %s: %s", callback.host, error)
                continue
            except NotAnswered as error:
                # Some subscribers never answer (upnp-device-client), and still listen.
                traffic.debug("no answer from %s: %s", callback.host, error)
                self._unanswered = True
                self._failures = 0
                return True
            traffic.debug("status %d from %s", status, callback.host)
            self._unanswered = False
            self._failures = 0 if 200 <= status < 300 else self._failures + 1
            # 412: it does not know the SID (any more).
            if status == 412 or self._failures >= MAX_FAILURES:
                self._end("refused")
            return True
        self._failures += 1
        return False

    def _end(self, reason: str) -> None:
        self._queue.clear()
        if not self._retired:
            self._retired = True
            self._ended(self, reason)
