"""Text made fit for XML 1.0: the only place in ``upnp`` that escapes.

Everything that goes into a document of ours passes through here, wherever it came from, so that
one bad name cannot make a whole answer unreadable.
"""

import re

from mediaserver.upnp.data_types import Escaped

_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPECIAL = re.compile("[^\t\n -%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Whatever cannot stand in element content as it is."""
_REFERENCES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})


def clean(text: str) -> str:
    """The text with a replacement character for each one that XML 1.0 cannot hold (§2.2)."""
    return _NOT_XML.sub("\ufffd", text)


def escape(text: str) -> Escaped:
    """Element content that reads as ``text``; an :class:`Escaped` is taken as it is.

    A carriage return becomes a reference: a bare one would be read as a line feed (XML 1.0
    §2.11).
    """
    if isinstance(text, Escaped):
        return text
    if _SPECIAL.search(text) is None:
        return Escaped(text)
    return Escaped(clean(text).translate(_REFERENCES))


def element(name: str, text: str) -> str:
    """``<name>text</name>``; the text is escaped, the name is ours."""
    return f"<{name}>{escape(text)}</{name}>"


def attribute(name: str, text: str) -> str:
    """`` name="text"``, with the blank before it."""
    value = escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\t", "&#9;")
    return f' {name}="{value}"'
