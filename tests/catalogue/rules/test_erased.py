"""Rows about items that were erased: rejects that say nothing of them, whatever feed brings them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.hidden.erased import ALLOW, ERASE, note
from tests.catalogue.shop import Shop, plain_shop, rows_of


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A store of before the erasure: in one that was erased in, the catalogue has the item no more."""
    shop = plain_shop(tmp_path / "shop", 6)
    shop.write_config(catalogue={"max_removed_share": 1.0})
    shop.run("r1", "catalogue")
    return shop


def words(shop: Shop) -> list[tuple[str, ...]]:
    return [(r["item_id"], r["image_uri"], r["code"], r["detail"]) for r in shop.table("rejects")]


def test_its_row_is_refused_though_no_feed_has_changed(shop: Shop) -> None:
    note(shop.store, ERASE, ["i2"])
    done = shop.run("r2", "catalogue")["catalogue"]
    assert done["rejects"] == {"erased": 1}
    assert words(shop) == [("", "", "erased", "an item that was erased")]
    note(shop.store, ALLOW, ["i2"])
    shop.run("r3", "catalogue")
    assert shop.item_ids() == {f"i{n}" for n in range(6)}
    assert words(shop) == []


def test_a_row_that_would_be_rejected_for_another_reason_says_nothing_either(shop: Shop) -> None:
    note(shop.store, ERASE, ["i2", "i3"])
    rows = rows_of(6)
    rows[2]["path"] = ""  # no category
    shop.write_csv([*rows, rows[3] | {"name": "another name"}])
    assert shop.run("r2", "catalogue")["catalogue"]["rejects"] == {"erased": 3}
    assert set(words(shop)) == {("", "", "erased", "an item that was erased")}


def test_it_does_not_count_as_too_much_that_is_rejected(tmp_path: Path) -> None:
    """Of 40 items 30 are erased; more than a tenth of the rows may not be rejected else."""
    shop = plain_shop(tmp_path / "shop", 40)
    shop.write_config(catalogue={"max_rejected_share": 0.1})
    note(shop.store, ERASE, [f"i{n}" for n in range(30)])
    assert shop.run("r1", "catalogue")["catalogue"]["rejects"] == {"erased": 30}
    assert len(shop.item_ids()) == 10


def test_rows_of_deltas_and_of_the_media_table_are_refused(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 4)
    shop.write_csv([{"sku": "i1", "image": "more.jpg"}, {"sku": "i0", "image": "more.jpg"}], "media.csv")
    (shop.root / "deltas").mkdir()
    media = {"path": "media.csv", "columns": {"item_id": "sku", "photo": "image"}}
    shop.write_config(catalogue={"deltas": "deltas/*.csv", "media": media, "max_removed_share": 1.0})
    shop.write_photos(["more.jpg"])
    note(shop.store, ERASE, ["i1"])
    shop.write_csv(rows_of(3)[1:], "deltas/2026-01-02.csv")
    done = shop.run("r1", "catalogue")["catalogue"]
    assert done["rejects"] == {"erased": 3}  # of the snapshot, the deltas and the media table
    assert shop.item_ids() == {"i0", "i2", "i3"}
    assert {row["item_id"] for row in shop.table("photos") if row["image_uri"] == "more.jpg"} == {"i0"}
