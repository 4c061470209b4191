"""A training run from transformed examples to an exported model; reads as its table of contents."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from trainer.calibration import Calibration, calibrate
from trainer.config import EMBEDDING_DIM, HASH_BITS, LEAF, TrainSpec, levels_of
from trainer.data import Photos, load_photos
from trainer.export import Readout, ServingModel, export_model, raw_embeddings, save_weights, weights_of
from trainer.files import read_text
from trainer.hashing import build_hash_head, fit_hash_head
from trainer.heads import build_heads, loss_weights
from trainer.identity import checksum, model_id, part
from trainer.initial_weights import fill
from trainer.loop import Trainer, say, targets_of
from trainer.precision import compute_dtype
from trainer.ranking import HeldOut, Ranking, learn_ranking
from trainer.trunks import build_trunk
from trainer.warm_start import copy_weights, load_weights
from transforms.labels import slot_feature

MINUTES_WORTH_TIMING = 5.0
"""A training of fewer minutes computes in float32: to time both precisions would take too much of it."""
CALIBRATION_PHOTOS = 4096
MODEL_JSON, WEIGHTS = "model.json", "weights.npz"


def train_and_export(
    spec: TrainSpec, train_files: Sequence[str], eval_files: Sequence[str], transform_output: str, export_dir: str
) -> dict[str, float]:
    """Train trunk and heads, then the hash head with the trunk frozen; export; return the metrics.

    Beside the SavedModel, `spec.work` gets `model.json` (identity, shape, metrics) and `weights.npz` for warm starts.
    """
    keras.utils.set_random_seed(spec.seed)
    slots = spec.slots()
    sizes = {label: max(values.values(), default=0) + 1 for label, values in slots.items()}
    dtype = _dtype(spec)
    trunk, heads = build_trunk(spec.trunk, dtype), build_heads(sizes)
    hash_head = build_hash_head(HASH_BITS, spec.seed)
    _start(spec, {"trunk": trunk, "heads": heads, "hash_head": hash_head})
    started = time.monotonic()
    shape = (list(slots), spec.height, spec.width)
    train = load_photos(train_files, *shape, spec.memory_bytes, spec.work)
    held_out = load_photos(eval_files, *shape, spec.memory_bytes // 4, spec.work)
    seconds = time.monotonic() - started
    say(f"{len(train)} photos to learn from, {len(held_out)} held out, read in {seconds:.0f} s, {dtype}")
    metrics = Trainer(spec, trunk, heads).fit(train, held_out)
    before = checksum(weights_of({"trunk": trunk}))
    metrics |= _fit_hash(spec, trunk, hash_head, train, sizes)
    models = {"trunk": trunk, "heads": heads, "hash_head": hash_head}
    arrays = weights_of(models)
    after = checksum(part(arrays, ["trunk"]))
    if before != after:
        raise RuntimeError(f"the trunk changed while the hash head was trained ({before[:12]} -> {after[:12]})")
    learned = _learned(train, sizes, spec.min_leaf_images)
    unit, logits, rows = _outputs_of(trunk, heads, held_out)
    truth = {label: held_out.slots[slot_feature(label)][rows] for label in logits}
    calibration = calibrate(logits[LEAF], truth[LEAF], learned[LEAF])
    say(f"{_leaves_in_words(train, learned[LEAF], spec.min_leaf_images)}; {calibration}")
    readout = Readout(learned, calibration.temperature)
    probabilities = {label: readout.probabilities(label, values).numpy() for label, values in logits.items()}
    attributes = {name: f"attr_{name}" for name in spec.attributes}
    ranking = learn_ranking(HeldOut(unit, probabilities, truth), LEAF, attributes)
    say(str(ranking) if ranking else "results are ranked as the recipe says: held-out photos show nothing better")
    export_model(ServingModel(trunk, heads, hash_head, readout), spec, transform_output, export_dir)
    save_weights(Path(spec.work, WEIGHTS), models)
    named = arrays | readout.arrays() | (ranking.arrays() if ranking else {})
    identity = model_id(spec.prep_id, named, slots)
    _describe(spec, slots, identity, learned, calibration, ranking, metrics, {"before": before, "after": after})
    return metrics


def _dtype(spec: TrainSpec) -> str:
    """Return the dtype of the training: chosen once, so that one that goes on after a kill keeps it."""
    chosen = f"{spec.checkpoints}/dtype"
    if not tf.io.gfile.exists(chosen):
        timed = spec.steps is None and spec.minutes >= MINUTES_WORTH_TIMING
        with tf.io.gfile.GFile(f"{chosen}.part", "w") as part:
            part.write(compute_dtype(spec.trunk, spec.height, spec.width, timed=timed))
        tf.io.gfile.rename(f"{chosen}.part", chosen, overwrite=True)
    return read_text(chosen)


def _start(spec: TrainSpec, models: Mapping[str, keras.Model]) -> None:
    if spec.parent is None:
        if spec.weights is not None:
            count = fill(models["trunk"], spec.trunk, Path(spec.weights))
            say(f"starts from {Path(spec.weights).name}: {count} variables of the trunk")
        return
    arrays = load_weights(Path(spec.parent, WEIGHTS))
    copied = {name: copy_weights(model, name, arrays) for name, model in models.items()}
    say("warm start: " + ", ".join(f"{n} variables of {name}" for name, n in copied.items()))


def _fit_hash(
    spec: TrainSpec, trunk: keras.Model, hash_head: keras.Model, train: Photos, sizes: Mapping[str, int]
) -> dict[str, float]:
    embeddings = _embed(trunk, train)
    slots = {label: targets_of(train, label, spec.min_leaf_images) for label in sizes}
    weights = loss_weights(list(sizes), spec.attribute_weight)
    return fit_hash_head(
        hash_head, embeddings, slots, sizes, weights, minutes=spec.hash_minutes, steps=spec.hash_steps, seed=spec.seed
    )


def _embed(trunk: keras.Model, photos: Photos) -> np.ndarray:
    """Return the normalised embeddings float16 [n, 512], as precise as those that the embed stage stores."""

    @tf.function(reduce_retracing=True)
    def embed(pixels: tf.Tensor) -> tf.Tensor:
        return tf.math.l2_normalize(raw_embeddings(trunk, pixels), axis=1)

    embeddings = np.empty((len(photos), EMBEDDING_DIM), np.float16)
    start = 0
    for pixels in photos.batches(len(photos)):
        embeddings[start : start + len(pixels)] = embed(tf.constant(pixels)).numpy()
        start += len(pixels)
    return embeddings


def _leaves_in_words(train: Photos, learned: np.ndarray, least: int) -> str:
    """Return how many of the leaves that have photos to learn from (not those of the past) were learned."""
    shown = np.unique(targets_of(train, LEAF, 1))
    count, total = int(learned.sum()), int(np.count_nonzero(shown >= 0))
    few = "" if count == total else f" (the others have fewer than train.min_leaf_images = {least} photos)"
    return f"{count} of the {total} leaves with photos to learn from were learned{few}"


def _learned(train: Photos, sizes: Mapping[str, int], min_leaf_images: int) -> dict[str, np.ndarray]:
    """Return of each label which slots had photos enough to be learned, bool [slots]."""
    targets = {label: targets_of(train, label, min_leaf_images) for label in sizes}
    return {label: np.isin(np.arange(size), targets[label]) for label, size in sizes.items()}


def _outputs_of(
    trunk: keras.Model, heads: keras.Model, photos: Photos
) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
    """Return what the model says of at most CALIBRATION_PHOTOS photos, and their rows int64 [n].

    L2-normalised embeddings float32 [n, 512], and logits float32 [n, classes] by label.
    """

    @tf.function(reduce_retracing=True)
    def outputs(pixels: tf.Tensor) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        raw = raw_embeddings(trunk, pixels)
        return tf.math.l2_normalize(raw, axis=1), heads(raw, training=False)

    count = min(len(photos), CALIBRATION_PHOTOS)
    rows = np.linspace(0, len(photos) - 1, count).astype(np.int64) if count else np.zeros(0, np.int64)
    batches = np.array_split(rows, max(1, count // 256))
    units, logits = zip(*(outputs(tf.constant(photos.batch(part))) for part in batches), strict=True)
    by_label = {label: np.concatenate([part[label].numpy() for part in logits]) for label in logits[0]}
    return np.concatenate([part.numpy() for part in units]), by_label, rows


def _describe(
    spec: TrainSpec,
    slots: Mapping[str, Mapping[str, int]],
    identity: str,
    learned: Mapping[str, np.ndarray],
    calibration: Calibration,
    ranking: Ranking | None,
    metrics: Mapping[str, float],
    trunk_checksum: Mapping[str, str],
) -> None:
    by_slot = {label: sorted(values, key=values.__getitem__) for label, values in slots.items()}
    description = {
        "model_id": identity,
        "prep_id": spec.prep_id,
        "height": spec.height,
        "width": spec.width,
        "dim": EMBEDDING_DIM,
        "bits": HASH_BITS,
        "trunk": spec.trunk,
        "leaf": {
            "slots": list(range(len(learned[LEAF]))),
            "trained": np.flatnonzero(learned[LEAF]).tolist(),
            **asdict(calibration),
        },
        "ranking": asdict(ranking) if ranking else None,
        "levels": [list(range(len(learned[label]))) for label in levels_of(slots)],
        "attributes": {name: by_slot[f"attr_{name}"] for name in spec.attributes},
        "trained": [np.flatnonzero(learned[label]).tolist() for label in levels_of(slots)],
        "metrics": {name: round(float(value), 6) for name, value in metrics.items()},
        "trunk_checksum": dict(trunk_checksum),
    }
    Path(spec.work, MODEL_JSON).write_text(json.dumps(description, indent=1, sort_keys=True), encoding="utf-8")
