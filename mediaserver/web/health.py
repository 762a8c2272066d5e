"""``/health``: whether the server is well, as JSON for scripts and container engines."""

import json
from collections.abc import Iterator

from mediaserver.web.status import ScanStatus, Status


def document(status: Status) -> bytes:
    """The JSON of the contract (README, "For scripts"); keys are never removed or renamed.

    ``status`` says that requests are answered; what is wrong nevertheless is in ``problems``.
    """
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
            "scan": _scan(status.scan),
            "problems": list(_problems(status)),
            "failures": {failure.task: failure.count for failure in status.failures},
        }
    ).encode("ascii")


def _scan(scan: ScanStatus) -> dict[str, object]:
    """How far the scan is that runs; null for what is not known (yet), or without one."""
    if not scan.running:
        return dict.fromkeys(("done", "total", "listing", "files_per_second", "remaining_seconds"))
    return {
        "done": scan.done,
        "total": scan.total,
        "listing": scan.listing,
        "files_per_second": round(scan.files_per_second, 1),
        "remaining_seconds": None
        if scan.remaining_seconds is None
        else round(scan.remaining_seconds),
    }


def _problems(status: Status) -> Iterator[str]:
    for root in status.roots:
        if root.reason is not None:
            yield f"media root {root.title}: {root.reason}"
    for problem in status.problems:
        yield problem.text
