"""The live release that a new one is compared with.

Owns reading it back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from pipelines.store import Log, NotFoundError, Store


@dataclass(frozen=True)
class Baseline:
    """The live release: its manifest, its metrics, and the mean of its gallery's vectors (empty when unknown)."""

    release_id: str
    manifest: dict[str, Any]
    metrics: dict[str, float]
    centroid: list[float] = field(default_factory=list)

    @property
    def model_id(self) -> str:
        """The model of the live release."""
        return str(self.manifest["model"]["model_id"])

    @property
    def space_id(self) -> str:
        """The vector space of the live release."""
        return str(self.manifest["model"]["space_id"])

    @property
    def index_id(self) -> str:
        """The index of the live release."""
        return str(self.manifest["index"]["index_id"])

    @property
    def catalogue_id(self) -> str:
        """The catalogue of the live release."""
        return str(self.manifest["catalogue_id"])


def read_baseline(store: Store) -> Baseline | None:
    """Return the live release, or None when nothing is live. Raises NotFoundError when its objects are gone."""
    release_id = live_release_id(store)
    if release_id is None:
        return None
    folder = f"releases/{release_id}"
    try:
        centroid = store.read_json(f"{folder}/centroid.json")["mean"]
    except NotFoundError:
        centroid = []
    return Baseline(
        release_id, store.read_json(f"{folder}/manifest.json"), store.read_json(f"{folder}/metrics.json"), centroid
    )


PREFIX: Final = "live"


def live_release_id(store: Store) -> str | None:
    """Return the id of the live release, or None of a store that has none."""
    _, entry = Log(store, PREFIX).head()
    return str(entry["release_id"]) if entry else None
