"""Which pictures of a folder are art, and of what."""

import pytest

from mediaserver.library.names.pictures import is_art_only, pictures_of

SONG = [b"01 Song.mp3"]
FILM = [b"Film (2020).mkv"]


@pytest.mark.parametrize(
    "name",
    [
        b"cover.jpg",
        b"Folder.JPG",
        b"front.jpeg",
        b"album.png",
        b"AlbumArt.jpg",
        b"AlbumArtSmall.jpg",
        b"AlbumArt_{0C4DFB19-2E5A-4F0B-8A1B-3A2C0C5F7F11}_Large.jpg",
        b"poster.webp",
        b"movie.jpg",
        b"thumb.png",
    ],
)
def test_a_name_that_says_art_stands_for_the_folder(name: bytes) -> None:
    assert pictures_of([name], SONG).folder == (name,)


@pytest.mark.parametrize(
    "name",
    [
        b"IMG_0001.jpg",
        b"cover",
        b"cover.jpg.part",
        b".jpg",
        b"cover.svg",
        b"cover.html",
        b"my cover.jpg",
        b"caf\xe9.jpg",
    ],
)
def test_other_names_do_not(name: bytes) -> None:
    """security.md T7: pictures only, and none that holds scripts."""
    assert not pictures_of([name], SONG).names


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([b"folder.jpg", b"cover.png"], b"cover.png"),
        ([b"cover.png", b"cover.jpg"], b"cover.jpg"),
        ([b"Cover.JPG", b"front.jpg"], b"Cover.JPG"),
        ([b"AlbumArtSmall.jpg", b"thumb.jpg"], b"thumb.jpg"),
        (
            [
                b"AlbumArtSmall.jpg",
                b"AlbumArt_{0C4DFB19-2E5A-4F0B-8A1B-3A2C0C5F7F11}_Large.jpg",
                b"AlbumArt_{0C4DFB19-2E5A-4F0B-8A1B-3A2C0C5F7F11}_Small.jpg",
            ],
            b"AlbumArt_{0C4DFB19-2E5A-4F0B-8A1B-3A2C0C5F7F11}_Large.jpg",
        ),
    ],
)
def test_the_best_of_several_stands_for_the_folder(names: list[bytes], expected: bytes) -> None:
    for some in (names, names[::-1]):
        found = pictures_of(some, SONG)
        assert found.folder[0] == expected
        assert found.names == set(names)


def test_among_pictures_alone_all_are_photos() -> None:
    assert not pictures_of([b"cover.jpg", b"a.jpg"], [], folders=[b"CD1"]).names
    assert not pictures_of([b"cover.jpg", b"folder.jpg"], []).names


def test_with_nothing_but_folders_around_a_cover_is_theirs() -> None:
    assert pictures_of([b"folder.jpg"], [], folders=[b"CD1"]).folder == (b"folder.jpg",)


@pytest.mark.parametrize(
    "name",
    [
        b"fanart.jpg", b"Fanart1.png", b"backdrop.jpg", b"banner.jpg", b"logo.png",
        b"clearart.png", b"disc.png", b"cdart.png", b"landscape.jpg", b"back.jpg",
        b"Booklet 02.jpg",
        b"season01-banner.jpg", b"season-all-poster.jpg", b"Film (2020)-fanart.jpg",
        b"Film (2020)-clearlogo.png",
    ],
)  # fmt: skip
def test_decoration_is_neither_photo_nor_art(name: bytes) -> None:
    """Names of Kodi's artwork types and of ripping programs."""
    found = pictures_of([name], FILM)
    assert found.unused == {name}
    assert not found.folder
    assert not found.files


# ---- of seasons


@pytest.mark.parametrize(
    ("poster", "folder"),
    [
        (b"season01-poster.jpg", b"Season 1"),
        (b"Season01.png", b"S01"),
        (b"season-specials-poster.jpg", b"Specials"),
        (b"season00-poster.jpg", b"Season 0"),
        (b"season12-poster.webp", b"Staffel 12"),
    ],
)
def test_a_poster_of_a_season_stands_for_its_folder(poster: bytes, folder: bytes) -> None:
    """Names of Kodi and Plex."""
    found = pictures_of([poster, b"poster.jpg"], [], folders=[folder, b"Season 7", b"Extras"])
    assert found.folders == {folder: (poster,)}
    assert found.folder == (b"poster.jpg",)
    assert not found.unused


def test_the_poster_of_the_only_season_among_its_episodes_is_their_folders() -> None:
    assert pictures_of([b"season01-poster.jpg", b"cover.jpg"], FILM).folder == (
        b"cover.jpg",
        b"season01-poster.jpg",
    )
    several = pictures_of([b"season01-poster.jpg", b"season02-poster.jpg"], FILM)
    assert not several.folder
    assert len(several.unused) == 2


