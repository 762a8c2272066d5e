"""An index to write to in a test, and what readers may find in files."""

from pathlib import Path
from typing import Any

from mediaserver.library.database import Database, driver_of
from mediaserver.library.indexer import Batch, FileStatus, Indexer
from mediaserver.library.objects import Change, EmbeddedArt, Kind, MediaFacts
from tests.library.index_check import problems, rows

NOW = 1_700_000_000
DAY = 86_400


class Index:
    """An index to write to, with a clock that is set and changes that are kept."""

    def __init__(self, path: Path) -> None:
        self.now = float(NOW)
        self.changes: list[Change] = []
        self.database = Database(path)
        self.database.open()
        self.indexer = Indexer(self.database, on_change=self.changes.append, now=lambda: self.now)

    def root(self, path: bytes = b"/music", *, scanned: bool = True) -> tuple[int, int]:
        """A media root; its id and the key of its folder."""
        with self.indexer.batch() as batch:
            root_id = batch.put_root(path, path.decode().strip("/").title())
            folder = put_folder(batch, root_id, b"", None)
            if scanned:
                batch.root_scanned(root_id)
        return root_id, folder

    def folder(self, root_id: int, path: bytes, parent: int) -> int:
        with self.indexer.batch() as batch:
            return put_folder(batch, root_id, path, parent)

    def item(
        self, folder: int, name: bytes, facts: MediaFacts, status: FileStatus | None = None
    ) -> int:
        with self.indexer.batch() as batch:
            return batch.put_item(folder, name, status or file_status(), facts)

    def ask(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        return self.database.read_now(
            lambda connection: driver_of(connection).execute(statement, values).fetchall()
        )

    def facets(self, kind: str) -> list[tuple[str, int]]:
        """Titles and numbers of items, in the order they are shown in."""
        return self.ask(
            "SELECT title, item_count FROM facets WHERE kind = ? ORDER BY sort_key, id", kind
        )

    def close(self) -> None:
        self.database.close()

    def problems(self) -> list[str]:
        with self.database.begin() as connection:
            return problems(driver_of(connection))

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        tables = [
            *("settings", "roots", "folders", "items", "facets", "item_facets", "facet_pairs"),
            *("art", "subtitles", "tombstones", "item_text", "facet_text", "folder_text"),
        ]
        return self.database.read_now(
            lambda connection: {table: rows(driver_of(connection), table) for table in tables}
        )


def file_status(mtime: float = NOW - DAY, inode: int = 1) -> FileStatus:
    return FileStatus(size=1000, mtime_ns=int(mtime * 1e9), device=1, inode=inode)


def put_folder(batch: Batch, root_id: int, path: bytes, parent: int | None) -> int:
    return batch.put_folder(root_id, path, parent=parent, device=1, inode=1, mtime_ns=0)


def song(title: str | None = "Song", **facts: Any) -> MediaFacts:
    values: dict[str, Any] = {
        "kind": Kind.AUDIO,
        "mime_type": "audio/mpeg",
        "title": title,
        "fingerprint": (title or "").encode(errors="replace").ljust(16)[:16],
    }
    return MediaFacts(**(values | facts))


def photo(title: str | None = "Photo", **facts: Any) -> MediaFacts:
    return song(title, **({"kind": Kind.IMAGE, "mime_type": "image/jpeg"} | facts))


def film(title: str | None = "Film", **facts: Any) -> MediaFacts:
    return song(title, **({"kind": Kind.VIDEO, "mime_type": "video/mp4"} | facts))


COVER = EmbeddedArt("image/jpeg", 600, 600, b"c" * 16)
