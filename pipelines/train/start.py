"""What a training starts from: the live model, weights of elsewhere, or nothing."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.models.advice import Size
from pipelines.models.imported import is_imported
from pipelines.runs.context import RunContext
from pipelines.store import NotFoundError, Store, UnitTable
from pipelines.train.policy import Live
from pipelines.train.weights import Weights, initial_weights
from trainer.weight_files import LEAST_SIDE
from transforms.photo import PrepSpec


@dataclass(frozen=True)
class Start:
    """What a training starts from: `parent`, the live model, or else the `weights`, or else chance.

    With a parent, `weights` are what that one began with, itself or by its own parents.
    """

    parent: Live | None
    weights: Weights | None
    head_share: float
    trunk_rate: float

    def key(self) -> list[Any]:
        """Return what names it beside its parent; nothing where there are no weights."""
        return [] if self.weights is None else [self.weights.sha256, self.head_share, self.trunk_rate]

    def notes(self, prep_id: str) -> list[str]:
        """Return a note where photos are smaller than what the weights have learned to read."""
        prepared = PrepSpec.from_prep_id(prep_id)
        if self.weights is None or min(prepared.height, prepared.width) >= LEAST_SIDE:
            return []
        return [
            f"photos are prepared as {prepared.height} x {prepared.width}, and weights of ImageNet make little of less "
            f"than {LEAST_SIDE} pixels a side; raise preprocess.height and width, to 160 or 224"
        ]


def start_of(context: RunContext, live: Live | None, prep_id: str) -> Start:
    """Return what the next training starts from; weights that it begins with are in the store then."""
    section, told = context.config.train, initial_weights(context.config, context.store)
    parent = live if live is not None and _goes_on(context, live, prep_id, told) else None
    weights = told if parent is None else _weights_of(parent)
    if weights is None:
        return Start(parent, None, head_share=0.0, trunk_rate=1.0)
    return Start(parent, weights, section.head_share if parent is None else 0.0, section.trunk_rate)


def _goes_on(context: RunContext, live: Live, prep_id: str, told: Weights | None) -> bool:
    """Tell whether a training can go on from a live model: with its trunk, photos like its, from no other weights."""
    section, began = context.config.train, _weights_of(live)
    same_trunk = live.facts.get("trunk", section.trunk) == section.trunk
    other = told is not None and (began is None or began.sha256 != told.sha256)
    can = section.warm_start and not is_imported(live.facts) and live.facts["prep_id"] == prep_id
    return can and same_trunk and not other


def _weights_of(live: Live) -> Weights | None:
    kept = live.facts.get("lineage", {}).get("weights")
    return None if kept is None else Weights(**kept)


def usual_size(store: Store, prep_id: str) -> Size | None:
    """Return the median height and width, in pixels, of a unit of photos before they are prepared; None of none."""
    images = UnitTable(store, f"images/{prep_id}")
    for unit_id in images.unit_ids():
        with suppress(NotFoundError):  # all its photos are rejects
            sizes = images.read_rows(unit_id, columns=["height", "width"])
            return int(np.median(sizes["height"])), int(np.median(sizes["width"]))
    return None
