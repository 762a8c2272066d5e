"""Client profiles: the table, and who is recognised as what."""

import string
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaserver.av.source_protocol_info import MIME_TYPES
from mediaserver.clients import (
    AGENT_CHARACTERS,
    DEFAULT_ANSWER_BYTES,
    UNKNOWN,
    ClientRegistry,
    DateForm,
    default_profiles,
    profile_named,
    read_profiles,
)
from mediaserver.library.readers.jobs import PROFILES
from mediaserver.library.views import DEFAULT_VIEWS

SONY = 'av=5.0; cn="Sony Corporation"; mn="{}"; mv="1.7"'

# Headers as devices send them: quirks 1 and 2, and recordings of programs.
DEVICES = [
    ("Samsung AllShare for Windows", {"user-agent": "SEC_HHP_[PC]LPC001/1.0 MS-DeviceCaps/1024"}),
    ("Xbox 360", {"user-agent": "Xbox/2.0.17511.0 UPnP/1.0 Xbox/2.0.17511.0"}),
    ("Xbox 360", {"user-agent": "XENON"}),
    ("Xbox One", {"user-agent": "NSPlayer/12.0", "friendlyname.dlna.org": "XboxOne"}),
    ("Xbox One", {"user-agent": "Xbox-SystemOS/10.0 UPnP/1.0"}),
    ("Microsoft Mediaroom", {"user-agent": "Microsoft-IPTV-Client/1.6"}),
    ("Windows Media Player", {"user-agent": "Windows-Media-Player/12.0.7601.17514"}),
    (
        "Windows Media Player",
        {"user-agent": "Microsoft-Windows/10.0 UPnP/1.0 Microsoft-DLNA DLNADOC/1.50"},
    ),
    ("Windows Media Player", {"user-agent": "NSPlayer/12.00.9600.16411 WMFSDK/12.00"}),
    ("PlayStation 3", {"user-agent": "PLAYSTATION 3"}),
    ("PlayStation 3", {"x-av-client-info": SONY.format("PLAYSTATION 3")}),
    (
        "PlayStation 4",
        {"user-agent": "PS4Application libhttp/1.000 (PS4) libhttp/2.51 (PlayStation 4)"},
    ),
    ("PlayStation Vita", {"user-agent": "libhttp/1.66 (PS Vita)"}),
    (
        "Sony Blu-ray player",
        {"user-agent": "UPnP/1.0", "x-av-client-info": SONY.format("Blu-ray Disc Player")},
    ),
    ("Sony Blu-ray player", {"x-av-client-info": SONY.format("BLU-RAY HOME THEATRE SYSTEM")}),
    (
        "Sony Blu-ray player",
        {"x-av-physical-unit-info": 'pa="BDP-S3700"', "user-agent": "UPnP/1.0 DLNADOC/1.50"},
    ),
    ("Sony Bravia", {"x-av-client-info": SONY.format("BRAVIA KDL-40EX503")}),
    ("Sony Bravia", {"x-av-client-info": SONY.format("KD-55X8505B")}),
    ("Sony Bravia", {"x-av-client-info": SONY.format("K-65XR80")}),
    ("Samsung Blu-ray player", {"user-agent": "DLNADOC/1.50 SEC_HHP_BD-D5100/1.0"}),
    ("Samsung Blu-ray player", {"user-agent": "SEC_HHP_[BD]J5500/1.0"}),
    ("Samsung Blu-ray player", {"user-agent": "BD-C6800"}),
    ("Samsung television (2009)", {"user-agent": "SamsungWiselinkPro/1.0"}),
    ("Samsung television (2009)", {"user-agent": "Samsung DTV DMR"}),
    ("Samsung television", {"user-agent": "DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0"}),
    ("Samsung television", {"user-agent": "SEC_HHP_ Family TV/1.0"}),
    ("Samsung television", {"user-agent": "SEC_HHP_[TV] Samsung Q7 Series (49)/1.0"}),
    ("Samsung television", {"user-agent": "SEC_HHP_Samsung QN90AA 50 TV/1.0"}),
    ("LG", {"user-agent": "Linux/2.6.28.9 UPnP/1.0 DLNADOC/1.50 LGE_DLNA_SDK/1.5.0"}),
    ("LG", {"user-agent": "LG webOS TV UH770"}),
    ("LG", {"user-agent": "UPnP/1.0 DLNADOC/1.50", "friendlyname.dlna.org": "LG TV"}),
    ("Panasonic Blu-ray player", {"friendlyname.dlna.org": "DMP-BDT220"}),
    ("Panasonic Viera", {"user-agent": "Panasonic MIL DLNA CP UPnP/1.0 DLNADOC/1.50"}),
    ("Panasonic Viera", {"x-panasonic-registration": "VklFUkE="}),
    ("Bose SoundTouch", {"user-agent": "Allegro-Software-WebClient/5.40b1 DLNADOC/1.50"}),
    ("Philips", {"user-agent": "PhilipsIntelSDK/1.4"}),
    ("Philips", {"user-agent": "Streamium/1.0"}),
    ("Philips", {"user-agent": "Allegro-Software-WebClient/4.61 DLNADOC/1.00"}),
    ("Philips", {"user-agent": "Philips 55PUS6754/12"}),
    ("Sharp Aquos", {"user-agent": "DLNADOC/1.50 SHARP-AQUOS-DMP/1.1W"}),
    ("DirecTV", {"user-agent": "DIRECTV 0.1"}),
    ("Freebox", {"user-agent": "fbxupnpav/6.0"}),
    ("Roku", {"user-agent": "Roku/DVP-9.10 (519.10E04111A)"}),
    ("WD TV Live", {"user-agent": "INTEL_NMPR/2.1 DLNADOC/1.50 Intel MicroStack/1.0.1423"}),
    ("WD TV Live", {"user-agent": "alphanetworks"}),
    ("Yamaha", {"user-agent": "KnOS/3.2 UPnP/1.0 DMP/3.5"}),
    ("Yamaha", {"user-agent": "Yamaha RX-V671"}),
    ("Denon, Marantz", {"user-agent": "bridgeCo-DMP/3"}),
    ("Onkyo, Pioneer", {"user-agent": "Mediabolic-IMHTTP/1.8.225"}),
    ("Onkyo, Pioneer", {"user-agent": "POSIX UPnP/1.0 DLNADOC/1.50 UPnP SDK/1.6.0"}),
    ("OpenHome (Linn, Lumin, nextcp)", {"user-agent": "Linn/1.0 UPnP/1.1"}),
    ("Frontier Silicon radio", {"user-agent": "FSL DLNADOC/1.50 UPnP Stack/1.0"}),
    ("Raumfeld", {"user-agent": "Raumfeld/1.0 libsoup"}),
    ("Naim", {"user-agent": "Naim UPNP Controller"}),
    ("Naim", {"user-agent": "NaimUPnP"}),
    ("Sonos", {"user-agent": "Linux UPnP/1.0 Sonos/63.2-88230 (ZPS1)"}),
    ("Reciva radio", {"user-agent": "Reciva/1.0"}),
    ("Kodi", {"user-agent": "UPnP/1.0 DLNADOC/1.50 Platinum/1.0.5.13"}),
    (
        "Kodi",
        {
            "user-agent": "KodifromDebian/20.1 (X11; Linux x86_64) Kodi_Fork_Kodi from Debian/1.0 "
            "Debian GNU/Linux/12 App_Bitness/64 Version/20.1"
        },
    ),
    ("VLC", {"user-agent": "VLC/3.0.24 LibVLC/3.0.24"}),
    ("VLC", {"user-agent": "VLC%20for%20iOS/3.3"}),
    ("Music Player Daemon", {"user-agent": "Music Player Daemon 0.23.12"}),
    ("BubbleUPnP", {"user-agent": "Android/8.0.0 UPnP/1.0 BubbleUPnP/3.4.4"}),
    ("foobar2000", {"user-agent": "foobar2000/1.6.10"}),
    ("GUPnP", {"user-agent": "gupnp-av-cp GUPnP/1.6.3 DLNADOC/1.50"}),
    ("Home Assistant", {"user-agent": "HomeAssistant/2024.1 async_upnp_client/0.38"}),
    (
        "program on libupnp (VLC, MPD)",
        {"user-agent": "Linux/6.1.0, UPnP/1.0, Portable SDK for UPnP devices/1.8.4"},
    ),
    ("Android", {"user-agent": "stagefright/1.2 (Linux;Android 4.4.2)"}),
    ("Apple device", {"user-agent": "AppleCoreMedia/1.0.0.20G81"}),
    ("DLNA device", {"user-agent": "UPnP/1.0 DLNADOC/1.50 Intel_SDK_for_UPnP_devices/1.2"}),
    ("unknown", {"user-agent": "Lavf/59.27.100"}),
    ("unknown", {"user-agent": "GStreamer souphttpsrc 1.22.0 libsoup/3.2.3"}),
    ("unknown", {"user-agent": "Python/3.11 aiohttp/3.14.5"}),
    ("unknown", {"user-agent": ""}),
    ("unknown", {}),
]
TELEVISION = {"user-agent": "DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0"}
PLAYER = {"user-agent": "Lavf/59.27.100"}


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize(("name", "headers"), DEVICES)
def test_a_device_is_recognised_by_its_headers(name: str, headers: Mapping[str, str]) -> None:
    assert ClientRegistry().of_action(headers, "192.0.2.1").name == name


