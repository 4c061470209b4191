from collections import Counter
from dataclasses import replace

from pipelines.judge.order import REPEAT_AFTER, left_for, upcoming
from pipelines.judge.task import Task
from tests.judge.conftest import gold, make_task, pair, repeat


def make() -> Task:
    pairs = [pair(f"p{place}x{n}", place) for place in range(6) for n in range(8)]
    return make_task(
        [*pairs, *(gold(f"g{n}", "not") for n in range(4)), *(repeat(f"r{n}", pairs[n]) for n in range(9))]
    )


def asked(task: Task, rater: str, answered_by: dict[str, int]) -> list[str]:
    """Return all that a rater is asked, in order."""
    own: list[str] = []
    while question := next(upcoming(task, rater, own, answered_by), None):
        own.append(question.question_id)
        answered_by[question.question_id] = answered_by.get(question.question_id, 0) + 1
    return own


def test_a_rater_is_asked_all_pairs_query_by_query_and_nothing_twice() -> None:
    task = make()
    own = asked(task, "ann", {})
    assert len(set(own)) == len(own)
    places = [task.by_id[name].place for name in own if task.by_id[name].kind == "pair"]
    assert places == sorted(places)
    assert len(places) == len(task.pairs)


def test_gold_and_repeats_come_between() -> None:
    task = make()
    kinds = Counter(task.by_id[name].kind for name in asked(task, "ann", {}))
    assert kinds["gold"] == 4
    assert kinds["repeat"] >= 2


def test_a_repeat_comes_some_answers_after_what_it_repeats() -> None:
    task = make()
    own = asked(task, "bob", {})
    for name in own:
        if of := task.by_id[name].repeats:
            assert own.index(name) - own.index(of) >= REPEAT_AFTER


def test_each_rater_has_an_order_of_their_own_which_stays() -> None:
    task = make()
    assert asked(task, "ann", {}) != asked(task, "bob", {})
    assert asked(task, "ann", {}) == asked(task, "ann", {})


def test_a_question_is_asked_again_until_it_is_answered() -> None:
    task = make()
    first, again = (next(upcoming(task, "ann", [], {})) for _ in range(2))
    assert first == again


def test_what_is_ahead_is_what_comes_one_by_one() -> None:
    task = make()
    own = asked(task, "ann", {})
    for answered in (0, 1, 9, 20, len(own)):
        ahead = [question.question_id for question in upcoming(task, "ann", own[:answered], {})]
        assert ahead == own[answered:]
        assert left_for(task, "ann", own[:answered], {}) == len(ahead)


def test_the_order_cannot_be_told_without_the_secret() -> None:
    task = make()
    assert asked(replace(task, secret="another"), "ann", {}) != asked(task, "ann", {})


def test_each_pair_is_asked_of_as_many_as_the_task_wants() -> None:
    task, answered_by = make(), dict[str, int]()
    for rater in ("ann", "bob", "cy"):
        asked(task, rater, answered_by)
    assert {answered_by[question.question_id] for question in task.pairs} == {2}
    assert list(upcoming(task, "dan", [], answered_by)) == []
    assert left_for(task, "dan", [], answered_by) == 0


def test_a_task_without_items_asks_nothing_about_them() -> None:
    task = make()
    left = task.without({"p0x0", "query1", "nothing"})
    gone = {"p0x0", "r0"} | {f"p1x{n}" for n in range(8)} | {"r8"}
    assert {question.question_id for question in task.questions} - left.by_id.keys() == gone
    assert (len(left.by_place), len(left.by_place[0])) == (5, 7)
    assert task.without({"nothing"}) is task
    assert len(task.without({f"query{place}" for place in range(6)}).pairs) == 0
