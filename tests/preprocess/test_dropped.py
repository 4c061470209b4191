"""Photos that show no product: of too many items, or on the shop's list. Their items live by their other photos."""

import hashlib
from pathlib import Path

import pytest

from pipelines.errors import StageError
from tests.catalogue.shop import COLUMNS, Shop, jpeg, plain_shop, rows_of
from transforms.image import prepare
from transforms.photo import PrepSpec


def logo_shop(root: Path, items: int = 12) -> Shop:
    """A shop of which every item has a photo of its own, and the first five the logo too."""
    shop = plain_shop(root, items)
    (shop.photos / "logo.jpg").write_bytes(jpeg(4711))
    columns = {**COLUMNS, "photos": ["image", "more"]}
    shop.write_csv([row | {"more": "logo.jpg" if n < 5 else ""} for n, row in enumerate(rows_of(items))])
    shop.write_config(catalogue={"columns": columns}, preprocess={"max_rejected_share": 0.0})
    return shop


def codes(shop: Shop) -> dict[str, set[str]]:
    shop.run("r", "catalogue", "preprocess")
    found: dict[str, set[str]] = {}
    for row in shop.prepared("r"):
        found.setdefault(row["image_uri"], set()).add(row["code"])
    return found


def test_a_photo_of_more_items_than_allowed_is_a_placeholder_and_its_items_stay(tmp_path: Path) -> None:
    shop = logo_shop(tmp_path / "shop")
    columns = {**COLUMNS, "photos": ["image", "more"]}
    shop.write_config(catalogue={"columns": columns}, preprocess={"max_items_a_photo": 4, "max_rejected_share": 0.0})
    found = codes(shop)
    assert found.pop("logo.jpg") == {"placeholder"}
    assert set.union(*found.values()) == {""}
    assert len({row["group"] for row in shop.prepared("r")}) == 12  # and it keeps no items together


def test_as_many_items_as_allowed_may_have_a_photo(tmp_path: Path) -> None:
    shop = logo_shop(tmp_path / "shop")
    columns = {**COLUMNS, "photos": ["image", "more"]}
    shop.write_config(catalogue={"columns": columns}, preprocess={"max_items_a_photo": 5})
    assert codes(shop)["logo.jpg"] == {""}


@pytest.mark.parametrize("by", ["digest", "look"])
def test_what_the_list_names_is_dropped_by_its_bytes_or_its_look(tmp_path: Path, by: str) -> None:
    shop, data = logo_shop(tmp_path / "shop"), jpeg(4711)
    digest = hashlib.sha256(data).hexdigest()
    look = prepare(data, PrepSpec(32, 24)).phash.hex()
    line = f"{digest}  photos/logo.jpg" if by == "digest" else f"{look.upper()} # the logo"
    (shop.root / "dropped.txt").write_text(f"\ufeff# no products\n\n{line}\n", encoding="utf-8")
    columns = {**COLUMNS, "photos": ["image", "more"]}
    section = {"dropped_photos": "dropped.txt", "max_rejected_share": 0.0}
    shop.write_config(catalogue={"columns": columns}, preprocess=section)
    found = codes(shop)
    assert found.pop("logo.jpg") == {"dropped"}
    assert set.union(*found.values()) == {""}
    assert len({row["group"] for row in shop.prepared("r")}) == 12
    (shop.root / "dropped.txt").write_text("")
    shop.run("r2", "catalogue", "preprocess")
    assert {row["code"] for row in shop.prepared("r2")} == {""}


def test_a_line_that_is_no_digest_is_named(tmp_path: Path) -> None:
    shop = logo_shop(tmp_path / "shop")
    (shop.root / "dropped.txt").write_text("# ok\nlogo.jpg\n")
    shop.write_config(preprocess={"dropped_photos": "dropped.txt"})
    with pytest.raises(StageError, match=r"dropped\.txt, line 2: 'logo\.jpg' is neither a sha256"):
        shop.run("r", "catalogue", "preprocess")
    shop.write_config(preprocess={"dropped_photos": "nowhere.txt"})
    with pytest.raises(StageError, match=r"preprocess\.dropped_photos = 'nowhere\.txt' cannot be read"):
        shop.run("r", "catalogue", "preprocess")
