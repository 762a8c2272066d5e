"""What the process asks of the system before anything else (security.md 2, "Process")."""

import logging
import os
import resource

logger = logging.getLogger(__name__)

UMASK = 0o027
"""Files are for their owner, and to be read by the group; nobody else's business."""
MAX_DESCRIPTORS = 65536
"""More are of no use to us, and a loop over all of them would take long."""


def prepare() -> None:
    """Set the umask, and allow ourselves as many descriptors as the system does.

    The usual 1024 are fewer than connections, streams and watched folders can need together.
    """
    os.umask(UMASK)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MAX_DESCRIPTORS)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:
        logger.warning("no more than %d descriptors can be had: %s", soft, error)
