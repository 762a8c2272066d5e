"""What the library holds, as values: media facts, items, containers, pages of them, changes.

Quantities carry their unit in the name. Text is what the file says, made valid Unicode, not
escaped for anything. ``ContentDirectory`` words are used throughout (CDS:1 §2.7, Appendix B).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NewType, Self

ObjectID = NewType("ObjectID", str)
"""The public id of an object; see :mod:`mediaserver.library.object_ids`."""


class Kind(StrEnum):
    """What a media file is in the end; decides its place in the views."""

    AUDIO = "audio"
    VIDEO = "video"
    IMAGE = "image"

    def __reduce_ex__(self, _: object, /) -> tuple[type[Self], tuple[str]]:
        """By value: Python 3.11.2, that of Debian 12, would pickle a call of ``getattr``, which no
        answer of a reader may hold."""
        return type(self), (self.value,)


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a media file: a track of a record that is kept in one file."""

    begin_us: int
    """Microseconds from the file's beginning."""
    end_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTrack:
    """A track of a record that is kept in one file, as a cue sheet has it."""

    number: int
    """1 to 99."""
    begin_us: int
    """Microseconds from the file's beginning."""
    end_us: int | None
    """None: to the file's end."""
    title: str | None = None
    artists: tuple[str, ...] = ()
    composers: tuple[str, ...] = ()
    isrc: str | None = None
    gain_db: float | None = None
    """ReplayGain, as in :class:`Details`; so the next."""
    peak: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What a cue sheet says of one media file: its tracks, and what they have in common.

    ``reason`` is set when it cannot be used; then there are no tracks.
    """

    title: str | None = None
    """Of the album; so all before the tracks."""
    artists: tuple[str, ...] = ()
    composers: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    date: str | None = None
    disc: int | None = None
    description: str | None = None
    gain_db: float | None = None
    """ReplayGain of the album."""
    peak: float | None = None
    tracks: tuple[SheetTrack, ...] = ()
    """In the order of the file."""
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedArt:
    """A picture inside a media file: its type, size in pixels and the hash of its bytes."""

    mime_type: str
    width: int
    height: int
    digest: bytes
    """blake2b of the picture's bytes, 16 bytes long: the same cover in twelve files is one art."""


MAX_CHAPTERS = 1000
"""As many as are kept of one file."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """Where a chapter of a book or film begins."""

    begin_ms: int
    title: str | None = None


@dataclass(frozen=True, slots=True)
class EmbeddedStream:
    """A stream of sound or subtitles inside a file, as it says of itself."""

    kind: Literal["audio", "subtitle"]
    codec: str | None = None
    """FFmpeg's name: ``ac3``, ``subrip``, ``hdmv_pgs_subtitle``."""
    language: str | None = None
    """BCP 47."""
    title: str | None = None
    flags: tuple[str, ...] = ()
    """Some of ``default``, ``forced`` (of foreign passages alone), ``sdh`` (for the deaf),
    ``description`` (for the blind), ``commentary``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What the tags of few files say, and no list is made of."""

    release_date: str | None = None
    """When this edition came out, where :attr:`MediaFacts.date` is that of the first one."""
    track_gain_db: float | None = None
    """ReplayGain 2.0: what makes the track as loud as -18 LUFS; the same for the album."""
    track_peak: float | None = None
    """The largest sample; 1.0 is full scale."""
    album_gain_db: float | None = None
    album_peak: float | None = None
    recording_id: str | None = None
    """MusicBrainz's ids, UUIDs: of the recording, of the track of the release, ..."""
    track_id: str | None = None
    release_group_id: str | None = None
    artist_ids: tuple[str, ...] = ()
    album_artist_ids: tuple[str, ...] = ()
    isrc: str | None = None
    """International Standard Recording Code (ISO 3901), without hyphens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaFacts:
    """What a reader found in one file. Everything but kind and MIME type may be unknown.

    ``reason`` is set when the contents could not be understood: the file is then served under
    its name, and ``mediaserver why`` tells the reason.
    """

    kind: Kind
    mime_type: str
    dlna_profile: str | None = None
    """DLNA.ORG_PN, only where the content truly conforms (dlna-profiles)."""
    fingerprint: bytes = b""
    """16 bytes over size and sampled content; identity of a file that was moved."""
    reason: str | None = None

    title: str | None = None
    named: bool = False
    """The title is made of the file's name, and so is what else its name says."""
    sort_title: str | None = None
    artists: tuple[str, ...] = ()
    artist_sorts: tuple[str, ...] = ()
    """What the artists are sorted under, one for each of them; empty where tags do not say.
    The same for the other people."""
    album_artists: tuple[str, ...] = ()
    album_artist_sorts: tuple[str, ...] = ()
    composers: tuple[str, ...] = ()
    composer_sorts: tuple[str, ...] = ()
    conductors: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    album: str | None = None
    album_sort: str | None = None
    release_id: str | None = None
    """MusicBrainz's id of the release: tells albums of one title and artist apart."""
    compilation: bool = False
    track: int | None = None
    disc: int | None = None
    date: str | None = None
    """ISO 8601, as precise as known: ``2004``, ``2004-05``, ``2004-05-06``,
    ``2004-05-06T07:08:09``. Of music when it first came out, if that is known."""
    description: str | None = None
    rating: int | None = None
    """The owner's, in hundredths: 20 for each star, 1 to 100. None: not rated."""
    film: bool = False
    series: str | None = None
    """Of an episode, whose title then is "Series - S01E02 - Title"."""
    season: int | None = None
    """0: specials."""
    episode: int | None = None
    program: str | None = None
    """The episode's own title."""

    duration_ms: int | None = None
    length_us: int | None = None
    """The same in microseconds: with the sample rate it gives the number of samples."""
    bitrate: int | None = None
    """Bits a second. (``res@bitrate`` is bytes a second; the DIDL writer divides.)"""
    sample_rate: int | None = None
    channels: int | None = None
    bits_per_sample: int | None = None
    audio_codec: str | None = None
    video_codec: str | None = None
    """Codec names are FFmpeg's: ``h264``, ``mp3``, ``flac``, ``pcm_s16le``."""
    frame_rate: float | None = None
    width: int | None = None
    height: int | None = None
    """Pixels as stored, before any EXIF orientation."""
    color_depth: int | None = None
    orientation: int | None = None
    """EXIF orientation 1 to 8."""
    camera: str | None = None
    art: EmbeddedArt | None = None
    sheet: Sheet | None = None
    """The cue sheet inside the file."""
    languages: tuple[str, ...] = ()
    """Of the sound of a video, BCP 47, the first stream's first."""
    chapters: tuple[Chapter, ...] = ()
    """In order of time."""
    streams: tuple[EmbeddedStream, ...] = ()
    """Of a video, in the order of the file."""
    details: Details | None = None


