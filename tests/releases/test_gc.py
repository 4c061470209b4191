"""What a collection keeps and what goes: a store with every kind of object, before and after."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.backfill import plan
from pipelines.errors import StageError
from pipelines.releases.gc import Swept, collect_garbage
from pipelines.store import Log, Store, StoreError
from tests.releases.collected import DAY_S, add_permanent, add_run, lease, names, of_run, promote, tomorrow


def test_a_scan_finds_exactly_what_kept_releases_need(store: Store) -> None:
    for run in ("one", "two", "three"):
        add_run(store, run)
    add_run(store, "other", prep_id="9x9-q95-v1")
    promote(store, "one", "two", "three")
    permanent = add_permanent(store)
    before = names(store)
    result = collect_garbage(store, keep=2, now=tomorrow())
    # releases two and three stay, with all but the examples of their runs; preparation 8x8 stays for their models
    expected = {*permanent, *names(store, "live"), *names(store, "images/8x8-q95-v1")}
    for run in ("two", "three"):
        expected |= {name for name in of_run(before, run) if not name.startswith("examples/")}
    assert set(names(store)) == expected
    assert result.kept == ["r-three", "r-two"]
    assert {kind: swept.groups for kind, swept in result.removed.items()} == {
        "releases": 2, "runs": 2, "indexes": 2, "embeddings": 2, "train keys": 2, "models": 2, "examples": 4,
        "images": 1, "catalogue": 2,
    }  # fmt: skip
    assert sum(swept.objects for swept in result.removed.values()) == len(before) - len(expected)


def test_a_run_stays_whose_tables_a_kept_one_hands_on(store: Store) -> None:
    for run in ("one", "two", "three"):
        add_run(store, run)
    promote(store, "one", "two", "three")
    taken = {"outputs": {"prep_id": "8x8-q95-v1"}, "taken_from": "one"}
    store.put("runs/three/preprocess/manifest.json", json.dumps(taken).encode())
    tables = names(store, "runs/one")
    collect_garbage(store, keep=1, now=tomorrow())
    assert names(store, "runs/one") == tables
    assert names(store, "runs/two") == []


def test_days_with_nothing_new_push_out_nothing_and_do_not_pile_up(store: Store) -> None:
    """One promotes a release a day that has the model, the index and the numbers of the day before."""
    for name in ("a", "b"):
        add_run(store, name)
    days = [f"b{day}" for day in range(10)]
    for name in days:
        add_run(store, name, model="m-b", index="i-b", measured_by="b")
    log = Log(store, "live")
    for number, name in enumerate(("a", "b", *days), 1):
        own = name if name == "a" else "b"
        entry = {"release_id": f"r-{name}", "action": "promote", "run_id": name}
        log.append(number, entry | {"model_id": f"m-{own}", "index_id": f"i-{own}", "measured_by": own})
    result = collect_garbage(store, keep=2, measured=1, now=tomorrow())
    assert store.folders("releases") == ["r-a", "r-b9"]
    assert result.kept == ["r-a", "r-b9"]
    assert store.folders("indexes") == ["i-a", "i-b"]


def test_what_was_measured_of_a_release_stays_longer_than_what_it_refers_to(store: Store) -> None:
    for name in ("a", "b", "c"):
        add_run(store, name)
    promote(store, "a", "b", "c")
    result = collect_garbage(store, keep=1, measured=1, now=tomorrow())
    assert store.folders("releases") == ["r-b", "r-c"]
    assert result.kept == ["r-c"]
    assert store.folders("indexes") == ["i-c"]


def test_a_dry_run_counts_the_same_and_deletes_nothing(store: Store) -> None:
    for run in ("one", "two"):
        add_run(store, run)
    promote(store, "two")
    before, now = names(store), tomorrow()
    sizes = sum(entry.size_bytes for entry in store.list(""))
    foreseen = collect_garbage(store, keep=1, dry_run=True, now=now)
    assert names(store) == before
    done = collect_garbage(store, keep=1, now=now)
    assert foreseen.removed == done.removed
    assert done.bytes == sizes - sum(entry.size_bytes for entry in store.list("")) > 0
    assert foreseen.lines()[0].startswith("would remove releases: 1 (2 objects, 0.0 MB)")
    assert done.as_dict()["removed"]["models"] == {"groups": 1, "objects": 2, "bytes": done.removed["models"].bytes}


def test_nothing_younger_than_the_grace_period_goes(store: Store) -> None:
    add_run(store, "one")
    before = names(store)
    result = collect_garbage(store, keep=1, now=time.time() + DAY_S - 60)
    assert (names(store), result.removed) == (before, {})
    assert result.lines() == ["nothing to remove", "kept releases: r-one"]
    collect_garbage(store, keep=1, grace_s=3600, now=time.time() + DAY_S - 60)
    assert names(store) == []


def test_a_young_run_keeps_the_old_objects_that_it_names(store: Store) -> None:
    add_run(store, "one")
    now = tomorrow()
    path = Path(store.uri) / "runs" / "one" / "embed" / "manifest.json"
    os.utime(path, (now - 60, now - 60))
    before = names(store)
    collect_garbage(store, keep=1, now=now)
    assert names(store) == before


def test_a_refused_run_can_be_accepted_after_the_weekend(store: Store) -> None:
    add_run(store, "one")
    add_run(store, "two")
    promote(store, "one")
    refused = {"refusal": "recall is .8", "finished_at": datetime.now(UTC).isoformat(timespec="seconds")}
    manifest = store.read_json("runs/two/evaluate/manifest.json") | refused
    store.put("runs/two/evaluate/manifest.json", json.dumps(manifest).encode())
    before = of_run(names(store), "two")
    collect_garbage(store, keep=1, refused_s=7 * DAY_S, now=tomorrow(3))
    assert of_run(names(store), "two") == before
    collect_garbage(store, keep=1, refused_s=7 * DAY_S, now=tomorrow(8))
    assert of_run(names(store), "two") == []


def test_a_cancelled_backfill_keeps_nothing(store: Store) -> None:
    add_run(store, "one")
    add_run(store, "b.2026-11-20")
    promote(store, "one")
    store.create_json("backfills/b/plan.json", {"steps": []})
    collect_garbage(store, keep=1, now=tomorrow())
    assert of_run(names(store), "b.2026-11-20") != []
    with pytest.raises(StageError, match="there is no backfill 'c'; there are: b"):
        plan.cancel(store, "c")
    store.put("runs/b.2026-11-20/embed/lease.json", lease(time.time()))
    with pytest.raises(StageError, match=r"embed of run 'b\.2026-11-20' is at work; end that process first"):
        plan.cancel(store, "b")
    store.delete("runs/b.2026-11-20/embed/lease.json")
    plan.cancel(store, "b")
    with pytest.raises(StageError, match="backfill 'b' was cancelled; start another"):
        plan.read_plan(store, "b")
    collect_garbage(store, keep=1, now=tomorrow())
    assert of_run(names(store), "b.2026-11-20") == []


def test_the_newest_catalogue_stays_though_no_release_has_it(store: Store) -> None:
    add_run(store, "one")
    log = Log(store, "catalogue/log")
    log.append(1, {"catalogue_id": "c-zero"})
    log.append(2, {"catalogue_id": "c-one"})
    collect_garbage(store, keep=1, now=tomorrow())
    assert names(store) == [
        "catalogue/c-one/items/00000.parquet",
        "catalogue/c-one/items/00001.parquet",
        "catalogue/log/00000001.json",
        "catalogue/log/00000002.json",
    ]


def test_unit_data_without_its_commit_goes_and_committed_data_stays(store: Store) -> None:
    add_run(store, "one")
    promote(store, "one")
    before = set(names(store)) - set(names(store, "examples"))
    now = tomorrow()
    orphans = [
        "images/8x8-q95-v1/00000000000000ee-0123456789ab.parquet",  # killed before the commit
        "images/8x8-q95-v1/00000000000000bb-0123456789ab.parquet",  # killed after another worker's commit
        "embeddings/m-one/m-one/00000000000000aa-0123456789ab.parquet",
    ]
    young = "images/8x8-q95-v1/00000000000000ff-0123456789ab.parquet"
    for name in [*orphans, young]:
        store.create(name, b"orphan")
    os.utime(Path(store.uri) / young, (now - 60, now - 60))
    result = collect_garbage(store, keep=1, now=now)
    assert set(names(store)) == before | {young}
    assert (result.removed["uncommitted"].objects, result.removed["uncommitted"].bytes) == (3, 18)


def test_data_of_damaged_keys_is_left_to_whoever_repairs_them(store: Store) -> None:
    add_run(store, "one")
    promote(store, "one")
    store.put("images/8x8-q95-v1/00000000000000bb.keys.parquet", b"damaged")
    store.create("images/8x8-q95-v1/00000000000000bb-0123456789ab.parquet", b"perhaps an orphan")
    collect_garbage(store, keep=1, now=tomorrow())
    assert len(names(store, "images")) == 3


def test_old_temporary_files_go(store: Store) -> None:
    folder = Path(store.uri) / "images"
    folder.mkdir(parents=True)
    (folder / ".tmp-old").write_bytes(b"half")
    counted = collect_garbage(store, keep=1, dry_run=True, now=tomorrow())
    assert counted.removed == {"temporaries": Swept(1, 1, 0)}
    assert (folder / ".tmp-old").exists()
    assert collect_garbage(store, keep=1, now=tomorrow()).removed["temporaries"].objects == 1
    assert list(folder.iterdir()) == []


def test_a_live_release_that_cannot_be_read_stops_everything(store: Store) -> None:
    add_run(store, "one")
    add_run(store, "two")
    promote(store, "one")
    store.delete("releases/r-one/manifest.json")
    before = names(store)
    with pytest.raises(StoreError, match="holds no release 'r-one'"):
        collect_garbage(store, keep=1, now=tomorrow())
    assert names(store) == before


def test_a_larger_keep_than_before_finds_releases_gone_and_goes_on(store: Store) -> None:
    for run in ("one", "two"):
        add_run(store, run)
    promote(store, "one", "two")
    collect_garbage(store, keep=1, now=tomorrow())
    assert collect_garbage(store, keep=5, now=tomorrow()).kept == ["r-two"]


def test_a_backfill_that_is_not_done_keeps_its_catalogues_and_its_runs(store: Store) -> None:
    names = ("old", "manual__19.123.2026-11-18", "manual__19.123.2026-11-19", "new")
    for number, name in enumerate(names, 1):
        add_run(store, name)
        Log(store, "catalogue/log").append(number, {"catalogue_id": f"c-{name}"})
    promote(store, "new")
    plan = {"steps": [{"number": 1}, {"number": None}]}
    store.create_json("backfills/manual__19.123/plan.json", plan)
    collect_garbage(store, keep=1, now=tomorrow())
    assert store.exists("catalogue/c-old/items/00000.parquet")
    assert not store.exists("runs/old/catalogue/manifest.json")
    for name in names[1:3]:
        assert store.exists(f"runs/{name}/catalogue/manifest.json")
        assert store.exists(f"indexes/i-{name}/index.json")
    store.create_json("backfills/manual__19.123/done.json", {})
    collect_garbage(store, keep=1, now=tomorrow())
    for name in names[:3]:
        assert not store.exists(f"catalogue/c-{name}/items/00000.parquet")
        assert not store.exists(f"runs/{name}/catalogue/manifest.json")
    assert store.exists("catalogue/c-new/items/00000.parquet")


def test_releases_that_people_are_judging_stay_for_as_long_as_refused_ones(store: Store) -> None:
    for run in ("one", "two", "three"):
        add_run(store, run)
    promote(store, "one")
    pair = {name: {"release_id": f"r-{run}"} for name, run in (("first", "one"), ("second", "two"))}
    parts = {"model_id": "m", "index_id": "i"}
    told = {name: one | parts for name, one in pair.items()} | {"created_at": datetime.now(UTC).isoformat()}
    store.create_json("judgements/t1/task.json", told)
    assert collect_garbage(store, keep=1, refused_s=7 * DAY_S, now=tomorrow()).kept == ["r-one", "r-two"]
    assert names(store, "indexes/i-two")
    assert collect_garbage(store, keep=1, refused_s=7 * DAY_S, now=tomorrow(9)).kept == ["r-one"]
    assert names(store, "judgements/t1") == ["judgements/t1/task.json"]


def test_a_run_stays_whose_promotion_a_gate_has_ended(store: Store) -> None:
    add_run(store, "one")
    store.delete("runs/one/promote/manifest.json")
    store.put("runs/one/promote/refused.json", b"{}")
    collect_garbage(store, keep=1, refused_s=7 * DAY_S, now=tomorrow())
    assert names(store, "indexes/i-one")
    collect_garbage(store, keep=1, refused_s=7 * DAY_S, now=tomorrow(9))
    assert names(store, "indexes/i-one") == []
