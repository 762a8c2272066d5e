"""``verify``: files, index and picture cache compared with each other, and mended.

The index is checked against itself first, the catalogue made of it against its checksum. Then all
media roots are scanned, which finds what is missing or too much in the index; at last the picture
cache is rid of what has no source any more.
"""

from collections.abc import Callable, Iterator, Mapping

from mediaserver.app.failures import StartFailed
from mediaserver.app.libraries import open_library
from mediaserver.config import Settings
from mediaserver.data_directory import DataDirectory
from mediaserver.library.errors import IndexUnusable
from mediaserver.library.library import Library
from mediaserver.library.objects import LibraryCounts
from mediaserver.library.readers.pool import ReaderPoolError
from mediaserver.library.scanner import ScanSummary
from mediaserver.library.upkeep import IndexCheck

_WHAT = {
    "strays": "rows that belonged to nothing",
    "indexes": "faults of its structure",
    "art": "pictures of files or folders",
    "items": "files shown or hidden wrongly",
    "folders": "counts of folders",
    "facets": "artists, albums and other values of views",
    "item_facets": "places of files in views",
    "facet_pairs": "places of values in views",
    "item_text": "texts of files for searching",
    "facet_text": "texts of values for searching",
    "folder_text": "texts of folders for searching",
    "playlists": "playlists",
    "playlist_entries": "entries of playlists",
    "playlist_places": "places that playlists name",
    "settings": "totals",
}


async def verify(settings: Settings, directory: DataDirectory, say: Callable[[str], None]) -> bool:
    """Check and mend, telling what was found line by line; whether all is well now.

    Raises StartFailed.
    """
    library = await open_library(settings, directory)
    try:
        checked = await library.check_index()
        say(f"index: {_told_of_index(checked, library.status().notes)}")
        catalogue = await library.check_catalogue()
        if catalogue is not None:
            say(f"catalogue: {'sound' if catalogue else 'of no use, removed; it is made anew'}")
        summary = await library.scan_once()
        say(f"files: {_told_of_files(summary, await library.counts())}")
        left = list(_unseen(library, summary))
        for line in left:
            say(line)
        if left:
            say("pictures: not looked at, as some of their sources may be where nothing was seen")
        else:
            tidied = await library.tidy_pictures()
            say(
                f"pictures: {tidied.kept} kept, removed {tidied.vanished} without a source "
                f"and {tidied.broken} broken ones"
            )
        return not left
    except (ReaderPoolError, IndexUnusable, OSError) as error:
        raise StartFailed(str(error)) from error
    finally:
        await library.close()


def _told_of_index(checked: IndexCheck, notes: tuple[str, ...]) -> str:
    if notes:
        # Also those of opening it, where most damage shows.
        return "; ".join(notes)
    return f"mended: {_listed(checked.mended)}" if checked.mended else "sound"


def _listed(mended: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {_WHAT.get(name, name)}" for name, number in mended.items())


def _told_of_files(summary: ScanSummary, counts: LibraryCounts) -> str:
    changes = {
        "were missing in the index": summary.added,
        "had changed": summary.changed,
        "had moved": summary.moved,
        "were there no more": summary.removed,
        "cannot be read": counts.unreadable,
    }
    found = ", ".join(f"{number} {what}" for what, number in changes.items() if number)
    return f"{summary.seen} looked at" + (f", {found}" if found else "")


def _unseen(library: Library, summary: ScanSummary) -> Iterator[str]:
    for root in library.status().roots:
        if root.reason is not None:
            yield f"not checked: {root.path}: {root.reason}"
    for folder, reason in sorted(summary.troubled.items()):
        yield f"not checked: {folder.decode(errors='replace')}: {reason}"
