"""The plan of a query: candidates, re-ranking, folding, until enough live results are found.

Owns the order of the steps, so that evaluation measures what serving does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.kinds.base import SearchResult, blocks
from pipelines.neighbours.query.candidates import CandidateFinder, Candidates
from pipelines.neighbours.query.exclusion import NONE, Exclusion
from pipelines.neighbours.query.parts import Parts
from pipelines.neighbours.query.ranking import Ranker, fold_each
from pipelines.neighbours.settings import PlanConfig
from pipelines.tables.arrays import Array, Floats, Ints

QUERY_BLOCK = 256
FEW_ROWS = 20_000
"""A filter that leaves no more photos than this is answered exactly: to look for them in an index costs more."""
ROUNDS = 3
GROWTH = 4
"""Each further round looks at this many times as many rows, lists and categories; then the search is exact."""


@dataclass
class PlanResult:
    """Hold the answers of a plan.

    By query: `links` and their `scores`, best first; `scanned` int64 `[num_queries]`, vectors or codes compared in the
    first round (-1 where the index does not say); `depth`, the rows scored exactly in it; `rounds`, how often it had to
    look further; `categories`, the slots scanned in the first round, none of them where all that a filter leaves was
    compared, None for a plan that does not go by category.
    """

    links: list[Ints]
    scores: list[Floats]
    scanned: Ints
    depth: Ints
    rounds: Ints
    categories: list[Ints] | None = None


@dataclass(frozen=True)
class _Asked:
    """A block of queries: what the model says of them, what they must not find, and where their answers go.

    `numbers` are their positions in `done`.
    """

    outputs: QueryOutputs
    numbers: Ints
    exclusions: Sequence[Exclusion]
    k: int
    done: PlanResult

    def keep_effort(self, found: Candidates) -> None:
        self.done.scanned[self.numbers], self.done.depth[self.numbers] = found.scanned, found.depth
        if found.categories is not None:
            if self.done.categories is None:
                self.done.categories = [NONE] * len(self.done.links)
            for number, slots in zip(self.numbers, found.categories, strict=True):
                self.done.categories[number] = slots

    def take(self, positions: Ints) -> "_Asked":
        some = [self.exclusions[p] for p in positions]
        return _Asked(self.outputs.take(positions), self.numbers[positions], some, self.k, self.done)


class QueryPlan:
    """Answer queries as a `PlanConfig` says."""

    def __init__(self, parts: Parts, config: PlanConfig) -> None:
        self._parts, self._config = parts, config
        self._finder, self._ranker = CandidateFinder(parts, config), Ranker(parts, config)
        self._keys = {"item": parts.rows.link_item, "group": parts.rows.link_group}.get(config.fold)
        self._live_rows = np.zeros(len(parts.rows), bool)
        self._live_rows[parts.rows.link_row[parts.live_links]] = True
        self._num_live = self._distinct(parts.live_links)

    def run(self, outputs: QueryOutputs, k: int, exclusions: Sequence[Exclusion] | None = None) -> PlanResult:
        """Return the best `k` live results of each query, fewer only where the index holds fewer."""
        if k < 1:
            raise ValueError(f"k is {k}: ask for at least one result")
        if exclusions is None:
            exclusions = [Exclusion()] * len(outputs)
        done = PlanResult([NONE] * len(outputs), [np.zeros(0, np.float32)] * len(outputs), *_counters(len(outputs)))
        for part in blocks(len(outputs), QUERY_BLOCK):
            numbers = np.arange(part.start, part.stop)
            asked = self._finder.with_votes(outputs.take(numbers), exclusions[part])
            self._answer(_Asked(asked, numbers, exclusions[part], k, done))
        return done

    def look(self, outputs: QueryOutputs, k: int, attempt: int) -> Candidates:
        """Return the candidates of a round, from 0; the probabilities of `outputs` are with votes."""
        return self._finder.find(outputs, self._fetch(k) * GROWTH**attempt, GROWTH**attempt)

    def _fetch(self, k: int) -> int:
        return max(k * self._config.overfetch, self._config.rerank_pool if self._ranker.reranks else 0)

    def _answer(self, asked: _Asked) -> None:
        asked = self._answer_few(asked)
        for attempt in range(ROUNDS if len(asked.numbers) else 0):
            found = self.look(asked.outputs, asked.k, attempt)
            if not attempt:
                asked.keep_effort(found)
            self._rank(found.result, asked)
            asked = asked.take(self._lacking(asked))
            if not len(asked.numbers):
                return
            asked.done.rounds[asked.numbers] += 1
        for position in range(len(asked.numbers)):
            self._answer_exactly(asked.take(np.array([position])))

    def _answer_few(self, asked: _Asked) -> _Asked:
        """Answer the queries whose filters leave few photos; return the others."""
        few = np.array([e.only is not None and e.only.num_rows <= FEW_ROWS for e in asked.exclusions], bool)
        for position in np.flatnonzero(few):
            number, only = asked.numbers[position], asked.exclusions[int(position)].only
            asked.done.scanned[number] = asked.done.depth[number] = only.num_rows if only else 0
            if asked.done.scanned[number]:
                self._answer_exactly(asked.take(np.array([position])))
        return asked.take(np.flatnonzero(~few)) if few.any() else asked

    def _answer_exactly(self, asked: _Asked) -> None:
        [exclusion] = asked.exclusions
        among = self._live_rows if exclusion.only is None else self._live_rows & exclusion.only.rows
        live, fetch = int(among.sum()), self._fetch(asked.k)
        while True:
            self._rank(self._parts.exact.search(asked.outputs.embeddings, fetch, live=among), asked)
            if fetch >= live or not len(self._lacking(asked)):
                return
            fetch = min(fetch * GROWTH, live)

    def _lacking(self, asked: _Asked) -> Ints:
        """Return the positions of the queries that could have more results than they have."""
        short = min(asked.k, self._num_live)
        return np.array(
            [
                position
                for position, (number, exclusion) in enumerate(zip(asked.numbers, asked.exclusions, strict=True))
                if (count := len(asked.done.links[number])) < short and count < self._reachable(exclusion)
            ],
            np.int64,
        )

    def _reachable(self, exclusion: Exclusion) -> int:
        parts = (exclusion.items, exclusion.groups, exclusion.apart)
        if not any(map(len, parts)) and exclusion.only is None:
            return self._num_live
        every = np.arange(len(self._parts.live_links))
        return self._distinct(self._parts.live_links & exclusion.permitted(self._parts.rows, every))

    def _distinct(self, links: Array) -> int:
        return len(np.unique(np.flatnonzero(links) if self._keys is None else self._keys[links]))

    def _rank(self, found: SearchResult, asked: _Asked) -> None:
        links, similarities, queries = self._permitted(found, asked)
        every = np.arange(len(asked.numbers) + 1)
        scores = self._ranker.scores_of_each(links, similarities, asked.outputs, np.searchsorted(queries, every))
        kept = fold_each(scores, links if self._keys is None else self._keys[links], queries)
        links, scores = links[kept], scores[kept]
        starts = np.searchsorted(queries[kept], every)
        for number, start, stop in zip(asked.numbers, starts, starts[1:], strict=False):
            part = slice(start, min(start + asked.k, stop))
            asked.done.links[number], asked.done.scores[number] = links[part], scores[part]

    def _permitted(self, found: SearchResult, asked: _Asked) -> tuple[Ints, Floats, Ints]:
        """Return the links that may be found, query after query, with their similarities and the queries' positions."""
        tables, known = self._parts.rows, found.rows >= 0
        rows = found.rows[known]
        links, counts = tables.links_of_rows(rows), tables.link_offsets[rows + 1] - tables.link_offsets[rows]
        queries = np.repeat(np.nonzero(known)[0], counts)
        allowed = np.array(self._parts.live_links[links])
        cuts = np.searchsorted(queries, np.arange(len(asked.numbers) + 1))
        for position, exclusion in enumerate(asked.exclusions):
            if exclusion:
                part = slice(cuts[position], cuts[position + 1])
                allowed[part] &= exclusion.permitted(tables, links[part])
        return links[allowed], np.repeat(found.scores[known], counts)[allowed], queries[allowed]


def _counters(num_queries: int) -> tuple[Ints, Ints, Ints]:
    return np.full(num_queries, -1, np.int64), np.zeros(num_queries, np.int64), np.zeros(num_queries, np.int64)
