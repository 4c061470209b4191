"""What the service counts and measures, for Prometheus; names and units are those of its naming guide.

https://prometheus.io/docs/practices/naming. Each service has a registry of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

PREFIX = "visual_search_serving"
SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
STEPS = ("upload", "prepare", "wait", "model", "search")
"""The steps of a query by photo: its body is read, it is prepared, waits for a batch, and is embedded and searched."""
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The metrics of one service."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = self._counter("requests", "Requests answered.", "route", "method", "status")
        self.request_seconds = self._histogram("request_seconds", "From a request's headers to its answer.", "route")
        self.step_seconds = self._histogram("step_seconds", "What a query by photo waits for, by step.", "step")
        self.batch_photos = Histogram(
            f"{PREFIX}_batch_photos",
            "Photos that went through the model at once.",
            buckets=SIZES,
            registry=self.registry,
        )
        self.queue_photos = self._gauge("queue_photos", "Photos that were admitted and are not answered yet.")
        self.queue_limit = self._gauge("queue_limit_photos", "The most that are admitted.")
        self.refused = self._counter("refused", "Queries that were refused or given up, by problem.", "code")
        self.queries = self._counter(
            "queries", "Queries asked, a photo or an item each, by the name of the key.", "key"
        )
        self.release = self._gauge("release", "1 for the release that answers.", "release_id", "model_id", "index_id")
        self.live_number = self._gauge("live_log_number", "The entry of the live log whose release answers.")
        self.swaps = self._counter("release_swaps", "Releases that began to answer.")
        self.refusals = self._counter("release_refusals", "Attempts to load a release that failed.", "reason")
        self.behind = self._gauge("release_refused", "1 while what is live could not be loaded, by reason.", "reason")
        self.load_seconds = self._gauge("release_load_seconds", "How long the release that answers took to load.")
        self.open_releases = self._gauge(
            "releases_in_memory", "Releases in memory: 2 while one is swapped or compared."
        )
        self.predicted = self._gauge("release_predicted_bytes", "Memory that the release was predicted to take.")
        self.available = self._gauge("available_memory_bytes", "Memory that another release may take.")
        self.store_seconds = self._gauge(
            "store_unreachable_seconds", "Since when the store does not answer; 0 if it does."
        )
        self.hidden = self._gauge("hidden_items", "Items that are hidden.")

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure one of STEPS."""
        started = perf_counter()
        try:
            yield
        finally:
            self.step_seconds.labels(name).observe(perf_counter() - started)

    def text(self) -> bytes:
        """Return all of them as Prometheus reads them."""
        return generate_latest(self.registry)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(f"{PREFIX}_{name}", meaning, labels, registry=self.registry)

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return Gauge(f"{PREFIX}_{name}", meaning, labels, registry=self.registry)

    def _histogram(self, name: str, meaning: str, *labels: str) -> Histogram:
        return Histogram(f"{PREFIX}_{name}", meaning, labels, buckets=SECONDS, registry=self.registry)
