"""The evaluate stage: sample queries, search exactly, ask the index, judge, report, write the release.

A table of contents: the steps are in sibling modules. Writes nothing visible before everything is measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pipelines.errors import StageError
from pipelines.evaluate import inputs, measuring, quality
from pipelines.evaluate.comparing import compare
from pipelines.evaluate.engine import Engine
from pipelines.evaluate.gallery import PATH_SEPARATOR
from pipelines.evaluate.gates import Gate, blessed, judge, refusal
from pipelines.evaluate.gather import look_up, sample_and_lay_out
from pipelines.evaluate.labels import Label, as_labels
from pipelines.evaluate.measuring import Answers, Asked, Truth
from pipelines.evaluate.model import slots_of
from pipelines.evaluate.names import UnknownMetricError, check_documented, check_gate_names
from pipelines.evaluate.quality import Metrics, Relevance
from pipelines.evaluate.report import Findings, render
from pipelines.evaluate.sources import Sources
from pipelines.models.facts import ModelFacts, read_facts
from pipelines.neighbours.manifest import IndexFolderError
from pipelines.neighbours.query.ranking import UnknownAttributeError
from pipelines.neighbours.recipes import plan_of
from pipelines.releases import publish as release
from pipelines.releases.live import Baseline, read_baseline
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, EvaluateOutputs, IndexOutputs
from pipelines.runs.stages import STAGES

NOT_HELD_OUT = (
    "no photo of the test split can be a query, so retrieval and categories are not measured; "
    "raise preprocess.test_share, or name a split column"
)


@dataclass(frozen=True)
class Measured:
    """Everything that the report and the release are made of."""

    asked: Asked
    answers: Answers
    labels: dict[str, Label]
    model: ModelFacts
    metrics: Metrics
    centroid: list[float]
    sampled: int
    notes: list[str]


def run(context: RunContext) -> StageResult:
    """Measure the run's index and write its release.

    A release that fails a gate is written too, not blessed, and the result's `refusal` says why. Raises StageError
    when a gate of the config names no metric, or there is nothing to measure.
    """
    section, prefix = context.config.evaluate, context.prefix("evaluate")
    try:
        check_gate_names([*section.floors, *section.margins])
    except UnknownMetricError as error:
        raise StageError(f"evaluate.floors or evaluate.margins: {error}") from error
    manifest = release.kept(context.store, prefix)
    if manifest is None:
        manifest = _evaluate(context, prefix)
    release.publish(context.store, prefix, manifest)
    return _result(context, manifest)


def _evaluate(context: RunContext, prefix: str) -> dict[str, Any]:
    baseline = read_baseline(context.store)
    measured = _measure(context, baseline)
    section = context.config.evaluate
    live = None if baseline is None else baseline.metrics
    gates = judge(measured.metrics, live, section.floors, section.margins)
    manifest = release.named(_manifest(context, baseline, gates, measured))
    files = {
        "metrics.json": json.dumps(measured.metrics, indent=1, sort_keys=True).encode(),
        "centroid.json": json.dumps({"space_id": measured.model.space_id, "mean": measured.centroid}).encode(),
        "report.html": render(_findings(context, manifest, measured, gates, baseline)).encode(),
    }
    release.keep(context.store, prefix, manifest, files)
    return manifest


def _measure(context: RunContext, baseline: Baseline | None) -> Measured:
    sources, say = inputs.sources_of(context), context.progress.say
    say("evaluate: sampling queries and laying out the gallery")
    sample_and_lay_out(context.jobs("evaluate"), sources)
    sampled = inputs.sampled_queries(sources)
    model = read_facts(context.store, context.outputs(EmbedOutputs).model_id)
    model.check_leaves()
    asked = inputs.asked_of(context, sources, sampled, model)
    metrics = inputs.count(sources, asked, model)
    say(f"evaluate: exact search of {len(asked.queries)} queries in {metrics['gallery.photos']:.0f} photos")
    truth = inputs.exact_truth(context, sources, asked)
    answers, labels, of_index = _ask_index(context, sources, asked, truth, model)
    metrics |= of_index | _qualities(context, sources, asked, answers, labels, model)
    centroid = (truth.tops.total / max(1, truth.tops.count)).tolist()
    notes = [] if metrics["queries.held_out"] else [NOT_HELD_OUT]
    if baseline is not None:
        say(f"evaluate: comparing with the live release {baseline.release_id}")
        compared = compare(context, sources, baseline, asked, answers, centroid, model)
        metrics, notes = metrics | compared.metrics, notes + compared.notes
    metrics |= _ledger_metrics(context)
    check_documented(metrics)
    return Measured(asked, answers, labels, model, metrics, centroid, sampled.num_rows, notes)


def _ask_index(
    context: RunContext, sources: Sources, asked: Asked, truth: Truth, model: ModelFacts
) -> tuple[Answers, dict[str, Label], Metrics]:
    with context.store.stage_in(f"indexes/{context.outputs(IndexOutputs).index_id}") as folder:
        try:
            engine = Engine.open(folder, plan_of(context.config))
        except (IndexFolderError, ValueError) as error:
            raise StageError(f"the index cannot be searched: {error}") from error
        context.progress.say(f"evaluate: asking {', '.join(engine.kinds)} and the query plan")
        try:
            answers = measuring.ask(engine, asked, sources.table("test_items")["item_id"].to_pylist(), truth.items)
        except UnknownAttributeError as error:
            raise StageError(str(error)) from error
        wanted = answers.item_ids() | {query.item_id for query in asked.queries}
        labels = as_labels(look_up(context.jobs("evaluate"), sources, wanted))
        metrics = measuring.index_quality(engine, asked, truth, answers, labels)
        metrics |= measuring.itself_first(engine, asked)
        metrics |= measuring.scanning(engine, asked, slots_of(context.store, model))
        return answers, labels, metrics | measuring.speed(engine, asked)


def _qualities(
    context: RunContext, sources: Sources, asked: Asked, answers: Answers, labels: dict[str, Label], model: ModelFacts
) -> Metrics:
    config = context.config
    counts = sources.counts("relevant")
    whole, kept = (
        {tuple(name[len(tag) :].split(PATH_SEPARATOR)): n for name, n in counts.items() if name.startswith(tag)}
        for tag in ("all:", "kept:")
    )
    attributes = config.train.attributes or list(config.catalogue.columns.attributes)[:1]
    metrics = measuring.retrieval_quality(asked, answers, labels, Relevance.of(whole, kept), attributes)
    if asked.judged:
        top = asked.vectors.slots.reshape(len(asked.queries), len(model.levels) + 1, -1)[:, :, 0]
        judged = asked.judged
        slots, learned = slots_of(context.store, model), frozenset(model.leaf.trained)
        metrics |= quality.categories([asked.queries[n] for n in judged], top[judged].tolist(), slots, learned)
    return metrics


def _ledger_metrics(context: RunContext) -> Metrics:
    metrics: Metrics = {}
    for stage in STAGES[: STAGES.index("evaluate")]:
        manifest = read_manifest(context.store, context.run_id, stage)
        if manifest is not None:
            metrics |= {
                f"ledger.{stage}_{name}": float(manifest["counts"][name])
                for name in ("in", "ok", "skipped", "rejected")
            }
            metrics[f"seconds.{stage}"] = float(manifest["seconds"])
    return metrics


def _manifest(context: RunContext, baseline: Baseline | None, gates: list[Gate], measured: Measured) -> dict[str, Any]:
    store, catalogue, model = context.store, context.outputs(CatalogueOutputs), measured.model
    index_id = context.outputs(IndexOutputs).index_id
    return {
        "run_id": context.run_id,
        "parent": None if baseline is None else baseline.release_id,
        "model": release.reference(store, f"models/{model.model_id}", model_id=model.model_id, space_id=model.space_id),
        "index": release.reference(store, f"indexes/{index_id}", index_id=index_id),
        "catalogue_id": catalogue.catalogue_id,
        "catalogue_number": catalogue.number,
        "positions": catalogue.positions,
        "gates": [gate.as_dict() for gate in gates],
        "blessed": blessed(gates),
        "refusal": refusal(gates),
        "notes": measured.notes,
        "ledger": [measured.sampled, len(measured.asked.queries)],
    }


def _findings(
    context: RunContext, manifest: dict[str, Any], measured: Measured, gates: list[Gate], baseline: Baseline | None
) -> Findings:
    stages = [(stage, read_manifest(context.store, context.run_id, stage)) for stage in STAGES]
    return Findings(
        store=context.store,
        manifest=manifest,
        metrics=measured.metrics,
        live=None if baseline is None else baseline.metrics,
        gates=gates,
        stages=[(stage, done) for stage, done in stages if done is not None],
        model=measured.model,
        asked=measured.asked,
        answers=measured.answers,
        labels=measured.labels,
        examples=context.config.evaluate.examples,
        recipe=context.config.recipe,
        notes=measured.notes,
    )


def _result(context: RunContext, manifest: dict[str, Any]) -> StageResult:
    total, ok = manifest["ledger"]
    lost = total - ok
    ledger = Ledger(total, ok, rejected=lost, rejects={"no_vector": lost} if lost else {})
    name = f"releases/{manifest['release_id']}"
    outputs = EvaluateOutputs(manifest["release_id"], manifest["blessed"])
    uri = f"{context.store.uri}/{name}"
    notes = [*manifest["notes"], f"the report is {uri}/report.html"]
    return StageResult(ledger, {"queries": ok}, outputs, uri, notes, manifest["refusal"])
