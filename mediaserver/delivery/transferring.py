"""What transfers of media have in common: DLNA's headers, accounts, patience (dlna-http 2, 7)."""

from dataclasses import replace
from functools import partial

from mediaserver import dlna, urls
from mediaserver.delivery import answers
from mediaserver.delivery.answers import Answer, Headers, Scope, Send
from mediaserver.delivery.transfers import Transfers
from mediaserver.library.lookup import MediaFile
from mediaserver.library.objects import Kind

STALL_SECONDS = 600.0
"""A paused player reads nothing, and keeps its connection (DLNA connection stalling)."""
RETRY_SECONDS = 5
ART_PROFILE = "JPEG_TN"
"""Of art that is asked for without a profile: every device shows it."""


def headers(
    asked: dlna.TransferRequest, features: str, duration_ms: int | None, size: int
) -> Headers:
    """The DLNA headers of an answer; contentFeatures always, asked for or not (dlna-http 2).

    ``features``: the fourth field of protocolInfo.
    """
    written = [
        ("transferMode.dlna.org", asked.mode.value),
        ("contentFeatures.dlna.org", features),
    ]
    if asked.real_time_info:
        written.append(("realTimeInfo.dlna.org", "DLNA.ORG_TLAG=*"))
    if duration_ms is not None:
        if asked.available_seek_range:
            value = dlna.available_seek_range(duration_ms, size)
            written.append(("availableSeekRange.dlna.org", value))
        if asked.media_info:
            written.append(("MediaInfo.sec", dlna.media_info(duration_ms)))
    return written


async def transfer(
    transfers: Transfers,
    media: MediaFile,
    answer: Answer,
    scope: Scope,
    send: Send,
    request: dict[str, str],
) -> None:
    """Send an answer, kept account of while it is sent; 503 to a host that has many already."""
    if scope["method"] == "HEAD":
        await answer.send(scope, send, request)
        return
    host = answers.host_of(scope)
    begun = transfers.begin(host, media.key, media.title, answer.body.size)
    if begun is None:
        await refuse_for_now(scope, send)
        return
    try:
        progress = partial(transfers.progress, begun)
        await replace(answer, progress=progress).send(scope, send, request)
    finally:
        transfers.end(begun)


async def refuse_for_now(scope: Scope, send: Send) -> None:
    """503: something is used up, by this host or by all."""
    await answers.refuse(scope, send, 503, [("Retry-After", str(RETRY_SECONDS))])


def asks_for_art(scope: Scope) -> bool:
    """The Xbox 360 asks so for the art of a resource (quirks.md 2)."""
    return bool(scope["query_string"] == b"albumArt=true")


async def send_to_art(media: MediaFile, scope: Scope, send: Send) -> None:
    """Lead it to what ``upnp:albumArtURI`` names, never to the file itself, which may be a whole
    film."""
    if media.kind is not Kind.IMAGE and media.art_id is not None:
        location = urls.art(media.art_id, ART_PROFILE)
    elif media.kind is not Kind.AUDIO:
        location = urls.image(media.key, ART_PROFILE)
    else:
        await answers.refuse(scope, send, 404)
        return
    await answers.refuse(scope, send, 302, [("Location", location)])
