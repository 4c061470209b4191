"""Seconds and bytes from what the store's own runs took."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipelines.backfill.days import Day
from pipelines.backfill.forecast import price
from pipelines.config import TrainSection
from pipelines.forecast.experience import Experience, Sample, experience, training_seconds, weights
from pipelines.forecast.todo import ToDo
from pipelines.store import Store, UnitTable, open_store

DAY = Day("2026-11-18", 1, "c", 50, 1000)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def add_run(
    store: Store, run_id: str, photos: int, work: int, seconds: dict[str, float], *, taken_from: str = "", **train: Any
) -> None:
    counts = {
        "preprocess": {"in": photos, "prepared": work}, "train": {"in": 0}, "embed": {"in": photos, "inferred": work},
        "index": {"in": photos, "built": int(work > 0)},
    }  # fmt: skip
    outputs = {"preprocess": {"catalogue_id": f"c-{run_id}"}, "index": {"model_id": "m"}, "train": train}
    for stage, took in seconds.items():
        manifest = {"counts": counts[stage], "seconds": took, "finished_at": f"2026-11-18T00:00:0{run_id}+00:00"}
        manifest |= {"outputs": outputs.get(stage, {}), "taken_from": taken_from}
        store.create_json(f"runs/{run_id}/{stage}/manifest.json", manifest)


def test_runs_with_and_without_work_tell_its_price_from_that_of_the_start() -> None:
    samples = [Sample(1000, work, 2.0 + 0.003 * 1000 + 0.01 * work) for work in (0, 100, 1000, 500)]
    samples += [Sample(2000, work, 2.0 + 0.003 * 2000 + 0.01 * work) for work in (0, 700)]
    found = Experience({"embed": samples}, frozenset(), None)
    assert found.seconds("embed", 4000, 0) == pytest.approx(14.0)
    assert found.seconds("embed", 4000, 4000) == pytest.approx(54.0)
    assert found.seconds("index", 4000, 4000) == 0.0  # it never ran


def test_what_a_request_took_is_told_from_what_a_photo_did() -> None:
    took = [
        Sample(1000, work, 5.0 + 0.02 * work + 0.01 * asked, asked) for work, asked in ((1000, 0), (20, 980), (0, 0))
    ]
    found = Experience({"preprocess": took}, frozenset(), None)
    assert found.seconds("preprocess", 1000, 0, 1000) == pytest.approx(15.0)
    assert found.seconds("preprocess", 1000, 0) == pytest.approx(5.0)
    assert (found.tells_of_asking(9800), found.tells_of_asking(9801)) == (True, False)
    assert not Experience({"preprocess": took[:1]}, frozenset(), None).tells_of_asking(1)


def test_of_one_run_alone_the_work_has_it_all() -> None:
    found = Experience({"embed": [Sample(1000, 1000, 20.0)]}, frozenset(), None)
    assert found.seconds("embed", 1000, 500) == pytest.approx(10.0)
    assert found.seconds("embed", 1000, 0) == 0.0


def test_experience_is_that_of_the_runs(store: Store) -> None:
    add_run(
        store, "1", 1000, 1000, {"preprocess": 12.0, "train": 300.0, "embed": 22.0, "index": 5.0}, decision="trained"
    )
    add_run(store, "2", 1000, 0, {"preprocess": 2.0, "train": 0.1, "embed": 2.0, "index": 1.0}, decision="reused")
    add_run(store, "3", 1000, 0, {"preprocess": 1.0, "train": 0.1, "embed": 0.1, "index": 0.1}, taken_from="2")
    found = experience(store)  # the third took what the second had done
    assert found.trained_s == 300.0
    assert found.indexed == {("c-1", "m"), ("c-2", "m"), ("c-3", "m")}
    assert found.seconds("embed", 1000, 500) == pytest.approx(12.0)
    assert found.seconds("index", 1000, 1000) == pytest.approx(5.0)
    assert found.seconds("train", 1000, 0) == pytest.approx(0.1)


def test_what_share_of_new_addresses_showed_new_photos_is_that_of_the_newest_run_that_fetched(store: Store) -> None:
    for number, (fetched, prepared, inferred) in enumerate([(100, 100, 100), (60, 48, 0), (0, 0, 0)], 1):
        at = {"seconds": 1.0, "finished_at": f"2026-11-18T00:00:0{number}+00:00"}
        counts = {"in": 100, "fetched": fetched, "prepared": prepared}
        outputs = {"outputs": {"catalogue_id": "c"}}
        store.create_json(f"runs/{number}/preprocess/manifest.json", {"counts": counts, **outputs, **at})
        store.create_json(f"runs/{number}/embed/manifest.json", {"counts": {"inferred": inferred}, "outputs": {}, **at})
    found = experience(store)
    assert (found.prepared_share, found.inferred_share) == (0.8, 0.0)


def test_a_day_is_priced_by_the_stages_that_it_goes_through(store: Store) -> None:
    for prefix, rows, size in (("images/32x24-q95-v1", 500, 1000), ("embeddings/s/m", 500, 1536)):
        keys = pa.table(
            {"key": [str(n) for n in range(rows)], "code": [""] * rows, "row": pa.array(range(rows), pa.int32())}
        )
        UnitTable(store, prefix).commit("0" * 16, keys, pa.table({"value": [bytes(size)] * rows}))
    store.create_json("indexes/i/index.json", {"counts": {"vectors": 100}})
    store.create("indexes/i/rows", bytes(100_000))
    weighed = weights(store, "32x24-q95-v1", "s", "i")
    assert weighed.prepared == pytest.approx(1000, rel=0.1)
    assert weighed.vector == pytest.approx(1536, rel=0.1)
    assert weights(store, "64x48-q95-v1", "s", "i").prepared == pytest.approx(4 * weighed.prepared)
    found = Experience({"preprocess": [Sample(1, 1, 0.01)], "embed": [Sample(1, 1, 0.02)]}, frozenset(), None)
    todo = ToDo(fetch=10, prepare=100, infer=200)
    one = price(DAY, todo, ("catalogue", "preprocess", "embed"), found, weighed, adopts=False)
    assert one.seconds == pytest.approx(1.0 + 4.0)
    assert one.bytes == pytest.approx(100 * weighed.prepared + 200 * weighed.vector, abs=1)
    with_index = ("catalogue", "preprocess", "embed", "index")
    built, adopted = (price(DAY, todo, with_index, found, weighed, adopts=adopts) for adopts in (False, True))
    assert built.bytes - adopted.bytes == pytest.approx(1000 * weighed.indexed, abs=1)


def test_a_training_takes_its_minutes_or_what_the_last_one_took() -> None:
    known = Experience({}, frozenset(), 17.0)
    assert training_seconds(TrainSection(minutes=3, hash_minutes=0.5), known) == 210
    assert training_seconds(TrainSection(steps=60), known) == 17.0
    assert training_seconds(TrainSection(minutes=3, hash_steps=60), known) == 17.0
    assert training_seconds(TrainSection(steps=60), Experience({}, frozenset(), None)) is None
