"""`curate` as it is typed, and what the next run makes of it."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from tests.catalogue.shop import COLUMNS, Shop, plain_shop, rows_of


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    shop = plain_shop(tmp_path / "shop", 4)
    shop.run("r", "catalogue")
    return shop


def curate(shop: Shop, action: str, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["curate", action, "--config", str(shop.config), *arguments])


def last(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.output
    value: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return value


def test_decided_listed_and_taken_back(shop: Shop) -> None:
    done = curate(shop, "not-alike", " i2", "i1", "--reason", "another heel")
    assert last(done) == {"action": "not_alike", "number": 1, "changed": 1, "standing": 1}
    assert done.stderr.startswith("curate: 'i1' and 'i2' are not alike, as number 1: no search shows one for the other")
    again = curate(shop, "not-alike", "i1", "i2", "--reason", "again")
    assert (last(again)["number"], last(again)["changed"]) == (1, 0)
    assert "so decided already, as number 1" in again.stderr
    assert last(curate(shop, "category", "i0", "Shoes>Sandals", "--reason", "open toes"))["number"] == 2
    lines = [json.loads(line) for line in curate(shop, "list", "--json").stdout.splitlines()]
    assert [line["number"] for line in lines] == [1, 2]
    assert lines[1]["category"] == ["Shoes", "Sandals"]
    assert {"reason", "at", "by"} <= lines[0].keys()
    text = curate(shop, "list").stdout.splitlines()
    assert text[0].startswith("1  'i1' and 'i2' are not alike, since 20")
    assert text[1].endswith(": open toes")
    assert last(curate(shop, "undo", "1"))["standing"] == 1
    twice = curate(shop, "undo", "1")
    assert twice.exit_code == 1
    assert "decision 1 was taken back already" in twice.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["not-alike", "i1", "i2"], 2, "--reason"),
        (["not-alike", "i1", "i2", "--reason", " "], 2, "say why with --reason"),
        (["not-alike", "i1", "--reason", "x"], 2, "name the other item, or a --photo"),
        (["not-alike", "i1", "i1", "--reason", "x"], 1, "'i1' is one item"),
        (["not-alike", "i1", "i9", "--reason", "x"], 1, "item 'i9' is in no catalogue"),
        (["not-alike", "i1", "--photo", "abc", "--reason", "x"], 1, "'abc' is no sha256"),
        (["category", "i1", "Shoes > Boot", "--reason", "x"], 1, "no category 'Shoes > Boot'; is it 'Shoes > Boots'"),
        (["category", "i1", "Shoes > ", "--reason", "x"], 1, "is no category: write its levels"),
        (["bad-photo", "--reason", "x"], 2, "name an item, or a --digest"),
        (
            ["bad-photo", "i1", "o.jpg", "--reason", "x"],
            1,
            "no photo 'o.jpg'; name one of its addresses: p1.jpg",
        ),
        (["undo", "7"], 1, "decision 7 is none there"),
    ],
)
def test_what_cannot_be_decided(shop: Shop, arguments: list[str], code: int, told: str) -> None:
    result = curate(shop, *arguments)
    assert result.exit_code == code
    assert told in result.stderr
    assert not (shop.root / "store" / "curated").exists()


def leaves(shop: Shop) -> dict[str, list[str]]:
    return {row["item_id"]: row["category"] for row in shop.table("items")}


def test_a_category_is_in_the_next_catalogue_until_it_is_taken_back(shop: Shop) -> None:
    assert leaves(shop)["i0"] == ["Shoes", "Boots"]
    curate(shop, "category", "i0", "Shoes > Sandals", "--reason", "open toes")
    curate(shop, "category", "i1", r"A \> B > C", "--new", "--reason", "of its own")
    curate(shop, "category", "i3", "Shoes > Sandals", "--reason", "seen, and right")
    done = shop.run("r2", "catalogue")["catalogue"]
    assert (leaves(shop)["i0"], leaves(shop)["i1"]) == (["Shoes", "Sandals"], ["A > B", "C"])
    assert (done["counts"]["changed"], done["counts"]["added"], done["counts"]["removed"]) == (2, 0, 0)
    told = "categories that curators gave: 2 applied; 1 no longer needed, for the feed says the same, as 'i3'"
    assert told in done["notes"]
    origins = {row["item_id"]: row["is_corrected"] for row in shop.table("origins")}
    assert origins == {"i0": True, "i1": True, "i2": False, "i3": False}
    assert shop.run("r3", "catalogue")["catalogue"]["counts"]["changed"] == 0
    curate(shop, "undo", "1")
    shop.run("r4", "catalogue")
    assert leaves(shop)["i0"] == ["Shoes", "Boots"]


def test_a_curators_category_stands_above_the_sheet_and_leaves_its_attributes(shop: Shop) -> None:
    (shop.root / "corrections.csv").write_text("item_id,category,colour\ni0,Bags,red\n")
    columns = {**COLUMNS, "attributes": {"colour": "colour"}}
    shop.write_csv(rows_of(4, colour="blue"))
    shop.write_config(catalogue={"corrections": "corrections.csv", "columns": columns})
    curate(shop, "category", "i0", "Shoes > Sandals", "--reason", "open toes")
    shop.run("r2", "catalogue")
    [row] = [row for row in shop.table("items") if row["item_id"] == "i0"]
    assert (row["category"], dict(row["attributes"])) == (["Shoes", "Sandals"], {"colour": "red"})


def test_a_bad_photo_is_a_reject_and_its_items_other_photos_stay(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    shop.write_csv([{**row, "more": f"m{n % 3}.jpg"} for n, row in enumerate(rows_of(6))])
    shop.write_photos([f"p{n}.jpg" for n in range(6)] + [f"m{n}.jpg" for n in range(3)])
    columns = {**COLUMNS, "photos": ["image", "more"]}
    shop.write_config(catalogue={"columns": columns}, preprocess={"max_rejected_share": 0.0})
    shop.run("r", "catalogue", "preprocess")
    several = curate(shop, "bad-photo", "i0", "--reason", "blurred")
    assert several.exit_code == 1
    assert "item 'i0' has 2 photos; name one of its addresses: p0.jpg, m0.jpg" in several.stderr
    digest = hashlib.sha256((shop.photos / "m1.jpg").read_bytes()).hexdigest()
    for arguments in (["i0", "m0.jpg"], ["--digest", digest]):
        assert last(curate(shop, "bad-photo", *arguments, "--reason", "blurred"))["changed"] == 1
    done = shop.run("r2", "catalogue", "preprocess")["preprocess"]
    codes = {(row["item_id"], row["image_uri"]): row["code"] for row in shop.prepared("r2")}
    bad = {key for key, code in codes.items() if code}
    assert bad == {("i0", "m0.jpg"), ("i1", "m1.jpg"), ("i4", "m1.jpg")}
    assert {codes[key] for key in bad} == {"bad_photo"}
    assert done["rejects"] == {"bad_photo": 3}
    assert done["counts"]["fetched"] == 0
    curate(shop, "undo", "2")
    shop.run("r3", "catalogue", "preprocess")
    assert {key for row in shop.prepared("r3") if row["code"] for key in [(row["item_id"], row["image_uri"])]} == {
        ("i0", "m0.jpg")
    }
