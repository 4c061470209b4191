"""Which values of an attribute get a column: those of enough photos, and never more than are allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest

from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.runs.context import RunContext
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import Store, open_store
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import ITEMS, RESOLVED_PHOTOS
from pipelines.tables.taxonomy import extend_taxonomy, read_taxonomy
from pipelines.telemetry.progress import Progress
from pipelines.train.attributes import give_slots

BUCKETS = 2
Start = Callable[..., RunContext]


@pytest.fixture
def start(tmp_path: Any) -> Start:
    """A function from {brand: photos to learn from} and the keys of [train] to a run on such a catalogue."""
    store = open_store(str(tmp_path / "store"))

    def write(run_id: str, brands: dict[str, int]) -> None:
        named = [(f"{brand}-{n}", brand) for brand, count in brands.items() for n in range(count)]
        items = [{"item_id": i, "category": ["a"], "attributes": [("brand", brand)]} for i, brand in named]
        # A photo of the test split and one that was rejected teach nothing.
        kinds = [("", "train"), ("", "test"), ("bad_image", "train")]
        photos = [{"item_id": i, "code": code, "split": split} for i, _ in named for code, split in kinds]
        for bucket in range(BUCKETS):
            for folder, rows, schema in (
                (f"catalogue/{run_id}/items", items, ITEMS),
                (f"runs/{run_id}/preprocess/photos", photos, RESOLVED_PHOTOS),
            ):
                inside = [row for row in rows if bucket_of(str(row["item_id"]), BUCKETS) == bucket]
                write_bucket(store, folder, bucket, pa.Table.from_pylist(inside, schema))
        outputs = PreprocessOutputs("8x8-q95-v1", run_id, f"runs/{run_id}/preprocess/photos", len(named)).as_json()
        store.create_json(f"runs/{run_id}/preprocess/manifest.json", {"outputs": outputs})

    def begin(brands: dict[str, int], run_id: str = "r1", **train: Any) -> RunContext:
        write(run_id, brands)
        columns = {"item_id": "i", "photos": "p", "category": "c", "attributes": {"brand": "b"}}
        raw = {"store": {"uri": store.uri}, "catalogue": {"snapshot": "f.csv", "columns": columns}}
        config = Config.model_validate({**raw, "train": {"attributes": ["brand"], **train}})
        return RunContext(config, store, run_id, BUCKETS, Progress(quiet=True))

    return begin


def slots(store: Store) -> dict[str, int]:
    found: dict[str, int] = read_taxonomy(store)["attributes"].get("brand", {})
    return found


def test_a_value_needs_photos_enough_to_learn_from(start: Start) -> None:
    context = start({"Acme": 12, "acme": 10, "Rare": 9} | {f"once {n}": 1 for n in range(200)})
    notes = give_slots(context)
    assert slots(context.store) == {"Acme": 0, "acme": 1}
    assert notes[0] == (
        "attribute 'brand': 2 values have a column of the head (train.min_attribute_images = 10), of 203 today"
    )
    assert "'Acme' and 'acme'" in notes[1]


def test_the_most_frequent_values_get_the_columns_that_are_allowed_and_keep_them(start: Start) -> None:
    context = start({"a": 3, "b": 5, "c": 4, "d": 2}, min_attribute_images=2, max_attribute_values=2)
    give_slots(context)
    assert slots(context.store) == {"b": 0, "c": 1}
    give_slots(start({"d": 9, "b": 1}, "r2", min_attribute_images=2, max_attribute_values=3))
    assert slots(context.store) == {"b": 0, "c": 1, "d": 2}


def test_slots_that_every_value_got_before_there_was_a_floor_are_forgotten(start: Start) -> None:
    context = start({"a": 2}, min_attribute_images=2)
    every = {f"brand {n}": n for n in range(1000)}
    context.store.create_json("taxonomy/00000001.json", {"levels": [{"a": 0}], "attributes": {"brand": every}})
    extend_taxonomy(context.store, [("leaf", "a")])
    give_slots(context)
    assert slots(context.store) == {"a": 0}


def test_an_attribute_without_a_frequent_value_is_refused(start: Start) -> None:
    context = start({"a": 3})
    with pytest.raises(
        StageError, match=r"none of the 1 values of attribute 'brand' has train\.min_attribute_images = 10"
    ):
        give_slots(context)


def test_an_attribute_that_is_not_mapped_is_refused_by_name(start: Start) -> None:
    context = start({"a": 3}, attributes=["colour"])
    with pytest.raises(StageError, match=r"train\.attributes names 'colour', which .* does not map; it maps: brand"):
        give_slots(context)


def test_without_heads_nothing_is_counted(start: Start) -> None:
    context = start({"a": 3}, attributes=[])
    assert give_slots(context) == []
    assert not context.store.exists("runs/r1/train/attributes.json")
