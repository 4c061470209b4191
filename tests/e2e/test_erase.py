"""An item erased from a store with a trained model, a measured release and its report."""

from __future__ import annotations

import json

import pyarrow.dataset as ds

from pipelines.erase.scan import scan
from pipelines.erase.subject import find
from pipelines.releases.live import live_release
from pipelines.releases.release import check_parts
from pipelines.store.folder import FolderStore
from tests.e2e.conftest import Shop


def in_report(shop: Shop) -> str:
    """An item that the model has learned, of which the live report shows a picture; its row and photos are its own."""
    page = (shop.store / "releases" / shop.live()["release_id"] / "report.html").read_text(encoding="utf-8")
    table = ds.dataset(shop.store / "runs" / "first" / "preprocess" / "photos").to_table(
        columns=["item_id"], filter=ds.field("split") == "train"
    )
    store, truth = FolderStore(shop.store), shop.truth()
    odd = {entry["sku"] for entry in truth["poison"] + truth["odd"] if "sku" in entry}
    ids = sorted({*table["item_id"].to_pylist()} - odd)
    return next(name for name in ids if f'alt="result {name}"' in page and not find(store, [name]).shared)


def test_no_byte_of_an_item_is_left_and_the_next_run_is_without_it(shop: Shop) -> None:
    gone, store = in_report(shop), FolderStore(shop.store)
    subject = find(store, [gone])
    held = {(trace.name.split("/")[0], trace.what) for trace in scan(store, subject)}
    assert {
        ("releases", "its picture"), ("examples", "the photo"), ("models", "its digest"), ("images", "the photo"),
        ("embeddings", "its vector"), ("indexes", "its vector"), ("runs", "its rows"), ("catalogue", "its rows"),
    } <= held  # fmt: skip
    before = shop.live()

    done = json.loads(shop.cli("erase", gone, "--yes").stdout)
    assert done["left"] == list(scan(store, subject)) == []
    assert done["models"] == [before["model"]["model_id"]]
    live = live_release(store)
    assert live is not None
    check_parts(store, live)
    assert live.release_id == before["release_id"]
    assert live.index_id != before["index"]["index_id"]
    assert shop.cli("search", "--item", gone, code=1)
    assert shop.cli("status").exit_code == 0

    second = shop.run("second")
    rows = 1 + list(shop.truth()["street"].values()).count(gone)  # of the products, and of its street photos
    assert shop.manifest("second", "catalogue")["rejects"]["erased"] == rows
    assert second["preprocess"]["counts"]["fetched"] == second["embed"]["counts"]["inferred"] == 0
    assert shop.live()["release_id"] != before["release_id"]
    assert shop.metrics()["gallery.coverage"] == 1.0
    found = [trace for trace in scan(store, subject) if trace.what != "its picture"]
    assert found == []  # a picture in the new report may look like it: it is another item's
    shop.cli("rollback", "--to", before["release_id"], "--reason", "the rebuilt index is whole")
    assert shop.cli("search", "--item", gone, code=1)
