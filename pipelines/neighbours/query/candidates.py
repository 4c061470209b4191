"""From a model's outputs to candidates with exact scores: the searching half of a query plan.

Owns the choice of categories and of the index that is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.kinds.base import SearchResult, VectorIndex
from pipelines.neighbours.kinds.binary import BinaryIndex
from pipelines.neighbours.kinds.exact import ExactIndex
from pipelines.neighbours.kinds.rerank import rerank
from pipelines.neighbours.query.categories import choose, fuse, vote
from pipelines.neighbours.rows import Rows
from pipelines.neighbours.settings import PlanConfig
from pipelines.tables.arrays import Array, Ints


@dataclass(frozen=True)
class Parts:
    """Hold the opened pieces of an index: what a plan searches.

    `vectors` `[rows, dim]`; `indexes` by kind, `exact` always among them; `trained` the category slots that the model
    can predict (None: every column of its probabilities); `live_links` bool `[links]`.
    """

    vectors: Array
    rows: Rows
    exact: ExactIndex
    indexes: Mapping[str, VectorIndex]
    binary: BinaryIndex | None
    trained: Ints | None
    live_links: Array


@dataclass(frozen=True)
class Candidates:
    """Hold the candidates of some queries.

    `result`: their rows with exact scores. `scanned` int64 `[num_queries]`: vectors or codes compared, -1 where the
    index does not say. `depth` int64 `[num_queries]`: how many rows were scored exactly or offered by an index.
    """

    result: SearchResult
    scanned: Ints
    depth: Ints


class CandidateFinder:
    """Find the rows that a plan ranks."""

    def __init__(self, parts: Parts, config: PlanConfig) -> None:
        for kind in config.kinds:
            if not (kind == "exact" or kind in parts.indexes or (kind == "binary" and parts.binary)):
                built = ", ".join(["exact", *parts.indexes, *(["binary"] if parts.binary else [])])
                raise ValueError(f"the plan searches {kind!r}, the index holds {built}: add {kind!r} to index.kinds")
        self._parts, self._config = parts, config

    def with_votes(self, outputs: QueryOutputs) -> QueryOutputs:
        """Return `outputs` with the neighbours' votes fused into the probabilities, where the plan wants them."""
        config, parts = self._config, self._parts
        if outputs.probabilities is None or not config.vote_weight:
            return outputs
        index = parts.indexes.get(config.vote_kind, parts.exact)
        neighbours = index.search(outputs.embeddings, config.vote_neighbours)
        votes = vote(neighbours, parts.rows.row_slots, outputs.probabilities.shape[1])
        return replace(outputs, probabilities=fuse(outputs.probabilities, votes, config.vote_weight))

    def find(self, outputs: QueryOutputs, fetch: int, effort: int) -> Candidates:
        """Return about `fetch` candidates of each query; a larger `effort` looks further."""
        fetch = min(fetch, len(self._parts.rows))
        if self._config.kind == "binary":
            return self._by_codes(outputs, fetch, effort)
        index = self._parts.indexes.get(self._config.kind, self._parts.exact)
        scanned = len(self._parts.rows) if index.is_exact else -1
        result = index.search(outputs.embeddings, fetch, effort)
        return Candidates(result, np.full(len(outputs), scanned), np.full(len(outputs), fetch))

    def _by_codes(self, outputs: QueryOutputs, fetch: int, effort: int) -> Candidates:
        config, binary = self._config, self._parts.binary
        if binary is None or outputs.hashes is None:
            raise ValueError("a binary plan needs the model's hashes: pass QueryOutputs.hashes or choose another kind")
        slots = None
        if outputs.probabilities is not None:
            count = config.top_categories * effort
            slots = choose(outputs.probabilities, binary.slots, self._parts.trained, count, config.category_mass)
        scanned = binary.scanned(slots, len(outputs))
        wanted = np.ceil(config.depth_fraction * scanned).astype(np.int64)
        depths = np.minimum(np.clip(wanted, config.depth_min, config.depth_max) * effort, scanned)
        rows = binary.search(outputs.hashes, slots, depths)
        return Candidates(rerank(self._parts.vectors, outputs.embeddings, rows, fetch), scanned, depths)
