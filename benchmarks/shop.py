"""A shop to measure with: the feed of some photos, one an item, and the part of its configuration that says so."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

CATALOGUE = """
[catalogue]
snapshot = "products-{count}.csv"
photo_root = "."
[catalogue.columns]
item_id = "sku"
photos = "path"
category = "type"
"""


def write_feed(work: Path, paths: Sequence[Path], categories: int) -> None:
    """Write `products-<number of photos>.csv`; photos that are a whole number of `categories` apart share one."""
    with (work / f"products-{len(paths)}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "path", "type"])
        writer.writerows([f"i{n}", str(path.relative_to(work)), f"t{n % categories}"] for n, path in enumerate(paths))
