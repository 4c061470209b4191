"""Which values of an attribute a head learns: those of enough photos, the most frequent ones first.

A brand that ten photos show cannot be learned, and a hundred thousand brands would be as many columns. What has no slot
is unlabelled. Slots are permanent: a value that has one keeps it, however rare it becomes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
import pyarrow.compute as pc

from pipelines.errors import StageError
from pipelines.jobs.transforms import CreateEach
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store
from pipelines.tables.arrow import index_of
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS
from pipelines.tables.taxonomy import extend_taxonomy, look_alikes, read_taxonomy

Frequencies = dict[str, list[tuple[int, str]]]  # attribute -> (photos, value), the most frequent first


def give_slots(context: RunContext) -> list[str]:
    """Give slots to the frequent values of `train.attributes`; return lines that say how many values have one.

    Raises StageError when an attribute is not mapped, or none of its values is frequent enough.
    """
    names = context.config.train.attributes
    _check_mapped(names, context.config.catalogue.columns.attributes)
    if not names:
        return []
    frequent, distinct = _count(context)
    held, most = read_taxonomy(context.store)["attributes"], context.config.train.max_attribute_values
    chosen = {name: _chosen(frequent.get(name, []), held.get(name, {}), most) for name in names}
    extend_taxonomy(context.store, ((f"attribute:{name}", value) for name in names for value in chosen[name]))
    slots = read_taxonomy(context.store)["attributes"]
    floor = f"train.min_attribute_images = {context.config.train.min_attribute_images}"
    lines = [_told(name, len(slots.get(name, ())), distinct.get(name, 0), floor) for name in names]
    return lines + look_alikes((f"attribute:{name}", value) for name in names for value in slots[name])


def _check_mapped(names: Sequence[str], mapped: Collection[str]) -> None:
    for name in names:
        if name not in mapped:
            there = ", ".join(sorted(mapped)) or "none"
            raise StageError(
                f"train.attributes names {name!r}, which catalogue.columns.attributes does not map; it maps: {there}"
            )


def _told(name: str, columns: int, values: int, floor: str) -> str:
    if not columns:
        raise StageError(
            f"none of the {values} values of attribute {name!r} has {floor} photos to learn from: lower it, or take "
            f"{name!r} out of train.attributes"
        )
    return f"attribute {name!r}: {columns} values have a column of the head ({floor}), of {values} today"


def _chosen(frequent: list[tuple[int, str]], held: dict[str, int], most: int) -> list[str]:
    new = [value for _, value in frequent if value not in held]
    return new[: max(0, most - len(held))]


def _count(context: RunContext) -> tuple[Frequencies, dict[str, int]]:
    """Return the frequent values, and how many values each attribute has; a rerun reads what was counted."""
    done = f"{context.prefix('train')}/attributes.json"
    if not context.store.exists(done):
        context.jobs("train").run("attributes", lambda pipeline: _build(pipeline, context, done))
    found = context.store.read_json(done)
    return {name: [(n, v) for n, v in values] for name, values in found["frequent"].items()}, found["distinct"]


def _build(pipeline: beam.Pipeline, context: RunContext, done: str) -> None:
    section, prepared = context.config.train, context.outputs(PreprocessOutputs)
    names, floor = tuple(section.attributes), section.min_attribute_images
    read = partial(count_values, context.store, prepared.photos, f"catalogue/{prepared.catalogue_id}", names)
    totals = (
        pipeline
        | "Buckets" >> CreateEach(range(context.buckets))
        | "CountInBucket" >> beam.FlatMap(read)
        | "Total" >> beam.CombinePerKey(sum)
    )
    distinct = totals | "NameOnly" >> beam.Map(lambda total: total[0][0]) | beam.combiners.Count.PerElement()
    frequent = (
        totals
        | "Frequent" >> beam.Filter(lambda total: total[1] >= floor)
        | "ByName" >> beam.Map(lambda total: (total[0][0], (total[1], total[0][1])))
        | "Most" >> beam.combiners.Top.LargestPerKey(section.max_attribute_values)
    )
    _ = (
        frequent
        | "FrequentByName" >> beam.combiners.ToDict()
        | "Keep" >> beam.Map(_keep, beam.pvalue.AsDict(distinct), context.store, done)
    )


def _keep(frequent: Frequencies, distinct: dict[str, int], store: Store, name: str) -> None:
    store.create_json(name, {"frequent": frequent, "distinct": dict(distinct)})


def count_values(
    store: Store, photos: str, catalogue: str, names: tuple[str, ...], bucket: int
) -> Iterator[tuple[tuple[str, str], int]]:
    """Yield ((attribute, value), photos to learn from) of one bucket of items."""
    shown = read_bucket(store, photos, bucket, RESOLVED_PHOTOS, ["item_id", "code", "split"])
    shown = shown.filter((pc.field("code") == "") & (pc.field("split") == "train"))
    items = read_bucket(store, f"{catalogue}/items", bucket, ITEMS, ["item_id", "attributes"])
    where = index_of(shown["item_id"], items["item_id"])
    attributes: list[Any] = items["attributes"].to_pylist()
    counts: Counter[tuple[str, str]] = Counter()
    for row in where[where >= 0]:
        counts.update((name, value) for name, value in attributes[row] or () if name in names)
    yield from counts.items()
