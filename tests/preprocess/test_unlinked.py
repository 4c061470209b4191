"""What links nothing is told with an example that a person can look at."""

import shutil
from pathlib import Path

import pytest

from pipelines.runs.outputs import PreprocessOutputs
from pipelines.tables.variants import group_key, read_placeholders
from tests.catalogue.shop import COLUMNS, Shop, plain_shop, rows_of


def notes_of(shop: Shop) -> list[str]:
    notes: list[str] = shop.run("one", "catalogue", "preprocess")["preprocess"]["notes"]
    return notes


def test_a_placeholder_is_named_by_an_item_and_its_photo(tmp_path: Path) -> None:
    """Of 30 items, 12 have one photo in files of their own, and a title: more than the ten that a group may hold."""
    shop = plain_shop(tmp_path / "shop", 30)
    rows = [row | {"name": "Coming soon"} if n < 12 else row for n, row in enumerate(rows_of(30))]
    shop.write_csv(rows)
    for n in range(1, 12):
        shutil.copy(shop.photos / "p0.jpg", shop.photos / f"p{n}.jpg")
    title, photo, look = notes_of(shop)
    more = "that more than 10 items have (preprocess.max_group_share) keeps none of them together in a split"
    assert title.startswith(f"1 title {more}")
    assert "for example 'Coming soon' of item 'i" in title
    assert photo.startswith(f"1 photo {more}")
    assert look.startswith(f"1 look of a photo (its perceptual hash) {more}")
    assert all(note.endswith(": 12 items have it") for note in (title, photo, look))
    for note in (photo, look):
        example = note.partition("for example ")[2].partition(":")[0]
        uri, _, item = example.partition(" of item ")
        assert uri.removeprefix("p").removesuffix(".jpg") == item.strip("'").removeprefix("i")
        assert int(item.strip("'").removeprefix("i")) < 12


@pytest.mark.parametrize("leaves", [1, 2, 3])
def test_a_group_of_many_categories_makes_no_variants_and_one_of_a_products_does(tmp_path: Path, leaves: int) -> None:
    """Of 30 items, 12 have the group_id "0"; 3 are variants of a product of few."""
    shop = plain_shop(tmp_path / "shop", 30)
    rows = [row | {"parent": "0" if n < 12 else "shirt" if n < 15 else ""} for n, row in enumerate(rows_of(30))]
    shop.write_csv([row | {"path": f"Shoes > {n % leaves}"} for n, row in enumerate(rows)])
    shop.write_config(catalogue={"columns": COLUMNS | {"group_id": "parent"}})
    done = shop.run("one", "catalogue", "preprocess")["preprocess"]
    note, *more = done["notes"]
    assert "1 group_id that more than 10 items have" in note
    assert "for example '0' of item 'i" in note
    told = "group_ids of items in more than 2 leaf categories make no variants in a search either: 1; if it is"
    assert [one.startswith(told) for one in more] == [True] * (leaves > 2)
    found = read_placeholders(shop.store, PreprocessOutputs.of_json(done["outputs"]).placeholders)
    assert found == ({group_key("0")} if leaves > 2 else frozenset())


@pytest.mark.parametrize("leaves", [1, 2, 3])
@pytest.mark.parametrize("files", ["copies", "files of their own"])
def test_a_photo_of_many_categories_is_a_placeholder_and_one_of_a_products_is_not(
    tmp_path: Path, leaves: int, files: str
) -> None:
    """Of 30 items, 12 show one photo, or one look; half as many again as may be rejected."""
    shop = plain_shop(tmp_path / "shop", 30)
    shop.write_csv([row | {"path": f"Shoes > {n % leaves}"} for n, row in enumerate(rows_of(30))])
    for n in range(12):
        comment = b"" if files == "copies" else b"\xff\xfe\x00\x08no %03d" % n
        photo = (shop.photos / "p0.jpg").read_bytes().replace(comment, b"")
        (shop.photos / f"p{n}.jpg").write_bytes(photo[:2] + comment + photo[2:])
    done = shop.run("one", "catalogue", "preprocess")["preprocess"]
    assert done["rejects"] == ({"placeholder": 12} if leaves > 2 else {})
    assert done["counts"]["ok"] == 30 - done["counts"]["rejected"]
    told = "  placeholder, for example p0.jpg: more items have this photo or its look than preprocess.max_items_a_photo"
    assert any(note.startswith(told) for note in done["notes"]) == (leaves > 2)
    codes = {row["item_id"]: row["code"] for row in shop.prepared("one")}
    assert {codes[f"i{n}"] for n in range(12)} == ({"placeholder"} if leaves > 2 else {""})
    assert {codes[f"i{n}"] for n in range(12, 30)} == {""}


def test_an_error_page_in_the_place_of_photos_is_no_photo_that_many_have(tmp_path: Path) -> None:
    shop = plain_shop(tmp_path / "shop", 30)
    shop.write_config(preprocess={"max_rejected_share": 0.5})
    for n in range(12):
        (shop.photos / f"p{n}.jpg").write_bytes(b"<html>503</html>")
    assert not any("placeholder" in note for note in notes_of(shop))
