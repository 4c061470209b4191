"""A release that people judge before it goes live."""

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import GateError, WaitingError
from pipelines.promote.stage import run
from pipelines.releases.live import live_release_id
from pipelines.releases.release import read_release
from pipelines.releases.verdicts import Verdict, append_verdict, judged_beside, newest_verdict, standings
from pipelines.runs.context import RunContext
from pipelines.store import Log, Store, open_store
from tests.promote.test_stage import add_release


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def judged(context: RunContext, when: str = "always", **section: Any) -> RunContext:
    told = context.config.promote.model_copy(update={"judged": when, **section})
    config = context.config.model_copy(update={"promote": told})
    return RunContext(config, context.store, context.run_id, 4, context.progress, context.accept_reason)


def add_task(store: Store, task_id: str, first: str, second: str) -> None:
    names = {"first": first, "second": second}
    told = {
        side: {"release_id": name, "model_id": f"m-{name}", "index_id": f"i-{name}"} for side, name in names.items()
    }
    store.create_json(f"judgements/{task_id}/task.json", told | {"created_at": "2026-11-29T00:00:00+00:00"})


def decide(store: Store, task_id: str, lower: float, upper: float, **told: Any) -> bool:
    middle = (lower + upper) / 2
    values: dict[str, Any] = {"decision": "alike", "queries": 90, "judgements": 900, "raters": 3, "at": "now"} | told
    verdict = Verdict(task_id, preference=middle, lower=lower, upper=upper, margin=0.03, confidence=0.95, **values)
    return append_verdict(store, verdict)


def test_nothing_is_judged_unless_it_is_told_so(store: Store) -> None:
    run(add_release(store, "r1"))
    run(add_release(store, "r2"))
    assert live_release_id(store) == "r2"


def test_the_first_release_waits_for_nobody(store: Store) -> None:
    run(judged(add_release(store, "r1")))
    assert live_release_id(store) == "r1"


def test_a_release_waits_until_people_have_decided(store: Store) -> None:
    run(add_release(store, "r1"))
    context = judged(add_release(store, "r2"))
    with pytest.raises(WaitingError, match=r"judge new --releases r1 r2` makes a task of it"):
        run(context)
    add_task(store, "t1", "r1", "r2")
    with pytest.raises(WaitingError, match=r"judge report --task t1` says how far") as error:
        run(context)
    assert "run --run-id run-r2 --from promote` goes on" in str(error.value)
    assert (error.value.stage, error.value.run_id) == ("promote", "run-r2")
    decide(store, "t1", -0.01, 0.02)
    run(context)
    assert live_release_id(store) == "r2"
    gate = Log(store, "live").entry(2)["gates"][-1]
    assert (gate["metric"], gate["value"], gate["bound"]) == ("judge.preference_lower", -0.01, -0.03)


def test_a_release_that_people_like_less_is_refused(store: Store) -> None:
    run(add_release(store, "r1"))
    context = judged(add_release(store, "r2"))
    add_task(store, "t1", "r1", "r2")
    decide(store, "t1", -0.09, -0.02)
    with pytest.raises(GateError, match=r"judge\.preference_lower = -0\.09, must be at least -0.03") as error:
        run(context)
    assert not isinstance(error.value, WaitingError)
    assert live_release_id(store) == "r1"


def test_the_bound_is_the_configs(store: Store) -> None:
    run(add_release(store, "r1"))
    add_task(store, "t1", "r1", "r2")
    decide(store, "t1", -0.09, -0.02)
    run(judged(add_release(store, "r2"), preference_lower=-0.1))
    assert live_release_id(store) == "r2"


def test_a_task_that_names_the_releases_the_other_way_round_counts_too(store: Store) -> None:
    run(add_release(store, "r1"))
    add_task(store, "t1", "r2", "r1")
    decide(store, "t1", -0.09, 0.02)
    with pytest.raises(GateError, match=r"judge\.preference_lower = -0\.02, must be at least 0\.01"):
        run(judged(add_release(store, "r2"), preference_lower=0.01))
    run(judged(add_release(store, "r2")))
    assert live_release_id(store) == "r2"


def test_a_persons_reason_passes(store: Store) -> None:
    run(add_release(store, "r1"))
    context = judged(add_release(store, "r2"))
    run(RunContext(context.config, store, context.run_id, 4, context.progress, "nobody is there to judge"))
    assert Log(store, "live").entry(2)["reason"] == "nobody is there to judge"


def test_of_the_same_model_people_are_not_asked_again(store: Store) -> None:
    """r2 has another index of the live model, r3 and r4 another model: that of r3 was judged, and r4's is the same."""
    run(add_release(store, "r1"))
    run(judged(add_release(store, "r2", model="m-r1"), "new_model"))
    assert live_release_id(store) == "r2"
    with pytest.raises(WaitingError):
        run(judged(add_release(store, "r3"), "new_model"))
    add_task(store, "t1", "r1", "r3")
    decide(store, "t1", 0.01, 0.05)
    with pytest.raises(WaitingError, match="beside the live release r2"):
        run(judged(add_release(store, "r4", model="m-r3")))
    run(judged(add_release(store, "r4", model="m-r3"), "new_model"))
    assert live_release_id(store) == "r4"


def test_a_day_with_nothing_new_is_not_judged(store: Store) -> None:
    run(add_release(store, "r1"))
    run(judged(add_release(store, "r2", model="m-r1", index="i-r1")))
    assert live_release_id(store) == "r2"


def test_the_newest_verdict_counts_and_the_same_is_not_kept_twice(store: Store) -> None:
    for name in ("r1", "r2"):
        add_release(store, name)
    add_task(store, "t1", "r1", "r2")
    assert decide(store, "t1", -0.02, 0.02)
    assert not decide(store, "t1", -0.02, 0.02)
    assert decide(store, "t1", 0.01, 0.02, decision="second", queries=120)
    add_task(store, "t2", "r1", "r2")
    verdict = newest_verdict(store, "t1")
    assert verdict is not None
    assert (verdict.decision, verdict.lower) == ("second", 0.01)
    assert [one.task_id for one in standings(store)] == ["t1", "t2"]
    found = judged_beside(store, read_release(store, "r2"), read_release(store, "r1"))
    assert found is not None
    assert found.task_id == "t1"  # what is decided goes before what is asked
