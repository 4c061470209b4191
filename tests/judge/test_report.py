import json
from datetime import UTC, datetime

import pytest

from pipelines.judge.answers import Answer, checked
from pipelines.judge.report import Report, report
from pipelines.judge.task import Question, Task
from pipelines.judge.terminal import decided, lines_of
from tests.judge.conftest import gold, make_task, pair, repeat

AT = datetime(2026, 11, 29, tzinfo=UTC)


def task_of(queries: int, **told: float) -> Task:
    """Return a task in which each release finds two results of its own for each query, and one of both."""
    questions: list[Question] = []
    for place in range(queries):
        questions += [pair(f"a{place}", place, 0), pair(f"c{place}", place, 1), pair(f"both{place}", place, 2, 2)]
        questions += [pair(f"b{place}", place, None, 0), pair(f"d{place}", place, None, 1)]
    again = [repeat(f"r{place}", questions[5 * place]) for place in range(min(queries, 3))]
    return make_task([*questions, gold("g0", "same"), gold("g1", "not"), *again], raters=2, **told)


def answered(task: Task, better: str, share: int = 1, raters: tuple[str, ...] = ("ann", "bob")) -> list[Answer]:
    """Return answers by which the results of one release ("ac" or "bd") are the same in every `share`-th query."""
    found = []
    for question in task.questions:
        is_good = question.question_id[0] in better and question.place % share == 0
        grade = question.expected or ("same" if is_good else "not")
        if question.repeats:
            grade = "same" if "a" in better and question.place % share == 0 else "not"
        found += [checked(task, question.question_id, rater, grade, 2_000, AT) for rater in raters]
    return found


def told(task: Task, answers: list[Answer]) -> Report:
    return report(task, answers, 0.6)


@pytest.mark.parametrize(("better", "decision"), [("bd", "second"), ("ac", "first")])
def test_the_better_release_is_told(better: str, decision: str) -> None:
    task = task_of(80)
    found = told(task, answered(task, better))
    assert found.decision == decision
    assert abs(found.preference.mean) == pytest.approx(0.2, abs=0.01)  # two of ten
    assert {found.preferences.first, found.preferences.second} == {0, 80}
    assert found.alpha == pytest.approx(1.0)
    assert found.weak == ()
    assert found.raters[0].gold == found.raters[0].repeats == 1.0
    assert found.raters[0].median_s == 2.0


def test_no_difference_that_matters_is_told() -> None:
    task = task_of(250)
    found = told(task, answered(task, ""))
    assert (found.decision, found.preference.mean) == ("alike", pytest.approx(0.0, abs=0.001))
    assert -0.03 <= found.preference.lower < 0 < found.preference.upper <= 0.03


def test_too_little_says_go_on_and_about_how_long() -> None:
    task = task_of(40)
    answers = [answer for answer in answered(task, "bd", 2) if task.by_id[answer.question_id].place < 15]
    found = told(task, answers)
    assert (found.decision, found.queries, found.verdict) == (None, 15, None)
    assert found.queries_left is not None
    assert lines_of(found)[-1].startswith(f"go on: about {found.queries_left} more queries decide")


def test_when_all_is_asked_and_nothing_decided_that_is_the_verdict() -> None:
    task = task_of(12)
    found = told(task, answered(task, "bd", 3))
    assert found.decision == "open"
    assert found.verdict is not None
    assert decided(found.verdict, "a", "b").startswith("all was asked, and nothing is decided")


def test_a_query_counts_when_all_before_it_are_answered_by_enough() -> None:
    task = task_of(6)
    answers = [a for a in answered(task, "bd") if (a.question_id, a.rater) != ("c3", "bob")]
    assert told(task, answers).queries == 3


def test_who_answers_at_random_is_named() -> None:
    task = task_of(60)
    careful = answered(task, "bd", raters=("ann", "bob", "cy"))
    grades = ("same", "similar", "not")
    names = sorted(task.by_id)
    coin = [checked(task, name, "coin", grades[hash_of(name) % 3], 300, AT) for name in names]
    found = told(task, [*careful, *coin])
    assert found.weak == ("coin",)
    assert found.decision == "second"
    assert any("look at these raters, whose answers count for little: coin" in line for line in lines_of(found))


def hash_of(name: str) -> int:
    return sum(ord(letter) * 7**n for n, letter in enumerate(name))


def test_a_report_without_answers_says_so() -> None:
    task = task_of(3)
    found = told(task, [])
    assert (found.queries, found.decision, found.first, found.alpha) == (0, None, None, None)
    assert lines_of(found)[-1] == "go on: 3 queries are left, and it cannot be told yet how many more decide"


def test_the_report_is_one_json_object() -> None:
    task = task_of(80)
    value = json.loads(json.dumps(told(task, answered(task, "bd")).as_dict()))
    assert (value["task"], value["decision"], value["queries"], value["margin"]) == ("t1", "second", 80, 0.03)
    assert value["graded_p_at_10"]["second"]["value"] == pytest.approx(0.3, abs=0.01)  # its own two, and one of both
    assert value["raters"][0]["name"] == "ann"
