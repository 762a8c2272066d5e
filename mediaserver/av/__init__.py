"""The library told in UPnP AV: the services of a MediaServer:1 and the DIDL-Lite they answer with.

``content_directory``, ``connection_manager`` and ``registrar`` declare services and translate the
library's errors into theirs; ``didl`` writes objects; ``filter``, ``search_criteria`` and
``sort_criteria`` read the small languages of the arguments. How an action reaches us is the
business of ``upnp``, where the objects come from that of ``library``.
"""
