"""DIDL-Lite of items and containers: properties, resources, art, and what profiles change."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from mediaserver.av import didl, filter, renditions
from mediaserver.av.durations import duration
from mediaserver.clients import UNKNOWN, ClientProfile, DateForm
from mediaserver.library import pictures
from mediaserver.library.locations import Address, meaning
from mediaserver.library.objects import Item, Object, ObjectID, Station
from tests.av.library_fake import (
    ALBUM,
    BASE_URL,
    COVER,
    FILM,
    FOLDER,
    PHOTO,
    TRACK,
    objects_of,
    reference,
    texts,
)

MEGABYTE = 1 << 20


def told(each: Object, wanted: str = "*", profile: ClientProfile = UNKNOWN) -> Any:
    """The element that a control point reads of an object."""
    writer = didl.writer(filter.parse(wanted, *profile.adds_to_filter), profile, BASE_URL)
    result, number = writer.result([each], MEGABYTE)
    elements = objects_of(result)
    assert number == len(elements) == 1
    return elements[0]


def resources(each: Object, wanted: str = "*", profile: ClientProfile = UNKNOWN) -> list[Any]:
    return list(told(each, wanted, profile).iter("{*}res"))


# ---- stations

STATION = Station(
    object_id=ObjectID("vmpp0000000001u0000000002"),
    parent_id=ObjectID("vmpp0000000001"),
    ref_id=ObjectID("p0000000001u0000000002"),
    upnp_class="object.item.audioItem.audioBroadcast",
    mime_type="audio/mpeg",
    title="News & <more>",
    url="http://radio.example/live?a=1&b='2'",
)


def test_a_station_has_its_own_address_as_resource() -> None:
    element = told(STATION)
    assert (element.get("id"), element.get("parentID")) == (STATION.object_id, STATION.parent_id)
    assert element.get("refID") == STATION.ref_id
    assert texts(element, "dc:title") == ["News & <more>"]
    assert texts(element, "upnp:class") == ["object.item.audioItem.audioBroadcast"]
    [res] = resources(STATION)
    assert res.attrib == {"protocolInfo": "http-get:*:audio/mpeg:*"}
    assert res.text == STATION.url


@pytest.mark.parametrize(
    ("wanted", "number"), [("*", 1), ("res", 1), ("res@size", 1), ("@protocolInfo", 1), ("", 0)]
)
def test_a_station_has_a_resource_if_one_is_asked_for(wanted: str, number: int) -> None:
    assert len(resources(STATION, wanted)) == number


def test_a_station_at_home_is_no_reference() -> None:
    assert told(replace(STATION, ref_id=None)).get("refID") is None
    assert told(STATION, profile=ClientProfile(hide_references=True)).get("refID") is None


def test_the_longest_address_is_told_in_full() -> None:
    """A cut one leads nowhere."""
    location = "http://radio.example/?" + "a&'" * 77
    found = meaning(location, b"/")
    assert isinstance(found, Address)
    station = replace(STATION, url=found.url)
    for profile in (UNKNOWN, ClientProfile(escape_quotes=True), ClientProfile(ascii_only=True)):
        assert resources(station, profile=profile)[0].text == location


# ---- properties


def test_an_item_has_its_ids_and_class() -> None:
    element = told(TRACK)
    assert (element.get("id"), element.get("parentID")) == ("i0000000001", "f0000000001")
    assert element.get("restricted") == "1"
    assert texts(element, "upnp:class") == ["object.item.audioItem.musicTrack"]


def test_title_and_class_come_first() -> None:
    """The common habit (didl-lite 1)."""
    assert [each.tag.rpartition("}")[2] for each in told(TRACK)][:2] == ["title", "class"]


def test_only_a_reference_has_a_reference_id() -> None:
    assert told(TRACK).get("refID") is None
    assert told(reference(TRACK, "vma")).get("refID") == "i0000000001"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("dc:title", ["Song"]),
        ("dc:creator", ["Ann"]),
        ("upnp:artist[not(@role)]", ["Ann", "Bob"]),
        ("upnp:artist[@role='AlbumArtist']", ["Various artists"]),
        ("upnp:author[@role='Composer']", ["Cleo"]),
        ("upnp:album", ["Day Lines"]),
        ("upnp:genre", ["Jazz", "Blues"]),
        ("upnp:originalTrackNumber", ["1"]),
        ("dc:date", ["2004-05-01"]),
        ("dc:description", ["live"]),
    ],
)
def test_a_track_tells_its_tags(path: str, expected: list[str]) -> None:
    assert texts(told(TRACK), path) == expected


def test_the_album_artist_is_not_told_twice() -> None:
    element = told(replace(TRACK, album_artists=TRACK.artists))
    assert texts(element, "upnp:artist") == ["Ann", "Bob"]


def test_a_conductor_is_an_artist_with_a_role() -> None:
    """didl-lite 3.3: roles in use."""
    track = replace(TRACK, conductors=("Hans Dirigent",))
    assert texts(told(track), "upnp:artist[@role='Conductor']") == ["Hans Dirigent"]
    assert texts(told(track, "upnp:artist"), "upnp:artist") == ["Ann", "Bob"]


def test_an_episode_tells_its_series() -> None:
    """didl-lite 3.3: seriesTitle, programTitle, episodeNumber; episodeSeason since CDS:4."""
    episode = replace(FILM, series="Dark <River>", season=0, episode=2, program="The Door")
    element = told(episode)
    assert texts(element, "upnp:seriesTitle") == ["Dark <River>"]
    assert texts(element, "upnp:programTitle") == ["The Door"]
    assert texts(element, "upnp:episodeSeason") == ["0"]
    assert texts(element, "upnp:episodeNumber") == ["2"]
    assert texts(told(episode, "upnp:seriesTitle"), "upnp:episodeNumber") == []
    assert texts(told(FILM), "upnp:seriesTitle") == []


def test_without_roles_asked_for_a_track_without_artist_has_the_albums() -> None:
    element = told(replace(TRACK, artists=()), "upnp:artist")
    assert texts(element, "upnp:artist") == ["Various artists"]
    assert texts(element, "upnp:artist/@role") == []


def test_nothing_is_told_of_what_is_not_known() -> None:
    unknown = replace(
        TRACK,
        artists=(),
        album_artists=(),
        composers=(),
        genres=(),
        album=None,
        track=None,
        disc=None,
        date=None,
        description=None,
        art=None,
    )
    assert [each.tag.rpartition("}")[2] for each in told(unknown)] == ["title", "class", "res"]


def test_a_photo_tells_when_it_was_taken() -> None:
    assert texts(told(PHOTO), "dc:date") == ["2004-05-06T07:08:09"]


def test_an_album_tells_its_artist_genre_and_date() -> None:
    element = told(ALBUM)
    assert texts(element, "dc:creator | upnp:artist") == ["Ann", "Ann"]
    assert texts(element, "upnp:genre | dc:date") == ["Jazz", "2004-01-01"]


def test_a_container_tells_its_children_and_that_it_can_be_searched() -> None:
    element = told(ALBUM)
    assert (element.get("childCount"), element.get("searchable")) == ("12", "1")
    assert told(replace(ALBUM, searchable=False)).get("searchable") == "0"


def test_an_unknown_number_of_children_is_left_out() -> None:
    """didl-lite 3.1: rather than wrong; Kodi hides containers with 0."""
    assert told(replace(ALBUM, child_count=None)).get("childCount") is None


def test_a_storage_folder_has_its_required_property() -> None:
    """CDS:1 Appendix B: storageUsed, -1 for unknown; whatever the filter."""
    assert texts(told(FOLDER, ""), "upnp:storageUsed") == ["-1"]
    assert texts(told(ALBUM), "upnp:storageUsed") == []


def test_markup_in_tags_is_text() -> None:
    nasty = '<item>&lt; "\x00'
    element = told(replace(TRACK, title=nasty, artists=(nasty,), genres=(nasty,), album=nasty))
    harmless = nasty.replace("\x00", "\ufffd")
    assert texts(element, "dc:title | dc:creator | upnp:album") == [harmless] * 3
    assert texts(element, "upnp:genre") == [harmless]


def test_a_title_is_never_empty() -> None:
    assert texts(told(replace(TRACK, title="")), "dc:title") == ["i0000000001"]


def test_lengths_are_those_of_dlna() -> None:
    """DLNA 7.3.17.4: 1024 bytes of a title, 256 of an album."""
    element = told(replace(TRACK, title="é" * 3000, album="é" * 3000))
    assert texts(element, "dc:title") == ["é" * 512]
    assert texts(element, "upnp:album") == ["é" * 128]


# ---- resources


def test_the_file_is_a_resource_with_all_that_is_known() -> None:
    [res] = resources(TRACK)
    assert res.text == f"{BASE_URL}/media/2a.mp3"
    assert dict(res.attrib) == {
        "protocolInfo": "http-get:*:audio/mpeg:DLNA.ORG_PN=MP3;DLNA.ORG_OP=01;DLNA.ORG_CI=0;"
        "DLNA.ORG_FLAGS=01700000000000000000000000000000",
        "size": "5012345",
        "duration": "0:03:12.345",
        # Bytes a second (CDS:1 Appendix B); the file's is 256 kbit/s.
        "bitrate": "32000",
        "sampleFrequency": "44100",
        "nrAudioChannels": "2",
        "bitsPerSample": "16",
    }


def test_a_film_tells_its_resolution() -> None:
    [res] = resources(FILM)
    assert res.get("resolution") == "720x576"
    assert res.get("duration") == "1:30:00.000"
    assert res.get("size") == "6000000000"


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        (0, "0:00:00.000"),
        (59_999, "0:00:59.999"),
        (3_600_000, "1:00:00.000"),
        (400_000_000, "111:06:40.000"),
    ],
)
def test_durations_are_written_as_dlna_wants_them(milliseconds: int, expected: str) -> None:
    """DLNA 7.3.22.1."""
    assert duration(milliseconds) == expected


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("Song.MP3", ".mp3"),
        ("Song", ""),
        ("a.b c", ""),
        ("Song.ä", ""),
        ("x.averylongsuffix", ""),
        ("x.", ""),
    ],
)
def test_the_address_ends_like_the_file(name: str, suffix: str) -> None:
    [res] = resources(replace(TRACK, file_name=name))
    assert res.text == f"{BASE_URL}/media/2a{suffix}"


def sizes(item: Item, profile: ClientProfile = UNKNOWN) -> list[tuple[str, str]]:
    """DLNA profile and resolution of each resource, in order."""
    found = []
    for res in resources(item, profile=profile):
        features: str = res.get("protocolInfo").split(":")[3]
        names = dict(field.partition("=")[::2] for field in features.split(";"))
        found.append((names.get("DLNA.ORG_PN", "none"), res.get("resolution")))
    return found


def test_a_photo_comes_in_smaller_sizes_after_itself() -> None:
    """dlna-http 8: JPEG_TN <= 160x160, JPEG_SM <= 640x480, JPEG_MED <= 1024x768."""
    assert sizes(PHOTO) == [
        ("JPEG_LRG", "4000x3000"),
        ("JPEG_MED", "1024x768"),
        ("JPEG_SM", "640x480"),
        ("JPEG_TN", "160x120"),
    ]


def test_smaller_sizes_are_told_to_be_converted() -> None:
    """dlna-http 1: DLNA.ORG_CI=1, and pictures are fetched interactively."""
    smaller = resources(PHOTO)[-1]
    assert smaller.get("protocolInfo") == (
        "http-get:*:image/jpeg:DLNA.ORG_PN=JPEG_TN;DLNA.ORG_OP=01;DLNA.ORG_CI=1;"
        "DLNA.ORG_FLAGS=00F00000000000000000000000000000"
    )
    assert smaller.text == f"{BASE_URL}/image/2b-JPEG_TN.jpg"


def test_a_photo_that_stands_on_its_side_is_offered_upright() -> None:
    """EXIF orientation 6; dlna-http 8: the tag is applied when scaling."""
    assert sizes(replace(PHOTO, orientation=6))[1:] == [
        ("JPEG_MED", "576x768"),
        ("JPEG_SM", "360x480"),
        ("JPEG_TN", "120x160"),
    ]


def test_a_small_photo_is_not_made_larger() -> None:
    small = replace(PHOTO, width=320, height=240, dlna_profile="JPEG_SM")
    assert sizes(small) == [("JPEG_SM", "320x240"), ("JPEG_TN", "160x120")]
    tiny = replace(PHOTO, width=100, height=80, dlna_profile="JPEG_TN")
    assert sizes(tiny) == [("JPEG_TN", "100x80")]


def test_a_picture_that_is_no_jpeg_comes_as_large_jpeg_too() -> None:
    heic = replace(PHOTO, mime_type="image/heic", dlna_profile=None, file_name="a.heic")
    assert sizes(heic) == [
        ("none", "4000x3000"),
        ("JPEG_LRG", "4000x3000"),
        ("JPEG_MED", "1024x768"),
        ("JPEG_SM", "640x480"),
        ("JPEG_TN", "160x120"),
    ]


def test_a_raw_photo_is_offered_as_jpegs_first_and_last_as_it_is() -> None:
    """What is known of its size is the preview's, so nothing is said of its own."""
    raw = replace(PHOTO, mime_type="image/x-canon-cr2", dlna_profile=None, file_name="a.CR2")
    large = replace(raw, size=renditions.MAX_FILE_BYTES + 1)
    for each in (raw, large):
        assert sizes(each) == [
            ("JPEG_LRG", "4000x3000"),
            ("JPEG_MED", "1024x768"),
            ("JPEG_SM", "640x480"),
            ("JPEG_TN", "160x120"),
            ("none", None),
        ]
    itself = resources(raw)[-1]
    assert itself.get("protocolInfo", "").startswith("http-get:*:image/x-canon-cr2:")
    assert (itself.text or "").endswith(".cr2")


