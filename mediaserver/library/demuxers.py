"""FFmpeg's demuxers that media files are opened with. A leaf: a decoder starts with little."""

GUESSED = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,wav,aiff,flac,mp3,aac,loas,amr,tta,ape,"
    "wv,mpc,mpc8,dsf,iff,ac3,eac3,dts,dtshd,h263,dv,w64,caf,rm"
)
"""What may be guessed where the first bytes prove nothing; no playlists, no lists of files."""

PROTOCOLS = "file"
"""No addresses, whatever a file refers to (security.md T8)."""
