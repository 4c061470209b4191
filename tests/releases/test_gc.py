"""Garbage collection: a store with every kind of object is scanned before, between and after."""

import json
import os
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.backfill import schedule
from pipelines.errors import StageError
from pipelines.releases.gc import Swept, collect_garbage
from pipelines.runs import pins
from pipelines.runs.owner import Owner
from pipelines.store import Log, Store, StoreError, UnitTable, open_store
from pipelines.store.folder import FolderStore

DAY_S = 24 * 3600.0


class KilledError(Exception):
    """Stands for a SIGKILL between two deletions."""


class FragileStore(FolderStore):
    """A store whose process is killed at a deletion."""

    deletions_left = 10**9

    def delete(self, name: str) -> None:
        if not self.deletions_left:
            raise KilledError
        self.deletions_left -= 1
        super().delete(name)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def tomorrow(days: float = 2.0) -> float:
    """Return a `now` at which everything that the test wrote is old."""
    return time.time() + days * DAY_S


def add_unit(store: Store, prefix: str, unit_id: str) -> None:
    keys = pa.table({"key": ["k"], "code": [""], "row": pa.array([0], pa.int32())})
    UnitTable(store, prefix).commit(unit_id, keys, pa.table({"value": [1]}))


def add_run(store: Store, name: str, prep_id: str = "8x8-q95-v1", **release: object) -> None:
    """Put everything into the store that one run of all stages leaves there."""
    for bucket in range(2):
        store.create(f"catalogue/c-{name}/items/{bucket:05}.parquet", b"items")
        store.create(f"runs/{name}/preprocess/photos/{bucket:05}.parquet", b"photos")
    store.create(f"examples/{name}/Split-train/0.gz", b"examples")
    store.create_json(f"models/m-{name}/model.json", {"model_id": f"m-{name}", "prep_id": prep_id})
    store.create(f"models/m-{name}/saved_model/saved_model.pb", b"graph")
    store.create_json(f"models/by-key/key-{name}.json", {"model_id": f"m-{name}"})
    add_unit(store, f"embeddings/m-{name}/m-{name}", "00000000000000aa")
    store.create(f"indexes/i-{name}/index.json", b"{}")
    store.create(f"indexes/i-{name}/vectors.npy", b"vectors")
    if not UnitTable(store, f"images/{prep_id}").has("00000000000000bb"):
        add_unit(store, f"images/{prep_id}", "00000000000000bb")
    identities = {"model": f"m-{name}", "index": f"i-{name}", "catalogue_id": f"c-{name}"}
    manifest = {"release_id": f"r-{name}", "run_id": name, "blessed": True, "positions": {}, **identities, **release}
    store.create_json(f"releases/r-{name}/manifest.json", manifest)
    store.create(f"releases/r-{name}/report.html", b"<html>")
    outputs = {
        "catalogue": {"catalogue_id": f"c-{name}"}, "preprocess": {"prep_id": prep_id},
        "train": {"model_id": f"m-{name}", "space_id": f"m-{name}"}, "embed": {"space_id": f"m-{name}"},
        "index": {"index_id": f"i-{name}"}, "evaluate": {"release_id": f"r-{name}"}, "promote": {},
    }  # fmt: skip
    for stage, values in outputs.items():
        store.create_json(f"runs/{name}/{stage}/manifest.json", {"stage": stage, "outputs": values})


def promote(store: Store, *names: str) -> None:
    log = Log(store, "live")
    for name in names:
        number, _ = log.head()
        log.append(number + 1, {"release_id": f"r-{name}", "action": "promote", "run_id": name, "positions": {}})


def add_permanent(store: Store) -> list[str]:
    before = set(names(store))
    for name in ("format.json", "taxonomy/1.json", "sources/00000000000000cc-000000000000.parquet"):
        store.create(name, b"{}")
    add_unit(store, "splits", "00000000000000dd")
    return sorted(set(names(store)) - before)


