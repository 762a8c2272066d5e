"""T1, T4, T5: no URL leads anywhere but to what the index lists."""

import random

import pytest

from tests.security.conftest import Besieged
from tests.security.hostile import CANARY
from tests.security.wire import ask

Urls = dict[str, tuple[str, str]]

pytestmark = pytest.mark.end_to_end

UPWARDS = (
    "../../../../../../etc/passwd",
    "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
    "%252e%252e%252f%252e%252e%252fetc%252fpasswd",
    "..%c0%af..%c0%afetc/passwd",
    "..%5c..%5c..%5cetc%5cpasswd",
    "..;/..;/etc/passwd",
    "....//....//etc/passwd",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "/proc/self/environ",
    "style.css/../../../pages.py",
    "1.wav/../../../etc/passwd",
    "1.wav%00.jpg",
    "file:///etc/passwd",
    ".hidden.wav",
    "link.wav",
    "index.sqlite",
    "identity.json",
)
FAMILIES = (
    "/",
    "/media/",
    "/art/",
    "/image/",
    "/static/",
    "/icon/",
    "/service/",
    "/service/ContentDirectory/",
)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("upwards", UPWARDS)
def test_dots_in_any_spelling_lead_nowhere(besieged: Besieged, family: str, upwards: str) -> None:
    """T1 (CVE-2018-7171, CVE-2021-21402, CVE-2023-29159)."""
    answer = ask(besieged.program, family + upwards)

    assert answer.status in (400, 404)
    assert b"root:" not in answer.body
    assert CANARY not in answer.body


@pytest.mark.parametrize("family", ["media", "image", "art"])
def test_every_changed_id_is_404(besieged: Besieged, urls: Urls, family: str) -> None:
    """T4: a changed digit, sign, blank, length or script of digits finds nothing."""
    _, path = urls[family]
    assert ask(besieged.program, path).status == 200
    _, prefix, name = path.split("/")
    key = name.partition("-")[0].partition(".")[0]
    rest = name[len(key) :]
    changed = {
        "",
        "0",
        "00000000000000000" + key,
        key.upper() + "G",
        "-" + key,
        "+" + key,
        "%20" + key,
        key + "%20",
        key + "%00",
        key + "%0a",
        "0x" + key,
        key[0] + "_" + key[1:],
        "f" * 16,
        "f" * 17,
        "7fffffffffffffff",
        "8000000000000000",
        "f" * 4000,
        "%d9%a1",  # an Arabic one
        "%ef%bc%91",  # a full-width one
        "1%20OR%201=1",
        "1';--",
        "1/**/",
        "1e1",
        "nan",
        "*",
        key + "/" + key,
        key + ";x",
        key + "%2e",
    }
    for other in sorted(changed):
        answer = ask(besieged.program, f"/{prefix}/{other}{rest}")
        assert answer.status in (404, 414), other
        assert len(answer.body) < 100


def test_random_ids_find_nothing(besieged: Besieged) -> None:
    rng = random.Random(1)  # noqa: S311 - the same each time
    for _ in range(200):
        assert ask(besieged.program, f"/media/{rng.getrandbits(64):x}.wav").status == 404


@pytest.mark.parametrize(
    "size",
    [
        "JPEG_HUGE",
        "JPEG_XXL",
        "65535x65535",
        "JPEG_TN?width=99999",
        "4097x4097",
        "original",
        "JPEG_TN-JPEG_TN",
        "jpeg_tn",
        "",
    ],
)
def test_pictures_come_in_no_size_of_the_asker_s_choosing(
    besieged: Besieged, urls: Urls, size: str
) -> None:
    """T5: one URL made a peer use over 1 GB."""
    _, path = urls["image"]
    key = path.split("/")[2].partition("-")[0]

    answer = ask(besieged.program, f"/image/{key}-{size}.jpg")

    assert answer.status == (200 if size.startswith("JPEG_TN?") else 404)
    assert len(answer.body) < 60_000  # JPEG_TN: 160 x 160


def test_all_sizes_at_once_are_answered(besieged: Besieged, urls: Urls) -> None:
    """T5: jobs wait for each other instead of running all together."""
    _, path = urls["image"]
    key = path.split("/")[2].partition("-")[0]
    for profile in ("JPEG_TN", "JPEG_SM", "JPEG_MED", "PNG_TN", "PNG_LRG", "JPEG_LRG") * 5:
        suffix = "png" if profile.startswith("PNG") else "jpg"
        assert ask(besieged.program, f"/image/{key}-{profile}.{suffix}").status in (200, 404)
