"""What a feed means, run after run: what leaves and comes back, is damaged, late, limited, or of an older store."""

import json
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import GateError, StageError
from pipelines.runs.manifest import Manifest
from pipelines.tables.schemas import DELETES
from tests.catalogue.shop import Shop

COLUMNS = {"item_id": "sku", "photos": "image", "category": "path", "title": "name", "updated_at": "at"}
COLUMNS |= {"price": "eur", "deleted": "gone"}
NAMES = ["sku", "image", "path", "name", "eur", "at", "gone"]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path / "shop")
    shop.write_config(catalogue={"columns": COLUMNS, "max_removed_share": 0.5, "max_rejected_share": 0.5})
    return shop


def row(n: int, at: str = "", **more: Any) -> dict[str, Any]:
    plain = {"sku": f"a{n}", "image": f"p{n}.jpg", "path": "Shoes", "name": f"Item {n}", "eur": "12.50", "gone": ""}
    return {**plain, "at": at or f"2026-11-{10 + n:02}T08:00:00Z", **more}


def rows(count: int, *, without: tuple[int, ...] = (), **more: Any) -> list[dict[str, Any]]:
    return [row(n, **more) for n in range(count) if n not in without]


class Days:
    """Runs of a shop, one after the other."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.number = shop, 0

    def read(self, *feed: dict[str, Any], **more: Any) -> Manifest:
        """Read a snapshot; without rows, the one that is there."""
        if feed:
            self.shop.write_csv(feed, columns=NAMES)
        self.number += 1
        return self.shop.run(f"r{self.number}", "catalogue", **more)["catalogue"]

    def delta(self, path: str, *feed: dict[str, Any]) -> None:
        (self.shop.root / "deltas" / path).parent.mkdir(parents=True, exist_ok=True)
        self.shop.write_csv(feed, f"deltas/{path}", NAMES)

    def ids(self) -> str:
        return " ".join(sorted(self.shop.item_ids()))


@pytest.fixture
def days(shop: Shop) -> Days:
    return Days(shop)


@pytest.fixture
def with_deltas(shop: Shop) -> Days:
    catalogue = {"columns": COLUMNS, "deltas": "deltas/*.csv", "max_removed_share": 0.5, "max_rejected_share": 0.5}
    shop.write_config(catalogue=catalogue)
    return Days(shop)


def test_an_item_that_comes_back_as_it_was_is_back(days: Days) -> None:
    days.read(*rows(6))
    assert days.read(*rows(6, without=(2,)))["counts"]["removed"] == 1
    assert days.ids() == "a0 a1 a3 a4 a5"
    assert days.read(*rows(6))["counts"]["added"] == 1
    assert days.ids() == "a0 a1 a2 a3 a4 a5"


def test_a_truncated_export_heals_itself_the_next_day(days: Days) -> None:
    days.read(*rows(8))
    with pytest.raises(GateError, match=r"the snapshot removes 5 of 8 items \(62\.5%\)"):
        days.read(*rows(3))
    days.read(*rows(3), accept="it was on a Friday")
    assert days.ids() == "a0 a1 a2"
    days.read(*rows(8))
    assert len(days.ids().split()) == 8


def test_without_a_column_of_times_the_same_holds(tmp_path: Path) -> None:
    days = Days(Shop(tmp_path))
    columns = {k: v for k, v in COLUMNS.items() if k != "updated_at"}
    days.shop.write_config(catalogue={"columns": columns})
    for n, feed in enumerate((rows(6), rows(6, without=(5,)), rows(6))):
        days.shop.write_csv(feed, columns=NAMES)
        os.utime(days.shop.root / "feed.csv", (1.7e9 + n, 1.7e9 + n))
        days.read()
        assert len(days.ids().split()) == len(feed)


def test_the_newest_item_may_leave(days: Days) -> None:
    days.read(*rows(6))
    assert days.read(*rows(5))["notes"] == []
    assert days.ids() == "a0 a1 a2 a3 a4"


def test_an_older_snapshot_is_refused_by_its_rows_and_applied_when_it_is_accepted(days: Days) -> None:
    days.read(*rows(6), *[row(6, "2026-11-20T08:00:00Z")])
    days.read(*[row(n, f"2026-11-2{n}T08:00:00Z", name=f"New {n}") for n in range(6)])
    words = (
        r"the snapshot is older than the one already read: by column 'at' 6 of its items are of an earlier time than "
        r"they were there, 0 of a later one; nothing was changed\. If it is to be the catalogue all the same, run again"
    )
    old = [*rows(6), row(6, "2026-11-20T08:00:00Z")]
    with pytest.raises(GateError, match=words):
        days.read(*old)
    days.read(*old, accept="the new one was of another shop")
    assert days.ids() == "a0 a1 a2 a3 a4 a5 a6"
    assert {one["title"] for one in days.shop.table("items")} == {f"Item {n}" for n in range(7)}


def test_a_date_that_is_mended_backwards_is_no_older_snapshot(days: Days) -> None:
    days.read(*rows(5), row(5, "2026-11-27T08:00:00Z", eur="1.00"))
    days.read(row(0, "2026-11-26T08:00:00Z"), *rows(5, without=(0,)), row(5, "2026-01-27T08:00:00Z", eur="2.00"))
    assert {one["item_id"]: one["price"] for one in days.shop.table("items")}["a5"] == 2.0


def test_one_date_that_is_corrected_among_rows_that_stay_is_no_older_snapshot(days: Days) -> None:
    days.read(*rows(6))
    days.read(row(0, "2026-11-02T08:00:00Z", name="corrected"), *rows(6, without=(0,)))
    assert "corrected" in {one["title"] for one in days.shop.table("items")}


def test_a_column_of_times_that_is_mapped_later_makes_no_snapshot_older(tmp_path: Path) -> None:
    days = Days(Shop(tmp_path))
    days.shop.write_config(catalogue={"columns": {k: v for k, v in COLUMNS.items() if k != "updated_at"}})
    days.read(*rows(6))
    days.shop.write_config(catalogue={"columns": COLUMNS})
    days.read(*rows(6), row(6))
    assert {one["updated_at"].day for one in days.shop.table("items")} == {10, 11, 12, 13, 14, 15, 16}


def test_an_older_file_is_told_by_its_time_where_rows_have_none(tmp_path: Path) -> None:
    days = Days(Shop(tmp_path))
    days.shop.write_config(catalogue={"columns": {k: v for k, v in COLUMNS.items() if k != "updated_at"}})
    for at, name in ((1.7e9, "new"), (1.6e9, "old")):
        days.shop.write_csv(rows(4, name=name), columns=NAMES)
        os.utime(days.shop.root / "feed.csv", (at, at))
        if name == "new":
            days.read()
    with pytest.raises(GateError, match="by the time of the file 4 of its items are of an earlier time"):
        days.read()
    days.read(accept="a backup")
    assert {one["title"] for one in days.shop.table("items")} == {"old"}


def test_a_row_of_the_future_is_a_reject_and_harms_nothing(days: Days) -> None:
    future = row(0, "2099-01-01")
    assert days.read(*rows(6))["rejects"] == {}
    second = days.read(future, *rows(6, without=(0, 2)))
    assert second["rejects"] == {"future_date": 1}
    assert second["notes"][0] == "1 of 5 rejected: future_date 1"
    assert "feed.csv:2: '2099-01-01' is more than a day ahead of 20" in second["notes"][1]
    assert second["notes"][2] == "items that keep the state they had, for their rows were rejected: 1, such as 'a0'"
    assert days.ids() == "a0 a1 a3 a4 a5"
    assert second["outputs"]["positions"]["snapshot"].startswith("2026-11-15")
    days.read(future, row(2, "2026-11-20T08:00:00Z"), *rows(6, without=(0, 2)))
    assert days.ids() == "a0 a1 a2 a3 a4 a5"
    days.read(row(0, "2026-11-21T08:00:00Z", name="mended"), *rows(6, without=(0,)))
    assert "mended" in {one["title"] for one in days.shop.table("items")}


BAD_CELLS: dict[str, dict[str, Any]] = {
    "bad_number": {"eur": "12,50"},
    "bad_date": {"at": "20.11.2026"},
    "future_date": {"at": "2126-11-12"},
    "no_category": {"path": ""},
    "no_photo": {"image": ""},
    "bad_deleted": {"gone": "vielleicht"},
    "deep_category": {"path": ">".join("abcdefghi")},
}


@pytest.mark.parametrize("code", BAD_CELLS)
def test_a_rejected_row_keeps_the_items_last_state_until_it_is_mended(days: Days, code: str) -> None:
    days.read(*rows(6))
    before = [one for one in days.shop.table("items") if one["item_id"] == "a2"]
    bad = days.read(*[row(n, **(BAD_CELLS[code] if n == 2 else {})) for n in range(6)])
    assert bad["rejects"] == {code: 1}
    assert [one for one in days.shop.table("items") if one["item_id"] == "a2"] == before
    assert bad["notes"][2] == "items that keep the state they had, for their rows were rejected: 1, such as 'a2'"
    days.read(*[row(n, name=f"Item {n}, mended") for n in range(6)])
    assert {one["title"] for one in days.shop.table("items")} == {f"Item {n}, mended" for n in range(6)}


@pytest.mark.parametrize(
    ("damage", "kept"),
    [
        (lambda text: text.replace("a2,p2.jpg,Shoes,Item 2,", 'a2,p2.jpg,Shoes,"Item 2,'), True),  # a lost quote
        (lambda text: text.replace("a2,p2.jpg,Shoes,", "a2,p2.jpg,"), True),  # a lost cell
        (lambda text: text.replace("Item 2", "Item, 2"), True),  # a cell too many
        (lambda text: text.replace("Item 2", "Item \udce9"), True),  # bytes of another encoding
        (lambda text: text.replace("a2,p2.jpg", "a2\x07,p2.jpg"), False),
        (lambda text: text.replace("a2,p2.jpg", ",p2.jpg"), False),
    ],
)
def test_a_damaged_row_keeps_its_items_state_where_its_id_can_be_read(days: Days, damage: Any, kept: bool) -> None:
    days.read(*rows(6))
    text = (days.shop.root / "feed.csv").read_text()
    (days.shop.root / "feed.csv").write_bytes(damage(text).encode("utf-8", "surrogateescape"))
    manifest = days.read()
    assert manifest["counts"]["rejected"] == 1
    assert (days.ids() == "a0 a1 a2 a3 a4 a5") == kept
    said = "items that keep the state they had" if kept else "rejected rows of the snapshot that do not say whose they"
    assert any(note.startswith(said) for note in manifest["notes"])
    (days.shop.root / "feed.csv").write_text(text)
    days.read()
    assert days.ids() == "a0 a1 a2 a3 a4 a5"


def test_a_bad_cell_of_a_delta_keeps_the_items_last_state(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(2, "2026-11-20T08:00:00Z", eur="12,50"), row(9, "2026-11-20T08:00:00Z"))
    manifest = with_deltas.read()
    assert manifest["rejects"] == {"bad_number": 1}
    assert "items that keep the state they had, for their rows were rejected: 1, such as 'a2'" in manifest["notes"]
    assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5 a9"


def test_one_bad_row_of_a_small_delta_stops_nothing_but_many_do(with_deltas: Days) -> None:
    with_deltas.read(*rows(18))
    with_deltas.delta("1.csv", row(2, "2026-11-20T08:00:00Z", eur="?"))
    assert with_deltas.read()["rejects"] == {"bad_number": 1}
    with_deltas.delta("2.csv", *[row(n, "2026-11-20T08:00:00Z", eur="?") for n in range(18)])
    with pytest.raises(StageError, match=r"catalogue rejected 18 of 18 records \(100\.0%; bad_number 18\)"):
        with_deltas.read()


def test_a_late_delta_stays_while_the_same_snapshot_is_read(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(9, "2026-11-09T08:00:00Z"))  # older than all that the snapshot has
    with_deltas.read()
    for n in (2, 3):
        with_deltas.delta(f"{n}.csv", row(n, "2026-11-20T08:00:00Z", name="New"))
        with_deltas.read()
        assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5 a9"
    with_deltas.read(*rows(6, without=(0,)), row(0, "2026-11-21T08:00:00Z"))  # the next one does not name it
    assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5"


def test_an_unchanged_snapshot_beside_new_deltas_is_not_read_again(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(2, "2026-11-20T08:00:00Z"))
    assert with_deltas.read()["counts"]["in"] == 1


def test_a_snapshot_that_is_left_out_for_a_while_is_known_when_it_is_back(with_deltas: Days) -> None:
    catalogue = {"columns": COLUMNS, "deltas": "deltas/*.csv", "max_removed_share": 0.5}
    with_deltas.read(*rows(6))
    with_deltas.shop.write_config(catalogue={**catalogue, "snapshot": None})
    with_deltas.delta("1.csv", row(9, "2026-11-09T08:00:00Z"))
    with_deltas.read()
    with_deltas.shop.write_config(catalogue=catalogue)
    assert with_deltas.read()["counts"]["in"] == 0
    assert with_deltas.ids() == "a0 a1 a2 a3 a4 a5 a9"


def test_a_changed_mapping_with_nothing_to_read_is_a_catalogue_all_the_same(with_deltas: Days) -> None:
    catalogue = {"snapshot": None, "columns": COLUMNS, "deltas": "deltas/*.csv"}
    with_deltas.shop.write_config(catalogue=catalogue)
    with_deltas.delta("1.csv", *rows(3))
    with_deltas.read()
    with_deltas.shop.write_config(catalogue={**catalogue, "default_role": "studio"})
    second = with_deltas.read()
    assert (second["counts"]["in"], second["counts"]["items"], second["counts"]["changed"]) == (0, 3, 0)
    assert with_deltas.read()["outputs"]["number"] == second["outputs"]["number"]


def test_deletes_of_deltas_count_for_the_gate_too(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", *[row(n, "2026-11-20T08:00:00Z", gone="yes") for n in range(4)])
    with pytest.raises(GateError, match=r"the deltas remove 4 of 6 items \(66\.7%\), over catalogue\.max_removed"):
        with_deltas.read()
    assert len(with_deltas.ids().split()) == 6
    with_deltas.read(accept="summer is over")
    assert with_deltas.ids() == "a4 a5"
    assert with_deltas.shop.head()[1]["positions"]["deltas"] == "1.csv"


def test_deltas_in_dated_folders_are_each_read_once(with_deltas: Days) -> None:
    with_deltas.shop.write_config(
        catalogue={"snapshot": None, "deltas": "deltas/*/products.csv", "columns": COLUMNS, "max_rejected_share": 0.5}
    )
    for n, day in enumerate((9, 10, 26)):
        with_deltas.delta(f"2026-11-{day}/products.csv", row(n))
        manifest = with_deltas.read()
        assert manifest["outputs"]["positions"] == {"deltas": f"2026-11-{day}/products.csv"}
        assert len(with_deltas.ids().split()) == n + 1
    with_deltas.delta("2026-11-27/products.csv", row(9, eur="x"))
    with_deltas.read()
    assert [one["source"] for one in with_deltas.shop.table("rejects")] == ["2026-11-27/products.csv:2"]


@pytest.mark.parametrize("quiet", [True, False])
def test_a_file_of_deltas_that_is_passed_over_is_named_on_stderr_and_in_the_manifest(
    with_deltas: Days, quiet: bool
) -> None:
    with_deltas.read(*rows(6))
    for n in (3, 10):
        with_deltas.delta(f"delta-{n}.csv", row(n))
    with_deltas.read()
    with_deltas.delta("delta-4.csv", row(4, "2026-11-20T08:00:00Z", name="late"))
    with_deltas.delta("delta-10.csv", row(10), row(11))
    said = [
        "the deltas 'delta-4.csv' were never read, for they come before 'delta-10.csv', the last ones read: to have",
        "the deltas 'delta-10.csv' have changed since they were read: to have it read, give it a name that comes after",
    ]
    for run_id in ("unchanged", "again"):
        result = with_deltas.shop.cli("catalogue", "--run-id", run_id, *(["--quiet"] if quiet else []))
        assert result.exit_code == 0, result.output
        for text in said:
            assert result.stderr.count(f"warning: catalogue: {text}") == 1
    notes = with_deltas.shop.run("again", "catalogue")["catalogue"]["notes"]
    assert [sum(text in note for note in notes) for text in said] == [1, 1]
    (with_deltas.shop.root / "deltas" / "delta-4.csv").rename(with_deltas.shop.root / "deltas" / "delta-10b.csv")
    assert not any("delta-4" in note for note in with_deltas.read()["notes"])
    assert "late" in {one["title"] for one in with_deltas.shop.table("items")}


def test_a_limited_run_removes_nothing_and_the_next_one_reads_all(days: Days) -> None:
    feed = [row(n, name="new") for n in range(9, -1, -1)]
    days.read(*rows(10))
    limited = days.read(*feed, limit=4)
    assert limited["counts"]["removed"] == 0
    assert limited["notes"] == [
        "no more than 4 rows of each snapshot file were read (--limit): what they do not name stays"
    ]
    assert [one["title"] for one in days.shop.table("items")].count("new") == 4
    assert limited["outputs"]["positions"]["snapshot"].startswith("2026-11-19")
    days.read()
    assert {one["title"] for one in days.shop.table("items")} == {"new"}
    assert len(days.ids().split()) == 10
    assert days.read()["counts"]["in"] == 0


def test_a_limit_beside_a_media_table_rejects_no_photos_of_what_was_not_read(shop: Shop) -> None:
    media = {"path": "street.csv", "columns": {"item_id": "sku", "photo": "image"}}
    shop.write_config(catalogue={"columns": COLUMNS, "media": media})
    shop.write_csv([{"sku": f"a{n}", "image": f"s{n}.jpg"} for n in range(10)], "street.csv")
    days = Days(shop)
    limited = days.read(*rows(10), limit=2)
    assert (limited["rejects"], limited["counts"]["photos"], limited["counts"]["skipped"]) == ({}, 4, 8)
    assert days.read()["counts"]["photos"] == 20


def test_the_media_table_is_the_state_with_deltas_too(with_deltas: Days) -> None:
    shop = with_deltas.shop
    columns = {"item_id": "sku", "photo": "image", "box": ["l", "t", "r", "b"]}
    shop.write_config(
        catalogue={
            "snapshot": None, "deltas": "deltas/*.csv", "columns": COLUMNS, "max_rejected_share": 0.6,
            "media": {"path": "street.csv", "columns": columns},
        }
    )  # fmt: skip

    def street(*photos: tuple[str, str, int | str]) -> None:
        shop.write_csv(
            [{"sku": s, "image": i, "l": b and 0, "t": b and 0, "r": b, "b": b} for s, i, b in photos], "street.csv"
        )

    def photos() -> list[tuple[str, str, Any]]:
        found = shop.table("photos")
        return sorted((one["item_id"], one["image_uri"], one["box"] and one["box"][2]) for one in found)

    with_deltas.delta("1.csv", row(0), row(1))
    street(("a0", "s5.jpg", 20), ("a0", "s6.jpg", ""), ("a1", "s7.jpg", ""))
    with_deltas.read()
    street(("a0", "s5.jpg", 30), ("a1", "s7.jpg", ""))
    second = with_deltas.read()
    assert photos() == [("a0", "p0.jpg", None), ("a0", "s5.jpg", 30.0), ("a1", "p1.jpg", None), ("a1", "s7.jpg", None)]
    assert (second["counts"]["changed"], second["notes"]) == (1, ["photos that are in the media table no more: 1"])
    with_deltas.delta("2.csv", row(0, "2026-11-20T08:00:00Z", image="p9.jpg"))
    with_deltas.read()
    assert [one for one in photos() if one[0] == "a0"] == [("a0", "p9.jpg", None), ("a0", "s5.jpg", 30.0)]
    street(("a0", "s5.jpg", "wide"), ("a1", "s7.jpg", ""))
    assert with_deltas.read()["rejects"] == {"bad_number": 1}
    assert ("a0", "s5.jpg", 30.0) in photos()


def test_an_item_that_waits_for_its_photo_is_there_when_it_comes(with_deltas: Days) -> None:
    shop = with_deltas.shop
    media = {"path": "street.csv", "columns": {"item_id": "sku", "photo": "image"}}
    shop.write_config(
        catalogue={
            "snapshot": None,
            "deltas": "deltas/*.csv",
            "columns": COLUMNS,
            "media": media,
            "max_rejected_share": 0.6,
        }
    )
    with_deltas.delta("1.csv", row(0), row(1, image=""))
    shop.write_csv([{"sku": "a0", "image": "s0.jpg"}], "street.csv")
    assert with_deltas.read()["rejects"] == {"no_photo": 1}
    assert with_deltas.ids() == "a0"
    shop.write_csv([{"sku": "a0", "image": "s0.jpg"}, {"sku": "a1", "image": "s1.jpg"}], "street.csv")
    with_deltas.read()
    assert with_deltas.ids() == "a0 a1"


def write_jsonl(shop: Shop, feed: list[dict[str, Any]]) -> None:
    (shop.root / "feed.jsonl").write_text("".join(json.dumps(one) + "\n" for one in feed))


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "csv"])
@pytest.mark.parametrize("word", [float("nan"), "nan", "None", "NULL", None])
def test_no_value_is_none_in_whatever_format_it_is_written(tmp_path: Path, kind: str, word: Any) -> None:
    shop = Shop(tmp_path)
    columns = {**COLUMNS, "group_id": "parent", "attributes": {"colour": "colour"}}
    del columns["deleted"]
    shop.write_config(catalogue={"snapshot": f"feed.{kind}", "columns": columns})
    feed = [{**row(n), "parent": word, "colour": word} for n in range(6)]
    if kind == "jsonl":
        write_jsonl(shop, feed)
    elif kind == "csv":
        shop.write_csv(feed, "feed.csv")
    else:
        column = pa.array([word] * 6, pa.float64() if isinstance(word, float) else pa.string(), from_pandas=False)
        table = pa.Table.from_pylist([{k: v for k, v in one.items() if k not in ("parent", "colour")} for one in feed])
        pq.write_table(
            table.append_column("parent", column).append_column("colour", column), shop.root / "feed.parquet"
        )
    notes = shop.run("r", "catalogue")["catalogue"]["notes"]
    assert {one["group_id"] for one in shop.table("items")} == {""}
    assert [one["attributes"] for one in shop.table("items")] == [[]] * 6
    if isinstance(word, str):
        assert notes == [f"cells that mean no value (catalogue.no_value): {word!r} 12"]


def test_doubtful_words_and_categories_of_several_paths_are_told(shop: Shop) -> None:
    shop.write_config(catalogue={"columns": {**COLUMNS, "group_id": "parent"}})
    feed = [
        {**row(n), "parent": "NA", "path": "Clothing > Tshirts, Sale" if n else "Clothing > Tshirts"} for n in range(3)
    ]
    shop.write_csv(feed, columns=[*NAMES, "parent"])
    notes = shop.run("r", "catalogue")["catalogue"]["notes"]
    assert notes == [
        "'NA' counts as a word, 3 times, as in column 'parent'; if it means no value, add it to catalogue.no_value",
        "category cells that look like several paths: 2, as 'Clothing > Tshirts, Sale'; set "
        'catalogue.columns.category_path_separator to what stands between paths, or to "" if a cell is one path',
    ]
    columns = {**COLUMNS, "group_id": "parent", "category_path_separator": ","}
    shop.write_config(catalogue={"columns": columns, "no_value": ["NA"]})
    assert shop.run("r2", "catalogue")["catalogue"]["counts"]["changed"] == 3
    assert {tuple(one["category"]) for one in shop.table("items")} == {("Clothing", "Tshirts")}


def test_binary_texts_of_parquet_and_float_ids_of_pandas(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write_config(catalogue={"snapshot": "feed.parquet"})

    def binary(words: Iterator[str]) -> pa.Array:
        return pa.array([word.encode() for word in words], pa.binary())

    def write(skus: pa.Array) -> None:
        images, names = (binary(f"{word} {n}" for n in range(4)) for word in ("p", "Größe"))
        table = {"sku": skus, "image": images, "path": binary(iter(["Shoes > Boots"] * 4)), "name": names}
        pq.write_table(pa.table(table), shop.root / "feed.parquet")

    write(binary(f"a{n}" for n in range(4)))
    shop.run("r1", "catalogue")
    assert shop.item_ids() == {"a0", "a1", "a2", "a3"}
    assert {one["title"] for one in shop.table("items")} == {f"Größe {n}" for n in range(4)}
    assert {tuple(one["category"]) for one in shop.table("items")} == {("Shoes", "Boots")}
    write(pa.array([4006381333931.0, 2.0, 3.0, 4.0]))
    shop.run("r2", "catalogue", accept="other ids")
    assert shop.item_ids() == {"4006381333931", "2", "3", "4"}


def test_a_killed_run_decides_the_same_dates_when_it_goes_on(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.catalogue.stage.extend_taxonomy", None)
        with pytest.raises(TypeError):
            days.read(*rows(6))
    began = days.shop.store.read_json("runs/r1/catalogue/began.json")["at"]
    days.shop.run("r1", "catalogue")
    assert days.shop.store.read_json("runs/r1/catalogue/began.json")["at"] == began
    assert len(list((days.shop.root / "store" / "catalogue").iterdir())) == 2  # the log, and one catalogue


def test_what_another_run_has_begun_to_build_is_left_alone(days: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("pipelines.catalogue.stage.extend_taxonomy", None)
        with pytest.raises(TypeError):
            days.read(*rows(6))
    [began] = [path.name for path in (days.shop.root / "store" / "catalogue").iterdir()]
    days.read()
    assert days.shop.head()[1]["catalogue_id"] != began
    assert len(days.ids().split()) == 6


FUTURE = datetime(2099, 1, 1, tzinfo=UTC)


def make_older(shop: Shop, *, future: tuple[str, ...] = ()) -> None:
    """Turn a store into one of an earlier version, in which items may be of the year 2099, and the position too."""
    number, entry = shop.head()
    folder = shop.root / "store" / "catalogue" / entry["catalogue_id"]
    for table in ("origins", "waiting"):
        shutil.rmtree(folder / table, ignore_errors=True)
    (folder / "deltas.parquet").unlink(missing_ok=True)
    for path in (folder / "deletes").iterdir():
        gone = [
            {**one, "deleted_at": FUTURE if future else one["deleted_at"]} for one in pq.read_table(path).to_pylist()
        ]
        schema = DELETES.remove(DELETES.get_field_index("feed"))
        pq.write_table(pa.Table.from_pylist(gone, schema), path)
    for path in (folder / "items").iterdir():
        table = pq.read_table(path)
        held = [
            {**one, "updated_at": FUTURE if one["item_id"] in future else one["updated_at"]}
            for one in table.to_pylist()
        ]
        pq.write_table(pa.Table.from_pylist(held, table.schema), path)
    files = [["snapshot", digest] for digest in entry["inputs"]["snapshot"]]
    entry["inputs"] = {"files": files, "mapping": {"columns": {}}, "limit": None}
    if future:
        entry["positions"]["snapshot"] = FUTURE.isoformat()
    (shop.root / "store" / "catalogue" / "log" / f"{number:08}.json").write_text(json.dumps(entry))


def test_a_store_of_an_earlier_version_is_read_and_what_was_lost_comes_back(days: Days) -> None:
    days.read(*rows(6))
    days.read(*rows(6, without=(2,)))
    make_older(days.shop)
    again = days.read()  # nothing is lost, and from now on it is known whose the items are
    assert (again["counts"]["items"], again["counts"]["removed"]) == (5, 0)
    days.read(*rows(6))
    assert days.ids() == "a0 a1 a2 a3 a4 a5"


def test_what_an_earlier_version_skipped_for_ever_comes_back_by_the_snapshot_that_is_there(days: Days) -> None:
    days.read(*rows(6))
    days.read(*rows(6, without=(2,)))
    days.shop.write_csv(rows(6), columns=NAMES)
    make_older(days.shop)
    number, entry = days.shop.head()
    entry["inputs"]["files"] = [["snapshot", sha256((days.shop.root / "feed.csv").read_bytes()).hexdigest()]]
    (days.shop.root / "store" / "catalogue" / "log" / f"{number:08}.json").write_text(json.dumps(entry))
    days.read()
    assert days.ids() == "a0 a1 a2 a3 a4 a5"


def test_a_store_that_has_a_date_of_the_future_heals_by_the_next_snapshot(days: Days) -> None:
    days.read(*rows(6))
    days.read(*rows(6, without=(2,)))
    make_older(days.shop, future=("a0",))
    days.read(*rows(6, without=(0,)), row(0, name="mended"))
    assert days.ids() == "a0 a1 a2 a3 a4 a5"
    items = {one["item_id"]: one for one in days.shop.table("items")}
    assert (items["a0"]["title"], items["a0"]["updated_at"].year) == ("mended", 2026)
    assert days.read(*rows(6, without=(0,)))["counts"]["removed"] == 1


def test_a_store_that_has_a_date_of_the_future_heals_by_deltas_too(with_deltas: Days) -> None:
    with_deltas.shop.write_config(catalogue={"snapshot": None, "deltas": "deltas/*.csv", "columns": COLUMNS})
    with_deltas.delta("1.csv", *rows(4))
    with_deltas.read()
    make_older(with_deltas.shop, future=("a0",))
    with_deltas.delta("2.csv", row(0, "2026-11-20T08:00:00Z", name="mended"))
    with_deltas.read()
    assert {one["item_id"]: one["title"] for one in with_deltas.shop.table("items")}["a0"] == "mended"


def test_deltas_and_a_snapshot_of_an_earlier_version(with_deltas: Days) -> None:
    with_deltas.read(*rows(6))
    with_deltas.delta("1.csv", row(7, "2026-11-20T08:00:00Z"), row(1, "2026-11-20T08:00:00Z", gone="1"))
    with_deltas.read()
    make_older(with_deltas.shop)
    with_deltas.read()
    assert with_deltas.ids() == "a0 a2 a3 a4 a5 a7"
    with_deltas.delta("2.csv", row(8, "2026-11-21T08:00:00Z"))
    with_deltas.read()
    assert with_deltas.ids() == "a0 a2 a3 a4 a5 a7 a8"
