"""The parts of a scan (all of it behind :mod:`mediaserver.library.scanner`).

::

    requests          what waits to be scanned
    walk              folders on disk beside folders in the index
    listing           one folder on disk
    folder_tree       the folders in the index
    moves             what vanished here and turned up there
    sidecars          pictures and subtitles beside media
    playlists         files that list media, read at the end
    outbox            changes on their way to the index
    writer            the thread that all of this runs in
"""
