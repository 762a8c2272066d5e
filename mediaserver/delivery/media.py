"""GET and HEAD of media files (dlna-http 2 to 7): the file as it is, byte for byte.

One descriptor serves a whole answer and gives its length, so that a file which changes meanwhile
can at worst make an answer end early, never wrong (security.md F6). Nothing is ever compressed.
"""

from mediaserver import dlna, urls
from mediaserver.clients import ClientRegistry
from mediaserver.delivery import answers
from mediaserver.delivery.answers import Answer, FileBody, Headers, Receive, Scope, Send
from mediaserver.delivery.files import Files
from mediaserver.delivery.library import Library, MediaFiles
from mediaserver.delivery.transferring import (
    STALL_SECONDS,
    asks_for_art,
    headers,
    send_to_art,
    transfer,
)
from mediaserver.delivery.transfers import Transfers
from mediaserver.library.objects import Kind
from mediaserver.media_types import CAPTIONS
from mediaserver.server.addresses import base_url


class Media:
    """Answers for ``urls.media``. ``dscp``: mark packets with the priority of their mode."""

    def __init__(
        self,
        library: Library,
        media_files: MediaFiles,
        clients: ClientRegistry,
        transfers: Transfers,
        files: Files,
        *,
        dscp: bool,
    ) -> None:
        self._library = library
        self._media_files = media_files
        self._clients = clients
        self._transfers = transfers
        self._files = files
        self._dscp = dscp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key = urls.parse_media(scope["path"])
        media = await self._media_files.find(key) if key is not None else None
        if media is None or media.span is not None:  # a part: see converted
            await answers.refuse(scope, send, 404)
            return
        if asks_for_art(scope):
            await send_to_art(media, scope, send)
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
                pn = media.dlna_profile
                if media.mime_type in profile.without_dlna_profile:
                    pn = None
                features = dlna.content_features(kind=media.kind, profile=pn)
                written = headers(asked, features, media.duration_ms, file.size)
                if asked.caption_info and media.kind is Kind.VIDEO:
                    written += await self._caption_info(scope, media.key)
                answer = Answer(
                    FileBody(file),
                    profile.mime_type(media.mime_type),
                    written,
                    traffic_class=asked.mode.traffic_class if self._dscp else 0,
                    stall_seconds=STALL_SECONDS,
                )
                await transfer(self._transfers, media, answer, scope, send, request)

    async def _caption_info(self, scope: Scope, key: int) -> Headers:
        """Samsung's: where the subtitle is, if there is one (dlna-http 3)."""
        found = await self._library.subtitles(key)
        one = next((each for each in found if each.format in CAPTIONS), None)
        if one is None:
            return []
        path = urls.subtitle(key, one.number, one.language, one.note, one.format)
        return [("CaptionInfo.sec", base_url(*scope["server"]) + path)]