def test_a_jpeg_that_does_not_conform_comes_as_one_that_does() -> None:
    """Progressive ones have no profile (dlna-http 8)."""
    progressive = replace(PHOTO, width=800, height=600, dlna_profile=None)
    assert sizes(progressive)[:2] == [("none", "800x600"), ("JPEG_MED", "800x600")]


@pytest.mark.parametrize(
    "changes",
    [
        {"width": None, "height": None},
        {"width": 20_000, "height": 20_000},
        {"size": renditions.MAX_FILE_BYTES + 1},
    ],
)
def test_a_picture_that_cannot_be_unpacked_has_no_smaller_sizes(
    changes: Mapping[str, Any],
) -> None:
    unpackable: Item = replace(PHOTO, **changes)
    assert len(resources(unpackable)) == 1
    assert texts(told(unpackable), "upnp:albumArtURI") == []


def test_the_limits_are_those_of_the_maker_of_pictures() -> None:
    assert renditions.MAX_PIXELS == pictures.MAX_PIXELS
    assert renditions.MAX_FILE_BYTES == pictures.MAX_FILE_BYTES


# ---- art


def test_art_comes_in_the_order_of_the_profile() -> None:
    element = told(TRACK, profile=ClientProfile(album_art=("original", "JPEG_TN")))
    assert texts(element, "upnp:albumArtURI") == [
        f"{BASE_URL}/art/63-original",
        f"{BASE_URL}/art/63-JPEG_TN.jpg",
    ]
    assert texts(element, "upnp:albumArtURI/@dlna:profileID") == ["JPEG_TN"]