def test_a_film_that_is_called_like_a_season_keeps_its_picture() -> None:
    found = pictures_of([b"Season01.jpg"], [b"Season01.mkv"], folders=[b"Season 1"])
    assert found.files == {b"Season01.mkv": (b"Season01.jpg",)}
    assert not found.folders


# ---- of playlists


def test_a_picture_called_like_a_playlist_is_its_own() -> None:
    pictures = [b"Party.jpg", b"party.PNG", b"other.jpg"]
    for media in ([], SONG):
        found = pictures_of(pictures, media, playlists=[b"Party.m3u8", b"Rest.m3u"])
        assert found.files == {b"Party.m3u8": (b"Party.jpg", b"party.PNG")}
        assert b"other.jpg" not in found.names


# ---- of one file


@pytest.mark.parametrize(
    "name",
    [
        b"Film (2020).jpg",
        b"film (2020).PNG",
        b"Film (2020)-poster.jpg",
        b"Film (2020)-thumb.webp",
        b"Film (2020).tbn",
        b"Film (2020).THM",
    ],
)
def test_a_picture_of_a_films_name_stands_for_it(name: bytes) -> None:
    found = pictures_of([name], FILM)
    assert found.files == {FILM[0]: (name,)}
    assert not found.folder


def test_a_poster_comes_before_other_pictures_of_a_film() -> None:
    names = [b"A.tbn", b"A.jpg", b"A-thumb.jpg", b"A-poster.png", b"A-poster.jpg"]
    found = pictures_of(names, [b"A.mkv"])
    assert found.files[b"A.mkv"] == (
        b"A-poster.jpg", b"A-poster.png", b"A-thumb.jpg", b"A.jpg", b"A.tbn",
    )  # fmt: skip


def test_two_files_of_a_film_share_its_picture() -> None:
    found = pictures_of([b"A.jpg"], [b"A.mkv", b"A.mp4", b"B.mkv"])
    assert found.files == {b"A.mkv": (b"A.jpg",), b"A.mp4": (b"A.jpg",)}


@pytest.mark.parametrize(
    ("picture", "film"),
    [
        (b"IMG_0001.JPG", b"IMG_0001.MOV"),
        (b"IMG_E0001.JPG", b"IMG_E0001.MOV"),
        (b"DSC_0042.jpg", b"DSC_0042.mp4"),
        (b"_MG_1234.jpg", b"_MG_1234.mp4"),
        (b"P1010001.JPG", b"P1010001.MP4"),
        (b"100_0001.jpg", b"100_0001.mov"),
        (b"PXL_20210105_120000123.jpg", b"PXL_20210105_120000123.mp4"),
        (b"20190705_143059.jpg", b"20190705_143059.mp4"),
    ],
)
def test_a_photo_with_a_moment_of_film_beside_it_stays_a_photo(picture: bytes, film: bytes) -> None:
    """Names by DCF (JEITA CP-3461) and telephones' own."""
    assert not pictures_of([picture], [film]).names


def test_among_other_pictures_one_of_a_films_name_is_a_photo() -> None:
    names = [b"Birthday.jpg", b"Cake.jpg"]
    assert not pictures_of(names, [b"Birthday.mp4"]).names
    raw = [b"Birthday.jpg", b"Birthday.cr2"]
    assert not pictures_of(raw, [b"Birthday.mp4"]).names


def test_a_cameras_thumbnail_is_never_a_photo() -> None:
    assert is_art_only(b"MVI_0001.THM")
    assert is_art_only(b"Film.tbn")
    assert not is_art_only(b"Film.jpg")
    found = pictures_of([b"MVI_0001.THM", b"IMG_0002.JPG"], [b"MVI_0001.AVI"])
    assert found.files == {b"MVI_0001.AVI": (b"MVI_0001.THM",)}
    assert found.names == {b"MVI_0001.THM"}


# ---- of an artist


def test_a_picture_called_artist_stands_for_the_artist_and_the_folder() -> None:
    found = pictures_of([b"artist.jpg"], [], folders=[b"CD1"])
    assert (found.artist, found.folder) == ((b"artist.jpg",), (b"artist.jpg",))
    both = pictures_of([b"artist.jpg", b"folder.jpg"], [], folders=[b"CD1"])
    assert both.folder == (b"folder.jpg", b"artist.jpg")


def test_among_tracks_it_is_no_cover() -> None:
    found = pictures_of([b"artist.jpg"], SONG)
    assert (found.artist, found.folder) == ((b"artist.jpg",), ())
