"""What the newest runs of a store took, and what its tables weigh: for estimates, on which no work depends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from pipelines.config import TrainSection
from pipelines.jobs.units import read_plan
from pipelines.models.facts import vector_tables
from pipelines.preprocess.asked import Asked
from pipelines.runs.manifest import Manifest, read_manifest
from pipelines.store import Store, UnitTable
from transforms.photo import PrepSpec

WORK = {"preprocess": "prepared", "embed": "inferred", "index": "built"}
"""The count of a stage's manifest that its time grows with, beside the number of photos."""
MOST_BEYOND = 10
"""Times as many requests as a run has made, to which what they took is stretched."""
RUNS = 30
UNITS = 10
HASH_BYTES, EMBEDDING_BYTES = 512, 1024


@dataclass(frozen=True)
class Sample:
    """What a stage took once: photos of the run, photos it had work with, seconds; requests that brought no photo."""

    photos: int
    work: int
    seconds: float
    rechecked: int = 0


@dataclass(frozen=True)
class Experience:
    """What the newest runs of a store took, by stage, and which indexes they made of which catalogue and model.

    Of the photos that came in the newest run that fetched any, `prepared_share` were prepared and `inferred_share`
    inferred: what is known by another address is not inferred again. `fetched_bytes` and `fetched` are those of photos
    behind addresses, in all these runs; `peak_bytes` the most memory of a process, by stage.
    """

    samples: Mapping[str, Sequence[Sample]]
    indexed: frozenset[tuple[str, str]]
    trained_s: float | None
    fetched: int = 0
    fetched_bytes: int = 0
    requests: int = 0
    peak_bytes: Mapping[str, int] | None = None
    prepared_share: float = 1.0
    inferred_share: float = 1.0

    def seconds(self, stage: str, photos: int, work: int, rechecked: int = 0) -> float:
        """Return how long a stage takes with so many photos, `work` of them new; 0 for a stage that never ran.

        `rechecked` are addresses that are asked only whether their photo has changed.
        """
        samples = self.samples.get(stage, ())
        return float(np.dot(_fit(samples), (work, rechecked, photos, 1.0))) if samples else 0.0

    def tells_of_asking(self, rechecked: int) -> bool:
        """Tell whether a run has ever asked about so many addresses, by order of magnitude, whether they changed."""
        most = max((sample.rechecked for sample in self.samples.get("preprocess", ())), default=0)
        return rechecked <= MOST_BEYOND * most


@dataclass(frozen=True)
class Weights:
    """Bytes that a store keeps for a prepared photo, a vector, and a photo in an index."""

    prepared: float
    vector: float
    indexed: float


def experience(store: Store) -> Experience:
    """Return what the newest runs took whose stages did their work; one that took another run's says nothing of it."""
    samples: dict[str, list[Sample]] = {}
    indexed: set[tuple[str, str]] = set()
    trained: list[float] = []
    peaks: dict[str, int] = {}
    came = dict.fromkeys(("fetched", "bytes", "requests"), 0)
    shares: dict[str, float] = {}
    for manifests in _newest_first(store):
        prepared, index = manifests.get("preprocess"), manifests.get("index")
        for stage, manifest in manifests.items():
            peaks[stage] = max(peaks.get(stage, 0), manifest.get("peak_memory_bytes", 0))
        if prepared is None:
            continue
        photos = prepared["counts"]["in"]
        shares = shares or _shares(manifests)
        if prepared["counts"].get("bytes"):
            came = {name: total + prepared["counts"][name] for name, total in came.items()}
        for stage, manifest in manifests.items():
            if manifest["outputs"].get("decision") == "trained":
                trained.append(manifest["seconds"])
                continue
            counts = manifest["counts"]
            work = counts.get(WORK.get(stage, ""), 0)
            work *= photos if stage == "index" else 1  # it is built as a whole, or not at all
            if not manifest.get("taken_from") and len(samples.setdefault(stage, [])) < RUNS:
                samples[stage].append(Sample(photos, work, manifest["seconds"], _rechecked(counts)))
        if index:
            indexed.add((prepared["outputs"]["catalogue_id"], index["outputs"]["model_id"]))
    last = trained[0] if trained else None
    return Experience(
        samples, frozenset(indexed), last, came["fetched"], came["bytes"], came["requests"], peaks, **shares
    )