def test_an_album_has_its_art() -> None:
    assert f"{BASE_URL}/art/63-JPEG_TN.jpg" in texts(told(ALBUM), "upnp:albumArtURI")


def test_a_photo_stands_for_itself() -> None:
    element = told(PHOTO, profile=ClientProfile(album_art=("original", "JPEG_TN")))
    assert texts(element, "upnp:albumArtURI") == [f"{BASE_URL}/image/2b-JPEG_TN.jpg"]


def test_a_film_without_art_shows_one_of_its_pictures() -> None:
    element = told(FILM, profile=ClientProfile(album_art=("original",)))
    assert texts(element, "upnp:albumArtURI") == [f"{BASE_URL}/image/2c-JPEG_TN.jpg"]


def test_a_film_with_art_shows_that() -> None:
    element = told(replace(FILM, art=COVER), profile=ClientProfile(album_art=("JPEG_SM",)))
    assert texts(element, "upnp:albumArtURI") == [f"{BASE_URL}/art/63-JPEG_SM.jpg"]


def test_music_without_art_has_none() -> None:
    assert texts(told(replace(TRACK, art=None)), "upnp:albumArtURI") == []


# ---- client profiles (quirks 4)


def test_a_mime_type_is_named_as_the_device_knows_it() -> None:
    profile = ClientProfile(mime_types={"audio/flac": "audio/x-flac"})
    [res] = resources(replace(TRACK, mime_type="audio/flac"), profile=profile)
    assert res.get("protocolInfo").startswith("http-get:*:audio/x-flac:")


