"""The tables of the index (SQLite through SQLAlchemy Core; migrations in ``migrations/``).

Written by one thread, in transactions, by :mod:`mediaserver.library.indexer`; read by
:mod:`mediaserver.library.browsing` and ``search``. What a list is ordered by, and how many
children it has, is kept in columns when a change is written, so that reading a page costs the
page and not the library.

Paths are bytes, as the file system has them: names need not be valid Unicode.
"""

from sqlalchemy import (
    BLOB,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

settings = Table(
    "settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
    comment="system_update_id; update_id.audio, .video, .image; scan state",
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
    Column("child_folders", Integer, nullable=False, default=0, comment="shown ones: items below"),
    Column("child_items", Integer, nullable=False, default=0),
    Column("audio_below", Integer, nullable=False, default=0, comment="items at any depth"),
    Column("video_below", Integer, nullable=False, default=0),
    Column("image_below", Integer, nullable=False, default=0),
    Column("update_id", Integer, nullable=False, default=0),
    Column("art_id", Integer),
    Index("folders_of_parent", "parent_id", "sort_key", "id"),
    Index("folders_by_path", "root_id", "path", unique=True),
    Index("folders_by_inode", "inode", "device"),
)

items = Table(
    "items",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="50 bits, object_ids"),
    Column("folder_id", ForeignKey("folders.id"), nullable=False),
    Column("name", BLOB, nullable=False, comment="file name"),
    Column("kind", Text, nullable=False),
    Column("upnp_class", Text, nullable=False),
    Column("mime_type", Text, nullable=False),
    Column("dlna_profile", Text),
    Column("size", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Column("device", Integer, nullable=False),
    Column("inode", Integer, nullable=False),
    Column("fingerprint", BLOB, nullable=False),
    Column("added", Integer, nullable=False, comment="seconds since 1970"),
    Column("modified", Integer, nullable=False, comment="seconds since 1970"),
    Column("state", Text, nullable=False, comment="ready, unreadable"),
    Column("reason", Text, comment="why it is unreadable"),
    Column("title", Text, nullable=False),
    Column("sort_key", Text, nullable=False),
    Column("album_key", Text, nullable=False, comment="order within an album: disc, track, title"),
    Column("artists", Text, comment="several values stand one a line, in all such columns"),
    Column("album_artists", Text),
    Column("composers", Text),
    Column("genres", Text),
    Column("album", Text),
    Column("track", Integer),
    Column("disc", Integer),
    Column("date", Text),
    Column("description", Text),
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
    Column("art_id", Integer),
    Index("items_of_folder", "folder_id", "sort_key", "id"),
    Index("items_by_name", "folder_id", "name", unique=True),
    Index("items_by_title", "kind", "sort_key", "id"),
    Index("items_by_added", "kind", "added", "id"),
    Index("items_by_class", "upnp_class", "sort_key", "id"),
    Index("items_by_inode", "inode", "device"),
    Index("items_by_fingerprint", "fingerprint"),
)

facets = Table(
    "facets",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="30 bits, object_ids"),
    Column("kind", Text, nullable=False, comment="artist, album, genre, year, month, camera, ..."),
    Column("key", Text, nullable=False, comment="what makes two values the same one"),
    Column("title", Text, nullable=False),
    Column("sort_key", Text, nullable=False),
    Column("item_count", Integer, nullable=False, default=0),
    Column("update_id", Integer, nullable=False, default=0),
    Column("artists", Text, comment="of an album: the album artists, one a line"),
    Column("genres", Text),
    Column("date", Text),
    Column("art_id", Integer),
    Index("facets_by_key", "kind", "key", unique=True),
    Index("facets_by_title", "kind", "sort_key", "id"),
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

art = Table(
    "art",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False, comment="50 bits of a hash"),
    Column("folder_id", ForeignKey("folders.id"), nullable=False),
    Column("name", BLOB, nullable=False, comment="the file that holds it"),
    Column("embedded", Boolean, nullable=False, comment="inside a media file, or a file itself"),
    Column("mime_type", Text, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("mtime_ns", Integer, nullable=False),
    Index("art_of_file", "folder_id", "name"),
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
)

TRIGRAMS = """\
CREATE VIRTUAL TABLE {table} USING fts5({columns}, tokenize = 'trigram case_sensitive 1')
"""
"""Full text search over folded text, made by the first migration: ``item_text`` (title, artists,
album, genres) and ``facet_text`` (title); the rowid is the item's or facet's id."""
