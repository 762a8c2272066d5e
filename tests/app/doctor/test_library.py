"""What is judged of the disks."""

import errno
from pathlib import Path

import pytest

from mediaserver.app.doctor import library
from mediaserver.app.doctor.findings import Finding, Verdict
from mediaserver.app.doctor.library import DataDirectoryFacts, IndexFacts, RootFacts
from mediaserver.config import Problem
from mediaserver.library.watching import mounts

OK, UNKNOWN, WARNING, FAILURE = Verdict.OK, Verdict.UNKNOWN, Verdict.WARNING, Verdict.FAILURE
DATA = Path("/var/lib/mediaserver")
INDEX = DATA / "index.sqlite"


def told(finding: Finding) -> tuple[Verdict, bool]:
    """The verdict, and whether there is a next step."""
    return finding.verdict, bool(finding.next_step)


def test_every_mistake_of_the_configuration_is_a_failure_of_its_own() -> None:
    problems = [Problem("a.toml: server.port", "should be a number"), Problem("X", "no such key")]
    found = library.configuration(Path("a.toml"), problems)
    assert [each.found for each in found] == list(map(str, problems))
    assert {told(each) for each in found} == {(FAILURE, True)}


def test_a_configuration_without_mistakes_is_named() -> None:
    [found] = library.configuration(Path("/etc/mediaserver/config.toml"))
    assert told(found) == (OK, False)
    assert "/etc/mediaserver/config.toml" in found.found


@pytest.mark.parametrize(
    ("facts", "held", "verdict"),
    [
        (DataDirectoryFacts(path=DATA), False, OK),
        (DataDirectoryFacts(path=DATA, exists=False), False, OK),
        (DataDirectoryFacts(path=DATA, error="Permission denied"), False, FAILURE),
        (DataDirectoryFacts(path=DATA, error="Permission denied"), True, UNKNOWN),
        (DataDirectoryFacts(path=DATA, exists=False, error="/ is closed"), False, FAILURE),
    ],
)
def test_the_data_directory(facts: DataDirectoryFacts, held: bool, verdict: Verdict) -> None:
    assert told(library.data_directory(facts, held=held)) == (verdict, verdict is not OK)


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(5_000_000, FAILURE), (500_000_000, WARNING), (50_000_000_000, OK), (None, UNKNOWN)],
)
def test_free_space(free: int | None, verdict: Verdict) -> None:
    assert library.disk_space(DataDirectoryFacts(path=DATA, free=free)).verdict is verdict


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (IndexFacts(path=INDEX), OK),
        (IndexFacts(path=INDEX, exists=False), OK),
        (IndexFacts(path=INDEX, checked=False), UNKNOWN),
        (IndexFacts(path=INDEX, error="unable to open database file"), UNKNOWN),
        (IndexFacts(path=INDEX, damage="malformed"), FAILURE),
    ],
)
def test_the_index(facts: IndexFacts, verdict: Verdict) -> None:
    assert library.index(facts).verdict is verdict


def test_without_a_media_root_there_is_nothing_to_serve() -> None:
    [found] = library.media_roots([], poll_seconds=300)
    assert told(found) == (FAILURE, True)


@pytest.mark.parametrize(
    ("facts", "verdict", "step"),
    [
        (RootFacts(path="/srv/Music"), OK, ""),
        (RootFacts(path="/srv/Music", silent="nfs4"), OK, ""),
        (RootFacts(path="/srv/Music", answered=False), FAILURE, "mount it again"),
        (RootFacts(path="/srv/Music", reason="it does not exist"), FAILURE, "correct its path"),
        (
            RootFacts(path="/srv/Music", reason="Permission denied: drwx------, owned by eve"),
            FAILURE,
            "let that user in",
        ),
        (
            RootFacts(path="/srv/Music", reason="it is empty, which it was not: not mounted?"),
            FAILURE,
            "mount it; what it holds is hidden",
        ),
    ],
)
def test_a_media_root(facts: RootFacts, verdict: Verdict, step: str) -> None:
    [found] = library.media_roots([facts], poll_seconds=300)
    assert (found.verdict, found.about) == (verdict, "/srv/Music")
    assert step in found.next_step
    assert bool(found.next_step) is bool(step)


def test_a_network_share_shows_changes_later_and_that_is_said() -> None:
    [found] = library.media_roots([RootFacts(path="/srv", silent="cifs")], poll_seconds=120)
    assert "cifs" in found.found
    assert "120 s" in found.found


@pytest.mark.parametrize(
    ("facts", "scanning", "verdict"),
    [
        (IndexFacts(path=INDEX, items=3), False, OK),
        (IndexFacts(path=INDEX), False, WARNING),
        (IndexFacts(path=INDEX), True, OK),
        (IndexFacts(path=INDEX, exists=False), False, UNKNOWN),
        (IndexFacts(path=INDEX, error="closed"), False, UNKNOWN),
        (IndexFacts(path=INDEX, error="closed", items=3), False, OK),  # the server has told
    ],
)
def test_items(facts: IndexFacts, scanning: bool, verdict: Verdict) -> None:
    assert library.items(facts, scanning=scanning).verdict is verdict


def test_unreadable_files_are_a_warning() -> None:
    assert told(library.unreadable_files(0)) == (OK, False)
    assert told(library.unreadable_files(1)) == (WARNING, True)


def test_more_folders_than_may_be_watched_are_told_with_the_remedy() -> None:
    folders = {b"/srv/Small": 10, b"/srv/Large": 9000}
    found = library.watches(folders, 8192, poll_seconds=300)
    assert found.verdict is WARNING
    assert found.found.startswith("/srv/Large: it has 9000 folders")
    assert found.next_step == (
        "allow it with `sysctl -w fs.inotify.max_user_watches=524288`, and for good: "
        "`echo fs.inotify.max_user_watches=524288 | sudo tee -a /etc/sysctl.d/60-mediaserver.conf`"
    )


NO_INSTANCE = mounts.why_none(OSError(errno.EMFILE, "Too many open files"))
"""inotify_init(2): the limit of fs.inotify.max_user_instances."""


def test_what_the_running_server_was_refused_counts_more_than_what_doctor_sees() -> None:
    told = {"/srv/Music": NO_INSTANCE}
    found = library.watches({b"/srv/Music": 5}, 8192, told=told, poll_seconds=300)
    assert found.verdict is WARNING
    assert found.found.startswith("/srv/Music: the system does not let us watch")
    assert "echo fs.inotify.max_user_instances=" in found.next_step
    well = library.watches({b"/srv/Music": 5}, 8192, told={}, refusal=NO_INSTANCE, poll_seconds=300)
    assert well.verdict is OK  # of doctor's own user, perhaps, and not of the server's


def test_without_a_server_doctor_tries_to_watch_itself() -> None:
    found = library.watches({b"/srv": 5}, 8192, refusal=NO_INSTANCE, poll_seconds=300)
    assert found.verdict is WARNING
    assert "sysctl -w fs.inotify.max_user_instances=" in found.next_step


def test_a_root_that_is_looked_through_for_good_reasons_needs_no_remedy() -> None:
    told = {"/srv/Music": "nfs4 does not tell of changes"}
    assert library.watches({}, 8192, told=told, poll_seconds=300).verdict is OK


def test_watches_that_suffice_or_cannot_be_told() -> None:
    assert library.watches({b"/srv": 5}, 8192, poll_seconds=300).verdict is OK
    assert library.watches({b"/srv": 5}, None, poll_seconds=300).verdict is UNKNOWN
