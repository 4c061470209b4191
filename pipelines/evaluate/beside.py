"""This release and the live one on the same queries, in the gallery that both know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import pyarrow as pa

from pipelines.evaluate.answers import Ids, ask_cold, by_role, ids_of, own_items
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.categories import (
    Slots,
    attribute_columns,
    learned_leaves,
    predicted_leaves,
    slots_of,
)
from pipelines.evaluate.engine import Engine
from pipelines.evaluate.quality import Judge, same_item
from pipelines.evaluate.scores import Scores
from pipelines.models import query_model as served
from pipelines.models.facts import ModelFacts, read_facts
from pipelines.models.outputs import QueryOutputs
from pipelines.releases.release import Release
from pipelines.runs.context import RunContext
from pipelines.runs.retired import retired_of
from pipelines.store import Store

COMMON, COMMON_KEPT = "common", "common_kept"


@dataclass(frozen=True)
class Found:
    """What one of both finds in the gallery that both know; `again` tells whose item has another photo to find."""

    outputs: QueryOutputs
    ten: Ids
    cold: Ids
    again: list[bool]


@dataclass(frozen=True)
class Beside:
    """What both releases find for the same queries, and what the live one finds in the whole of its gallery.

    `items` says how many items are in `ours`, in `theirs`, and in `both` indexes.
    """

    model: ModelFacts
    ours: Found
    theirs: Found
    theirs_of_all: Ids
    items: Mapping[str, int]

    def item_ids(self) -> set[str]:
        """Return every item found in the gallery that both know."""
        lists = (self.ours.ten, self.ours.cold, self.theirs.ten, self.theirs.cold)
        return {item_id for answers in lists for ids in answers for item_id in ids}

    def tables(
        self, store: Store, asked: Asked, judge: Judge, model: ModelFacts, slots: Slots
    ) -> tuple[pa.Table, pa.Table]:
        """Return the scores of both, ours first, of queries whose leaves both models had learned.

        `slots` are those of our model.
        """
        their_slots = slots_of(store, self.model)
        both = learned_leaves(slots, model) & learned_leaves(their_slots, self.model)
        there = [a and b for a, b in zip(self.ours.again, self.theirs.again, strict=True)]
        ours, theirs = (
            _scores(found, asked, judge, known, there).table(both)
            for found, known in ((self.ours, slots), (self.theirs, their_slots))
        )
        return ours, theirs


@dataclass(frozen=True)
class Both:
    """The opened indexes of this release and of the live one, and the items of the test split."""

    ours: Engine
    theirs: Engine
    test_items: pa.ChunkedArray


def ask_both(context: RunContext, live: Release, asked: Asked, model: ModelFacts, both: Both) -> Beside:
    """Ask both releases. Raises ValueError when the live model reads photos prepared otherwise."""
    outputs = _outputs_of(context, live, asked, model)
    common = both.ours.common_items(both.theirs)
    for engine in (both.ours, both.theirs):
        engine.add_gallery(COMMON, common)
        engine.add_gallery(COMMON_KEPT, both.test_items, of=COMMON, without=True)
    other = replace(asked, outputs=outputs)
    of_all = ids_of(both.theirs.results(outputs, 10, own_items(asked)))
    items = {"ours": both.ours.num_items, "theirs": both.theirs.num_items, "both": len(common)}
    model_of_live = read_facts(context.store, live.model_id)
    return Beside(model_of_live, _found(both.ours, asked), _found(both.theirs, other), of_all, items)


def _outputs_of(context: RunContext, live: Release, asked: Asked, model: ModelFacts) -> QueryOutputs:
    if live.model_id == model.model_id:
        return asked.outputs
    theirs = read_facts(context.store, live.model_id).without(retired_of(context))
    if theirs.prep_id != model.prep_id:
        raise ValueError(f"its photos were prepared as {theirs.prep_id}, today's as {model.prep_id}")
    return served.serve(context.store, theirs, theirs.prep_id, [query.image for query in asked.queries])


def _found(engine: Engine, asked: Asked) -> Found:
    own = own_items(asked)
    whole = ids_of(engine.results(asked.outputs, 10, own, COMMON))
    cold, again = ask_cold(engine, asked, COMMON)
    ten = by_role(asked, own, whole, partial(engine.results, k=10, gallery=COMMON_KEPT))
    return Found(asked.outputs, ten, cold, again)


def _scores(found: Found, asked: Asked, judge: Judge, slots: Slots, there: list[bool]) -> Scores:
    scores, places = Scores(asked.queries), asked.judged
    queries = [asked.queries[n] for n in places]
    ten, cold = ([lists[n] for n in places] for lists in (found.ten, found.cold))
    shown = [there[n] for n in places]
    leaves = predicted_leaves(found.outputs, slots)
    columns: Mapping[str, list[float | None]] = {
        **judge.precision("retrieval.", queries, ten),
        **judge.precision("retrieval.cold_", queries, cold),
        **same_item("retrieval.", queries, ten, [a and q.cross for a, q in zip(shown, queries, strict=True)]),
        **same_item("retrieval.cold_", queries, cold, shown),
        "category.leaf_top1": [float(leaves[n] == asked.queries[n].leaf) for n in places],
    }
    for name, values in columns.items():
        scores.add(name, values, places)
    heads = attribute_columns(asked.queries, found.outputs.attributes)
    for name, values in heads.items():
        scores.add(name, [values[n] for n in places], places)
    return scores
