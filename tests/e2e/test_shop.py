"""A shop's own folder, by the ten lines of the README: other column names, many uneven categories."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.conftest import SHORT, Shop, copy_of

README = Path(__file__).parents[2] / "README.md"


def lines_of_the_readme() -> str:
    found = re.search(r"```toml\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.mark.usefixtures("trained_here")
def test_ten_lines_take_a_shop_to_a_promoted_release(drawn: Shop, tmp_path: Path) -> None:
    drawn_copy, shop = copy_of(drawn, tmp_path), Shop(tmp_path / "own")
    shop.folder.mkdir()
    (drawn_copy.folder / "photos").rename(shop.folder / "photos")
    types = write_feed(drawn_copy.folder / "products.csv", shop.folder / "products.csv")
    assert len(types) > 60
    assert min(types.values()) == 1
    assert len(lines_of_the_readme().splitlines()) == 10
    small = "[preprocess]\nheight = 40\nwidth = 32\n"  # what keeps a test short, and nothing else
    shop.config.write_text(lines_of_the_readme() + small + SHORT, encoding="utf-8")

    shop.run("first")

    told = json.loads(shop.cli("status", "--json").stdout)
    assert told["live"]["items"] > 200
    some = next(path for path in sorted((shop.folder / "photos").rglob("*_1.jpg")))
    answer = json.loads(shop.cli("search", "--json", str(some)).stdout)
    assert len(answer["results"]) == 10
    assert answer["results"][0]["score"] > 0.999
    page = shop.folder / "results.html"
    shop.cli("search", str(some), "--html", str(page))
    assert "<img" in page.read_text(encoding="utf-8")


def write_feed(source: Path, target: Path) -> Counter[str]:
    """Write the columns sku, name, path and type; return how many items each type has."""
    types: Counter[str] = Counter()
    with source.open(encoding="utf-8", errors="replace", newline="") as file, target.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["sku", "name", "path", "type"])
        for row in csv.DictReader(file):
            if row["image_1"] and row["image_1"].startswith("photos/"):
                kind = f"{row['category']} {row['colour']}"
                writer.writerow([row["sku"], row["name"], row["image_1"].removeprefix("photos/"), kind])
                types[kind] += 1
    return types
