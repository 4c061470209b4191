"""With the model kept, only what is new costs anything."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Callable

from tests.e2e.conftest import Shop

Rewrite = Callable[[Callable[[list[str]], list[str]]], None]
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


def test_nothing_new_costs_nothing_and_says_so(shop: Shop) -> None:
    result = shop.cli("run", "--run-id", "second")
    assert costs(shop, "second") == {"fetched": 0, "prepared": 0, "inferred": 0}
    assert "nothing new" in result.output
    first, second = (shop.manifest(run, "promote")["outputs"]["release_id"] for run in ("first", "second"))
    assert shop.live()["release_id"] == second
    assert first != second
    assert shop.live()["index"]["index_id"] == shop.manifest("first", "index")["outputs"]["index_id"]


def test_new_items_cost_their_own_photos_alone(shop: Shop, rows: Rewrite) -> None:
    columns, added = heading(shop), []

    def add(lines: list[str]) -> list[str]:
        for number in healthy(shop, lines)[:3]:  # a little over 1 %
            values = fields(lines[number])
            first = columns.index("image_1")
            values[0], values[1] = f"NEW{number}", f"NEW{number}"
            for place in range(first, len(columns)):
                values[place] = ""
            photo = f"photos/new_{number}.jpg"
            draw_photo(shop.folder / photo, number)
            values[first] = photo
            added.append(line_of(values))
        return lines + added

    rows(add)
    shop.run("second")
    assert costs(shop, "second") == {"fetched": 3, "prepared": 3, "inferred": 3}
    found = shop.cli("search", "--json", "-k", "3", "--item", "NEW" + fields(added[0])[0][3:])
    assert '"results": [{' in found.stdout


def draw_photo(path, seed: int) -> None:
    import numpy as np
    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (12, 10, 3)).astype(np.uint8)
    Image.fromarray(pixels).resize((160, 200)).save(path, quality=90)


def test_a_new_price_and_title_cost_no_inference(shop: Shop, rows: Rewrite) -> None:
    columns = heading(shop)

    def change(lines: list[str]) -> list[str]:
        for number in healthy(shop, lines)[:20]:
            values = fields(lines[number])
            values[columns.index("price")] = "1.23"
            values[columns.index("name")] += " SALE"
            lines[number] = line_of(values)
        return lines

    rows(change)
    shop.run("second")
    assert costs(shop, "second") == {"fetched": 0, "prepared": 0, "inferred": 0}
    assert shop.manifest("second", "catalogue")["counts"]["changed"] == 20


def test_a_photo_listed_again_under_another_name_costs_no_inference(shop: Shop, rows: Rewrite) -> None:
    columns = heading(shop)

    def relist(lines: list[str]) -> list[str]:
        number = healthy(shop, lines)[0]
        values = fields(lines[number])
        place = columns.index("image_1")
        shutil.copy2(shop.folder / values[place], shop.folder / "photos" / "again.jpg")
        values[0], values[1], values[place] = "AGAIN", "AGAIN", "photos/again.jpg"
        values[place + 1 :] = [""] * (len(columns) - place - 1)
        return [*lines, line_of(values)]

    rows(relist)
    shop.run("second")
    assert costs(shop, "second")["inferred"] == 0
    assert shop.manifest("second", "catalogue")["counts"]["added"] == 1


def test_a_removed_item_is_found_no_more_until_a_rollback(shop: Shop, rows: Rewrite) -> None:
    gone: list[str] = []

    def remove(lines: list[str]) -> list[str]:
        number = healthy(shop, lines)[0]
        gone.append(fields(lines[number])[0])
        return lines[:number] + lines[number + 1 :]

    before = shop.live()["release_id"]
    rows(remove)
    shop.run("second")
    assert costs(shop, "second") == {"fetched": 0, "prepared": 0, "inferred": 0}
    refused = shop.cli("search", "--item", gone[0], code=1)
    assert "unknown_item" in refused.output
    shop.cli("rollback", "--reason", "the item is back")
    assert shop.live()["release_id"] == before
    shop.cli("search", "--item", gone[0])


def test_gc_keeps_what_is_live(shop: Shop) -> None:
    shop.run("second")
    shop.cli("gc", "--grace", "0")
    shop.cli("search", "--json", str(next((shop.folder / "street").rglob("*.jpg"))))
