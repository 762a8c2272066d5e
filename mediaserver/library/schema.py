"""The tables of the index (SQLite through SQLAlchemy Core; migrations in ``migrations/``).

Written by one thread, in transactions, by :mod:`mediaserver.library.indexer`; read by
:mod:`mediaserver.library.browsing`. What a list is ordered by, and how many
children it has, is kept in columns when a change is written, so that reading a page costs the
page and not the library.

``shown`` says what control points may see: the items of the media roots that are there, and of
their folders those with items below (a root's own folder always). ``item_facets``, ``facets``,
``facet_pairs``, the texts for searching and the counts hold **shown** objects only.

Paths are bytes, as the file system has them: names need not be valid Unicode. Texts compare
bytewise: what is to be ordered has a sort key (:mod:`mediaserver.library.folding`). Sixty-four
bits of device and inode numbers are stored as the signed number of the same bits.
"""

from sqlalchemy import (
    BLOB,
    Boolean,
    Column,
    Computed,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

REVISION = "0001"
"""The newest migration. An index at another one is migrated before it is used."""

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Integer, nullable=False),
    comment="system_update_id; update_id.audio, .video, .image (the system update id of the last "
    "change of that kind), update_id.playlists (when playlists last came, went or looked "
    "different); counts.audio, .video, .image (shown items); internet_radio (1: addresses in "
    "playlists are shown). A name that is missing counts as 0",
    sqlite_with_rowid=False,
)

roots = Table(
    "roots",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", BLOB, nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("device", Integer, comment="st_dev when last seen; another one means: not mounted"),
    Column("available", Boolean, nullable=False),
    Column("reason", Text, comment="why it is not available, for people"),
    Column("scanned", Boolean, nullable=False, comment="once as a whole, so that new is new"),
)

folders = Table(
    "folders",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="50 bits, object_ids"),
    Column("root_id", ForeignKey("roots.id"), nullable=False),
    Column("parent_id", ForeignKey("folders.id"), comment="NULL: the folder of a root itself"),
    Column("path", BLOB, nullable=False, comment="relative to the root; empty for the root"),
    Column("title", Text, nullable=False),
    Column("sort_key", Text, nullable=False),
    Column("device", Integer, nullable=False),
    Column("inode", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("shown", Boolean, nullable=False),
    Column("child_folders", Integer, nullable=False, comment="with items or playlists below"),
    Column("audio_folders", Integer, nullable=False, comment="those with such items below"),
    Column("video_folders", Integer, nullable=False),
    Column("image_folders", Integer, nullable=False),
    Column("child_items", Integer, nullable=False),
    Column("audio_items", Integer, nullable=False, comment="direct children"),
    Column("video_items", Integer, nullable=False),
    Column("image_items", Integer, nullable=False),
    Column("audio_below", Integer, nullable=False, comment="at any depth"),
    Column("video_below", Integer, nullable=False),
    Column("image_below", Integer, nullable=False),
    Column("playlists", Integer, nullable=False, comment="direct children, shown ones alone"),
    Column("playlists_below", Integer, nullable=False),
    Column("update_id", Integer, nullable=False),
    Column("art_id", Integer, comment="of a picture file in it"),
    Index("folders_of_parent", "parent_id", "shown", "sort_key", "id"),
    Index("folders_by_path", "root_id", "path", unique=True),
    Index("folders_by_title", "shown", "sort_key", "id"),
    Index("folders_by_inode", "inode", "device"),
)

