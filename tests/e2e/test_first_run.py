"""From the feeds to a promoted release by one command, and what may be asked of it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np

from pipelines.neighbours.query.searcher import Searcher
from pipelines.runs.stages import STAGES
from tests.e2e.conftest import Shop


def balanced(counts: dict[str, int]) -> bool:
    return counts["in"] == counts["ok"] + counts["skipped"] + counts["rejected"]


def test_every_stage_keeps_its_ledger_and_the_last_names_what_is_live(promoted: Shop) -> None:
    for stage in STAGES:
        manifest = promoted.manifest("first", stage)
        assert balanced(manifest["counts"]), stage
        assert sum(manifest["rejects"].values()) == manifest["counts"]["rejected"], stage
    assert promoted.manifest("first", "promote")["outputs"]["release_id"] == promoted.live()["release_id"]


def test_nothing_odd_but_honest_is_lost_and_nothing_broken_is_indexed(promoted: Shop) -> None:
    truth, index_id = promoted.truth(), promoted.live()["index"]["index_id"]
    searcher = Searcher.open(promoted.store / "indexes" / index_id, ())
    uris = {hit.image_uri for hits in every_photo(searcher) for hit in hits}
    odd = {photo["file"] for photo in truth["odd"]}
    assert odd
    assert odd <= uris
    broken = {bad["file"] for bad in truth["poison"] if bad["where"] == "photo"}
    assert broken
    assert not broken & uris


def every_photo(searcher: Searcher) -> list[list]:
    links = np.arange(len(searcher.rows.link_row))
    return searcher.rows.results([links], [np.zeros(len(links), np.float32)])


def test_the_original_photo_of_an_item_finds_the_item_first(promoted: Shop) -> None:
    """Batch and query meet: through the stages, and through `search`, a photo comes to the same place."""
    photos = sorted((promoted.folder / "photos").rglob("*"))
    names = [str(path) for path in photos if path.is_file()]
    answers = [
        json.loads(line) for line in promoted.cli("search", "--json", "-k", "5", *names, code=1).stdout.splitlines()
    ]
    assert [answer["query"] for answer in answers] == names
    good = [answer for answer in answers if "error" not in answer]
    bad = {str(Path(answer["query"]).relative_to(promoted.folder)) for answer in answers if "error" in answer}
    poisoned = {entry["file"] for entry in promoted.truth()["poison"] if entry["where"] == "photo"}
    assert bad == poisoned & {str(Path(name).relative_to(promoted.folder)) for name in names}
    indexed = indexed_uris(promoted)
    found = [
        answer["results"][0]["score"] > 1 - 1e-3
        for answer in good
        if str(Path(answer["query"]).relative_to(promoted.folder)) in indexed
    ]
    assert len(found) > 300
    assert np.mean(found) >= 0.999
    assert promoted.metrics()["parity.embedding"] <= 1e-3
    assert promoted.metrics()["parity.itself_first"] >= 0.99


def indexed_uris(shop: Shop) -> set[str]:
    searcher = Searcher.open(shop.store / "indexes" / shop.live()["index"]["index_id"], ())
    return {hit.image_uri for hits in every_photo(searcher) for hit in hits}


def test_similar_items_are_what_search_says(promoted: Shop) -> None:
    from pipelines.store import open_store
    from pipelines.tables.buckets import read_parquet

    store = open_store(str(promoted.store))
    folder = f"indexes/{promoted.live()['index']['index_id']}/similar"
    rows = [row for entry in store.list(folder) for row in read_parquet(store, entry.name).to_pylist()]
    by_item: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        by_item.setdefault(row["item_id"], []).append((row["rank"], row["similar_item_id"]))
    asked = sorted(by_item)[:20]
    assert len(asked) == 20
    options = [option for item_id in asked for option in ("--item", item_id)]
    for line in promoted.cli("search", "--json", "-k", "20", *options).stdout.splitlines():
        answer = json.loads(line)
        told = [result["item_id"] for result in answer["results"]]
        assert answer["query"] not in told
        assert told == [similar for _, similar in sorted(by_item[answer["query"]])]


def test_a_page_of_pictures(promoted: Shop, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    street = sorted((promoted.folder / "street").rglob("*.jpg"))[:3]
    promoted.cli("search", "--html", str(page), *map(str, street))
    assert page.read_text(encoding="utf-8").count("<img") >= 3 * 10


def test_status_tells_a_person_how_good_the_live_release_is(promoted: Shop) -> None:
    text = promoted.cli("status").stdout
    assert promoted.live()["release_id"] in text
    assert "Live now: " in text
    assert "Try next:" in text
    told = json.loads(promoted.cli("status", "--json").stdout)
    assert told["live"]["release_id"] == promoted.live()["release_id"]


def test_every_number_of_the_metrics_is_finite(promoted: Shop) -> None:
    metrics = promoted.metrics()
    assert metrics["retrieval.p_at_10"] > 0
    assert all(math.isfinite(value) for value in metrics.values())


def test_help_imports_nothing_heavy() -> None:
    heavy = "tensorflow", "apache_beam", "faiss", "pyarrow", "numpy", "tfx"
    code = (
        "import sys; from click.testing import CliRunner; from pipelines.cli import main; "
        "assert CliRunner().invoke(main, ['run', '--help']).exit_code == 0; "
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
