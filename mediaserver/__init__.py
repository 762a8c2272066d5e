"""A UPnP AV / DLNA MediaServer.

Layers; each imports only what stands below it, packages on one line do not know each other
(``tests/test_layers.py`` holds the rule)::

    app  cli                            everything meets here, and only here
    web                                 pages and JSON for people
    av            delivery              the library told in UPnP AV | its bytes over HTTP
    upnp          library               Device Architecture, no media | media, no network
    server  urls  dlna  media_types  clients  config  data_directory  supervision  patience   leaves
"""

__version__ = "0.1.0"
