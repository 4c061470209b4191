"""While the newest runs are refused, status says so first, and what passes them."""

import io
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from pipelines.cli import main
from pipelines.status.held import held_lines
from pipelines.status.status import collect_status
from pipelines.status.terminal import render
from pipelines.store import Log, Store, open_store
from tests.status.test_status import GATE, NOW, add_live, add_stage

BESIDE = {
    "metric": "recall.candidates_at_10",
    "rule": "margin",
    "value": -0.0238,
    "bound": -0.02,
    "passed": False,
    "note": "from 0.998 to 0.9837 (-0.0143) beside release r1, live then, on 63 queries of both",
    "paired": True,
    "least": True,
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def refuse(store: Store, run_id: str, at: str) -> None:
    """Leave what a run leaves whose release a gate has refused."""
    add_stage(store, run_id, "catalogue", at, counts={"in": 30, "ok": 30, "items": 30})
    outputs = {"release_id": f"of-{run_id}"}
    add_stage(store, run_id, "evaluate", at, refusal="the release is not blessed: recall", outputs=outputs)
    best = BESIDE | {"rule": "anchor", "value": -0.04}
    release = {"release_id": f"of-{run_id}", "gates": [GATE, BESIDE, best], "blessed": False}
    store.create_json(f"releases/of-{run_id}/manifest.json", release)


def lines(store: Store, *, sample: bool = False) -> list[str]:
    held = collect_status(store, runs=1, now=NOW).held
    return [] if held is None else list(held_lines(held, "c.toml", sample=sample))


def test_the_newest_feed_is_not_live_since_the_first_refusal_after_the_last_promotion(store: Store) -> None:
    add_live(store)
    refuse(store, "r0", "2026-11-21T08:00:00+00:00")  # before what is live
    assert lines(store) == []
    for hour, run_id in ((10, "r2"), (11, "r3")):
        refuse(store, run_id, f"2026-11-21T{hour}:00:00+00:00")
    first, why, meaning, look, accept = lines(store)
    assert first == "NOT LIVE the newest feed, since 2026-11-21 10:00 UTC: 2 runs were refused, the last r3 in evaluate"
    assert why == (
        "why      recall.candidates_at_10: from 0.998 to 0.9837 (-0.0143) beside release r1, live then, on 63 queries "
        "of both; -0.0238 at worst (95 %), must be at least -0.02"
    )
    assert meaning.startswith("why        (of the true best 10 results of the whole gallery, those among the first 10")
    assert look == f"look     {store.uri}/releases/of-r3/report.html"
    assert accept.startswith("accept   ")
    assert accept.endswith("visual-search promote --config c.toml --run-id r3 --accept 'REASON'")
    assert lines(store, sample=True)[-1].endswith("--run-id r3 --limit 30 --accept 'REASON'")


def test_a_model_that_was_hardly_trained_is_the_first_reason(store: Store) -> None:
    add_live(store)
    refuse(store, "r2", "2026-11-21T10:00:00+00:00")
    release = store.read_json("releases/of-r2/manifest.json") | {"model": {"model_id": "m2"}}
    store.delete("releases/of-r2/manifest.json")
    store.create_json("releases/of-r2/manifest.json", release)
    before = lines(store)
    metrics = {"train.photos": 6144, "train.steps": 24, "train.seen": 3072, "train.seconds": 240.0}
    store.create_json("models/m2/model.json", {"metrics": metrics})
    first, why, *rest = lines(store)
    assert why.startswith("why      the model has learned for only 24 steps, 3,072 photos seen, less than once each: ")
    assert [first, *rest] == before


def test_a_run_that_went_live_since_has_nothing_to_tell(store: Store) -> None:
    add_live(store)
    refuse(store, "r2", "2026-11-21T10:00:00+00:00")
    entry = Log(store, "live").entry(1)
    Log(store, "live").append(2, entry | {"release_id": "of-r2", "at": "2026-11-21T10:30:00+00:00"})
    assert lines(store) == []
    refuse(store, "r3", "2026-11-21T11:00:00+00:00")
    assert lines(store)[0].endswith("since 2026-11-21 11:00 UTC: 1 run was refused, r3 in evaluate")


@pytest.mark.parametrize("stage", ["catalogue", "preprocess"])
def test_a_feed_that_was_refused_is_told_with_the_command_that_takes_it(store: Store, stage: str) -> None:
    add_live(store)
    told = {
        "refusal": "the snapshot removes 5 of 10 items\n  Shoes: 5 of 10",
        "passes": stage,
        "at": "2026-11-21T10:00:00+00:00",
    }
    store.create_json(f"runs/r2/{stage}/refused.json", told)
    assert collect_status(store, now=NOW).runs[0].stages[0].state == "refused"
    first, *why, accept = lines(store)
    assert first.endswith(f"1 run was refused, r2 in {stage}")
    assert why == ["why      the snapshot removes 5 of 10 items", "why      Shoes: 5 of 10"]
    assert accept.endswith("visual-search run --config c.toml --run-id r2 --accept 'REASON'")


def test_where_no_reason_passes_it_a_new_run_does(store: Store) -> None:
    add_live(store)
    told = {"refusal": "it would bring back what has changed", "passes": "", "at": "2026-11-21T10:00:00+00:00"}
    store.create_json("runs/r2/promote/refused.json", told)
    assert lines(store)[-1].endswith("visual-search run --config c.toml")


def test_a_run_that_stopped_is_told_and_one_at_work_or_of_the_past_is_not(store: Store) -> None:
    add_live(store)
    add_stage(store, "20261121T100000Z", "catalogue", "2026-11-21T10:00:00+00:00")
    store.create_json("runs/20261121T100000Z/preprocess/plan.json", {})
    first, again = lines(store)
    assert first.endswith("1 run did not end, 20261121T100000Z in preprocess")
    assert "visual-search run --config c.toml --run-id 20261121T100000Z   #" in again
    refuse(store, "b.2026-11-20", "2026-11-21T11:00:00+00:00")
    store.create_json("backfills/b/plan.json", {})
    assert lines(store)[0] == first
    lease = {"host": "elsewhere", "pid": 77, "process_started": None, "heartbeat": NOW - 5}
    store.create_json("runs/r3/catalogue/lease.json", lease)
    assert lines(store)[0] == first


def test_status_of_a_store_whose_first_run_was_refused_advises_no_other(store: Store) -> None:
    refuse(store, "r2", "2026-11-21T10:00:00+00:00")
    out = io.StringIO()
    render(collect_status(store, now=NOW), "c.toml", Console(file=out, width=160))
    assert "live     nothing was promoted yet: run r2 was refused in evaluate\n" in out.getvalue()
    assert "does all stages" not in out.getvalue()


def test_status_says_it_first_and_last(store: Store, tmp_path: Path) -> None:
    add_live(store)
    refuse(store, "r2", "2026-11-21T10:00:00+00:00")
    config = tmp_path / "c.toml"
    columns = '{ item_id = "id", photos = "photo", category = "path" }'
    config.write_text(f'store.uri = "store"\n[catalogue]\nsnapshot = "f.csv"\ncolumns = {columns}\n')
    told = CliRunner().invoke(main, ["status", "--config", str(config)]).stdout.splitlines()
    assert told[0].startswith("NOT LIVE the newest feed")
    assert told[-1].startswith("accept   ")
    assert told[:5] == told[-5:]