def names(store: Store, prefix: str = "") -> list[str]:
    return sorted(entry.name for entry in store.list(prefix))


def of_run(all_names: list[str], run: str) -> list[str]:
    marks = (f"c-{run}/", f"runs/{run}/", f"examples/{run}/", f"m-{run}/", f"key-{run}.json", f"i-{run}/", f"r-{run}/")
    return [name for name in all_names if any(mark in name for mark in marks)]


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


def lease(now: float, **changes: object) -> bytes:
    held = replace(Owner.new(), namespace="pid:[1]").as_dict() | {"since": now, "heartbeat": now, **changes}
    return json.dumps(held).encode()


def test_a_running_stage_keeps_its_run_and_nothing_else_of_its_kind(store: Store) -> None:
    add_run(store, "one")
    add_run(store, "two")
    now = tomorrow()
    store.create("runs/two/train/checkpoint", b"")
    store.put("runs/two/train/lease.json", lease(now))
    before = names(store)
    result = collect_garbage(store, keep=1, now=now)
    assert set(of_run(before, "two")) <= set(names(store))
    assert of_run(names(store), "one") == []
    assert result.removed["models"].groups == 1


def test_what_a_running_stage_has_pinned_stays(store: Store) -> None:
    add_run(store, "one")
    now = tomorrow()
    store.put("runs/two/index/lease.json", lease(now))
    pins.pin(store, "indexes/i-one", "two", "index")
    collect_garbage(store, keep=1, grace_s=0, now=now)
    assert of_run(names(store, "indexes"), "one") == ["indexes/i-one/index.json", "indexes/i-one/vectors.npy"]
    assert names(store, "models") == []
    store.delete("runs/two/index/lease.json")  # it ended, and no manifest names the index
    collect_garbage(store, keep=1, grace_s=0, now=now)
    assert names(store) == []


def test_what_a_stage_had_pinned_that_ended_during_the_collection_stays(store: Store) -> None:
    now = tomorrow()
    pins.pin(store, "indexes/i-one", "two", "index")
    for ended, free in ((now - 60, True), (now + 60, False)):
        at = datetime.fromtimestamp(ended, UTC).isoformat(timespec="seconds")
        store.put("runs/two/index/manifest.json", json.dumps({"finished_at": at}).encode())
        assert pins.claim(store, "indexes/i-one", now, now + 90) is free


def test_whoever_wants_what_is_being_removed_waits_until_it_is_gone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pins, "POLL_S", 0.01)
    store.put("gc/lease.json", lease(time.time()))
    assert pins.claim(store, "indexes/i-one", time.time(), time.time())
    timer = threading.Timer(0.2, lambda: pins.release(store, "indexes/i-one"))
    began = time.monotonic()
    timer.start()
    pins.pin(store, "indexes/i-one", "two", "index")
    assert time.monotonic() - began >= 0.2
    timer.join()
    monkeypatch.setattr(pins, "WAIT_S", 0.0)
    assert pins.claim(store, "indexes/i-two", time.time(), time.time())
    with pytest.raises(StageError, match="`gc` has been removing indexes/i-two for 0 s; end it, and run again"):
        pins.pin(store, "indexes/i-two", "two", "index")
    store.put("gc/lease.json", lease(0))  # that collection was killed
    pins.pin(store, "indexes/i-two", "two", "index")


def test_without_any_grace_what_running_stages_write_stays(store: Store) -> None:
    add_run(store, "old")
    add_run(store, "new")
    for entry in [*store.list("runs/new"), *store.list("releases/r-new")]:
        store.delete(entry.name)
    began = tomorrow()
    written = of_run(names(store), "new")
    for name in written:  # committed, and no manifest names it yet
        os.utime(Path(store.uri) / name, (began + 60, began + 60))
    store.put("runs/new/index/lease.json", lease(began + 120, since=began))
    collect_garbage(store, keep=1, grace_s=0, now=began + 120)
    assert set(written) <= set(names(store))
    assert of_run(names(store), "old") == []


