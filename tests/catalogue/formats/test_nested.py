"""Fields of nested values, as document stores, warehouses and interfaces of shops give them."""

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.catalogue.formats.base import Columns
from pipelines.catalogue.rows import column_names, read_rows
from tests.catalogue.shop import Shop

ROWS: list[dict[str, Any]] = [
    {"_id": {"$oid": "5f1"}, "price": {"amount": 12.5}, "images": [{"src": "a.jpg"}, {"src": "b.jpg"}], "a.b": 1},
    {"_id": {"$oid": "5f2"}, "price": None, "images": [], "a.b": 2},
    {"_id": {"$oid": "5f3"}, "price": {"amount": None}, "images": [{"src": "c.jpg"}], "a.b": 3},
]
WANTED = frozenset({"_id.$oid", "price.amount", "images.src", "a.b", "none.at.all"})


def written(folder: Path, kind: str) -> Path:
    path = folder / f"feed.{kind}"
    if kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_brackets_lead_into_lists(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind)
    wanted = frozenset({"images[].src", "images[0].src", "images[-1].src", "images[1].src"})
    found = [row.values for row in read_rows(path, columns=Columns(read=wanted))]
    assert [row["images[].src"] for row in found] == [["a.jpg", "b.jpg"], [], ["c.jpg"]]
    assert [row.get("images[0].src") for row in found] == ["a.jpg", None, "c.jpg"]
    assert [row.get("images[-1].src") for row in found] == ["b.jpg", None, "c.jpg"]
    assert [row.get("images[1].src") for row in found] == ["b.jpg", None, None]


def test_brackets_lead_into_lists_of_texts_and_of_lists(tmp_path: Path) -> None:
    row = {"images": ["a.jpg", "b.jpg"], "variants": [{"photos": [{"url": "c.jpg"}, {"url": "d.jpg"}]}, {"photos": []}]}
    path = tmp_path / "feed.jsonl"
    path.write_text(json.dumps(row))
    wanted = frozenset({"images[]", "images[1]", "variants[].photos[].url", "variants[0].photos[1].url"})
    [found] = read_rows(path, columns=Columns(read=wanted))
    assert found.values == {
        "images[]": ["a.jpg", "b.jpg"],
        "images[1]": "b.jpg",
        "variants[].photos[].url": [["c.jpg", "d.jpg"], []],
        "variants[0].photos[1].url": "d.jpg",
    }


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_fields_are_read_by_names_with_dots(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path, kind)
    assert {"_id", "_id.$oid", "price.amount", "images", "images.src", "a.b"} <= {*column_names(path)}
    found = [row.values for row in read_rows(path, columns=Columns(read=WANTED))]
    assert [row["_id.$oid"] for row in found] == ["5f1", "5f2", "5f3"]
    assert [row.get("price.amount") for row in found] == [12.5, None, None]
    assert [row["images.src"] for row in found] == [["a.jpg", "b.jpg"], [], ["c.jpg"]]
    assert [row["a.b"] for row in found] == [1, 2, 3]  # a name may hold a dot itself
    assert all("none.at.all" not in row for row in found)


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_shop_of_nested_rows(tmp_path: Path, kind: str) -> None:
    shop = Shop(tmp_path)
    rows = [{**row, "path": [{"name": "Shoes"}, {"name": "Boots"}]} for row in (ROWS[0], ROWS[2])]
    if kind == "jsonl":
        (shop.root / "feed.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    else:
        pq.write_table(pa.Table.from_pylist(rows), shop.root / "feed.parquet")
    columns = {"item_id": "_id.$oid", "photos": "images.src", "category": "path.name", "price": "price.amount"}
    shop.write_config(catalogue={"snapshot": f"feed.{kind}", "columns": columns})
    assert shop.run("r", "catalogue")["catalogue"]["rejects"] == {}
    items = {one["item_id"]: (one["category"], one["price"]) for one in shop.table("items")}
    assert items == {"5f1": (["Shoes", "Boots"], 12.5), "5f3": (["Shoes", "Boots"], None)}
    assert sorted(one["image_uri"] for one in shop.table("photos")) == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet"])
def test_a_shop_of_paths_with_brackets(tmp_path: Path, kind: str) -> None:
    shop = Shop(tmp_path)
    rows = [
        {
            "id": f"p{n}", "path": ["Shoes", "Boots"], "images": [{"url": f"{n}a.jpg"}, {"url": f"{n}b.jpg"}],
            "variants": [{"price": "12.50 EUR", "sku": f"v{n}"}, {"price": "9.50 EUR", "sku": f"w{n}"}],
        }
        for n in range(3)
    ]  # fmt: skip
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), shop.root / "feed.parquet")
    else:
        lines = "\n".join(map(json.dumps, rows))
        (shop.root / f"feed.{kind}").write_text(lines if kind == "jsonl" else json.dumps({"products": rows}, indent=1))
    columns = {"item_id": "variants[0].sku", "photos": "images[].url", "category": "path", "price": "variants[].price"}
    shop.write_config(catalogue={"snapshot": f"feed.{kind}", "columns": columns})
    assert shop.run("r", "catalogue")["catalogue"]["rejects"] == {}
    items = {one["item_id"]: (one["price"], one["currency"]) for one in shop.table("items")}
    assert items == dict.fromkeys(["v0", "v1", "v2"], (9.5, "EUR"))  # the lowest price
    assert sorted(one["image_uri"] for one in shop.table("photos")) == [f"{n}{x}.jpg" for n in range(3) for x in "ab"]


