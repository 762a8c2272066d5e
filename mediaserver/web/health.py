"""``/health``: whether the server is well, as JSON for scripts and container engines."""

import json

from mediaserver.web.status import Status


def document(status: Status) -> bytes:
    """The JSON of the contract (README, "For scripts"); keys are never removed or renamed."""
    library = status.library
    return json.dumps(
        {
            "status": "ok",
            "udn": status.udn,
            "version": status.version,
            "system_update_id": status.system_update_id,
            "library": {
                "items": library.items,
                "containers": library.containers,
                "audio": library.audio,
                "video": library.video,
                "image": library.image,
                "pending": library.pending,
                "unreadable": library.unreadable,
                "scanning": status.scan.running,
            },
            "failures": {failure.task: failure.count for failure in status.failures},
        }
    ).encode("ascii")