def test_without_any_grace_data_that_waits_for_its_commit_stays(store: Store) -> None:
    add_run(store, "one")
    promote(store, "one")
    data = "images/8x8-q95-v1/00000000000000ee-0123456789ab.parquet"  # of a job whose launcher is gone, perhaps
    store.create(data, b"data")
    (Path(store.uri) / "images" / ".tmp-half").write_bytes(b"half")
    collect_garbage(store, keep=1, grace_s=0)
    assert data in names(store)
    assert (Path(store.uri) / "images" / ".tmp-half").exists()


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
        schedule.cancel(store, "c")
    store.put("runs/b.2026-11-20/embed/lease.json", lease(time.time()))
    with pytest.raises(StageError, match=r"embed of run 'b\.2026-11-20' is at work; end that process first"):
        schedule.cancel(store, "b")
    store.delete("runs/b.2026-11-20/embed/lease.json")
    schedule.cancel(store, "b")
    with pytest.raises(StageError, match="backfill 'b' was cancelled; start another"):
        schedule.read_plan(store, "b")
    collect_garbage(store, keep=1, now=tomorrow())
    assert of_run(names(store), "b.2026-11-20") == []


def test_two_collections_do_not_run_at_once(store: Store) -> None:
    store.put("gc/lease.json", lease(time.time()))
    with pytest.raises(StageError, match=r"gc is being done by process .*; wait for it"):
        collect_garbage(store, keep=1)


@pytest.mark.parametrize("dead", [{"heartbeat": 0}, Owner.new().as_dict() | {"pid": 2**22 + 1}])
def test_a_dead_lease_keeps_nothing(store: Store, dead: dict[str, object]) -> None:
    add_run(store, "two")
    now = tomorrow()
    store.put("runs/two/train/lease.json", lease(now, **dead))
    collect_garbage(store, keep=1, now=now)
    assert names(store) == []


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


def whole(store: Store) -> None:
    """Check that whatever a reader may start from leads to objects that are there."""
    found = set(names(store))
    for name in found:
        if name.startswith("releases/") and name.endswith("manifest.json"):
            run = store.read_json(name)["run_id"]
            needed = {
                f"models/m-{run}/model.json",
                f"indexes/i-{run}/index.json",
                f"catalogue/c-{run}/items/00000.parquet",
            }
            assert needed <= found
        if name.endswith(".keys.parquet"):
            prefix, _, file = name.rpartition("/")
            UnitTable(store, prefix).verify(file.removesuffix(".keys.parquet"))
        if name.startswith("models/") and name.endswith("model.json"):
            assert name.replace("model.json", "saved_model/saved_model.pb") in found
        if name.startswith("models/by-key"):
            assert f"models/{store.read_json(name)['model_id']}/model.json" in found
        if name.endswith("index.json"):
            assert name.replace("index.json", "vectors.npy") in found
        if name.startswith("runs/") and name.endswith("promote/manifest.json"):
            assert name.replace("promote", "catalogue") in found


def test_a_kill_at_any_deletion_leaves_nothing_half_deleted_in_sight(tmp_path: Path) -> None:
    store = FragileStore(tmp_path / "store")
    for run in ("one", "two"):
        add_run(store, run, prep_id=f"{len(run)}x8-q95-v{len(run) + (run == 'two')}")
    promote(store, "two")
    kept, now, kills = {n for n in of_run(names(store), "two") if not n.startswith("examples/")}, tomorrow(), 0
    while True:
        store.deletions_left = 1
        try:
            collect_garbage(store, keep=1, now=now)
            break
        except KilledError:
            kills += 1
            (Path(store.uri) / "gc" / "lease.json").unlink(missing_ok=True)  # its process is gone
        whole(store)
        assert kept <= set(names(store))
    assert kills >= 20
    assert set(names(store)) == kept | {"live/00000001.json", *names(store, "images/3x8-q95-v4")}


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
