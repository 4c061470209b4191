"""What a task makes of a command, by either launcher: its last line, its exit code, its reason, its end."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.dags.conftest import Attempt, Heard, Program, states, task_of
from tests.servers import serving
from tests.waiting import until

SLEEPER = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with open(__file__ + ".part", "w") as file:
    file.write(str(child.pid))
os.rename(__file__ + ".part", __file__ + ".child")
time.sleep(600)
"""


def events() -> list[Any]:
    from airflow.models.asset import AssetEvent
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        return [(e.asset.name, e.extra.get("run_id")) for e in session.scalars(select(AssetEvent))]


def test_a_day_is_seven_commands_of_one_run(dags: dict[str, Any], program: Program, launcher: str) -> None:
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
    assert events()[before:] == [("visual_search_release", run_id)]


def test_a_feed_keeps_the_model(dags: dict[str, Any], program: Program) -> None:
    run = dags["visual_search_delta"].test()
    assert set(states(run).values()) == {"success"}
    asked = {one[0]: one[3:] for one in program.asked}
    run_id = asked["embed"][1]
    assert run_id.startswith("delta-manual__")
    assert asked["train"] == ["--run-id", run_id, "--policy", "reuse"]
    assert asked["promote"] == ["--run-id", run_id]


def test_a_gate_that_says_no_is_skipped_and_so_is_what_follows(
    dags: dict[str, Any], program: Program, launcher: str
) -> None:
    before = len(events())
    program.ends(evaluate=("refused: recall.candidates_at_10 is .8, the floor .9", 3))
    run = dags["visual_search_daily"].test()
    found = states(run)
    assert (found["index"], found["evaluate"], found["promote"]) == ("success", "skipped", "skipped")
    assert str(run.state) == "success"
    assert program.asked[-1][0] == "evaluate"
    assert events()[before:] == []


def test_a_failure_stops_what_follows(
    dags: dict[str, Any], program: Program, launcher: str, monkeypatch: pytest.MonkeyPatch
) -> None:
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
        (137, "AirflowException", "exit code 137: no space left"),
    ],
)
def test_the_exit_code_decides(program: Program, launcher: str, code: int, error: str, text: str) -> None:
    from airflow.sdk import exceptions

    program.ends(embed=("no space left", code))
    task, context = task_of(program, launcher)
    with pytest.raises(exceptions.AirflowException, match=f"^{text}$") as raised:
        task.execute(context)
    assert type(raised.value) is getattr(exceptions, error)


def test_what_a_command_says_is_logged_at_its_level_and_its_last_line_is_the_result(
    program: Program, launcher: str
) -> None:
    task, context = task_of(program, launcher)
    task._cached_logger = heard = Heard()
    assert task.execute(context)["counts"] == {"in": 3}
    said = [line for line in heard.lines if line[1] in {"native code writes text", "a line before the last"}]
    assert sorted(said) == [(logging.INFO, "a line before the last"), (logging.INFO, "native code writes text")]
    assert (logging.WARNING, "mind the gap") in heard.lines
    assert not [message for _, message in heard.lines if message.startswith("{")]
    program.ends(embed=("no space left", 1))
    with pytest.raises(Exception, match="exit code 1: no space left"):
        task.execute(context)
    assert (logging.ERROR, "no space left") in heard.lines


def test_a_command_without_a_result_has_failed(program: Program, launcher: str) -> None:
    task, context = task_of(program, launcher)
    task.program = f"{sys.executable} -c pass"
    with pytest.raises(Exception, match=r"^exit code 0, but no JSON object was printed"):
        task.execute(context)


def test_a_wrong_option_is_told_in_its_own_words(program: Program, launcher: str) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    task, context = task_of(program, launcher)
    usage = "import sys; print('Error: No such option: --x', file=sys.stderr); sys.exit(2)"
    program.script.write_text(usage)
    with pytest.raises(AirflowFailException, match=r"^Error: No such option: --x$"):
        task.execute(context)


