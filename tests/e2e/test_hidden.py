"""An item that is hidden between two runs: not found at once, in no index and no measurement from the next run on."""

from __future__ import annotations

import json

import pyarrow.parquet as pq

from tests.e2e.conftest import Shop


def results(shop: Shop, item_id: str) -> list[str]:
    lines = shop.cli("search", "--json", "-k", "20", "--item", item_id).stdout.splitlines()
    return [result["item_id"] for line in lines for result in json.loads(line)["results"]]


def indexed(shop: Shop, table: str, column: str) -> set[str]:
    folder = shop.store / "indexes" / shop.live()["index"]["index_id"] / table
    return {value for path in folder.glob("*.parquet") for value in pq.read_table(path)[column].to_pylist()}


def test_hidden_at_once_in_every_later_run_and_after_a_rollback_until_shown_again(shop: Shop) -> None:
    query = min(indexed(shop, "items", "item_id"))
    gone, *others = results(shop, query)
    shop.cli("hide", gone, "--reason", "recalled")
    assert gone not in results(shop, query)

    before = shop.live()["release_id"]
    done = shop.run("second")
    assert done["preprocess"]["counts"]["fetched"] == done["embed"]["counts"]["inferred"] == 0
    assert done["index"]["counts"]["built"] == 1
    assert shop.live()["release_id"] != before
    assert gone not in indexed(shop, "items", "item_id")
    assert gone not in indexed(shop, "similar", "similar_item_id") | indexed(shop, "similar", "item_id")
    assert "measured_for" not in shop.live()  # not as the release before
    assert shop.metrics()["gallery.coverage"] == 1.0

    same = shop.run("third")
    assert same["index"]["counts"]["built"] == 0
    assert shop.manifest("third", "index")["taken_from"] == "second"
    assert shop.live()["measured_for"] == shop.manifest("second", "promote")["outputs"]["release_id"]

    shop.cli("rollback", "--to", before, "--reason", "the colours are wrong")
    assert gone in indexed(shop, "items", "item_id")
    assert gone not in results(shop, query)
    shop.cli("unhide", gone)
    assert gone in results(shop, query)
    shop.run("fourth")
    assert gone in indexed(shop, "items", "item_id")
    assert set(others) <= {*results(shop, query)} | {gone}
