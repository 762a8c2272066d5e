"""Why a path is, or is not, in the library, and as what: for ``mediaserver why``.

::

    explanation   what the rules, the disk and the index say of a path
    no_item       a file that is no item: what it belongs to, or what it is instead of media
    details       what is told of an item beside what control points get
    sheets        what cue sheets do to files

None of the library's threads is needed, and no media is read.
"""