def test_an_unknown_launcher_is_refused(program: Program) -> None:
    from airflow.sdk.exceptions import AirflowFailException

    task, context = task_of(program, "docker")
    text = "^the variable visual_search_launcher is 'docker'; set it to local or kubernetes$"
    with pytest.raises(AirflowFailException, match=text):
        task.execute(context)
    assert program.asked == []


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What a webhook on this machine is told."""
    told: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(500 if len(told) > 1 else 200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(HTTPServer(("127.0.0.1", 0), Handler)) as url:
        monkeypatch.setenv("AIRFLOW_VAR_VISUAL_SEARCH_WEBHOOK", f"{url}/x")
        yield told


def test_a_webhook_is_told_of_a_failure_and_of_nothing_else(
    dags: dict[str, Any], program: Program, webhook: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all(task.on_failure_callback for dag in dags.values() for task in dag.tasks)
    program.ends(gc=("a gate said no", 3))
    dags["visual_search_housekeeping"].test()
    assert webhook == []
    late = "nothing was promoted for 40.0 hours, longer than 36; look at the last runs"
    program.ends(status=(late, 1))
    run = dags["visual_search_watch"].test()
    assert program.asked[-1] == ["status", "--config", "/shops/a shop.toml", "--json", "--max-age", "36"]
    assert str(run.state) == "failed"
    (told,) = webhook
    assert told["text"] == f"visual_search_watch.is_late failed: exit code 1: {late}"
    assert (told["dag_id"], told["task_id"], told["run_id"]) == ("visual_search_watch", "is_late", run.run_id)
    dags["visual_search_watch"].test()  # a webhook that is broken changes nothing
    assert len(webhook) == 2


def test_a_backfill_by_airflow_is_refused_before_anything_is_called(program: Program) -> None:
    from airflow.sdk.exceptions import AirflowFailException
    from command_task import CommandTask

    task = CommandTask(task_id="embed", arguments=["embed"], program=sys.executable, config="c.toml")
    with pytest.raises(AirflowFailException, match="trigger the DAG visual_search_backfill"):
        task.execute({"dag_run": SimpleNamespace(run_type="backfill")})


def test_what_a_person_types_is_an_argument_and_never_a_command(
    dags: dict[str, Any], program: Program, launcher: str
) -> None:
    reason = 'the "colours"; $(touch /tmp/x) `id` {{ 1 }} --to y = $$ $(VISUAL_SEARCH_LOG_FORMAT) $HOME'
    run = dags["visual_search_rollback"].test(run_conf={"reason": reason, "release": None})
    assert states(run) == {"rollback": "success"}
    run = dags["visual_search_rollback"].test(run_conf={"reason": "worse", "release": "20261122T114929Z-5681d8860201"})
    assert states(run) == {"rollback": "success"}
    head = ["rollback", "--config", "/shops/a shop.toml", "--reason"]
    assert program.asked == [[*head, reason], [*head, "worse", "--to", "20261122T114929Z-5681d8860201"]]


def test_a_backfill_is_planned_and_then_done_under_one_name(dags: dict[str, Any], program: Program) -> None:
    before = len(events())
    days = {"start": "2026-11-18", "end": "2026-11-20"}
    run = dags["visual_search_backfill"].test(run_conf=days)
    assert states(run) == {"plan": "success", "backfill": "success"}
    plan, done = program.asked
    assert plan[3:] == [*done[3:9], "--dry-run", *done[9:]]
    assert done[5:] == ["--start", days["start"], "--end", days["end"], "--stages", "preprocess,embed,index,evaluate"]
    assert done[4].startswith("backfill-manual__")
    assert len(events()) == before + 1

    asked = {"stages": ["catalogue", "embed"], "promote": "none", "repair": True, "force": "a 'reason'; $(id)"}
    dags["visual_search_backfill"].test(run_conf=days | asked)
    options = ["--stages", "catalogue,embed", "--promote", "none", "--force", asked["force"], "--repair"]
    assert program.asked[-1][9:] == options


def test_what_promotes_nothing_updates_no_asset(dags: dict[str, Any], program: Program) -> None:
    before = len(events())
    program.says(backfill={"promoted": []})
    run = dags["visual_search_backfill"].test(run_conf={"start": "2026-11-18", "end": "2026-11-20"})
    assert set(states(run).values()) == {"success"}
    assert events()[before:] == []


def test_housekeeping_calls_gc_with_its_grace(dags: dict[str, Any], program: Program) -> None:
    assert states(dags["visual_search_housekeeping"].test(run_conf={"grace_hours": 12})) == {"gc": "success"}
    assert program.asked == [["gc", "--config", "/shops/a shop.toml", "--grace", "12"]]


def test_a_task_that_is_killed_ends_all_that_it_started(program: Program, launcher: str) -> None:
    program.script.write_text(SLEEPER)
    task, context = task_of(program, launcher)
    attempt = Attempt(task, context)
    child = Path(f"{program.script}.child")
    until(child.exists)
    pid = int(child.read_text())
    assert is_alive(pid)
    task.on_kill()
    attempt.join(30)
    assert "AirflowException" in repr(attempt.raised)  # and so no success, whatever Airflow makes of a kill
    until(lambda: not is_alive(pid))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
