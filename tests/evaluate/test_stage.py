from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest

from pipelines.errors import StageError
from pipelines.evaluate.stage import run
from pipelines.evaluate.vocabulary import check_documented
from pipelines.releases import publish as release
from pipelines.releases.release import Release, check_parts
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import read_manifest
from pipelines.runs.outputs import IndexOutputs
from pipelines.runs.sequence import run_stage
from pipelines.store import Log, parquet
from pipelines.tables.taxonomy import read_taxonomy
from tests.evaluate.conftest import ENTRY, Fake, fake_serve, open_run, write_run

Start = Callable[..., RunContext]
Write = Callable[..., None]


def metrics_of(context: RunContext, manifest: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = context.store.read_json(f"releases/{manifest['outputs']['release_id']}/metrics.json")
    return found


def brute_force(fake: Any) -> dict[str, float]:
    """Work the same measures out on plain arrays: held-out catalogue photos, everything compared with everything."""
    asked = [photo for photo in {photo.digest: photo for photo in fake.photos}.values() if photo.split == "test"]
    galleries = {
        "p_at_10": [photo for photo in fake.photos if photo.split != "test"],
        "cold_p_at_10": fake.photos,
        "cold_only_p_at_10": [photo for photo in fake.photos if photo.split == "test"],
    }
    return {"count": len(asked)} | {name: mean_precision(asked, gallery) for name, gallery in galleries.items()}


def mean_precision(asked: list[Any], gallery: list[Any]) -> float:
    """Return precision at 10 by leaf, each query's own photo left out."""
    vectors = np.stack([photo.vector for photo in gallery]).astype(np.float16).astype(np.float32)
    precisions = []
    for query in asked:
        order = [n for n in np.argsort(-(vectors @ query.vector), kind="stable") if gallery[n].digest != query.digest]
        precisions.append(np.mean([gallery[n].item % 5 == query.item % 5 for n in order[:10]]))
    return float(np.mean(precisions))


@pytest.fixture
def measured(start: Start, write: Write, fake: type[Any]) -> tuple[RunContext, dict[str, Any], Any]:
    context, world = start(), fake(noise=2.2)
    write(context, world)
    return context, run_stage(context, "evaluate", run), world


def test_a_run_is_measured_and_released(measured: tuple[RunContext, dict[str, Any], Any]) -> None:
    context, done, world = measured
    metrics, expected = metrics_of(context, done), brute_force(world)
    assert done["counts"] == {
        "in": expected["count"],
        "ok": expected["count"],
        "skipped": 0,
        "rejected": 0,
        "queries": expected["count"],
    }
    assert done["outputs"]["blessed"] is True
    assert done["refusal"] is None
    check_documented(metrics)
    # The index is small enough to be exact, and the exact index must agree with the judge.
    assert metrics["recall.exact_at_10"] == metrics["recall.exact_at_100"] == 1.0
    assert metrics["gallery.coverage"] == 1.0
    assert metrics["gallery.photos"] == len({photo.digest for photo in world.photos})
    assert metrics["gallery.results"] == world.items
    assert 0.3 < expected["p_at_10"] < 0.99  # a case that tells right from wrong
    assert metrics["retrieval.cold_p_at_10"] == pytest.approx(expected["cold_p_at_10"], abs=0.03)
    assert metrics["retrieval.cold_only_p_at_10"] == pytest.approx(expected["cold_only_p_at_10"], abs=0.03)
    assert not [name for name in metrics if "same_item" in name]  # no item has a second photo
    # Of five leaves the fake model takes one for another.
    assert metrics["retrieval.leaf_baseline_p_at_10"] == pytest.approx(0.8, abs=0.03)
    # The pictures' colours are drawn at random.
    assert metrics["histogram.found_at_10"] < 0.5 < metrics["histogram.release_found_at_10"]
    assert metrics["retrieval.exact_p_at_10"] == pytest.approx(expected["p_at_10"], abs=0.005)
    # The fake model takes belts for totes: one leaf of five.
    assert metrics["category.leaf_top1"] == pytest.approx(0.8, abs=0.03)
    assert metrics["category.l1_top1"] == 1.0
    assert metrics["parity.embedding"] < 1e-3
    assert metrics["parity.itself_first"] == 1.0
    assert (metrics["plan.scanned_share"], metrics["plan.true_leaf_scanned"]) == (1.0, 1.0)
    assert metrics["ledger.embed_in"] == 3.0

    name = f"releases/{done['outputs']['release_id']}"
    manifest = context.store.read_json(f"{name}/manifest.json")
    assert manifest["parent"] is None
    assert manifest["catalogue_id"] == "cat-1"
    assert manifest["positions"] == {"snapshot": "2026-01-01"}
    assert manifest["model"]["space_id"] == "space-a"
    for part in (*manifest["model"]["objects"], *manifest["index"]["objects"]):
        assert hashlib.sha256(context.store.read(part["uri"])).hexdigest() == part["sha256"]
    assert [gate["note"] for gate in manifest["gates"]][
        1
    ] == "no release was live then, so there was none to compare with"

    page = context.store.read(f"{name}/report.html").decode()
    assert "Title &lt;" in page
    assert "Title <" not in page
    assert page.count("data:image/jpeg;base64,") > 20
    assert not re.search(r'(?:src|href)="(?!data:)', page)  # self-contained
    for value in ("recall.plan_at_10", "blessed", "bad_image 1", "First release".lower()):
        assert value in page


def test_a_gate_refuses_but_keeps_the_release(start: Start, write: Write, fake: type[Any]) -> None:
    context = start(evaluate={"queries": 40, "floors": {"category.leaf_top1": 0.95}, "margins": {}, "examples": 3})
    write(context, fake())
    done = run_stage(context, "evaluate", run)
    assert done["outputs"]["blessed"] is False
    assert re.fullmatch(
        r"the release is not blessed: category\.leaf_top1 = 0\.\d+, must be at least 0\.95 \(evaluate\.floors\)",
        done["refusal"],
    )
    name = f"releases/{done['outputs']['release_id']}"
    assert context.store.read_json(f"{name}/manifest.json")["blessed"] is False
    assert "not blessed" in context.store.read(f"{name}/report.html").decode()
    assert done["counts"]["queries"] == 40


def test_a_rerun_after_a_kill_adopts_the_release_of_the_run(
    start: Start, write: Write, fake: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = start(evaluate={"queries": 20, "examples": 3})
    write(context, fake())

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(release, "publish", killed)
        with pytest.raises(KeyboardInterrupt):
            run(context)
    assert not list(context.store.list("releases"))  # nothing half-written is visible
    kept = release.kept(context.store, context.prefix("evaluate"))
    first, second = run(context), run(context)
    assert kept is not None
    assert first == second
    assert first.outputs.release_id == kept["release_id"]
    assert context.store.folders("releases") == [kept["release_id"]]


def test_the_live_release_is_the_baseline(start: Start, write: Write, fake: type[Any]) -> None:
    first = start("run-1", evaluate={"queries": 50, "examples": 3})
    write(first, fake())
    live = run_stage(first, "evaluate", run)["outputs"]["release_id"]
    Log(first.store, "live").append(1, {"release_id": live, "action": "promote", "run_id": "run-1"})

    second = start("run-2", evaluate={"queries": 50, "examples": 3, "margins": {"retrieval.p_at_10": 0.05}})
    world = fake(items=220)
    world.photos = [photo for photo in world.photos if photo.item >= 10]
    write(second, world, catalogue_id="cat-2")
    done = run_stage(second, "evaluate", run)
    metrics = metrics_of(second, done)
    assert metrics["drift.items_new"] == pytest.approx(20 / 210)
    assert metrics["drift.items_removed"] == pytest.approx(10 / 200)
    assert metrics["drift.found_new"] == pytest.approx(20 / 210)
    assert metrics["drift.found_removed"] == pytest.approx(10 / 200)
    assert 0 < metrics["drift.centroid"] < 0.05
    assert metrics["drift.query"] == pytest.approx(0, abs=1e-6)
    assert 0.5 < metrics["drift.overlap_at_10"] < 1
    manifest = second.store.read_json(f"releases/{done['outputs']['release_id']}/manifest.json")
    assert manifest["parent"] == live
    (gate,) = [gate for gate in manifest["gates"] if gate["rule"] == "margin"]
    assert gate["paired"]
    assert gate["bound"] == -0.05
    assert "queries of both" in gate["note"]
    kept = parquet.decoded(second.store.read(f"releases/{done['outputs']['release_id']}/queries.parquet"))
    assert kept.num_rows == metrics["queries.count"]
    assert pc.mean(kept["retrieval.p_at_10"]).as_py() == pytest.approx(metrics["retrieval.p_at_10"], abs=0.01)
    page = second.store.read(f"releases/{done['outputs']['release_id']}/report.html").decode()
    assert "What has moved since the live release?" in page
    assert "points against live" in page


def day(folder: Path, run_id: str, world: Any, **settings: Any) -> tuple[RunContext, Any]:
    """Measure the run of a day."""
    context = open_run(folder, run_id, evaluate={"queries": 50, "examples": 3, "floors": {}, "margins": {}, **settings})
    write_run(context, world, catalogue_id=f"cat-{world.price}{world.tint}")
    return context, run_stage(context, "evaluate", run)


@pytest.fixture(scope="module")
def first_days(tmp_path_factory: pytest.TempPathFactory) -> dict[bool, Path]:
    """By whether its release is blessed, a store whose first run is live."""
    folders = {blessed: tmp_path_factory.mktemp("day") for blessed in (True, False)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.models.query_model.serve", fake_serve)
        for blessed, folder in folders.items():
            context, done = day(folder, "run-1", Fake(), floors={} if blessed else {"category.leaf_top1": 0.95})
            entry = {"release_id": done["outputs"]["release_id"], "action": "promote", "run_id": "run-1"}
            Log(context.store, "live").append(1, entry)
    return folders


class MeasuredError(BaseException):
    """Stands for a measurement."""


def not_measured(*_: Any) -> None:
    raise MeasuredError


@pytest.mark.parametrize(("days", "leaf", "level", "unknown"), [(89, 0.8, 0.75, 0.0), (90, 0.6, 0.5, 0.2)])
def test_a_category_that_no_item_has_had_for_long_is_named_no_more(
    start: Start, write: Write, fake: type[Any], days: int, leaf: float, level: float, unknown: float
) -> None:
    """The fake model takes belts for totes, and has no second choice."""
    context = start()
    write(context, fake())
    slots = read_taxonomy(context.store)
    totes = {"leaf": slots["leaves"]["bags > totes"], "level:1": slots["levels"][1]["bags > totes"]}
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    absent = {"level:0": {}, **{kind: {str(slot): begin.isoformat()} for kind, slot in totes.items()}}
    entry = {"at": (begin + timedelta(days=days)).isoformat(), "absent": absent}
    context.store.put(ENTRY, json.dumps(entry).encode())
    metrics = metrics_of(context, run_stage(context, "evaluate", run))
    assert metrics["category.leaf_top1"] == pytest.approx(leaf, abs=0.03)
    assert metrics["category.l2_top1"] == pytest.approx(level, abs=0.03)
    assert metrics["category.unknown"] == pytest.approx(unknown, abs=0.03)


def test_where_nothing_is_new_the_numbers_of_the_live_release_are_taken(
    first_days: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first_days[True], tmp_path, dirs_exist_ok=True)
    first = open_run(tmp_path, "run-1")
    live = read_manifest(first.store, "run-1", "evaluate")
    assert live is not None
    monkeypatch.setattr("pipelines.evaluate.candidate.measure", not_measured)
    second, done = day(tmp_path, "run-2", Fake())
    assert done["outputs"]["release_id"] != live["outputs"]["release_id"]
    assert done["counts"] == live["counts"]
    assert done["outputs"]["blessed"] is True
    assert (live["taken_from"], done["taken_from"]) == ("", "run-1")
    assert "nothing is new since" in done["notes"][0]
    here, there = (f"releases/{one['outputs']['release_id']}" for one in (done, live))
    assert second.store.read_json(f"{here}/manifest.json")["run_id"] == "run-2"
    measured = first.store.read_json(f"{there}/manifest.json")
    manifest = second.store.read_json(f"{here}/manifest.json")
    assert manifest["measured_for"] == measured["release_id"]
    assert manifest["measured_at"] == measured["created_at"]
    page, before = (second.store.read(f"{name}/report.html").decode() for name in (here, there))
    assert f"<title>Release {manifest['release_id']}, measured as {measured['release_id']}</title>" in page
    assert "so they were not measured again" in page and "so they were not measured again" not in before
    assert second.store.read(f"{here}/queries.parquet") == first.store.read(f"{there}/queries.parquet")
    numbers, before = metrics_of(second, done), metrics_of(first, live)
    assert {name: value for name, value in numbers.items() if not name.startswith(("ledger.", "seconds."))} == {
        name: value for name, value in before.items() if not name.startswith(("ledger.", "seconds."))
    }


STRICT = {"floors": {"category.leaf_top1": 0.95}}
"""What no release of the fake model passes."""


def test_what_was_accepted_is_not_judged_anew_where_nothing_is_new(
    first_days: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first_days[False], tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("pipelines.evaluate.candidate.measure", not_measured)
    context, done = day(tmp_path, "run-2", Fake(), **STRICT)
    assert (done["refusal"], done["outputs"]["blessed"], done["taken_from"]) == (None, False, "run-1")
    manifest = context.store.read_json(f"releases/{done['outputs']['release_id']}/manifest.json")
    assert [gate["passed"] for gate in manifest["gates"]].count(False) == 1  # what a person accepted stays told


@pytest.mark.usefixtures("write")
def test_what_was_refused_is_refused_again_without_a_measurement_where_nothing_is_new(
    first_days: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first_days[True], tmp_path, dirs_exist_ok=True)
    context, first = day(tmp_path, "run-2", Fake(), **STRICT)
    monkeypatch.setattr("pipelines.evaluate.candidate.measure", not_measured)
    for night in ("run-3", "run-4"):
        _, again = day(tmp_path, night, Fake(), **STRICT)
        assert again["refusal"] == first["refusal"] is not None
        assert again["notes"][0] == (
            f"nothing is new since release {first['outputs']['release_id']} was measured and refused: its numbers are "
            "taken"
        )
        manifest = context.store.read_json(f"releases/{again['outputs']['release_id']}/manifest.json")
        assert (manifest["run_id"], manifest["measured_by"], manifest["blessed"]) == (night, "run-2", False)


@pytest.mark.usefixtures("write")
def test_what_was_refused_beside_another_release_is_judged_anew(
    first_days: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first_days[True], tmp_path, dirs_exist_ok=True)
    context, first = day(tmp_path, "run-2", Fake(), **STRICT)
    _, other = day(tmp_path, "run-3", Fake(tint="ish"), floors={})
    entry = {"release_id": other["outputs"]["release_id"], "action": "promote", "run_id": "run-3"}
    Log(context.store, "live").append(2, entry)
    assert first["refusal"] is not None
    monkeypatch.setattr("pipelines.evaluate.candidate.measure", not_measured)
    with pytest.raises(MeasuredError):
        day(tmp_path, "run-4", Fake(), **STRICT)


def test_settings_that_no_number_depends_on_measure_nothing_anew(
    first_days: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first_days[True], tmp_path, dirs_exist_ok=True)
    monkeypatch.setattr("pipelines.evaluate.candidate.measure", not_measured)
    section = {"queries": 50, "examples": 3, "floors": {}, "margins": {}}
    context = open_run(tmp_path, "run-2", evaluate=section, fetch={"max_age_hours": 7}, promote={"keep": 2})
    write_run(context, Fake(), catalogue_id="cat-0.0")
    assert run_stage(context, "evaluate", run)["taken_from"] == "run-1"


def test_new_prices_are_not_measured_but_their_index_is_what_is_released(
    first_days: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is another object, whose tables hold the prices; what answers is the same in both."""
    shutil.copytree(first_days[True], tmp_path, dirs_exist_ok=True)
    live = read_manifest(open_run(tmp_path, "run-1").store, "run-1", "evaluate")
    assert live is not None
    monkeypatch.setattr("pipelines.evaluate.candidate.measure", not_measured)
    context, done = day(tmp_path, "run-2", Fake(price=12.0, built=True))
    here, there = (
        context.store.read_json(f"releases/{one['outputs']['release_id']}/manifest.json") for one in (done, live)
    )
    assert here["measured_on"] == there["measured_on"]
    assert (there["catalogue_id"], here["catalogue_id"]) == ("cat-0.0", "cat-12.0")
    assert here["index"]["index_id"] == context.outputs(IndexOutputs).index_id != there["index"]["index_id"]
    assert {part["uri"].split("/")[1] for part in here["index"]["objects"]} == {here["index"]["index_id"]}
    check_parts(context.store, Release(here["release_id"], here))


@pytest.mark.parametrize("new", ["settings", "photos", "index", "attributes", "slots", "hidden"])
def test_what_is_new_is_measured(
    new: str, first_days: dict[bool, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(first_days[True], tmp_path, dirs_exist_ok=True)
    store, world = open_run(tmp_path, "run-1").store, Fake(tint="ish" if new == "attributes" else "")
    if new == "slots":
        store.create_json("taxonomy/00000002.json", {"leaves": {"gloves": 5}, "levels": [], "attributes": {}})
    if new == "hidden":  # of an item that no index holds, the index stays as it was
        world.hidden = (4711,)
    if new == "photos":
        world.photos = [replace(photo, split="train") if photo.item == 0 else photo for photo in world.photos]
    if new == "index":  # it was lost, and built again with other bytes
        (name,) = (entry.name for entry in store.list("indexes") if entry.name.endswith("/manifest.json"))
        store.put(name, store.read(name) + b"\n")
    monkeypatch.setattr("pipelines.evaluate.candidate.measure", not_measured)
    with pytest.raises(MeasuredError):
        day(tmp_path, "run-2", world, examples=4 if new == "settings" else 3)


def test_hidden_items_are_neither_queries_nor_to_be_found(start: Start, write: Write, fake: type[Any]) -> None:
    """The index was built without them, and the exact search that judges it must not expect them."""
    context, world = start(), fake(noise=2.2)
    asked = {photo.item for photo in world.photos if photo.split == "test"}
    world.hidden = (*sorted(asked)[:8], *sorted({photo.item for photo in world.photos} - asked)[:12])
    write(context, world)
    done = run_stage(context, "evaluate", run)
    metrics = metrics_of(context, done)
    shown = [photo for photo in world.photos if photo.item not in world.hidden]
    assert metrics["gallery.results"] == world.items - 20
    assert metrics["gallery.photos"] == len({photo.digest for photo in shown})
    assert metrics["recall.exact_at_10"] == metrics["recall.exact_at_100"] == 1.0
    world.photos = shown
    expected = brute_force(world)
    assert done["counts"]["queries"] == expected["count"] == len(asked) - 8
    assert metrics["retrieval.exact_p_at_10"] == pytest.approx(expected["p_at_10"], abs=0.005)
    with context.store.open(f"releases/{done['outputs']['release_id']}/queries.parquet") as file:
        digests = {*parquet.decoded(file)["digest"].to_pylist()}
    assert digests == {photo.digest for photo in shown if photo.split == "test"}


def test_a_release_is_also_judged_beside_the_best_of_the_last_ones(start: Start, write: Write, fake: type[Any]) -> None:
    """Each release loses as much as its margin allows beside the one before it."""
    margins = {"retrieval.exact_p_at_10": 0.17}
    done: dict[str, Any] = {}
    for day, noise in enumerate((3.2, 3.7, 4.2), 1):
        context = start(f"run-{day}", evaluate={"queries": 300, "examples": 3, "floors": {}, "margins": margins})
        write(context, fake(items=300, noise=noise), model_id=f"model-{day}", space_id=f"space-{day}")
        done = run_stage(context, "evaluate", run)
        entry = {"release_id": done["outputs"]["release_id"], "action": "promote", "run_id": f"run-{day}"}
        Log(context.store, "live").append(day, entry)
    gates = context.store.read_json(f"releases/{done['outputs']['release_id']}/manifest.json")["gates"]
    rules = {gate["rule"]: gate for gate in gates}
    assert rules["anchor"]["value"] < rules["margin"]["value"]
    assert "queries of both" in rules["anchor"]["note"]
    assert (rules["margin"]["passed"], rules["anchor"]["passed"]) == (True, False), gates


def test_another_space_is_compared_by_its_results(start: Start, write: Write, fake: type[Any]) -> None:
    first = start("run-1", evaluate={"queries": 30, "examples": 3})
    write(first, fake())
    live = run_stage(first, "evaluate", run)["outputs"]["release_id"]
    Log(first.store, "live").append(1, {"release_id": live, "action": "promote", "run_id": "run-1"})
    second = start("run-2", evaluate={"queries": 30, "examples": 3})
    world = fake()
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(512, 512)))[0].astype(np.float32)
    world.photos = [replace(photo, vector=photo.vector @ turn) for photo in world.photos]
    write(second, world, model_id="model-b", space_id="space-b")
    metrics = metrics_of(second, run_stage(second, "evaluate", run))
    assert "drift.centroid" not in metrics
    assert "drift.query" not in metrics
    assert metrics["drift.items_new"] == 0
    assert metrics["drift.overlap_at_10"] > 0.9  # a turned space has the same neighbours


def test_street_photos_find_their_items(start: Start, write: Write, fake: type[Any]) -> None:
    context = start(evaluate={"queries": 500, "roles": ["street"], "examples": 6})
    world = fake(street=True)
    write(context, world)
    metrics = metrics_of(context, run_stage(context, "evaluate", run))
    assert metrics["queries.cross"] == metrics["queries.count"] == 50
    assert metrics["retrieval.same_item_hit_at_1"] == 1.0
    assert metrics["retrieval.same_item_hit_at_5"] == 1.0
    assert metrics["recall.exact_at_1"] == 1.0  # the item's own photo is not left out


def test_where_the_gallery_holds_nothing_cold_nothing_cold_is_measured(
    start: Start, write: Write, fake: type[Any]
) -> None:
    context = start(evaluate={"queries": 500, "roles": ["street"], "examples": 6})
    world = fake(street=True)
    world.photos = [photo if photo.role == "street" else replace(photo, split="train") for photo in world.photos]
    write(context, world)
    metrics = metrics_of(context, run_stage(context, "evaluate", run))
    assert metrics["retrieval.same_item_hit_at_1"] == 1.0
    assert [name for name in metrics if name.startswith("retrieval.cold")] == []


def test_a_second_photo_of_an_item_is_to_be_found_the_querys_own_left_out(
    start: Start, write: Write, fake: type[Any]
) -> None:
    """The shop has two photos of one role for every other item; one of these pairs shows the very same twice."""
    context = start(evaluate={"queries": 500, "examples": 3, "roles": ["main"]})
    world = fake()
    random = np.random.default_rng(4)
    for photo in world.photos[::2]:
        near = photo.vector + 0.01 * random.normal(size=len(photo.vector)).astype(np.float32)
        vector = photo.vector if photo.item == 0 else near / np.linalg.norm(near)
        world.photos.append(replace(photo, pixels=f"second-{photo.item}", vector=vector))
    write(context, world)
    metrics = metrics_of(context, run_stage(context, "evaluate", run))
    assert metrics["retrieval.cold_same_item_hit_at_1"] == 1.0
    assert "retrieval.same_item_hit_at_1" not in metrics  # no photo of another role
    release = context.store.folders("releases")[0]
    kept = parquet.decoded(context.store.read(f"releases/{release}/queries.parquet"))
    asked = {photo.digest: photo for photo in world.photos}
    told = {asked[row["digest"]].item: row["retrieval.cold_same_item_hit_at_1"] for row in kept.to_pylist()}
    assert {item % 2 for item, hit in told.items() if hit is not None} == {0}
    assert told[0] is None  # its other photo is a copy, and would be too easy


def test_without_held_out_photos_quality_is_not_measured(start: Start, write: Write, fake: type[Any]) -> None:
    context = start(evaluate={"queries": 30, "examples": 3, "margins": {"retrieval.p_at_10": 0.05}})
    world = fake()
    world.photos = [replace(photo, split="train") for photo in world.photos]
    write(context, world)
    done = run_stage(context, "evaluate", run)
    metrics = metrics_of(context, done)
    assert metrics["queries.held_out"] == 0
    assert not [name for name in metrics if name.startswith(("retrieval.", "category.", "leaf."))]
    assert metrics["recall.plan_at_10"] > 0.5
    (note,) = [note for note in done["notes"] if "name their split in the feed (catalogue.columns.split)" in note]
    page = context.store.read(f"releases/{done['outputs']['release_id']}/report.html").decode()
    assert f'<p class="warning">{html.escape(note[0].upper() + note[1:], quote=True)}</p>' in page
    assert "nowrap" not in re.search(r"\.warning {[^}]*}", page)[0]


def test_queries_without_a_vector_are_rejected_in_the_ledger(
    start: Start, write: Write, fake: type[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = start(evaluate={"queries": 1000, "examples": 3})
    world = fake(street=True)
    write(context, world)
    # Two street photos were rejected by embed: their rows of the resolved table say so.
    from pipelines.evaluate.sources import Sources

    lost = {photo.digest for photo in world.photos if photo.role == "street"}
    lost = set(sorted(lost)[:2])
    stored = Sources.stored_vectors

    def without(sources: Sources, bucket: int) -> Any:
        table = stored(sources, bucket)
        codes = ["not_finite" if digest in lost else "" for digest in table["digest"].to_pylist()]
        return table.set_column(table.column_names.index("code"), "code", [codes])

    monkeypatch.setattr(Sources, "stored_vectors", without)
    done = run_stage(context, "evaluate", run)
    assert done["rejects"] == {"no_vector": 2}
    assert done["counts"]["in"] == done["counts"]["ok"] + 2


def test_a_gate_that_is_no_metric_is_an_error_before_any_work(start: Start) -> None:
    context = start(evaluate={"floors": {"recall.hnws_at_10": 0.9}})
    with pytest.raises(
        StageError, match=r"evaluate\.floors or evaluate\.margins: there is no metric 'recall\.hnws_at_10'"
    ):
        run(context)


def test_roles_that_no_photo_has_are_an_error(start: Start, write: Write, fake: type[Any]) -> None:
    context = start(evaluate={"roles": ["selfie"]})
    write(context, fake(items=40))
    with pytest.raises(StageError, match=r"no prepared photo of evaluate\.roles = \['selfie'\]"):
        run(context)


def test_metrics_are_plain_numbers(measured: tuple[RunContext, dict[str, Any], Any]) -> None:
    context, done, _ = measured
    text = context.store.read(f"releases/{done['outputs']['release_id']}/metrics.json").decode()
    values = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert all(isinstance(value, float) for value in values.values())


def test_the_leaves_that_a_plan_misses_are_counted(start: Start, write: Write, fake: type[Any]) -> None:
    context = start(search={"categories": 1, "category_mass": 0.5})
    write(context, fake())
    metrics = metrics_of(context, run_stage(context, "evaluate", run))
    # The fake model takes belts for totes, and one leaf of five is scanned: a fifth of the codes, but never the belts.
    assert metrics["plan.scanned_share"] == pytest.approx(0.2, abs=0.01)
    assert metrics["plan.true_leaf_scanned"] == pytest.approx(0.8, abs=0.03)
