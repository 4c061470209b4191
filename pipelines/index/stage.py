"""The index stage: gather the gallery, build the kinds that the recipe asks for, add the table of similar items.

Owns the order of the steps, the index's identity and its description, `index.json`, written last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pipelines.curated.settled import settled
from pipelines.errors import StageError
from pipelines.hidden.settled import checksum, settle
from pipelines.models.facts import ModelFacts, read_facts
from pipelines.neighbours.manifest import FORMAT, config_json
from pipelines.neighbours.memory import MemoryBudgetError, Prediction, build_ram, check_budget, predict, search_ram
from pipelines.neighbours.recipes import index_config, plan_of
from pipelines.neighbours.settings import IndexConfig, PlanConfig
from pipelines.releases.unchanged import digest_of, done_for_live, take
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import Manifest
from pipelines.runs.outputs import CatalogueOutputs, EmbedOutputs, IndexOutputs, PreprocessOutputs
from pipelines.store import NotFoundError, Store
from pipelines.tables.schemas import INDEX_LINKS
from pipelines.tables.taxonomy import read_names, read_taxonomy
from pipelines.tables.variants import read_placeholders

if TYPE_CHECKING:
    from pipelines.index.gallery import Gathered

CANNOT = "cannot be found by any search"
LEFT_OUT = "hidden by `visual-search hide`"
NOT_IDENTITY = ("memory_budget_bytes", "block_rows")
"""Settings of a build that change nothing in what is built."""


def run(context: RunContext) -> StageResult:
    """Build the index of the run's gallery, or adopt the one that holds the same already.

    Raises StageError when spaces would be mixed, when the gallery is empty, or when a kind would not fit
    `index.memory_bytes`.
    """
    plan, config = _settings(context)
    embed = context.outputs(EmbedOutputs)
    model = _read_model(context.store, embed.model_id, embed.space_id)
    model.check_leaves()
    hidden = settle(context.store, _hidden(context))
    apart = settled(context.store, _curated(context)).apart.checksum
    given = _given(context, config, plan, checksum(hidden) + apart)
    if (done := done_for_live(context, "index", given)) and _is_there(context, done):
        return _as_live(done)
    gathered = _gather(context)
    _check_spaces(context.store, gathered.models, embed.space_id)
    _check_gallery(context, gathered)
    predictions = _predictions(gathered, model, config)
    index_id = _index_id(context, gathered, model, config, plan, apart)
    target = f"indexes/{index_id}"
    context.pin("index", target)
    built = not context.store.exists(f"{target}/index.json")
    if built:
        context.progress.say(_announce(gathered, predictions))
        searched = [prediction for prediction in predictions if prediction.kind in plan.kinds]
        ram = build_ram(predictions, gathered.rows), search_ram(searched, gathered.rows)
        _build(context, model, config, plan, target, ram)
        facts = {"index_id": index_id, "catalogue_id": context.outputs(PreprocessOutputs).catalogue_id}
        _describe(context, target, facts | {"run_id": context.run_id, "similar": context.config.index.similar})
    result = _result(context, gathered, index_id, built)
    return replace(result, given=given, notes=[*result.notes, *_left_out(hidden.num_rows)])


def _hidden(context: RunContext) -> str:
    """Return the name of the list of the run's hidden items."""
    return f"{context.prefix('index')}/hidden.parquet"


def _curated(context: RunContext) -> str:
    """Return the name of the decisions of curators that the run keeps to."""
    return context.outputs(CatalogueOutputs).curated


def _given(context: RunContext, config: IndexConfig, plan: PlanConfig, said: str) -> str:
    """Return what the index depends on; `said` tells what is hidden and what is not alike from other times."""
    preprocess, embed = context.outputs(PreprocessOutputs), context.outputs(EmbedOutputs)
    tables = preprocess.catalogue_id, preprocess.photos, embed.vectors, embed.model_id, INDEX_LINKS.names
    rest = config_json(config), repr(plan), said
    return digest_of(context, "index", FORMAT, *tables, read_taxonomy(context.store), *rest)


def _is_there(context: RunContext, done: Manifest) -> bool:
    """Tell whether an index that was built is there still, and keep it from `gc`."""
    target = f"indexes/{IndexOutputs.of_json(done['outputs']).index_id}"
    context.pin("index", target)
    return context.store.exists(f"{target}/index.json")


def _as_live(done: Manifest) -> StageResult:
    """Return the index of the live release, which holds the same."""
    counts = {name: done["counts"][name] for name in ("vectors", "items", "duplicates")} | {"built": 0}
    total, ok, rejected = (done["counts"][name] for name in ("in", "ok", "rejected"))
    ledger = Ledger(total, ok, 0, rejected, dict(done["rejects"]))
    told = (note for note in done["notes"] if CANNOT in note or LEFT_OUT in note)
    notes = [_nothing_new(done["outputs"]["index_id"]), *told]
    return take(done, IndexOutputs, ledger, counts, notes)


def _settings(context: RunContext) -> tuple[PlanConfig, IndexConfig]:
    try:
        return plan_of(context.config), index_config(context.config)
    except ValueError as error:
        raise StageError(str(error)) from error


def _read_model(store: Store, model_id: str, space_id: str) -> ModelFacts:
    model = read_facts(store, model_id)
    if model.space_id != space_id:
        raise StageError(_mixed(model_id, model.space_id, space_id))
    return model


def _check_spaces(store: Store, models: Iterable[str], space_id: str) -> None:
    for model_id in sorted(models):
        try:
            _read_model(store, model_id, space_id)
        except NotFoundError:  # a model of the past: that its vectors are kept in this space is proof enough
            if model_id not in store.folders(f"embeddings/{space_id}"):
                raise StageError(_mixed(model_id, "unknown", space_id)) from None


