"""What adding, renaming and removing a category does to the accuracy of all others, over two warm-started retrains.

    python -m benchmarks.bench_categories --config infra/environments/fashion60.toml

The examples of a store's last training are learned three times: as a catalogue that lacks one leaf, then with that leaf
added and another renamed, then with a third removed; each training starts from the one before. Beside it the same
catalogue is learned three times without a change. Both are done with several seeds, and held-out photos of the leaves
that nothing happened to are counted. The last result stays in benchmarks/results/. Expected: a difference within what
seeds make, and no slot that moves.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from pipelines.config import load_config
from pipelines.store import open_store
from pipelines.store.folder import FolderStore
from pipelines.tables.taxonomy import Values, extend_taxonomy, read_taxonomy
from trainer.config import TrainSpec, level_label, levels_of
from trainer.data import Decoded, Photos, decode
from trainer.export import save_weights
from trainer.fit import WEIGHTS
from trainer.heads import build_heads
from trainer.loop import Trainer
from trainer.trunks import build_trunk
from trainer.warm_start import copy_weights, load_weights
from transforms.labels import slot_feature
from transforms.photo import PrepSpec

RESULTS = Path(__file__).parent / "results"
RANKS = {"added": 10, "renamed": 15, "removed": 20}
"""Which leaves something happens to, by rank of size."""
RETRAIN_SHARE = 1 / 3
"""Steps of a warm-started training, as a share of the first one's."""


@dataclass(frozen=True)
class Labelled:
    """Decoded photos uint8 [n, h, w, 3] and each one's category values, one a level, '' where it has none."""

    pixels: np.ndarray
    values: list[tuple[str, ...]]

    def leaves(self) -> np.ndarray:
        """Return the deepest category of each photo."""
        return np.array([values[-1] for values in self.values])


def read(config_path: str) -> tuple[dict[str, Labelled], PrepSpec]:
    """Read the examples of the store's last training: {'Split-train', 'Split-eval'}."""
    config = load_config(config_path)
    store = open_store(config.store.uri)
    spec = PrepSpec(config.preprocess.height, config.preprocess.width)
    found = {}
    with store.stage_in(f"examples/{store.folders('examples')[-1]}") as folder:
        for split in ("Split-train", "Split-eval"):
            found[split] = _labelled(sorted(Path(folder, split).glob("*.gz")), spec)
    return found, spec


def _labelled(paths: Sequence[Path], spec: PrepSpec) -> Labelled:
    jpegs, values = [], []
    for record in tf.data.TFRecordDataset([str(path) for path in paths], "GZIP").as_numpy_iterator():
        feature = tf.train.Example.FromString(record).features.feature
        jpegs.append(feature["image"].bytes_list.value[0])
        levels = levels_of(feature)
        values.append(tuple(feature[name].bytes_list.value[0].decode() for name in levels))
    return Labelled(decode(jpegs, len(jpegs), spec.height, spec.width), values)


def on_day(day: int, data: Labelled, chosen: dict[str, str]) -> Labelled:
    """Return the catalogue of day 0, 1 or 2."""
    gone = {chosen["added"]} if day == 0 else {chosen["removed"]} if day == 2 else set()
    kept = [row for row, values in enumerate(data.values) if values[-1] not in gone]
    values = [data.values[row] for row in kept]
    if day:
        renamed = chosen["renamed"]
        values = [(*v[:-1], f"{renamed} renamed") if v[-1] == renamed else v for v in values]
    return Labelled(data.pixels[kept], values)


