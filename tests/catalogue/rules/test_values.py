"""What is no value, doubtful or binary, in whatever format it is written."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import StageError
from tests.catalogue.rules.days import COLUMNS, NAMES, row
from tests.catalogue.shop import Shop, plain_shop, rows_of


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
        {**row(n), "parent": "nil", "path": "Clothing > Tshirts, Sale" if n else "Clothing > Tshirts"} for n in range(3)
    ]
    shop.write_csv(feed, columns=[*NAMES, "parent"])
    notes = shop.run("r", "catalogue")["catalogue"]["notes"]
    assert notes == [
        "'nil' counts as a word, 3 times, as in column 'parent'; if it means no value, add it to catalogue.no_value",
        "category cells that look like several paths: 2, as 'Clothing > Tshirts, Sale'; set "
        'catalogue.columns.category_path_separator to what stands between paths, or to "" if a cell is one path',
    ]
    columns = {**COLUMNS, "group_id": "parent", "category_path_separator": ","}
    shop.write_config(catalogue={"columns": columns, "no_value": ["nil"]})
    assert shop.run("r2", "catalogue")["catalogue"]["counts"]["changed"] == 3
    assert {tuple(one["category"]) for one in shop.table("items")} == {("Clothing", "Tshirts")}


def test_cells_that_hardly_are_a_value_are_told_with_one_of_them(shop: Shop) -> None:
    shop.write_config(catalogue={"columns": COLUMNS})
    shop.write_csv([row(0, name="#ARVO!"), row(1, name="(null)"), row(2, name="#1 Dad!")])
    assert shop.run("r", "catalogue")["catalogue"]["notes"] == [
        "cells that look as if they meant no value, and count as one: 2, as '#ARVO!' of column 'name'; if they do mean "
        "none, add what they hold to catalogue.no_value"
    ]


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


def test_prices_in_two_currencies_and_cells_of_several_photos_are_told(shop: Shop) -> None:
    shop.write_config(catalogue={"columns": COLUMNS})
    shop.write_csv(
        [row(0, eur="1.299"), row(1, eur="0.99 USD"), row(2, eur="2.99 USD"), row(3, eur="5 EUR", image="a.jpg,b.jpg")]
    )
    assert shop.run("r", "catalogue")["catalogue"]["notes"] == [
        "photo cells that look like several photos: 1, as 'a.jpg,b.jpg'; set catalogue.columns.photo_separator to what "
        'stands between photos, or to "" if a cell is one photo',
        "prices that are a thousand times as much where a comma is the decimal mark: 1, as '1.299' of column 'eur'; "
        "set catalogue.decimal_mark to the one that is meant",
        "prices in several currencies: 'USD' 2, 'EUR' 1; the items table tells them apart, the statistics do not",
    ]
    assert {(one["price"], one["currency"]) for one in shop.table("items")} == {
        (1.299, None), (0.99, "USD"), (2.99, "USD"), (5.0, "EUR"),
    }  # fmt: skip


def test_a_column_tells_the_currency_of_prices_that_do_not(shop: Shop) -> None:
    shop.write_config(catalogue={"columns": {**COLUMNS, "currency": "iso"}})
    rows = [
        row(0, eur="5", iso="eur"),
        row(1, eur="5 USD", iso="EUR"),
        row(2, eur="", iso="EUR"),
        row(3, eur="7", iso=""),
    ]
    shop.write_csv(rows)
    shop.run("r", "catalogue")
    assert {one["item_id"]: (one["price"], one["currency"]) for one in shop.table("items")} == {
        "a0": (5.0, "EUR"), "a1": (5.0, "USD"), "a2": (None, None), "a3": (7.0, None),
    }  # fmt: skip


def test_a_feed_with_decimal_commas_is_refused_with_the_setting(shop: Shop) -> None:
    shop.write_config(catalogue={"columns": COLUMNS})
    shop.write_csv([row(n, eur=f"{n},50") for n in range(9)])
    with pytest.raises(StageError) as caught:
        shop.run("r", "catalogue")
    assert "mend the input or the config; raise the limit only if the shop can do without these" in str(caught.value)
    assert "column 'eur' holds '0,50'; catalogue.decimal_mark, if it is not set, is '.'" in str(caught.value)
    shop.write_config(catalogue={"columns": COLUMNS, "decimal_mark": ","})
    shop.run("r2", "catalogue")
    assert sorted(one["price"] for one in shop.table("items")) == [n + 0.5 for n in range(9)]


@pytest.mark.parametrize("mark", ["/", " / ", " | ", " » "])
def test_a_feed_without_its_separator_of_levels_is_told(shop: Shop, mark: str) -> None:
    shop.write_config(catalogue={"columns": COLUMNS})
    shop.write_csv([row(0, path="Shoes"), row(1, path=f"Shoes{mark}Boots"), row(2, path=f"Shoes{mark}Clogs")])
    said = shop.run("r", "catalogue")["catalogue"]["notes"][0]
    assert said == (
        "no category cell holds catalogue.columns.category_separator, but 2 look like several levels, as "
        f"'Shoes{mark}Boots'; set it to what stands between levels, or to \"\" if a cell is one level"
    )
    shop.write_config(catalogue={"columns": {**COLUMNS, "category_separator": mark.strip()}})
    assert shop.run("r2", "catalogue")["catalogue"]["notes"] == []
    assert sorted(one["category"] for one in shop.table("items")) == [["Shoes"], ["Shoes", "Boots"], ["Shoes", "Clogs"]]


def test_columns_that_no_row_of_a_json_feed_has_are_told(shop: Shop) -> None:
    columns = {**COLUMNS, "title": "tittle", "price": "price.amount"}
    shop.write_config(catalogue={"snapshot": "feed.jsonl", "columns": columns})
    write_jsonl(shop, [{key: value for key, value in row(n).items() if key != "gone" or n == 2} for n in range(3)])
    assert shop.run("r", "catalogue")["catalogue"]["notes"] == [
        "no row of the snapshot has 'price.amount', 'tittle', which catalogue.columns names"
    ]


def test_rows_that_say_their_item_is_gone_are_counted(shop: Shop) -> None:
    shop.write_config(catalogue={"columns": COLUMNS})
    shop.write_csv([row(n, gone=int(n > 0)) for n in range(5)])
    assert shop.run("r", "catalogue")["catalogue"]["notes"] == [
        "rows of the snapshot that say their item is gone (catalogue.columns.deleted): 4 of 5 ('1' 4)"
    ]


@pytest.mark.parametrize("newer", ["a.csv", "b.csv"])
def test_a_snapshot_of_several_files_does_not_depend_on_when_they_were_copied(tmp_path: Path, newer: str) -> None:
    shop = Shop(tmp_path)
    shop.write_config(catalogue={"snapshot": "parts/*.csv", "columns": COLUMNS, "max_rejected_share": 1.0})
    (tmp_path / "parts").mkdir()
    shop.write_csv([row(n, at=" ") for n in range(3)], "parts/a.csv", NAMES)
    shop.write_csv([row(n, at=" ", path="Sale") for n in range(2, 5)], "parts/b.csv", NAMES)
    os.utime(tmp_path / "parts" / newer, (2_000_000_000, 2_000_000_000))
    manifest = shop.run("r", "catalogue")["catalogue"]
    assert manifest["rejects"] == {"conflicting_duplicate": 1}
    found = {one["item_id"]: one["category"] for one in shop.table("items")}
    assert (found["a2"], found["a3"]) == (["Shoes"], ["Sale"])


@pytest.mark.parametrize("path", ["Home > Shoes > item {}", "Item {}"])
def test_breadcrumbs_that_end_in_the_item_itself_are_told(tmp_path: Path, path: str) -> None:
    shop = plain_shop(tmp_path)
    shop.write_csv([{**one, "path": path.format(n)} for n, one in enumerate(rows_of(10))])
    said = "categories whose last level is the title of their item: 10, as ("
    fix = "; each such item is a category of its own: export the path without that level"
    [note] = shop.run("r", "catalogue")["catalogue"]["notes"]
    assert (note.startswith(said), note.endswith(fix)) == (True, True)


def test_titles_that_are_the_names_of_categories_with_many_items_are_not_told(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path)
    shop.write_csv([{**one, "name": one["path"].split(" > ")[1]} for one in rows_of(10)])
    assert shop.run("r", "catalogue")["catalogue"]["notes"] == []
