"""The shop whose items are missing each for another reason: its feeds and photos, and what runs made of them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pipelines.runs.outputs import EvaluateOutputs
from tests.catalogue.shop import COLUMNS
from tests.catalogue.shop import jpeg as drawn
from tests.embed.world import GREEN, RED, jpeg
from tests.trace.shop import TracedShop

HEADER = ["sku", "image", "path", "name", "price", "group", "role", "at", "gone"]
ALL = {**COLUMNS, "price": "price", "group_id": "group", "role": "role", "updated_at": "at", "deleted": "gone"}
SECTIONS: dict[str, dict[str, Any]] = {
    "catalogue": {
        "columns": ALL,
        "deltas": "deltas/*.csv",
        "max_rejected_share": 1.0,
        "max_removed_share": 1.0,
        "media": {"path": "media.csv", "columns": {"item_id": "sku", "photo": "image"}, "role": "main"},
    },
    "preprocess": {"max_pixels": 50_000, "min_side": 12},
    "fetch": {"allowed_networks": ["127.0.0.1"], "attempts": 1},
    "index": {"roles": ["main"], "similar": 0},
}
LEAVES = ("Shoes > Boots", "Shoes > Sandals", "Hats > Caps")
SNAPSHOT_AT, DELTA_AT, LATER = "2026-01-02", "2026-01-03", "2026-01-04"


def photos(shop: TracedShop) -> dict[str, str]:
    """Write photos that are good, and others that are bad each in another way; the uri of each by item."""
    good = jpeg((90, 120, 200), (24, 32))
    bad = {
        "page": b"<!DOCTYPE html><html><body>not found</body></html>",
        "empty": b"",
        "cut": jpeg((9, 9, 200), (64, 64))[:-300],
        "small": jpeg((1, 2, 3), (9, 9)),
        "large": jpeg((7, 7, 7), (300, 300)),
        "green": jpeg(GREEN, (32, 48)),
        "red": jpeg(RED, (32, 48)),
        "none": drawn(3),
    }
    for name, data in bad.items():
        (shop.photos / f"{name}.jpg").write_bytes(data)
    (shop.photos / "folder.jpg").mkdir()
    (shop.root / "elsewhere.jpg").write_bytes(good)
    odd = {
        "missing": "Missing.jpg",
        "ftp": "ftp://cdn.example/a.jpg",
        "elsewhere": "../elsewhere.jpg",
        "private": "http://10.0.0.1/a.jpg",
        "closed": "http://127.0.0.1:9/a.jpg",
        "folder": "folder.jpg",
    }
    return {name: f"{name}.jpg" for name in bad} | odd


def row(sku: str, image: str, number: int = 0, **more: Any) -> dict[str, Any]:
    plain = {"sku": sku, "image": image, "path": LEAVES[number % 3], "name": f"Item {sku}", "at": SNAPSHOT_AT}
    return {**dict.fromkeys(HEADER, ""), **plain, **more}


def write_snapshot(shop: TracedShop) -> None:
    uris = photos(shop)
    good = [row(f"good{n}", f"good{n}.jpg", n) for n in range(6)]
    good += [row(f"dress{n}", f"dress{n}.jpg", 2, group="dress") for n in range(2)]
    shop.write_photos(one["image"] for one in good)
    shop.write_photos(["street.jpg", "gone.jpg", "newest.jpg"])
    named = [row(name, uri) for name, uri in uris.items() if name != "none"]
    shared = [row(f"none{n}", uris["none"], n) for n in range(12)]
    odd = [
        row("4.00638E+12", "good1.jpg"),
        row("no category", "good1.jpg", path=""),
        row("odd price", "good1.jpg", price="twelve"),
        row("odd date", "good1.jpg", at="yesterday"),
        row("tomorrow", "good1.jpg", at="2199-01-01"),
        row("odd gone", "good1.jpg", gone="perhaps"),
        row("no photo", ""),
        row("row gone", "gone.jpg", gone="true"),
        row("delta gone", "gone.jpg"),
        row("street", "street.jpg", role="street"),
        row("twin", "good0.jpg"),
        row("both", "nowhere.jpg"),
        row("both", "street.jpg", role="street"),
        row("many", "good2.jpg"),
        row("many", "Missing.jpg"),
        row("many", "page.jpg"),
    ]
    shop.write_csv([*good, *named, *shared, *odd], columns=HEADER)


def shop_with_missing_items(root: Path, exported: Path) -> TracedShop:
    """A shop with a live release, a newer run that a gate refused, and feeds that nothing has read yet."""
    shop = TracedShop(root)
    shop.write_config(**SECTIONS)
    shop.write_csv([row("sold out", "gone.jpg", at="2026-01-01"), row("good0", "good0.jpg", at="2026-01-01")])
    os.utime(shop.root / "feed.csv", (1_767_225_600,) * 2)
    shop.write_csv([{"sku": "only media", "image": "good1.jpg"}], "media.csv")
    (shop.root / "deltas").mkdir()
    shop.run("before", "catalogue")
    write_snapshot(shop)
    shop.write_csv([row("delta gone", "", at=DELTA_AT, gone="true")], "deltas/5.csv")
    shop.add_model(exported)
    shop.take("first")
    shop.promote("first", "r1")
    shop.write_csv([row("newest", "newest.jpg", at=LATER)], "deltas/6.csv")
    shop.take("second")
    shop.stage("second", EvaluateOutputs("r2", False), "retrieval.p_at_10 is .51, live has .62")
    shop.write_csv([row("old delta", "good1.jpg", at=LATER)], "deltas/4.csv")
    shop.write_csv([row("new delta", "good1.jpg", at=LATER)], "deltas/7.csv")
    return shop