class Chain:
    """One shop's three trainings with one seed: permanent slots, each training from the one before."""

    def __init__(self, folder: Path, seed: int, spec: PrepSpec, steps: int) -> None:
        self.folder, self.seed, self.spec, self.steps = folder, seed, spec, steps
        self.store = FolderStore(folder / "store")
        self.parent: Path | None = None
        self.slots: dict[str, int] = {}
        self.moved = 0

    def train(self, day: int, train: Labelled, held_out: Labelled, others: set[str]) -> float:
        """Train on a day's catalogue; return the leaf accuracy on held-out photos of `others`."""
        extend_taxonomy(self.store, _values([*train.values, *held_out.values]))
        taxonomy = read_taxonomy(self.store)
        leaves = taxonomy["levels"][-1]
        self.moved += sum(leaves[value] != slot for value, slot in self.slots.items())
        self.slots = leaves
        work = self.folder / f"day-{day}"
        work.mkdir()
        steps = self.steps if day == 0 else round(RETRAIN_SHARE * self.steps)
        shape = (self.spec.height, self.spec.width)
        spec = TrainSpec("", "", "", str(work / "ck"), "", *shape, steps=steps, seed=10 * self.seed + day)
        keras.utils.set_random_seed(spec.seed)
        sizes = {level_label(level): len(slots) for level, slots in enumerate(taxonomy["levels"])}
        models = {"trunk": build_trunk("small", "float32"), "heads": build_heads(sizes)}
        if self.parent:
            arrays = load_weights(self.parent)
            for name, model in models.items():
                copy_weights(model, name, arrays)
        kept = [row for row, values in enumerate(held_out.values) if values[-1] in others]
        asked = Labelled(held_out.pixels[kept], [held_out.values[row] for row in kept])
        found = Trainer(spec, models["trunk"], models["heads"]).fit(_photos(train, taxonomy), _photos(asked, taxonomy))
        self.parent = work / WEIGHTS
        save_weights(self.parent, models)
        return found[f"top1.{level_label(len(taxonomy['levels']) - 1)}"]


def _values(rows: Sequence[tuple[str, ...]]) -> list[Values]:
    return [(f"level:{level}", value) for values in set(rows) for level, value in enumerate(values) if value]


def _photos(data: Labelled, taxonomy: dict[str, Any]) -> Photos:
    slots = {
        slot_feature(level_label(level)): np.array([known.get(v[level], -1) for v in data.values], np.int32)
        for level, known in enumerate(taxonomy["levels"])
    }
    return Photos(Decoded(data.pixels), slots, np.full(len(data.values), "main"))


def measure(config_path: str, seeds: int, steps: int) -> dict[str, Any]:
    """Train all chains; return the accuracies of the other leaves, day by day."""
    data, spec = read(config_path)
    train, held_out = data["Split-train"], data["Split-eval"]
    by_size = [leaf for leaf, _ in Counter(train.leaves().tolist()).most_common() if leaf]
    chosen = {what: by_size[rank] for what, rank in RANKS.items()}
    others = set(by_size) - set(chosen.values())
    found: dict[str, list[list[float]]] = {"changed": [], "unchanged": []}
    moved = 0
    for seed in range(1, seeds + 1):
        for kind, accuracies in found.items():
            with tempfile.TemporaryDirectory() as folder:
                chain = Chain(Path(folder), seed, spec, steps)
                days = []
                for day in range(3):
                    now, asked = (on_day(day, d, chosen) if kind == "changed" else d for d in (train, held_out))
                    days.append(round(chain.train(day, now, asked, others), 4))
                accuracies.append(days)
                moved += chain.moved
            print(f"seed {seed}, {kind}: {days}", flush=True)
    last = {kind: np.array([days[-1] for days in rows]) for kind, rows in found.items()}
    noise = float(np.std(last["unchanged"], ddof=1)) if seeds > 1 else float("nan")
    return {
        "chosen": chosen,
        "steps": [steps, round(RETRAIN_SHARE * steps), round(RETRAIN_SHARE * steps)],
        "accuracy_of_other_leaves_by_day": found,
        "mean_after_two_retrains": {kind: round(float(values.mean()), 4) for kind, values in last.items()},
        "difference": round(float(last["changed"].mean() - last["unchanged"].mean()), 4),
        "seed_noise_std": round(noise, 4),
        "slots_moved": moved,
    }


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=300)
    args = parser.parse_args()
    result = measure(args.config, args.seeds, args.steps)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "categories.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
