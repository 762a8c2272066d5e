"""Media roots that are no longer configured: hidden at once, then forgotten step by step."""

import logging
import os
from collections.abc import Callable, Container

from mediaserver.library.indexer import Indexer, KnownRoot

logger = logging.getLogger(__name__)

NOT_CONFIGURED = "it is no longer configured"


def hide_former_roots(indexer: Indexer, configured: Container[bytes]) -> None:
    """See that nothing is given out any more that is in another root than the configured ones."""
    for root in _former(indexer, configured):
        if root.available:
            logger.info("media root %s is no longer configured", os.fsdecode(root.path))
            indexer.hide_root(root.root_id, reason=NOT_CONFIGURED, device=root.device)


def forget_former_roots(
    indexer: Indexer, configured: Container[bytes], stopped: Callable[[], bool]
) -> None:
    """Forget all other roots than the configured ones, so that files in them which are in one of
    these as well are known there afterwards. Where it was cut short the next call goes on."""
    for root in _former(indexer, configured):
        if indexer.remove_root(root.root_id, stopped=stopped):
            logger.info("media root %s has been forgotten", os.fsdecode(root.path))


def _former(indexer: Indexer, configured: Container[bytes]) -> list[KnownRoot]:
    return [root for root in indexer.roots() if root.path not in configured]
