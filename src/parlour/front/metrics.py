"""What the front counts, for Prometheus."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

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
        self._requests = Counter(
            "parlour_http_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "parlour_http_request_seconds",
            "Seconds from a request's head to the end of its answer.",
            ["route"],
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request. ``route`` is the path's template, so that labels stay few."""
        key = (method if method in METHODS else "other", route, status)
        counter = self._counters.get(key)
        if counter is None:
            counter = self._counters[key] = self._requests.labels(key[0], route, str(status))
        histogram = self._histograms.get(route)
        if histogram is None:
            histogram = self._histograms[route] = self._seconds.labels(route)
        counter.inc()
        histogram.observe(seconds)

    def exposition(self) -> tuple[bytes, str]:
        """The figures and their media type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
