"""The owner's rating of an item, for those who ask for it by name.

``upnp:rating`` is not it: that is what a board of film or of games says (CDS:1 Appendix B), and
parental control reads it. Kodi has an element of its own, Windows' players have theirs in a
description (MS-UPMC §2.1.3). With ``*`` neither comes: nobody else knows them.
"""

from mediaserver.av.filter import Filter
from mediaserver.library.objects import Item

_KODI = "xbmc:userrating"
_KODI_NAMESPACE = ' xmlns:xbmc="urn:schemas-xbmc-org:metadata-1-0/"'
_MICROSOFT = "urn:schemas-microsoft-com:WMPNSS-1-0/"
_IN_STARS = ("microsoft:userRatingInStars", "microsoft:userEffectiveRatingInStars")
_UP_TO_99 = ("microsoft:userRating", "microsoft:userEffectiveRating")
"""The effective rating is the user's where there is one."""
_OF_STARS = (0, 1, 25, 50, 75, 99)
"""What Windows takes for none to five stars."""


def namespaces(wanted: Filter) -> str:
    """Declarations of the prefixes that answers to a filter may hold, escaped once."""
    return _KODI_NAMESPACE if _KODI in wanted.names else ""


class RatingWriter:
    """Writes ratings, escaped once, for one filter."""

    def __init__(self, wanted: Filter) -> None:
        self._kodi = _KODI in wanted.names
        self._in_stars = [name for name in _IN_STARS if name in wanted.names]
        self._up_to_99 = [name for name in _UP_TO_99 if name in wanted.names]
        self.any = bool(self._kodi or self._in_stars or self._up_to_99)

    def elements(self, item: Item) -> str:
        if item.rating is None:
            return ""
        # Kodi counts to 10.
        kodi = _element(_KODI, max(1, round(item.rating / 10))) if self._kodi else ""
        return kodi + self._description(item.rating)

    def _description(self, rating: int) -> str:
        stars = max(1, round(rating / 20))
        values = [_element(name, _OF_STARS[stars]) for name in self._up_to_99]
        values += [_element(name, stars) for name in self._in_stars]
        if not values:
            return ""
        return (
            f'&lt;desc id="UserRating" nameSpace="{_MICROSOFT}" xmlns:microsoft="{_MICROSOFT}"&gt;'
            f"{''.join(values)}&lt;/desc&gt;"
        )


def _element(name: str, value: int) -> str:
    return f"&lt;{name}&gt;{value}&lt;/{name}&gt;"
