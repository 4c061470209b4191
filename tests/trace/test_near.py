"""Ids that one which is not there may have meant."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.store import Log, initialise
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import DELETES, ITEMS, REJECTS
from pipelines.trace.near import nearest_ids, rounded_rows

BUCKETS = 3


def store_of(root: Path, ids: list[str], table: str = "items", schema: pa.Schema = ITEMS) -> FolderStore:
    store = FolderStore(root)
    initialise(store, BUCKETS)
    for bucket in range(BUCKETS):
        rows = [{"item_id": one} for one in ids if bucket_of(one, BUCKETS) == bucket]
        write_bucket(store, f"catalogue/c/{table}", bucket, pa.Table.from_pylist(rows, schema))
    return store


@pytest.mark.parametrize(
    ("asked", "there"),
    [
        ("ab-123", "AB-123"),
        ("0012345", "12345"),
        ("12345", "0012345"),
        ("AB 123", "AB-123"),
        ("AB123", "AB-00123"),
        ("12345.0", "12345"),
        ("12345", "12345,00"),
        ("ａｂ１", "ab1"),  # the wide letters of Japanese keyboards
        ("Cafe\u0301 1", "Caf\u00e9 1"),
        ("12345", "12335"),
        ("12345", "1234"),
        ("12345", "123456"),
        ("12345", "12354"),
        ("a.b+c", "a.b+cd"),
        ("12345", "12345-RED-XL"),
        ("12345", "shop/12345"),
    ],
)
def test_what_may_have_been_meant(tmp_path: Path, asked: str, there: str) -> None:
    store = store_of(tmp_path, [there, "other", "98765", "zzz"])
    assert nearest_ids(store, "c", asked, BUCKETS) == (there,)


def test_the_likeliest_stand_first_and_only_some_are_named(tmp_path: Path) -> None:
    store = store_of(tmp_path, ["A1234", *(f"a123{n}" for n in range(9)), "a1234-2"])
    found = nearest_ids(store, "c", "a-1234", BUCKETS)
    assert found[:2] == ("A1234", "a1234")
    assert len(found) <= 5


def test_what_was_deleted_or_rejected_counts_too(tmp_path: Path) -> None:
    assert nearest_ids(store_of(tmp_path / "d", ["Ab1"], "deletes", DELETES), "c", "ab1", BUCKETS) == ("Ab1",)
    assert nearest_ids(store_of(tmp_path / "r", ["Ab1"], "rejects", REJECTS), "c", "ab1", BUCKETS) == ("Ab1",)


def test_a_long_id_is_looked_for_without_slips(tmp_path: Path) -> None:
    store = store_of(tmp_path, ["A" * 300, "b"])
    assert nearest_ids(store, "c", "a" * 300, BUCKETS) == ("A" * 300,)
    assert nearest_ids(store, "c", "a" * 299, BUCKETS) == ()


@pytest.mark.parametrize(
    ("asked", "written"),
    [("4006381333931", "4.00638E+12"), ("4006381333931", "4,00638E+12"), ("4006381333931", "4.006381E+12")],
)
def test_ids_that_a_spreadsheet_has_rounded(tmp_path: Path, asked: str, written: str) -> None:
    store = FolderStore(tmp_path)
    row = {"source": "feed.csv:7", "item_id": "", "image_uri": "", "code": "bad_item_id"}
    detail = f"{written!r} was rounded by a spreadsheet; export ids as text"
    table = pa.Table.from_pylist([{**row, "detail": detail}], REJECTS)
    write_bucket(store, "catalogue/c/rejects", bucket_of("", BUCKETS), table)
    Log(store, "catalogue/log").append(1, {"catalogue_id": "c", "rejects": {"bad_item_id": 1}})
    assert [found["source"] for found in rounded_rows(store, asked, BUCKETS)] == ["feed.csv:7"]
    assert rounded_rows(store, "4006991333931", BUCKETS) == []
    assert rounded_rows(store, "400638133393", BUCKETS) == []