items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="50 bits, object_ids"),
    Column("folder_id", ForeignKey("folders.id"), nullable=False),
    Column("name", BLOB, nullable=False, comment="file name"),
    Column("part", Integer, nullable=False, comment="0: the whole file; else a track in it"),
    Column("split", Boolean, nullable=False, comment="not shown itself: its parts are"),
    Column("sheet", Text, comment="the cue sheet inside the file: sheets.py"),
    Column("shown", Boolean, nullable=False),
    Column("kind", Text, nullable=False),
    Column("upnp_class", Text, nullable=False, comment="one for each kind, another for films"),
    Column("mime_type", Text, nullable=False),
    Column("dlna_profile", Text),
    Column("size", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("device", Integer, nullable=False),
    Column("inode", Integer, nullable=False),
    Column("fingerprint", BLOB, nullable=False),
    Column("added", Integer, nullable=False, comment="seconds since 1970"),
    Column("modified", Integer, nullable=False, comment="seconds since 1970"),
    Column("reason", Text, comment="why it is unreadable; NULL: it is not"),
    Column("title", Text, nullable=False),
    Column("named", Boolean, nullable=False, comment="the title is made of the file's name"),
    Column("sort_key", Text, nullable=False),
    Column("album_key", Text, nullable=False, comment="order in an album or series, by numbers"),
    Column("file_key", Text, comment="of sound: order in its folder, by file name and part"),
    Column("folder_key", Text, Computed("coalesce(file_key, sort_key)", persisted=False)),
    Column("artists", Text, comment="several values stand one a line, in all such columns"),
    Column("artist_sorts", Text, comment="one for each artist, or none at all; so the others"),
    Column("album_artists", Text),
    Column("album_artist_sorts", Text),
    Column("composers", Text),
    Column("composer_sorts", Text),
    Column("conductors", Text),
    Column("genres", Text),
    Column("album", Text),
    Column("album_sort", Text),
    Column("release_id", Text, comment="MusicBrainz's id of the album"),
    Column("compilation", Boolean, nullable=False),
    Column("track", Integer),
    Column("disc", Integer),
    Column("date", Text),
    Column("description", Text),
    Column("rating", Integer, comment="the owner's, 1 to 100"),
    Column("series", Text, comment="of an episode"),
    Column("season", Integer, comment="0: specials"),
    Column("episode", Integer),
    Column("program", Text, comment="the episode's own title"),
    Column("begin_us", Integer, comment="of a part: microseconds from the file's beginning"),
    Column("end_us", Integer, comment="where it ends; of a whole file: its length"),
    Column("duration_ms", Integer),
    Column("bitrate", Integer, comment="bits a second"),
    Column("sample_rate", Integer),
    Column("channels", Integer),
    Column("bits_per_sample", Integer),
    Column("audio_codec", Text),
    Column("video_codec", Text),
    Column("frame_rate", Float),
    Column("width", Integer),
    Column("height", Integer),
    Column("color_depth", Integer),
    Column("orientation", Integer),
    Column("camera", Text),
    Column("languages", Text, comment="of the sound of a video, BCP 47"),
    Column("art_id", Integer, comment="embedded, or else the folder's (not for images)"),
    Index("items_of_folder", "folder_id", "split", "folder_key", "id"),
    Index("items_by_name", "folder_id", "name", "part", unique=True),
    Index("items_by_title", "shown", "kind", "sort_key", "id"),
    Index("items_by_added", "shown", "kind", "added", "id"),
    Index("items_by_date", "shown", "kind", "date", "id"),
    Index(
        "films_by_title",
        "shown",
        "sort_key",
        "id",
        sqlite_where=text("upnp_class = 'object.item.videoItem.movie'"),
    ),
    Index("items_by_inode", "inode", "device"),
    Index("items_by_fingerprint", "fingerprint"),
    Index("items_by_art", "art_id", sqlite_where=text("art_id IS NOT NULL")),
    Index("items_unreadable", "id", sqlite_where=text("reason IS NOT NULL")),
)

facets = Table(
    "facets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="30 bits, object_ids"),
    Column("kind", Text, nullable=False, comment="artist, album, genre, year, ...: facets.py"),
    Column("key", Text, nullable=False, comment="what makes two values the same one"),
    Column("title", Text, nullable=False),
    Column("sort_key", Text, nullable=False),
    Column("item_count", Integer, nullable=False, comment="never 0 outside of a transaction"),
    Column("update_id", Integer, nullable=False),
    Column("artists", Text, comment="of an album: the album artists, one a line"),
    Column("genres", Text),
    Column("date", Text),
    Column("art_id", Integer),
    Index("facets_by_key", "kind", "key", unique=True),
    Index("facets_by_title", "kind", "sort_key", "id"),
    comment="the values of views: an artist, an album, a month",
)

