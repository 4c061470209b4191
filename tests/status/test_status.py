"""Status: what a store says of itself, to a person and to a script."""

import io
import json
import resource
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE
from pipelines.runs.commands import typed
from pipelines.status.status import collect_status, lateness
from pipelines.status.terminal import render
from pipelines.store import Log, Store, StoreError, initialise, open_store

NOW = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC).timestamp()
GATE = {
    "metric": "recall.plan_at_10",
    "rule": "floor",
    "value": 0.954321,
    "bound": 0.9,
    "passed": True,
    "note": "floors",
}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def add_stage(
    store: Store, run_id: str, stage: str, finished_at: str = "2026-11-21T11:00:00+00:00", **changes: object
) -> None:
    manifest = {
        "stage": stage, "run_id": run_id, "config_digest": "x", "outputs": {}, "notes": [], "refusal": None, "uri": "",
        "counts": {"in": 1005, "ok": 1000, "skipped": 2, "rejected": 3, "fetched": 998},
        "rejects": {"empty": 1, "truncated": 2},
        "seconds": 12.345, "started_at": finished_at, "finished_at": finished_at,
        "host": "box",
    }  # fmt: skip
    store.create_json(f"runs/{run_id}/{stage}/manifest.json", manifest | changes)


def add_live(store: Store, **changes: object) -> None:
    release = {"release_id": "r1", "model": {"model_id": "m1"}, "index": {"index_id": "i1"}, "catalogue_id": "c1"}
    store.create_json("releases/r1/manifest.json", release)
    store.create_json("indexes/i1/manifest.json", {"counts": {"items": 43977}})
    entry = {
        "release_id": "r1", "action": "promote", "previous": None, "at": "2026-11-21T09:00:00+00:00", "by": "ann@box",
        "run_id": "run1", "config_digest": "x", "gates": [GATE], "reason": None,
        "positions": {"snapshot": "2026-11-20"},
    }  # fmt: skip
    Log(store, "live").append(1, entry | changes)


def printed(store: Store, **options: int) -> str:
    out = io.StringIO()
    render(collect_status(store, now=NOW, **options), "c.toml", Console(file=out, width=160))
    return out.getvalue()


def test_an_empty_store(store: Store) -> None:
    status = collect_status(store, now=NOW)
    assert (status.live, status.runs, status.running) == (None, [], [])
    assert f"nothing was promoted yet; `{typed('run', 'c.toml')}` does all stages" in printed(store)


def test_how_many_items_are_hidden(store: Store) -> None:
    assert "hidden   " not in printed(store)
    initialise(store, 4)
    change(store, HIDE, ["a", "b"], "sold")
    assert collect_status(store, now=NOW).as_dict()["hidden"] == 2
    assert f"hidden   2 items, which no search finds: `{typed('hide', 'c.toml', '--list')}` names them" in printed(
        store
    )
    change(store, UNHIDE, ["a"], "")
    assert "hidden   1 item, which" in printed(store)


def test_the_live_release(store: Store) -> None:
    add_live(store)
    live = collect_status(store, now=NOW).live
    assert live is not None
    assert (live.release_id, live.number, live.age_s, live.items) == ("r1", 1, 3 * 3600, 43977)
    assert live.promoted_age_s == live.age_s
    assert (live.model_id, live.index_id, live.catalogue_id) == ("m1", "i1", "c1")
    assert live.report == f"{store.uri}/releases/r1/report.html"
    text = printed(store)
    assert "live     r1  (no. 1, promoted 3 hours ago by ann@box, run run1)" in text
    assert "43,977 items, model m1, index i1, catalogue c1" in text
    assert "gate     passed     recall.plan_at_10: 0.9543 (bound 0.9)\n" in text
    assert "feed     snapshot read up to 2026-11-20" in text


