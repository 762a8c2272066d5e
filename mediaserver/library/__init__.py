"""The library: media files, what is known of them, and the views over them. No network here.

::

    library       the facade that av, delivery, web and app get; lives on the event loop
    upkeep        keeps the index true to the disk: what makes a scan begin, one scan at a time
    troubles      what the system refused, and when it is tried again
    watcher       events of the file system to folders to scan (``watching`` tells which speak)
    scanner       a scan: what differs between disk and index (``scanning``: walk, moves, art)
    readers       a file to facts, in worker processes; ``names``: what its path tells
    indexer       all writing, in transactions that end with a Change (``indexing``)
    database      the index file and its threads (``schema``; ``index_*``, ``migrating``)
    browsing      Browse and Search as questions to the index; ``lookup``: files by their number
    catalogue     the same in columns of bits, for what the index is too slow at when it is large
    artwork       pictures made smaller, and kept (``pictures`` makes them, in those workers)
    opening       from the index to an open file, and nowhere else
    decoding      an open file to samples, in processes of their own
    explaining    why a path is served or not: ``mediaserver why``, without any of the threads

A change goes down this list, from ``watcher`` to ``indexer``, and comes back to the facade's
``on_change``; a question goes from the facade to ``database``, which calls ``browsing``. What all
of them speak of is in ``objects``, ``object_ids``, ``views``, ``criteria`` and ``errors``; what
belongs to the media roots is for ``roots`` to say, everywhere; which of their disks hang, for
``disks``; as what FFmpeg may open files, for ``demuxers``. ``albums``, ``facets``, ``folding``,
``locations``, ``sheets`` and ``subtitle_text`` are pure functions.
"""
