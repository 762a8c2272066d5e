"""Media files to facts: tags, streams, sizes, embedded art.

:func:`read` reads one file in this process; the scanner goes through :mod:`.pool`, whose worker
processes may hang or die of a broken file without harm (security.md M3). Readers look at the
contents first and at the suffix where the contents do not say.
"""

from mediaserver.library.objects import MediaFacts

__all__ = ["MediaFacts", "read"]


def read(path: bytes) -> MediaFacts:
    """What is in the file at an absolute path. Never raises for what it finds there.

    ``facts.reason`` says why contents could not be read: an operating system error
    (``Permission denied``), or what is wrong with the file. Kind and MIME type are then those
    of the suffix and the title is the file's name without it.
    """
    # Deferred: modules of this package are used by others that need none of the readers.
    from mediaserver.library.readers import dispatch

    return dispatch.read(path)
