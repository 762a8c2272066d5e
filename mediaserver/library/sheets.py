"""Cue sheets as the index keeps them, and whether one fits the file that it is for.

Pure functions. What a sheet says is kept as JSON beside the file or the entry that it belongs to,
so that tracks can be made of it again at any time without reading anything.
"""

import json
from dataclasses import asdict
from typing import Any

from mediaserver.library.objects import Sheet, SheetTrack

MAX_TRACKS = 99
"""As many as a CD can have."""


def written(sheet: Sheet) -> str:
    """A sheet as JSON; what is not known is left out."""
    known = _known(asdict(sheet))
    known["tracks"] = [_known(asdict(track)) for track in sheet.tracks]
    return json.dumps(known, ensure_ascii=False, separators=(",", ":"))


def read(text: str) -> Sheet:
    """What :func:`written` has made."""
    known = json.loads(text)
    tracks = (SheetTrack(**_restored({"end_us": None, **one})) for one in known.pop("tracks"))
    return Sheet(tracks=tuple(tracks), **_restored(known))


def misfit(sheet: Sheet, duration_ms: int | None) -> str | None:
    """Why a file of this length is not split by a sheet; None: it is."""
    if sheet.reason is not None:
        return sheet.reason
    if duration_ms is None:
        return "the length of its file is not known"
    for track in sheet.tracks:
        if track.begin_us >= duration_ms * 1000:
            begin, length = clock(track.begin_us), clock(duration_ms * 1000)
            return f"track {track.number} begins at {begin}, its file ends at {length}"
    return None


def clock(microseconds: int) -> str:
    """A place in a file for people: minutes and seconds."""
    minutes, seconds = divmod(microseconds // 1_000_000, 60)
    return f"{minutes}:{seconds:02d}"


def _known(values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if value not in (None, ())}


def _restored(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
