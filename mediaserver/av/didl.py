"""Objects of the library as DIDL-Lite: the one writer for Browse and Search.

What is written depends on the filter, on the client profile and on our address, so a writer is
made for each such combination: a few functions per kind of object, each of which knows what it
has to say and asks nothing any more. The text is escaped for its place in the SOAP envelope while
it is made (``&lt;item``, and values twice), which saves going over a finished Result.

Always returned, whatever the filter says (content-directory 5): ``@id``, ``@parentID``,
``@restricted``, ``@refID`` of a reference, ``dc:title``, ``upnp:class``, ``upnp:storageUsed`` of a
storageFolder, and ``protocolInfo`` of each ``res``.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from mediaserver import dlna
from mediaserver.av import ratings, resources, subtitles, text
from mediaserver.av.art import ArtWriter
from mediaserver.av.filter import Filter
from mediaserver.av.resources import ItemText
from mediaserver.clients import ClientProfile, DateForm
from mediaserver.library.objects import Container, Item, Kind, Object, Station
from mediaserver.upnp.data_types import EscapedUTF8

ContainerText = Callable[[Container], str]

_BEGIN = (
    '&lt;DIDL-Lite xmlns="urn:schemas-upnp-org:metadata-1-0/DIDL-Lite/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:upnp="urn:schemas-upnp-org:metadata-1-0/upnp/"'
    ' xmlns:dlna="urn:schemas-dlna-org:metadata-1-0/"'
)
_END = b"&lt;/DIDL-Lite&gt;"

_STORAGE_FOLDER = "object.container.storageFolder"


@lru_cache(maxsize=128)
def writer(wanted: Filter, profile: ClientProfile, base_url: str) -> "Writer":
    """The writer for a filter, a device, and the address that URLs begin with."""
    return Writer(wanted, profile, base_url)


class Writer:
    """Writes objects for one filter, device and address. See :func:`writer`."""

    def __init__(self, wanted: Filter, profile: ClientProfile, base_url: str) -> None:
        made = _Maker(wanted, profile, base_url)
        self._of_subtitles = subtitles.namespaces(wanted)
        self._of_ratings = ratings.namespaces(wanted)
        self._items = {kind: made.item(kind) for kind in Kind}
        self._station = made.station()
        self._container = made.container()

    def object(self, each: Object) -> str:
        """One ``item`` or ``container`` element, escaped once."""
        if isinstance(each, Item):
            return self._items[each.kind](each)
        if isinstance(each, Station):
            return self._station(each)
        return self._container(each)

    def result(self, objects: Sequence[Object], most_bytes: int) -> tuple[EscapedUTF8, int]:
        """The argument Result, and how many of the objects it holds.

        As many as fit into ``most_bytes``, but one always does: a control point goes on where
        the answer ends (CDS:1 §2.7.4).
        """
        begin = f"{_BEGIN}{self._prefixes(objects)}&gt;".encode()
        parts = [begin]
        size = len(begin) + len(_END)
        write = self.object
        for each in objects:
            part = write(each).encode()
            size += len(part)
            if size > most_bytes and len(parts) > 1:
                break
            parts.append(part)
        parts.append(_END)
        return EscapedUTF8(b"".join(parts)), len(parts) - 2

    def _prefixes(self, objects: Sequence[Object]) -> str:
        """Vendors' prefixes only where they are used: there are radios that stop at one."""
        declared = ""
        if self._of_subtitles and any(
            isinstance(each, Item) and each.subtitles for each in objects
        ):
            declared += self._of_subtitles
        if self._of_ratings and any(isinstance(each, Item) and each.rating for each in objects):
            declared += self._of_ratings
        return declared


