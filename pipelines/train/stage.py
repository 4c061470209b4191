"""The train stage: decide whether to train, train beside the live model, and name the model by what it is."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pipelines.errors import StageError
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.outputs import PreprocessOutputs, TrainOutputs
from pipelines.store import Store
from pipelines.tables.taxonomy import read_taxonomy
from pipelines.train.examples import Examples, ExampleShape, build_examples
from pipelines.train.policy import Live, catalogue_id, live_model, reason_to_train, sizes
from pipelines.train.seen import keep_items
from trainer.config import TrainOutcome, TrainSpec
from transforms.photo import PrepSpec

CODE_VERSION = 2


def run(context: RunContext) -> StageResult:
    """Keep the live model, or train one; a model that the Evaluator refuses stops nothing."""
    prep_id = context.outputs(PreprocessOutputs).prep_id
    if context.overrides.model_id is not None:
        return _given(context, context.overrides.model_id, prep_id)
    live = live_model(context.store)
    reason = reason_to_train(context, live, prep_id)
    if reason is None and live is not None:
        note = f"the live model {live.model_id} is kept ({context.config.train.policy})"
        return _result(live.model_id, live.facts["space_id"], "reused", note, 0)
    context.progress.say(f"train: {reason}; {_price(context)}")
    taxonomy = read_taxonomy(context.store)
    examples = _examples(context, taxonomy)
    key = train_key(context, examples, taxonomy, live)
    model_id, refused = _adopt(context.store, key, live) or _train(context, examples, taxonomy, live, prep_id, key)
    total = sum(examples.counts.values())
    if refused and live is not None:
        note = f"the new model was refused ({refused}); the run goes on with the live model {live.model_id}"
        return _result(live.model_id, live.facts["space_id"], "refused", note, total)
    if refused:
        raise StageError(f"the first model was refused: {refused}; train longer or lower train.min_accuracy")
    facts = context.store.read_json(f"models/{model_id}/model.json")
    return _result(model_id, facts["space_id"], "trained", f"trained {model_id}: {reason}", total)


def _given(context: RunContext, model_id: str, prep_id: str) -> StageResult:
    facts = context.store.read_json(f"models/{model_id}/model.json")
    if facts["prep_id"] != prep_id:
        raise StageError(
            f"model {model_id} reads photos prepared as {facts['prep_id']}, the config prepares {prep_id}; "
            "set preprocess.height, width and quality back, or add train to --stages"
        )
    return _result(model_id, facts["space_id"], "reused", f"model {model_id} is used, as it was asked for", 0)


def _price(context: RunContext) -> str:
    """Say what a new model costs, before anything is done for it."""
    section, photos = context.config.train, context.outputs(PreprocessOutputs).with_image
    effort = (
        f"{section.steps:,} steps" if section.steps else f"about {section.minutes + section.hash_minutes:g} minutes"
    )
    return f"training takes {effort}, and the new model opens a space: all {photos:,} photos will be embedded again"


def train_key(context: RunContext, examples: Examples, taxonomy: dict[str, Any], live: Live | None) -> str:
    """Return the name of this training: equal inputs adopt one model, however often they are run."""
    parts = [
        examples.checksum,
        context.config.digest(*context.config.train.learned_by),
        live.model_id if live and context.config.train.warm_start else None,
        hashlib.sha256(json.dumps(taxonomy, sort_keys=True).encode()).hexdigest(),
        CODE_VERSION,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _examples(context: RunContext, taxonomy: dict[str, Any]) -> Examples:
    section = context.config.train
    unknown = [name for name in section.attributes if name not in taxonomy["attributes"]]
    if unknown:
        there = ", ".join(taxonomy["attributes"]) or "none"
        raise StageError(f"train.attributes names {unknown[0]!r}, which the catalogue does not have; it has: {there}")
    if all(len(level) < 2 for level in taxonomy["levels"]):
        names = ", ".join(v for level in taxonomy["levels"] for v in level)
        raise StageError(
            f"all items are in one category ({names}); a model needs two to tell apart: map a finer column"
        )
    shape = ExampleShape(len(taxonomy["levels"]), tuple(section.attributes))
    examples = build_examples(context, shape)
    train, held_out = examples.counts.get("train", 0), examples.counts.get("val", 0)
    if train < section.min_images or not held_out:
        raise StageError(
            f"too few images to train: {train} to learn from and {held_out} held out, train.min_images = "
            f"{section.min_images}; add photos, or lower it"
        )
    return examples


def _train(
    context: RunContext, examples: Examples, taxonomy: dict[str, Any], live: Live | None, prep_id: str, key: str
) -> tuple[str, str | None]:
    from pipelines.train.launch import MODULE, VERTEX_MODULE, run_in_subprocess

    state = _state_folder(context, _verdict_key(key, live))
    with ExitStack() as staged:
        module, folder = VERTEX_MODULE, f"{context.store.uri}/{examples.folder}"
        if context.config.train.engine == "local":
            module, folder = MODULE, str(staged.enter_context(context.store.stage_in(examples.folder)))
        spec = _spec(context, folder, state, prep_id, taxonomy)
        if live is not None and live.facts["prep_id"] == prep_id:
            spec = _beside_live(context, spec, live, staged.enter_context(context.store.stage_in(live.folder)))
        if module == VERTEX_MODULE:
            _name_job(context, spec, _verdict_key(key, live))
        outcome = run_in_subprocess(spec, lambda line: context.progress.say(f"train: {line}"), module)
        model_id = _keep(context, spec, outcome, taxonomy, key, examples)
    verdict = {"model_id": model_id, "refused": outcome.refused}
    context.store.create_json(f"models/by-key/{_verdict_key(key, live)}.json", verdict)
    shutil.rmtree(state, ignore_errors=True)
    return model_id, outcome.refused


def _name_job(context: RunContext, spec: TrainSpec, key: str) -> None:
    """Write beside the specification which job of Vertex AI trains it."""
    from pipelines.train.vertex_job import VERTEX_JSON, VertexJob

    section = context.config.train.vertex
    assert section is not None, "the config was validated"
    work = Path(spec.work)
    work.mkdir(exist_ok=True)
    VertexJob.of(section, context.store.uri, context.run_id, key).save(work / VERTEX_JSON)


def _beside_live(context: RunContext, spec: TrainSpec, live: Live, folder: Path) -> TrainSpec:
    """Return the specification with the live model to compare with and, if so configured, to start from."""
    parent = str(folder) if context.config.train.warm_start else None
    if len(live.facts["levels"]) <= spec.gate_level:
        context.progress.say(
            f"train: the taxonomy has {spec.gate_level + 1} levels, the live model {live.model_id} knows "
            f"{len(live.facts['levels'])}: train.max_accuracy_drop has nothing to compare with this once"
        )
        return replace(spec, parent=parent)
    return replace(spec, parent=parent, baseline=str(folder))


def _state_folder(context: RunContext, key: str) -> Path:
    """Return the local folder of checkpoints and TFX's work; the same key finds it again after a kill."""
    name = hashlib.sha256(f"{context.store.uri}|{key}".encode()).hexdigest()[:16]
    state = Path(tempfile.gettempdir(), f"visual-search-train-{name}")
    (state / "checkpoints").mkdir(parents=True, exist_ok=True)
    return state