def _mixed(model_id: str, found: str, space_id: str) -> str:
    return (
        f"vectors of model {model_id} are of space {found}, the index is of space {space_id}; vectors of two spaces "
        "cannot be compared, so nothing was built: run embed again in a new run"
    )


def _gather(context: RunContext) -> Gathered:
    from pipelines.index.gallery import Gatherer, gather

    preprocess = context.outputs(PreprocessOutputs)
    gatherer = Gatherer(
        context.store,
        context.prefix("index"),
        f"catalogue/{preprocess.catalogue_id}",
        preprocess.photos,
        context.outputs(EmbedOutputs).vectors,
        tuple(sorted(context.config.index.roles)),
        read_names(context.store)["leaves"],
        context.buckets,
        read_placeholders(context.store, preprocess.placeholders),
        _hidden(context),
    )
    return gather(gatherer, context.jobs("index"))


def _check_gallery(context: RunContext, gathered: Gathered) -> None:
    if not gathered.links:
        raise StageError(
            f"no photo of the roles index.roles = {context.config.index.roles} has a vector "
            f"({sum(gathered.rejects.values())} were rejected); check index.roles and the catalogue's roles"
        )


def _predictions(gathered: Gathered, model: ModelFacts, config: IndexConfig) -> list[Prediction]:
    found = [predict(kind, gathered.rows, model.dim, model.bits // 8, config) for kind in config.kinds]
    try:
        for prediction in found:
            check_budget(prediction, config.memory_budget_bytes)
    except MemoryBudgetError as error:
        raise StageError(str(error)) from error
    return found


def _index_id(
    context: RunContext, gathered: Gathered, model: ModelFacts, config: IndexConfig, plan: PlanConfig, apart: str
) -> str:
    settings = {name: value for name, value in config_json(config).items() if name not in NOT_IDENTITY}
    value: dict[str, Any] = {
        "format": FORMAT,
        "space_id": model.space_id,
        "model_id": model.model_id,
        "inputs": gathered.checksum,
        "config": settings,
        "similar": [context.config.index.similar, repr(plan)] if context.config.index.similar else None,
    }
    if apart and context.config.index.similar:
        value["apart"] = apart
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _announce(gathered: Gathered, predictions: Iterable[Prediction]) -> str:
    sizes = ", ".join(f"{p.kind} about {p.index_bytes / 1e6:,.0f} MB" for p in predictions) or "exact search alone"
    return f"index: {gathered.rows:,} distinct photos of {gathered.items:,} items; {sizes}"


def _build(
    context: RunContext, model: ModelFacts, config: IndexConfig, plan: PlanConfig, target: str, ram: tuple[int, int]
) -> None:
    from pipelines.index.assembly import Assembly, assemble_on_worker
    from pipelines.index.similar import Completion, complete

    store, folder = context.store, context.prefix("index")
    assembly = Assembly(store, folder, target, model, config, context.buckets)
    assemble_on_worker(assembly, context.jobs("index"), ram[0])
    completion = Completion(store, folder, target, plan, context.config.index.similar, _curated(context))
    done = f"{target}/items"
    with context.progress.watch("index: buckets", context.buckets, lambda: sum(1 for _ in store.list(done))):
        complete(completion, context.jobs("index"), context.buckets, ram[1])


def _describe(context: RunContext, target: str, facts: dict[str, Any]) -> None:
    manifest = context.store.read_json(f"{target}/manifest.json")
    kept = {name: manifest[name] for name in ("space_id", "model_id", "dim", "code_bytes", "counts", "config", "kinds")}
    context.store.create_json(f"{target}/index.json", {"format": FORMAT, **facts, **kept})


def _result(context: RunContext, gathered: Gathered, index_id: str, built: bool) -> StageResult:
    index = context.store.read_json(f"indexes/{index_id}/index.json")
    rejected = sum(gathered.rejects.values())
    ledger = Ledger(gathered.links + rejected, gathered.links, 0, rejected, dict(gathered.rejects))
    counts = {"vectors": index["counts"]["vectors"], "items": index["counts"]["items"], "built": int(built)}
    counts["duplicates"] = gathered.links - gathered.rows
    outputs = IndexOutputs(index["index_id"], index["space_id"], index["model_id"], _hidden(context))
    notes = [] if built else [_nothing_new(index_id)]
    notes += _not_found(gathered, counts["items"], context.config.index.roles)
    return StageResult(ledger, counts, outputs, f"{context.store.uri}/indexes/{index_id}", notes)


def _not_found(gathered: Gathered, found: int, roles: list[str]) -> list[str]:
    """Return a note on the items of the catalogue that no search can find, if there are any."""
    lost = gathered.catalogue - found
    if not lost:
        return []
    whose = "its" if lost == 1 else "their"
    example = "" if gathered.lost is None else f"; for example item {gathered.lost!r}"
    return [
        f"{lost:,} of {gathered.catalogue:,} items {CANNOT}: none of {whose} photos of the roles {', '.join(roles)} "
        f"is usable{example}"
    ]


def _left_out(hidden: int) -> list[str]:
    """Return a note on the items that are hidden, if there are any; some may be in no catalogue any more."""
    return (
        [f"{hidden:,} {'item is' if hidden == 1 else 'items are'} {LEFT_OUT}, and not in the index"] if hidden else []
    )


def _nothing_new(index_id: str) -> str:
    return f"nothing new: index {index_id} holds the same already"
