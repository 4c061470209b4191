"""What the synthetic catalogue knows to be wrong with its items is what their traces say."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.e2e.conftest import Shop


def traced(shop: Shop, item_id: str, *arguments: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(shop.cli("trace", "--json", *arguments, "--", item_id, code=None).stdout)
    return value


def test_every_lost_item_is_lost_for_the_reason_that_was_planted(promoted: Shop) -> None:
    lost = [one for one in promoted.truth()["poison"] if one.get("sku") and one["code"] and not one["in_index"]]
    named = set[str]()
    for one in lost:
        found = traced(promoted, one["sku"])
        assert not found["found"]
        assert one["code"] in codes_of(found), (one, found["verdict"])
        named.add(found["verdict"]["reason"])
    assert len(named) >= 10


def codes_of(found: dict[str, Any]) -> set[str]:
    """Return the reason, and the reject codes of the item's rows: one without a photo waits for it, too."""
    verdict, trail = found["verdict"], found["trail"]
    if verdict["reason"] == "never_named":  # its row has lost its id
        return {*re.findall(r"[a-z_]+", verdict["fix"])}
    return {verdict["reason"], *(reject["code"] for reject in (trail["catalogued"]["rejects"] if trail else ()))}


def test_a_photo_of_the_catalogue_finds_its_item(promoted: Shop) -> None:
    rows = (promoted.folder / "products.csv").read_text(encoding="utf-8", errors="replace").splitlines()
    found = next(one for row in rows[1:] if (one := traced(promoted, row.split(",")[0]))["found"])
    (photo, *_) = (one for one in found["trail"]["photos"] if one["in_index"])
    path = str(promoted.folder / photo["image_uri"])
    by_photo = traced(promoted, found["item_id"], "--query", path, "--no-feeds")
    assert by_photo["verdict"]["reason"] == "found"
    assert by_photo["query"]["standing"]["rank"] == 1
