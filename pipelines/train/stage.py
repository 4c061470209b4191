"""The train stage: decide whether to train, train beside the live model, and name the model by what it is."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import StageError
from pipelines.models.advice import is_advised, weights_hint
from pipelines.models.effort import short_training
from pipelines.models.facts import read_facts
from pipelines.models.imported import is_imported
from pipelines.runs.context import RunContext
from pipelines.runs.inputs import reject_notes
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.outputs import PreprocessOutputs, TrainOutputs
from pipelines.tables.taxonomy import read_taxonomy
from pipelines.train.adoption import adopt, keep_verdict, train_key, verdict_key
from pipelines.train.checkpoints import Checkpoints
from pipelines.train.messages import price, retired_leaves, thin_leaves, too_few, unlearned
from pipelines.train.news import learnable_labels
from pipelines.train.policy import Live, catalogue_id, live_model, place_of, reason_to_train, remember
from pipelines.train.seen import keep_labels, keep_seen
from pipelines.train.specification import beside, specification
from pipelines.train.start import Start, start_of, usual_size
from trainer.config import TrainOutcome, TrainSpec

if TYPE_CHECKING:
    from pipelines.train.examples import Examples


def run(context: RunContext) -> StageResult:
    """Keep the live model, or train one; a model that the Evaluator refuses stops nothing."""
    prep_id = context.outputs(PreprocessOutputs).prep_id
    if context.overrides.model_id is not None:
        return _given(context, context.overrides.model_id, prep_id)
    live = live_model(context.store)
    reason = reason_to_train(context, live, prep_id)
    if reason is None and live is not None:
        note = f"the live model {live.model_id} is kept ({context.config.train.policy})"
        told = [note, *unlearned(context, live.facts), *retired_leaves(context)]
        return _result(live.model_id, live.facts["space_id"], "reused", told)
    context.progress.say(f"train: {reason}; {price(context, live)}")
    if thin := thin_leaves(context):
        context.progress.say(f"train: {thin}")
    from pipelines.train.attributes import give_slots

    notes = give_slots(context)
    taxonomy = read_taxonomy(context.store)
    examples = _examples(context, taxonomy, live)
    start = start_of(context, live, prep_id)
    key = train_key(context, examples, taxonomy, start, prep_id)
    adopted = adopt(context, key, live)
    model_id, refused = adopted or _train(context, examples, taxonomy, live, prep_id, start, key)
    if refused and live is not None and "leaf" in live.facts:
        note = f"the new model was refused ({refused}); the run goes on with the live model {live.model_id}"
        return _result(live.model_id, live.facts["space_id"], "refused", [note, *notes], examples)
    if refused:
        first = "the first model" if live is None else "the first model with a leaf head"
        raise StageError(f"{first} was refused: {refused}; train longer or lower train.min_accuracy")
    facts = context.store.read_json(f"models/{model_id}/model.json")
    decision, done = ("adopted", "adopted, of an equal training,") if adopted else ("trained", "trained")
    short = [text for text in (short_training(facts),) if text]
    told = [
        *short,
        *unlearned(context, facts),
        *retired_leaves(context),
        *_advice(context, examples, start, prep_id),
        *notes,
    ]
    return _result(model_id, facts["space_id"], decision, [f"{done} {model_id}: {reason}", *told], examples)


def _given(context: RunContext, model_id: str, prep_id: str) -> StageResult:
    facts = context.store.read_json(f"models/{model_id}/model.json")
    if facts["prep_id"] != prep_id:
        raise StageError(
            f"model {model_id} reads photos prepared as {facts['prep_id']}, the config prepares {prep_id}; "
            "set preprocess.height, width and quality back, or add train to --stages"
        )
    read_facts(context.store, model_id).check_leaves()
    if is_imported(facts):
        remember(context, model_id)
    return _result(model_id, facts["space_id"], "reused", [f"model {model_id} is used, as it was asked for"])


def _examples(context: RunContext, taxonomy: dict[str, Any], live: Live | None) -> Examples:
    section = context.config.train
    if len(taxonomy["leaves"]) < 2:
        names = ", ".join(taxonomy["leaves"]) or "none has a slot yet: start a new run"
        raise StageError(
            f"all items are in one category ({names}); a model needs two to tell apart: map a finer column"
        )
    from pipelines.train.examples import ExampleShape, build_examples

    shape = ExampleShape(len(taxonomy["levels"]), tuple(section.attributes))
    examples = build_examples(context, shape, live.model_id if live else None)
    train, held_out = examples.counts.get("train", 0), examples.counts.get("val", 0)
    if train < section.min_images or not held_out:
        raise StageError(too_few(examples, section.min_images))
    return examples


def _advice(context: RunContext, examples: Examples, start: Start, prep_id: str) -> list[str]:
    """Return notes on what a training would better have started from."""
    if start.weights is not None:
        return start.notes(prep_id)
    photos, told = sum(examples.counts.values()), context.config.train.initial_weights
    size = usual_size(context.store, prep_id) if is_advised(photos, told) else None
    hint = weights_hint(photos, told, size)
    return [hint] if hint else []


def _train(
    context: RunContext,
    examples: Examples,
    taxonomy: dict[str, Any],
    live: Live | None,
    prep_id: str,
    start: Start,
    key: str,
) -> tuple[str, str | None]:
    from pipelines.train.launch import MODULE, VERTEX_MODULE, run_in_subprocess

    name = verdict_key(key, live)
    state = _state_folder(context, name)
    checkpoints = _checkpoints(context, name, state)
    checkpoints.restore()
    with ExitStack() as staged:
        module, folder = VERTEX_MODULE, f"{context.store.uri}/{examples.folder}"
        if context.config.train.engine == "local":
            module, folder = MODULE, str(staged.enter_context(context.store.stage_in(examples.folder)))
        spec = specification(context, folder, state, prep_id, taxonomy, start)
        if live is not None and live.facts["prep_id"] == prep_id:
            spec = beside(context, spec, live, staged.enter_context(context.store.stage_in(live.folder)), start)
        if start.weights is not None and start.parent is None:
            spec = replace(spec, weights=str(staged.enter_context(context.store.stage_in(start.weights.name))))
        if module == VERTEX_MODULE:
            _name_job(context, spec, name)
        try:
            outcome = run_in_subprocess(spec, _listener(context, checkpoints), module)
        except StageError as error:
            raise StageError(_where_to_go_on(error, checkpoints)) from error
        model_id = _keep(context, spec, outcome, taxonomy, key, examples, start)
    keep_verdict(context.store, key, live, model_id, outcome.refused)
    checkpoints.discard()
    shutil.rmtree(state, ignore_errors=True)
    return model_id, outcome.refused


def _checkpoints(context: RunContext, name: str, state: Path) -> Checkpoints:
    prefix = f"{context.prefix('train')}/checkpoints/{name}"
    return Checkpoints(context.store, prefix, state / "checkpoints", context.progress)


def _listener(context: RunContext, checkpoints: Checkpoints) -> Callable[[str], None]:
    def listen(line: str) -> None:
        if not checkpoints.heard(line):
            context.progress.say(f"train: {line}")

    return listen


def _where_to_go_on(error: StageError, checkpoints: Checkpoints) -> str:
    newest = checkpoints.newest()
    if newest is None:
        return str(error)
    place = f"{checkpoints.store.uri}/{newest}"
    return f"{error}\nthe last checkpoint is {place}: the same run, with the same [train], goes on from there"


def _name_job(context: RunContext, spec: TrainSpec, key: str) -> None:
    """Write beside the specification which job of Vertex AI trains it."""
    from pipelines.train.vertex_job import VERTEX_JSON, VertexJob

    section = context.config.train.vertex
    assert section is not None, "the config was validated"
    work = Path(spec.work)
    work.mkdir(exist_ok=True)
    VertexJob.of(section, context.store.uri, context.run_id, key).save(work / VERTEX_JSON)


def _state_folder(context: RunContext, key: str) -> Path:
    """Return the local folder of TFX's work, whose log stays when a training fails; what must last is in the store."""
    name = hashlib.sha256(f"{context.store.uri}|{context.run_id}|{key}".encode()).hexdigest()[:16]
    state = Path(tempfile.gettempdir(), f"visual-search-train-{name}")
    state.mkdir(parents=True, exist_ok=True)
    return state