def test_the_dlna_profile_is_left_out_for_a_device_that_stumbles_over_it() -> None:
    profile = ClientProfile(without_dlna_profile=frozenset({"audio/mpeg"}))
    [res] = resources(TRACK, profile=profile)
    assert "DLNA.ORG_PN" not in res.get("protocolInfo")
    assert "DLNA.ORG_OP=01" in res.get("protocolInfo")


def test_a_jpeg_comes_first_for_a_device_that_takes_the_first() -> None:
    png = replace(PHOTO, mime_type="image/png", dlna_profile="PNG_LRG")
    profile = ClientProfile(jpeg_first=True)
    assert [name for name, _ in sizes(png, profile)] == [
        "JPEG_LRG",
        "PNG_LRG",
        "JPEG_MED",
        "JPEG_SM",
        "JPEG_TN",
    ]
    assert sizes(PHOTO, profile) == sizes(PHOTO)


def test_a_class_is_named_as_the_device_knows_it() -> None:
    profile = ClientProfile(classes={"object.container.storageFolder": "object.container"})
    element = told(FOLDER, profile=profile)
    assert texts(element, "upnp:class") == ["object.container"]
    assert texts(element, "upnp:storageUsed") == []


@pytest.mark.parametrize(
    ("form", "known", "expected"),
    [
        (DateForm.FULL, "2004", ["2004-01-01"]),
        (DateForm.FULL, "2004-05", ["2004-05-01"]),
        (DateForm.FULL, "2004-05-06", ["2004-05-06"]),
        (DateForm.FULL, "2004-05-06T07:08:09", ["2004-05-06T07:08:09"]),
        (DateForm.DATE, "2004-05-06T07:08:09", ["2004-05-06"]),
        (DateForm.DATE, "2004", ["2004-01-01"]),
        (DateForm.YEAR, "2004-05-06", ["2004"]),
        (DateForm.NONE, "2004", []),
    ],
)
def test_dates_come_in_the_form_that_a_device_reads(
    form: DateForm, known: str, expected: list[str]
) -> None:
    """didl-lite 1: DLNA wants whole dates, Linn a year, Frontier Silicon no time."""
    profile = ClientProfile(date=form)
    assert texts(told(replace(TRACK, date=known), profile=profile), "dc:date") == expected


