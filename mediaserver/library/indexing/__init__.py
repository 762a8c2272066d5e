"""How a change is written to the index (all of it behind :mod:`mediaserver.library.indexer`).

::

    batch             one transaction: roots and folders; hands files on
    items             files that came, changed, moved or went
    records           a file as a row
    details           what is known of few files: gains, ids, chapters, streams
    homes             the folder of a file, as far as the file needs it
    art               pictures that stand for items and folders
    folder_art        which picture stands for a folder
    sidecars          files that belong to others: pictures of single files, subtitles
    playlists         playlists and what their entries name (``playlist_lookup`` finds it)
    parts             files that hold a record, shown as its tracks (``sheet_files``: by which)
    tombstones        keys of files that are gone, should they come back
    albums            albums whose tracks do not all say whose they are
    facet_links       under which values of the views an item stands; counts, pairs
    folder_counts     how much is in each folder and below
    texts             what full text search finds, in the order it is cheapest in
    updates           update ids, and what is told of a change
    touched           which rows are others lately, for those who know an earlier state
    known             what the index knows of the disk, for the scanner
    checking          the index against itself, after accidents

Everything runs in the one writer thread, on the SQLite connection itself: SQLAlchemy would cost
several times what the statements do.
"""