def _keep(
    context: RunContext,
    spec: TrainSpec,
    outcome: TrainOutcome,
    taxonomy: dict[str, Any],
    key: str,
    examples: Examples,
    start: Start,
) -> str:
    """Put the model into the store, `model.json` last."""
    facts = json.loads(Path(spec.work, "model.json").read_text(encoding="utf-8"))
    model_id = facts["model_id"]
    folder = f"models/{model_id}"
    context.pin("train", folder)
    lineage = {
        "run_id": context.run_id,
        "train_key": key,
        "parent": Path(spec.parent).name if spec.parent else None,
        "catalogue_id": catalogue_id(context),
        "items": keep_seen(context.store, catalogue_id(context), examples.digests, folder, context.buckets),
        "examples": asdict(examples),
        "held_out_leaves": context.config.train.held_out_leaves,
        "weights": asdict(start.weights) if start.weights else None,
    }
    context.store.stage_out(Path(outcome.export), f"{folder}/saved_model")
    context.store.create_from(f"{folder}/weights.npz", Path(spec.work, "weights.npz"))
    curves = Path(spec.checkpoints, "curves.jsonl")
    if curves.is_file():
        context.store.create_from(f"{folder}/curves.jsonl", curves)
    context.store.create_json(f"{folder}/taxonomy.json", taxonomy)
    section = context.config.train
    floors = section.min_leaf_images, section.min_attribute_images
    labels = learnable_labels(place_of(context), section.attributes, *floors)
    keep_labels(context.store, folder, labels)
    facts |= {"space_id": model_id, "lineage": lineage, "metrics": facts["metrics"] | outcome.metrics}
    context.store.create_json(f"{folder}/model.json", facts)
    return str(model_id)


def _result(
    model_id: str, space_id: str, decision: str, notes: list[str], examples: Examples | None = None
) -> StageResult:
    outputs = TrainOutputs(model_id, space_id, decision, notes[0])
    if examples is None:
        return StageResult(Ledger(0, 0), {"examples": 0}, outputs, notes=notes)
    used, rejected = sum(examples.counts.values()), sum(examples.rejects.values())
    ledger = Ledger(examples.photos, used, examples.photos - used - rejected, rejected, examples.rejects)
    return StageResult(ledger, {"examples": used}, outputs, notes=[*notes, *reject_notes(ledger, examples.details)])
