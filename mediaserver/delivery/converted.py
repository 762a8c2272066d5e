"""GET and HEAD of content that is converted while it is sent (DLNA.ORG_CI=1): parts of files.

It is decoded in a process of its own, never in this one. How many bytes there are is known before,
and byte N is the same however it was reached, so it is answered as a file is: byte ranges, an
entity tag, a length. A receiver that does not keep up makes the decoder wait, one that goes ends
it. Nothing is said before the first bytes are there, so that what cannot be decoded is refused and
not broken off.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import aclosing
from dataclasses import dataclass

from mediaserver import dlna, urls
from mediaserver.clients import ClientRegistry
from mediaserver.delivery import answers, conditional
from mediaserver.delivery.answers import Answer, Message, Progress, Receive, Scope, Send
from mediaserver.delivery.conditional import Validators
from mediaserver.delivery.files import Files
from mediaserver.delivery.library import MediaFiles
from mediaserver.delivery.ranges import Span
from mediaserver.delivery.transferring import (
    STALL_SECONDS,
    asks_for_art,
    headers,
    refuse_for_now,
    send_to_art,
    transfer,
)
from mediaserver.delivery.transfers import Transfers
from mediaserver.library.decoding import pcm
from mediaserver.library.decoding.decoders import Decoders, DecodersBusy, DecodingFailed
from mediaserver.library.decoding.pcm import PcmStream
from mediaserver.library.lookup import MediaFile
from mediaserver.library.objects import Kind
from mediaserver.library.opening import OpenFile

logger = logging.getLogger(__name__)


class Converted:
    """Answers for ``urls.converted``. ``dscp``: mark packets with the priority of their mode."""

    def __init__(
        self,
        media_files: MediaFiles,
        clients: ClientRegistry,
        transfers: Transfers,
        files: Files,
        decoders: Decoders,
        *,
        dscp: bool,
    ) -> None:
        self._media_files = media_files
        self._clients = clients
        self._transfers = transfers
        self._files = files
        self._decoders = decoders
        self._dscp = dscp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = await self._find(scope["path"])
        if found is None:
            await answers.refuse(scope, send, 404)
            return
        media, stream = found
        if asks_for_art(scope):
            await send_to_art(media, scope, send)
            return
        request = answers.request_headers(scope)
        try:
            asked = dlna.read_request(request, Kind.AUDIO)
        except dlna.Refused as error:
            await answers.refuse(scope, send, error.status)
            return
        file = await self._files.open_or_refuse(media.path, media.root, scope, send)
        if file is None:
            return
        with file:
            profile = self._clients.of_request(request, answers.host_of(scope))
            pn = stream.dlna_profile
            if stream.mime_type in profile.without_dlna_profile:
                pn = None
            features = dlna.content_features(kind=Kind.AUDIO, profile=pn, converted=True)
            answer = Answer(
                PcmBody(file, stream, self._decoders),
                profile.mime_type(stream.mime_type) + stream.parameters,
                headers(asked, features, media.duration_ms, stream.size),
                traffic_class=asked.mode.traffic_class if self._dscp else 0,
                stall_seconds=STALL_SECONDS,
            )
            start = _Start(send)
            sending = transfer(self._transfers, media, answer, scope, start.send, request)
            try:
                await _while_connected(sending, receive)
            except DecodersBusy:
                await refuse_for_now(scope, send)
            except DecodingFailed as error:
                logger.warning("%r cannot be decoded: %s", file.path, error.reason)
                # Less than was announced, if something was: the receiver must notice.
                if not start.sent:
                    await answers.refuse(scope, send, 500)

    async def _find(self, path: str) -> tuple[MediaFile, PcmStream] | None:
        parsed = urls.parse_converted(path)
        media = await self._media_files.find(parsed[0]) if parsed is not None else None
        if parsed is None or media is None:
            return None
        streams = (each for each in pcm.streams(media) if each.form == parsed[1])
        stream = next(streams, None)
        return None if stream is None else (media, stream)


@dataclass(frozen=True, slots=True)
class PcmBody:
    """A part of an open file, decoded; the file stays open."""

    file: OpenFile
    stream: PcmStream
    decoders: Decoders
    ranges: int = 1

    @property
    def size(self) -> int:
        return self.stream.size

    @property
    def validators(self) -> Validators:
        file, stream = self.file, self.stream
        variant = f"{stream.form}-{stream.first:x}-{stream.stop:x}"
        return conditional.validators(file.inode, file.size, file.mtime_ns, variant=variant)

    async def send(self, send: Send, span: Span, progress: Progress, *, more: bool) -> None:
        left = span.length
        async with aclosing(
            self.decoders.read(self.file, self.stream, span.start, span.stop)
        ) as pieces:
            async for data in pieces:
                left -= len(data)
                await send(
                    {"type": "http.response.body", "body": data, "more_body": more or left > 0}
                )
                progress(len(data))


class _Start:
    """Holds the start of a response back until there is something of its body."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._held: Message | None = None
        self.sent = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._held = message
            return
        if self._held is not None:
            held, self._held = self._held, None
            self.sent = True
            await self._send(held)
        await self._send(message)


async def _while_connected(sending: Coroutine[None, None, None], receive: Receive) -> None:
    """Send, and give up when the receiver is gone, though nothing can be sent at the moment."""
    sender = asyncio.ensure_future(sending)
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((sender, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        leaving.cancel()
        if not sender.done():
            sender.cancel()
        await asyncio.wait((sender, leaving))
    if not sender.cancelled():
        sender.result()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
