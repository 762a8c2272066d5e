"""The ``res`` elements of parts of files, which are decoded while they are sent.

One for each form of their samples, with the exact size of each. Written as in :mod:`.resources`.
"""

from functools import lru_cache

from mediaserver import dlna, urls
from mediaserver.av.durations import duration
from mediaserver.av.filter import Filter
from mediaserver.clients import ClientProfile
from mediaserver.library.decoding import pcm
from mediaserver.library.decoding.pcm import PcmStream
from mediaserver.library.objects import Item, Kind

_ATTRIBUTES = (
    "size",
    "duration",
    "bitrate",
    "sampleFrequency",
    "bitsPerSample",
    "nrAudioChannels",
)


class PartWriter:
    """For one Filter and device. ``every``: also where no attribute beside is asked for."""

    def __init__(
        self, wanted: Filter, profile: ClientProfile, base_url: str, *, every: bool
    ) -> None:
        self._names = [name for name in _ATTRIBUTES if wanted.attribute("res", name)]
        self._base_url = base_url
        self._wanted = every or bool(self._names)
        self._profile = profile

    def resources(self, item: Item) -> str:
        """The elements of an item that is a part of a file."""
        if not self._wanted:
            return ""
        return "".join([self._resource(item, stream) for stream in pcm.streams(item)])

    def _resource(self, item: Item, stream: PcmStream) -> str:
        own = stream.format
        values = {
            "size": stream.size,
            "duration": duration(item.duration_ms or 0),
            # Bytes a second, in spite of its name (CDS:1 Appendix B).
            "bitrate": own.bitrate // 8,
            "sampleFrequency": own.rate,
            "bitsPerSample": own.bits,
            "nrAudioChannels": own.channels,
        }
        described = "".join([f' {name}="{values[name]}"' for name in self._names])
        info = _protocol_info(
            self._profile, stream.mime_type, stream.parameters, stream.dlna_profile
        )
        url = f"{self._base_url}{urls.converted(item.key, stream.form)}"
        return f'&lt;res protocolInfo="{info}"{described}&gt;{url}&lt;/res&gt;'


@lru_cache(maxsize=256)
def _protocol_info(
    profile: ClientProfile, mime_type: str, parameters: str, dlna_profile: str | None
) -> str:
    if mime_type in profile.without_dlna_profile:
        dlna_profile = None
    features = dlna.content_features(kind=Kind.AUDIO, profile=dlna_profile, converted=True)
    return dlna.protocol_info(profile.mime_type(mime_type) + parameters, features)