def test_every_profile_of_the_table_has_a_device_that_is_recognised() -> None:
    assert {profile.name for profile in default_profiles()} <= {name for name, _ in DEVICES}


@pytest.mark.parametrize("change", [str.lower, str.upper])
def test_letter_case_of_values_does_not_matter(change: object) -> None:
    assert callable(change)
    headers = {name: change(value) for name, value in TELEVISION.items()}
    assert ClientRegistry().of_action(headers, "192.0.2.1").name == "Samsung television"


# ---- the table


def test_names_of_profiles_are_different() -> None:
    names = [profile.name.casefold() for profile in (UNKNOWN, *default_profiles())]
    assert len(names) == len(set(names))


def test_the_table_names_only_what_there_is() -> None:
    views = {view.code for view in DEFAULT_VIEWS}
    ours = set(MIME_TYPES)
    renditions = {*PROFILES, "original"}
    for profile in default_profiles():
        assert set(profile.album_art) <= renditions, profile.name
        assert {own[1:] for own in profile.object_ids.values()} <= views, profile.name
        assert profile.without_dlna_profile <= ours, profile.name
        assert set(profile.mime_types) <= ours, profile.name


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("name = 'A'\nmtach = {}", "'A': unknown key 'mtach'"),
        ("name = 'A'\nmatch = { User-Agent = ['('] }", "'A': "),
        ("name = 'A'\nmatch = { User-Agent = 'x' }", "'A': a list of texts"),
        ("name = 'A'\ndate = 'never'", "'A': 'never' is not a valid DateForm"),
        ("name = 'A'\njpeg_first = 1", "'A': jpeg_first: bool is expected"),
        ("name = 'A'\nanswer_bytes = true", "'A': answer_bytes: int is expected"),
        ("name = 'A'\nmime_types = { a = 1 }", "'A': a table of texts"),
        ("name = 'A'\n[profile.description]\nmodel = 'x'", "'A': "),
        ("jpeg_first = 'yes'", "'profile 1': jpeg_first"),
    ],
)
def test_a_mistake_in_a_table_is_told_with_the_profile_s_name(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match="client profile") as caught:
        read_profiles(f"[[profile]]\n{text}\n")
    assert complaint in str(caught.value)


