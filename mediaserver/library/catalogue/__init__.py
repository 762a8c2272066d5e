"""The catalogue: the lists of the index as columns of bits, for libraries that are large.

The index (SQLite) answers a page of a list that one of its own indexes keeps in order at any size.
What it cannot do at any size is to count what fits some criteria, or to find the middle of a list
in an order that nobody keeps: both cost as much as there are rows. Here a row is a bit. Of eight
tracks, in the order of their titles, one column and one word::

    place            0     1     2     3     4     5     6     7
    dc:date        1993  2004    -   1993  1971  2004  1993    -
    its number       2     3     0     2     1     3     2     0
       plane 2       1     1     0     1     0     1     1     0      number = 2 * plane 2
       plane 1       0     1     0     0     1     1     0     0             + plane 1
    "lamp" in it     1     0     0     1     1     0     0     1

Each line of bits is one Python int. What is of 1993 and has "lamp" in its title is *plane 2 and not
plane 1 and lamp*: places 0 and 3, a million rows compared in microseconds, and counted as quickly.
The order by date is there as well: rows without a bit in plane 2, then rows with it; each half by
plane 1, then by place. Halves in front of a page are counted and left alone, so that its middle
costs what its beginning does (:func:`.bitmaps.in_order`).

How a question is answered::

    browsing.sources     what a list is in SQL, and which part of which list here (its Extent)
    browsing.choosing    the extent in bits
    browsing.selecting   and with those of the criteria
    overlay              without the rows that have changed since the catalogue was made
    browsing.merging     a page in order; the changed rows, asked of the index, put in between

and what that needs::

    indexing.touched     which rows have changed, noted by the indexer with each batch
    renewal, building    the file made, by a process of its own, when too many rows have changed
    layout               which rows and columns of the index are in it
    section_file         how it is written and read; ``shelf``: which file is the newest
    words                texts to words, and words to rows
    columns, comparing   what is equal, less, contains
    reading              lists, their columns, ids to places and back

SQL is the definition: what is said here must be what SQL would say, and tests hold one against the
other. So the file may be missing, old or damaged at any time: then the index answers, slower.
"""