item_facets = Table(
    "item_facets",
    metadata,
    Column("facet_id", ForeignKey("facets.id"), primary_key=True),
    Column("sort_key", Text, primary_key=True, comment="order of the items under this facet"),
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("facet_kind", Text, nullable=False),
    Index("facets_of_item", "item_id", "facet_kind", "facet_id"),
    sqlite_with_rowid=False,
)

facet_pairs = Table(
    "facet_pairs",
    metadata,
    Column("facet_id", Integer, primary_key=True),
    Column("child_kind", Text, primary_key=True),
    Column("child_sort_key", Text, primary_key=True),
    Column("child_id", Integer, primary_key=True),
    Column("item_count", Integer, nullable=False, comment="items that have both"),
    comment="which values of a deeper level occur with a value: the albums of an artist",
    sqlite_with_rowid=False,
)

playlists = Table(
    "playlists",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="50 bits, object_ids"),
    Column("folder_id", ForeignKey("folders.id"), nullable=False),
    Column("name", BLOB, nullable=False, comment="file name"),
    Column("shown", Boolean, nullable=False, comment="its root is there, and an entry shown"),
    Column("kind", Text, nullable=False, comment="audio if any entry is; else the first one's"),
    Column("title", Text, nullable=False),
    Column("sort_key", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("device", Integer, nullable=False),
    Column("inode", Integer, nullable=False),
    Column("reason", Text, comment="why it could not be read, or not as a whole"),
    Column("entry_count", Integer, nullable=False, comment="shown ones"),
    Column("update_id", Integer, nullable=False),
    Column("art_id", Integer, comment="of a file for it, or of the first entry that has any"),
    Index("playlists_of_folder", "folder_id", "shown", "sort_key", "id"),
    Index("playlists_by_name", "folder_id", "name", unique=True),
    Index("playlists_by_title", "shown", "kind", "sort_key", "id"),
    Index("playlists_by_inode", "inode", "device"),
)

playlist_entries = Table(
    "playlist_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("playlist_id", ForeignKey("playlists.id"), nullable=False),
    Column("position", Integer, nullable=False, comment="in the file"),
    Column("location", Text, nullable=False, comment="as written: locations.py"),
    Column("title", Text, comment="as written"),
    Column("sheet", Text, comment="of a cue sheet: what the file is split into: sheets.py"),
    Column("shown", Boolean, nullable=False, comment="those with a sheet are not"),
    Column("reason", Text, comment="why it is not shown"),
    Column("item_id", Integer, comment="the item it names, a shown one; or that its sheet splits"),
    Column("station_id", Integer, comment="the address it is: 50 bits of a hash"),
    Column("time", Integer, nullable=False, comment="how often the same stands before it"),
    Index("entries_of_playlist", "playlist_id", "shown", "position"),
    Index("entries_of_item", "item_id", sqlite_where=text("item_id IS NOT NULL")),
    Index("entries_of_station", "station_id", sqlite_where=text("station_id IS NOT NULL")),
    comment="what playlists name, found by path whenever something at that path changes",
)

playlist_places = Table(
    "playlist_places",
    metadata,
    Column("place", Integer, primary_key=True, comment="50 bits of a hash of a folder's path"),
    Column("playlist_id", ForeignKey("playlists.id"), primary_key=True),
    Index("places_of_playlist", "playlist_id"),
    comment="where the entries of a playlist may be, so that it is known whom a change concerns",
    sqlite_with_rowid=False,
)

art = Table(
    "art",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="50 bits of a hash"),
    Column("item_id", ForeignKey("items.id"), comment="it is embedded in this item's file"),
    Column("folder_id", ForeignKey("folders.id"), comment="it is a file of this folder"),
    Column("name", BLOB, comment="the name of that file"),
    Column("stands_for", BLOB, comment="the name of the file, or folder, in it that it is for"),
    Column("artist", Text, comment="the key of the artist it is for, in place of all else"),
    Column("mime_type", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False, comment="of the file that holds it"),
    Index("art_of_item", "item_id"),
    Index("art_of_folder", "folder_id"),
    Index("art_of_artist", "artist", sqlite_where=text("artist IS NOT NULL")),
    comment="the same cover in twelve files is one row; either item_id or folder_id is set",
)

