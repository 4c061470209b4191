"""What train tells a person: what a new model costs before it is made, and what it could not learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow.compute as pc

from pipelines.runs.context import RunContext
from pipelines.tables.arrays import Array
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import RESOLVED_PHOTOS
from pipelines.train.policy import Live, place_of


def price(context: RunContext, live: Live | None) -> str:
    """Say what a new model costs, before anything is done for it."""
    section, photos = context.config.train, different_photos(context)
    trunk, codes = (
        f"{steps:,} steps" if steps else f"about {minutes:g} minutes"
        for steps, minutes in ((section.steps, section.minutes), (section.hash_steps, section.hash_minutes))
    )
    embeds = f"then all {photos:,} different photos are embedded"
    if live is not None:
        embeds = f"the new model opens a space: all {photos:,} different photos will be embedded again"
    return f"training takes {trunk}, the hash {codes}, and {embeds}"


def different_photos(context: RunContext) -> int:
    """Return how many different photos the run has prepared: copies of one count once. Takes 8 bytes a photo."""
    place = place_of(context)
    found = [_names(context, place.photos, bucket) for bucket in range(place.buckets)]
    return len(np.unique(np.concatenate(found)))


def unlearned(facts: Mapping[str, Any], least: int) -> list[str]:
    """Return a note on the leaf categories that a model (its `model.json`) could not learn, if there are any."""
    leaf = facts.get("leaf")
    if leaf is None or len(leaf["trained"]) == len(leaf["slots"]):
        return []
    return [
        f"{len(leaf['trained'])} of {len(leaf['slots'])} leaf categories were learned: the others had fewer photos to "
        f"learn from than train.min_leaf_images (now {least}). Their items are found by likeness, but the model names "
        "only the categories above them"
    ]


def _names(context: RunContext, folder: str, bucket: int) -> Array:
    photos = read_bucket(context.store, folder, bucket, RESOLVED_PHOTOS, ["digest", "code"])
    digests = photos.filter(pc.equal(photos["code"], ""))["digest"].to_pylist()
    return np.frombuffer(b"".join(digest[:8] for digest in digests), np.uint64)
