"""What a model says of the photos of a query, as the plan takes it.

Owns the shapes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.tables.arrays import Array, Floats, Ints


@dataclass(frozen=True)
class AttributeScores:
    """Hold what a model thinks of one attribute: `values` and their `probabilities` float32 `[num_queries, values]`."""

    values: Sequence[str]
    probabilities: Floats


@dataclass(frozen=True)
class QueryOutputs:
    """Hold one forward pass over photos.

    `embeddings` float32 `[num_queries, dim]`, L2-normalised. `hashes` uint8 `[num_queries, bytes]`. `probabilities`
    float32 `[num_queries, slots]` of the leaf categories that the index is cut by, a column a slot. Hashes and
    probabilities are needed by binary plans alone.
    """

    embeddings: Floats
    hashes: Array | None = None
    probabilities: Floats | None = None
    attributes: Mapping[str, AttributeScores] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, array in (("hashes", self.hashes), ("probabilities", self.probabilities)):
            if array is not None and len(array) != len(self.embeddings):
                raise ValueError(f"{len(self.embeddings)} embeddings but {len(array)} {name}: pass one of each a query")

    def __len__(self) -> int:
        return len(self.embeddings)

    def take(self, queries: Ints) -> "QueryOutputs":
        """Return the outputs of some `queries`, by position."""
        return QueryOutputs(
            self.embeddings[queries],
            None if self.hashes is None else self.hashes[queries],
            None if self.probabilities is None else np.asarray(self.probabilities[queries], np.float32),
            {
                name: AttributeScores(scores.values, scores.probabilities[queries])
                for name, scores in self.attributes.items()
            },
        )
