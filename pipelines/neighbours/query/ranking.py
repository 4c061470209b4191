"""From rows and similarities to ranked links: re-ranking by what is known of an item, and folding.

Owns the formula of the final score.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np

from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.neighbours.query.parts import Parts
from pipelines.neighbours.settings import PlanConfig, weighed
from pipelines.tables.arrays import Array, Floats, Ints
from trainer.config import SAME_PHOTO

SIMILARITY = "similarity"
"""The name of the first part of a score."""
LEAD = 1e-4
"""How far the query's very photo is kept ahead of others."""


class UnknownAttributeError(ValueError):
    """The plan weighs an attribute that the model has no head for."""


class Ranker:
    """Score links by similarity, agreement of category and attributes, and quality signals.

    `score = similarity + category_weight x p(category) + sum of weight x (2 p(value) - 1) over attributes + sum of
    weight x signal`; p is the model's probability of what the item is listed as, an unknown attribute counts 0, a
    signal is its percent rank among all photos of items (unknown: 0.5). What shows the query's very photo
    (`SAME_PHOTO`) is lifted above all else where the weights would put something before it; links of one photo keep
    their order among each other.
    """

    def __init__(self, parts: Parts, config: PlanConfig) -> None:
        rows = parts.rows
        self._rows, self._config = rows, weighed(config, parts.weights)
        self._attributes, self._learned = self._config.attribute_weights or {}, config.attribute_weights is None
        if self._learned:  # what this index does not keep, or a model of this space does not know, weighs nothing
            self._attributes = {name: weight for name, weight in self._attributes.items() if name in rows.attributes}
        for names, known, what in (
            (self._attributes, rows.attributes, "attribute"),
            (config.signal_weights, rows.signals, "signal"),
        ):
            for name in names:
                if name not in known:
                    kept = ", ".join(known) or "none"
                    raise ValueError(
                        f"the plan weighs {what} {name!r}, the index keeps {kept}: map it in catalogue.columns.{what}s "
                        "and make a new release, or do not weigh it"
                    )
        self._columns_of = cache(self._columns)

    @property
    def reranks(self) -> bool:
        """Whether anything but similarity orders the results."""
        return self._config.reranks

    def scores(self, links: Ints, similarities: Floats, outputs: QueryOutputs, query: int) -> Floats:
        """Return the final scores of one query's `links`, given the `similarities` of their photos."""
        first, *others = self.parts(links, similarities, outputs, query).values()
        total = sum(others, first)
        same = similarities >= SAME_PHOTO
        if same.any() and not same.all():
            total = total + np.where(same, max(0.0, total[~same].max() + LEAD - total[same].min()), 0)
        return np.asarray(total, np.float32)

    def scores_of_each(self, links: Ints, similarities: Floats, outputs: QueryOutputs, cuts: Ints) -> Floats:
        """Return the final scores of the links of several queries; those of query n end before `cuts[n + 1]`."""
        scores = similarities.astype(np.float32)
        queries = np.arange(len(cuts) - 1)
        if not self.reranks:  # similarity alone; the query's very photo may be lifted a little
            queries = np.unique(np.searchsorted(cuts, np.flatnonzero(scores >= SAME_PHOTO), side="right") - 1)
        for query in queries:
            part = slice(cuts[query], cuts[query + 1])
            scores[part] = self.scores(links[part], similarities[part], outputs, int(query))
        return scores

    def parts(self, links: Ints, similarities: Floats, outputs: QueryOutputs, query: int) -> dict[str, Floats]:
        """Return what the scores are the sum of, by name: the similarity first, then each weight times what it weighs.

        The lift of the query's very photo is not among them.
        """
        parts = {SIMILARITY: similarities.astype(np.float32)}
        if self._config.category_weight and outputs.probabilities is not None:
            likely = _at(outputs.probabilities[query], self._rows.link_slot[links])
            parts["category"] = self._config.category_weight * likely
        for name, weight in self._attributes.items():
            if name not in outputs.attributes and self._learned:
                continue
            if name not in outputs.attributes:
                known = ", ".join(outputs.attributes) or "none"
                raise UnknownAttributeError(
                    f"the plan weighs attribute {name!r}, of which the model says nothing (it knows {known}): name it "
                    "in train.attributes and train a new model, or do not weigh it"
                )
            parts[f"attribute {name}"] = weight * self._agreement(name, links, outputs.attributes[name], query)
        for name, weight in self._config.signal_weights.items():
            parts[f"signal {name}"] = (weight * self._rows.signals[name][links]).astype(np.float32)
        return parts

    def _agreement(self, name: str, links: Ints, scores: AttributeScores, query: int) -> Floats:
        columns = self._columns_of(name, tuple(scores.values))[self._rows.attributes[name][1][links]]
        return np.where(columns >= 0, 2 * _at(scores.probabilities[query], columns) - 1, 0).astype(np.float32)

    def _columns(self, name: str, seen: Sequence[str]) -> Ints:
        """Return the column among those `seen` of each value of an attribute in the index, and last of none; or -1."""
        column = {value: position for position, value in enumerate(seen)}
        return np.array([column.get(value, -1) for value in self._rows.attributes[name][0]] + [-1])


def _at(probabilities: Floats, columns: Array) -> Floats:
    inside = (columns >= 0) & (columns < len(probabilities))
    return np.where(inside, probabilities[np.where(inside, columns, 0)], 0).astype(np.float32)


def fold(links: Ints, scores: Floats, keys: Array) -> tuple[Ints, Floats]:
    """Keep the best link of each key, best first; equal scores in the order given."""
    kept = fold_each(scores, keys, np.zeros(len(keys), np.int64))
    return links[kept], scores[kept]


def fold_each(scores: Floats, keys: Array, queries: Ints) -> Ints:
    """Return the positions of the best of each key of each query: query after query, of each the best first.

    `keys` are not negative; equal scores come in the order given.
    """
    order = np.lexsort((-scores, queries))
    pairs = (queries * (int(keys.max(initial=0)) + 1) + keys)[order]
    kept: Ints = order[np.sort(np.unique(pairs, return_index=True)[1])]
    return kept
