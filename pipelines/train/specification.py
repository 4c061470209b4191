"""What the process that trains is told: the settings, the examples, and what it starts from and is compared with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.models.imported import is_imported
from pipelines.runs.context import RunContext
from pipelines.train.policy import Live
from pipelines.train.start import Start
from trainer.config import TrainSpec
from transforms.photo import PrepSpec


def specification(
    context: RunContext, folder: str, state: Path, prep_id: str, taxonomy: dict[str, Any], start: Start
) -> TrainSpec:
    """Return what a training from `start` is told of examples in `folder`; its own files are in `state`."""
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
        head_share=start.head_share,
        trunk_rate=start.trunk_rate,
        fixed_norms=start.weights is not None,
        minutes=section.minutes,
        steps=section.steps,
        batch=section.batch,
        learning_rate=section.learning_rate,
        seed=section.seed,
        min_leaf_images=section.min_leaf_images,
        repeat=dict(section.repeat),
        scenes=section.scenes,
        attribute_weight=section.attribute_weight,
        hash_minutes=section.hash_minutes,
        hash_steps=section.hash_steps,
        memory_bytes=section.memory_bytes,
        min_accuracy=section.min_accuracy,
        max_accuracy_drop=section.max_accuracy_drop,
        checkpoint_s=section.checkpoint_s,
    )


def beside(context: RunContext, spec: TrainSpec, live: Live, folder: Path, start: Start) -> TrainSpec:
    """Return the specification with the live model, whose `folder` is local, to compare with and to start from."""
    parent = str(folder) if start.parent else None
    if is_imported(live.facts) or "leaf" not in live.facts:
        why = "was imported" if is_imported(live.facts) else "has no leaf head"
        context.progress.say(
            f"train: the live model {live.model_id} {why}: train.max_accuracy_drop has nothing to compare with this "
            "once"
        )
        return replace(spec, parent=parent)
    return replace(spec, parent=parent, baseline=str(folder))
