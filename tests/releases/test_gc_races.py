"""A collection beside running stages and other collections, and one that is killed."""

import json
import os
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.errors import StageError
from pipelines.releases.gc import collect_garbage
from pipelines.runs import pins
from pipelines.runs.owner import Owner
from pipelines.store import Store, UnitTable
from pipelines.store.folder import FolderStore
from tests.releases.collected import add_run, lease, names, of_run, promote, tomorrow


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
