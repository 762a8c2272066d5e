"""Whether what the index derives agrees with its rows: everything counted again, the slow way.

Written without a look at how the indexer does it, apart from :func:`values_of`, which has tests
of its own.
"""

import sqlite3
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

from mediaserver.library.facets import Traits, disc_of_folder, pairs_of, values_of
from mediaserver.library.folding import fold, same
from mediaserver.library.names.videos import season_of_folder
from mediaserver.library.views import DEFAULT_VIEWS

Row = dict[str, Any]
KINDS = ("audio", "video", "image")


def rows(connection: sqlite3.Connection, table: str, columns: str = "*") -> list[Row]:
    cursor = connection.execute(f"SELECT {columns} FROM {table}")  # noqa: S608
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def problems(connection: sqlite3.Connection) -> list[str]:
    """One line for each disagreement."""
    return [
        *_differing(
            "integrity", connection.execute("PRAGMA integrity_check").fetchall(), [("ok",)]
        ),
        *_differing("keys", connection.execute("PRAGMA foreign_key_check").fetchall(), []),
        *_folders(connection),
        *_facets(connection),
        *_art_of_facets(connection),
        *_texts(connection),
        *_art(connection),
        *_playlists(connection),
        *_parts(connection),
        *_subtitles(connection),
        *_settings(connection),
    ]


def _differing(what: str, found: object, expected: object) -> list[str]:
    return [] if found == expected else [f"{what}: {found!r}, expected {expected!r}"]


def _folders(connection: sqlite3.Connection) -> list[str]:
    folders = {row["id"]: row for row in rows(connection, "folders")}
    available = {row["id"]: row["available"] for row in rows(connection, "roots")}
    direct: dict[int, Counter[str]] = defaultdict(Counter)
    below: dict[int, Counter[str]] = defaultdict(Counter)
    wrong = []
    lists: Counter[int] = Counter()
    lists_below: Counter[int] = Counter()
    for playlist in rows(connection, "playlists"):
        if playlist["shown"]:
            lists[playlist["folder_id"]] += 1
            above: int | None = playlist["folder_id"]
            while above is not None:
                lists_below[above] += 1
                above = folders[above]["parent_id"]
    for item in rows(connection, "items", "name, folder_id, kind, shown, split"):
        folder: int | None = item["folder_id"]
        shown = available[folders[item["folder_id"]]["root_id"]] and not item["split"]
        wrong += _differing(f"shown of {item['name']!r}", item["shown"], int(shown))
        if item["split"]:
            continue
        direct[item["folder_id"]][item["kind"]] += 1
        while folder is not None:
            below[folder][item["kind"]] += 1
            folder = folders[folder]["parent_id"]
    for key, row in folders.items():
        children = [child for child, other in folders.items() if other["parent_id"] == key]
        expected = {
            "child_items": direct[key].total(),
            "child_folders": sum(
                1 for child in children if below[child].total() or lists_below[child]
            ),
            "playlists": lists[key],
            "playlists_below": lists_below[key],
            "shown": int(
                available[row["root_id"]]
                and (row["parent_id"] is None or below[key].total() + lists_below[key] > 0)
            ),
        }
        for kind in KINDS:
            expected[f"{kind}_items"] = direct[key][kind]
            expected[f"{kind}_below"] = below[key][kind]
            expected[f"{kind}_folders"] = sum(1 for child in children if below[child][kind])
        wrong += _differing(f"folder {row['path']!r}", {n: row[n] for n in expected}, expected)
        if row["parent_id"] is not None:
            parent = folders[row["parent_id"]]["path"]
            wrong += _differing("path above", row["path"].rpartition(b"/")[0], parent)
    return wrong


