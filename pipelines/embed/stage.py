"""The embed stage: plan what has no vector in the model's space yet, infer it unit by unit, resolve the vectors.

Owns the order of these steps, the ledger and what is said of the cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipelines.errors import StageError
from pipelines.jobs.units import Unit, cut, read_plan, write_plan
from pipelines.models.facts import ModelFacts, read_facts, vector_tables
from pipelines.releases.unchanged import digest_of, done_for_live, skipped, take
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import Manifest
from pipelines.runs.outputs import EmbedOutputs, PreprocessOutputs, TrainOutputs
from pipelines.store import UnitTable

Facts = dict[str, Any]


def run(context: RunContext) -> StageResult:
    """Give every active photo a vector of the run's space. Raises StageError when too many are rejected."""
    model = _model(context)
    if done := done_for_live(context, "embed", _given(context, model)):
        return _as_live(context, model, done)
    units, facts = _plan(context, model)
    _embed(context, model, units, facts)
    given = _given(context, model)  # before they are resolved: of what comes in meanwhile nobody says that it was seen
    return replace(_resolve(context, model, units, facts), given=given)


def _given(context: RunContext, model: ModelFacts) -> str:
    """Return what the resolved vectors depend on: photos, model, and which units of its space there are."""
    tables = vector_tables(context.store, model.space_id)
    units = {table: UnitTable(context.store, table).unit_ids() for table in tables}
    return digest_of(context, "embed", context.outputs(PreprocessOutputs).photos, model.model_id, units)


def _as_live(context: RunContext, model: ModelFacts, done: Manifest) -> StageResult:
    """Return what the run of the live release found for the same photos, in the same space."""
    note = cost(model, {"wanted": done["counts"]["in"], "todo": 0})
    context.progress.say(f"embed: {note}")
    counts = {"inferred": 0, "units": 0, "models": done["counts"]["models"]}
    return take(done, EmbedOutputs, skipped(done), counts, [note])


def _model(context: RunContext) -> ModelFacts:
    train, prep_id = context.outputs(TrainOutputs), context.outputs(PreprocessOutputs).prep_id
    model = read_facts(context.store, train.model_id)
    model.check_leaves()
    if model.space_id != train.space_id:
        raise StageError(
            f"model {model.model_id} is of space {model.space_id}, the train stage of this run says "
            f"{train.space_id}; spaces are never mixed: start a new run"
        )
    if model.prep_id != prep_id:
        raise StageError(
            f"model {model.model_id} reads photos prepared as {model.prep_id}, this run prepared {prep_id}; "
            'set preprocess.height, width and quality back, or train again (train.policy = "always")'
        )
    return model


def _plan(context: RunContext, model: ModelFacts) -> tuple[list[Unit], Facts]:
    folder = context.prefix("embed")
    kept = read_plan(context.store, folder)
    if kept is not None:
        _check_plan(kept[1], model)
        return kept
    from pipelines.embed.todo import plan

    prefixes = vector_tables(context.store, model.space_id)
    photos = context.outputs(PreprocessOutputs).photos
    planned = plan(context.store, context.jobs("embed"), photos, prefixes, folder, context.buckets)
    if not planned.wanted:
        raise StageError(
            f"no photo was prepared ({photos} holds none without a reject code); there is nothing to embed"
        )
    units = cut(planned.todo, context.config.embed.photos_a_unit)
    todo = sum(unit.rows for unit in units)
    facts = {"model_id": model.model_id, "wanted": planned.wanted, "todo": todo, "is_new_space": not prefixes}
    write_plan(context.store, folder, units, **facts)
    return read_plan(context.store, folder) or (units, facts)


def _check_plan(facts: Facts, model: ModelFacts) -> None:
    if facts["model_id"] != model.model_id:
        raise StageError(f"this run's plan is for model {facts['model_id']}, not {model.model_id}; start a new run")


def _embed(context: RunContext, model: ModelFacts, units: Sequence[Unit], facts: Facts) -> None:
    context.progress.say(f"embed: {cost(model, facts)}")
    rows = {unit.unit_id: unit.rows for unit in units}
    table = UnitTable(context.store, f"embeddings/{model.space_id}/{model.model_id}")

    def done() -> int:
        return sum(rows.get(unit_id, 0) for unit_id in table.unit_ids())

    committed = set(table.unit_ids()) if units else set()
    left = [unit for unit in units if unit.unit_id not in committed]
    if not left:
        return
    from pipelines.embed.work import Job, embed_units

    job = Job(context.store, context.prefix("embed"), model, context.config.embed.batch)
    with context.progress.watch("embed: photos", facts["todo"], done, every_s=2.0):
        embed_units(job, context.jobs("embed"), context.config.embed, left)


def _resolve(context: RunContext, model: ModelFacts, units: Sequence[Unit], facts: Facts) -> StageResult:
    from pipelines.embed.resolve import NO_VECTOR, Resolver, newest_first, resolve

    folder, photos = context.prefix("embed"), context.outputs(PreprocessOutputs).photos
    models = newest_first(context.store, context.store.folders(f"embeddings/{model.space_id}"), model.model_id)
    resolver = Resolver(models, frozenset(unit.unit_id for unit in units))
    found = resolve(context.store, context.jobs("embed"), photos, resolver, model.space_id, folder, context.buckets)
    if found.rejects[NO_VECTOR]:
        raise StageError(
            f"{found.rejects[NO_VECTOR]} photos have no vector though all units are done: units of "
            f"embeddings/{model.space_id} were removed meanwhile; start a new run"
        )
    rejects = dict(found.rejects)
    ledger = Ledger(facts["wanted"], found.inferred, found.kept, sum(rejects.values()), rejects)
    ledger.check_share("embed", context.config.embed.max_rejected_share)
    outputs = EmbedOutputs(model.model_id, model.space_id, f"{folder}/vectors")
    counts = {"inferred": facts["todo"], "units": len(units), "models": len(models)}
    return StageResult(ledger, counts, outputs, notes=[cost(model, facts)])


def cost(model: ModelFacts, facts: Facts) -> str:
    """Say what a plan costs, in words: how many photos, how long if the model's speed is known, and why so many."""
    wanted, todo, speed = facts["wanted"], facts["todo"], model.metrics.get("images_per_s")
    how_long = f", about {max(1, round(todo / speed))} s at {speed:,.0f} photos/s" if speed and todo else ""
    if not todo:
        return f"nothing new: all {wanted:,} photos have a vector of space {model.space_id}"
    if facts.get("is_new_space"):
        return f"model {model.model_id} opens a new vector space: all {wanted:,} photos are inferred{how_long}"
    return (
        f"{todo:,} of {wanted:,} photos have no vector of space {model.space_id} yet, nor the bytes of a photo that "
        f"has one, and are inferred{how_long}"
    )
