"""Where one item stands in the plan of a query: at which step it falls out, and by what rank against which cut.

Owns no step: it asks those of the plan again, of which a search keeps only what passes. All that a search compares with
in vain is scanned, so this is for one query and one item.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.kinds.base import as_float32, blocks
from pipelines.neighbours.kinds.rerank import exact_scores
from pipelines.neighbours.query.candidates import CandidateFinder, Candidates
from pipelines.neighbours.query.exclusion import Exclusion
from pipelines.neighbours.query.parts import Parts
from pipelines.neighbours.query.plan import FEW_ROWS, ROUNDS, QueryPlan
from pipelines.neighbours.query.ranking import Ranker, fold
from pipelines.neighbours.settings import PlanConfig
from pipelines.tables.arrays import Array, Floats, Ints

APART, FILTER, CATEGORY, DEPTH, APPROXIMATE, FETCH, FOLD, RANK, SHOWN = STEPS = (
    "apart",
    "filter",
    "category",
    "depth",
    "approximate",
    "fetch",
    "fold",
    "rank",
    "shown",
)
"""The steps at which an item may fall out, in their order; it is among the results at the last."""
SCANNED_ROWS: Final = 65_536


@dataclass(frozen=True)
class PhotoStanding:
    """One photo of the item.

    `slot` is its category's. `scanned` tells whether the codes of that were compared, `distance` in how many bits they
    differ from the query's, `near` its place by that among those scanned; None for a plan without codes, `near` also
    where it was not scanned. `similarity` is the cosine, `exact_rank` its place by that among all photos of the index,
    `looked_at` whether it was scored.
    """

    image_uri: str
    slot: int
    scanned: bool | None
    distance: int | None
    near: int | None
    similarity: float
    exact_rank: int
    looked_at: bool


@dataclass(frozen=True)
class Standing:
    """Where an item stands.

    `step` is one of STEPS. `rounds` is how often the plan had to look further; all else is of its last round:
    `scanned` codes or vectors compared (-1 where the index does not say), `depth` nearest of them scored, `fetch`
    best of those ranked. `slots` are the categories scanned, the best first (None: not by category), `probability`
    that of the item's own, `mass` what the probabilities must sum to. `parts` make up the `score` of its best photo.
    `rank` is its place, or, where it was not ranked (`is_ranked`), the best that it could have had with its score;
    `results` of so many places are shown, the last one `last` with `last_score`. `before` is the item that stands for
    its group of variants.
    """

    step: str
    rounds: int
    scanned: int
    depth: int
    fetch: int
    photos: tuple[PhotoStanding, ...]
    slots: tuple[int, ...] | None
    probability: float | None
    mass: float | None
    parts: Mapping[str, float]
    score: float
    rank: int
    results: int
    last: str
    last_score: float
    before: str = ""

    @property
    def is_ranked(self) -> bool:
        """Whether the plan has ranked a photo of the item."""
        return any(photo.looked_at for photo in self.photos)


class Stander:
    """Tells where items stand in the plan of one query, `outputs` of one photo, of which `k` results are wanted."""

    def __init__(
        self, parts: Parts, config: PlanConfig, outputs: QueryOutputs, k: int, exclusion: Exclusion | None = None
    ) -> None:
        """Take in `exclusion` what a filter leaves, and what must not be found for this photo."""
        self._parts, self._config, self._k, self._exclusion = parts, config, k, exclusion or Exclusion()
        plan, finder = QueryPlan(parts, config), CandidateFinder(parts, config)
        self._ranker = Ranker(parts, config)
        self._asked = finder.with_votes(outputs, [self._exclusion])
        self._rounds = int(plan.run(outputs, k, [self._exclusion]).rounds[0])
        self._found: Candidates | None = None
        only = self._exclusion.only
        if self._rounds < ROUNDS and (only is None or only.num_rows > FEW_ROWS):
            self._found = plan.look(self._asked, k, self._rounds)
            known = self._found.result.rows[0] >= 0
            self._rows, similarities = self._found.result.rows[0][known], self._found.result.scores[0][known]
        else:  # everything is compared
            self._rows = np.flatnonzero(self._rows_of(self._permitted(np.arange(len(parts.live_links)))))
            similarities = self._exact(self._rows)
        self._links, self._spread = self._live(similarities)
        self._scores = self._ranker.scores(self._links, self._spread, self._asked, 0)
        self._ranked, self._values = fold(self._links, self._scores, self._keys(self._links))

    def standing(self, item: int) -> Standing:
        """Return where an item of the index stands, by its number."""
        own = self._parts.rows.links_of_item(item)
        photos = tuple(self._photo(int(link)) for link in own)
        mine = np.flatnonzero(np.isin(self._links, own))
        if not len(mine):
            best, score = self._passed_over(own)
            rank = 1 + int((self._values > score).sum())
            return self._told(self._passed_over_at(photos, own), photos, best, score, rank)
        best, score = (values[mine[np.argmax(self._scores[mine])]] for values in (self._links, self._scores))
        rank = 1 + int(np.flatnonzero(self._keys(self._ranked) == self._keys(np.array([best]))[0])[0])
        first = int(self._ranked[rank - 1])
        before = "" if self._parts.rows.link_item[first] == item else self._name(first)
        step = FOLD if before else RANK if rank > self._k else SHOWN
        return self._told(step, photos, int(best), float(score), rank, before)

    def _told(
        self, step: str, photos: tuple[PhotoStanding, ...], best: int, score: float, rank: int, before: str = ""
    ) -> Standing:
        """Return the standing of an item whose link `best` has the best score."""
        shown, found, compared = min(self._k, len(self._ranked)), self._found, len(self._rows)
        similarity = self._exact(self._parts.rows.link_row[[best]])
        sums = self._ranker.parts(np.array([best]), similarity, self._asked, 0)
        return Standing(
            step,
            self._rounds,
            int(found.scanned[0]) if found else compared,
            int(found.depth[0]) if found else compared,
            compared,
            photos,
            *self._categories(int(self._parts.rows.link_slot[best])),
            {name: float(values[0]) for name, values in sums.items()},
            score,
            rank,
            shown,
            self._name(int(self._ranked[shown - 1])) if shown else "",
            float(self._values[shown - 1]) if shown else 0.0,
            before,
        )

    def _passed_over(self, own: Ints) -> tuple[int, float]:
        """Return which link of an item that is not ranked would have had the best score, and that."""
        spread = np.concatenate([self._spread, self._exact(self._parts.rows.link_row[own])])
        scores = self._ranker.scores(np.concatenate([self._links, own]), spread, self._asked, 0)[len(self._links) :]
        return int(own[np.argmax(scores)]), float(scores.max())

    def _passed_over_at(self, photos: tuple[PhotoStanding, ...], own: Ints) -> str:
        """Return the step at which an item that is not ranked, and has the links `own`, fell out."""
        if not self._permitted(own).any():
            apart = replace(self._exclusion, only=None)
            return FILTER if apart.permitted(self._parts.rows, own).any() else APART
        if all(photo.scanned is None for photo in photos):
            return APPROXIMATE if min(photo.exact_rank for photo in photos) <= len(self._rows) else FETCH
        if not any(photo.scanned for photo in photos):
            return CATEGORY
        depth = int(self._found.depth[0]) if self._found else 0
        return FETCH if any(photo.near is not None and photo.near <= depth for photo in photos) else DEPTH

    def _live(self, similarities: Floats) -> tuple[Ints, Floats]:
        """Return the links of the candidates that may be found, with the similarities of their photos."""
        tables = self._parts.rows
        links = tables.links_of_rows(self._rows)
        spread = np.repeat(similarities, tables.link_offsets[self._rows + 1] - tables.link_offsets[self._rows])
        permitted = self._permitted(links)
        return links[permitted], spread[permitted].astype(np.float32)

    def _permitted(self, links: Ints) -> Array:
        """Return which links may be found, bool `[links]`."""
        permitted: Array = self._parts.live_links[links] & self._exclusion.permitted(self._parts.rows, links)
        return permitted

    def _rows_of(self, links: Array) -> Array:
        """Return the rows that have any of the links, both as bools."""
        rows = np.zeros(len(self._parts.rows), bool)
        rows[self._parts.rows.link_row[links]] = True
        return rows

    def _keys(self, links: Ints) -> Array:
        rows = self._parts.rows
        keys = {"item": rows.link_item, "group": rows.link_group}.get(self._config.fold)
        return links if keys is None else np.asarray(keys[links])

    def _name(self, link: int) -> str:
        rows = self._parts.rows
        return str(rows.all_item_ids[int(rows.link_item[link])].as_py())

    def _categories(self, slot: int) -> tuple[tuple[int, ...] | None, float | None, float | None]:
        """Return the slots scanned, the probability of the item's own, and the mass."""
        probabilities = self._asked.probabilities
        if self._found is None or self._found.categories is None or probabilities is None:
            return None, None, None
        inside = 0 <= slot < probabilities.shape[1]
        mass = self._parts.category_mass if self._config.category_mass is None else self._config.category_mass
        slots = tuple(int(one) for one in self._found.categories[0])
        return slots, float(probabilities[0, slot]) if inside else 0.0, mass

    def _photo(self, link: int) -> PhotoStanding:
        rows, row = self._parts.rows, int(self._parts.rows.link_row[link])
        similarity = float(self._exact(np.array([row]))[0])
        scanned, distance, near = self._by_code(row)
        (result,) = rows.results([np.array([link])], [np.array([similarity])])[0]
        looked_at = bool((self._rows == row).any())
        slot = int(rows.link_slot[link])
        return PhotoStanding(
            result.image_uri, slot, scanned, distance, near, similarity, self._exact_rank(row, similarity), looked_at
        )

    def _by_code(self, row: int) -> tuple[bool | None, int | None, int | None]:
        binary, hashes = self._parts.binary, self._asked.hashes
        if self._config.kind != "binary" or binary is None or hashes is None or self._found is None:
            return None, None, None
        slots = self._found.categories
        distance, near = binary.standing(hashes[0], None if slots is None else slots[0], row)
        return near is not None, distance, near

    def _exact(self, rows: Ints) -> Floats:
        scores: Floats = exact_scores(self._parts.vectors, self._asked.embeddings, np.asarray(rows)[None, :])[0]
        return scores

    def _exact_rank(self, row: int, similarity: float) -> int:
        """Return a row's place by similarity among all that may be found without a filter."""
        live = self._rows_of(self._parts.live_links)
        live[row] = False
        better, (query,) = 0, self._asked.embeddings
        for part in blocks(len(live), SCANNED_ROWS):
            better += int(((as_float32(self._parts.vectors[part]) @ query > similarity) & live[part]).sum())
        return 1 + better