def test_numbers_that_were_measured_for_another_release_say_so(store: Store) -> None:
    add_live(store)
    assert not any(line.startswith("numbers") for line in printed(store).splitlines())
    manifest = store.read_json("releases/r1/manifest.json")
    measured = {"measured_for": "r0", "measured_at": "2026-11-20T07:42:20+00:00"}
    store.put("releases/r1/manifest.json", json.dumps(manifest | measured).encode())
    assert (
        "numbers  measured for release r0, 2026-11-20 07:42 UTC; nothing that they depend on is new since then\n"
        in printed(store)
    )


def test_gates_of_one_metric_differ_by_what_they_compare_with(store: Store) -> None:
    """Also a gate that compared nothing is no gate that was passed."""
    beside = {"metric": "recall.plan_at_10", "rule": "margin", "value": -0.001, "bound": -0.02, "passed": True,
              "note": "+0 beside release r0, live then", "paired": True, "least": True}  # fmt: skip
    best = beside | {"rule": "anchor", "note": "+0 beside release r0"}
    unasked = beside | {"metric": "retrieval.p_at_10", "value": None, "bound": None, "note": "nothing to measure it on"}
    add_live(store, gates=[GATE | {"least": True}, beside, best, unasked])
    assert [line for line in printed(store).splitlines() if line.startswith("gate")] == [
        "gate     passed     recall.plan_at_10: 0.9543 (at least 0.9), beside live then -0.001 at worst (at least "
        "-0.02), beside best -0.001 at worst (at least -0.02)",
        "gate     not asked  retrieval.p_at_10: nothing to measure it on",
    ]


def test_gates_that_had_no_live_release_to_compare_with_are_one_line_of_the_release_that_was_measured(
    store: Store,
) -> None:
    unasked = GATE | {
        "rule": "margin",
        "bound": None,
        "note": "no release was live then, so there was none to compare with",
    }
    failed = GATE | {"passed": False, "least": True, "bound": 0.99}
    add_live(store, gates=[GATE, failed, *({**unasked, "metric": f"recall.{n}"} for n in range(9))])
    manifest = store.read_json("releases/r1/manifest.json")
    store.put("releases/r1/manifest.json", json.dumps(manifest | {"measured_for": "r0", "measured_at": ""}).encode())
    assert [line for line in printed(store).splitlines() if line.startswith("gate")] == [
        "gate     FAILED     floor: recall.plan_at_10 = 0.9543, must be at least 0.99 (floors)",
        "gate     passed     recall.plan_at_10: 0.9543 (bound 0.9)",
        "gate     not asked  9 gates had no live release to compare with when release r0 was measured",
    ]
    assert len(collect_status(store, now=NOW).as_dict()["live"]["gates"]) == 11


def test_a_rollback_says_why_and_a_broken_release_what_is_wrong(store: Store) -> None:
    add_live(store, action="rollback", reason="shoes look like bags")
    store.delete("releases/r1/manifest.json")
    text = printed(store)
    assert "rolled back to 3 hours ago" in text
    assert "reason   shoes look like bags" in text
    assert "PROBLEM " in text and "holds no release 'r1'" in text


def test_what_is_late_is_what_was_not_promoted_since_whatever_was_rolled_back_to(store: Store) -> None:
    assert lateness(collect_status(store, now=NOW), 1) == "nothing was ever promoted"
    add_live(store)
    entry = Log(store, "live").entry(1)
    Log(store, "live").append(2, entry | {"action": "rollback", "at": "2026-11-21T11:30:00+00:00"})
    status = collect_status(store, now=NOW)
    assert status.live is not None
    assert (status.live.age_s, status.live.promoted_age_s) == (1800, 3 * 3600)
    assert lateness(status, 3) is None
    assert lateness(status, 2.5) == "nothing was promoted for 3.0 hours, longer than 2.5; look at the last runs"


