"""``/status.json``: what the page shows, for programs on this machine (``mediaserver doctor``)."""

import json
from dataclasses import asdict

from mediaserver.web.status import Status


def document(status: Status) -> bytes:
    """The fields of :class:`Status`; unlike those of ``/health`` they may change with versions."""
    return json.dumps(asdict(status)).encode("ascii")
