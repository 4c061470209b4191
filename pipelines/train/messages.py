"""What train tells a person: what a new model costs before it is made, and what it could not learn."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from pipelines.runs.context import RunContext
from pipelines.runs.ledger import most_frequent_first
from pipelines.runs.retired import retired_of
from pipelines.tables.arrays import Array
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import RESOLVED_PHOTOS
from pipelines.tables.taxonomy import LEAF, read_taxonomy
from pipelines.train.labels import CODES, read_labels
from pipelines.train.news import Place, learnable_labels
from pipelines.train.policy import Live, place_of

if TYPE_CHECKING:
    from pipelines.train.examples import Examples

HELD_OUT: Final = "those held out to choose and measure by left out"


def price(context: RunContext, live: Live | None) -> str:
    """Say what a new model costs, before anything is done for it."""
    section, photos = context.config.train, different_photos(context)
    trunk, codes = (
        f"{steps:,} steps" if steps else f"about {minutes:g} minute{'' if minutes == 1 else 's'}"
        for steps, minutes in ((section.steps, section.minutes), (section.hash_steps, section.hash_minutes))
    )
    embeds = f"then all {photos:,} different photos are embedded"
    if live is not None:
        embeds = f"the new model opens a space: all {photos:,} different photos will be embedded again"
    return f"training takes {trunk}, the hash {codes}, and {embeds}"


def thin_leaves(context: RunContext) -> str:
    """Say of how many leaf categories the training can learn nothing, "" if of none, before anything is done for it."""
    least, place = context.config.train.min_leaf_images, place_of(context)
    learnable, leaves = learnable_labels(place, (), least, least)[LEAF], _depths(place)
    if leaves.keys() <= learnable:
        return ""
    count = f"{len(learnable) or 'none'} of the {len(leaves)} leaf categories with a usable photo"
    return (
        f"{count} {'has' if len(learnable) < 2 else 'have'} {least} photos or more to learn from "
        f"(train.min_leaf_images; {HELD_OUT}), and the model will name no other: more items of each, coarser "
        "categories, or a lower train.min_leaf_images change that"
    )


def too_few(examples: Examples, least: int) -> str:
    """Say that examples are too few for a model, and why photos that are there teach nothing, with an example each."""
    train, held_out = examples.counts.get("train", 0), examples.counts.get("val", 0)
    fix = "add photos, or lower it" if held_out else "add photos"
    if examples.rejects:
        fix = f"{sum(examples.rejects.values())} of {examples.photos} photos teach nothing:"
    lines = [
        f"too few images to train: {train} to learn from and {held_out} held out, train.min_images = {least}; {fix}"
    ]
    for code, count in most_frequent_first(examples.rejects):
        lines.append(f"  {code} {count}: {CODES[code]}, for example {examples.details[code]}")
    return "\n".join(lines)


def different_photos(context: RunContext) -> int:
    """Return how many different photos the run has prepared: copies of one count once. Takes 8 bytes a photo."""
    place = place_of(context)
    found = [_names(context, place.photos, bucket) for bucket in range(place.buckets)]
    return len(np.unique(np.concatenate(found)))


def unlearned(context: RunContext, facts: Mapping[str, Any]) -> list[str]:
    """Return a note on today's leaf categories that a model (its `model.json`) has not learned, if there are any.

    Categories without a photo of today, such as those of other names in the past, are not counted; nor is there one
    on an imported model that names no leaves at all.
    """
    leaf, slots = facts.get("leaf"), read_taxonomy(context.store)["leaves"]
    if leaf is None or not leaf["slots"] or set(slots.values()) <= set(leaf["trained"]):
        return []
    depths = _depths(place_of(context))
    others = [value for value in depths if slots.get(value) not in leaf["trained"]]
    if not others:
        return []
    few = any(slots.get(value) in leaf["slots"] for value in others)
    newer = any(slots.get(value) not in leaf["slots"] for value in others)
    least = context.config.train.min_leaf_images
    reasons = [f"had fewer than {least} photos to learn from (train.min_leaf_images; {HELD_OUT})"] if few else []
    reasons += ["are newer than the model"] if newer else []
    above = [depths[value] > 1 for value in others]
    if len(others) == len(depths):
        count, which = f"none of the {len(depths)} leaf categories with a usable photo was learned", "they"
    else:
        learned = len(depths) - len(others)
        were = "was" if learned == 1 else "were"
        count = f"{learned} of the {len(depths)} leaf categories with a usable photo {were} learned"
        which = "the others"
    names = "only the categories above them" if any(above) else "none of them"
    where = ", where there are any" if any(above) and not all(above) else ""
    why = f"{which} {' or '.join(reasons)}"
    return [f"{count}: {why}. Their items are found by likeness, but the model names {names}{where}"]


def retired_leaves(context: RunContext) -> list[str]:
    """Return a note on the categories that no item has had for so long that models name them no more, if any."""
    days, gone = context.config.train.retire_after_days, retired_of(context).leaves
    if not gone:
        return []
    names = sorted(leaf for leaf, slot in read_taxonomy(context.store)["leaves"].items() if slot in gone)
    return [
        f"categories that no item has had for {days} days or more, which models name no more and metrics leave out "
        f"until one has (train.retire_after_days): {len(names)}, such as {names[0]!r}"
    ]


def _depths(place: Place) -> dict[str, int]:
    """Return today's leaf categories that have a photo, in words, and how deep they are."""
    depths: dict[str, int] = {}
    for bucket in range(place.buckets):
        rows = read_labels(place.store, place.photos, place.catalogue, bucket, ())
        rows = rows.append_column("depth", pc.list_value_length(rows["category"])).filter(rows["leaf"].is_valid())
        found = rows.group_by("leaf").aggregate([("depth", "max")])
        depths |= dict(zip(found["leaf"].to_pylist(), found["depth_max"].to_pylist(), strict=True))
    return depths


def _names(context: RunContext, folder: str, bucket: int) -> Array:
    photos = read_bucket(context.store, folder, bucket, RESOLVED_PHOTOS, ["digest", "code"])
    digests = photos.filter(pc.equal(photos["code"], ""))["digest"].to_pylist()
    return np.frombuffer(b"".join(digest[:8] for digest in digests), np.uint64)
