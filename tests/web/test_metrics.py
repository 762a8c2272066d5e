"""``/metrics``, read back by the parser of prometheus-client itself."""

import dataclasses

import pytest
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as read_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as read_text

from mediaserver.web.metrics import Measure, exposition
from mediaserver.web.status import RootStatus, Status
from tests.web.statuses import EMPTY, RICH


def values(status: Status, *measures: Measure) -> dict[tuple[str, str], float]:
    """By name and the value of the label."""
    content, _ = exposition(status, measures, "text/plain")
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in read_text(content.decode())
        for sample in family.samples
    }


def test_the_figures_of_the_library_and_the_server_are_there() -> None:
    found = values(RICH)
    for (name, label), value in {
        ("info", "1.2.3"): 1,
        ("uptime_seconds", ""): 300_000,
        ("library_items", "audio"): 20123,
        ("library_items", "video"): 412,
        ("library_items", "image"): 98765,
        ("library_containers", ""): 3456,
        ("library_pending", ""): 1200,
        ("library_unreadable", ""): 73,
        ("system_update_id", ""): 4711,
        ("scan_running", ""): 1,
        ("scan_files_per_second", ""): 412.3,
        ("root_available", "Music"): 1,
        ("root_available", "Films"): 0,
        ("transfers", ""): 2,
        ("subscriptions", ""): 1,
        ("task_failures_total", "announcements"): 3,
    }.items():
        assert found[f"mediaserver_{name}", label] == value


def test_memory_and_descriptors_of_the_process_are_there() -> None:
    found = values(EMPTY)
    assert found["mediaserver_process_resident_memory_bytes", ""] > 1_000_000
    assert found["mediaserver_process_open_fds", ""] > 0


def test_measures_of_other_parts_are_read_when_asked_for() -> None:
    count = iter(range(100))
    asked = Measure(
        name="mediaserver_bytes_sent_total",
        help="Bytes.",
        kind="counter",
        read=lambda: next(count),
    )
    by_kind = Measure(
        name="mediaserver_jobs",
        help="Jobs.",
        kind="gauge",
        read=lambda: {"read": 2, "draw": 3},
        label="what",
    )
    first = values(EMPTY, asked, by_kind)
    second = values(EMPTY, asked, by_kind)
    name = ("mediaserver_bytes_sent_total", "")
    assert second[name] == first[name] + 1
    assert first["mediaserver_jobs", "draw"] == 3


def test_the_format_is_the_one_the_asker_prefers() -> None:
    plain, plain_type = exposition(RICH, (), "text/plain")
    open_metrics, open_type = exposition(RICH, (), "application/openmetrics-text;version=1.0.0")
    assert plain_type.startswith("text/plain")
    assert open_type.startswith("application/openmetrics-text")
    assert list(read_text(plain.decode()))
    families = read_openmetrics(open_metrics.decode())  # type: ignore[no-untyped-call]
    assert list(families)


@pytest.mark.parametrize("title", ['quote " and \\', "line\nbreak", "\ud800", "{}=,"])
def test_a_title_of_any_kind_stays_one_label(title: str) -> None:
    status = dataclasses.replace(RICH, roots=(RootStatus(title=title, path="/srv"),))
    labels = [label for name, label in values(status) if name == "mediaserver_root_available"]
    assert len(labels) == 1


def test_of_roots_with_one_title_the_one_that_cannot_be_read_counts() -> None:
    good, bad = (
        RootStatus(title="Music", path="/a"),
        RootStatus(title="Music", path="/b", reason=""),
    )
    for roots in ((good, bad), (bad, good)):
        found = values(dataclasses.replace(RICH, roots=roots))
        assert found["mediaserver_root_available", "Music"] == 0


def test_no_figure_names_a_device_or_a_path() -> None:
    """security.md N4: anybody on the network may read it."""
    text = exposition(RICH, (), "text/plain")[0].decode()
    assert "192.0.2" not in text
    assert "/srv" not in text
