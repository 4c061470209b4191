"""Feeds of a small shop, read run after run."""

from typing import Any

from pipelines.runs.manifest import Manifest
from tests.catalogue.shop import Shop

COLUMNS = {"item_id": "sku", "photos": "image", "category": "path", "title": "name", "updated_at": "at"}
COLUMNS |= {"price": "eur", "deleted": "gone"}
NAMES = ["sku", "image", "path", "name", "eur", "at", "gone"]


def row(n: int, at: str = "", **more: Any) -> dict[str, Any]:
    plain = {"sku": f"a{n}", "image": f"p{n}.jpg", "path": "Shoes", "name": f"Item {n}", "eur": "12.50", "gone": ""}
    return {**plain, "at": at or f"2026-11-{10 + n:02}T08:00:00Z", **more}


def rows(count: int, *, without: tuple[int, ...] = (), **more: Any) -> list[dict[str, Any]]:
    return [row(n, **more) for n in range(count) if n not in without]


class Days:
    """Runs of a shop, one after the other."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.number = shop, 0

    def read(self, *feed: dict[str, Any], **more: Any) -> Manifest:
        """Read a snapshot; without rows, the one that is there."""
        if feed:
            self.shop.write_csv(feed, columns=NAMES)
        self.number += 1
        return self.shop.run(f"r{self.number}", "catalogue", **more)["catalogue"]

    def delta(self, path: str, *feed: dict[str, Any]) -> None:
        (self.shop.root / "deltas" / path).parent.mkdir(parents=True, exist_ok=True)
        self.shop.write_csv(feed, f"deltas/{path}", NAMES)

    def ids(self) -> str:
        return " ".join(sorted(self.shop.item_ids()))
