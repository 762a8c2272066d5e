"""``/metrics`` in the formats of Prometheus, from values that are read when asked for."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from mediaserver.web.status import Status
from mediaserver.web.wording import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A figure some part of the program keeps.

    ``read`` gives the value, or with ``label`` the value for each value of that label. A counter
    only rises; its name ends in ``_total``.
    """

    name: str
    help: str
    kind: Literal["counter", "gauge"]
    read: Callable[[], float | Mapping[str, float]]
    label: str | None = None


def exposition(status: Status, measures: Iterable[Measure], accept: str) -> tuple[bytes, str]:
    """The text and its content type, in the format that ``accept`` prefers."""
    registry = CollectorRegistry()
    ProcessCollector(namespace="mediaserver", registry=registry)
    registry.register(_Snapshot(status, measures))
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class _Snapshot(Collector):
    def __init__(self, status: Status, measures: Iterable[Measure]) -> None:
        self._measures = [*_of_status(status), *measures]

    def collect(self) -> Iterator[Metric]:
        for measure in self._measures:
            family = GaugeMetricFamily if measure.kind == "gauge" else CounterMetricFamily
            metric = family(measure.name, measure.help, labels=[measure.label or ""])
            value = measure.read()
            if isinstance(value, Mapping):
                for label, one in value.items():
                    metric.add_metric([clean(label)], one)
            else:
                metric = family(measure.name, measure.help, value=value)
            yield metric


def _of_status(status: Status) -> Iterator[Measure]:
    library, scan = status.library, status.scan
    items = {"audio": library.audio, "video": library.video, "image": library.image}
    # Of several with one title those that cannot be read count: a label has one value.
    roots = sorted(status.roots, key=lambda root: root.reason is not None)
    yield _gauge("info", "Always 1.", {status.version: 1}, "version")
    yield _gauge("uptime_seconds", "Seconds since the program started.", status.uptime_seconds)
    yield _gauge("library_items", "Media items in the library.", items, "kind")
    yield _gauge("library_containers", "Containers in the library.", library.containers)
    yield _gauge("library_pending", "Files seen but not read yet.", library.pending)
    yield _gauge("library_unreadable", "Files that could not be understood.", library.unreadable)
    yield _gauge("system_update_id", "SystemUpdateID.", status.system_update_id)
    yield _gauge("scan_running", "1 while the media roots are scanned.", int(scan.running))
    yield _gauge("scan_files_per_second", "Files read in a second.", scan.files_per_second)
    yield _gauge(
        "root_available",
        "1 if the media root can be read.",
        {root.title: int(root.reason is None) for root in roots},
        "root",
    )
    yield _gauge("transfers", "Resources being sent.", len(status.transfers))
    yield _gauge("subscriptions", "Event subscriptions.", len(status.subscriptions))
    yield Measure(
        name="mediaserver_task_failures_total",
        help="Background tasks that failed and were started again.",
        kind="counter",
        read=lambda: {failure.task: failure.count for failure in status.failures},
        label="task",
    )


def _gauge(
    name: str, text: str, value: float | Mapping[str, float], label: str | None = None
) -> Measure:
    return Measure(
        name=f"mediaserver_{name}", help=text, kind="gauge", read=lambda: value, label=label
    )