def test_maps_of_parquet_are_read_by_their_keys(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    attrs = pa.array([[("colour", "red"), ("size", "S")], [("size", "M")], [], None], pa.map_(pa.string(), pa.string()))
    plain = {"sku": list("abcd"), "image": [f"{n}.jpg" for n in range(4)], "path": ["Shoes"] * 4}
    pq.write_table(pa.table({**plain, "attrs": attrs}), shop.root / "feed.parquet")
    assert column_names(shop.root / "feed.parquet") == [*plain, "attrs", "attrs.*"]
    columns = {"item_id": "sku", "photos": "image", "category": "path"}
    attributes = {"colour": "attrs.colour", "size": "attrs.size"}
    shop.write_config(catalogue={"snapshot": "feed.parquet", "columns": {**columns, "attributes": attributes}})
    shop.run("r", "catalogue")
    found = {one["item_id"]: dict(one["attributes"]) for one in shop.table("items")}
    assert found == {"a": {"colour": "red", "size": "S"}, "b": {"size": "M"}, "c": {}, "d": {}}


def test_cells_of_json_in_csv(tmp_path: Path) -> None:
    """As PostgreSQL, BigQuery and pandas (single quotes) write objects into a table's cells."""
    path = tmp_path / "feed.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["_id", "price", "images", "a.b"])
        for write in (json.dumps, repr):
            for row in ROWS:
                writer.writerow([*(write(row[name]) if row[name] else "" for name in ("_id", "price", "images")), "1"])
    assert column_names(path) == [
        *("_id", "price", "images", "a.b"),
        *("_id.$oid", "price.amount", "images.src"),
    ]
    found = [row.values for row in read_rows(path, columns=Columns(read=WANTED))]
    assert [row["_id.$oid"] for row in found] == ["5f1", "5f2", "5f3"] * 2
    assert [row.get("images.src") for row in found] == [["a.jpg", "b.jpg"], None, ["c.jpg"]] * 2
    assert [row.get("price.amount") for row in found] == [12.5, None, None] * 2
    assert {row["a.b"] for row in found} == {"1"}


def test_a_cell_of_json_that_is_no_text_is_a_reject(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(b'sku,images\n1,"[{""src"": ""\xff.jpg""}]"\n2,"[{""src"": ""b.jpg""}]"\n')
    rows = [*read_rows(path, columns=Columns(read=frozenset({"sku", "images[].src"})))]
    assert [(row.code, row.values.get("images[].src")) for row in rows] == [("bad_utf8", None), ("", ["b.jpg"])]
    assert "column 'images'" in rows[0].detail


def test_a_column_with_a_dot_in_its_name_is_a_column_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "feed.csv"
    path.write_bytes(b"a,a.b\n1,\xff\n\xff,2\n")
    rows = [*read_rows(path, columns=Columns(read=frozenset({"a", "a.b"})))]
    assert [(row.code, row.values) for row in rows] == [("bad_utf8", {"a": "1"}), ("bad_utf8", {"a.b": "2"})]
    path.write_text('a.b\n"{""c"": 3}"\n')
    assert [row.values.get("a.b.c") for row in read_rows(path, columns=Columns(read=frozenset({"a.b.c"})))] == [3]
