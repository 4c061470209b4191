import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.judge.answers import Answers
from pipelines.judge.task import Task, read_task
from pipelines.releases.verdicts import newest_verdict
from pipelines.runs.commands import completed
from tests.judge.shop import JudgedShop


def judge(shop: JudgedShop, command: str, *arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["judge", command, "--config", str(shop.config_path), *arguments])
    assert result.exit_code == code, result.output
    return result


@pytest.fixture
def task(shop: JudgedShop) -> Task:
    told = judge(shop, "new", "--releases", "a", "b", "--queries", "5", "--from", "gallery")
    return read_task(shop.store, json.loads(told.stdout)["task"])


def answer_all(shop: JudgedShop, task: Task) -> None:
    with Answers.open(shop.config().answers) as answers:
        for rater in ("ann", "bob", "cy"):
            while question := answers.next_question(task, rater):
                answers.record(task, question.question_id, rater, "similar")


def test_a_task_is_made_and_listed(shop: JudgedShop, task: Task) -> None:
    told = judge(shop, "new", "--releases", "a", "b", "--queries", "3", "--from", "gallery", "--seed", "9")
    assert json.loads(told.stdout)["queries"] == 3
    assert "by category alone" in told.stderr
    lines = judge(shop, "list").stdout.splitlines()
    assert len(lines) == 2
    assert f"{task.task_id}  a | b  no verdict yet" in lines
    assert json.loads(judge(shop, "list", "--json").stdout.splitlines()[0])["first"]["release_id"] == "a"


def test_whoever_asks_once_is_told_of_the_task_that_is_there(shop: JudgedShop) -> None:
    shop.go_live("b")
    asked = ("new", "--from", "gallery", "--queries", "3", "--once")
    first, again = (json.loads(judge(shop, *asked).stdout) for _ in range(2))
    assert first == again
    assert (first["first"], first["second"], first["waits"]) == ("a", "b", "")


def test_a_report_keeps_its_verdict_once(shop: JudgedShop, task: Task) -> None:
    assert "go on" in judge(shop, "report").stdout
    assert newest_verdict(shop.store, task.task_id) is None
    answer_all(shop, task)
    for _ in range(2):
        told = json.loads(judge(shop, "report", "--task", task.task_id, "--json").stdout)
    verdict = newest_verdict(shop.store, task.task_id)
    assert verdict is not None
    assert told["decision"] == verdict.decision == "open"  # five queries are too few to say anything
    assert [entry.name for entry in shop.store.list(f"judgements/{task.task_id}/verdicts")] == [
        f"judgements/{task.task_id}/verdicts/00000001.json"
    ]
    assert "all was asked, and nothing is decided" in judge(shop, "list").stdout


def test_a_sheet_goes_out_and_comes_back(shop: JudgedShop, task: Task, tmp_path: Path) -> None:
    path = tmp_path / "ann.csv"
    told = json.loads(judge(shop, "export", task.task_id, str(path), "--rater", "ann").stdout)
    assert told["questions"] >= len(task.pairs)
    path.write_text(path.read_text(encoding="utf-8-sig").replace(",,ann", ",not,ann"), encoding="utf-8")
    taken = json.loads(judge(shop, "import", task.task_id, str(path)).stdout)
    assert taken["new"] == taken["answers"] == told["questions"]
    path.write_text(path.read_text(encoding="utf-8") + "q0,same,,,,good,ann\n", encoding="utf-8")
    again = judge(shop, "import", task.task_id, str(path), code=1)
    assert json.loads(again.stdout)["new"] == 0
    assert f"{path}, line {told['questions'] + 2}: task {task.task_id} has no question 'q0'" in again.stderr


def test_what_there_is_not_is_told(shop: JudgedShop) -> None:
    told = completed("holds no task; make one with `visual-search judge new`", str(shop.config_path))
    assert told in judge(shop, "report", code=1).stderr
    assert "there is no task 'nine'" in judge(shop, "report", "--task", "nine", code=1).stderr
    assert "there is no task yet" in judge(shop, "list").stderr
    assert "there is no task '../x'" in judge(shop, "report", "--task", "../x", code=1).stderr
