"""What FFmpeg may open files as, and what it knows of their streams. A leaf: a decoder starts with
little."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from av.stream import Stream

GUESSED = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,wav,aiff,flac,mp3,aac,loas,amr,tta,ape,"
    "wv,mpc,mpc8,dsf,iff,ac3,eac3,dts,dtshd,h263,dv,w64,caf,rm"
)
"""What may be guessed where the first bytes prove nothing; no playlists, no lists of files."""

PROTOCOLS = "file"
"""No addresses, whatever a file refers to (security.md T8)."""


def is_known(stream: "Stream") -> bool:
    """Whether FFmpeg knows the codec of a stream. Of others nothing can be asked: there is no codec
    context, whatever its type says."""
    return stream.codec_context is not None
