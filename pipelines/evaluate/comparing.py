"""The release beside the live one: the same queries, asked of both.

Owns what is compared when models, spaces or indexes differ. The measures are in `drift`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.evaluate import drift
from pipelines.evaluate.engine import Engine
from pipelines.evaluate.measuring import Answers, Asked
from pipelines.evaluate.quality import Metrics
from pipelines.evaluate.sources import Sources
from pipelines.models import query_model as served
from pipelines.models.facts import ModelFacts, read_facts
from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.manifest import IndexFolderError
from pipelines.neighbours.recipes import plan_of
from pipelines.releases.live import Baseline
from pipelines.runs.context import RunContext
from pipelines.store import NotFoundError


@dataclass(frozen=True)
class Compared:
    """The drift's metrics, and what could not be compared and why."""

    metrics: Metrics
    notes: list[str]


def compare(
    context: RunContext,
    sources: Sources,
    live: Baseline,
    asked: Asked,
    answers: Answers,
    centroid: list[float],
    model: ModelFacts,
) -> Compared:
    """Return how far items, vectors and results have moved since the live release."""
    metrics = drift.count_items(context.jobs("evaluate"), sources, f"catalogue/{live.catalogue_id}/items")
    same_space = live.space_id == model.space_id
    if same_space and live.centroid:
        metrics["drift.centroid"] = drift.cosine_distance(centroid, live.centroid)
    try:
        outputs = _of_live(context, live, asked, model)
        if same_space:
            metrics["drift.query"] = drift.query_distance(asked.outputs.embeddings, outputs.embeddings)
        metrics |= _overlap(context, live, asked, answers, outputs)
    except (NotFoundError, IndexFolderError, ValueError) as error:
        return Compared(metrics, [f"results are not compared with the live release: {error}"])
    return Compared(metrics, [])


def _of_live(context: RunContext, live: Baseline, asked: Asked, model: ModelFacts) -> QueryOutputs:
    if live.model_id == model.model_id:
        return asked.outputs
    prep_id = read_facts(context.store, live.model_id).prep_id
    if prep_id != model.prep_id:
        raise ValueError(f"its photos were prepared as {prep_id}, today's as {model.prep_id}")
    return served.serve(context.store, live.model_id, prep_id, [query.image for query in asked.queries])


def _overlap(context: RunContext, live: Baseline, asked: Asked, answers: Answers, outputs: QueryOutputs) -> Metrics:
    with context.store.stage_in(f"indexes/{live.index_id}") as folder:
        found = Engine.open(folder, plan_of(context.config)).results(outputs, 10, asked.own)
    return drift.overlap(answers.ten, [[result.item_id for result in results] for results in found])
