"""All that is measured of single queries, and by how much they are better than colour histograms."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipelines.evaluate import baselines, categories, quality, recall
from pipelines.evaluate.answers import Answers
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.categories import Slots
from pipelines.evaluate.engine import Engine
from pipelines.evaluate.gallery import PATH_SEPARATOR
from pipelines.evaluate.histogram import GAIN, Contest, add_contest
from pipelines.evaluate.labels import as_labels
from pipelines.evaluate.pairs import Difference, bounded
from pipelines.evaluate.quality import Columns, Judge, Relevance
from pipelines.evaluate.sample import SAMPLE
from pipelines.evaluate.scores import Scores
from pipelines.evaluate.sources import Sources
from pipelines.evaluate.truth import Truth
from pipelines.models.facts import ModelFacts
from pipelines.runs.context import RunContext
from pipelines.runs.retired import retired_of


@dataclass(frozen=True)
class Inputs:
    """What there is before an index is asked."""

    context: RunContext
    sources: Sources
    asked: Asked
    truth: Truth
    model: ModelFacts


def scores_of(inputs: Inputs, engine: Engine, answers: Answers, judge: Judge) -> Scores:
    """Return all that is measured of single queries."""
    asked, context, places = inputs.asked, inputs.context, inputs.asked.judged
    scores = Scores(asked.queries)
    recall.add_recall(scores, engine, asked, inputs.truth.tops, answers, judge.labels)
    if not places:
        return scores
    slots = categories.slots_of(context.store, inputs.model)
    for name, values in quality.retrieval_columns(asked, answers, judge).items():
        scores.add(name, values, places)
    quality.add_worst_leaves(scores)
    few = baselines.of_leaves(as_labels(inputs.sources.table(SAMPLE)))
    leaves = categories.predicted_leaves(asked.outputs, slots)
    some = [asked.queries[n] for n in places]
    columns = baselines.any_of_predicted_leaf(some, [leaves[n] for n in places], few, judge)
    columns |= category_columns(inputs, slots, places)
    for name, values in columns.items():
        scores.add(name, values, places)
    contest = Contest.of(asked, few)
    add_contest(scores, context.jobs("evaluate"), inputs.sources, inputs.model.prep_id, engine, asked, contest)
    seen = categories.seen_in_training(context.store, inputs.model, slots, asked.queries)
    quality.add_unseen(scores, seen)
    return scores


def category_columns(inputs: Inputs, slots: Slots, places: list[int]) -> Columns:
    """Return whether the model's heads are right about the queries at `places`."""
    asked, model = inputs.asked, inputs.model
    some = [asked.queries[n] for n in places]
    heads = asked.outputs.take(np.array(places, np.int64)).attributes
    columns = categories.attribute_columns(some, heads)
    kept = asked.vectors.slots.reshape(len(asked.queries), len(model.levels) + 1, -1)[places].tolist()
    retired = retired_of(inputs.context)
    gone = [*(retired.of_level(level) for level in range(len(model.levels))), retired.leaves]
    learned = [*map(frozenset, model.trained), frozenset(model.leaf.trained)]
    top = [[categories.first_named(best, out) for best, out in zip(query, gone, strict=True)] for query in kept]
    return columns | categories.category_columns(some, top, slots, learned)


def gain_of(scores: Scores) -> Difference | None:
    """Return by how much the release is better than colour histograms on the same queries, with bounds."""
    if GAIN not in scores.columns:
        return None
    values, places = scores.values(GAIN)
    groups = pa.array([scores.queries[n].group for n in places])
    return bounded(np.array(values), scores.weights[places], groups, GAIN)


def relevance_of(sources: Sources) -> Relevance:
    """Return how many results each leaf has."""
    whole, kept = (
        {tuple(leaf.split(PATH_SEPARATOR)): n for leaf, n in sources.leaf_counts("relevant", kind).items()}
        for kind in ("all", "kept")
    )
    return Relevance.of(whole, kept)


def attributes_of(context: RunContext) -> list[str]:
    """Return the attributes that results are judged by: those that are trained, else the shop's first."""
    return context.config.train.attributes or list(context.config.catalogue.columns.attributes)[:1]
