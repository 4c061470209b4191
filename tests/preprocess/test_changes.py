"""What is to do: sources against what is wanted, images against what is known. Tables in, tables out."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from pipelines.config import FetchSection
from pipelines.preprocess.addresses import Ages
from pipelines.preprocess.changes import (
    NAMED_IMAGES,
    NAMED_ORIGINALS,
    NAMED_SOURCES,
    SEEN,
    TODO,
    CompareSources,
    lacking_images,
    newest_sources,
    sorted_todo,
)
from pipelines.shop_files.fetch import LISTED, Fetcher
from pipelines.tables.schemas import PHOTOS

ONE, TWO, THREE = (bytes([n]) * 32 for n in (1, 2, 3))
NOW = {"a": "10-1", "b": "20-1", "c": "30-1", "d": "missing"}
AGES = Ages(FetchSection(), frozenset({"bytes<=99", "pixels<=9"}))


class Disk(Fetcher):
    """Fingerprints as they are now."""

    def __init__(self) -> None:
        super().__init__("", 1)

    def fingerprint(self, uri: str) -> str:
        return NOW[uri]


def photos(*uris: str) -> pa.Table:
    return pa.Table.from_pylist([{"item_id": "i", "image_uri": uri} for uri in uris], PHOTOS)


def source(uri: str, fingerprint: str, digest: bytes | None, day: int = 1, unit: str = "u") -> Mapping[str, object]:
    at = datetime(2026, 1, day, tzinfo=UTC)
    return {"image_uri": uri, "fingerprint": fingerprint, "fetched_at": at, "digest": digest, "unit_id": unit}


def compare(wanted: pa.Table, *sources: Mapping[str, object]) -> tuple[list[tuple], list[tuple]]:
    table = pa.Table.from_pylist([dict(one) for one in sources], NAMED_SOURCES)
    tables = {"photos": wanted, "sources": table, "listed": LISTED.empty_table()}
    new, seen, _ = CompareSources(Disk(), 2, AGES)(0, tables)
    assert new.schema.equals(TODO)
    assert seen.schema.equals(SEEN)
    return known(new), known(seen)


def known(table: pa.Table) -> list[tuple]:
    """The rows, without the place of what was kept."""
    return [tuple(row.values()) for row in table.drop_columns(["original_unit", "original_row"]).to_pylist()]


def test_what_was_never_fetched_is_new_once_a_uri() -> None:
    new, seen = compare(photos("b", "a", "b"))
    assert new == [("a", "10-1", None, ""), ("b", "20-1", None, "")]
    assert seen == []


def test_what_has_its_fingerprint_is_the_same_and_what_has_another_may_have_changed() -> None:
    new, seen = compare(photos("a", "b"), source("a", "10-1", ONE), source("b", "20-0", TWO, unit="v"))
    assert new == []
    assert seen == [("a", "10-1", ONE, "u", True), ("b", "20-1", TWO, "v", False)]


def test_below_a_root_in_a_bucket_the_list_says_what_changed_and_nothing_is_asked_for() -> None:
    listed = pa.table({"image_uri": ["b", "other", "a"], "fingerprint": ["20-2", "9-9", "10-1"]}, LISTED)
    known = [dict(source("a", "10-1", ONE)), dict(source("b", "20-1", TWO, unit="v")), dict(source("gone", "3-3", ONE))]
    sources = pa.Table.from_pylist(known, NAMED_SOURCES)
    tables = {"photos": photos("a", "b", "gone"), "sources": sources, "listed": listed}
    new, seen, _ = CompareSources(Fetcher("gs://shop/photos", 1), 2, AGES)(0, tables)
    assert new.num_rows == 0
    assert [(row["image_uri"], row["fingerprint"], row["same"]) for row in seen.to_pylist()] == [
        ("a", "10-1", True),
        ("b", "20-2", False),
        ("gone", "missing", False),
    ]


def test_the_newest_source_counts() -> None:
    sources = [source("a", "10-1", ONE, 1, "u1"), source("a", "10-0", TWO, 2, "u2")]
    _, seen = compare(photos("a"), *sources)
    assert seen == [("a", "10-1", TWO, "u2", False)]
    assert newest_sources(pa.Table.from_pylist([dict(s) for s in sources], NAMED_SOURCES))["unit_id"].to_pylist() == [
        "u2"
    ]


@pytest.mark.parametrize(
    ("uri", "fingerprint", "again"),
    [
        ("d", "missing", False),  # still not there
        ("a", "missing", True),  # it is there now
        ("a", "10-1 pixels<=9", False),  # refused by the limit that still holds
        ("a", "10-1 bytes<=99", False),
        ("a", "10-1 pixels<=5", True),  # the limit was raised
        ("a", "10-1 unreadable", True),
        ("a", "10-1", False),
    ],
)
def test_what_could_not_be_fetched_is_tried_again_when_something_changed(
    uri: str, fingerprint: str, again: bool
) -> None:
    new, seen = compare(photos(uri), source(uri, fingerprint, None))
    assert new == ([(uri, NOW[uri], None, "u")] if again else [])
    assert seen == []


def lacking(images: list[bytes], *seen: tuple[str, bytes, bool]) -> list[tuple]:
    rows = [
        {"image_uri": uri, "fingerprint": NOW[uri], "digest": d, "previous": "u", "same": same} for uri, d, same in seen
    ]
    prepared = pa.Table.from_pylist([{"digest": digest} for digest in images], NAMED_IMAGES)
    originals = NAMED_ORIGINALS.empty_table()
    todo = lacking_images(0, {"seen": pa.Table.from_pylist(rows, SEEN), "images": prepared, "originals": originals})
    assert todo.schema.equals(TODO)
    return sorted((row["image_uri"], row["digest"]) for row in todo.to_pylist())


def test_what_is_prepared_and_unchanged_is_left_alone() -> None:
    assert lacking([ONE], ("a", ONE, True)) == []


def test_what_this_size_has_not_seen_is_prepared_once_a_digest() -> None:
    assert lacking([TWO], ("b", ONE, True), ("a", ONE, True), ("c", TWO, True)) == [("a", None)]


def test_what_may_have_changed_is_read_with_the_digest_that_needs_no_work() -> None:
    assert lacking([ONE], ("a", ONE, False), ("b", TWO, False)) == [("a", ONE), ("b", None)]


def test_nothing_seen_is_nothing_to_do() -> None:
    assert lacking([ONE]) == []


def test_the_rows_to_do_are_sorted_and_one_a_uri() -> None:
    rows = [{"image_uri": uri, "fingerprint": "f", "previous": ""} for uri in "cab"]
    todo = pa.Table.from_pylist([*rows, rows[0]], TODO)
    assert sorted_todo({"todo": todo})["image_uri"].to_pylist() == ["a", "b", "c"]