def test_a_table_is_read_field_by_field() -> None:
    (profile,) = read_profiles(
        """
        [[profile]]
        name = "Test"
        match = { User-Agent = ["a.c"], X-Other = ["^x$", "y"] }
        mime_types = { "video/mp4" = "video/x" }
        date = "year"
        answer_bytes = 7
        title_characters = { "/" = ":" }
        [profile.description]
        friendly_name = "{name}!"
        elements = [{ prefix = "p", namespace = "urn:n", name = "e", value = "v" }]
        """
    )
    assert profile.mime_type("video/mp4") == "video/x"
    assert profile.mime_type("audio/mpeg") == "audio/mpeg"
    assert profile.date is DateForm.YEAR
    assert (profile.answer_bytes, dict(profile.title_characters)) == (7, {"/": ":"})
    assert profile.description.friendly_name == "{name}!"
    assert profile.description.elements[0].namespace == "urn:n"
    registry = ClientRegistry([profile])
    for headers, name in (
        ({"user-agent": "xxABCxx"}, "Test"),
        ({"x-other": "X"}, "Test"),
        ({"x-other": "xx"}, "unknown"),
        ({"user-agent": "ac"}, "unknown"),
    ):
        assert registry.of_action(headers, "192.0.2.1").name == name


def test_the_first_profile_that_matches_counts() -> None:
    profiles = read_profiles(
        "[[profile]]\nname='A'\nmatch={User-Agent=['TV one']}\n"
        "[[profile]]\nname='B'\nmatch={User-Agent=['TV']}\n"
    )
    registry = ClientRegistry(profiles)
    assert registry.of_action({"user-agent": "TV one"}, "192.0.2.1").name == "A"
    assert registry.of_action({"user-agent": "TV two"}, "192.0.2.1").name == "B"


