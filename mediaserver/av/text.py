"""Text of media files made fit for DIDL-Lite inside a SOAP answer.

Result is XML, escaped as text of the envelope (CDS:1 §2.7.4): a value in it is escaped twice. That
is done here in one step, ``&`` becomes ``&amp;amp;``, so that nothing has to go over a finished
Result again. Characters that XML cannot hold become U+FFFD; what is longer than DLNA allows
(7.3.17.4, bytes of the once escaped form) is cut between two characters.
"""

import re
from collections.abc import Callable
from functools import lru_cache

from mediaserver.clients import ClientProfile

SHORT = 256
"""dc:date, dc:creator, upnp:genre, upnp:album, upnp:albumArtURI (DLNA 7.3.17.4)."""
LONG = 1024
"""Everything else."""

KEPT = 1024
"""Escaped texts of properties that repeat from item to item: artists, albums, genres."""

_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, escaped or not (XML 1.0 §2.2)."""

Escape = Callable[[str], str]


@lru_cache(maxsize=64)
def escaper(profile: ClientProfile, limit: int, *, repeats: bool = False) -> Escape:
    """The function that makes text fit for element content, at most ``limit`` bytes long.

    ``repeats`` says that the same few texts will come again and again.
    """
    characters = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"}
    if profile.escape_quotes:
        characters |= {"'": "&apos;", '"': "&quot;"}
    ascii_only = profile.ascii_only
    looked_at = tuple(character for character in characters if character != "\r")

    def one(character: str) -> str:
        if ascii_only and character > "\x7f":
            return f"&#{ord(character)};"
        return characters.get(character, character)

    def carefully(text: str) -> str:
        """Character by character, as only few texts need it."""
        kept, size = [], 0
        for character in _ILLEGAL.sub("\ufffd", text[:limit]):
            escaped = one(character)
            size += len(escaped.encode())
            if size > limit:
                break
            kept.append(escaped)
        return "".join(kept).replace("&", "&amp;")

    def escape(text: str) -> str:
        # Nearly all texts come through here. Control characters, surrogates and what Unicode
        # has not assigned are not printable; a character is four bytes at most.
        if not text.isprintable() or len(text) * (1 if text.isascii() else 4) > limit:
            return carefully(text)
        if ascii_only and not text.isascii():
            return carefully(text)
        for character in looked_at:
            if character in text:
                return carefully(text)
        return text

    def escape_plain(text: str) -> str:
        """``escape`` for profiles without wishes of their own: nearly all of them."""
        if (
            text.isprintable()
            and "&" not in text
            and "<" not in text
            and ">" not in text
            and len(text) * 4 <= limit
        ):
            return text
        return escape(text)

    chosen = escape if ascii_only or profile.escape_quotes else escape_plain
    return lru_cache(maxsize=KEPT)(chosen) if repeats else chosen
