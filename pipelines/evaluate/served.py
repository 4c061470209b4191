"""The queries as serving sees them: the exported model run on their prepared photos.

Owns reading the photos and the forward pass. The stored vectors of the same photos come from the embed stage; that
both are equal is a measure of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipelines.evaluate.pictures import Place
from pipelines.index.outputs import AttributeScores, QueryOutputs
from pipelines.model import read_facts
from pipelines.search.model import QueryModel
from pipelines.store import Store, UnitTable

BATCH = 64


def serve(store: Store, model_id: str, prep_id: str, places: Sequence[Place]) -> QueryOutputs:
    """Return what a model says of prepared photos, given by unit and row, in their order.

    Raises NotFoundError when a photo or the model is gone.
    """
    photos = read_photos(store, prep_id, places)
    model = QueryModel(store, read_facts(store, model_id))
    try:
        return joined([model(photos[start : start + BATCH]) for start in range(0, len(photos), BATCH)])
    finally:
        model.close()


def read_photos(store: Store, prep_id: str, places: Sequence[Place]) -> list[bytes]:
    """Return prepared JPEGs, given by unit and row, in their order."""
    by_unit: dict[str, list[int]] = {}
    for unit, row in sorted(set(places)):
        by_unit.setdefault(unit, []).append(row)
    found: dict[Place, bytes] = {}
    for unit, rows in by_unit.items():
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
