"""The DAG in which people judge: what it asks, how it waits without a worker, and what it promotes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.dags.conftest import Program, states

CONFIG = ["--config", "/shops/a shop.toml"]
TASK = {"task": "t1", "waits": "run-9"}


def report(decision: str, queries: int = 10) -> dict[str, Any]:
    return {"task": "t1", "decision": decision, "queries": queries, "queries_of_task": 200}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits is woken at once."""
    monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_JUDGE_MINUTES", "0.001")


def run(dags: dict[str, Any], **params: Any) -> Any:
    return dags["visual_search_judge"].test(run_conf=params or None)


def test_a_release_is_judged_and_promoted(dags: dict[str, Any], program: Program, launcher: str) -> None:
    program.says(**{"judge new": TASK, "judge report": report("second")})
    assert states(run(dags)) == {"prepare": "success", "verdict": "success", "promote": "success"}
    assert program.asked == [
        ["judge", "new", *CONFIG, "--once"],
        ["judge", "report", *CONFIG, "--json", "--task", "t1"],
        ["promote", *CONFIG, "--run-id", "run-9"],
    ]


def test_it_waits_without_a_worker_until_people_have_decided(dags: dict[str, Any], program: Program) -> None:
    program.says(**{"judge new": TASK, "judge report": [report("go on"), report("go on", 90), report("alike", 140)]})
    found = run(dags)
    assert states(found)["verdict"] == "success"
    assert [one[:2] for one in program.asked].count(["judge", "report"]) == 3
    verdict = next(ti for ti in found.get_task_instances() if ti.task_id == "verdict")
    assert verdict.xcom_pull(task_ids="verdict")["decision"] == "alike"


def test_what_says_to_go_on_is_deferred(dags: dict[str, Any], program: Program) -> None:
    from airflow.providers.standard.triggers.temporal import TimeDeltaTrigger
    from airflow.sdk.exceptions import TaskDeferred

    program.says(**{"judge report": report("go on")})
    task = dags["visual_search_judge"].task_dict["verdict"]
    task = task.prepare_for_execution()
    task.launcher, task.program, task.config = "local", program.command, "c.toml"
    task.options, task.days, task.minutes = {"--task": "t1"}, "14", "30"
    with pytest.raises(TaskDeferred) as deferred:
        task.execute({"dag_run": SimpleNamespace(run_type="manual", start_date=None)})
    assert isinstance(deferred.value.trigger, TimeDeltaTrigger)
    assert deferred.value.method_name == "execute"


def test_people_who_never_decide_fail_the_task(
    dags: dict[str, Any], program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for task in dags["visual_search_judge"].tasks:
        monkeypatch.setattr(task, "retries", 0)
    program.says(**{"judge new": TASK, "judge report": report("go on")})
    found = states(run(dags, days=0))
    assert (found["verdict"], found["promote"]) == ("failed", "upstream_failed")


def test_what_is_live_already_is_not_promoted(dags: dict[str, Any], program: Program) -> None:
    program.says(**{"judge new": {**TASK, "waits": ""}, "judge report": report("second")})
    assert states(run(dags)) == {"prepare": "success", "verdict": "success", "promote": "skipped"}
    assert [one[0] for one in program.asked] == ["judge", "judge"]


def test_where_nothing_is_to_be_judged_all_is_skipped(dags: dict[str, Any], program: Program) -> None:
    program.ends(**{"judge new": ("refused: there is nothing to judge", 3)})
    assert set(states(run(dags)).values()) == {"skipped"}


def test_a_promotion_that_waits_for_people_is_skipped(dags: dict[str, Any], program: Program) -> None:
    program.ends(promote=("waiting: release r2 waits for people's verdict", 4))
    found = dags["visual_search_daily"].test()
    assert (states(found)["evaluate"], states(found)["promote"]) == ("success", "skipped")


def test_how_many_queries_may_be_told(dags: dict[str, Any], program: Program) -> None:
    program.says(**{"judge new": TASK, "judge report": report("first")})
    run(dags, queries=30)
    assert program.asked[0] == ["judge", "new", *CONFIG, "--once", "--queries", "30"]