def _facets(connection: sqlite3.Connection) -> list[str]:
    folders = {row["id"]: row for row in rows(connection, "folders", "id, parent_id, title")}
    albums = {(row["folder_id"], row["title"]): row for row in rows(connection, "joined_albums")}
    links: set[tuple[str, str, str, int]] = set()
    counts: Counter[tuple[str, str]] = Counter()
    pairs: Counter[tuple[tuple[str, str], tuple[str, str]]] = Counter()
    for item in rows(connection, "items"):
        if not item["shown"]:
            continue
        traits = _traits(item, folders[item["folder_id"]])
        album = albums.get((traits.album_home, same(traits.album or "")))
        placed = values_of(traits if album is None else _joined(traits, album))
        keys = [(value.kind, value.key) for value, _ in placed]
        counts.update(keys)
        links |= {(value.kind, value.key, key, item["id"]) for value, key in placed}
        pairs.update(
            (outer, inner)
            for outer in keys
            for inner in keys
            if (outer[0], inner[0]) in pairs_of(DEFAULT_VIEWS)
        )
    facets = {row["id"]: row for row in rows(connection, "facets")}
    names = {key: (row["kind"], row["key"]) for key, row in facets.items()}
    found_links = {
        (*names[row["facet_id"]], row["sort_key"], row["item_id"])
        for row in rows(connection, "item_facets")
    }
    found_pairs = {
        (names[row["facet_id"]], names[row["child_id"]]): row["item_count"]
        for row in rows(connection, "facet_pairs")
    }
    found_counts = {names[key]: row["item_count"] for key, row in facets.items()}
    misplaced = [
        row
        for row in rows(connection, "facet_pairs")
        if (row["child_kind"], row["child_sort_key"])
        != (facets[row["child_id"]]["kind"], facets[row["child_id"]]["sort_key"])
    ]
    return [
        *_differing("links", found_links, links),
        *_differing("counts of facets", found_counts, dict(counts)),
        *_differing("pairs", found_pairs, dict(pairs)),
        *_differing("places of pairs", misplaced, []),
    ]


def _traits(item: Row, folder: Row) -> Traits:
    def lines(name: str) -> list[str]:
        return item[name].split("\n") if item[name] else []

    return Traits(
        kind=item["kind"],
        sort_key=item["sort_key"],
        album_key=item["album_key"],
        artists=lines("artists"),
        artist_sorts=lines("artist_sorts"),
        album_artists=lines("album_artists"),
        album_artist_sorts=lines("album_artist_sorts"),
        composers=lines("composers"),
        composer_sorts=lines("composer_sorts"),
        genres=lines("genres"),
        album=item["album"],
        album_sort=item["album_sort"],
        release_id=item["release_id"],
        compilation=bool(item["compilation"]),
        date=item["date"],
        camera=item["camera"],
        film=item["upnp_class"].endswith(".movie"),
        series=item["series"],
        season=item["season"],
        album_home=folder["parent_id"] if _is_disc(folder) else folder["id"],
    )


def _joined(traits: Traits, album: Row) -> Traits:
    def lines(name: str) -> list[str]:
        return album[name].split("\n") if album[name] else []

    return replace(
        traits,
        album_artists=lines("album_artists"),
        album_artist_sorts=lines("album_artist_sorts"),
        release_id=album["release_id"],
        compilation=bool(album["compilation"]),
    )


def _is_disc(folder: Row) -> bool:
    return folder["parent_id"] is not None and disc_of_folder(folder["title"]) is not None


def _art_of_facets(connection: sqlite3.Connection) -> list[str]:
    """Albums show the art of the first of their items that has any; so do series and seasons, if
    there is no poster."""
    items = {row["id"]: row["art_id"] for row in rows(connection, "items", "id, art_id")}
    first: dict[int, int] = {}
    for link in rows(connection, "item_facets ORDER BY facet_id, sort_key, item_id"):
        art_id = items[link["item_id"]]
        if art_id is not None:
            first.setdefault(link["facet_id"], art_id)
    first |= _posters(connection)
    facets = rows(connection, "facets WHERE kind IN ('album', 'series', 'season') AND key <> ''")
    found = {row["id"]: row["art_id"] for row in facets}
    return _differing("art of facets", found, {row["id"]: first.get(row["id"]) for row in facets})


def _posters(connection: sqlite3.Connection) -> dict[int, int]:
    """Pictures of the folders of episodes, of a series before those of its seasons."""
    folders = {row["id"]: row for row in rows(connection, "folders")}
    items = {row["id"]: folders[row["folder_id"]] for row in rows(connection, "items")}
    kinds = {row["id"]: row["kind"] for row in rows(connection, "facets")}
    best: dict[int, int] = {}
    other: dict[int, int] = {}
    for link in rows(connection, "item_facets ORDER BY facet_id, sort_key, item_id"):
        facet, folder = link["facet_id"], items[link["item_id"]]
        if kinds[facet] not in ("series", "season"):
            continue
        of_season = season_of_folder(folder["title"]) is not None
        above = folders.get(folder["parent_id"], {"art_id": None})
        shown = above if kinds[facet] == "series" and of_season else folder
        if shown["art_id"] is not None:
            best.setdefault(facet, shown["art_id"])
        if folder["art_id"] is not None:
            other.setdefault(facet, folder["art_id"])
    return other | best


