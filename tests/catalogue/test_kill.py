"""The catalogue stage is killed three times, and comes to what an undisturbed run comes to."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.runs.manifest import read_manifest
from tests.catalogue.shop import Shop
from tests.catalogue.synthetic import copy_of, drawn
from tests.cli.killing import Files, files, finish, kill_when, names, what_it_did

BUCKETS = 32
TABLES = ("items", "photos", "deletes", "rejects")


@pytest.fixture
def shops(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> tuple[Shop, Shop]:
    """Two copies: one to be killed, one to be left in peace."""
    pair = tuple(copy_of(drawn(tmp_path_factory), tmp_path / name) for name in ("killed", "peaceful"))
    for shop in pair:
        text = shop.config.read_text()
        assert "buckets = 8" in text
        shop.config.write_text(text.replace("buckets = 8", f"buckets = {BUCKETS}"))
    return pair[0], pair[1]


def written(shop: Shop, table: str) -> set[str]:
    return names(shop, f"catalogue/*/{table}/*.parquet")


@pytest.mark.slow
def test_a_catalogue_killed_three_times(shops: tuple[Shop, Shop]) -> None:
    killed, peaceful = shops
    peaceful.run("r", "catalogue")
    moments: list[Callable[[], bool]] = [
        lambda: bool(names(killed, "runs/r/catalogue/lease.json")),  # before anything is written
        lambda: len(written(killed, "items")) >= 5,  # items are the last table of a bucket
        lambda: len(written(killed, "rejects")) > len(written(killed, "items")) >= 10,  # in the middle of a bucket
    ]
    kept: Files = {}
    for ready in moments:
        kill_when(killed, "catalogue", ready)
        assert killed.head() == (0, {})
        assert read_manifest(killed.store, "r", "catalogue") is None
        assert len(written(killed, "items")) < BUCKETS
        assert files(killed, kept) == kept
        kept = files(killed, names(killed, "catalogue/*/*/*.parquet"))
    assert len(kept) > 4 * 10
    finish(killed, "catalogue")

    assert files(killed, kept) == kept  # what was there is what is there
    for table in TABLES:
        assert killed.table(table) == peaceful.table(table)
    heads = [entry | {"at": ""} for _, entry in (killed.head(), peaceful.head())]
    assert heads[0] == heads[1]
    done = [read_manifest(shop.store, "r", "catalogue") for shop in (killed, peaceful)]
    assert done[0] is not None
    assert done[1] is not None
    assert what_it_did(done[0]) == what_it_did(done[1])
    assert killed.store.read("taxonomy/00000001.json") == peaceful.store.read("taxonomy/00000001.json")