class _Maker:
    """Chooses the functions that write an object."""

    def __init__(self, wanted: Filter, profile: ClientProfile, base_url: str) -> None:
        self._wanted = wanted
        self._profile = profile
        self._base_url = base_url
        self._dated = profile.date is not DateForm.NONE
        self._art = ArtWriter(wanted, profile, base_url)
        self._long = text.escaper(profile, text.LONG)
        self._short = text.escaper(profile, text.SHORT, repeats=True)

    def item(self, kind: Kind) -> ItemText:
        parts = self._item_parts(kind)
        head = self._head()
        class_of = self._class_of()
        with_reference = not self._profile.hide_references

        def write(item: Item) -> str:
            # A device that hides references is told of none: the found items are plain ones.
            reference = f' refID="{item.ref_id}"' if item.ref_id and with_reference else ""
            return (
                f'&lt;item id="{item.object_id}" parentID="{item.parent_id}"{reference}'
                f' restricted="1"&gt;{head(item)}{class_of(item.upnp_class)}'
                f"{''.join([part(item) for part in parts])}&lt;/item&gt;"
            )

        return write

    def station(self) -> Callable[[Station], str]:
        """An address in the internet: ``res`` is the address itself, none of ours."""
        head = self._head()
        class_of = self._class_of()
        with_reference = not self._profile.hide_references
        with_res = self._wanted.element("res") or "protocolInfo" in self._wanted.bare_res_attributes
        escape = text.escaper(self._profile, text.LONG)
        mime_type = self._profile.mime_type

        def write(station: Station) -> str:
            reference = f' refID="{station.ref_id}"' if station.ref_id and with_reference else ""
            res = (
                f'&lt;res protocolInfo="{dlna.protocol_info(mime_type(station.mime_type))}"&gt;'
                f"{escape(station.url)}&lt;/res&gt;"
            )
            return (
                f'&lt;item id="{station.object_id}" parentID="{station.parent_id}"{reference}'
                f' restricted="1"&gt;{head(station)}{class_of(station.upnp_class)}'
                f"{res if with_res else ''}&lt;/item&gt;"
            )

        return write

    def container(self) -> ContainerText:
        parts = self._container_parts()
        head = self._head()
        class_of = self._class_of()
        with_searchable = self._wanted.of_object("container", "searchable")
        with_count = self._wanted.of_object("container", "childCount")

        def write(container: Container) -> str:
            searchable = f' searchable="{container.searchable:d}"' if with_searchable else ""
            count = (
                f' childCount="{container.child_count}"'
                if with_count and container.child_count is not None
                else ""
            )
            return (
                f'&lt;container id="{container.object_id}" parentID="{container.parent_id}"'
                f' restricted="1"{searchable}{count}&gt;'
                f"{head(container)}{class_of(container.upnp_class)}"
                f"{''.join([part(container) for part in parts])}&lt;/container&gt;"
            )

        return write

    # ---- what is always there

    def _head(self) -> Callable[[Object], str]:
        """``dc:title``, which is never empty (CDS:1 Appendix B)."""
        escape = self._long
        replaced = str.maketrans(dict(self._profile.title_characters))

        def head(each: Object) -> str:
            title = each.title.translate(replaced) if replaced else each.title
            return f"&lt;dc:title&gt;{escape(title or each.object_id)}&lt;/dc:title&gt;"

        return head

    def _class_of(self) -> Callable[[str], str]:
        """``upnp:class`` as the device knows it, and what its class demands."""
        classes = self._profile.classes

        @lru_cache(maxsize=64)
        def class_of(upnp_class: str) -> str:
            upnp_class = classes.get(upnp_class, upnp_class)
            element = f"&lt;upnp:class&gt;{upnp_class}&lt;/upnp:class&gt;"
            if upnp_class == _STORAGE_FOLDER:
                # Required; -1 is "unknown".
                element += "&lt;upnp:storageUsed&gt;-1&lt;/upnp:storageUsed&gt;"
            return element

        return class_of

    # ---- what the filter decides

    def _item_parts(self, kind: Kind) -> list[ItemText]:
        """By the classes of didl-lite 2: musicTrack, videoItem and movie, photo."""
        sound, moving = kind is Kind.AUDIO, kind is Kind.VIDEO
        parts: list[tuple[bool, str, ItemText]] = [
            (True, "dc:creator", self._creator()),
            (sound or moving, "upnp:artist", self._artist()),
            (sound, "upnp:author", self._author()),
            (not moving, "upnp:album", self._album()),
            (sound or moving, "upnp:genre", self._genres()),
            (sound, "upnp:originalTrackNumber", _track),
            (sound, "upnp:originalDiscNumber", _disc),
            (
                moving,
                "upnp:seriesTitle",
                self._text_of("upnp:seriesTitle", lambda item: item.series),
            ),
            (
                moving,
                "upnp:programTitle",
                self._text_of("upnp:programTitle", lambda item: item.program),
            ),
            (moving, "upnp:episodeSeason", _season),
            (moving, "upnp:episodeNumber", _episode),
            (self._dated, "dc:date", self._date(kind)),
            (moving, "dc:language", self._languages()),
            (True, "dc:description", self._description()),
            (True, "upnp:albumArtURI", self._art.of_item),
        ]
        chosen = [part for fits, name, part in parts if fits and self._wanted.element(name)]
        rated = ratings.RatingWriter(self._wanted)
        if rated.any:
            chosen.append(rated.elements)
        if moving:
            wanted, profile, base_url = self._wanted, self._profile, self._base_url
            chosen.append(subtitles.SubtitleWriter(wanted, profile, base_url).captions)
        res = resources.writer(kind, self._wanted, self._profile, self._base_url)
        return chosen if res is None else [*chosen, res]

    def _container_parts(self) -> list[ContainerText]:
        parts: list[tuple[bool, str, ContainerText]] = [
            (True, "dc:creator", self._container_creator()),
            (True, "upnp:artist", self._container_artists()),
            (True, "upnp:genre", self._genres()),
            (self._dated, "dc:date", self._date(Kind.AUDIO)),
            (True, "upnp:albumArtURI", lambda container: self._art.of_art(container.art)),
        ]
        return [part for fits, name, part in parts if fits and self._wanted.element(name)]

    def _creator(self) -> ItemText:
        """Most renderers show it as the artist (didl-lite 3.2): the first one, as in the list."""
        escape = self._short

        def creator(item: Item) -> str:
            names = item.artists or item.album_artists
            return f"&lt;dc:creator&gt;{escape(names[0])}&lt;/dc:creator&gt;" if names else ""

        return creator

    def _artist(self) -> ItemText:
        """``upnp:artist``, and with ``@role`` asked for, the album's artists where they differ,
        and the conductors."""
        escape = self._short
        with_role = self._wanted.attribute("upnp:artist", "role")
        plain = ("&lt;upnp:artist&gt;", "&lt;/upnp:artist&gt;")
        of_album = ('&lt;upnp:artist role="AlbumArtist"&gt;', "&lt;/upnp:artist&gt;")
        conductor = ('&lt;upnp:artist role="Conductor"&gt;', "&lt;/upnp:artist&gt;")

        def artist(item: Item) -> str:
            artists, album_artists = item.artists, item.album_artists
            if not with_role:
                return _elements(artists or album_artists, plain, escape)
            written = _elements(artists, plain, escape)
            if album_artists != artists:
                written += _elements(album_artists, of_album, escape)
            return written + _elements(item.conductors, conductor, escape)

        return artist

    def _author(self) -> ItemText:
        """Composers: as artists, players that know no roles would name them as performers."""
        escape = self._short
        role = ' role="Composer"' if self._wanted.attribute("upnp:author", "role") else ""
        around = (f"&lt;upnp:author{role}&gt;", "&lt;/upnp:author&gt;")
        return lambda item: _elements(item.composers, around, escape)

    def _album(self) -> ItemText:
        escape = self._short
        return lambda item: (
            f"&lt;upnp:album&gt;{escape(item.album)}&lt;/upnp:album&gt;" if item.album else ""
        )

    def _genres(self) -> Callable[[Item | Container], str]:
        escape = self._short
        around = ("&lt;upnp:genre&gt;", "&lt;/upnp:genre&gt;")
        return lambda each: _elements(each.genres, around, escape)

    def _languages(self) -> ItemText:
        """In which a video can be heard; multi-valued (didl-lite 3.2)."""
        escape = self._short
        around = ("&lt;dc:language&gt;", "&lt;/dc:language&gt;")
        return lambda item: _elements(item.languages, around, escape)

    def _date(self, kind: Kind) -> Callable[[Item | Container], str]:
        form = self._profile.date
        if form is DateForm.YEAR and kind is not Kind.AUDIO:
            # Linn's wish is about records; photos without a day would all be of January 1st.
            form = DateForm.FULL
        return lambda each: (
            f"&lt;dc:date&gt;{date(each.date, form)}&lt;/dc:date&gt;" if each.date else ""
        )

    def _text_of(self, name: str, value_of: Callable[[Item], str | None]) -> ItemText:
        escape = self._long

        def element(item: Item) -> str:
            value = value_of(item)
            return f"&lt;{name}&gt;{escape(value)}&lt;/{name}&gt;" if value else ""

        return element

    def _description(self) -> ItemText:
        escape = self._long
        return lambda item: (
            f"&lt;dc:description&gt;{escape(item.description)}&lt;/dc:description&gt;"
            if item.description
            else ""
        )

    def _container_creator(self) -> ContainerText:
        escape = self._short
        return lambda container: (
            f"&lt;dc:creator&gt;{escape(container.artists[0])}&lt;/dc:creator&gt;"
            if container.artists
            else ""
        )

    def _container_artists(self) -> ContainerText:
        escape = self._short
        around = ("&lt;upnp:artist&gt;", "&lt;/upnp:artist&gt;")
        return lambda container: _elements(container.artists, around, escape)


