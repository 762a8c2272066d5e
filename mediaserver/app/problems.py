"""What is wrong at the moment, in words for the page and for ``/health`` (security.md F4, F12)."""

from collections.abc import Iterator

from mediaserver.library.library import LibraryStatus
from mediaserver.web.status import Problem
from mediaserver.web.wording import things


def of_library(library: LibraryStatus, unreadable_index: str | None) -> Iterator[Problem]:
    """What keeps the library from being true, or from being seen; nothing if all is well.

    ``unreadable_index``: why the index did not answer, if it did not. Media roots that are not
    there have their own place, with :class:`~mediaserver.web.status.RootStatus`.
    """
    if unreadable_index is not None:
        yield Problem("the index does not answer", unreadable_index)
    if library.index_failure is not None:
        yield Problem("the index is not on its disk, it is tried again", library.index_failure)
    if library.catalogue_failure is not None:
        yield Problem(
            "searching and sorting take long: the catalogue cannot be made, it is tried again",
            library.catalogue_failure,
        )
    if library.failure is not None:
        yield Problem("scanning fails, it is tried again", library.failure)
    if library.troubled:
        folders = things(len(library.troubled), "folder")
        yield Problem(f"{folders} could not be read in full", "; ".join(library.troubled.values()))
