"""Parquet of every type that writers give to a shop's columns."""

import uuid
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue.formats.base import Columns, Notation
from pipelines.catalogue.rows import column_names, read_rows

BATCH = 4096


def written(folder: Path, **columns: Any) -> Path:
    path = folder / "a.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def cells(path: Path, name: str) -> list[Any]:
    return [row.values.get(name, row.code) for row in read_rows(path)]


def test_types_are_kept_and_rows_numbered_over_batches(tmp_path: Path) -> None:
    path = written(tmp_path, sku=list(range(5000)), photos=[["a", "b"]] * 5000)
    rows = list(read_rows(path))
    assert [row.number for row in rows] == [row.place for row in rows] == list(range(1, 5001))
    assert rows[4999].values == {"sku": 4999, "photos": ["a", "b"]}
    assert column_names(path) == ["sku", "photos"]


@pytest.mark.parametrize(
    "kind",
    [
        pa.binary(), pa.large_binary(), pa.binary(2), pa.string(), pa.large_string(),
        pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int32(), pa.binary()),
    ],
    ids=str,
)  # fmt: skip
def test_texts_are_texts_however_they_are_written(tmp_path: Path, kind: pa.DataType) -> None:
    value_type = kind.value_type if pa.types.is_dictionary(kind) else kind
    plain = [b"a3", b"a4", None] if "binary" in str(value_type) else ["a3", "a4", None]
    values = pa.array(plain, value_type)
    path = written(tmp_path, sku=values.dictionary_encode() if pa.types.is_dictionary(kind) else values)
    assert cells(path, "sku") == ["a3", "a4", None]


def test_lists_of_binary_are_lists_of_texts(tmp_path: Path) -> None:
    for kind in (pa.list_(pa.binary()), pa.large_list(pa.binary()), pa.list_(pa.binary(), 1)):
        assert cells(written(tmp_path, photos=pa.array([[b"a.jpg"], [b"b.jpg"]], kind)), "photos") == [
            ["a.jpg"],
            ["b.jpg"],
        ]


def test_binary_that_is_no_utf8_stays_binary_in_its_batch(tmp_path: Path) -> None:
    path = written(tmp_path, sku=pa.array([b"a1", b"\xff\xfe"], pa.binary()))
    assert cells(path, "sku") == [b"a1", b"\xff\xfe"]  # which the mapping reads, or rejects, one by one


def test_strings_that_are_no_utf8_reject_their_row_alone(tmp_path: Path) -> None:
    names = pa.array([b"good", b"caf\xe9", b"fine"], pa.binary()).view(pa.string())
    rows = list(read_rows(written(tmp_path, sku=["1", "2", "3"], name=names)))
    assert [row.code for row in rows] == ["", "bad_utf8", ""]
    assert (rows[1].values, rows[1].detail) == ({"sku": "2"}, "column 'name' is not UTF-8")
    assert rows[2].values == {"sku": "3", "name": "fine"}


NOON = datetime(2026, 1, 2, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1767355200123456789], pa.timestamp("ns", "UTC")), NOON),
        (pa.array([1767355200123456], pa.timestamp("us", "UTC")), NOON),
        (pa.array([1767355200123456], pa.timestamp("us", "Europe/Berlin")), NOON),
        (pa.array([1767355200123456], pa.timestamp("us")), NOON.replace(tzinfo=None)),
        (pa.array([1767355200], pa.timestamp("s")), NOON.replace(microsecond=0, tzinfo=None)),
        (pa.array([date(2026, 1, 2)]), date(2026, 1, 2)),
        (pa.array([Decimal("12.50")], pa.decimal128(10, 2)), Decimal("12.50")),
        (pa.array([7], pa.uint64()), 7),
        (pa.array([True]), True),
    ],
    ids=str,
)
def test_moments_and_numbers(tmp_path: Path, values: pa.Array, expected: Any) -> None:
    assert cells(written(tmp_path, at=values), "at") == [expected]


def test_times_as_impala_and_old_spark_write_them(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    times = pa.array([NOON.replace(tzinfo=None), datetime(9999, 12, 31)], pa.timestamp("us"))  # noqa: DTZ001
    pq.write_table(pa.table({"at": times}), path, use_deprecated_int96_timestamps=True)
    assert cells(path, "at") == [NOON.replace(tzinfo=None), datetime(9999, 12, 31)]  # noqa: DTZ001


def test_a_time_that_python_has_not_rejects_its_row_alone(tmp_path: Path) -> None:
    late = int(timedelta(days=366 * 300_000).total_seconds())
    rows = list(read_rows(written(tmp_path, sku=["1", "2"], at=pa.array([0, late], pa.timestamp("s")))))
    assert [row.code for row in rows] == ["", "bad_row"]
    assert rows[1].values == {"sku": "2"}
    assert rows[1].detail.startswith("column 'at' cannot be read: ")


def test_a_uuid_is_one(tmp_path: Path) -> None:
    one = uuid.UUID(int=7)
    values = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([one.bytes], pa.binary(16)))
    assert [str(value) for value in cells(written(tmp_path, sku=values), "sku")] == [str(one)]


def test_only_columns_that_are_mapped_are_read(tmp_path: Path) -> None:
    path = written(tmp_path, sku=["1"], vector=[[0.0] * 9], name=["a"])
    [row] = read_rows(path, Notation(), Columns("sku", frozenset(), frozenset({"sku", "name", "not there"})))
    assert row.values == {"sku": "1", "name": "a"}


def test_a_name_with_a_dot_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"price.eur": [3.0], "sku": ["1"]}), path)
    [row] = read_rows(path, Notation(), Columns("sku", frozenset(), frozenset({"sku", "price.eur"})))
    assert row.values["price.eur"] == 3.0
