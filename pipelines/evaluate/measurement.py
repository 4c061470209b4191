"""One measurement of a run's index, from its queries to its numbers: the steps in their order."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import pyarrow as pa

from pipelines.errors import StageError
from pipelines.evaluate import answers as given
from pipelines.evaluate import asked as queries
from pipelines.evaluate import categories, drift, quality, recall
from pipelines.evaluate.answers import Answers
from pipelines.evaluate.asked import Asked
from pipelines.evaluate.beside import Beside, Both, ask_both
from pipelines.evaluate.engine import Engine
from pipelines.evaluate.labels import Label, look_up
from pipelines.evaluate.ledger import ledger_metrics
from pipelines.evaluate.metrics import Metrics
from pipelines.evaluate.pairs import Difference
from pipelines.evaluate.quality import Judge
from pipelines.evaluate.sample import sample_and_lay_out
from pipelines.evaluate.scorecard import Inputs, attributes_of, gain_of, relevance_of, scores_of
from pipelines.evaluate.scores import Scores
from pipelines.evaluate.sources import Sources
from pipelines.evaluate.truth import search_exactly
from pipelines.evaluate.vocabulary import check_documented
from pipelines.models.facts import ModelFacts, read_facts
from pipelines.neighbours.manifest import IndexFolderError
from pipelines.neighbours.query.ranking import UnknownAttributeError
from pipelines.neighbours.recipes import plan_of
from pipelines.releases.measures import read_measures
from pipelines.releases.release import Release
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, IndexOutputs, PreprocessOutputs
from pipelines.runs.retired import retired_of
from pipelines.store import NotFoundError
from pipelines.tables.variants import read_placeholders

NOT_HELD_OUT = (
    "no photo of the test split can be a query, so retrieval and categories are not measured, and margins on them are "
    "not asked. A split stays as it was when an item was first seen: preprocess.test_share and more items help with "
    "items to come; for items that are there, name their split in the feed (catalogue.columns.split)"
)
NONE_LEARNED = (
    "the model has learned none of the leaf categories of today's items (train.min_leaf_images): it names no such "
    "category, and what a search finds rests on likeness alone"
)


@dataclass(frozen=True)
class Measured:
    """Everything that the report and the release are made of.

    `table` holds the scores of each query; `gain` is the lead over colour histograms; `asked_again` the scores of this
    release and the live one in the gallery that both know, where the live one could be asked.
    """

    asked: Asked
    answers: Answers
    labels: dict[str, Label]
    model: ModelFacts
    metrics: Metrics
    table: pa.Table
    gain: Difference | None
    asked_again: tuple[pa.Table, pa.Table] | None
    centroid: list[float]
    sampled: int
    notes: list[str]


def measure(context: RunContext, live: Release | None) -> Measured:
    """Measure the run's index. Raises StageError when there is nothing to measure."""
    sources, jobs, say = sources_of(context), context.jobs("evaluate"), context.progress.say
    say("evaluate: sampling queries and laying out the gallery")
    sample_and_lay_out(jobs, sources)
    sampled = queries.sampled_queries(sources)
    model = read_facts(context.store, context.outputs(EmbedOutputs).model_id)
    model = model.without(retired_of(context))
    model.check_leaves()
    asked = queries.asked_of(jobs, sources, sampled, model)
    metrics = queries.count(sources, asked, model)
    say(f"evaluate: exact search of {len(asked.queries)} queries in {metrics['gallery.photos']:.0f} photos")
    truth = search_exactly(jobs, sources, asked)
    centroid = (truth.tops.total / max(1, truth.tops.count)).tolist()
    notes = [] if metrics["queries.held_out"] else [NOT_HELD_OUT]
    inputs = Inputs(context, sources, asked, truth, model)
    with ExitStack() as opened:
        engine = open_index(opened, context, context.outputs(IndexOutputs).index_id)
        say(f"evaluate: asking {', '.join(engine.kinds)} and the query plan")
        answers = ask_index(inputs, engine)
        beside = None if live is None else ask_live(inputs, engine, live, opened, notes)
        found = answers.item_ids() | (beside.item_ids() if beside else set())
        labels = look_up(jobs, sources, found | {query.item_id for query in asked.queries})
        relevance = relevance_of(sources)
        judge = Judge(labels, relevance, attributes_of(context))
        scores = scores_of(inputs, engine, answers, judge)
        metrics |= recall.coverage(engine, truth.photos) | recall.itself_first(engine, asked)
        slots = categories.slots_of(context.store, model)
        notes += [] if categories.any_learned(relevance.leaves, slots, model) else [NONE_LEARNED]
        metrics |= recall.scanning(engine, asked, slots)
        metrics |= recall.speed(engine, asked)
    gain = gain_of(scores)
    metrics |= means_of(scores, gain) | ledger_metrics(context)
    if live is not None:
        metrics |= drifts(inputs, live, answers, beside, centroid)
    check_documented(metrics)
    table = scores.table(categories.learned_leaves(slots, model))
    again = beside.tables(context.store, asked, judge, model, slots) if beside else None
    return Measured(asked, answers, labels, model, metrics, table, gain, again, centroid, sampled.num_rows, notes)


