"""Sets of real photos with labels, prepared and held in memory, for benchmarks that train without a store."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trainer.config import LEAF, level_label
from trainer.data import Decoded, Photos
from transforms.image import prepare
from transforms.labels import slot_feature
from transforms.photo import PrepSpec
from transforms.pixels import decode_prepared

LEVELS = ("l1", "l2", "l3")
SHARES = (("test", 0.1), ("val", 0.2))
"""(split, up to which share of the groups) where a set has no splits of its own."""


@dataclass(frozen=True)
class Labelled:
    """Photos uint8 [n, side, side, 3], int32 [n] slots a label, and str [n] of each: split, role and group.

    Photos of one group are of one split: those of one item, or of equal titles.
    """

    pixels: np.ndarray
    slots: dict[str, np.ndarray]
    split: np.ndarray
    role: np.ndarray
    group: np.ndarray

    def photos(self, *splits: str) -> Photos:
        """Return the photos of some splits as trainings take them."""
        rows = np.flatnonzero(np.isin(self.split, splits))
        slots = {slot_feature(label): values[rows] for label, values in self.slots.items()}
        return Photos(Decoded(self.pixels[rows]), slots, self.role[rows])

    @property
    def sizes(self) -> dict[str, int]:
        """How many slots each label has."""
        return {label: int(values.max()) + 1 for label, values in self.slots.items()}


def read_set(folder: Path, side: int, attributes: tuple[str, ...] = ()) -> Labelled:
    """Read a folder with an `index.csv` (path, item_id, l1, l2, l3; split and kind, or title and attributes)."""
    with (folder / "index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    spec = PrepSpec(side, side)
    pixels = np.stack([decode_prepared(prepare((folder / row["path"]).read_bytes(), spec).jpeg) for row in rows])
    paths = [tuple(filter(None, (row[level] for level in LEVELS))) for row in rows]
    slots = {LEAF: _numbered(["/".join(path) for path in paths])}
    slots |= {level_label(n): _numbered(["/".join(path[: n + 1]) for path in paths]) for n in range(len(LEVELS))}
    slots |= {f"attr_{name}": _numbered([row[name] for row in rows]) for name in attributes}
    group = np.array([row.get("title") or row["item_id"] for row in rows])
    split = np.array([row.get("split") or _split_of(name) for row, name in zip(rows, group, strict=True)])
    return Labelled(pixels, slots, split, np.array([row.get("kind", "main") for row in rows]), group)


def _numbered(values: list[str]) -> np.ndarray:
    """Return a number for each value, in sorted order; -1 for ""."""
    numbers = {value: number for number, value in enumerate(sorted(filter(None, set(values))))}
    return np.array([numbers.get(value, -1) for value in values], np.int32)


def _split_of(group: str) -> str:
    share = int.from_bytes(hashlib.sha256(group.encode()).digest()[:4], "big") / 2**32
    return next((split for split, until in SHARES if share < until), "train")
