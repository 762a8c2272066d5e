"""Statuses for the tests of the pages: nothing yet, and a bit of everything."""

from collections.abc import Sequence

from mediaserver.library.objects import LibraryCounts
from mediaserver.web.status import (
    HeardSearch,
    InterfaceStatus,
    Problem,
    RootStatus,
    ScanStatus,
    SeenClient,
    Status,
    SubscriptionStatus,
    TaskFailure,
    Transfer,
    UnreadableFile,
)

UDN = "uuid:6b1f4e2c-9c2b-4c5e-9a57-0c8f3a1b2c3d"

EMPTY = Status(name="Media", version="1.2.3", udn=UDN, uptime_seconds=12, system_update_id=0)

RICH = Status(
    name="NAS & Co",
    version="1.2.3",
    udn=UDN,
    uptime_seconds=300_000,
    system_update_id=4711,
    library=LibraryCounts(
        audio=20123, video=412, image=98765, containers=3456, pending=1200, unreadable=73
    ),
    scan=ScanStatus(
        running=True, done=12345, total=45678, files_per_second=412.3, remaining_seconds=81
    ),
    roots=(
        RootStatus(title="Music", path="/srv/music"),
        RootStatus(title="Films", path="/srv/films", reason="it is not mounted"),
    ),
    unreadable=tuple(
        UnreadableFile(name=f"Music/{number:02}.mp3", reason="the reader crashed (signal 11)")
        for number in range(60)
    ),
    interfaces=(InterfaceStatus(name="eth0", address="192.0.2.10", url="http://192.0.2.10:8200/"),),
    transfers=(
        Transfer(
            address="192.0.2.20", title="Schnee", sent=512_000_000, size=1_500_000_000, seconds=312
        ),
        Transfer(address="192.0.2.21", title="Radio", sent=51_200, size=None, seconds=3),
    ),
    subscriptions=(
        SubscriptionStatus(address="192.0.2.20", service="ContentDirectory", expires_in=1500),
    ),
    clients=(
        SeenClient(
            address="192.0.2.22",
            agent="DLNADOC/1.50 SEC_HHP_[TV]UE40D7000/1.0",
            profile="Samsung television",
            requests=1234,
            seconds_ago=3,
        ),
    ),
    searches=(
        HeardSearch(
            address="192.0.2.23",
            target="urn:schemas-upnp-org:device:MediaServer:1",
            answered=True,
            seconds_ago=40,
        ),
    ),
    problems=(Problem("scanning fails, it is tried again", "index /srv/x: the disk is full"),),
    failures=(TaskFailure(task="announcements", error="KeyError: 7", count=3, seconds_ago=70),),
)


async def no_scan(paths: Sequence[bytes]) -> Sequence[bytes]:
    """For pages where nobody asks for one."""
    raise AssertionError(paths)
