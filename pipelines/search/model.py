"""The exported model, as a query needs it: prepared JPEG bytes -> what the plan takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from pipelines.index.outputs import AttributeScores, QueryOutputs
from pipelines.model import ModelFacts, Signature, category_outputs
from pipelines.stage import StageError
from pipelines.store import Store


class QueryModel:
    """A loaded model."""

    def __init__(self, store: Store, facts: ModelFacts) -> None:
        self._facts, self._serve = facts, Signature(store, facts.model_id, "serve_prepared")

    def __call__(self, jpegs: Sequence[bytes]) -> QueryOutputs:
        """Return one forward pass over prepared photos."""
        raw = self._serve(list(jpegs))
        attributes = {
            name: AttributeScores(values, raw[f"attribute_probabilities_{name}"])
            for name, values in self._facts.attributes.items()
        }
        return QueryOutputs(raw["embedding"], raw.get("hash"), self._probabilities(raw), attributes)

    def close(self) -> None:
        """Give up the local copy of the model."""
        self._serve.close()

    def _probabilities(self, raw: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float32] | None:
        """Return float32 `[n, slots]` of the finest level, each column moved to its permanent slot."""
        names = category_outputs(raw)
        if not names or not self._facts.levels:
            return None
        return by_slot(raw[names[-1]], self._facts.levels[-1])


def by_slot(probabilities: npt.NDArray[Any], slots: Sequence[int]) -> npt.NDArray[np.float32]:
    """Return `[n, 1 + highest slot]` float32 with column i of `[n, len(slots)]` at slots[i], 0 elsewhere."""
    if probabilities.shape[1] != len(slots):
        raise StageError(
            f"the model has {probabilities.shape[1]} categories of the finest level, its model.json names {len(slots)} "
            "slots; export it again"
        )
    dense = np.zeros((len(probabilities), 1 + max(slots)), np.float32)
    dense[:, list(slots)] = probabilities
    return dense
