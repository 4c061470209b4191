"""Categories of other names and corrections, through the stage: what later stages see, the slots, and what is told."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import StageError
from pipelines.runs.manifest import Manifest
from pipelines.tables.taxonomy import read_names, read_taxonomy
from tests.catalogue.shop import COLUMNS, Shop, plain_shop

ATTRIBUTES = {"columns": {**COLUMNS, "attributes": {"colour": "colour"}}}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return plain_shop(tmp_path / "shop", 6)


def write(shop: Shop, aliases: str | None = None, corrections: str | None = None, **more: Any) -> None:
    keys: dict[str, Any] = {**more, "category_aliases": None, "corrections": None}
    for key, text in (("category_aliases", aliases), ("corrections", corrections)):
        if text is not None:
            (shop.root / f"{key}.csv").write_text(text)
            keys[key] = f"{key}.csv"
    shop.write_config(catalogue=keys)


def run(shop: Shop, run_id: str, **more: Any) -> Manifest:
    return shop.run(run_id, "catalogue", **more)["catalogue"]


def leaves(shop: Shop) -> dict[str, str]:
    return {row["item_id"]: " > ".join(row["category"]) for row in shop.table("items")}


def counts(manifest: Manifest) -> tuple[int, int, int]:
    return tuple(manifest["counts"][name] for name in ("added", "changed", "removed"))  # type: ignore[return-value]


BOOTS, SANDALS = "Shoes > Boots", "Shoes > Sandals"


def test_a_renamed_category_keeps_its_slot_and_its_items_change(shop: Shop) -> None:
    run(shop, "r1")
    slots = read_taxonomy(shop.store)
    write(shop, "Shoes > Boots,Shoes > High boots\n")
    manifest = run(shop, "r2")
    assert counts(manifest) == (0, 3, 0)
    assert set(leaves(shop).values()) == {"Shoes > High boots", SANDALS}
    after = read_taxonomy(shop.store)
    assert after["leaves"] == {"Shoes > High boots": slots["leaves"][BOOTS], SANDALS: slots["leaves"][SANDALS]}
    assert after["levels"][1] == after["leaves"]
    assert read_names(shop.store)["leaves"][BOOTS] == slots["leaves"][BOOTS]
    assert any(
        "items that catalogue.category_aliases moved to another category: 3, as 'i0'" in note
        for note in manifest["notes"]
    )
    assert counts(run(shop, "r3")) == (0, 0, 0)  # nothing is new


def test_merged_categories_share_the_slot_of_the_one_that_is_there(shop: Shop) -> None:
    run(shop, "r1")
    slots = read_taxonomy(shop.store)["leaves"]
    write(shop, f"{BOOTS},{SANDALS}\n")
    assert counts(run(shop, "r2")) == (0, 3, 0)
    assert set(leaves(shop).values()) == {SANDALS}
    assert read_taxonomy(shop.store)["leaves"] == slots  # that of boots is nobody's, and stays


def test_categories_that_become_a_new_one_take_the_oldest_slot(shop: Shop) -> None:
    run(shop, "r1")
    slots = read_taxonomy(shop.store)["leaves"]
    write(shop, f"{BOOTS},Footwear\n{SANDALS},Footwear\n")
    run(shop, "r2")
    assert set(leaves(shop).values()) == {"Footwear"}
    assert read_taxonomy(shop.store)["leaves"] == {"Footwear": slots[BOOTS], SANDALS: slots[SANDALS]}


def test_the_first_run_gives_slots_to_what_categories_are_called_now(shop: Shop) -> None:
    write(shop, "Shoes,Footwear\n")
    run(shop, "r1")
    assert read_taxonomy(shop.store)["leaves"] == {"Footwear > Boots": 0, "Footwear > Sandals": 1}


def test_a_split_gives_new_slots_and_leaves_the_old_one_to_the_rest(shop: Shop) -> None:
    run(shop, "r1")
    slots = read_taxonomy(shop.store)["leaves"]
    write(shop, f"{BOOTS},Shoes > First,title=^item 0$\n{BOOTS},Shoes > Second,item_id=i2\n")
    assert counts(run(shop, "r2")) == (0, 2, 0)
    assert {i: leaf for i, leaf in leaves(shop).items() if leaf != SANDALS} == {
        "i0": "Shoes > First",
        "i2": "Shoes > Second",
        "i4": BOOTS,
    }
    assert read_taxonomy(shop.store)["leaves"] == {**slots, "Shoes > First": 2, "Shoes > Second": 3}


def test_a_rule_that_is_taken_back_leaves_nothing_behind(shop: Shop) -> None:
    before = run(shop, "r1")
    assert before["counts"]["added"] == 6
    feed = leaves(shop)
    write(shop, "Shoes > Boots,Winter\n", "item_id,category\ni1,Special\n")
    assert counts(run(shop, "r2")) == (0, 4, 0)
    assert leaves(shop)["i1"] == "Special"
    write(shop, "# nothing\n", "item_id,category\n")
    assert counts(run(shop, "r3")) == (0, 4, 0)
    assert leaves(shop) == feed
    write(shop)
    run(shop, "r4")
    assert leaves(shop) == feed


def test_items_of_deltas_move_too_though_nothing_of_them_is_read_again(shop: Shop) -> None:
    write(shop, deltas="deltas/*.csv")
    (shop.root / "deltas").mkdir()
    row = {"sku": "d1", "image": "p0.jpg", "path": BOOTS, "name": "of a delta"}
    shop.write_csv([row], "deltas/1.csv")
    run(shop, "r1")
    write(shop, "Shoes > Boots,Winter\n", "item_id,category\nd1,Shoes > Boots\n", deltas="deltas/*.csv")
    manifest = run(shop, "r2")
    assert counts(manifest) == (0, 4, 0)
    assert leaves(shop)["d1"] == "Winter"  # a correction's category has its new name, too
    assert manifest["counts"]["in"] == 0
    shop.write_csv([{**row, "path": SANDALS}], "deltas/2.csv")
    run(shop, "r3")
    assert leaves(shop)["d1"] == "Winter"  # a correction stands above what is newer
    write(shop, deltas="deltas/*.csv")
    run(shop, "r4")
    assert leaves(shop)["d1"] == SANDALS


def test_corrections_stand_above_the_feed_and_are_told(shop: Shop) -> None:
    rows = [
        {"sku": f"i{n}", "image": f"p{n}.jpg", "path": (BOOTS, SANDALS)[n % 2], "name": f"Item {n}", "colour": "red"}
        for n in range(6)
    ]
    shop.write_csv(rows)
    text = f"item_id,category,colour\ni0,{SANDALS},\ni1,,blue\ni2,{BOOTS},red\ni9,{BOOTS},\ni8,,red\n"
    write(shop, corrections=text, **ATTRIBUTES)
    manifest = run(shop, "r1")
    found = {row["item_id"]: (row["category"][-1], dict(row["attributes"])) for row in shop.table("items")}
    assert found["i0"] == ("Sandals", {"colour": "red"})
    assert found["i1"] == ("Sandals", {"colour": "blue"})
    assert found["i2"] == ("Boots", {"colour": "red"})
    told = next(note for note in manifest["notes"] if note.startswith("catalogue.corrections"))
    assert told.startswith(
        "catalogue.corrections: 2 applied; 1 no longer needed, for the feed says the same, as 'i2'; 2 of no item, as "
    )
    corrected = {row["item_id"] for row in shop.table("origins") if row["is_corrected"]}
    assert corrected == {"i0", "i1"}
    # the feed comes to say the same
    rows[0]["path"] = SANDALS
    shop.write_csv(rows)
    assert counts(run(shop, "r2")) == (0, 0, 0)
    assert {row["item_id"] for row in shop.table("origins") if row["is_corrected"]} == {"i1"}


def test_the_order_of_the_two_runs_does_not_matter(shop: Shop, tmp_path: Path) -> None:
    other = plain_shop(tmp_path / "other", 6)
    text = ("Shoes > Boots,Winter\n", "item_id,category\ni1,Winter\n")
    write(shop, *text)
    run(shop, "r1")
    run(other, "r1")
    write(other, *text)
    run(other, "r2")
    assert leaves(shop) == leaves(other)


@pytest.mark.parametrize(
    ("aliases", "told"),
    [
        ("A,B\nB,A\n", "category_aliases.csv: lines 1 and 2 lead in a circle"),
        ("A,B\nA,C\n", "category_aliases.csv: lines 1 and 2 both say what 'A' becomes"),
    ],
)
def test_a_wrong_sheet_stops_the_run_before_anything_is_read(shop: Shop, aliases: str, told: str) -> None:
    write(shop, aliases)
    with pytest.raises(StageError, match=told):
        run(shop, "r1")
    assert shop.head() == (0, {})


def test_a_sheet_that_is_not_there_is_told(shop: Shop) -> None:
    shop.write_config(catalogue={"corrections": "none.csv"})
    with pytest.raises(StageError, match=r"catalogue.corrections = '.*none.csv' names no file, in .*: write the path"):
        run(shop, "r1")
