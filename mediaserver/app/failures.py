"""Why the program could not start; each is one line for its owner."""


class StartFailed(Exception):  # noqa: N818 - it says what happened
    """The server cannot run here and now; the text is one line without a full stop."""
