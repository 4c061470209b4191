"""The plan of a query: categories, candidates, exact scores, re-ranking, folding, until enough live results are found.

Owns the order of the steps, so that evaluation measures what serving does. Must not open files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pipelines.index.base import Array, Floats, Ints, SearchResult, VectorIndex, blocks
from pipelines.index.binary import BinaryIndex
from pipelines.index.categories import choose, fuse, vote
from pipelines.index.exact import ExactIndex
from pipelines.index.outputs import QueryOutputs
from pipelines.index.ranking import Ranker, fold
from pipelines.index.rerank import rerank
from pipelines.index.rows import Rows
from pipelines.index.settings import PlanConfig

QUERY_BLOCK = 256
ROUNDS = 3
GROWTH = 4
"""Each further round looks at this many times as many rows, lists and categories; then the search is exact."""

NONE: Ints = np.zeros(0, np.int64)


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
class Exclusion:
    """Say what one query must not find: items and groups of variants, by number."""

    items: Ints = field(default_factory=lambda: NONE)
    groups: Ints = field(default_factory=lambda: NONE)


@dataclass
class PlanResult:
    """Hold the answers of a plan.

    By query: `links` and their `scores`, best first; `scanned` int64 `[num_queries]`, vectors or codes compared in the
    first round (-1 where the index does not say); `depth`, the rows scored exactly in it; `rounds`, how often it had to
    look further.
    """

    links: list[Ints]
    scores: list[Floats]
    scanned: Ints
    depth: Ints
    rounds: Ints


class QueryPlan:
    """Answer queries as a `PlanConfig` says."""

    def __init__(self, parts: Parts, config: PlanConfig) -> None:
        for kind in config.kinds:
            if not (kind == "exact" or kind in parts.indexes or (kind == "binary" and parts.binary)):
                built = ", ".join(["exact", *parts.indexes, *(["binary"] if parts.binary else [])])
                raise ValueError(f"the plan searches {kind!r}, the index holds {built}: add {kind!r} to index.kinds")
        self._parts, self._config = parts, config
        self._ranker = Ranker(parts.rows, config)
        self._keys = {"item": parts.rows.link_item, "group": parts.rows.link_group}.get(config.fold)
        self._live_rows = np.zeros(len(parts.rows), bool)
        self._live_rows[parts.rows.link_row[parts.live_links]] = True
        keys = np.flatnonzero(parts.live_links) if self._keys is None else self._keys[parts.live_links]
        self._num_live = len(np.unique(keys))

    def run(self, outputs: QueryOutputs, k: int, exclusions: Sequence[Exclusion] | None = None) -> PlanResult:
        """Return the best `k` live results of each query, fewer only where the index holds fewer."""
        if k < 1:
            raise ValueError(f"k is {k}: ask for at least one result")
        if exclusions is None:
            exclusions = [Exclusion()] * len(outputs)
        done = PlanResult([NONE] * len(outputs), [np.zeros(0, np.float32)] * len(outputs), *_counters(len(outputs)))
        for part in blocks(len(outputs), QUERY_BLOCK):
            self._run_block(outputs, np.arange(part.start, part.stop), k, exclusions, done)
        return done

    def _run_block(
        self, outputs: QueryOutputs, queries: Ints, k: int, exclusions: Sequence[Exclusion], done: PlanResult
    ) -> None:
        asked = self._with_categories(outputs.take(queries))
        pending = np.arange(len(queries))
        fetch = max(k * self._config.overfetch, self._config.rerank_pool if self._config.reranks else 0)
        for attempt in range(ROUNDS + 1):
            some, effort = asked.take(pending), GROWTH**attempt
            if attempt < ROUNDS:
                found = self._candidates(some, fetch * effort, effort, queries[pending], done)
                self._rank(found, some, queries[pending], k, exclusions, done)
            else:
                self._rank_exactly(some, queries[pending], k, exclusions, done)
            pending = pending[[self._lacks(done, queries[p], k, exclusions[queries[p]]) for p in pending]]
            if not len(pending):
                return
            done.rounds[queries[pending]] += 1

    def _lacks(self, done: PlanResult, query: int, k: int, exclusion: Exclusion) -> bool:
        found = len(done.links[query])
        return found < min(k, self._num_live) and found < self._reachable(k, exclusion)

    def _reachable(self, k: int, exclusion: Exclusion) -> int:
        if not len(exclusion.items) and not len(exclusion.groups):
            return min(k, self._num_live)
        rows = self._parts.rows
        allowed = self._parts.live_links & self._permitted(np.arange(len(rows.link_item)), exclusion)
        keys = np.flatnonzero(allowed) if self._keys is None else self._keys[allowed]
        return min(k, len(np.unique(keys)))

    def _with_categories(self, outputs: QueryOutputs) -> QueryOutputs:
        config, parts = self._config, self._parts
        if outputs.probabilities is None or not config.vote_weight:
            return outputs
        index = parts.indexes.get(config.vote_kind, parts.exact)
        neighbours = index.search(outputs.embeddings, config.vote_neighbours)
        votes = vote(neighbours, parts.rows.row_slots, outputs.probabilities.shape[1])
        fused = fuse(outputs.probabilities, votes, config.vote_weight)
        return QueryOutputs(outputs.embeddings, outputs.hashes, fused, outputs.attributes)

    def _candidates(
        self, outputs: QueryOutputs, fetch: int, effort: int, queries: Ints, done: PlanResult
    ) -> SearchResult:
        fetch = min(fetch, len(self._parts.rows))
        if self._config.kind == "binary":
            return self._by_codes(outputs, fetch, effort, queries, done)
        index = self._parts.indexes.get(self._config.kind, self._parts.exact)
        found = index.search(outputs.embeddings, fetch, effort)
        if effort == 1:
            done.depth[queries] = fetch
            done.scanned[queries] = len(self._parts.rows) if index.is_exact else -1
        return found

    def _by_codes(
        self, outputs: QueryOutputs, fetch: int, effort: int, queries: Ints, done: PlanResult
    ) -> SearchResult:
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
        if effort == 1:
            done.scanned[queries], done.depth[queries] = scanned, depths
        return rerank(self._parts.vectors, outputs.embeddings, rows, fetch)

    def _rank(
        self,
        found: SearchResult,
        outputs: QueryOutputs,
        queries: Ints,
        k: int,
        exclusions: Sequence[Exclusion],
        done: PlanResult,
    ) -> None:
        for position, query in enumerate(queries):
            known = found.rows[position] >= 0
            links, scores = self._folded(
                found.rows[position][known], found.scores[position][known], outputs, position, exclusions[query]
            )
            done.links[query], done.scores[query] = links[:k], scores[:k]

    def _folded(
        self, rows: Ints, similarities: Floats, outputs: QueryOutputs, query: int, exclusion: Exclusion
    ) -> tuple[Ints, Floats]:
        tables = self._parts.rows
        links = tables.links_of_rows(rows)
        spread = np.repeat(similarities, tables.link_offsets[rows + 1] - tables.link_offsets[rows])
        allowed = self._parts.live_links[links] & self._permitted(links, exclusion)
        links, spread = links[allowed], spread[allowed]
        scores = self._ranker.scores(links, spread, outputs, query)
        return fold(links, scores, links if self._keys is None else self._keys[links])

    def _permitted(self, links: Ints, exclusion: Exclusion) -> Array:
        permitted = np.ones(len(links), bool)
        if len(exclusion.items):
            permitted &= ~np.isin(self._parts.rows.link_item[links], exclusion.items)
        if len(exclusion.groups):
            permitted &= ~np.isin(self._parts.rows.link_group[links], exclusion.groups)
        return permitted

    def _rank_exactly(
        self, outputs: QueryOutputs, queries: Ints, k: int, exclusions: Sequence[Exclusion], done: PlanResult
    ) -> None:
        live = int(self._live_rows.sum())
        for position, query in enumerate(queries):
            one, fetch = outputs.take(np.array([position])), k * self._config.overfetch
            while True:
                fetch = min(fetch, live)
                found = self._parts.exact.search(one.embeddings, max(1, fetch), live=self._live_rows)
                self._rank(found, one, queries[position : position + 1], k, exclusions, done)
                if fetch >= live or not self._lacks(done, int(query), k, exclusions[query]):
                    break
                fetch *= GROWTH


def _counters(num_queries: int) -> tuple[Ints, Ints, Ints]:
    return np.full(num_queries, -1, np.int64), np.zeros(num_queries, np.int64), np.zeros(num_queries, np.int64)
