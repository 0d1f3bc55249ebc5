"""What the front counts, for Prometheus."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


Figures = dict[str, float]


class _Workers(Collector):
    """What the media workers say of themselves, read when somebody looks."""

    def __init__(self, workers: Callable[[], dict[str, Figures]]) -> None:
        self._workers = workers

    def collect(self) -> "Iterable[Metric]":
        family = GaugeMetricFamily("parlour_worker", "Statistics of the media workers.", labels=["worker", "figure"])
        for worker, figures in self._workers().items():
            for figure, value in figures.items():
                family.add_metric([worker, figure], value)
        yield family


class _Statistics(Collector):
    """The ``statistics()`` of the objects that have them, read when somebody looks."""

    def __init__(self, sources: dict[str, Callable[[], Figures]]) -> None:
        self._sources = sources

    def collect(self) -> "Iterable[Metric]":
        for name, statistics in self._sources.items():
            family = GaugeMetricFamily(f"parlour_{name}", f"Statistics of the {name}.", labels=["figure"])
            for figure, value in statistics().items():
                family.add_metric([figure], value)
            yield family


@dataclass(slots=True)
class _Durations:
    """How many requests took how long: counts by bucket, the last one without a bound, and seconds altogether."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0


class _Requests(Collector):
    """What came and how long it took. Counted by hand: the client library takes a lock for each figure."""

    def __init__(self) -> None:
        self._counts: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._durations: defaultdict[str, _Durations] = defaultdict(_Durations)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        self._counts[method, route, status] += 1
        durations = self._durations[route]
        durations.counts[bisect_left(BUCKETS, seconds)] += 1
        durations.seconds += seconds

    def collect(self) -> "Iterable[Metric]":
        requests = CounterMetricFamily(
            "parlour_http_requests", "Requests answered.", labels=["method", "route", "status"]
        )
        for (method, route, status), count in self._counts.items():
            requests.add_metric([method, route, str(status)], count)
        yield requests
        seconds = HistogramMetricFamily(
            "parlour_http_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            labels=["route"],
        )
        bounds = [*map(floatToGoString, BUCKETS), "+Inf"]
        for route, durations in self._durations.items():
            seconds.add_metric([route], list(zip(bounds, accumulate(durations.counts), strict=True)), durations.seconds)
        yield seconds


class Metrics:
    """Requests by route, the statistics of what the front stands on, and those of the media workers."""

    def __init__(
        self, workers: Callable[[], dict[str, Figures]] | None = None, **sources: Callable[[], Figures]
    ) -> None:
        self._registry = CollectorRegistry()
        if workers is not None:
            self._registry.register(_Workers(workers))
        ProcessCollector(registry=self._registry)
        self._registry.register(_Statistics(sources))
        self._requests = _Requests()
        self._registry.register(self._requests)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. ``route`` is the path's template, so that labels stay few."""
        self._requests.count(method if method in METHODS else "other", route, status, seconds)

    def exposition(self) -> tuple[bytes, str]:
        """The figures and their media type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
