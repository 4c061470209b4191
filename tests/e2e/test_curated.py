"""What curators decide between two runs: kept apart at once; in catalogue, labels and index of the next run."""

from __future__ import annotations

import json
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from pipelines.cli import main
from tests.e2e.conftest import Shop
from tests.e2e.test_hidden import indexed, results


def rows(shop: Shop, folder: str) -> list[dict[str, Any]]:
    return [row for path in (shop.store / folder).glob("*.parquet") for row in pq.read_table(path).to_pylist()]


def curate(shop: Shop, action: str, *arguments: str) -> dict[str, Any]:
    arguments = ("curate", action, "--config", str(shop.config), "--reason", "seen", *arguments)
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 0, done.output
    value: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return value


@pytest.mark.usefixtures("trained_here")
def test_a_pair_a_category_and_a_bad_photo_through_the_next_run(shop: Shop) -> None:
    live = shop.live()
    photos = rows(shop, "runs/first/preprocess/photos")
    good = [photo for photo in photos if not photo["code"]]
    counts = {photo["item_id"]: 0 for photo in good}
    for photo in good:
        counts[photo["item_id"]] += 1
    query = min(indexed(shop, "items", "item_id"))
    near = results(shop, query)[0]
    assert curate(shop, "not-alike", query, near)["number"] == 1
    assert near not in results(shop, query)
    assert query not in results(shop, near)

    items = {row["item_id"]: row for row in rows(shop, f"catalogue/{live['catalogue_id']}/items")}
    leaves = sorted({tuple(row["category"]) for row in items.values()})
    moved = next(one for one in sorted(counts) if one not in {query, near} and counts[one] > 1)
    path = next(leaf for leaf in leaves if leaf != tuple(items[moved]["category"]))
    curate(shop, "category", moved, " > ".join(path))
    bad = next(photo for photo in good if photo["item_id"] == moved)
    curate(shop, "bad-photo", moved, bad["image_uri"])

    done = shop.run("second", "--policy", "always", "--accept", "curators have decided")
    assert done["preprocess"]["counts"]["fetched"] == 0
    after = {row["item_id"]: row for row in rows(shop, f"catalogue/{shop.live()['catalogue_id']}/items")}
    assert tuple(after[moved]["category"]) == path
    [corrected] = rows(shop, f"models/{shop.live()['model']['model_id']}/corrected")
    assert (corrected["item_id"], tuple(corrected["category"])) == (moved, path)
    learned = rows(shop, f"models/{shop.live()['model']['model_id']}/photos")
    others = {photo["digest"] for photo in good if photo["image_uri"] != bad["image_uri"]}
    assert bad["digest"] in others or bad["digest"] not in {photo["digest"] for photo in learned}
    codes = {(row["item_id"], row["image_uri"]): row["code"] for row in rows(shop, "runs/second/preprocess/photos")}
    assert codes[moved, bad["image_uri"]] == "bad_photo"
    assert moved in indexed(shop, "items", "item_id")
    similar = {(row["item_id"], row["similar_item_id"]) for row in rows(shop, f"indexes/{live_index(shop)}/similar")}
    assert not similar & {(query, near), (near, query)}
    assert near not in results(shop, query)

    weakest = shop.cli("quality", "--json", "--limit", "3").stdout.splitlines()
    assert {json.loads(line)["kind"] for line in weakest} >= {"lonely"}
    page = shop.folder / "weakest.html"
    assert f"written: {page}: " in shop.cli("quality", "--html", str(page)).stderr
    assert page.read_text(encoding="utf-8").count("data:image/jpeg;base64,") > 4
    verdict = json.loads(shop.cli("trace", moved, "--json").stdout)
    assert "visual-search curate" in json.dumps(verdict)


def live_index(shop: Shop) -> str:
    index_id: str = shop.live()["index"]["index_id"]
    return index_id
