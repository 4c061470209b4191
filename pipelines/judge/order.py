"""What a rater is asked next: a pure function of the task and of what was answered, so that anyone may resume anywhere.

All raters go through the queries in the task's order, so that whole queries are done early; within a query, and where
gold and repeats come between, each has an order of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

from pipelines.judge.task import Question, Task

GOLD_EVERY: Final = 10
REPEAT_EVERY: Final = 12
REPEAT_AFTER: Final = 8
"""Answers that lie between a question and its repeat, at least."""


def next_question(task: Task, rater: str, own: Sequence[str], answered_by: Mapping[str, int]) -> Question | None:
    """Return what a rater is asked next, None when there is nothing left for them.

    `own` are the questions they have answered, each once, oldest first; `answered_by` is how many people answered each.
    The same question comes again until it is answered.
    """
    done = frozenset(own)
    pair = _pair(task, rater, done, answered_by)
    if pair is None:
        return None
    turn = len(own) + _number(task, rater, "turn")
    return (_gold(task, rater, done) if turn % GOLD_EVERY == 0 else None) or (
        (_repeat(task, rater, own) if turn % REPEAT_EVERY == 1 else None) or pair
    )


def upcoming(task: Task, rater: str, own: Sequence[str], answered_by: Mapping[str, int]) -> Iterator[Question]:
    """Yield what a rater is asked from now on, if all others stopped."""
    done = [*own]
    while question := next_question(task, rater, done, answered_by):
        done.append(question.question_id)
        yield question


def left_for(task: Task, own: Collection[str], answered_by: Mapping[str, int]) -> int:
    """Return how many pairs are left for a rater who has answered `own`."""
    return sum(_is_open(task, question, own, answered_by) for question in task.pairs)


def _pair(task: Task, rater: str, done: Collection[str], answered_by: Mapping[str, int]) -> Question | None:
    for pairs in task.by_place:
        left = [question for question in pairs if _is_open(task, question, done, answered_by)]
        if left:
            return _first(task, rater, left)
    return None


def _is_open(task: Task, question: Question, done: Collection[str], answered_by: Mapping[str, int]) -> bool:
    name = question.question_id
    return name not in done and answered_by.get(name, 0) < task.raters


def _gold(task: Task, rater: str, done: Collection[str]) -> Question | None:
    return _first(task, rater, [question for question in task.gold if question.question_id not in done])


def _repeat(task: Task, rater: str, own: Sequence[str]) -> Question | None:
    done, early = frozenset(own), frozenset(own[: max(0, len(own) - REPEAT_AFTER)])
    due = [question for question in task.repeats if question.repeats in early and question.question_id not in done]
    return _first(task, rater, due)


def _first(task: Task, rater: str, questions: Sequence[Question]) -> Question | None:
    return min(questions, key=lambda question: _number(task, rater, question.question_id), default=None)


def _number(task: Task, rater: str, name: str) -> int:
    """Return a number that a rater's order is made of, the same every time."""
    digest = hashlib.sha256("\x1f".join((task.task_id, rater, name)).encode()).digest()
    return int.from_bytes(digest[:8], "big")
