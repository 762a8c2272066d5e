"""GET and HEAD of media files (dlna-http 2 to 7): the file as it is, byte for byte.

One descriptor serves a whole answer and gives its length, so that a file which changes meanwhile
can at worst make an answer end early, never wrong (security.md F6). Nothing is ever compressed.
"""

from collections.abc import Callable, Mapping
from functools import partial

from mediaserver import dlna, urls
from mediaserver.clients import ClientProfile, ClientRegistry
from mediaserver.delivery import answers
from mediaserver.delivery.answers import FileAnswer, Headers, Receive, Scope, Send
from mediaserver.delivery.files import Files
from mediaserver.delivery.library import Library, MediaFiles
from mediaserver.delivery.transfers import Transfers
from mediaserver.library.lookup import MediaFile
from mediaserver.library.objects import Kind
from mediaserver.library.opening import OpenFile
from mediaserver.media_types import CAPTIONS
from mediaserver.upnp.control import base_url

STALL_SECONDS = 600.0
"""A paused player reads nothing, and keeps its connection (DLNA connection stalling)."""
RETRY_SECONDS = 5
ART_PROFILE = "JPEG_TN"
"""Of art that is asked for without a profile: every device shows it."""


class Media:
    """Answers for ``urls.media``. ``dscp``: mark packets with the priority of their mode."""

    def __init__(
        self,
        library: Library,
        clients: ClientRegistry,
        transfers: Transfers,
        files: Files,
        *,
        dscp: bool,
    ) -> None:
        self._library = library
        self._media_files = MediaFiles(library)
        self._clients = clients
        self._transfers = transfers
        self._files = files
        self._dscp = dscp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = urls.parse_media(scope["path"])
        media = await self._media_files.find(key) if key is not None else None
        if media is None:
            await answers.refuse(scope, send, 404)
            return
        if scope["query_string"] == b"albumArt=true":
            await _to_art(media, scope, send)
            return
        request = answers.request_headers(scope)
        try:
            asked = dlna.read_request(request, media.kind)
        except dlna.Refused as error:
            await answers.refuse(scope, send, error.status)
            return
        file = await self._files.open_or_refuse(media.path, media.root, scope, send)
        if file is not None:
            with file:
                profile = self._clients.of_request(request, answers.host_of(scope))
                written = headers(media, file.size, asked, profile)
                if asked.caption_info and media.kind is Kind.VIDEO:
                    written += await self._caption_info(scope, media.key)
                answer = partial(
                    FileAnswer,
                    file,
                    profile.mime_type(media.mime_type),
                    written,
                    traffic_class=asked.mode.traffic_class if self._dscp else 0,
                    stall_seconds=STALL_SECONDS,
                )
                if scope["method"] == "HEAD":
                    await answer().send(scope, send, request)
                else:
                    await self._transfer(scope, send, media, file, answer, request)

    async def _caption_info(self, scope: Scope, key: int) -> Headers:
        """Samsung's: where the subtitle is, if there is one (dlna-http 3)."""
        found = await self._library.subtitles(key)
        one = next((each for each in found if each.format in CAPTIONS), None)
        if one is None:
            return []
        path = urls.subtitle(key, one.number, one.language, one.note, one.format)
        return [("CaptionInfo.sec", base_url(*scope["server"]) + path)]

    async def _transfer(
        self,
        scope: Scope,
        send: Send,
        media: MediaFile,
        file: OpenFile,
        answer: Callable[..., FileAnswer],
        request: Mapping[str, str],
    ) -> None:
        host = answers.host_of(scope)
        transfer = self._transfers.begin(host, media.key, media.title, file.size)
        if transfer is None:
            await answers.refuse(scope, send, 503, [("Retry-After", str(RETRY_SECONDS))])
            return
        try:
            progress = partial(self._transfers.progress, transfer)
            await answer(progress=progress).send(scope, send, request)
        finally:
            self._transfers.end(transfer)


async def _to_art(media: MediaFile, scope: Scope, send: Send) -> None:
    """The Xbox 360 asks so for the art of a resource (quirks.md 2): lead it to what
    ``upnp:albumArtURI`` names, never to the file itself, which may be a whole film."""
    if media.kind is not Kind.IMAGE and media.art_id is not None:
        location = urls.art(media.art_id, ART_PROFILE)
    elif media.kind is not Kind.AUDIO:
        location = urls.image(media.key, ART_PROFILE)
    else:
        await answers.refuse(scope, send, 404)
        return
    await answers.refuse(scope, send, 302, [("Location", location)])


def headers(
    media: MediaFile, size: int, asked: dlna.TransferRequest, profile: ClientProfile
) -> Headers:
    """The DLNA headers of an answer; contentFeatures always, asked for or not (dlna-http 2)."""
    pn = None if media.mime_type in profile.without_dlna_profile else media.dlna_profile
    written = [
        ("transferMode.dlna.org", asked.mode.value),
        ("contentFeatures.dlna.org", dlna.content_features(kind=media.kind, profile=pn)),
    ]
    if asked.real_time_info:
        written.append(("realTimeInfo.dlna.org", "DLNA.ORG_TLAG=*"))
    if media.duration_ms is not None:
        if asked.available_seek_range:
            value = dlna.available_seek_range(media.duration_ms, size)
            written.append(("availableSeekRange.dlna.org", value))
        if asked.media_info:
            written.append(("MediaInfo.sec", dlna.media_info(media.duration_ms)))
    return written