def _spec(context: RunContext, folder: str, state: Path, prep_id: str, taxonomy: dict[str, Any]) -> TrainSpec:
    section, shape = context.config.train, PrepSpec.from_prep_id(prep_id)
    (state / "taxonomy.json").write_text(json.dumps(taxonomy), encoding="utf-8")
    return TrainSpec(
        examples=folder,
        taxonomy=str(state / "taxonomy.json"),
        work=str(state / "work"),
        checkpoints=str(state / "checkpoints"),
        prep_id=prep_id,
        height=shape.height,
        width=shape.width,
        attributes=tuple(section.attributes),
        trunk=section.trunk,
        minutes=section.minutes,
        steps=section.steps,
        batch=section.batch,
        learning_rate=section.learning_rate,
        seed=section.seed,
        min_leaf_images=section.min_leaf_images,
        repeat=dict(section.repeat),
        hash_minutes=section.hash_minutes,
        memory_bytes=section.memory_bytes,
        min_accuracy=section.min_accuracy,
        max_accuracy_drop=section.max_accuracy_drop,
        gate_level=len(taxonomy["levels"]) - 1,
        checkpoint_s=section.checkpoint_s,
    )


def _keep(
    context: RunContext,
    spec: TrainSpec,
    outcome: TrainOutcome,
    taxonomy: dict[str, Any],
    key: str,
    examples: Examples,
) -> str:
    """Put the model into the store, `model.json` last."""
    facts = json.loads(Path(spec.work, "model.json").read_text(encoding="utf-8"))
    model_id = facts["model_id"]
    folder = f"models/{model_id}"
    lineage = {
        "run_id": context.run_id,
        "train_key": key,
        "parent": Path(spec.parent).name if spec.parent else None,
        "catalogue_id": catalogue_id(context),
        "items": keep_items(context.store, catalogue_id(context), folder, context.buckets),
        "examples": asdict(examples),
        "slots": {"levels": [len(v) for v in taxonomy["levels"]], "attributes": sizes(taxonomy["attributes"])},
    }
    context.store.stage_out(Path(outcome.export), f"{folder}/saved_model")
    context.store.create_from(f"{folder}/weights.npz", Path(spec.work, "weights.npz"))
    curves = Path(spec.checkpoints, "curves.jsonl")
    if curves.is_file():
        context.store.create_from(f"{folder}/curves.jsonl", curves)
    context.store.create_json(f"{folder}/taxonomy.json", taxonomy)
    facts |= {"space_id": model_id, "lineage": lineage, "metrics": facts["metrics"] | outcome.metrics}
    context.store.create_json(f"{folder}/model.json", facts)
    return str(model_id)


def _verdict_key(key: str, live: Live | None) -> str:
    """Return the name of a training's verdict: one against another live model says nothing about today's."""
    return f"{key}-{live.model_id}" if live else key


def _adopt(store: Store, key: str, live: Live | None) -> tuple[str, str | None] | None:
    """Return (model, why it was refused) of an equal training: the live model's own, or one compared with it."""
    if live is not None and live.facts["lineage"]["train_key"] == key:
        return live.model_id, None
    name = f"models/by-key/{_verdict_key(key, live)}.json"
    if not store.exists(name):
        return None
    kept = store.read_json(name)
    return kept["model_id"], kept["refused"]


def _result(model_id: str, space_id: str, decision: str, note: str, examples: int) -> StageResult:
    outputs = TrainOutputs(model_id, space_id, decision, note)
    return StageResult(Ledger(examples, examples), {"examples": examples}, outputs, notes=[note])
