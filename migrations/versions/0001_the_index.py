"""The index as it began.

Revision ID: 0001
"""

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = """
CREATE TABLE facet_pairs (
    facet_id INTEGER NOT NULL,
    child_kind TEXT NOT NULL,
    child_sort_key TEXT NOT NULL,
    child_id INTEGER NOT NULL,
    item_count INTEGER NOT NULL,
    PRIMARY KEY (facet_id, child_kind, child_sort_key, child_id)
) WITHOUT ROWID;

CREATE TABLE facets (
    id INTEGER NOT NULL,
    kind TEXT NOT NULL,
    "key" TEXT NOT NULL,
    title TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    item_count INTEGER NOT NULL,
    update_id INTEGER NOT NULL,
    artists TEXT,
    genres TEXT,
    date TEXT,
    art_id INTEGER,
    PRIMARY KEY (id)
);

CREATE UNIQUE INDEX facets_by_key ON facets (kind, "key");

CREATE INDEX facets_by_title ON facets (kind, sort_key, id);

CREATE TABLE roots (
    id INTEGER NOT NULL,
    path BLOB NOT NULL,
    name TEXT NOT NULL,
    device INTEGER,
    available BOOLEAN NOT NULL,
    reason TEXT,
    scanned BOOLEAN NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (path)
);

CREATE TABLE settings (
    name TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (name)
) WITHOUT ROWID;

CREATE TABLE tombstones (
    id INTEGER NOT NULL,
    path BLOB NOT NULL,
    fingerprint BLOB NOT NULL,
    added INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    PRIMARY KEY (id)
);

CREATE INDEX tombstones_by_age ON tombstones (gone);

CREATE INDEX tombstones_by_fingerprint ON tombstones (fingerprint);

CREATE INDEX tombstones_by_path ON tombstones (path);

CREATE TABLE touched (
    form TEXT NOT NULL,
    "key" INTEGER NOT NULL,
    update_id INTEGER NOT NULL,
    PRIMARY KEY (form, "key")
) WITHOUT ROWID;

CREATE TABLE folders (
    id INTEGER NOT NULL,
    root_id INTEGER NOT NULL,
    parent_id INTEGER,
    path BLOB NOT NULL,
    title TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    shown BOOLEAN NOT NULL,
    child_folders INTEGER NOT NULL,
    audio_folders INTEGER NOT NULL,
    video_folders INTEGER NOT NULL,
    image_folders INTEGER NOT NULL,
    child_items INTEGER NOT NULL,
    audio_items INTEGER NOT NULL,
    video_items INTEGER NOT NULL,
    image_items INTEGER NOT NULL,
    audio_below INTEGER NOT NULL,
    video_below INTEGER NOT NULL,
    image_below INTEGER NOT NULL,
    playlists INTEGER NOT NULL,
    playlists_below INTEGER NOT NULL,
    update_id INTEGER NOT NULL,
    art_id INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(root_id) REFERENCES roots (id),
    FOREIGN KEY(parent_id) REFERENCES folders (id)
);

CREATE INDEX folders_by_inode ON folders (inode, device);

CREATE UNIQUE INDEX folders_by_path ON folders (root_id, path);

CREATE INDEX folders_by_title ON folders (shown, sort_key, id);

CREATE INDEX folders_of_parent ON folders (parent_id, shown, sort_key, id);

CREATE TABLE items (
    id INTEGER NOT NULL,
    folder_id INTEGER NOT NULL,
    name BLOB NOT NULL,
    part INTEGER NOT NULL,
    split BOOLEAN NOT NULL,
    sheet TEXT,
    shown BOOLEAN NOT NULL,
    kind TEXT NOT NULL,
    upnp_class TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    dlna_profile TEXT,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    added INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    reason TEXT,
    title TEXT NOT NULL,
    named BOOLEAN NOT NULL,
    sort_key TEXT NOT NULL,
    album_key TEXT NOT NULL,
    file_key TEXT,
    folder_key TEXT GENERATED ALWAYS AS (coalesce(file_key, sort_key)) VIRTUAL,
    artists TEXT,
    artist_sorts TEXT,
    album_artists TEXT,
    album_artist_sorts TEXT,
    composers TEXT,
    composer_sorts TEXT,
    conductors TEXT,
    genres TEXT,
    album TEXT,
    album_sort TEXT,
    release_id TEXT,
    compilation BOOLEAN NOT NULL,
    track INTEGER,
    disc INTEGER,
    date TEXT,
    description TEXT,
    rating INTEGER,
    series TEXT,
    season INTEGER,
    episode INTEGER,
    program TEXT,
    begin_us INTEGER,
    end_us INTEGER,
    duration_ms INTEGER,
    bitrate INTEGER,
    sample_rate INTEGER,
    channels INTEGER,
    bits_per_sample INTEGER,
    audio_codec TEXT,
    video_codec TEXT,
    frame_rate FLOAT,
    width INTEGER,
    height INTEGER,
    color_depth INTEGER,
    orientation INTEGER,
    camera TEXT,
    languages TEXT,
    art_id INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(folder_id) REFERENCES folders (id)
);

CREATE INDEX films_by_title ON items (shown, sort_key, id)
    WHERE upnp_class = 'object.item.videoItem.movie';

CREATE INDEX items_by_added ON items (shown, kind, added, id);

CREATE INDEX items_by_art ON items (art_id) WHERE art_id IS NOT NULL;

CREATE INDEX items_by_date ON items (shown, kind, date, id);

CREATE INDEX items_by_fingerprint ON items (fingerprint);

CREATE INDEX items_by_inode ON items (inode, device);

CREATE UNIQUE INDEX items_by_name ON items (folder_id, name, part);

CREATE INDEX items_by_title ON items (shown, kind, sort_key, id);

CREATE INDEX items_of_folder ON items (folder_id, split, folder_key, id);

CREATE INDEX items_unreadable ON items (id) WHERE reason IS NOT NULL;

CREATE TABLE art (
    id INTEGER NOT NULL,
    item_id INTEGER,
    folder_id INTEGER,
    name BLOB,
    stands_for BLOB,
    artist TEXT,
    mime_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(item_id) REFERENCES items (id),
    FOREIGN KEY(folder_id) REFERENCES folders (id)
);

CREATE INDEX art_of_artist ON art (artist) WHERE artist IS NOT NULL;

CREATE INDEX art_of_folder ON art (folder_id);

CREATE INDEX art_of_item ON art (item_id);

CREATE TABLE details (
    item_id INTEGER NOT NULL,
    release_date TEXT,
    track_gain_db FLOAT,
    track_peak FLOAT,
    album_gain_db FLOAT,
    album_peak FLOAT,
    recording_id TEXT,
    track_id TEXT,
    release_group_id TEXT,
    artist_ids TEXT,
    album_artist_ids TEXT,
    isrc TEXT,
    PRIMARY KEY (item_id),
    FOREIGN KEY(item_id) REFERENCES items (id)
);

CREATE TABLE joined_albums (
    folder_id INTEGER NOT NULL,
    title TEXT NOT NULL,
    release_id TEXT,
    album_artists TEXT,
    album_artist_sorts TEXT,
    compilation BOOLEAN NOT NULL,
    PRIMARY KEY (folder_id, title),
    FOREIGN KEY(folder_id) REFERENCES folders (id)
) WITHOUT ROWID;

CREATE TABLE chapters (
    item_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    begin_ms INTEGER NOT NULL,
    title TEXT,
    PRIMARY KEY (item_id, position),
    FOREIGN KEY(item_id) REFERENCES items (id)
) WITHOUT ROWID;

CREATE TABLE streams (
    item_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    codec TEXT,
    language TEXT,
    title TEXT,
    flags TEXT,
    PRIMARY KEY (item_id, position),
    FOREIGN KEY(item_id) REFERENCES items (id)
) WITHOUT ROWID;

CREATE TABLE subtitles (
    folder_id INTEGER NOT NULL,
    video BLOB NOT NULL,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    name BLOB NOT NULL,
    language TEXT,
    format TEXT NOT NULL,
    note TEXT,
    PRIMARY KEY (folder_id, video, position),
    FOREIGN KEY(folder_id) REFERENCES folders (id)
) WITHOUT ROWID;

CREATE TABLE item_facets (
    facet_id INTEGER NOT NULL,
    sort_key TEXT NOT NULL,
    item_id INTEGER NOT NULL,
    facet_kind TEXT NOT NULL,
    PRIMARY KEY (facet_id, sort_key, item_id),
    FOREIGN KEY(facet_id) REFERENCES facets (id),
    FOREIGN KEY(item_id) REFERENCES items (id)
) WITHOUT ROWID;

CREATE INDEX facets_of_item ON item_facets (item_id, facet_kind, facet_id);

CREATE TABLE playlists (
    id INTEGER NOT NULL,
    folder_id INTEGER NOT NULL,
    name BLOB NOT NULL,
    shown BOOLEAN NOT NULL,
    kind TEXT NOT NULL,
    title TEXT NOT NULL,
    sort_key TEXT NOT NULL,
    size INTEGER NOT NULL,
    mtime_ns INTEGER NOT NULL,
    device INTEGER NOT NULL,
    inode INTEGER NOT NULL,
    reason TEXT,
    entry_count INTEGER NOT NULL,
    update_id INTEGER NOT NULL,
    art_id INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(folder_id) REFERENCES folders (id)
);

CREATE INDEX playlists_by_inode ON playlists (inode, device);

CREATE UNIQUE INDEX playlists_by_name ON playlists (folder_id, name);

CREATE INDEX playlists_by_title ON playlists (shown, kind, sort_key, id);

CREATE INDEX playlists_of_folder ON playlists (folder_id, shown, sort_key, id);

CREATE TABLE playlist_entries (
    id INTEGER NOT NULL,
    playlist_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    location TEXT NOT NULL,
    title TEXT,
    sheet TEXT,
    shown BOOLEAN NOT NULL,
    reason TEXT,
    item_id INTEGER,
    station_id INTEGER,
    time INTEGER NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(playlist_id) REFERENCES playlists (id)
);

CREATE INDEX entries_of_item ON playlist_entries (item_id) WHERE item_id IS NOT NULL;

CREATE INDEX entries_of_playlist ON playlist_entries (playlist_id, shown, position);

CREATE INDEX entries_of_station ON playlist_entries (station_id) WHERE station_id IS NOT NULL;

CREATE TABLE playlist_places (
    place INTEGER NOT NULL,
    playlist_id INTEGER NOT NULL,
    PRIMARY KEY (place, playlist_id),
    FOREIGN KEY(playlist_id) REFERENCES playlists (id)
) WITHOUT ROWID;

CREATE INDEX places_of_playlist ON playlist_places (playlist_id);

CREATE VIRTUAL TABLE item_text USING fts5(
    title, artists, album, genres,
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);

CREATE VIRTUAL TABLE facet_text USING fts5(
    title,
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);

CREATE VIRTUAL TABLE folder_text USING fts5(
    title,
    tokenize = 'trigram case_sensitive 1', columnsize = 0
);
"""


def upgrade() -> None:
    for statement in STATEMENTS.split(";"):
        if statement.strip():
            op.execute(statement)