def test_photos_keep_their_date_where_music_has_the_year_only() -> None:
    element = told(PHOTO, profile=ClientProfile(date=DateForm.YEAR))
    assert texts(element, "dc:date") == ["2004-05-06T07:08:09"]


def test_characters_of_a_title_are_replaced_for_a_device_that_cannot_bear_them() -> None:
    """Samsung: ``/`` becomes ``:`` (quirks 2)."""
    profile = ClientProfile(title_characters={"/": ":"})
    assert texts(told(replace(TRACK, title="AC/DC"), profile=profile), "dc:title") == ["AC:DC"]


def test_a_property_that_the_device_does_not_name_is_added() -> None:
    profile = ClientProfile(adds_to_filter=("upnp:artist@role",))
    element = told(TRACK, "dc:title", profile)
    assert texts(element, "upnp:artist/@role") == ["AlbumArtist"]


def test_references_are_hidden_from_a_device_that_shows_them_twice() -> None:
    """Xbox 360: a found object must not have a refID (content-directory 7.2)."""
    element = told(reference(TRACK, "vma"), profile=ClientProfile(hide_references=True))
    assert element.get("refID") is None
    assert element.get("id") == "vmai0000000001"


# ---- whole answers


def test_an_answer_without_objects_is_an_empty_document() -> None:
    """CDS:1 §2.7.4: an empty result is a success."""
    result, number = didl.writer(filter.parse("*"), UNKNOWN, BASE_URL).result([], MEGABYTE)
    assert number == 0
    assert objects_of(result) == []


def many(count: int) -> list[Object]:
    return [
        replace(TRACK, object_id=ObjectID(f"i{number:010}"), title="東" * 100)
        for number in range(count)
    ]


def test_an_answer_holds_no_more_bytes_than_the_device_takes() -> None:
    """Windows refuses more than 204,800 (MS-DLNHND)."""
    writer = didl.writer(filter.parse("*"), UNKNOWN, BASE_URL)
    result, number = writer.result(many(1000), 204_800)
    assert 0 < number < 1000
    assert len(objects_of(result)) == number
    size = len(result)
    assert size <= 204_800 < size + size // number * 2


def test_one_object_is_told_however_large_it_is() -> None:
    writer = didl.writer(filter.parse("*"), UNKNOWN, BASE_URL)
    _, number = writer.result(many(3), 10)
    assert number == 1


def test_the_answer_of_one_address_does_not_name_another() -> None:
    wanted = filter.parse("*")
    one, _ = didl.writer(wanted, UNKNOWN, "http://192.0.2.5:8200").result([TRACK], MEGABYTE)
    other, _ = didl.writer(wanted, UNKNOWN, "http://[fe80::1]:8200").result([TRACK], MEGABYTE)
    assert one.find(b"[fe80::1]") == -1
    assert other.find(b"192.0.2.5") == -1
