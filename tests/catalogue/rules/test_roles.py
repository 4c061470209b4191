"""Roles of photos in the catalogue, and photos that are left out for theirs."""

from pathlib import Path
from typing import Any

from tests.catalogue.shop import COLUMNS, Shop, rows_of

RULES = [
    {"name": "*size*", "role": "size_chart"}, {"name": "logo*", "role": "logo"}, {"position": 1, "role": "main"},
    {"role": "side"},
]  # fmt: skip


def roles(shop: Shop) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for row in sorted(shop.table("photos"), key=lambda row: (row["item_id"], row["position"])):
        found.setdefault(row["item_id"], []).append((row["image_uri"], row["role"]))
    return found


def shop_of(folder: Path, images: list[str], **section: Any) -> Shop:
    shop = Shop(folder)
    shop.write_config(
        catalogue={"columns": {**COLUMNS, "photo_separator": "|"}, "roles": RULES, "max_rejected_share": 1.0, **section}
    )
    shop.write_csv({**row, "image": image} for row, image in zip(rows_of(len(images)), images, strict=True))
    return shop


def test_photos_of_some_roles_are_left_out_and_the_rest_keeps_its_roles(tmp_path: Path) -> None:
    images = ["a.jpg|size.jpg|b.jpg", "logo.png|c.jpg", "size.jpg|logo.png", "d.jpg"]
    shop = shop_of(tmp_path, images, drop_roles=["size_chart", "logo"])
    manifest = shop.run("r", "catalogue")["catalogue"]
    assert roles(shop) == {
        "i0": [("a.jpg", "main"), ("b.jpg", "side")], "i1": [("c.jpg", "side")], "i3": [("d.jpg", "main")]
    }  # fmt: skip
    assert manifest["rejects"] == {"no_photo": 1}
    [reject] = shop.table("rejects")
    assert reject["item_id"] == "i2"
    assert reject["detail"] == "its photos are all of roles that catalogue.drop_roles leaves out, as 'size_chart'"
    left_out = "photos that are left out for their role (catalogue.drop_roles): 'logo' 2, 'size_chart' 2"
    assert left_out in manifest["notes"]
    counts = manifest["counts"]
    assert (counts["in"], counts["ok"], counts["skipped"], counts["rejected"]) == (4, 3, 0, 1)


def test_places_count_over_all_rows_of_an_item(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    shop.write_config(catalogue={"columns": {**COLUMNS, "continues": "sku"}, "roles": RULES})
    shop.write_csv([{**rows_of(1)[0]}, *({"sku": "i0", "image": image} for image in ("b.jpg", "c.jpg"))])
    shop.run("r", "catalogue")
    assert roles(shop) == {"i0": [("p0.jpg", "main"), ("b.jpg", "side"), ("c.jpg", "side")]}


def test_a_rule_that_is_new_reads_the_snapshot_again(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, ["a.jpg|size.jpg", "b.jpg"])
    shop.run("r", "catalogue")
    assert roles(shop)["i0"] == [("a.jpg", "main"), ("size.jpg", "size_chart")]
    shop = shop_of(tmp_path, ["a.jpg|size.jpg", "b.jpg"], drop_roles=["size_chart"])
    assert shop.run("r2", "catalogue")["catalogue"]["counts"]["changed"] == 1
    assert roles(shop)["i0"] == [("a.jpg", "main")]


def test_photos_of_the_media_table_have_their_own_roles_and_may_be_left_out(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, ["a.jpg", "size.jpg"], drop_roles=["size_chart", "banner"])
    shop.write_csv(
        [
            {"sku": "i0", "file": "size2.jpg", "role": "street"},
            {"sku": "i0", "file": "x.jpg", "role": "banner"},
            {"sku": "i1", "file": "y.jpg", "role": "street"},
        ],
        "media.csv",
    )
    media = {"path": "media.csv", "columns": {"item_id": "sku", "photo": "file", "role": "role"}}
    shop.write_config(
        catalogue={"columns": COLUMNS, "roles": RULES, "drop_roles": ["size_chart", "banner"], "media": media}
    )
    manifest = shop.run("r", "catalogue")["catalogue"]
    assert roles(shop) == {"i0": [("a.jpg", "main"), ("size2.jpg", "street")], "i1": [("y.jpg", "street")]}
    assert (manifest["rejects"], manifest["counts"]["in"]) == ({}, 5)