def date(known: str, form: DateForm) -> str:
    """``dc:date`` of a date that may be a year or a month only, in the form a device reads.

    DLNA wants a whole date, so the first day stands for a year (didl-lite 1).
    """
    if form is DateForm.YEAR:
        return known[:4]
    if len(known) < 10:
        return known + "-01-01"[len(known) - 4 :]
    return known[:10] if form is DateForm.DATE else known


def _elements(values: tuple[str, ...], around: tuple[str, str], escape: text.Escape) -> str:
    if not values:
        return ""
    begin, end = around
    if len(values) == 1:
        return f"{begin}{escape(values[0])}{end}"
    return "".join([f"{begin}{escape(value)}{end}" for value in values])


def _track(item: Item) -> str:
    return (
        f"&lt;upnp:originalTrackNumber&gt;{item.track}&lt;/upnp:originalTrackNumber&gt;"
        if item.track
        else ""
    )


def _disc(item: Item) -> str:
    """No property of CDS:1, but control points that show several discs read it."""
    return (
        f"&lt;upnp:originalDiscNumber&gt;{item.disc}&lt;/upnp:originalDiscNumber&gt;"
        if item.disc
        else ""
    )


def _season(item: Item) -> str:
    """Of CDS:4, as the other three properties of episodes are of CDS:2 on: players read them."""
    return (
        f"&lt;upnp:episodeSeason&gt;{item.season}&lt;/upnp:episodeSeason&gt;"
        if item.season is not None
        else ""
    )


def _episode(item: Item) -> str:
    return (
        f"&lt;upnp:episodeNumber&gt;{item.episode}&lt;/upnp:episodeNumber&gt;"
        if item.episode is not None
        else ""
    )
