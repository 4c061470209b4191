"""From a model's outputs to candidates with exact scores: the searching half of a query plan.

Owns the choice of categories and of the index that is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.kinds.base import SearchResult
from pipelines.neighbours.kinds.rerank import rerank
from pipelines.neighbours.query.categories import choose, fuse, vote
from pipelines.neighbours.query.exclusion import Exclusion
from pipelines.neighbours.query.parts import Parts
from pipelines.neighbours.query.voters import Voters
from pipelines.neighbours.settings import PlanConfig
from pipelines.tables.arrays import Ints

SPARE_VOTERS = 3
"""Neighbours fetched for each that votes: photos of the query's own item, and of the test split, drop out."""


@dataclass(frozen=True)
class Candidates:
    """Hold the candidates of some queries.

    `result`: their rows with exact scores. `scanned` int64 `[num_queries]`: vectors or codes compared, -1 where the
    index does not say. `depth` int64 `[num_queries]`: how many rows were scored exactly or offered by an index.
    `categories`: the slots that each query scanned, None where they are not chosen by category.
    """

    result: SearchResult
    scanned: Ints
    depth: Ints
    categories: Sequence[Ints] | None = None


class CandidateFinder:
    """Find the rows that a plan ranks."""

    def __init__(self, parts: Parts, config: PlanConfig) -> None:
        for kind in config.kinds:
            if not (kind == "exact" or kind in parts.indexes or (kind == "binary" and parts.binary)):
                built = ", ".join(["exact", *parts.indexes, *(["binary"] if parts.binary else [])])
                raise ValueError(f"the plan searches {kind!r}, the index holds {built}: add {kind!r} to index.kinds")
        self._parts, self._config = parts, config
        self._voters = Voters(parts.rows, parts.live_links)
        self._mass = parts.category_mass if config.category_mass is None else config.category_mass

    def with_votes(self, outputs: QueryOutputs, exclusions: Sequence[Exclusion]) -> QueryOutputs:
        """Return `outputs` with the neighbours' votes fused into the probabilities, where the plan wants them."""
        config, parts = self._config, self._parts
        if outputs.probabilities is None or not config.vote_weight:
            return outputs
        index = parts.indexes.get(config.vote_kind, parts.exact)
        neighbours = index.search(outputs.embeddings, min(SPARE_VOTERS * config.vote_neighbours, len(parts.rows)))
        slots = self._voters.slots(neighbours, exclusions, config.vote_neighbours)
        votes = vote(neighbours.scores, slots, outputs.probabilities.shape[1])
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
            slots = choose(outputs.probabilities, binary.slots, self._parts.trained, count, self._mass)
        scanned = binary.scanned(slots, len(outputs))
        wanted = np.ceil(config.depth_fraction * scanned).astype(np.int64)
        depths = np.minimum(np.clip(wanted, config.depth_min, config.depth_max) * effort, scanned)
        rows = binary.search(outputs.hashes, slots, depths)
        found = rerank(self._parts.vectors, outputs.embeddings, rows, fetch)
        return Candidates(found, scanned, depths, slots)
