"""The catalogue: the lists of the index as columns of bits, for libraries that are large.

The index (SQLite) answers a page of a list that one of its own indexes keeps in order at any size.
What it cannot do at any size is to count what fits some criteria, or to find the middle of a list
in an order that nobody keeps: both cost as much as there are rows. Here each row is one bit, and
what fits is a number with as many bits: sixty rows are compared by one instruction, counted by one,
and sorted (:func:`.bitmaps.in_order`) without looking at any of them::

    layout       which rows and columns of the index are in it
    building     the index read once, and written as a file of sections (``section_file``)
    words        texts to words, and words to rows
    columns      a column: what is equal, less, contains; its order
    reading      the file as it is asked: lists, their columns, ids to places and back

It is made anew by a process of its own when the library has come to rest (:mod:`.renewal`), holds
nothing that is not in the index, and is asked only while the SystemUpdateID is the one that it was
made at. So it may be old, missing or damaged at any time: then the index answers, slower.
"""
