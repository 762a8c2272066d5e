"""What the pages show: one value that the composition root fills in.

Everything here is plain. Texts come from the network and from files: they are shown escaped,
and nobody has to clean them before. Times are given as "seconds ago", so that no page needs a
clock and a changed system time changes no page.
"""

from dataclasses import dataclass, field

from mediaserver.library.objects import LibraryCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanStatus:
    """The scan that runs, or the last one."""

    running: bool = False
    done: int = 0
    """Files read since the scan began."""
    total: int | None = None
    """Files to be read; None while nobody can tell."""
    listing: bool = False
    """Folders are still being listed: ``total`` is an estimate."""
    files_per_second: float = 0.0
    remaining_seconds: float | None = None
    last_ended_ago: float | None = None
    """None: no scan has ended since the program started."""
    last_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RootStatus:
    title: str
    path: str
    """Shown to this machine alone: how its disks are laid out is nobody else's business."""
    reason: str | None = None
    """Why it cannot be served at the moment; None: all is well."""
    polled: str | None = None
    """Why changes in it are looked for at intervals; None: they are told by the system."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableFile:
    """A file that is served under its name only, or not at all."""

    name: str
    """The path below the media root, with the root's title in front."""
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceStatus:
    """An address we are served at."""

    name: str
    address: str
    url: str
    heard_ago: float | None = None
    """When an announcement of ours came back from the group of this interface; None: never."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardDevice:
    """Another device whose announcements reach us."""

    address: str
    agent: str
    seconds_ago: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """A resource that is being sent."""

    address: str
    title: str
    sent: int
    """Bytes."""
    size: int | None
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionStatus:
    address: str
    service: str
    expires_in: float
    """Seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenClient:
    """A control point or renderer that spoke to us lately."""

    address: str
    agent: str
    profile: str
    requests: int
    seconds_ago: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeardSearch:
    """An M-SEARCH that reached us: proof that multicast works from there to here."""

    address: str
    target: str
    """The ST header."""
    answered: bool
    seconds_ago: float


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong at the moment and that its owner may have to mend."""

    text: str
    detail: str = ""
    """Why, in the system's words, with paths: shown to this machine alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFailure:
    """A part of the program that failed and was started again."""

    task: str
    error: str
    """Shown to this machine alone: it may name files."""
    count: int
    """Since the program started."""
    seconds_ago: float
    """The latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    name: str
    version: str
    udn: str
    uptime_seconds: float
    system_update_id: int
    library: LibraryCounts = field(default_factory=LibraryCounts)
    scan: ScanStatus = field(default_factory=ScanStatus)
    roots: tuple[RootStatus, ...] = ()
    unreadable: tuple[UnreadableFile, ...] = ()
    """The first of them; ``library.unreadable`` says how many there are."""
    interfaces: tuple[InterfaceStatus, ...] = ()
    transfers: tuple[Transfer, ...] = ()
    subscriptions: tuple[SubscriptionStatus, ...] = ()
    clients: tuple[SeenClient, ...] = ()
    """Most recently heard first."""
    searches: tuple[HeardSearch, ...] = ()
    """Most recently heard first."""
    devices: tuple[HeardDevice, ...] = ()
    """Most recently heard first."""
    problems: tuple[Problem, ...] = ()
    """Besides those of media roots."""
    failures: tuple[TaskFailure, ...] = ()
    """The latest first."""
