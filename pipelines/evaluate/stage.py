"""The evaluate stage: sample queries, search exactly, ask the index, judge, report, write the release.

A table of contents: the steps are in sibling modules. Writes nothing visible before everything is measured.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipelines.evaluate import drift, measuring, quality, release
from pipelines.evaluate.baseline import Baseline, read_baseline
from pipelines.evaluate.engine import Engine, outputs_of, plan_of
from pipelines.evaluate.gallery import PATH_SEPARATOR, key_of
from pipelines.evaluate.gates import Gate, blessed, judge, refusal
from pipelines.evaluate.gather import ANY, HELD_OUT, fetch_queries, look_up, sample_and_lay_out
from pipelines.evaluate.labels import Label, as_labels
from pipelines.evaluate.measuring import Answers, Asked, Truth
from pipelines.evaluate.model import ModelFacts, read_model, slots_by_level
from pipelines.evaluate.names import UnknownMetricError, check_documented, check_gate_names
from pipelines.evaluate.quality import Metrics, Relevance
from pipelines.evaluate.queries import as_queries
from pipelines.evaluate.report import Findings, render
from pipelines.evaluate.scan import Scan, own_keys
from pipelines.evaluate.scanning import resolve_numbers, search_exactly
from pipelines.evaluate.sources import Sources
from pipelines.evaluate.vectors import as_vectors
from pipelines.stage import STAGES, Ledger, RunContext, StageError, StageResult, read_manifest
from pipelines.tables import index_of

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

    A release that fails a gate is written too, not blessed, and the result's `refusal` says why. Raises StageError when a gate of the
    config names no metric, or there is nothing to measure.
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
    sources = _sources(context)
    measured = _measure(context, sources, baseline)
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


def _sources(context: RunContext) -> Sources:
    config, embed, prepared = context.config, context.outputs("embed"), context.outputs("preprocess")
    return Sources(
        context.store,
        f"{context.prefix('evaluate')}/work",
        context.buckets,
        f"catalogue/{context.outputs('catalogue')['catalogue_id']}/items",
        prepared["photos"],
        embed["vectors"],
        embed["space_id"],
        tuple(config.evaluate.roles),
        tuple(config.index.roles),
        config.evaluate.queries,
        "group" if plan_of(config).fold == "group" else "item",
    )


def _measure(context: RunContext, sources: Sources, baseline: Baseline | None) -> Measured:
    beam, say = context.config.beam, context.progress.say
    say("evaluate: sampling queries and laying out the gallery")
    sample_and_lay_out(beam, sources)
    model = read_model(context.store, context.outputs("embed")["model_id"])
    asked, sampled = _ask_for(context, sources, model)
    say(
        f"evaluate: exact search of {len(asked.queries)} queries in {sources.counts('gallery_size').get('photos', 0)} photos"
    )
    truth = _search_exactly(context, sources, asked)
    folder = f"indexes/{context.outputs('index')['index_id']}"
    with context.store.stage_in(folder) as path:
        engine = Engine.open(path, plan_of(context.config))
        say(f"evaluate: asking {', '.join(engine.kinds)} and the plan")
        answers = measuring.ask(engine, asked, sources.table("test_items")["item_id"].to_pylist(), truth.items)
        labels = as_labels(look_up(beam, sources, answers.item_ids() | {query.item_id for query in asked.queries}))
        metrics = _counts(sources, asked) | measuring.index_quality(engine, asked, truth, answers, labels)
        metrics |= measuring.speed(engine, asked)
    metrics |= _qualities(context, sources, asked, answers, labels, model)
    centroid = (truth.tops.total / max(1, truth.tops.count)).tolist()
    notes = [] if metrics["queries.held_out"] else [NOT_HELD_OUT]
    if baseline is not None:
        metrics |= _drift(context, sources, baseline, asked, answers, centroid, model)
    metrics |= _ledger_metrics(context)
    check_documented(metrics)
    return Measured(asked, answers, labels, model, metrics, centroid, sampled, notes)


def _ask_for(context: RunContext, sources: Sources, model: ModelFacts) -> tuple[Asked, int]:
    sampled = sources.table(HELD_OUT)
    sampled = sampled if sampled.num_rows else sources.table(ANY)
    if not sampled.num_rows:
        roles = ", ".join(sources.roles) or "any"
        raise StageError(
            f"there is no prepared photo of role {roles!r} to search with; check evaluate.roles and the preprocess ledger"
        )
    fetch_queries(context.config.beam, sources, sampled["digest"].to_pylist())
    table = sources.table("query_vectors")
    where = index_of(sampled["digest"], table["digest"])
    kept = sampled.filter(pa.array(where >= 0))
    if not kept.num_rows:
        raise StageError(f"none of {sampled.num_rows} queries has a vector; look at the embed stage's ledger")
    vectors = as_vectors(table.take(pa.array(where[where >= 0])))
    owners: dict[bytes, set[str]] = {}
    for row in sources.table("owners").to_pylist():
        owners.setdefault(row["digest"], set()).add(row["item_id"])
    queries = as_queries(kept)
    own = [[] if q.cross else sorted(owners.get(q.digest, set()) | {q.item_id}) for q in queries]
    return Asked(queries, vectors, outputs_of(vectors, levels=len(model.learned)), own), sampled.num_rows


def _search_exactly(context: RunContext, sources: Sources, asked: Asked) -> Truth:
    photos = np.array([0 if query.cross else key_of(query.digest) for query in asked.queries], np.uint64)
    whole = np.array([query.cross for query in asked.queries])
    scan = Scan(asked.vectors.embeddings, photos, tuple(own_keys(items) for items in asked.own), whole)
    tops = search_exactly(context.config.beam, sources, scan)
    near, kept = tops.photos.numbers[:, :10], tops.kept.numbers[:, :100]
    named = resolve_numbers(sources, {int(n) for n in np.concatenate([near.ravel(), kept.ravel()]) if n >= 0})
    digests = [[named[int(n)][0] for n in row if n >= 0] for row in near]
    return Truth(tops, digests, [[named[int(n)][1] for n in row if n >= 0] for row in kept])


def _counts(sources: Sources, asked: Asked) -> Metrics:
    folds = sources.counts("relevant")
    return {
        "queries.count": float(len(asked.queries)),
        "queries.held_out": float(sum(query.held_out for query in asked.queries)),
        "queries.cross": float(sum(query.cross for query in asked.queries)),
        "gallery.photos": float(sources.counts("gallery_size").get("photos", 0)),
        "gallery.results": float(sum(n for name, n in folds.items() if name.startswith("all:"))),
    }


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
    if model.learned and asked.judged:
        top = asked.vectors.slots.reshape(len(asked.queries), len(model.learned), -1)[:, :, 0]
        judged = asked.judged
        slots = slots_by_level(context.store, model)
        metrics |= quality.categories([asked.queries[n] for n in judged], top[judged].tolist(), slots, model.learned)
    return metrics


def _drift(
    context: RunContext,
    sources: Sources,
    live: Baseline,
    asked: Asked,
    answers: Answers,
    centroid: list[float],
    model: ModelFacts,
) -> Metrics:
    beam = context.config.beam
    metrics = drift.count_items(beam, sources, f"catalogue/{live.catalogue_id}/items")
    same_space = live.space_id == model.space_id
    if same_space and live.centroid:
        metrics["drift.centroid"] = drift.cosine_distance(centroid, live.centroid)
    vectors = asked.vectors
    if live.model_id != model.model_id:
        vectors = drift.fetch_vectors(beam, sources, live.space_id, live.model_id, asked.vectors.digests)
        distance = drift.query_distance(asked.vectors, vectors) if same_space else None
        metrics |= {} if distance is None else {"drift.query": distance}
    return metrics | _overlap(context, live, asked, answers, vectors)


def _overlap(context: RunContext, live: Baseline, asked: Asked, answers: Answers, vectors: Any) -> Metrics:
    place = {digest: n for n, digest in enumerate(asked.vectors.digests)}
    shared = [place[digest] for digest in vectors.digests]
    if not shared:
        return {}
    levels = len(read_model(context.store, live.model_id).learned)
    with context.store.stage_in(f"indexes/{live.index_id}") as path:
        try:
            engine = Engine.open(path, plan_of(context.config))
        except ValueError as error:  # the live index lacks a kind that the plan of today asks for
            context.progress.say(f"evaluate: results are not compared with the live release: {error}")
            return {}
        found = engine.results(outputs_of(vectors, levels=levels), 10, [asked.own[n] for n in shared])
    theirs = [[result.item_id for result in results] for results in found]
    return drift.overlap([answers.ten[n] for n in shared], theirs)


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
    store, catalogue, model = context.store, context.outputs("catalogue"), measured.model
    index_id = context.outputs("index")["index_id"]
    return {
        "run_id": context.run_id,
        "parent": None if baseline is None else baseline.release_id,
        "model": release.reference(store, f"models/{model.model_id}", model_id=model.model_id, space_id=model.space_id),
        "index": release.reference(store, f"indexes/{index_id}", index_id=index_id),
        "catalogue_id": catalogue["catalogue_id"],
        "positions": catalogue["positions"],
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
    outputs = {"release_id": manifest["release_id"], "blessed": manifest["blessed"]}
    uri = f"{context.store.uri}/{name}"
    notes = [*manifest["notes"], f"the report is {Path(context.store.uri, name, 'report.html')}"]
    return StageResult(ledger, {"queries": ok}, outputs, uri, notes, manifest["refusal"])
