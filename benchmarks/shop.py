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


def with_training(text: str, keys: str) -> str:
    """Return the demo's configuration with these keys in its [train], beside the attributes that it names there."""
    before, _, after = text.partition("[train]")
    section, _, rest = after.partition("\n[")
    attributes = next(line for line in section.splitlines() if line.startswith("attributes = "))
    return f"{before}[train]\n{keys}\n{attributes}\n\n[{rest}"


def write_feed(work: Path, paths: Sequence[Path], categories: int) -> None:
    """Write `products-<number of photos>.csv`; photos that are a whole number of `categories` apart share one."""
    with (work / f"products-{len(paths)}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["sku", "path", "type"])
        writer.writerows([f"i{n}", str(path.relative_to(work)), f"t{n % categories}"] for n, path in enumerate(paths))
