"""GET and HEAD of art, and of pictures made smaller (dlna-http 8).

What a picture is made of is opened safely before it is handed to the workers that make it, so a
link out of the media root shows nothing, not even in a thumbnail. Sizes are those of DLNA's image
profiles and no others.
"""

import os
from collections.abc import Awaitable, Callable

from mediaserver import dlna, urls
from mediaserver.clients import ClientRegistry
from mediaserver.delivery import answers
from mediaserver.delivery.answers import Answer, FileBody, Receive, Scope, Send
from mediaserver.delivery.files import Files
from mediaserver.delivery.library import Library
from mediaserver.library.artwork import Rendition
from mediaserver.library.opening import OpenFile

ORIGINAL = "original"

Making = Callable[[bytes, str], Awaitable[Rendition | None]]


class _Pictures:
    """What art and images have in common: answering with a picture file."""

    def __init__(self, library: Library, clients: ClientRegistry, files: Files) -> None:
        self._library = library
        self._clients = clients
        self._files = files

    async def _send_rendition(
        self, scope: Scope, send: Send, path: bytes, root: bytes, profile: str, making: Making
    ) -> None:
        """Answer with a picture made of a file."""
        source = await self._files.open_or_refuse(path, root, scope, send)
        if source is None:
            return
        source.close()
        # From where it really is: whatever the path leads to by then is not followed.
        rendition = await making(source.path, profile)
        if rendition is None:
            await answers.refuse(scope, send, 404)
            return
        kept = rendition.path
        file = await self._files.open_or_refuse(
            os.fsencode(kept), os.fsencode(kept.parent), scope, send
        )
        if file is not None:
            with file:
                pn = None if profile == ORIGINAL else profile
                await self._send(scope, send, file, rendition.mime_type, pn)

    async def _send(
        self, scope: Scope, send: Send, file: OpenFile, mime_type: str, profile: str | None
    ) -> None:
        headers = answers.request_headers(scope)
        try:
            asked = dlna.read_request(headers, dlna.IMAGE)
        except dlna.Refused as error:
            await answers.refuse(scope, send, error.status)
            return
        client = self._clients.of_request(headers, answers.host_of(scope))
        features = dlna.content_features(
            kind=dlna.IMAGE,
            profile=None if mime_type in client.without_dlna_profile else profile,
            converted=profile is not None,
        )
        written = [
            ("transferMode.dlna.org", asked.mode.value),
            ("contentFeatures.dlna.org", features),
        ]
        answer = Answer(FileBody(file), client.mime_type(mime_type), written)
        await answer.send(scope, send, headers)


class Art(_Pictures):
    """Answers for ``urls.art``: at an image profile, or as found."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parsed = urls.parse_art(scope["path"])
        source = await self._library.art_source(parsed[0]) if parsed is not None else None
        if parsed is None or source is None:
            await answers.refuse(scope, send, 404)
            return
        profile = parsed[1]
        artwork = self._library.artwork
        if source.embedded:
            await self._send_rendition(
                scope, send, source.path, source.root, profile, artwork.embedded
            )
        elif profile != ORIGINAL:
            await self._send_rendition(
                scope, send, source.path, source.root, profile, artwork.picture
            )
        else:
            file = await self._files.open_or_refuse(source.path, source.root, scope, send)
            if file is not None:
                with file:
                    await self._send(scope, send, file, source.mime_type, None)


class Images(_Pictures):
    """Answers for ``urls.image``: photos made smaller, pictures out of videos."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        parsed = urls.parse_image(scope["path"])
        media = await self._library.media_file(parsed[0]) if parsed is not None else None
        artwork = self._library.artwork
        makings: dict[str, Making] = {"image": artwork.picture, "video": artwork.frame}
        making = makings.get(media.kind) if media is not None else None
        if parsed is None or media is None or making is None:
            await answers.refuse(scope, send, 404)
            return
        await self._send_rendition(scope, send, media.path, media.root, parsed[1], making)
