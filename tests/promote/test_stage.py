"""Promote and rollback: what may become live, and what the log says of it."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelines.cli import main
from pipelines.config import Config
from pipelines.errors import GateError, StageError
from pipelines.promote import stage
from pipelines.promote.stage import rollback, run
from pipelines.releases.live import live_release_id
from pipelines.releases.release import BrokenReleaseError
from pipelines.runs.context import Overrides, RunContext
from pipelines.runs.outputs import PromoteOutputs
from pipelines.runs.sequence import run_stage
from pipelines.store import Log, Store, open_store
from pipelines.telemetry.progress import Progress


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def add_release(store: Store, name: str, position: str = "2026-01-01", **changes: Any) -> RunContext:
    """Put a release and the run that made it into the store; return the context to promote it."""
    for part in (f"models/m-{name}/model.json", f"indexes/i-{name}/index.json", "catalogue/c/items/00000.parquet"):
        store.create(part, b"part")
    gate = {
        "metric": "recall.plan_at_10",
        "rule": "floor",
        "value": 0.95,
        "bound": 0.9,
        "passed": True,
        "note": "floors",
    }
    manifest = {
        "release_id": name, "run_id": f"run-{name}", "model": f"m-{name}", "index": f"i-{name}", "catalogue_id": "c",
        "positions": {"snapshot": position}, "gates": [gate], "blessed": True,
    }  # fmt: skip
    store.create_json(f"releases/{name}/manifest.json", manifest | changes)
    outputs = {"release_id": name, "blessed": True}
    store.create_json(f"runs/run-{name}/evaluate/manifest.json", {"outputs": outputs})
    return make_context(store, f"run-{name}")


def make_context(store: Store, run_id: str, accept_reason: str | None = None) -> RunContext:
    columns = {"item_id": "id", "photos": "photo", "category": "path"}
    config = Config.model_validate(
        {"store": {"uri": store.uri}, "catalogue": {"snapshot": "feed.csv", "columns": columns}}
    )
    return RunContext(config, store, run_id, 4, Progress(quiet=True), accept_reason)


def log_of(store: Store) -> list[tuple[str, str, str | None]]:
    return [(e["action"], e["release_id"], e["previous"]) for _, e in Log(store, "live").entries()]


def test_the_first_release_becomes_live_with_all_that_is_to_be_known(store: Store) -> None:
    context = add_release(store, "r1")
    result = run(context)
    assert result.outputs == PromoteOutputs("r1", 1)
    assert result.ledger.counts() == {"in": 1, "ok": 1, "skipped": 0, "rejected": 0}
    entry = Log(store, "live").entry(1)
    assert (entry["release_id"], entry["action"], entry["previous"]) == ("r1", "promote", None)
    assert (entry["run_id"], entry["reason"], entry["positions"]) == ("run-r1", None, {"snapshot": "2026-01-01"})
    assert entry["config_digest"] == context.config.fingerprint()
    assert entry["gates"][0]["metric"] == "recall.plan_at_10"


def test_promoting_what_is_live_is_no_second_entry(store: Store) -> None:
    context = add_release(store, "r1")
    run(context)
    again = run(context)
    assert again.outputs == PromoteOutputs("r1", 1)
    assert again.ledger.counts() == {"in": 1, "ok": 0, "skipped": 1, "rejected": 0}
    assert again.notes == ["r1 was live already"]
    assert len(log_of(store)) == 1


def test_a_rerun_after_a_kill_does_not_undo_a_rollback(store: Store) -> None:
    run(add_release(store, "r1"))
    second = add_release(store, "r2")
    run(second)
    rollback(store, reason="shoes look like bags")
    assert run(second).outputs == PromoteOutputs("r2", 2)
    assert live_release_id(store) == "r1"


def test_an_unblessed_release_is_refused_with_its_gates(store: Store) -> None:
    failed = {"metric": "recall.plan_at_10", "rule": "floor", "value": 0.7, "bound": 0.9, "passed": False, "note": "n"}
    context = add_release(store, "r1", blessed=False, gates=[failed])
    with pytest.raises(GateError) as caught:
        run_stage(context, "promote", run)
    assert str(caught.value) == (
        "release r1 is not blessed: recall.plan_at_10 = 0.7, bound 0.9 (n). "
        "Mend it, or promote it all the same with --accept 'REASON'"
    )
    assert log_of(store) == []
    accepted = make_context(store, "run-r1", "the gate measures last year's queries")
    manifest = run_stage(accepted, "promote", run)
    assert manifest["outputs"]["live"] == 1
    entry = Log(store, "live").entry(1)
    assert (entry["blessed"], entry["reason"]) == (False, "the gate measures last year's queries")


def test_a_day_with_nothing_new_since_a_release_was_accepted_needs_no_other_reason(store: Store) -> None:
    add_release(store, "r1", blessed=False)
    run(make_context(store, "run-r1", "the photos are new"))
    same = add_release(store, "r2", blessed=False, measured_by="run-r1")
    assert run(same).outputs == PromoteOutputs("r2", 2)
    entry = Log(store, "live").entry(2)
    assert (entry["blessed"], entry["reason"]) == (False, "the photos are new")
    run(add_release(store, "r3"))
    with pytest.raises(GateError, match="release r4 is not blessed"):  # another is live meanwhile
        run(add_release(store, "r4", blessed=False, measured_by="run-r1"))


@pytest.mark.parametrize(("held", "allowed"), [(3, True), (4, True), (2, False), (0, False)])
def test_a_release_of_an_earlier_catalogue_than_the_live_one_is_refused(store: Store, held: int, allowed: bool) -> None:
    run(add_release(store, "r1", catalogue_number=3))
    context = add_release(store, "r2", catalogue_number=held)
    if allowed:
        assert run(context).outputs.live == 2
        return
    with pytest.raises(GateError) as caught:
        run(context)
    assert str(caught.value) == (
        f"the live release r1 has catalogue 3 of the catalogue's log, release r2 only {held}: it would bring back what "
        "has changed since. Start a new run"
    )
    assert log_of(store) == [("promote", "r1", None)]


@pytest.mark.parametrize("feed", ["snapshot", "deltas"])
def test_how_far_feeds_were_read_by_their_dates_and_names_orders_nothing(store: Store, feed: str) -> None:
    run(add_release(store, "r1", positions={feed: "2099-01-01"}, catalogue_number=3))  # one row was mistyped
    assert run(add_release(store, "r2", positions={feed: "2026-11-28"}, catalogue_number=4)).outputs.live == 2


def test_a_reason_does_not_make_an_old_release_newer(store: Store) -> None:
    run(add_release(store, "r1", catalogue_number=2))
    add_release(store, "r2", catalogue_number=1)
    with pytest.raises(GateError, match="r1 has catalogue 2 of the catalogue's log, release r2 only 1"):
        run(make_context(store, "run-r2", "I want it"))


def test_a_release_whose_parts_are_gone_is_not_promoted(store: Store) -> None:
    context = add_release(store, "r1")
    store.delete("indexes/i-r1/index.json")
    with pytest.raises(BrokenReleaseError, match=r"release r1 needs .*/indexes/i-r1, which is gone"):
        run(context)
    assert log_of(store) == []


def test_promote_before_evaluate(store: Store) -> None:
    with pytest.raises(StageError, match="run 'r' has no finished evaluate stage"):
        run(make_context(store, "r"))


def test_a_lost_race_reads_the_log_again(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = add_release(store, "r1", catalogue_number=1), add_release(store, "r2", catalogue_number=2)
    append, calls = stage.append, []

    def overtaken(*arguments: Any) -> bool:
        if not calls:
            calls.append("overtaken")
            monkeypatch.setattr(stage, "append", append)
            run(second)
        return append(*arguments)

    monkeypatch.setattr(stage, "append", overtaken)
    with pytest.raises(GateError, match="live release r2 has catalogue 2 of the catalogue's log, release r1 only 1"):
        run(first)
    assert log_of(store) == [("promote", "r2", None)]


def test_eight_promotions_at_once_leave_a_log_without_gaps(store: Store) -> None:
    contexts = [add_release(store, f"r{i}") for i in range(8)]
    threads = [threading.Thread(target=run, args=(context,)) for context in contexts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    entries = log_of(store)
    assert sorted(release for _, release, _ in entries) == [f"r{i}" for i in range(8)]
    assert [previous for _, _, previous in entries] == [None, *(release for _, release, _ in entries[:-1])]


def promoted(store: Store, *names: str) -> None:
    for day, name in enumerate(names, 1):
        run(add_release(store, name, f"2026-01-{day:02}"))


def test_rolling_back_twice_goes_further_back(store: Store) -> None:
    promoted(store, "r1", "r2", "r3")
    entry = rollback(store, reason="bags are gone")
    assert (entry["release_id"], entry["previous"], entry["reason"]) == ("r2", "r3", "bags are gone")
    assert rollback(store, reason="shoes too")["release_id"] == "r1"
    with pytest.raises(StageError, match="r1 has no release before it; nothing to roll back to"):
        rollback(store, reason="all of it")
    assert [action for action, _, _ in log_of(store)] == ["promote"] * 3 + ["rollback"] * 2
    assert Log(store, "live").entry(4)["config_digest"] == Log(store, "live").entry(2)["config_digest"]


def test_after_a_rollback_a_new_release_goes_live_and_a_rollback_skips_the_bad_one(store: Store) -> None:
    promoted(store, "r1", "r2")
    rollback(store, reason="bad")
    run(add_release(store, "r3", "2026-01-03"))
    assert rollback(store, reason="bad too")["release_id"] == "r1"


def test_rollback_to_a_release_by_its_name(store: Store) -> None:
    promoted(store, "r1", "r2", "r3")
    assert rollback(store, reason="far", to="r1")["release_id"] == "r1"
    assert rollback(store, reason="it was good after all", to="r3")["previous"] == "r1"
    with pytest.raises(StageError, match="r3 is live already"):
        rollback(store, reason="again", to="r3")
    add_release(store, "r9")
    with pytest.raises(StageError, match=r"'r9' was never live, .*; choose one of r1, r2"):
        rollback(store, reason="?", to="r9")


def test_rollback_of_nothing_and_without_a_reason(store: Store) -> None:
    with pytest.raises(StageError, match="nothing was ever promoted"):
        rollback(store, reason="?")
    with pytest.raises(StageError, match="a rollback needs a reason; say why with --reason"):
        rollback(store, reason=" ")


def test_rollback_to_what_gc_has_removed(store: Store) -> None:
    promoted(store, "r1", "r2")
    store.delete("models/m-r1/model.json")
    with pytest.raises(BrokenReleaseError, match=r"release r1 needs .*/models/m-r1, which is gone"):
        rollback(store, reason="bad")
    assert live_release_id(store) == "r2"


def test_a_rollback_passes_over_days_with_nothing_new(store: Store) -> None:
    """They answer as the live release does, so nobody would see that anything was rolled back."""
    promoted(store, "r1", "r2")
    same = {"model": "m-r2", "index": "i-r2", "measured_by": "run-r2"}
    run(add_release(store, "r3", **same))
    run(add_release(store, "r4", **same))
    assert rollback(store, reason="bags are gone")["release_id"] == "r1"
    with pytest.raises(StageError, match="r1 has no release before it; nothing to roll back to"):
        rollback(store, reason="all of it")
    assert rollback(store, reason="that very one", to="r3")["release_id"] == "r3"


def test_nothing_but_days_with_nothing_new_is_nothing_to_return_to(store: Store) -> None:
    promoted(store, "r1")
    run(add_release(store, "r2", model="m-r1", index="i-r1", measured_by="run-r1"))
    with pytest.raises(StageError, match="r2 has no release before it, but for 1 with the same model and index"):
        rollback(store, reason="bags are gone")


def test_only_what_can_be_live_again_is_offered(store: Store) -> None:
    """Of r1 nothing is left, of r2 what was measured; neither can be named either."""
    promoted(store, "r1", "r2", "r3", "r4")
    store.delete("releases/r1/manifest.json")
    store.delete("indexes/i-r2/index.json")
    for gone in ("r1", "r2"):
        with pytest.raises(StageError, match=f"'{gone}' cannot be live again, .*; choose one of r3$"):
            rollback(store, reason="bad", to=gone)
    with pytest.raises(StageError, match=r"'nope' was never live, .*; choose one of r3$"):
        rollback(store, reason="bad", to="nope")
    store.delete("releases/r3/manifest.json")
    with pytest.raises(StageError, match=r"'nope' was never live, .*; there is none to go back to"):
        rollback(store, reason="bad", to="nope")


def test_the_command_says_in_one_line_what_is_live_and_what_to_do(store: Store, tmp_path: Path) -> None:
    promoted(store, "r1", "r2")
    config = tmp_path / "shop.toml"
    config.write_text(
        f'[store]\nuri = "{store.uri}"\n[catalogue]\nsnapshot = "feed.csv"\n'
        '[catalogue.columns]\nitem_id = "id"\nphotos = "photo"\ncategory = "path"\n'
    )
    done = CliRunner().invoke(main, ["rollback", "-c", str(config), "--reason", "bags are gone"])
    assert done.exit_code == 0
    assert done.stderr.startswith(
        "rollback: r1 is live again, instead of r2. The next run that passes its gates goes live"
    )
    printed = json.loads(done.stdout)
    assert (printed["release_id"], printed["previous"], printed["reason"]) == ("r1", "r2", "bags are gone")
    assert len(done.stdout) < 1000


def test_what_has_an_earlier_catalogue_than_the_live_one_is_refused_though_no_feed_tells(store: Store) -> None:
    run(add_release(store, "sold-out", catalogue_number=3))
    with pytest.raises(GateError, match="has catalogue 3 of the catalogue's log, release slow only 2"):
        run(add_release(store, "slow", catalogue_number=2))
    assert live_release_id(store) == "sold-out"
    forced = replace(add_release(store, "forced", catalogue_number=1), overrides=Overrides(force_reason="a mistake"))
    run(forced)
    assert Log(store, "live").head()[1]["reason"] == "a mistake"


def test_a_backfill_takes_back_no_model_that_went_live_meanwhile(store: Store) -> None:
    run(add_release(store, "r1"))
    mine = replace(add_release(store, "mine"), overrides=Overrides(live_model="m-r1"))
    run(add_release(store, "r2"))
    with pytest.raises(GateError, match="model m-r2 went live meanwhile"):
        run(mine)
    beside = replace(add_release(store, "beside"), overrides=Overrides(live_model="m-r2"))
    run(beside)
    assert live_release_id(store) == "beside"
