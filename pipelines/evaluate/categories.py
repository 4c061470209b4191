"""How often the model's heads are right: of categories, by level and leaf, and of attributes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from pipelines.evaluate.metrics import Metrics, macro_mean
from pipelines.evaluate.quality import Columns
from pipelines.evaluate.queries import Query
from pipelines.evaluate.scores import Scores
from pipelines.models.facts import ModelFacts
from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.store import Store
from pipelines.tables.held_out import is_held_out
from pipelines.tables.taxonomy import category_value, leaf_value, read_names

MIN_QUERIES_MACRO = 10
UNKNOWN = -2
"""No slot; differs from the -1 of a place without a prediction."""


@dataclass(frozen=True)
class Slots:
    """The slot of every leaf, and of every category value of the levels that a model has."""

    leaves: Mapping[str, int]
    levels: Sequence[Mapping[str, int]]

    def leaf(self, path: Sequence[str]) -> int:
        """Return the slot of a path's leaf, -1 for one that has none."""
        return self.leaves.get(leaf_value(path), -1)

    def words(self, slots: Iterable[int]) -> frozenset[str]:
        """Return leaves in words."""
        wanted = frozenset(slots)
        return frozenset(leaf for leaf, slot in self.leaves.items() if slot in wanted)


def slots_of(store: Store, model: ModelFacts) -> Slots:
    """Return the store's slots, as far as a model's levels go; of a model without a leaf head, its deepest level's."""
    taxonomy = read_names(store)
    levels = (taxonomy["levels"] + [{} for _ in model.levels])[: len(model.levels)]
    return Slots(taxonomy["leaves"] if model.knows_leaves or not levels else levels[-1], levels)


def learned_leaves(slots: Slots, model: ModelFacts) -> frozenset[str]:
    """Return the leaves, in words, that had photos enough to be learned; `slots` are those of the model."""
    return slots.words(model.leaf.trained)


def first_named(top: Sequence[int], gone: AbstractSet[int]) -> int:
    """Return the best of some slots, best first, that is not retired; -1 where all of them are."""
    return next((slot for slot in top if slot not in gone), -1)


def any_learned(paths: Iterable[Sequence[str]], slots: Slots, model: ModelFacts) -> bool:
    """Tell whether any of these leaves had photos enough to be learned; True where there are none."""
    leaves = {slots.leaf(path) for path in paths}
    return not leaves or not leaves.isdisjoint(model.leaf.trained)


def seen_in_training(store: Store, model: ModelFacts, slots: Slots, queries: Sequence[Query]) -> list[bool]:
    """Tell of each query whether its leaf was there when the model was trained, and not held out of training."""
    lineage = store.read_json(f"models/{model.model_id}/model.json").get("lineage") or {}
    there, held_out = frozenset(model.leaf.slots), float(lineage.get("held_out_leaves", 0.0))
    return [slots.leaf(query.path) in there and not is_held_out(query.path, held_out) for query in queries]


def predicted_leaves(outputs: QueryOutputs, slots: Slots) -> list[str]:
    """Return the most probable leaf of each query in words, "" of a model that tells none."""
    if outputs.probabilities is None:
        return [""] * len(outputs)
    words = {slot: leaf for leaf, slot in slots.leaves.items()}
    return [words.get(int(slot), "") for slot in outputs.probabilities.argmax(axis=1)]


def category_columns(
    queries: Sequence[Query],
    predicted: Sequence[Sequence[int]],
    slots: Slots,
    learned: Sequence[AbstractSet[int]],
) -> Columns:
    """Return whether the model's most probable category is right, at every level, and its most probable leaf.

    `predicted` `[num_queries][levels + 1]` slots, the leaf's last; `learned` `[levels + 1]` those that had photos
    enough. A category that was never learned is wrong; a level, or leaves, of which none was learned are not asked.
    """
    true = [[*_slots_of(query, slots.levels), slots.leaf(query.path)] for query in queries]
    names = [*(f"category.l{level + 1}_top1" for level in range(len(slots.levels))), "category.leaf_top1"]
    depths = [*range(len(slots.levels)), 0]
    columns: Columns = {}
    for place, (name, depth) in enumerate(zip(names, depths, strict=True)):
        if learned[place]:
            columns[name] = [
                float(0 <= right[place] == guess[place]) if len(query.path) > depth else None
                for query, guess, right in zip(queries, predicted, true, strict=True)
            ]
    columns["category.unknown"] = [
        float(right[-1] not in learned[-1]) if query.path else None for query, right in zip(queries, true, strict=True)
    ]
    return columns


def attribute_columns(queries: Sequence[Query], heads: Mapping[str, AttributeScores]) -> Columns:
    """Return whether each head's most probable value is right, of queries whose value the head knows.

    And `attribute.<name>_unknown`: whether a query has a value that the head does not know.
    """
    columns: Columns = {}
    for name, head in heads.items():
        best = [head.values[place] for place in head.probabilities.argmax(axis=1)] if head.values else []
        there, values = set(head.values), [query.attributes.get(name) for query in queries]
        columns[f"attribute.{name}_unknown"] = [float(value not in there) if value else None for value in values]
        if best:
            columns[f"attribute.{name}_top1"] = [
                float(guess == value) if value in there else None for guess, value in zip(best, values, strict=True)
            ]
    return columns


def macro_means(scores: Scores) -> Metrics:
    """Return the means over categories, and over values of attributes, of how often each is named right."""
    metrics: Metrics = {}
    for name in [name for name in scores.columns if name.endswith("_top1")]:
        values, places = scores.values(name)
        groups = [_true_value(scores.queries[n], name) for n in places]
        stem = name.removesuffix("_top1")
        found = {f"{stem}_macro": macro_mean(values, groups, MIN_QUERIES_MACRO)}
        if name.startswith("category."):
            found[f"{stem}_macro_all"] = macro_mean(values, groups)
        metrics |= {key: value for key, value in found.items() if value is not None}
    return metrics


def _true_value(query: Query, name: str) -> tuple[str, ...]:
    kind, _, rest = name.removesuffix("_top1").partition(".")
    if kind == "attribute":
        return (query.attributes[rest],)
    return query.path if rest == "leaf" else query.path[: int(rest[1:])]


def _slots_of(query: Query, levels: Sequence[Mapping[str, int]]) -> list[int]:
    return [known.get(category_value(query.path, level), UNKNOWN) for level, known in enumerate(levels)]