def means_of(scores: Scores, gain: Difference | None) -> Metrics:
    """Return the metrics that the scores of single queries make."""
    metrics = scores.means() | scores.counts() | recall.lower_bounds(scores)
    metrics |= categories.macro_means(scores) | quality.by_leaf(scores)
    return metrics if gain is None else metrics | {"histogram.gain_lower": gain.lower}


def sources_of(context: RunContext) -> Sources:
    """Return where the run's stages have left what is measured."""
    config, embed, preprocess = context.config, context.outputs(EmbedOutputs), context.outputs(PreprocessOutputs)
    return Sources(
        store=context.store,
        prefix=f"{context.prefix('evaluate')}/work",
        buckets=context.buckets,
        items=f"catalogue/{context.outputs(CatalogueOutputs).catalogue_id}/items",
        photos=preprocess.photos,
        vectors=embed.vectors,
        space_id=embed.space_id,
        roles=tuple(config.evaluate.roles),
        gallery_roles=tuple(config.index.roles),
        count=config.evaluate.queries,
        unit="group" if plan_of(config).fold == "group" else "item",
        placeholders=read_placeholders(context.store, preprocess.placeholders),
        hidden=context.outputs(IndexOutputs).hidden,
        curated=context.outputs(CatalogueOutputs).curated,
    )


def open_index(opened: ExitStack, context: RunContext, index_id: str) -> Engine:
    """Open an index for as long as `opened` lasts. Raises StageError when it cannot be searched."""
    folder = opened.enter_context(context.store.stage_in(f"indexes/{index_id}"))
    try:
        return Engine.open(folder, plan_of(context.config))
    except (IndexFolderError, ValueError) as error:
        raise StageError(f"index {index_id} cannot be searched: {error}") from error


def ask_index(inputs: Inputs, engine: Engine) -> Answers:
    """Ask the run's index the queries. Raises StageError when the plan weighs what the model does not tell."""
    try:
        return given.ask(engine, inputs.asked, inputs.sources.table("test_items")["item_id"], inputs.truth.items)
    except UnknownAttributeError as error:
        raise StageError(str(error)) from error


def ask_live(inputs: Inputs, engine: Engine, live: Release, opened: ExitStack, notes: list[str]) -> Beside | None:
    """Ask the live release the same; where that cannot be, a note says why."""
    inputs.context.progress.say(f"evaluate: asking the live release {live.release_id} the same")
    try:
        theirs = open_index(opened, inputs.context, live.index_id)
        both = Both(engine, theirs, inputs.sources.table("test_items")["item_id"])
        return ask_both(inputs.context, live, inputs.asked, inputs.model, both)
    except (NotFoundError, StageError, ValueError) as error:
        notes.append(f"the live release could not be asked the same: {error}")
        return None


def drifts(inputs: Inputs, live: Release, answers: Answers, beside: Beside | None, centroid: list[float]) -> Metrics:
    """Return how far items, vectors and results have moved since the live release."""
    context = inputs.context
    metrics = drift.count_items(context.jobs("evaluate"), inputs.sources, f"catalogue/{live.catalogue_id}/items")
    same_space = live.space_id == inputs.model.space_id
    measures = read_measures(context.store, live.release_id)
    if same_space and measures is not None and measures.centroid:
        metrics["drift.centroid"] = drift.cosine_distance(centroid, measures.centroid)
    if beside is not None:
        if same_space:
            theirs = beside.theirs.outputs.embeddings
            metrics["drift.query"] = drift.query_distance(inputs.asked.outputs.embeddings, theirs)
        metrics |= drift.overlap(answers.ten, beside.theirs_of_all) | drift.shares("found", beside.items)
    return metrics
