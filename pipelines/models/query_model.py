"""The exported model, as a query needs it: prepared JPEG bytes -> what the plan takes."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from pipelines.errors import StageError
from pipelines.models.facts import ModelFacts
from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.models.signature import Signature
from pipelines.store import Place, Store, UnitTable, rows_by_unit

PREPARED = "serve_prepared"
"""The signature that takes prepared photos."""


class Serves(Protocol):
    """What gives a signature's outputs: one loaded here, or in another process."""

    def __call__(self, values: Sequence[bytes]) -> Mapping[str, npt.NDArray[Any]]:
        """Return every output of one forward pass, by its name."""
        ...


class QueryModel:
    """A loaded model, which belongs to whoever has loaded it."""

    def __init__(self, facts: ModelFacts, serve: Serves) -> None:
        self._facts, self._serve = facts, serve

    def __call__(self, jpegs: Sequence[bytes]) -> QueryOutputs:
        """Return one forward pass over prepared photos."""
        raw = self._serve(list(jpegs))
        attributes = {
            name: AttributeScores(values, raw[f"attribute_probabilities_{name}"])
            for name, values in self._facts.attributes.items()
        }
        return QueryOutputs(raw["embedding"], raw.get("hash"), self._probabilities(raw), attributes)

    def _probabilities(self, raw: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32] | None:
        """Return float32 `[n, slots]` of the leaves, each column moved to its permanent slot, those retired at 0."""
        leaf = self._facts.leaf
        if not leaf.slots or leaf.output not in raw:
            return None
        return without_retired(by_slot(raw[leaf.output], leaf.slots), leaf.retired)


@contextmanager
def opened(store: Store, facts: ModelFacts) -> Iterator[QueryModel]:
    """Give a model of a store, loaded in this process."""
    with closing(Signature.of(store, facts.model_id, PREPARED)) as signature:
        yield QueryModel(facts, signature)


def by_slot(probabilities: npt.NDArray[Any], slots: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return `[n, 1 + highest slot]` float32 with column i of `[n, len(slots)]` at slots[i], 0 elsewhere."""
    if probabilities.shape[1] != len(slots):
        raise StageError(
            f"the model has {probabilities.shape[1]} leaf categories, its model.json names {len(slots)} slots; "
            "export it again"
        )
    dense = np.zeros((len(probabilities), 1 + max(slots)), np.float32)
    dense[:, list(slots)] = probabilities
    return dense


def without_retired(probabilities: npt.NDArray[np.float32], retired: Collection[int]) -> npt.NDArray[np.float32]:
    """Return `[n, slots]` with the retired slots at 0 and what they had shared out among the others, by their size."""
    gone = sorted(slot for slot in retired if slot < probabilities.shape[1])
    if not gone:
        return probabilities
    kept = probabilities.copy()
    kept[:, gone] = 0
    sums = kept.sum(axis=1, keepdims=True)
    return np.divide(kept, sums, out=kept, where=sums > 0)


BATCH = 64


def serve(store: Store, facts: ModelFacts, prep_id: str, places: Sequence[Place]) -> QueryOutputs:
    """Return what a model says of prepared photos, given by unit and row, in their order.

    Raises NotFoundError when a photo or the model is gone.
    """
    photos = read_photos(store, prep_id, places)
    with opened(store, facts) as model:
        return joined([model(photos[start : start + BATCH]) for start in range(0, len(photos), BATCH)])


def read_photos(store: Store, prep_id: str, places: Sequence[Place]) -> list[bytes]:
    """Return prepared JPEGs, given by unit and row, in their order."""
    found: dict[Place, bytes] = {}
    for unit, rows in rows_by_unit(places).items():
        images = UnitTable(store, f"images/{prep_id}").read_rows(unit, rows, ["image"])["image"].to_pylist()
        found.update({(unit, row): image for row, image in zip(rows, images, strict=True)})
    return [found[place] for place in places]


def joined(parts: Sequence[QueryOutputs]) -> QueryOutputs:
    """Return the outputs of batches as those of one."""
    hashes = [part.hashes for part in parts if part.hashes is not None]
    probabilities = [part.probabilities for part in parts if part.probabilities is not None]
    attributes = {
        name: AttributeScores(first.values, np.concatenate([part.attributes[name].probabilities for part in parts]))
        for name, first in parts[0].attributes.items()
    }
    return QueryOutputs(
        np.concatenate([part.embeddings for part in parts]),
        np.concatenate(hashes) if hashes else None,
        np.concatenate(probabilities) if probabilities else None,
        attributes,
    )


def largest_difference(stored: np.ndarray, served: np.ndarray) -> float:
    """Return the largest difference between two embeddings `[n, dim]` of the same photos, over all their dimensions."""
    return float(np.abs(stored - served).max(initial=0.0))
