"""What the scheduler sees: every file a DAG, explained, on explicit intervals in UTC, and cheap to parse."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.dags.conftest import DAGS

STAGES = ["catalogue", "preprocess", "train", "embed", "index", "evaluate", "promote"]
HELPERS = set((DAGS / ".airflowignore").read_text().split())
FILES = sorted(path for path in DAGS.glob("*.py") if path.name not in HELPERS)
PARSE = """
import json, sys
import airflow.sdk
before = set(sys.modules)
import importlib
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_every_file_is_one_dag_with_its_docstring(dags: dict[str, Any]) -> None:
    assert sorted(dags) == [f"visual_search_{path.stem}" for path in FILES]
    for path in FILES:
        dag = dags[f"visual_search_{path.stem}"]
        assert dag.doc_md == ast.parse(path.read_text()).body[0].value.value  # type: ignore[attr-defined]
        assert (dag.catchup, dag.max_active_runs, list(dag.tags)) == (False, 1, ["visual-search"])


@pytest.mark.parametrize(("name", "hours"), [("daily", 24), ("housekeeping", 24), ("watch", 1)])
def test_a_schedule_has_explicit_intervals_in_utc(dags: dict[str, Any], name: str, hours: int) -> None:
    from airflow.timetables.base import TimeRestriction
    from airflow.timetables.interval import CronDataIntervalTimetable

    declared = dags[f"visual_search_{name}"].timetable
    table = CronDataIntervalTimetable(declared.expression, timezone="UTC")
    assert "utc" in str(declared.timezone).lower()
    start = dags[f"visual_search_{name}"].start_date
    first = table.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(start, None, catchup=True)
    )
    assert first is not None
    assert first.data_interval.end - first.data_interval.start == timedelta(hours=hours)


def test_the_stages_follow_each_other(dags: dict[str, Any]) -> None:
    names = re.search(
        r"^STAGES: Final = \((.*)\)$", (DAGS.parent / "pipelines/runs/stages.py").read_text(), re.MULTILINE
    )
    assert names is not None
    stages = list(ast.literal_eval(f"({names[1]})"))
    assert stages == STAGES
    for name, on_gpu in (("daily", {"train", "embed"}), ("delta", {"embed"})):
        dag = dags[f"visual_search_{name}"]
        assert [task.task_id for task in dag.topological_sort()] == stages
        assert all(dag.task_dict[a].downstream_task_ids == {b} for a, b in pairwise(stages))
        assert {task.task_id for task in dag.tasks if task.pool == "visual_search_gpu"} == on_gpu
        assert all(task.retries == 2 for task in dag.tasks)


def test_parsing_imports_nothing_of_the_pipeline() -> None:
    command = [sys.executable, "-c", PARSE, *(path.stem for path in FILES)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=DAGS)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "command_task" in loaded
    heavy = ("pipelines", "trainer", "transforms", "tensorflow", "apache_beam", "numpy", "pyarrow", "faiss", "pandas")
    heavy += ("kubernetes", "kubernetes_pod", "airflow.providers.cncf")
    assert [name for name in loaded if name.startswith(tuple(f"{one}." for one in heavy)) or name in heavy] == []


@pytest.mark.parametrize(
    "run_id", ["scheduled__2026-11-22T02:00:00+00:00", "manual__2026-11-22T13:25:19.123456+00:00_AbCd/é", "x" * 200]
)
def test_a_run_of_a_dag_names_one_run_of_the_pipeline(run_id: str) -> None:
    from command_task import run_name

    found = re.search(
        r'^RUN_ID = re.compile\(r"(.*)"\)$', (DAGS.parent / "pipelines/runs/sequence.py").read_text(), re.MULTILINE
    )
    assert found is not None
    assert re.fullmatch(found[1], run_name("visual_search_daily", run_id))
    assert run_name("visual_search_daily", run_id) != run_name("visual_search_delta", run_id)


def test_runs_whose_ids_differ_in_what_is_replaced_or_cut_are_two(dags: dict[str, Any]) -> None:
    from command_task import run_name

    long = "reprice: autumn collection of the north region, requested by the merchandising team, feed of 2026-11-"
    pairs = [(f"{long}27", f"{long}28"), ("feed 2026/11/27", "feed 2026_11_27"), ("feed_2026_11_27", "feed 2026_11_27")]
    for one, other in pairs:
        assert run_name("visual_search_delta", one) != run_name("visual_search_delta", other)
    assert run_name("visual_search_delta", "manual-1") == "delta-manual-1"


def test_a_backfill_offers_what_the_command_takes(dags: dict[str, Any]) -> None:
    names = (DAGS.parent / "pipelines/runs/stages.py").read_text()
    promotions = re.search(r"^PROMOTIONS: Final = \((.*)\)$", names, re.MULTILINE)
    assert promotions is not None
    params = dags["visual_search_backfill"].params
    assert params.get_param("promote").schema["enum"] == [None, *ast.literal_eval(f"({promotions[1]})")]
    assert params.get_param("stages").schema["items"]["enum"] == list(STAGES[:-1])


def test_what_a_form_asks_is_explained(dags: dict[str, Any]) -> None:
    asked = {dag_id: dag.params for dag_id, dag in dags.items() if dag.params}
    assert set(asked) == {f"visual_search_{name}" for name in ("backfill", "housekeeping", "judge", "rollback")}
    for params in asked.values():
        for name in params:
            param = params.get_param(name)
            assert param.schema.get("title"), name
            said = param.description or param.schema.get("description_md")
            assert said.endswith("."), name
            assert "`" not in (param.description or ""), f"{name}: only description_md may have Markdown"
            choices = param.schema.get("enum", [])
            assert all(str(choice or "null") in param.schema["values_display"] for choice in choices), name