def _texts(connection: sqlite3.Connection) -> list[str]:
    wrong = _texts_of_items(connection)
    for table, source, condition in (
        ("item_text", "items", "shown"),
        ("folder_text", "folders", "shown"),
        ("facet_text", "facets", "1"),
    ):
        titles = rows(connection, f"{source} WHERE {condition}", "id, title")
        expected = {row["id"]: fold(row["title"]) for row in titles}
        found = {row["rowid"]: row["title"] for row in rows(connection, table, "rowid, title")}
        wrong += _differing(table, found, expected)
        # Does the inverted index agree with the texts (FTS5 manual, 6.4)?
        connection.execute(f"INSERT INTO {table}({table}) VALUES ('integrity-check')")  # noqa: S608
    return wrong


def _texts_of_items(connection: sqlite3.Connection) -> list[str]:
    def folded(*several: str | None) -> list[str]:
        values = [fold(value) for lines in several if lines for value in lines.split("\n")]
        return list(dict.fromkeys(values)) or [""]

    texts = {row["rowid"]: row for row in rows(connection, "item_text", "rowid, *")}
    wrong = []
    for item in rows(connection, "items WHERE shown"):
        if item["id"] not in texts:
            continue  # told with the titles
        text = texts[item["id"]]
        found = {name: text[name].split("\n") for name in ("artists", "album", "genres")}
        expected = {
            "artists": folded(item["artists"], item["album_artists"]),
            "album": folded(item["album"]),
            "genres": folded(item["genres"]),
        }
        wrong += _differing(f"texts of {item['name']!r}", found, expected)
    return wrong


def _art(connection: sqlite3.Connection) -> list[str]:
    art = {row["id"]: row for row in rows(connection, "art")}
    items = {row["id"]: row for row in rows(connection, "items")}
    used = {row["art_id"] for row in items.values()}
    used |= {row["art_id"] for row in rows(connection, "folders", "art_id")}
    # Known by names, whether that file is there or not.
    used |= {key for key, row in art.items() if row["stands_for"] is not None or row["artist"]}
    own = {(row["folder_id"], row["stands_for"]): key for key, row in art.items()}
    shown = {row["art_id"] for row in rows(connection, "facets", "art_id")}
    wrong = [*_differing("art", set(art) | {None}, used | {None})]
    wrong += _differing("art of facets without a row", shown - set(art) - {None}, set())
    for key, row in art.items():
        if row["item_id"] is not None:
            wrong += _differing("holder's art", items[row["item_id"]]["art_id"], key)
    folders = {
        row["id"]: row for row in rows(connection, "folders", "id, parent_id, title, art_id")
    }
    for item in items.values():
        if art.get(item["art_id"], {}).get("item_id") is not None:
            continue  # its own
        folder = folders[item["folder_id"]]
        expected = folder["art_id"]
        if expected is None and _is_disc(folder):
            expected = folders[folder["parent_id"]]["art_id"]
        expected = own.get((item["folder_id"], item["name"]), expected)
        if item["kind"] == "image":
            expected = None
        wrong += _differing(f"art of {item['name']!r}", item["art_id"], expected)
    return wrong + _art_of_folders(connection)


def _art_of_folders(connection: sqlite3.Connection) -> list[str]:
    """A folder shows the picture in it, or one in the folder above that is for it."""
    files = [row for row in rows(connection, "art") if row["artist"] is None]
    pictures = {(row["folder_id"], row["stands_for"]): row["id"] for row in files}
    wrong = []
    for folder in rows(connection, "folders", "id, parent_id, path, art_id"):
        from_above = pictures.get((folder["parent_id"], folder["path"].rpartition(b"/")[2]))
        expected = pictures.get((folder["id"], None), from_above)
        wrong += _differing(f"art of {folder['path']!r}", folder["art_id"], expected)
    return wrong


