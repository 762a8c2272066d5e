"""Figures and foreign text as people read them."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def clean(text: str, limit: int = 300) -> str:
    """Text that may stand in a page: what cannot be shown replaced, cut to ``limit``.

    Line breaks, control and direction-changing characters and lone surrogates all count as not
    printable. Escaping is left to the template.
    """
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return "".join(one if one.isprintable() else REPLACEMENT for one in cut)


def count(number: int) -> str:
    """``20123`` as ``20,123``."""
    return f"{number:,}"


def things(number: int, name: str) -> str:
    """``1 file``, ``20,123 files``."""
    return f"{count(number)} {name}" if number == 1 else f"{count(number)} {name}s"


def duration(seconds: float) -> str:
    """``0.4 s``, ``12 s``, ``3 min``, ``2 h 5 min``, ``4 days``: one or two figures."""
    if seconds < 9.95:
        return f"{max(seconds, 0):.1f} s".replace(".0 ", " ")
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days = round(seconds / 86400)
    return "1 day" if days == 1 else f"{days} days"


def ago(seconds: float) -> str:
    return "just now" if seconds < 2 else f"{duration(seconds)} ago"


def size(number: int) -> str:
    """Bytes with the prefixes of the SI: ``1.5 MB``."""
    if number < 1000:
        return things(number, "byte")
    amount = float(number)
    for unit in ("kB", "MB", "GB"):
        amount /= 1000
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if amount >= 9.95 else f"{amount:.1f} {unit}"
    return f"{amount / 1000:.1f} TB"
