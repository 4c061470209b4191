"""A store as preprocess leaves it, with photos whose pixels are a word; and what examples were written of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from pipelines.runs.context import RunContext
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store, UnitTable
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS, ITEMS, RESOLVED_PHOTOS
from pipelines.train.examples import SPLITS, Examples, ExampleShape, build_examples
from tests.train.conftest import BUCKETS, PREP

UNIT_PHOTOS = 4
SHAPE = ExampleShape(2, ("colour",))


@dataclass(frozen=True)
class Shown:
    """One photo of one item: `photo` is the number that makes its digest."""

    item: str
    photo: int
    leaf: str = "shoes > boots"
    split: str = "train"
    colour: str | None = None
    role: str = "main"
    position: int = 0
    code: str = ""


def digest_of(photo: int) -> bytes:
    return photo.to_bytes(32, "big")


def prepare(store: Store, run_id: str, shown: Sequence[Shown], unit_photos: int = UNIT_PHOTOS) -> None:
    """Write a catalogue of these items, their photos in units of so many, and what preprocess tells of them."""
    catalogue, images = f"catalogue/of-{run_id}", UnitTable(store, f"images/{PREP}")
    numbers = sorted({one.photo for one in shown})
    places = {}
    for start in range(0, len(numbers), unit_photos):
        part = numbers[start : start + unit_photos]
        unit_id = f"{unit_photos:04d}{start:012d}"
        places |= {number: (unit_id, row) for row, number in enumerate(part)}
        digests, hashes = list(map(digest_of, part)), [b"\0" * 8] * len(part)
        keys = pa.table([digests, [""] * len(part), list(range(len(part))), hashes], schema=IMAGE_KEYS)
        pixels = [f"pixels of {number}".encode() for number in part]
        data = pa.table([digests, pixels, [16] * len(part), [24] * len(part), hashes], schema=IMAGE_DATA)
        images.commit(unit_id, keys, data)
    items = {one.item: _item(one) for one in shown}
    _write(store, f"{catalogue}/items", items.values(), ITEMS)
    rows = [_photo(one, *places[one.photo]) for one in shown]
    _write(store, f"runs/{run_id}/preprocess/photos", rows, RESOLVED_PHOTOS)
    outputs = PreprocessOutputs(PREP, f"of-{run_id}", f"runs/{run_id}/preprocess/photos", len(numbers)).as_json()
    store.create_json(f"runs/{run_id}/preprocess/manifest.json", {"outputs": outputs})


def build(context: RunContext, shown: Sequence[Shown], beside: str | None = None, unit_photos: int = 4) -> Examples:
    """Prepare these photos in a run and write its examples."""
    prepare(context.store, context.run_id, shown, unit_photos)
    return build_examples(context, SHAPE, beside)


def read(store: Store, examples: Examples, split: str = "train") -> dict[int, dict[str, str]]:
    """Return the labels of the examples of a split, by the number of their photo; each photo is there once."""
    import tensorflow as tf

    found: dict[int, dict[str, str]] = {}
    for entry in sorted(store.list(f"{examples.folder}/{SPLITS[split]}"), key=lambda entry: entry.name):
        with store.stage_in(entry.name) as path:
            for record in tf.data.TFRecordDataset(str(path), "GZIP").as_numpy_iterator():
                features = tf.train.Example.FromString(record).features.feature
                values = {name: feature.bytes_list.value[0] for name, feature in features.items()}
                number = int.from_bytes(values.pop("digest"), "big")
                assert values.pop("image") == f"pixels of {number}".encode()
                assert number not in found
                found[number] = {name: value.decode() for name, value in values.items()}
    return found


def _item(one: Shown) -> dict[str, Any]:
    category = one.leaf.split(" > ") if one.leaf else []
    attributes = [("colour", one.colour)] if one.colour is not None else []
    return {"item_id": one.item, "group_id": "", "category": category, "title": "", "attributes": attributes}


def _photo(one: Shown, unit: str, row: int) -> dict[str, Any]:
    names = {"item_id": one.item, "image_uri": f"{one.photo}.jpg", "role": one.role, "position": one.position}
    place = {"image_unit": unit, "image_row": row, "split": one.split, "code": one.code}
    return {**names, **place, "digest": digest_of(one.photo)}


def _write(store: Store, folder: str, rows: Any, schema: pa.Schema) -> None:
    for bucket in range(BUCKETS):
        part = [row for row in rows if bucket_of(row["item_id"], BUCKETS) == bucket]
        write_bucket(store, folder, bucket, pa.Table.from_pylist(part, schema))