def _playlists(connection: sqlite3.Connection) -> list[str]:
    items = {row["id"]: row for row in rows(connection, "items")}
    available = dict(
        connection.execute(
            "SELECT folders.id, available FROM folders JOIN roots ON roots.id = root_id"
        ).fetchall()
    )
    pictures = {(row["folder_id"], row["stands_for"]): row["id"] for row in rows(connection, "art")}
    entries: dict[int, list[Row]] = defaultdict(list)
    for row in rows(connection, "playlist_entries ORDER BY playlist_id, position, id"):
        entries[row["playlist_id"]].append(row)
    wrong = []
    for playlist in rows(connection, "playlists"):
        own = entries.pop(playlist["id"], [])
        shown = [row for row in own if row["shown"]]
        seen: Counter[tuple[int | None, int | None]] = Counter()
        for row in own:
            what = (row["item_id"], row["station_id"])
            if row["sheet"] is not None:
                wrong += _splitting(row, items)
                continue
            if row["shown"]:
                wrong += _differing(f"time of {row}", row["time"], seen[what])
                wrong += _differing(f"targets of {row}", what.count(None), 1)
                seen[what] += 1
            else:
                wrong += _differing(f"targets of {row}", what, (None, None))
            wrong += _differing(f"reason of {row}", row["reason"] is None, bool(row["shown"]))
            if row["item_id"] is not None:
                wrong += _differing(f"item of {row}", items[row["item_id"]]["shown"], 1)
        wrong += _differing("entries", playlist["entry_count"], len(shown))
        # The tracks of a record that one line of the file names share their position.
        positions = sorted({row["position"] for row in own})
        wrong += _differing("positions", positions, list(range(len(positions))))
        named = [items[row["item_id"]] for row in shown if row["item_id"] is not None]
        sounds = {item["kind"] for item in named if item["kind"] == "audio"}
        is_audio = sounds or len(named) < len(shown) or not named
        expected = {
            "shown": int(bool(shown) and available[playlist["folder_id"]]),
            "kind": "audio" if is_audio else named[0]["kind"],
            "art_id": pictures.get((playlist["folder_id"], playlist["name"]))
            or next((item["art_id"] for item in named if item["art_id"]), None),
        }
        found = {name: playlist[name] for name in expected}
        wrong += _differing(f"playlist {playlist['name']!r}", found, expected)
    wrong += _differing("entries of nothing", dict(entries), {})
    return wrong


def _splitting(entry: Row, items: dict[int, Row]) -> list[str]:
    """A cue sheet names the file that it splits, or tells why it splits none; it lists nothing."""
    wrong = _differing(f"shown of {entry}", (entry["shown"], entry["station_id"]), (0, None))
    wrong += _differing(f"reason of {entry}", entry["reason"] is None, entry["item_id"] is not None)
    if entry["item_id"] is not None:
        named = items[entry["item_id"]]
        wrong += _differing(f"file of {entry}", (named["split"], named["part"]), (1, 0))
    return wrong


def _parts(connection: sqlite3.Connection) -> list[str]:
    """The parts of a file that is split, and no others, are there, and as it is."""
    items = rows(connection, "items")
    wholes = {(item["folder_id"], item["name"]): item for item in items if not item["part"]}
    split = {place for place, item in wholes.items() if item["split"]}
    wrong = []
    places = set()
    for part in (item for item in items if item["part"]):
        place = part["folder_id"], part["name"]
        places.add(place)
        for name in ("kind", "mtime_ns", "inode", "fingerprint", "art_id"):
            wrong += _differing(f"{name} of part {place}", part[name], wholes[place][name])
        length = round((part["end_us"] - part["begin_us"]) / 1000)
        wrong += _differing(f"length of part {place}", part["duration_ms"], length)
    return [*wrong, *_differing("files with parts", places, split)]


def _subtitles(connection: sqlite3.Connection) -> list[str]:
    """No two of a video have the same number: they are fetched by it."""
    of_video: dict[tuple[int, bytes], list[Row]] = defaultdict(list)
    for row in rows(connection, "subtitles"):
        of_video[row["folder_id"], row["video"]].append(row)
    wrong = []
    for video, own in of_video.items():
        numbers = {row["number"] for row in own}
        wrong += _differing(f"numbers of subtitles of {video}", len(numbers), len(own))
    return wrong


def _settings(connection: sqlite3.Connection) -> list[str]:
    found = dict(connection.execute("SELECT name, value FROM settings"))
    wrong = []
    for kind in KINDS:
        (number,) = connection.execute(
            "SELECT count(*) FROM items WHERE shown AND kind = ?", (kind,)
        ).fetchone()
        wrong += _differing(f"counts.{kind}", found.get(f"counts.{kind}", 0), number)
    return wrong
