"""Durations as DIDL-Lite has them."""


def duration(milliseconds: int) -> str:
    """``H:MM:SS.mmm`` (DLNA 7.3.22.1: one to five digits of hours, three of a fraction)."""
    seconds, fraction = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{min(hours, 99999)}:{minutes:02}:{seconds:02}.{fraction:03}"
