"""One line an event on standard error: time, level, part of the program, what happened.

A record may hold text from the network or from files; whatever cannot be printed is escaped, so
that nobody forges lines or moves the cursor (security.md N17). The lines of a traceback are
indented for the same reason: none of them can pass for another record.
"""

import logging
import sys
from typing import Any

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"

_QUIET = ("alembic", "asyncio", "httpx", "httpcore", "PIL", "libav", "watchdog", "uvicorn")
"""Libraries whose lower levels tell nothing an owner can use."""


INDENT = "    "


class OneLine(logging.Formatter):
    """A formatter whose output is one printable line, and after it the lines of a traceback."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        return printable(super().formatMessage(record))

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        # At LF only: what else Python takes for the end of a line is escaped.
        lines = super().formatException(ei).split("\n")
        return "\n".join(INDENT + printable(line) for line in lines)


def printable(text: str) -> str:
    """Text that stays on its line and moves no cursor, whatever it consists of."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def configure(level: str) -> None:
    """Log to standard error from ``level`` on (``debug``, ``info``, ``warning``, ``error``).

    May be called again with another level. At ``debug`` the wire is shown too, through the
    loggers ``mediaserver.traffic.ssdp``, ``.soap`` and ``.gena``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLine(FORMAT))
    root = logging.getLogger()
    for known in list(root.handlers):
        root.removeHandler(known)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.captureWarnings(True)