subtitles = Table(
    "subtitles",
    metadata,
    Column("folder_id", ForeignKey("folders.id"), primary_key=True),
    Column("video", BLOB, primary_key=True, comment="the file name of the video they are for"),
    Column("position", Integer, primary_key=True, comment="order in which they are offered"),
    Column("number", Integer, nullable=False, comment="40 bits of a hash of the name"),
    Column("name", BLOB, nullable=False, comment="below the folder"),
    Column("language", Text, comment="BCP 47"),
    Column("format", Text, nullable=False, comment="srt, ssa, vtt, smi, sub, idx"),
    Column("note", Text, comment="forced, sdh"),
    comment="known by names, whether the video is in the index yet or not",
    sqlite_with_rowid=False,
)

details = Table(
    "details",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True, autoincrement=False),
    Column("release_date", Text, comment="where the item's date is that of the first release"),
    Column("track_gain_db", Float, comment="ReplayGain 2.0"),
    Column("track_peak", Float, comment="1.0: full scale"),
    Column("album_gain_db", Float),
    Column("album_peak", Float),
    Column("recording_id", Text, comment="this and the following: MusicBrainz's"),
    Column("track_id", Text),
    Column("release_group_id", Text),
    Column("artist_ids", Text),
    Column("album_artist_ids", Text),
    Column("isrc", Text, comment="ISO 3901"),
    comment="what the tags of few items say, and no list is made of",
)

joined_albums = Table(
    "joined_albums",
    metadata,
    Column("folder_id", ForeignKey("folders.id"), primary_key=True, comment="of all its discs"),
    Column("title", Text, primary_key=True, comment="folded"),
    Column("release_id", Text),
    Column("album_artists", Text),
    Column("album_artist_sorts", Text),
    Column("compilation", Boolean, nullable=False),
    comment="what holds for all tracks of an album, where only some of them say it",
    sqlite_with_rowid=False,
)

chapters = Table(
    "chapters",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("begin_ms", Integer, nullable=False),
    Column("title", Text),
    sqlite_with_rowid=False,
)

streams = Table(
    "streams",
    metadata,
    Column("item_id", ForeignKey("items.id"), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", Text, nullable=False, comment="audio, subtitle"),
    Column("codec", Text),
    Column("language", Text, comment="BCP 47"),
    Column("title", Text),
    Column("flags", Text, comment="default, forced, sdh, description, commentary"),
    comment="sound and subtitles inside videos",
    sqlite_with_rowid=False,
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="the item's id"),
    Column("path", BLOB, nullable=False, comment="whole path when it vanished"),
    Column("fingerprint", BLOB, nullable=False),
    Column("added", Integer, nullable=False),
    Column("gone", Integer, nullable=False, comment="seconds since 1970"),
    Index("tombstones_by_path", "path"),
    Index("tombstones_by_fingerprint", "fingerprint"),
    Index("tombstones_by_age", "gone"),
)

touched = Table(
    "touched",
    metadata,
    Column("form", Text, primary_key=True, comment="item, value, folder; since: see update_id"),
    Column("key", Integer, primary_key=True, comment="the id of the row; since: drawn by lot"),
    Column("update_id", Integer, nullable=False, comment="since: after it, none is left out"),
    comment="what has changed lately, for those who know an earlier state: the catalogue",
    sqlite_with_rowid=False,
)

TEXTS: dict[str, tuple[str, ...]] = {
    "item_text": ("title", "artists", "album", "genres"),
    "facet_text": ("title",),
    "folder_text": ("title",),
}
"""Full text search (FTS5): table to columns. The rowid is the id of the item, facet or folder.

Texts are folded (:func:`.folding.fold`), several values stand one a line; ``artists`` holds the
artists and album artists. The trigram tokenizer finds any part of three characters or more.
"""


def create_texts(table: str) -> str:
    """The statement that makes one of :data:`TEXTS`."""
    columns = ", ".join(TEXTS[table])
    return (
        f"CREATE VIRTUAL TABLE {table} USING fts5({columns}, "
        "tokenize = 'trigram case_sensitive 1', columnsize = 0)"
    )
