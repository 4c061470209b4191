"""Bucketing, shuffling and joining of Arrow tables."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.store import NotFoundError, Store, open_store
from pipelines.tables import arrow, buckets, schemas


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def test_buckets_are_the_first_eight_bytes_of_sha256() -> None:
    # sha256("") = e3b0c442 98fc1c14…; 0xe3b0c44298fc1c14 = 16406829232824261652, whose last two bits are 00
    assert buckets.bucket_of("", 4) == 0
    assert buckets.bucket_of(b"", 10) == 2
    assert buckets.bucket_of("sku-1", 7) == buckets.bucket_of(b"sku-1", 7)
    assert buckets.buckets_of(pa.chunked_array([["sku-1"], ["", "é"]]), 7).tolist() == [
        buckets.bucket_of(key, 7) for key in ("sku-1", "", "é")
    ]


def test_partition_sends_every_row_to_the_bucket_of_its_key_and_keeps_the_order() -> None:
    table = pa.table({"item_id": [f"i{n % 5}" for n in range(20)], "n": range(20)})
    parts = dict(buckets.partition(table, "item_id", 3))
    seen = []
    for bucket, ipc in parts.items():
        part = arrow.from_ipc([ipc], table.schema)
        assert {buckets.bucket_of(key, 3) for key in part["item_id"].to_pylist()} == {bucket}
        assert part["n"].to_pylist() == sorted(part["n"].to_pylist())
        seen += part["n"].to_pylist()
    assert sorted(seen) == list(range(20))
    assert list(buckets.partition(table.slice(0, 0), "item_id", 3)) == []


def test_ipc_of_a_slice_and_of_nothing() -> None:
    table = pa.table({"a": pa.chunked_array([[1, 2], [3]])})
    back = arrow.from_ipc([arrow.to_ipc(table.slice(1, 2)), arrow.to_ipc(table)], table.schema)
    assert back["a"].to_pylist() == [2, 3, 1, 2, 3]
    assert arrow.from_ipc([], table.schema).schema == table.schema


def test_index_of_finds_the_first_place_or_minus_one() -> None:
    haystack = pa.chunked_array([["a", "b"], ["b", "c"]])
    assert arrow.index_of(pa.array(["b", "z", "c", "b"]), haystack).tolist() == [1, -1, 3, 1]
    assert arrow.index_of(pa.array(["b"]), pa.array([], pa.string())).tolist() == [-1]
    assert arrow.index_of(pa.array([], pa.string()), haystack).tolist() == []
    digests = pa.array([b"\0" * 32, b"\1" * 32], schemas.DIGEST)
    assert arrow.index_of(digests.take(pa.array([1, 0])), digests).tolist() == [1, 0]


@given(st.lists(st.text(max_size=2)), st.lists(st.text(max_size=2)))
def test_index_of_equals_list_index(needles: list[str], haystack: list[str]) -> None:
    expected = [haystack.index(needle) if needle in haystack else -1 for needle in needles]
    got = arrow.index_of(pa.array(needles, pa.string()), pa.array(haystack, pa.string()))
    assert got.tolist() == expected
    assert got.dtype == np.int64


def test_the_smallest_unit_wins_a_key_that_two_committed() -> None:
    table = pa.table({"key": ["x", "y", "x", "y"], "unit_id": ["02", "01", "01", "03"], "row": [0, 1, 2, 3]})
    first = arrow.first_of_each(table, "key", [("unit_id", "ascending")])
    assert dict(zip(first["key"].to_pylist(), first["unit_id"].to_pylist(), strict=True)) == {"x": "01", "y": "01"}
    last = arrow.first_of_each(table, "key", [("row", "descending")])
    assert sorted(last["row"].to_pylist()) == [2, 3]
    assert arrow.first_of_each(table.slice(0, 0), "key", [("row", "ascending")]).num_rows == 0


def test_buckets_are_written_once_and_read_empty_when_they_are_not_there(store: Store) -> None:
    schema = pa.schema([("a", pa.int32()), ("b", pa.string())])
    table = pa.table({"a": pa.array([1, 2], pa.int32()), "b": ["x", "y"]})
    buckets.write_bucket(store, "t", 3, table)
    buckets.write_bucket(store, "t", 3, table.slice(0, 1))
    assert store.exists("t/00003.parquet")
    assert buckets.read_bucket(store, "t", 3, schema).to_pydict() == {"a": [1, 2], "b": ["x", "y"]}
    assert buckets.read_bucket(store, "t", 3, schema, ["b"]).to_pydict() == {"b": ["x", "y"]}
    assert buckets.read_bucket(store, "t", 4, schema).schema == schema
    assert buckets.read_bucket(store, "t", 4, schema, ["b"]).to_pydict() == {"b": []}
    assert buckets.read_parquet(store, "t/00003.parquet", ["a"]).to_pydict() == {"a": [1, 2]}
    with pytest.raises(NotFoundError):
        buckets.read_parquet(store, "t/00004.parquet")


@pytest.mark.parametrize("name", ["ITEMS", "PHOTOS", "RESOLVED_PHOTOS", "RESOLVED_VECTORS", "IMAGE_DATA", "REJECTS"])
def test_schemas_survive_parquet(store: Store, name: str) -> None:
    schema = getattr(schemas, name)
    buckets.write_bucket(store, name, 0, schema.empty_table())
    assert buckets.read_bucket(store, name, 0, schema).schema.equals(schema)
