"""Files that hold a record shown as its tracks, for as long as a cue sheet tells them apart.

Everything that tells on it (the file, its tags, the sheet, where either is) may change in a batch.
So at its end the parts of each file concerned are made again, of its row and its sheet, and what
is the same stays untouched.
"""

import sqlite3

from mediaserver.library import sheets
from mediaserver.library.decoding import pcm
from mediaserver.library.facets import album_key
from mediaserver.library.folding import number_key, sort_key
from mediaserver.library.indexing.details import details_of
from mediaserver.library.indexing.homes import Home, Homes
from mediaserver.library.indexing.items import ItemIndex
from mediaserver.library.indexing.records import Record, file_key
from mediaserver.library.indexing.sheet_files import Splitting, sheet_of
from mediaserver.library.objects import Details, Kind, Sheet, SheetTrack, Span


class PartIndex:
    """The parts of one batch. ``to_split``: files whose parts are to be made again."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        homes: Homes,
        items: ItemIndex,
        to_split: set[int],
    ) -> None:
        self._connection = connection
        self._homes = homes
        self._items = items
        self._to_split = to_split

    def finish(self) -> bool:
        """Make parts again; whether anything was, or is, split."""
        keys = sorted(self._to_split)
        any_split = False
        for key in keys:
            whole = self._items.find(key)
            if whole is None:
                continue
            parts = self._parts(whole)
            if parts or whole.split:
                self._items.set_parts(whole, parts)
                any_split = True
        self._to_split.clear()
        return any_split

    def _parts(self, whole: Record) -> list[tuple[Record, Details | None]]:
        if whole.kind != Kind.AUDIO or whole.reason is not None:
            return []
        found = sheet_of(self._connection, whole.id, whole.name, whole.sheet)
        if found is None or sheets.misfit(found.sheet, whole.duration_ms) is not None:
            return []
        home = self._homes.of(whole.folder_id)
        known = details_of(self._connection, whole.id) or Details()
        return [
            (_part(whole, home, found, track), _details(known, found.sheet, track))
            for track in found.sheet.tracks
        ]


def _part(whole: Record, home: Home, splitting: Splitting, track: SheetTrack) -> Record:
    """A track's row; key and date are for others to give. The file's tags fill what its sheet
    does not say."""
    sheet = splitting.sheet
    title = track.title or f"Track {track.number:02d}"
    title_key = sort_key(title)
    disc = sheet.disc or whole.disc
    artists = _lines(track.artists or sheet.artists)
    album_artists = _lines(sheet.artists)
    composers = _lines(track.composers or sheet.composers)
    end_us = track.end_us or whole.end_us or (whole.duration_ms or 0) * 1000
    end_us = max(end_us, track.begin_us)
    part = whole._replace(
        part=track.number,
        split=False,
        sheet=None,
        shown=home.available,
        title=title,
        named=False,
        sort_key=title_key,
        album_key=album_key(disc or home.disc, track.number, title_key),
        file_key=f"{file_key(splitting.name)} {number_key(track.number)}",
        artists=artists or whole.artists,
        artist_sorts=None if artists else whole.artist_sorts,
        album_artists=album_artists or whole.album_artists,
        album_artist_sorts=None if album_artists else whole.album_artist_sorts,
        composers=composers or whole.composers,
        composer_sorts=None if composers else whole.composer_sorts,
        genres=_lines(sheet.genres) or whole.genres,
        album=sheet.title or whole.album or whole.title,
        album_sort=None if sheet.title else whole.album_sort,
        track=track.number,
        disc=disc,
        date=sheet.date or whole.date,
        description=sheet.description or whole.description,
        begin_us=track.begin_us,
        end_us=end_us,
        duration_ms=round((end_us - track.begin_us) / 1000),
    )
    return _as_sent(part, Span(track.begin_us, end_us))


def _as_sent(part: Record, span: Span) -> Record:
    """What control points get of a part are no bytes of its file, but its sound decoded."""
    sound = pcm.format_of(part.sample_rate, part.channels, part.bits_per_sample)
    wav = pcm.wav_of(span, sound)
    return part._replace(
        mime_type=wav.mime_type,
        dlna_profile=wav.dlna_profile,
        size=wav.size,
        bitrate=sound.bitrate,
        sample_rate=sound.rate,
        channels=sound.channels,
        bits_per_sample=sound.bits,
        audio_codec=sound.codec,
    )


def _details(known: Details, sheet: Sheet, track: SheetTrack) -> Details | None:
    """``known``: those of the file, of which the album's are the track's, too."""
    found = Details(
        release_date=known.release_date,
        track_gain_db=track.gain_db,
        track_peak=track.peak,
        album_gain_db=known.album_gain_db if sheet.gain_db is None else sheet.gain_db,
        album_peak=known.album_peak if sheet.peak is None else sheet.peak,
        release_group_id=known.release_group_id,
        album_artist_ids=() if sheet.artists else known.album_artist_ids,
        isrc=track.isrc,
    )
    return None if found == Details() else found


def _lines(values: tuple[str, ...]) -> str | None:
    return "\n".join(values) or None
