"""Ids that one which is not there may have meant."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.store import Log, initialise
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.schemas import DELETES, ITEMS, REJECTS
from pipelines.trace.near import may_be_of, nearest_ids, unnamed_rows

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
    assert nearest_ids(store, "c", asked, BUCKETS).ids == (there,)


def test_the_likeliest_stand_first_and_only_some_are_named(tmp_path: Path) -> None:
    store = store_of(tmp_path, ["A1234", *(f"a123{n}" for n in range(9)), "a1234-2"])
    found = nearest_ids(store, "c", "a-1234", BUCKETS).ids
    assert found[:2] == ("A1234", "a1234")
    assert len(found) <= 5


def test_what_was_deleted_or_rejected_counts_too(tmp_path: Path) -> None:
    assert nearest_ids(store_of(tmp_path / "d", ["Ab1"], "deletes", DELETES), "c", "ab1", BUCKETS).alike == ("Ab1",)
    assert nearest_ids(store_of(tmp_path / "r", ["Ab1"], "rejects", REJECTS), "c", "ab1", BUCKETS).alike == ("Ab1",)


def test_a_long_id_is_looked_for_without_slips(tmp_path: Path) -> None:
    store = store_of(tmp_path, ["A" * 300, "b"])
    assert nearest_ids(store, "c", "a" * 300, BUCKETS).alike == ("A" * 300,)
    assert nearest_ids(store, "c", "a" * 299, BUCKETS).ids == ()


@pytest.mark.parametrize(
    ("asked", "refused"),
    [
        ("4006381333931", "'4.00638E+12' was rounded by a spreadsheet; export ids as text"),
        ("4006381333931", "'4,00638E+12' was rounded by a spreadsheet; export ids as text"),
        ("4006381333931", "'4.006381E+12' was rounded by a spreadsheet; export ids as text"),
        ("S0000208", r"'S00\x0700208' is too long or holds control characters"),
        ("it's-1", '"it\'s\\t-1" is too long or holds control characters'),
        ("12345678901234568", "1.2345678901234568e+16 has lost digits as a floating-point number; write ids as text"),
    ],
)
def test_ids_that_an_export_has_spoilt(asked: str, refused: str) -> None:
    row = {"code": "bad_item_id", "detail": refused}
    assert may_be_of(row, asked)
    assert not may_be_of(row, "4006991333931")
    assert not may_be_of(row, asked[:-1])
    assert not may_be_of({**row, "code": "bad_row"}, asked)


def test_rows_that_do_not_say_whose_they_are(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    row = {"source": "feed.csv:7", "item_id": "", "image_uri": "", "code": "no_item_id", "detail": "it is empty"}
    rows = [row, {**row, "source": "feed.csv:9", "item_id": "x"}]
    write_bucket(store, "catalogue/c/rejects", bucket_of("", BUCKETS), pa.Table.from_pylist(rows, REJECTS))
    log = Log(store, "catalogue/log")
    log.append(1, {"catalogue_id": "c", "rejects": {"no_item_id": 1}})
    log.append(2, {"catalogue_id": "d", "rejects": {}})
    log.append(3, {"catalogue_id": "e", "rejects": {"bad_date": 2}})  # its tables are gone
    assert [found["source"] for found in unnamed_rows(store, BUCKETS)] == ["feed.csv:7"]
    assert unnamed_rows(FolderStore(tmp_path / "new"), BUCKETS) == []
