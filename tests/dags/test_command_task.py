"""What a task makes of a command: its last line, its exit code, its reason, its end."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.dags.conftest import Program, states

SLEEPER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
open(sys.argv[-1], "w").write(str(child.pid))
time.sleep(600)
"""


def events() -> list[Any]:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return [(e.asset.name, e.extra.get("run_id")) for e in session.scalars(select(AssetEvent))]


def test_a_day_is_seven_commands_of_one_run(dags: dict[str, Any], program: Program) -> None:
    before = len(events())
    run = dags["visual_search_daily"].test()
    stages = ["catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote"]
    assert states(run) == dict.fromkeys(stages, "success")
    (run_id,) = {asked[4] for asked in program.asked}
    assert program.asked == [[stage, "--config", "/shops/a shop.toml", "--run-id", run_id] for stage in stages]
    assert run_id.startswith("daily-manual__")
    results = {ti.task_id: ti for ti in run.get_task_instances()}
    line = results["embed"].xcom_pull(task_ids="embed")
    assert (line["counts"], line["seconds"], line["stage"]) == ({"in": 3}, 1.5, "embed")
    link = results["evaluate"].xcom_pull(task_ids="evaluate", key="_link_ReportLink")
    assert link == "https://storage.cloud.google.com/b/releases/x/report.html"
    assert events()[before:] == [("visual_search_release", "r")]


def test_a_feed_keeps_the_model(dags: dict[str, Any], program: Program) -> None:
    run = dags["visual_search_delta"].test()
    assert set(states(run).values()) == {"success"}
    asked = {one[0]: one[3:] for one in program.asked}
    run_id = asked["embed"][1]
    assert run_id.startswith("delta-manual__")
    assert asked["train"] == ["--run-id", run_id, "--policy", "reuse"]
    assert asked["promote"] == ["--run-id", run_id]


def test_a_gate_that_says_no_is_skipped_and_so_is_what_follows(dags: dict[str, Any], program: Program) -> None:
    before = len(events())
    program.ends(evaluate=("refused: recall.candidates_at_10 is .8, the floor .9", 3))
    run = dags["visual_search_daily"].test()
    found = states(run)
    assert (found["index"], found["evaluate"], found["promote"]) == ("success", "skipped", "skipped")
    assert str(run.state) == "success"
    assert program.asked[-1][0] == "evaluate"
    assert events()[before:] == []


def test_a_failure_stops_what_follows(dags: dict[str, Any], program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    for task in dags["visual_search_daily"].tasks:  # `test` would wait for the next attempt
        monkeypatch.setattr(task, "retries", 0)
    program.ends(preprocess=("no space left on the device", 1))
    run = dags["visual_search_daily"].test()
    found = states(run)
    assert (found["catalogue"], found["preprocess"], found["train"]) == ("success", "failed", "upstream_failed")
    assert str(run.state) == "failed"


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        (1, "AirflowException", "exit code 1: no space left"),
        (2, "AirflowFailException", "no space left"),  # which is not tried again
        (3, "AirflowSkipException", "no space left"),
    ],
)
def test_the_exit_code_decides(program: Program, code: int, error: str, text: str) -> None:
    from airflow.sdk import exceptions
    from command_task import CommandTask

    program.ends(embed=("no space left", code))
    command = os.environ["AIRFLOW_VAR_VISUAL_SEARCH_COMMAND"]
    task = CommandTask(task_id="embed", arguments=["embed"], program=command, config="c.toml")
    with pytest.raises(getattr(exceptions, error), match=f"^{text}$"):
        task.execute({})


def test_what_a_person_types_is_an_argument_and_never_a_command(dags: dict[str, Any], program: Program) -> None:
    reason = 'the "colours"; $(touch /tmp/x) `id` {{ 1 }} --to y ='
    run = dags["visual_search_rollback"].test(run_conf={"reason": reason})
    assert states(run) == {"rollback": "success"}
    run = dags["visual_search_rollback"].test(run_conf={"reason": "worse", "release": "20261122T114929Z-5681d8860201"})
    assert states(run) == {"rollback": "success"}
    head = ["rollback", "--config", "/shops/a shop.toml", "--reason"]
    assert program.asked == [[*head, reason], [*head, "worse", "--to", "20261122T114929Z-5681d8860201"]]


def test_housekeeping_calls_gc_with_its_grace(dags: dict[str, Any], program: Program) -> None:
    assert states(dags["visual_search_housekeeping"].test(run_conf={"grace_hours": 12})) == {"gc": "success"}
    assert program.asked == [["gc", "--config", "/shops/a shop.toml", "--grace", "12"]]


def test_a_task_that_is_killed_ends_all_that_it_started(tmp_path: Path) -> None:
    from command_task import CommandTask

    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER)
    task = CommandTask(
        task_id="t", arguments=["embed"], program=f"{sys.executable} {script}", config=str(tmp_path / "pid")
    )
    code: list[int] = []
    thread = threading.Thread(
        target=lambda: code.append(task._run([sys.executable, str(script), str(tmp_path / "pid")])[2])
    )
    thread.start()
    until = time.monotonic() + 30
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
    child = int((tmp_path / "pid").read_text())
    task.on_kill()
    thread.join(30)
    assert code == [-signal.SIGTERM]
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(child, 0)
            if Path(f"/proc/{child}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                raise ProcessLookupError
            time.sleep(0.05)
