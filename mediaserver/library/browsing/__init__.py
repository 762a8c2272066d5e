"""The questions of ContentDirectory, answered from the index: plain functions of a connection.

``browser`` is what others call. An object id is understood by ``tree``, which gives a *source*: the
ordered rows behind a container (``folder_sources`` with ``folder_places``, ``value_sources``,
``item_sources``, ``playlist_sources``).
``sorting`` and ``search`` (with ``matching``, ``properties``, ``fitting``) order and choose rows,
``rows`` makes objects of them, ``snapshot`` remembers positions so that deep pages stay cheap.
Of large libraries ``choosing`` (a list), ``selecting`` (criteria) and ``merging`` (an order) do
what SQL would take too long for, from the catalogue (:mod:`mediaserver.library.catalogue`).
"""
