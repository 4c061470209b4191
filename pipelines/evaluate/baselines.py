"""What a release must be better than: results without a search, and a search without a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.evaluate.labels import Label, relevant, relevant_with
from pipelines.evaluate.quality import Columns, Judge
from pipelines.evaluate.queries import Query
from pipelines.tables.taxonomy import leaf_value

FewOfLeaf = Mapping[str, Mapping[str, Label]]
"""By leaf in words, some of its items drawn at random, by id."""


def of_leaves(labels: Mapping[str, Label]) -> FewOfLeaf:
    """Return labels by the leaf of their items."""
    found: dict[str, dict[str, Label]] = {}
    for item_id, label in labels.items():
        found.setdefault(leaf_value(label.path), {})[item_id] = label
    return found


def any_of_predicted_leaf(queries: Sequence[Query], predicted: Sequence[str], few: FewOfLeaf, judge: Judge) -> Columns:
    """Return the precision that ten items of the predicted leaf, drawn at random, have on average.

    By leaf, and by leaf and each attribute. It is what the classifier alone is worth: a search that is no better looks
    at no photo. Leaves of which nothing was drawn say nothing.
    """
    columns: Columns = {
        f"retrieval.leaf_baseline_{name}": [] for name in ("p_at_10", *(_of(a) for a in judge.attributes))
    }
    for query, leaf in zip(queries, predicted, strict=True):
        items = few.get(leaf, {})
        shown = min(10, judge.relevance.kept[0][next(iter(items.values())).path]) / 10 if items else 0.0
        right = relevant(query, list(items), items)
        columns["retrieval.leaf_baseline_p_at_10"].append(shown * _share(right) if items else None)
        for name in judge.attributes:
            alike = relevant_with(query, list(items), items, name)
            known = items and query.attributes.get(name)
            columns[f"retrieval.leaf_baseline_{_of(name)}"].append(shown * _share(alike) if known else None)
    return columns


def _of(attribute: str) -> str:
    return f"leaf_{attribute}_p_at_10"


def _share(right: Sequence[bool]) -> float:
    return sum(right) / len(right)
