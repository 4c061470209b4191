"""What a training run is told: one frozen, JSON-able specification of paths and hyper-parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from trainer.files import read_text

EMBEDDING_DIM = 512
HASH_BITS = 4096
EXPORT_VERSION = 3
CHECKPOINT_LINE = "checkpoint of step "
"""How a training says that a checkpoint is written, with its step after it."""
LEAF = "leaf"
"""The label of an item's whole category path, at whatever depth; levels are auxiliary."""
LEAF_OUTPUT = "leaf_probabilities"
"""What its probabilities are called in an exported model."""
SAME_PHOTO = 0.9995
"""Vectors of this similarity or more are of one photo: two passes may differ by 1e-3 in each of 512 dimensions."""
CATEGORY_WEIGHT = 0.05
"""What an item's category weighs in a ranking beside the cosine, where a model has learned no weights."""
_LEVEL = "category_"


def level_label(level: int) -> str:
    """Return the label of a taxonomy level, 0 the top."""
    return f"{_LEVEL}{level}"


def checkpoint_name(step: int) -> str:
    """Return what the names of a checkpoint's files begin with."""
    return f"ckpt-{step}"


def levels_of(labels: Iterable[str]) -> list[str]:
    """Return the labels that are taxonomy levels, the top first."""
    return sorted((name for name in labels if name.startswith(_LEVEL)), key=lambda name: int(name.removeprefix(_LEVEL)))


@dataclass(frozen=True)
class TrainSpec:
    """One training run.

    Paths are local ones or `gs://` URIs: `examples` holds Split-train/ and Split-eval/ with gzipped TFRecords;
    `taxonomy` is the JSON of permanent slots {"leaves": {value: slot}, "levels": [{value: slot}], "attributes": {name:
    {value: slot}}}; `work` is a throw-away folder;
    `checkpoints` is kept between attempts; `parent` is the folder of the model to start from (weights.npz), or None;
    `baseline` that of the live model (saved_model/) which the Evaluator compares with, or None; `repeat` how often a
    photo of a role is learned from in one pass over all, once if its role is not there; `scenes` what share of the
    photos on a plain ground are shown as customers take them.

    `weights` is a file that the trunk's body starts from when there is no `parent`; the body stays as it is for
    `head_share` of the training, and moves at `trunk_rate` of the learning rate then. With `fixed_norms` its batch
    norms keep the statistics that it came with.
    """

    examples: str
    taxonomy: str
    work: str
    checkpoints: str
    prep_id: str
    height: int
    width: int
    attributes: tuple[str, ...] = ()
    parent: str | None = None
    baseline: str | None = None
    trunk: str = "small"
    weights: str | None = None
    head_share: float = 0.0
    trunk_rate: float = 1.0
    fixed_norms: bool = False
    minutes: float = 10.0
    steps: int | None = None
    batch: int = 128
    learning_rate: float = 1e-2
    weight_decay: float = 0.05
    label_smoothing: float = 0.1
    scenes: float = 0.0
    attribute_weight: float = 0.3
    seed: int = 1
    min_leaf_images: int = 5
    repeat: dict[str, int] = field(default_factory=dict)
    hash_minutes: float = 1.0
    hash_steps: int | None = None
    memory_bytes: int = 4 << 30
    min_accuracy: float = 0.0
    max_accuracy_drop: float = 0.05
    checkpoint_s: float = 60.0

    def slots(self) -> dict[str, dict[str, int]]:
        """Return the label features' slots: {'leaf', 'category_<level>' or 'attr_<name>': {value: slot}}."""
        taxonomy = json.loads(read_text(self.taxonomy))
        slots = {LEAF: taxonomy["leaves"]}
        slots |= {level_label(level): values for level, values in enumerate(taxonomy["levels"])}
        return slots | {f"attr_{name}": taxonomy["attributes"].get(name, {}) for name in self.attributes}

    def save(self, path: Path) -> None:
        """Write the specification as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> TrainSpec:
        """Read a specification that `save` wrote, by its path or `gs://` URI."""
        value: dict[str, Any] = json.loads(read_text(str(path)))
        return cls(**{**value, "attributes": tuple(value["attributes"])})


@dataclass(frozen=True)
class TrainOutcome:
    """What a training run came to; `export` is the folder of the model, `refused` the Evaluator's reason or None."""

    export: str
    refused: str | None
    metrics: dict[str, float]
