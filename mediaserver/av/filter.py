"""The argument Filter: which properties an answer holds (CDS:1 §2.5.7, content-directory 5).

Names are separated by commas; blanks around them do no harm, unknown ones are no error. What is
always returned (``@id``, ``dc:title``, ...) is the business of the writer, which asks here for
everything else.
"""

from dataclasses import dataclass
from functools import lru_cache

from mediaserver.upnp.errors import InvalidArgs

MAX_LENGTH = 4096
"""Characters (security.md 2)."""

_BLANKS = " \t\r\n"

RES_ATTRIBUTES = (
    "protocolInfo",
    "size",
    "duration",
    "bitrate",
    "sampleFrequency",
    "bitsPerSample",
    "nrAudioChannels",
    "resolution",
    "colorDepth",
)
"""Those we know, in the order they are written. ``@size`` alone means the one of ``res``."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a Filter names. ``everything`` is ``*``."""

    names: frozenset[str]
    everything: bool = False

    def element(self, name: str) -> bool:
        """Whether an element comes: named itself, with ``#``, or for an attribute of it."""
        return self.everything or any(
            named == name or named == f"{name}#" or named.startswith(f"{name}@")
            for named in self.names
        )

    def attribute(self, element: str, name: str) -> bool:
        """Whether an attribute of an element comes: ``upnp:artist@role``, ``res#``, ``@size``.

        Sony's televisions name ``dlna:profileID`` bare.
        """
        wanted = {f"{element}@{name}", f"{element}#", f"@{name}"}
        if ":" in name:
            wanted.add(name)
        return self.everything or not self.names.isdisjoint(wanted)

    def of_object(self, kind: str, name: str) -> bool:
        """Whether an attribute of ``item`` or ``container`` comes: ``@childCount``,
        ``container@childCount``."""
        return self.everything or not self.names.isdisjoint((f"@{name}", f"{kind}@{name}"))

    @property
    def bare_res_attributes(self) -> frozenset[str]:
        """Attributes of ``res`` named as ``@size``: they ask for the resources that have them."""
        return frozenset(name for name in RES_ATTRIBUTES if f"@{name}" in self.names)


@lru_cache(maxsize=256)
def parse(text: str, *added: str) -> Filter:
    """Read a Filter; ``added`` are names that come with it.

    Raises InvalidArgs for one that is longer than any device's.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidArgs(f"Filter of {len(text)} characters")
    names = {name.strip(_BLANKS) for name in text.split(",")} - {""}
    return Filter(frozenset(names | set(added)), everything="*" in names)