# ---- Microsoft's limit of answers (MS-DLNHND, quirks 3)


def test_a_microsoft_client_takes_204800_bytes_unless_it_says_otherwise() -> None:
    registry = ClientRegistry()
    limited = registry.of_action({"user-agent": "NSPlayer/12.0"}, "192.0.2.1")
    assert limited.answer_bytes == 204_800
    also = registry.of_action({"user-agent": "NSPlayer/12.0 (MS-DeviceCaps/1023)"}, "192.0.2.1")
    assert also.answer_bytes == 204_800
    unlimited = registry.of_action(
        {"user-agent": "NSPlayer/12.0 (MS-DeviceCaps/1056)"}, "192.0.2.1"
    )
    assert (unlimited.name, unlimited.answer_bytes) == (limited.name, DEFAULT_ANSWER_BYTES)


def test_equal_requests_have_the_very_same_profile() -> None:
    """Answers are kept by profile, which is compared by identity."""
    registry = ClientRegistry()
    headers = {"user-agent": "NSPlayer/12.0 (MS-DeviceCaps/1056)"}
    first = registry.of_action(headers, "192.0.2.1")
    other = registry.of_action({"user-agent": "NSPlayer/13 (MS-DeviceCaps/1024)"}, "192.0.2.2")
    assert registry.of_action(headers, "192.0.2.3") is first is other


# ---- what is remembered


def test_a_player_that_says_little_has_the_profile_of_its_address() -> None:
    registry = ClientRegistry()
    registry.of_action(TELEVISION, "192.0.2.1")
    assert registry.of_request(PLAYER, "192.0.2.1").name == "Samsung television"
    assert registry.of_request({}, "192.0.2.1").name == "Samsung television"
    assert registry.of_request(PLAYER, "192.0.2.2").name == "unknown"


def test_what_headers_say_counts_more_than_the_address() -> None:
    registry = ClientRegistry()
    registry.of_action(TELEVISION, "192.0.2.1")
    assert registry.of_request({"user-agent": "VLC/3.0.24"}, "192.0.2.1").name == "VLC"
    assert registry.of_request(PLAYER, "192.0.2.1").name == "Samsung television"


def test_only_control_requests_are_remembered() -> None:
    registry = ClientRegistry()
    registry.of_request(TELEVISION, "192.0.2.1")
    assert registry.of_request(PLAYER, "192.0.2.1").name == "unknown"


def test_another_control_point_at_the_address_takes_its_place() -> None:
    registry = ClientRegistry()
    registry.of_action(TELEVISION, "192.0.2.1")
    registry.of_action({"user-agent": "BubbleUPnP"}, "192.0.2.1")
    assert registry.of_request(PLAYER, "192.0.2.1").name == "BubbleUPnP"


def test_an_address_is_forgotten_after_a_while_of_silence() -> None:
    clock = Clock()
    registry = ClientRegistry(now=clock, remember_seconds=60)
    registry.of_action(TELEVISION, "192.0.2.1")
    clock.time += 59
    assert registry.of_request(PLAYER, "192.0.2.1").name == "Samsung television"
    clock.time += 59
    assert registry.of_request(PLAYER, "192.0.2.1").name == "Samsung television"
    clock.time += 61
    assert registry.of_request(PLAYER, "192.0.2.1").name == "unknown"


