"""Where everything meets: the program put together from its parts, started and stopped.

``building`` makes the parts and hands each what it needs, ``running`` is the life of a server
in order, ``overview`` gathers what the page for people shows, ``scanning`` is for the commands
that serve nothing.
"""
