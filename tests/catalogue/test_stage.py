"""The stage as a whole: the same catalogue whatever the format, snapshots and deltas over several runs, positions."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue import stage
from pipelines.errors import GateError, StageError
from pipelines.runs.manifest import Manifest
from pipelines.store import Log
from pipelines.tables.taxonomy import read_taxonomy
from tests.catalogue.shop import Shop, rows_of

TABLES = ("items", "photos", "deletes", "rejects")
WORDS = {
    "item_id": "artnr", "photos": "bilder", "photo_separator": "|", "category": "pfad", "category_separator": "/",
    "title": "titel", "group_id": "modell", "price": "preis", "updated_at": "stand", "role": "ansicht", "split": "teil",
    "attributes": {"colour": "farbe", "material": "stoff"}, "signals": {"sales": "verkauft"},
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path / "shop")


def catalogue(shop: Shop, run_id: str, **more: Any) -> Manifest:
    return shop.run(run_id, "catalogue", **more)["catalogue"]


def row(item_id: str, at: str, **more: Any) -> dict[str, Any]:
    return {"sku": item_id, "image": f"{item_id}.jpg", "path": "Shoes", "name": item_id, "at": at, "gone": "", **more}


def german_rows() -> Iterator[dict[str, Any]]:
    for n in range(40):
        yield {
            "artnr": f"A{n:03}", "bilder": f"{n}.jpg|{n}-b.jpg", "pfad": f"Schuhe/Art {n % 3}",
            "titel": f"Schuh Größe {n}", "modell": f"M{n // 2}", "preis": 10 + n / 4,
            "stand": f"2026-01-{n % 28 + 1:02}T00:00:00Z", "ansicht": "front",
            "teil": "val" if n == 7 else "", "farbe": "rot" if n % 2 else "", "stoff": "Filz", "verkauft": n,
        }  # fmt: skip
    yield {**dict.fromkeys(WORDS, ""), "artnr": "A999", "bilder": "x.jpg", "pfad": "", "stand": "2026-01-01"}


def write_as(shop: Shop, kind: str, rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    rows = [{name: one.get(name, "") for name in names} for one in rows]
    if kind == "csv":
        shop.write_csv(rows, "feed.csv")
    elif kind == "jsonl":
        # What JSON has and CSV has not: lists, numbers, and keys left out.
        for one in rows:
            one.update(bilder=one["bilder"].split("|"), pfad=one["pfad"].split("/"))
        lines = [json.dumps({k: v for k, v in one.items() if v not in ("", [""])}) for one in rows]
        (shop.root / "feed.jsonl").write_text("\n".join(lines), "utf-8")
    else:
        columns = {name: [one[name] if one[name] != "" else None for one in rows] for name in names}
        columns["bilder"] = [one["bilder"].split("|") for one in rows]
        columns["stand"] = pa.array([datetime.fromisoformat(one["stand"]).replace(tzinfo=UTC) for one in rows])
        pq.write_table(pa.table(columns), shop.root / "feed.parquet", row_group_size=7)
    shop.write_config(catalogue={"snapshot": f"feed.{kind}", "columns": WORDS})


def test_csv_json_lines_and_parquet_give_the_same_catalogue(tmp_path: Path) -> None:
    found: dict[str, list[Any]] = {}
    for kind in ("csv", "jsonl", "parquet"):
        shop = Shop(tmp_path / kind)
        write_as(shop, kind, list(german_rows()))
        manifest = catalogue(shop, "r")
        assert manifest["rejects"] == {"no_category": 1}
        assert (manifest["counts"]["items"], manifest["counts"]["photos"]) == (40, 80)
        found[kind] = [shop.table(name) for name in ("items", "photos", "deletes")]
        assert manifest["outputs"]["positions"] == {"snapshot": "2026-01-28T00:00:00.000000+00:00"}
    assert found["csv"] == found["jsonl"] == found["parquet"]
    items = {one["item_id"]: one for one in found["csv"][0]}
    assert items["A007"] == {
        "item_id": "A007", "group_id": "M3", "category": ["Schuhe", "Art 1"], "title": "Schuh Größe 7", "price": 11.75,
        "currency": None, "availability": None, "attributes": [("colour", "rot"), ("material", "Filz")],
        "signals": [("sales", 7.0)], "updated_at": datetime(2026, 1, 8, tzinfo=UTC),
    }  # fmt: skip
    assert [one for one in found["csv"][1] if one["item_id"] == "A007"] == [
        {"item_id": "A007", "image_uri": uri, "role": "front", "position": n, "split": "val", "box": None}
        for n, uri in enumerate(("7.jpg", "7-b.jpg"))
    ]


def test_slots_are_given_once_and_never_move(shop: Shop) -> None:
    columns = {"attributes": {"colour": "farbe"}}
    shop.write_config(catalogue={"columns": {"item_id": "sku", "photos": "image", "category": "path", **columns}})
    shop.write_csv([*rows_of(2, farbe="red"), *rows_of(3, farbe="blue")[2:]])
    catalogue(shop, "r1")
    first = read_taxonomy(shop.store)
    assert first == {
        "leaves": {"Shoes > Boots": 0, "Shoes > Sandals": 1},
        "levels": [{"Shoes": 0}, {"Shoes > Boots": 0, "Shoes > Sandals": 1}],
        "attributes": {},  # a training gives slots to those that it learns
    }
    shop.write_csv(rows_of(6, path="Hats > Caps", farbe="amber"))
    catalogue(shop, "r2")
    assert read_taxonomy(shop.store) == {
        "leaves": {"Shoes > Boots": 0, "Shoes > Sandals": 1, "Hats > Caps": 2},
        "levels": [{"Shoes": 0, "Hats": 1}, {"Shoes > Boots": 0, "Shoes > Sandals": 1, "Hats > Caps": 2}],
        "attributes": {},
    }


def test_a_category_is_a_leaf_at_whatever_depth_it_holds_items(shop: Shop) -> None:
    shop.write_config()
    paths = ["Shoes", "Shoes > Boots", "Shoes > Boots > Ankle > Suede > Brown > Left > Wide", "Hats"]
    shop.write_csv([row | {"path": path} for row, path in zip(rows_of(4), paths, strict=True)])
    catalogue(shop, "r1")
    assert set(read_taxonomy(shop.store)["leaves"]) == set(paths)


def test_spelling_that_cannot_matter_is_folded_and_what_may_is_told(shop: Shop) -> None:
    shop.write_config()
    paths = ["Cafe\u0301  chairs", "\u200bCaf\u00e9\u00a0chairs ", "Sofas &amp; beds", "Sofas & beds", "sofas & beds"]
    shop.write_csv([row | {"path": f"Home > {path}"} for row, path in zip(rows_of(5), paths, strict=True)])
    notes = catalogue(shop, "r1")["notes"]
    assert set(read_taxonomy(shop.store)["leaves"]) == {
        "Home > Caf\u00e9 chairs",
        "Home > Sofas &amp; beds",
        "Home > Sofas & beds",
        "Home > sofas & beds",
    }
    (note,) = [note for note in notes if "kept apart" in note]
    assert note == (
        "categories that differ in case or HTML entities alone are kept apart (1), such as "
        "'Home > Sofas & beds' and 'Home > Sofas &amp; beds' and 'Home > sofas & beds': make them one in the feed if "
        "they are"
    )


def test_a_store_of_before_gets_leaves_though_its_feed_is_unchanged(shop: Shop) -> None:
    shop.write_config()
    shop.write_csv([row | {"path": path} for row, path in zip(rows_of(2), ["Shoes", "Shoes > Boots"], strict=True)])
    catalogue(shop, "r1")
    old = {"levels": [{"Shoes": 0}, {"Shoes > Boots": 0}], "attributes": {"brand": {"a": 0, "b": 1}}}
    shop.store.put("taxonomy/00000001.json", json.dumps(old).encode())
    done = catalogue(shop, "r2")
    assert "the feeds hold nothing new" in done["notes"][0]
    assert read_taxonomy(shop.store) == {
        "leaves": {"Shoes": 0, "Shoes > Boots": 1},
        "levels": old["levels"],
        "attributes": {},  # a value of every brand, however rare, is not what a head is made of
    }
    assert shop.store.read_json("taxonomy/00000001.json") == old
    catalogue(shop, "r3")
    assert not shop.store.exists("taxonomy/00000003.json")


def test_a_category_that_is_renamed_is_a_change_and_a_new_slot(shop: Shop) -> None:
    shop.write_config()
    shop.write_csv(rows_of(4))
    catalogue(shop, "r1")
    shop.write_csv([{**one, "path": one["path"].replace("Boots", "Winter boots")} for one in rows_of(4)])
    counts = catalogue(shop, "r2")["counts"]
    assert (counts["added"], counts["changed"], counts["removed"], counts["items"]) == (0, 2, 0, 4)
    levels = read_taxonomy(shop.store)["levels"]
    assert levels[1] == {"Shoes > Boots": 0, "Shoes > Sandals": 1, "Shoes > Winter boots": 2}


def test_a_column_that_is_renamed_is_a_line_in_the_config_and_no_new_catalogue(shop: Shop) -> None:
    shop.write_config()
    shop.write_csv(rows_of(4))
    catalogue(shop, "r1")
    before = [shop.table(name) for name in ("items", "photos")]
    path = shop.write_csv([{("rubrik" if k == "path" else k): v for k, v in one.items()} for one in rows_of(4)])
    os.utime(path, (2e9, 2e9))
    with pytest.raises(StageError, match=r"has no column 'path', which catalogue\.columns\.category names"):
        catalogue(shop, "r2")
    columns = {"item_id": "sku", "photos": "image", "category": "rubrik", "title": "name"}
    shop.write_config(catalogue={"columns": columns})
    counts = catalogue(shop, "r2")["counts"]
    assert (counts["added"], counts["changed"], counts["removed"]) == (0, 0, 0)
    after = [shop.table(name) for name in ("items", "photos")]
    assert [[{**one, "updated_at": 0} for one in table] for table in after] == [
        [{**one, "updated_at": 0} for one in table] for table in before
    ]


def test_a_snapshot_and_then_deltas_each_read_once(shop: Shop) -> None:
    columns = {"item_id": "sku", "photos": "image", "category": "path", "title": "name"}
    columns |= {"updated_at": "at", "deleted": "gone"}
    shop.write_config(catalogue={"deltas": "deltas/*.csv", "columns": columns})
    (shop.root / "deltas").mkdir()
    shop.write_csv([row(f"i{n}", "2026-01-01") for n in range(6)])
    first = catalogue(shop, "r1")
    assert first["outputs"]["positions"] == {"snapshot": "2026-01-01T00:00:00.000000+00:00"}

    shop.write_csv(
        [
            row("i0", "2026-01-02", name="renamed"),
            row("i1", "2026-01-02", gone="yes", image="", path=""),
            row("i9", "2026-01-02"),
            row("i2", "2025-12-31", name="older than the snapshot"),
        ],
        "deltas/01.csv",
    )
    second = catalogue(shop, "r2")
    assert second["outputs"]["positions"] == {"snapshot": "2026-01-01T00:00:00.000000+00:00", "deltas": "01.csv"}
    # The snapshot is not read again; of the delta's four rows the older one is superseded.
    assert second["counts"] == {
        "in": 4, "ok": 3, "skipped": 1, "rejected": 0, "items": 6, "photos": 6, "added": 1, "changed": 1, "removed": 1
    }  # fmt: skip
    assert shop.item_ids() == {"i0", "i2", "i3", "i4", "i5", "i9"}
    assert {one["title"] for one in shop.table("items")} >= {"renamed", "i2"}
    assert [(one["item_id"], one["deleted_at"].day, one["feed"]) for one in shop.table("deletes")] == [
        ("i1", 2, "deltas")
    ]

    again = catalogue(shop, "r3")
    assert (again["counts"]["in"], again["notes"]) == (0, ["the feeds hold nothing new: the catalogue stays as it is"])
    assert again["outputs"] == second["outputs"] | {"curated": "runs/r3/catalogue/curated.json"}

    shop.write_csv([row("i1", "2026-01-03", name="back again")], "deltas/02.csv")
    assert catalogue(shop, "r4")["outputs"]["positions"]["deltas"] == "02.csv"
    assert "i1" in shop.item_ids()
    assert shop.table("deletes") == []


def test_a_replayed_delta_changes_nothing(shop: Shop) -> None:
    columns = {"item_id": "sku", "photos": "image", "category": "path", "updated_at": "at", "deleted": "gone"}
    shop.write_config(catalogue={"snapshot": None, "deltas": "deltas/*.csv", "columns": columns})
    (shop.root / "deltas").mkdir()
    rows = [row("i0", "2026-01-01"), row("i1", "2026-01-01"), row("i1", "2026-01-02", gone="1")]
    shop.write_csv(rows, "deltas/01.csv")
    catalogue(shop, "r1")
    before = [shop.table(name) for name in TABLES]
    shop.write_csv(rows, "deltas/02.csv")
    counts = catalogue(shop, "r2")["counts"]
    assert (counts["added"], counts["changed"], counts["removed"]) == (0, 0, 0)
    assert [shop.table(name) for name in TABLES] == before


def test_an_empty_delta_is_a_quiet_hour(shop: Shop) -> None:
    shop.write_config(catalogue={"snapshot": None, "deltas": "deltas/*.csv"})
    (shop.root / "deltas").mkdir()
    shop.write_csv(rows_of(3), "deltas/01.csv")
    catalogue(shop, "r1")
    (shop.root / "deltas" / "02.csv").write_text("sku,image,path,name\n")
    manifest = catalogue(shop, "r2")
    assert (manifest["counts"]["in"], manifest["counts"]["items"]) == (0, 3)
    assert manifest["outputs"]["positions"]["deltas"] == "02.csv"


def test_a_snapshot_older_than_the_last_is_refused_until_accepted(shop: Shop) -> None:
    columns = {"item_id": "sku", "photos": "image", "category": "path", "updated_at": "at"}
    shop.write_config(catalogue={"columns": columns})
    shop.write_csv([row(f"i{n}", "2026-01-02") for n in range(4)])
    catalogue(shop, "r1")
    shop.write_csv([row(f"i{n}", "2026-01-01") for n in range(4)])
    words = r"the snapshot is older than the one already read: by column 'at' 4 of its items are of an earlier"
    with pytest.raises(GateError, match=words):
        catalogue(shop, "r2")
    assert shop.head()[0] == 1
    catalogue(shop, "r2", accept="the system clock was wrong")
    assert shop.head()[1]["positions"]["snapshot"].startswith("2026-01-01")
    assert shop.head()[1]["accepted"] == "the system clock was wrong"
    assert {one["updated_at"].day for one in shop.table("items")} == {1}  # it is applied


def test_media_rows_bring_roles_and_boxes(shop: Shop) -> None:
    columns = {"item_id": "sku", "photo": "file", "role": "kind", "box": ["l", "t", "r", "b"]}
    media = {"path": "street*.csv", "role": "street", "columns": columns}
    shop.write_config(catalogue={"media": media, "max_rejected_share": 0.5})
    shop.write_csv(rows_of(4))
    plain = dict.fromkeys(("kind", "l", "t", "r", "b"), "")
    shop.write_csv([{**plain, "sku": "i1", "file": "s1.jpg", "l": 1, "t": 2, "r": 30, "b": 40}], "street1.csv")
    shop.write_csv(
        [
            {**plain, "sku": "i1", "file": "s2.jpg", "kind": "review"},
            {**plain, "sku": "i2", "file": "s3.jpg", "l": 9, "t": 2, "r": 3, "b": 40},
            {**plain, "sku": "nobody", "file": "s4.jpg"},
        ],
        "street2.csv",
    )
    manifest = catalogue(shop, "r")
    assert manifest["rejects"] == {"bad_box": 1, "unknown_item": 1}
    assert {one["source"]: (one["item_id"], one["code"]) for one in shop.table("rejects")} == {
        "street2.csv:3": ("i2", "bad_box"), "street2.csv:4": ("nobody", "unknown_item")
    }  # fmt: skip
    photos = [one for one in shop.table("photos") if one["item_id"] == "i1"]
    assert [(one["image_uri"], one["role"], one["position"], one["box"]) for one in photos] == [
        ("p1.jpg", "main", 0, None), ("s1.jpg", "street", 1, [1.0, 2.0, 30.0, 40.0]), ("s2.jpg", "review", 2, None)
    ]  # fmt: skip


def test_a_sample_is_no_part_of_the_next_run_without_a_limit(shop: Shop) -> None:
    shop.write_config()
    shop.write_csv(rows_of(10))
    assert catalogue(shop, "r1", limit=3)["counts"]["items"] == 3
    counts = catalogue(shop, "r2")["counts"]
    assert counts == {
        "in": 10, "ok": 10, "skipped": 0, "rejected": 0,
        "items": 10, "photos": 10, "added": 7, "changed": 0, "removed": 0,
    }  # fmt: skip


def test_a_changed_mapping_reads_the_same_file_again(shop: Shop) -> None:
    shop.write_config()
    path = shop.write_csv(rows_of(4, eur="3"))
    os.utime(path, ns=(0, 1_700_000_000_123_456_499))  # a finer time than the store keeps
    catalogue(shop, "r1")
    columns = {"item_id": "sku", "photos": "image", "category": "path", "title": "name", "price": "eur"}
    shop.write_config(catalogue={"columns": columns})
    assert catalogue(shop, "r2")["counts"]["changed"] == 4
    assert {one["price"] for one in shop.table("items")} == {3.0}


def test_what_was_rejected_is_still_said_when_nothing_is_new(shop: Shop) -> None:
    shop.write_config(catalogue={"max_rejected_share": 0.5})
    shop.write_csv([*rows_of(4), {**rows_of(5)[4], "path": ""}])
    catalogue(shop, "r1")
    again = catalogue(shop, "r2")
    assert again["counts"]["rejected"] == 0  # of what this run has read
    assert again["notes"][1:] == ["rejected when they were last read, in run 'r1': 1 (no_category 1)"]


def test_a_run_that_died_after_its_last_write_reports_what_it_did(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write_config(catalogue={"max_rejected_share": 0.5})
    shop.write_csv([*rows_of(4), {**rows_of(5)[4], "path": ""}])
    with monkeypatch.context() as patch:
        patch.setattr(stage, "_result", None)  # what comes after the log was appended
        with pytest.raises(TypeError):
            catalogue(shop, "r1")
    number, entry = shop.head()
    manifest = catalogue(shop, "r1")
    assert shop.head() == (number, entry)
    assert manifest["counts"] == entry["counts"] | {"in": 5, "ok": 4, "skipped": 0, "rejected": 1}
    assert manifest["rejects"] == {"no_category": 1}
    assert manifest["outputs"]["catalogue_id"] == entry["catalogue_id"]


def test_another_run_that_was_faster_is_not_overwritten(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write_config()
    shop.write_csv(rows_of(4))
    append = Log.append

    def lose(log: Log, number: int, entry: dict[str, Any]) -> bool:
        append(log, number, {"catalogue_id": "theirs"}) if log.prefix == "catalogue/log" else None
        return append(log, number, entry)

    monkeypatch.setattr(Log, "append", lose)
    with pytest.raises(StageError, match="another run extended the catalogue meanwhile; run again"):
        catalogue(shop, "r1")
    assert shop.head() == (1, {"catalogue_id": "theirs"})