def test_the_ledger_of_each_stage(store: Store) -> None:
    add_stage(store, "run1", "preprocess", notes=["[two] photos are odd"])
    add_stage(store, "run1", "catalogue")
    add_stage(store, "run1", "evaluate", refusal="recall.plan_at_10 = 0.7")
    run = collect_status(store, now=NOW).runs[0]
    assert [(s.stage, s.state) for s in run.stages] == [
        ("catalogue", "done"), ("preprocess", "done"), ("evaluate", "refused"),
    ]  # fmt: skip
    line = next(line for line in printed(store).splitlines() if line.startswith("preprocess"))
    assert line.split()[:7] == ["preprocess", "done", "1,005", "1,000", "2", "3", "12.3"]
    assert "  preprocess: fetched 998\n  preprocess: rejected truncated 2, empty 1\n" in printed(store)
    assert len(line) <= 80
    assert "  preprocess: [two] photos are odd\n" in printed(store)
    assert "  evaluate: refused: recall.plan_at_10 = 0.7\n" in printed(store)


def test_what_is_running_and_what_was_killed(store: Store) -> None:
    add_stage(store, "run1", "catalogue")
    lease = {"host": "elsewhere", "pid": 77, "process_started": None, "heartbeat": NOW - 5}
    store.put("runs/run1/embed/lease.json", json.dumps(lease).encode())
    store.put("runs/run2/train/lease.json", json.dumps(lease | {"heartbeat": NOW - 500}).encode())
    status = collect_status(store, now=NOW)
    assert [(run_id, stage.stage, stage.by) for run_id, stage in status.running] == [
        ("run1", "embed", "process 77 on elsewhere")
    ]
    assert [(r.run_id, r.stages[-1].state) for r in status.runs] == [("run1", "running"), ("run2", "unfinished")]
    assert "running  embed of run run1, by process 77 on elsewhere" in printed(store)


def test_the_newest_runs_come_first_and_running_ones_always(store: Store) -> None:
    for hour, run_id in ((1, "zebra"), (3, "apple"), (2, "mango")):
        add_stage(store, run_id, "catalogue", f"2026-11-21T0{hour}:00:00+00:00")
    store.create("runs/20261121T060000Z/train/checkpoint", b"")
    assert [run.run_id for run in collect_status(store, now=NOW).runs] == [
        "20261121T060000Z",
        "apple",
        "mango",
        "zebra",
    ]
    assert [run.run_id for run in collect_status(store, runs=2, now=NOW).runs] == ["20261121T060000Z", "apple"]
    assert "2 older runs are not shown; --runs N shows more" in printed(store, runs=2)
    lease = {"host": "elsewhere", "pid": 77, "process_started": None, "heartbeat": NOW}
    store.put("runs/zebra/embed/lease.json", json.dumps(lease).encode())
    assert [run.run_id for run in collect_status(store, runs=1, now=NOW).runs] == ["zebra"]


def test_the_status_is_json(store: Store) -> None:
    add_live(store)
    add_stage(store, "run1", "catalogue")
    value = json.loads(json.dumps(collect_status(store, now=NOW).as_dict()))
    assert value["live"]["gates"] == [GATE]
    assert value["runs"][0]["stages"][0]["counts"]["ok"] == 1000
    assert value["running"] == []


def test_a_damaged_manifest_is_named(store: Store) -> None:
    store.create("runs/run1/catalogue/manifest.json", b"{")
    with pytest.raises(StoreError, match=r"runs/run1/catalogue/manifest\.json is not valid JSON"):
        collect_status(store, now=NOW)


def test_it_starts_fast_and_imports_nothing_heavy(store: Store) -> None:
    add_live(store)
    for number in range(30):
        for stage in ("catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote"):
            add_stage(store, f"run{number}", stage)
    script = (
        "import sys; from pipelines.status.status import collect_status; from pipelines.status.terminal import render\n"
        "from pipelines.store import open_store\n"
        "render(collect_status(open_store(sys.argv[1])), 'c.toml')\n"
        "heavy = {'tensorflow', 'apache_beam', 'faiss', 'tfx', 'numpy.testing', 'pandas'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", script, store.uri], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 2.0  # seconds of CPU: a busy machine is not our fault