@dataclass(frozen=True, slots=True)
class PlaylistEntry:
    """What a playlist file says of one entry."""

    location: str
    """A path or an address, as written."""
    title: str | None = None
    sheet: Sheet | None = None
    """In a cue sheet: the file is a record of these tracks, no entry of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistFacts:
    """What a playlist file says; ``reason`` is set when it could not be understood."""

    title: str | None = None
    entries: tuple[PlaylistEntry, ...] = ()
    cut: bool = False
    """It has more entries than are read."""
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Art:
    """A picture that stands for an item or a container: embedded in a file, or a file itself."""

    art_id: int
    mime_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Subtitle:
    """A subtitle of a video, in a file of its own."""

    number: int
    """The same as long as its file is called the same; resources are fetched by it."""
    format: str
    """``srt``, ``ssa``, ``vtt``, ``smi``, ``sub``, ``idx``."""
    language: str | None
    """BCP 47."""
    note: str | None
    """``forced``: of foreign passages alone; ``sdh``: for the deaf."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One media file, or a part of one, in one place of the tree.

    The same file has one home (its folder, ``ref_id`` None) and appears in views as a
    reference: another ``object_id`` and ``parent_id``, ``ref_id`` naming the home object.
    """

    object_id: ObjectID
    parent_id: ObjectID
    ref_id: ObjectID | None
    key: int
    """The file's own number, the same wherever the item appears; resources are fetched by it."""
    kind: Kind
    upnp_class: str
    mime_type: str
    dlna_profile: str | None
    file_name: str
    size: int
    modified: int
    """Seconds since 1970."""
    added: int
    """Seconds since 1970: when the library first saw it."""
    title: str
    artists: tuple[str, ...] = ()
    album_artists: tuple[str, ...] = ()
    composers: tuple[str, ...] = ()
    conductors: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    album: str | None = None
    track: int | None = None
    disc: int | None = None
    date: str | None = None
    description: str | None = None
    rating: int | None = None
    series: str | None = None
    season: int | None = None
    episode: int | None = None
    program: str | None = None
    duration_ms: int | None = None
    bitrate: int | None = None
    sample_rate: int | None = None
    channels: int | None = None
    bits_per_sample: int | None = None
    audio_codec: str | None = None
    video_codec: str | None = None
    frame_rate: float | None = None
    width: int | None = None
    height: int | None = None
    color_depth: int | None = None
    orientation: int | None = None
    camera: str | None = None
    languages: tuple[str, ...] = ()
    """Of the sound of a video, BCP 47."""
    art: Art | None = None
    subtitles: tuple[Subtitle, ...] = ()
    """Of a video, those that suit most people first."""
    span: Span | None = None
    """The part of the file that it is; None: the whole file. Of a part everything else is told
    as it is sent, decoded (:mod:`mediaserver.library.decoding.pcm`): type, size, bitrate, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """An entry of a playlist that is an address in the internet: nothing but that is known of it.

    At home in its playlist, it appears in views as a reference. The server never fetches it.
    """

    object_id: ObjectID
    parent_id: ObjectID
    ref_id: ObjectID | None
    upnp_class: str
    mime_type: str
    """What the address claims by its suffix."""
    title: str
    url: str
    """ASCII, as it may stand in a request; not escaped for XML."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """A folder, a playlist, a view, or one value of a view (an album, an artist, a month)."""

    object_id: ObjectID
    parent_id: ObjectID
    title: str
    upnp_class: str
    child_count: int | None
    """Direct children; equals TotalMatches of Browse on it. None where counting would cost."""
    update_id: int
    searchable: bool = True
    artists: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    date: str | None = None
    art: Art | None = None


Object = Item | Station | Container


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list of objects: ``objects[0]`` stands at the StartingIndex that was asked."""

    objects: list[Object]
    total_matches: int
    update_id: int


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction changed, for those who listen (CDS:1 §2.5.20 to §2.5.21).

    ``containers`` maps each changed container to its new update id; at most a few hundred
    entries, the most specific ones first left out when there are more.
    """

    system_update_id: int
    containers: dict[ObjectID, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LibraryCounts:
    """The figures of ``/health`` and the presentation page."""

    audio: int = 0
    video: int = 0
    image: int = 0
    containers: int = 0
    pending: int = 0
    """Files seen but not read yet."""
    unreadable: int = 0

    @property
    def items(self) -> int:
        return self.audio + self.video + self.image