def test_no_more_addresses_are_remembered_than_the_limit() -> None:
    registry = ClientRegistry(limit=10)
    for number in range(50):
        registry.of_action(TELEVISION, f"192.0.2.{number}")
    assert [client.address for client in registry.recent()] == [
        f"192.0.2.{number}" for number in range(49, 39, -1)
    ]
    assert registry.of_request(PLAYER, "192.0.2.1").name == "unknown"


def test_who_spoke_lately_is_listed_the_latest_first() -> None:
    clock = Clock()
    registry = ClientRegistry(now=clock, remember_seconds=60)
    registry.of_action(TELEVISION, "192.0.2.1")
    clock.time += 10
    registry.of_request({"user-agent": "VLC/3.0.24"}, "192.0.2.2")
    clock.time += 5
    registry.of_request(PLAYER, "192.0.2.1")
    first, second = registry.recent()
    assert (first.address, first.requests, first.seconds_ago) == ("192.0.2.1", 2, 0)
    # What it calls itself, not what its player does.
    assert (first.profile, first.agent) == ("Samsung television", TELEVISION["user-agent"])
    assert (second.address, second.profile, second.seconds_ago) == ("192.0.2.2", "VLC", 5)
    clock.time += 58
    assert [client.address for client in registry.recent()] == ["192.0.2.1"]


@given(st.dictionaries(st.sampled_from(["user-agent", "x-av-client-info"]), st.text()))
def test_any_text_in_headers_gives_some_profile(headers: dict[str, str]) -> None:
    registry = ClientRegistry()
    assert registry.of_action(headers, "192.0.2.1") is not None
    assert len(registry.recent()[0].agent) <= AGENT_CHARACTERS


# ---- what the owner decided


def test_an_address_has_the_profile_its_owner_gave_it() -> None:
    registry = ClientRegistry(overrides={"192.0.2.7": "kODI", "2001:DB8::7": "sonos"})
    for headers in (TELEVISION, PLAYER, {}):
        assert registry.of_action(headers, "192.0.2.7").name == "Kodi"
        assert registry.of_request(headers, "192.0.2.7").name == "Kodi"
        assert registry.of_request(headers, "2001:db8::7").name == "Sonos"
    assert registry.of_action(TELEVISION, "192.0.2.8").name == "Samsung television"
    assert registry.recent()[-1].profile == "Kodi"


def test_a_link_local_address_is_known_at_every_interface() -> None:
    registry = ClientRegistry(overrides={"fe80::7": "Kodi"})
    assert registry.of_action({}, "fe80::7%eth0").name == "Kodi"


def test_the_owner_may_take_every_quirk_away() -> None:
    registry = ClientRegistry(overrides={"192.0.2.7": "Unknown"})
    assert registry.of_action(TELEVISION, "192.0.2.7") is UNKNOWN


def test_a_microsoft_client_by_decision_still_may_lift_its_limit() -> None:
    registry = ClientRegistry(overrides={"192.0.2.7": "xbox one"})
    agent = {"user-agent": "Something (MS-DeviceCaps/1024)"}
    assert registry.of_action(agent, "192.0.2.7").answer_bytes == DEFAULT_ANSWER_BYTES
    assert registry.of_action({}, "192.0.2.7").answer_bytes == 204_800


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("kodi2", "did you mean 'Kodi'?"),
        ("playstation3", "did you mean 'PlayStation 3'?"),
        ("linn", "did you mean 'OpenHome (Linn, Lumin, nextcp)'?"),
        ("zzz", "there are unknown, Samsung AllShare for Windows, Xbox 360"),
        ("", "there are unknown, "),
    ],
)
def test_an_unknown_name_is_refused_with_a_suggestion(name: str, suggestion: str) -> None:
    with pytest.raises(ValueError, match="no client profile is called") as caught:
        ClientRegistry(overrides={"192.0.2.7": name})
    assert f"{name!r}; {suggestion}" in str(caught.value)


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="not-an-address"):
        ClientRegistry(overrides={"not-an-address": "Kodi"})


@given(st.sampled_from(default_profiles()), st.data())
def test_every_profile_is_found_by_its_name_in_any_letter_case(
    profile: object, data: st.DataObject
) -> None:
    name = str(getattr(profile, "name", ""))
    flips = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    mixed = "".join(
        each.swapcase() if flip and each in string.ascii_letters else each
        for each, flip in zip(name, flips, strict=True)
    )
    assert profile_named(mixed) is profile
