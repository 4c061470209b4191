"""Items that are out of stock: kept, flagged, or hidden until they are back."""

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import GateError
from tests.catalogue.shop import COLUMNS, Shop, rows_of


def shop_of(folder: Path, **section: Any) -> Shop:
    shop = Shop(folder)
    shop.write_config(catalogue={"columns": {**COLUMNS, "availability": "stock"}, **section})
    return shop


def stocked(*words: str) -> list[dict[str, Any]]:
    return [{**row, "stock": word} for row, word in zip(rows_of(len(words)), words, strict=True)]


def availabilities(shop: Shop) -> dict[str, str | None]:
    return {row["item_id"]: row["availability"] for row in shop.table("items")}


WORDS = ("in stock", "out of stock", "Vorbestellbar", "", "maybe")


def test_kept_as_it_is_unless_the_config_asks(tmp_path: Path) -> None:
    shop = shop_of(tmp_path)
    shop.write_csv(stocked(*WORDS))
    assert shop.run("r", "catalogue")["catalogue"]["notes"] == [
        "rows whose item is out of stock, as 'out of stock', and shown all the same: 1 of 5; catalogue.out_of_stock = "
        '"flag" says so in results, "remove" leaves them out'
    ]
    assert availabilities(shop) == dict.fromkeys(["i0", "i1", "i2", "i3", "i4"])


def test_kept_as_the_config_says(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, out_of_stock="keep")
    shop.write_csv(stocked(*WORDS))
    assert shop.run("r", "catalogue")["catalogue"]["notes"] == []


def test_flagged(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, out_of_stock="flag")
    shop.write_csv(stocked(*WORDS))
    notes = shop.run("r", "catalogue")["catalogue"]["notes"]
    assert availabilities(shop) == {
        "i0": "in_stock", "i1": "out_of_stock", "i2": "preorder", "i3": None, "i4": None
    }  # fmt: skip
    assert notes == [
        "rows of the snapshot whose item is out of stock (catalogue.out_of_stock): 1 of 5",
        "words of catalogue.columns.availability that are not known, and count as in stock: 'maybe' 1; write them as "
        "'in stock', 'out of stock', 'preorder' or 'backorder' in the feed",
    ]
    shop.write_csv(stocked("0", *WORDS[1:]))
    assert shop.run("r2", "catalogue")["catalogue"]["counts"]["changed"] == 1


def test_hidden_and_back_by_itself(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, out_of_stock="remove", max_removed_share=0.5)
    shop.write_csv(stocked("3", "3", "3", "3"))
    shop.run("r", "catalogue")
    shop.write_csv(stocked("3", "0", "3", "backorder"))
    manifest = shop.run("r2", "catalogue")["catalogue"]
    assert shop.item_ids() == {"i0", "i2", "i3"}
    assert (manifest["counts"]["removed"], manifest["rejects"]) == (1, {})
    assert manifest["notes"] == ["rows of the snapshot whose item is out of stock (catalogue.out_of_stock): 1 of 4"]
    shop.write_csv(stocked("3", "1", "3", "3"))
    assert shop.run("r3", "catalogue")["catalogue"]["counts"]["added"] == 1
    assert shop.item_ids() == {"i0", "i1", "i2", "i3"}


def test_by_deltas_too(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, out_of_stock="remove", deltas="deltas/*.csv")
    (tmp_path / "deltas").mkdir()
    shop.write_csv(stocked("3", "3", "3", "3"))
    shop.run("r", "catalogue")
    for number, (word, there) in enumerate([("0", False), ("2", True)]):
        shop.write_csv(stocked(word), f"deltas/{number}.csv")
        shop.run(f"d{number}", "catalogue")
        assert ("i0" in shop.item_ids()) is there


def test_too_many_at_once_are_told_with_the_reason(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, out_of_stock="remove")
    shop.write_csv(stocked("3", "3", "3", "3"))
    shop.run("r", "catalogue")
    shop.write_csv(stocked("0", "0", "0", "3"))
    with pytest.raises(GateError) as caught:
        shop.run("r2", "catalogue")
    assert "rows of the snapshot whose item is out of stock (catalogue.out_of_stock): 3 of 4" in str(caught.value)


def test_the_first_column_that_says_something_counts_and_one_variant_is_enough(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    columns = {**COLUMNS, "availability": ["stock", "variants[].qty"]}
    rows = [
        {**rows_of(1)[0], "sku": "a", "stock": None, "variants": [{"qty": 0}, {"qty": 2}]},
        {**rows_of(1)[0], "sku": "b", "stock": None, "variants": [{"qty": 0}, {"qty": -1}]},
        {**rows_of(1)[0], "sku": "c", "stock": False, "variants": [{"qty": 2}]},
    ]
    (tmp_path / "feed.json").write_text(json.dumps(rows))
    shop.write_config(catalogue={"snapshot": "feed.json", "columns": columns, "out_of_stock": "flag"})
    shop.run("r", "catalogue")
    assert availabilities(shop) == {"a": "in_stock", "b": "out_of_stock", "c": "out_of_stock"}
