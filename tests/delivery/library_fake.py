"""A library that is a dictionary; the files in it are real."""

import os
from pathlib import Path

from mediaserver import media_types
from mediaserver.library.artwork import Rendition
from mediaserver.library.lookup import ArtSource, MediaFile, SubtitleSource
from mediaserver.library.objects import Kind, Span
from mediaserver.library.readers.jobs import PROFILES
from tests.make_media import picture


class FakeArtwork:
    """Makes grey pictures of the largest size that a profile allows, and notes of what."""

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self.made: list[tuple[str, bytes, str]] = []
        self.fails = False

    async def picture(self, path: bytes, profile: str) -> Rendition | None:
        return self._make("picture", path, profile)

    async def embedded(self, path: bytes, profile: str) -> Rendition | None:
        return self._make("embedded", path, profile)

    async def frame(self, path: bytes, profile: str) -> Rendition | None:
        return self._make("frame", path, profile)

    def _make(self, source: str, path: bytes, profile: str) -> Rendition | None:
        self.made.append((source, path, profile))
        if self.fails or (profile not in PROFILES and profile != "original"):
            return None
        image_format = PROFILES[profile].image_format if profile in PROFILES else "JPEG"
        self._cache.mkdir(exist_ok=True)
        kept = self._cache / f"{source}-{profile}"
        kept.write_bytes(picture(image_format, (16, 9)))
        return Rendition(kept, f"image/{image_format.lower()}", 16, 9)


class FakeLibrary:
    """Numbers to files below one media root."""

    def __init__(self, root: Path, cache: Path) -> None:
        self.root = root
        self.artwork = FakeArtwork(cache)
        self.system_update_id = 1
        self.lookups = 0
        self._media: dict[int, MediaFile] = {}
        self._art: dict[int, ArtSource] = {}
        self._subtitles: dict[int, list[SubtitleSource]] = {}

    def add(
        self, name: str, content: bytes, *, dlna_profile: str | None = None,
        duration_ms: int | None = None, art_id: int | None = None,
    ) -> MediaFile:  # fmt: skip
        """A file with this content; what it is, its suffix says."""
        path = self.root / name
        path.write_bytes(content)
        found = media_types.by_suffix(name)
        assert found is not None
        key = len(self._media) + 0xA1
        self._media[key] = MediaFile(
            key=key,
            root=os.fsencode(self.root),
            path=os.fsencode(path),
            kind=Kind(found.kind),
            mime_type=found.mime_type,
            dlna_profile=dlna_profile,
            size=len(content),
            mtime_ns=path.stat().st_mtime_ns,
            title=name,
            duration_ms=duration_ms,
            width=None,
            height=None,
            orientation=None,
            art_id=art_id,
        )
        return self._media[key]

    def add_part(
        self,
        path: Path,
        begin_us: int,
        end_us: int,
        *,
        rate: int = 44_100,
        channels: int = 2,
        bits: int = 16,
        art_id: int | None = None,
    ) -> MediaFile:
        """A part of a file that is there already."""
        key = len(self._media) + 0xA1
        self._media[key] = MediaFile(
            key=key,
            root=os.fsencode(self.root),
            path=os.fsencode(path),
            kind=Kind.AUDIO,
            mime_type="audio/x-wav",
            dlna_profile=None,
            size=0,
            mtime_ns=0,
            title=path.name,
            duration_ms=round((end_us - begin_us) / 1000),
            width=None,
            height=None,
            orientation=None,
            art_id=art_id,
            span=Span(begin_us, end_us),
            sample_rate=rate,
            channels=channels,
            bits_per_sample=bits,
        )
        return self._media[key]

    def add_art(self, name: str, content: bytes, *, embedded: bool = False) -> ArtSource:
        path = self.root / name
        path.write_bytes(content)
        art_id = len(self._art) + 0xB1
        self._art[art_id] = ArtSource(
            art_id=art_id,
            root=os.fsencode(self.root),
            path=os.fsencode(path),
            embedded=embedded,
            mime_type="image/jpeg",
        )
        return self._art[art_id]

    def add_subtitle(self, media: MediaFile, name: str, content: bytes) -> int:
        """A subtitle of a film, behind those it has; its number."""
        path = self.root / name
        path.write_bytes(content)
        of_film = self._subtitles.setdefault(media.key, [])
        of_film.append(
            SubtitleSource(
                number=len(of_film) + 0xC1,
                format=path.suffix[1:],
                language=None,
                note=None,
                root=os.fsencode(self.root),
                path=os.fsencode(path),
            )
        )
        return of_film[-1].number

    def remove(self, media: MediaFile) -> None:
        del self._media[media.key]
        self.system_update_id += 1

    async def media_file(self, key: int) -> MediaFile | None:
        self.lookups += 1
        return self._media.get(key)

    async def art_source(self, art_id: int) -> ArtSource | None:
        return self._art.get(art_id)

    async def subtitles(self, key: int) -> list[SubtitleSource]:
        return self._subtitles.get(key, [])
