"""With the model kept, only what is new costs anything."""

from __future__ import annotations

import csv
import io
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.conftest import Shop, copy_of

COST = (("preprocess", "fetched"), ("preprocess", "prepared"), ("embed", "inferred"))


def costs(shop: Shop, run_id: str) -> dict[str, int]:
    return {count: shop.manifest(run_id, stage)["counts"][count] for stage, count in COST}


def fields(line: str) -> list[str]:
    return next(csv.reader([line]))


def line_of(values: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()


def heading(shop: Shop) -> list[str]:
    return fields((shop.folder / "products.csv").read_text(errors="surrogateescape").splitlines()[0])


def healthy(shop: Shop, lines: list[str]) -> list[int]:
    """Return the numbers of rows whose item is live and whose photos are its own."""
    truth = shop.truth()
    touched = {entry["sku"] for entry in truth["poison"] + truth["odd"] if "sku" in entry}
    of, copies = ({pair[end] for pair in truth["duplicates"]["exact"]} for end in ("of", "file"))
    good = []
    for number, line in enumerate(lines):
        values = fields(line)
        photos = set(filter(None, values[-4:]))
        if len(values) == len(heading(shop)) and values[0] not in touched and photos and not photos & (of | copies):
            good.append(number)
    return good


@dataclass(frozen=True)
class Day:
    """The items of a second run, whose feed has new ones, new prices, a known photo by another name, and one less."""

    shop: Shop
    added: list[str] = field(default_factory=list)
    priced: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)

    def change(self, lines: list[str]) -> list[str]:
        """Return the lines of the feed after a day."""
        gone, again, *rest = healthy(self.shop, lines)
        self.removed.append(fields(lines[gone])[0])
        relisted = self.relisted(fields(lines[again]))
        new = [self.new(number, fields(lines[number])) for number in rest[:3]]  # a little over 1 %
        for number in rest[3:23]:
            lines[number] = self.repriced(fields(lines[number]))
        return [*lines[:gone], *lines[gone + 1 :], *new, relisted]

    def new(self, number: int, values: list[str]) -> str:
        """Return the row of a new item with one new photo, of the kind of another's."""
        photo = f"photos/new_{number}.jpg"
        draw_photo(self.shop.folder / photo, number)
        self.added.append(f"NEW{number}")
        return self._one_photo(values, f"NEW{number}", photo)

    def relisted(self, values: list[str]) -> str:
        """Return the row of a new item whose photo is another's, under another name."""
        shutil.copy2(self.shop.folder / values[self._place("image_1")], self.shop.folder / "photos" / "again.jpg")
        self.added.append("AGAIN")
        return self._one_photo(values, "AGAIN", "photos/again.jpg")

    def repriced(self, values: list[str]) -> str:
        """Return the row with another price and title."""
        values[self._place("price")] = "1.23"
        values[self._place("name")] += " SALE"
        self.priced.append(values[0])
        return line_of(values)

    def _one_photo(self, values: list[str], name: str, photo: str) -> str:
        first = self._place("image_1")
        return line_of([name, name, *values[2:first], photo, *[""] * (len(values) - first - 1)])

    def _place(self, column: str) -> int:
        return heading(self.shop).index(column)


def draw_photo(path: Path, seed: int) -> None:
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (12, 10, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((160, 200)).save(path, quality=90)


@pytest.fixture(scope="module")
def later(promoted: Shop, tmp_path_factory: pytest.TempPathFactory) -> Day:
    """The shop after the second run, on the feed of the next day."""
    day = Day(copy_of(promoted, tmp_path_factory.mktemp("later")))
    day.shop.rewrite(day.change)
    day.shop.run("second")
    return day


def test_nothing_new_costs_nothing_and_says_so(shop: Shop) -> None:
    result = shop.cli("run", "--run-id", "second")
    assert costs(shop, "second") == {"fetched": 0, "prepared": 0, "inferred": 0}
    assert "nothing new" in result.output
    first, second = (shop.manifest(run, "promote")["outputs"]["release_id"] for run in ("first", "second"))
    assert shop.live()["release_id"] == second
    assert first != second
    assert shop.live()["index"]["index_id"] == shop.manifest("first", "index")["outputs"]["index_id"]


def test_only_new_photos_cost_anything(later: Day) -> None:
    """Neither new prices and titles do, nor an item that goes; a known photo by another name is prepared, no more."""
    assert costs(later.shop, "second") == {"fetched": 4, "prepared": 4, "inferred": 3}
    assert len(later.priced) == 20
    counts = later.shop.manifest("second", "catalogue")["counts"]
    assert (counts["added"], counts["changed"], counts["removed"]) == (4, 20, 1)


def test_new_items_are_found(later: Day) -> None:
    for name in later.added:
        found = later.shop.cli("search", "--json", "-k", "3", "--item", name)
        assert '"results": [{' in found.stdout


def test_a_removed_item_is_found_no_more_until_a_rollback(later: Day, promoted: Shop, tmp_path: Path) -> None:
    shop, (gone,) = copy_of(later.shop, tmp_path), later.removed
    refused = shop.cli("search", "--item", gone, code=1)
    assert "unknown_item" in refused.output
    shop.cli("rollback", "--reason", "the item is back")
    assert shop.live()["release_id"] == promoted.live()["release_id"]
    shop.cli("search", "--item", gone)


def test_gc_keeps_what_is_live(later: Day, tmp_path: Path) -> None:
    shop = copy_of(later.shop, tmp_path)
    shop.cli("gc", "--grace", "0")
    shop.cli("search", "--json", str(next((shop.folder / "street").rglob("*.jpg"))))
