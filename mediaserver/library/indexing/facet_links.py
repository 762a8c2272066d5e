"""The values of views as tables: which items stand under them, how many, which occur together.

Links are written at once; counts and pairs are gathered and written when the batch ends, because
five hundred files touch the same few artists and albums again and again.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from itertools import count

from mediaserver.library.facets import VARIOUS_ARTISTS, Value
from mediaserver.library.folding import fold, sort_key
from mediaserver.library.indexing.texts import Texts
from mediaserver.library.names.videos import season_of_folder
from mediaserver.library.object_ids import FACET_BITS, hashed

REMEMBERED = 20_000
"""Facets whose ids are kept in memory between batches."""
LOOKED_AT = 200
"""Items of an album that are asked for its art, date and artists."""

FacetIDs = dict[tuple[str, str], int]
"""(kind, key) to id."""


class FacetLinks:
    """The facets of one batch. ``known`` outlives it; forget it when the batch fails."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        pairs: Iterable[tuple[str, str]],
        known: FacetIDs,
    ) -> None:
        self._connection = connection
        self._inner_kinds = _by_outer(pairs)
        self._known = known
        self._texts = Texts(connection, "facet_text")
        if len(known) > REMEMBERED:
            known.clear()
        self._kinds: dict[int, str] = {}
        """Every facet touched by this batch."""
        self._counts: dict[int, int] = defaultdict(int)
        self._pairs: dict[tuple[int, int], int] = defaultdict(int)
        self._sorts: dict[int, tuple[str, bool]] = {}
        """What tags say a facet is sorted under, and whether an item with it was changed."""
        self.items: set[int] = set()
        """Every item that stands, or stood, under other values, or looks different there."""

    @property
    def values(self) -> Collection[int]:
        """Every value touched by this batch, those that are gone among them."""
        return self._kinds.keys()

    def link(self, item: int, placed: Sequence[tuple[Value, str]]) -> None:
        """Put an item under its values (:func:`.facets.values_of`)."""
        self._link(item, placed, changed=False)

    def _link(self, item: int, placed: Sequence[tuple[Value, str]], *, changed: bool) -> None:
        self.items.add(item)
        links = []
        for value, key in placed:
            facet = self._id_of(value)
            links.append((facet, key, item, value.kind))
            if value.sorted and (changed or facet not in self._sorts):
                self._sorts[facet] = value.sort_key, changed
        self._connection.executemany("INSERT INTO item_facets VALUES (?, ?, ?, ?)", links)
        self._tally([(facet, kind) for facet, _, _, kind in links], 1)

    def unlink(self, item: int) -> None:
        self.items.add(item)
        rows = self._connection.execute(
            "SELECT facet_id, facet_kind FROM item_facets WHERE item_id = ?", (item,)
        ).fetchall()
        self._connection.execute("DELETE FROM item_facets WHERE item_id = ?", (item,))
        self._tally(rows, -1)

    def relink(self, item: int, placed: Sequence[tuple[Value, str]]) -> None:
        """An item that was changed: its values count as touched even if they are the same."""
        self.unlink(item)
        self._link(item, placed, changed=True)

    def touch_artist(self, key: str) -> bool:
        """The artist looks different; whether there is one."""
        rows = self._connection.execute(
            "SELECT id, kind FROM facets WHERE kind IN ('artist', 'albumartist') AND key = ?",
            (key,),
        ).fetchall()
        self._tally(rows, 0)
        return bool(rows)

    def start_again(self) -> None:
        """Take all items out, and make the texts of values anew. Values keep their ids."""
        self._connection.execute("DELETE FROM item_facets")
        self._connection.execute("DELETE FROM facet_pairs")
        self._connection.execute("UPDATE facets SET item_count = 0")
        self._counts.clear()
        self._pairs.clear()
        for facet, kind, title in self._connection.execute("SELECT id, kind, title FROM facets"):
            self._kinds[facet] = kind
            self._counts[facet] = 0
            self._texts.add(facet, fold(title))

    def finish(self, update_id: int) -> dict[int, str]:
        """Write what was gathered. Returns the values touched that are there, and their kinds."""
        self._sort_again()
        self._write_pairs()
        self._write_counts(update_id)
        gone = self._remove_empty()
        self._texts.write()
        kinds = {facet: kind for facet, kind in self._kinds.items() if facet not in gone}
        self._describe_albums(facet for facet, kind in kinds.items() if kind == "album")
        self._illustrate(facet for facet, kind in kinds.items() if kind in ("series", "season"))
        return kinds

    def _tally(self, links: Iterable[tuple[int, str]], amount: int) -> None:
        by_kind: dict[str, list[int]] = {}
        for facet, kind in links:
            self._counts[facet] += amount
            self._kinds[facet] = kind
            by_kind.setdefault(kind, []).append(facet)
        for outer, inner_kinds in self._inner_kinds.items():
            for facet in by_kind.get(outer, ()):
                for inner in inner_kinds:
                    for child in by_kind.get(inner, ()):
                        self._pairs[facet, child] += amount

    def _id_of(self, value: Value) -> int:
        known = self._known.get((value.kind, value.key))
        if known is not None:
            return known
        row = self._connection.execute(
            "SELECT id FROM facets WHERE kind = ? AND key = ?", (value.kind, value.key)
        ).fetchone()
        facet = self._made(value) if row is None else int(row[0])
        self._known[value.kind, value.key] = facet
        return facet

    def _made(self, value: Value) -> int:
        named = value.kind.encode(), value.key.encode()
        for again in count():
            facet = hashed(FACET_BITS, *named, *((str(again).encode(),) if again else ()))
            inserted = self._connection.execute(
                "INSERT INTO facets (id, kind, key, title, sort_key, item_count, update_id) "
                "VALUES (?, ?, ?, ?, ?, 0, 0) ON CONFLICT (id) DO NOTHING",
                (facet, value.kind, value.key, value.title, value.sort_key),
            )
            if inserted.rowcount:
                break
        self._texts.add(facet, fold(value.title))
        return facet

    def _sort_again(self) -> None:
        """Let tags decide where values stand that were sorted under their own names so far.

        Of several items that say different things the first counts, or the one that was changed.
        """
        for facet, (key, changed) in self._sorts.items():
            kind, title, old = self._connection.execute(
                "SELECT kind, title, sort_key FROM facets WHERE id = ?", (facet,)
            ).fetchone()
            if old == key or not (changed or old == sort_key(title)):
                continue
            self._connection.execute("UPDATE facets SET sort_key = ? WHERE id = ?", (key, facet))
            self._connection.executemany(
                "UPDATE facet_pairs SET child_sort_key = ? WHERE facet_id = ? "
                "AND child_kind = ? AND child_sort_key = ? AND child_id = ?",
                [(key, outer, kind, old, facet) for outer in self._outer(facet)],
            )

    def _outer(self, facet: int) -> set[int]:
        """The values that may have a pair with this one: of its items now, and of this batch."""
        rows = self._connection.execute(
            "SELECT DISTINCT o.facet_id FROM item_facets AS m "
            "JOIN item_facets AS o ON o.item_id = m.item_id WHERE m.facet_id = ?",
            (facet,),
        )
        return {row[0] for row in rows} | {outer for outer, inner in self._pairs if inner == facet}

    def _write_pairs(self) -> None:
        changed = [(pair, amount) for pair, amount in self._pairs.items() if amount]
        places = self._places({child for (_, child), _ in changed})
        rows = [(facet, *places[child], child, amount) for (facet, child), amount in changed]
        self._connection.executemany(
            "INSERT INTO facet_pairs VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET item_count = item_count + excluded.item_count",
            rows,
        )
        self._connection.executemany(
            "DELETE FROM facet_pairs WHERE facet_id = ? AND child_kind = ? "
            "AND child_sort_key = ? AND child_id = ? AND item_count <= 0",
            [row[:-1] for row in rows if row[-1] < 0],
        )

    def _places(self, facets: Iterable[int]) -> dict[int, tuple[str, str]]:
        """The kind and sort key of facets: where they stand among the pairs of another."""
        question = "SELECT kind, sort_key FROM facets WHERE id = ?"
        return {facet: self._connection.execute(question, (facet,)).fetchone() for facet in facets}

    def _write_counts(self, update_id: int) -> None:
        self._connection.executemany(
            "UPDATE facets SET item_count = item_count + ?, update_id = ? WHERE id = ?",
            [(amount, update_id, facet) for facet, amount in self._counts.items()],
        )

    def _remove_empty(self) -> set[int]:
        """Remove facets without items. Made again, they get the same id: it is a hash.

        One that gained as many as it lost may have been made by this very batch.
        """
        gone = set()
        for facet, amount in self._counts.items():
            if amount > 0:
                continue
            row = self._connection.execute(
                "DELETE FROM facets WHERE id = ? AND item_count <= 0 RETURNING kind, key", (facet,)
            ).fetchone()
            if row is None:
                continue
            self._texts.remove(facet)
            self._known.pop(row, None)
            gone.add(facet)
        return gone

    def _describe_albums(self, albums: Iterable[int]) -> None:
        rows = [(*self._description(album), album) for album in albums]
        self._connection.executemany(
            "UPDATE facets SET artists = ?, genres = ?, date = ?, art_id = ? "
            "WHERE id = ? AND key <> ''",
            rows,
        )

    def _illustrate(self, facets: Iterable[int]) -> None:
        """The art of series and seasons: that of the folder of the first episode that has any, of
        a series with folders for seasons that of the folder above; or else an episode's."""
        self._connection.executemany(
            "UPDATE facets SET art_id = ? WHERE id = ?",
            [(self._art_of_episodes(facet), facet) for facet in facets],
        )

    def _art_of_episodes(self, facet: int) -> int | None:
        rows = self._connection.execute(
            "SELECT facets.kind, items.art_id, own.art_id, own.title, above.art_id FROM facets "
            "JOIN item_facets ON facet_id = facets.id JOIN items ON items.id = item_id "
            "JOIN folders AS own ON own.id = folder_id "
            "LEFT JOIN folders AS above ON above.id = own.parent_id WHERE facets.id = ? "
            "ORDER BY item_facets.sort_key, item_id LIMIT ?",
            (facet, LOOKED_AT),
        ).fetchall()
        posters = (
            above if kind == "series" and season_of_folder(title) is not None else own
            for kind, _, own, title, above in rows
        )
        arts = (*posters, *(own for _, _, own, _, _ in rows), *(row[1] for row in rows))
        return next((art for art in arts if art is not None), None)

    def _description(self, album: int) -> tuple[str | None, str | None, str | None, int | None]:
        """Artists, genres, date and art: of the first track that has them."""
        rows = self._connection.execute(
            "SELECT album_artists, artists, compilation, genres, date, art_id FROM item_facets "
            "JOIN items ON items.id = item_id WHERE facet_id = ? "
            "ORDER BY item_facets.sort_key, item_id LIMIT ?",
            (album, LOOKED_AT),
        ).fetchall()
        artists = next((row[0] for row in rows if row[0]), None)
        if artists is None:
            track_artists = {row[1] for row in rows if row[1]}
            if len(track_artists) > 1 or any(row[2] for row in rows):
                artists = VARIOUS_ARTISTS
            else:
                artists = next(iter(track_artists), None)
        genres, date, art = (
            next((row[at] for row in rows if row[at] is not None), None) for at in (3, 4, 5)
        )
        return artists, genres, date, art


def _by_outer(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for outer, inner in pairs:
        kinds.setdefault(outer, []).append(inner)
    return kinds
