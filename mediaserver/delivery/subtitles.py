"""GET and HEAD of subtitles of videos: as they are, text in UTF-8.

Which file it is says the library; it is opened as safely as the video is. A text in another
encoding is converted in memory, and answered from there, so that ranges and validators are the
same for both.
"""

import os
from dataclasses import replace
from functools import partial

from mediaserver import dlna, urls
from mediaserver.clients import ClientRegistry
from mediaserver.delivery import answers
from mediaserver.delivery.answers import Answer, FileBody, Receive, Scope, Send
from mediaserver.delivery.files import Files
from mediaserver.delivery.library import Library
from mediaserver.library.lookup import SubtitleSource
from mediaserver.library.opening import OpenFile
from mediaserver.library.subtitle_text import CONVERTED, MAX_BYTES, in_utf8
from mediaserver.media_types import SUBTITLE_TYPES


class Subtitles:
    """Answers for ``urls.subtitle``."""

    def __init__(self, library: Library, clients: ClientRegistry, files: Files) -> None:
        self._library = library
        self._clients = clients
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        source = await self._find(scope["path"])
        if source is None:
            await answers.refuse(scope, send, 404)
            return
        file = await self._files.open_or_refuse(source.path, source.root, scope, send)
        if file is None:
            return
        with file:
            if source.format not in CONVERTED or file.size > MAX_BYTES:
                await self._send(scope, send, file, SUBTITLE_TYPES[source.format])
                return
            content_type = f"{SUBTITLE_TYPES[source.format]}; charset=utf-8"
            text = await self._files.run(partial(_text, file, source.language))
            if text is None:
                await self._send(scope, send, file, content_type)
                return
            with _in_memory(text, file) as converted:
                await self._send(scope, send, converted, content_type)

    async def _find(self, path: str) -> SubtitleSource | None:
        parsed = urls.parse_subtitle(path)
        if parsed is None:
            return None
        key, number = parsed
        found = await self._library.subtitles(key)
        return next((one for one in found if one.number == number), None)

    async def _send(self, scope: Scope, send: Send, file: OpenFile, content_type: str) -> None:
        headers = answers.request_headers(scope)
        client = self._clients.of_request(headers, answers.host_of(scope))
        mime_type, _, parameters = content_type.partition(";")
        told = client.mime_type(mime_type) + (f";{parameters}" if parameters else "")
        # Whatever is asked: televisions fetch them along with the film, in the film's mode.
        background = headers.get("transfermode.dlna.org", "").lower() == "background"
        mode = dlna.TransferMode.BACKGROUND if background else dlna.TransferMode.INTERACTIVE
        written = [("transferMode.dlna.org", mode.value)]
        await Answer(FileBody(file), told, written).send(scope, send, headers)


def _text(file: OpenFile, language: str | None) -> bytes | None:
    return in_utf8(os.pread(file.descriptor, MAX_BYTES, 0), language)


def _in_memory(text: bytes, file: OpenFile) -> OpenFile:
    """Text made of a file, as a file: to be closed."""
    descriptor = os.memfd_create("subtitle", os.MFD_CLOEXEC)
    with open(descriptor, "wb", closefd=False) as memory:
        memory.write(text)
    return replace(file, descriptor=descriptor, size=len(text))