def _shares(manifests: Mapping[str, Manifest]) -> dict[str, float]:
    """Return what shares of the photos that came in a run were prepared and inferred; nothing of one without any."""
    fetched = manifests["preprocess"]["counts"].get("fetched", 0)
    if not fetched:
        return {}
    done = {"prepared_share": ("preprocess", "prepared"), "inferred_share": ("embed", "inferred")}
    return {
        name: min(1.0, manifests[stage]["counts"].get(count, 0) / fetched)
        for name, (stage, count) in done.items()
        if stage in manifests
    }


def weights(store: Store, prep_id: str, space_id: str, index_id: str) -> Weights:
    """Return what a store's tables weigh; photos of a preparation that it has not seen by their area."""
    images = _row_bytes(store, f"images/{prep_id}")
    if images is None:
        images = _by_area(store, prep_id)
    vectors = (_row_bytes(store, table) for table in vector_tables(store, space_id))
    vector = next((found for found in vectors if found is not None), None)
    size = sum(entry.size_bytes for entry in store.list(f"indexes/{index_id}"))
    rows = store.read_json(f"indexes/{index_id}/index.json")["counts"]["vectors"]
    return Weights(images, vector or HASH_BYTES + EMBEDDING_BYTES, size / max(1, rows))


def training_seconds(section: TrainSection, experienced: Experience) -> float | None:
    """Return how long a training takes; None when it goes by steps and there was none yet."""
    if section.steps is None and section.hash_steps is None:
        return 60 * (section.minutes + section.hash_minutes)
    return experienced.trained_s


def _newest_first(store: Store) -> list[dict[str, Manifest]]:
    runs = []
    for run_id in store.folders("runs"):
        found = {stage: read_manifest(store, run_id, stage) for stage in store.folders(f"runs/{run_id}")}
        manifests = {stage: manifest for stage, manifest in found.items() if manifest is not None}
        if manifests:
            runs.append((max(m["finished_at"] for m in manifests.values()), manifests))
    return [manifests for _, manifests in sorted(runs, key=lambda run: run[0], reverse=True)]


def last_changed(store: Store) -> tuple[int, int] | None:
    """Return how many photos the newest run that asked has found changed at least, and of how many; None of no such."""
    for manifests in _newest_first(store):
        prepared = manifests.get("preprocess")
        if prepared is None or not prepared["counts"].get("requests"):
            continue
        plan = read_plan(store, f"runs/{prepared['run_id']}/preprocess")
        asked = Asked.of_json(plan[1].get("asked", {})) if plan else Asked()
        if asked.rechecked:  # of what came, those that were not had before are not known to have come
            return min(asked.rechecked, max(0, prepared["counts"]["fetched"] - asked.fetched)), asked.rechecked
    return None


def _rechecked(counts: Mapping[str, int]) -> int:
    return max(0, counts.get("requests", 0) - counts.get("fetched", 0))


def _fit(samples: Iterable[Sample]) -> np.ndarray:
    """Return `[4]` float64 seconds: a photo of work, one rechecked, a photo, a start.

    None is negative, and the relative errors are least. Where the samples do not tell these apart, as one alone does
    not, the work has it all.
    """
    rows = np.array([(s.work, s.rechecked, s.photos, 1.0) for s in samples])
    seconds = np.array([max(s.seconds, 0.01) for s in samples])
    scale = np.maximum(rows.max(axis=0), 1.0)
    found: np.ndarray = nnls(rows / scale / seconds[:, None], np.ones(len(seconds)))[0]
    return found / scale


def _row_bytes(store: Store, prefix: str) -> float | None:
    """Return the bytes a row of a unit table, by its first units; None of a table without data."""
    table, sizes = UnitTable(store, prefix), {e.name: e.size_bytes for e in store.list(prefix)}
    size = rows = 0
    for unit_id in table.unit_ids()[:UNITS]:
        keys = table.read_keys(unit_id)
        data = (keys.schema.metadata or {}).get(b"data", b"").decode()
        size += sizes.get(f"{prefix}/{data}", 0)
        rows += int((keys.schema.metadata or {}).get(b"rows", b"0"))
    return size / rows if rows else None


def _by_area(store: Store, prep_id: str) -> float:
    area = _area(prep_id)
    for other in store.folders("images"):
        found = _row_bytes(store, f"images/{other}")
        if found is not None:
            return found * area / _area(other)
    return float(area)


def _area(prep_id: str) -> int:
    spec = PrepSpec.from_prep_id(prep_id)
    return spec.height * spec.width
