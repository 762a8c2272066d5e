"""Sound decoded while it is sent, in processes of its own: media files are not trusted.

::

    pcm           what is sent: which samples, in what form, how many bytes that is
    decoders      how many at once; what delivery asks for a stream
    process       one decoder seen from the server: its pipe, its end
    decoder       the process itself: samples cut and packed as they are wanted
    sound         the sound in a media file from a place on (FFmpeg's libraries)
    job           what a decoder is told

A decoder gets the open file as its standard input and writes samples to its standard output. It is
no faster than who reads them, and ends when nobody does.
"""
