"""What was measured of a release when it was made: beside its manifest, and kept longer than what it refers to."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pipelines.store import NotFoundError, Store

METRICS, CENTROID, QUERIES = "metrics.json", "centroid.json", "queries.parquet"


@dataclass(frozen=True)
class Measures:
    """The numbers of a release by name, the mean of its gallery's vectors, and a Parquet table with a row a query.

    Releases that were made before these were kept have an empty `centroid` or no `queries`.
    """

    release_id: str
    metrics: dict[str, float]
    centroid: list[float]
    queries: bytes | None


def metrics_json(metrics: dict[str, float]) -> bytes:
    """Return the bytes of the metrics' file."""
    return json.dumps(metrics, indent=1, sort_keys=True).encode()


def read_measures(store: Store, release_id: str) -> Measures | None:
    """Return what was measured of a release, or None when it is gone."""
    folder = f"releases/{release_id}"
    try:
        metrics = store.read_json(f"{folder}/{METRICS}")
    except NotFoundError:
        return None
    centroid = store.read_json(f"{folder}/{CENTROID}")["mean"] if store.exists(f"{folder}/{CENTROID}") else []
    queries = store.read(f"{folder}/{QUERIES}") if store.exists(f"{folder}/{QUERIES}") else None
    return Measures(release_id, metrics, centroid, queries)
