"""The preprocess stage is killed three times, and comes to what an undisturbed run comes to, doing no unit twice."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelines.runs.manifest import read_manifest
from pipelines.store import UnitTable
from tests.catalogue.shop import Shop
from tests.catalogue.synthetic import copy_of, drawn
from tests.cli.killing import Files, files, finish, kill_when, names, what_it_did

PHOTOS_A_UNIT = 40


@pytest.fixture
def shops(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> tuple[Shop, Shop]:
    """Two copies with their catalogue read: one to be killed, one to be left in peace."""
    pair = tuple(copy_of(drawn(tmp_path_factory), tmp_path / name) for name in ("killed", "peaceful"))
    for shop in pair:
        text = shop.config.read_text().replace("buckets = 8", "buckets = 24")
        text = text.replace("[preprocess]", f"[preprocess]\nphotos_a_unit = {PHOTOS_A_UNIT}")
        shop.config.write_text(text)
        shop.run("r", "catalogue")
    return pair[0], pair[1]


def committed(shop: Shop) -> set[str]:
    """Units that are whole: their sources are the last thing that is written."""
    return {Path(name).name.partition(".")[0] for name in names(shop, "sources/*.keys.parquet")}


def data_files(shop: Shop) -> set[str]:
    return {name for name in names(shop, "images/*/*.parquet") if not name.endswith(".keys.parquet")}


def in_flight(shop: Shop) -> bool:
    """Tell whether a unit is being written: its data, its keys, or its sources."""
    keys = {Path(name).name.partition(".")[0] for name in names(shop, "images/*/*.keys.parquet")}
    data = {Path(name).name.partition("-")[0] for name in data_files(shop)}
    return bool(keys - committed(shop) or data - keys or names(shop, "images/*/.tmp-*", "sources/.tmp-*"))


def tables(shop: Shop) -> dict[str, Any]:
    """All that the stage leaves, without times."""
    found: dict[str, Any] = {"photos": shop.prepared("r")}
    for prefix in ("sources", "images/60x48-q95-v2", "splits"):
        units = UnitTable(shop.store, prefix)
        rows = {unit_id: units.read_keys(unit_id).to_pylist() for unit_id in units.unit_ids()}
        if prefix == "splits":  # a kill may cut one unit of splits in two
            found[prefix] = sorted(
                (row["item_id"], row["group"], row["split"]) for unit in rows.values() for row in unit
            )
        else:
            found[prefix] = {u: [{**row, "fetched_at": None} for row in unit] for u, unit in rows.items()}
    return found


@pytest.mark.slow
def test_preparing_killed_three_times(shops: tuple[Shop, Shop]) -> None:
    killed, peaceful = shops
    photos = peaceful.run("r", "preprocess")["preprocess"]["counts"]
    total = photos["units"]
    assert total == -(-photos["in"] // PHOTOS_A_UNIT) > 12
    moments: list[Callable[[], bool]] = [
        lambda: len(committed(killed)) >= 3,
        lambda: len(committed(killed)) >= 6 and in_flight(killed),  # in the middle of a unit
        lambda: len(names(killed, "runs/r/preprocess/photos/*")) >= 2,  # all is prepared, and not yet resolved
    ]
    kept: Files = {}
    was: set[str] = set()
    for number, ready in enumerate(moments):
        said = kill_when(killed, "preprocess", ready)
        assert read_manifest(killed.store, "r", "preprocess") is None
        assert files(killed, kept) == kept
        if number:
            assert f"preprocess: {len(was)} of {total} units are done already" in said
        was = committed(killed)
        assert len(was) < total or number == 2
        assert len(data_files(killed)) <= len(was) + number + 1  # of each kill no more than the unit in flight
        kept = files(
            killed, names(killed, *(f"{prefix}/{unit}*" for unit in was for prefix in ("sources", "images/*")))
        )
    assert len(was) == total
    finish(killed, "preprocess")

    assert files(killed, kept) == kept
    left, right = tables(killed), tables(peaceful)
    for name in left:
        assert [row for row in left[name] if row not in right[name]] == []
        assert left[name] == right[name]
    done = [read_manifest(shop.store, "r", "preprocess") for shop in (killed, peaceful)]
    assert done[0] is not None
    assert done[1] is not None
    assert what_it_did(done[0]) == what_it_did(done[1])
    assert len(data_files(killed)) <= total + 2
