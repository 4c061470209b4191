"""What a rater is asked next: a pure function of the task and of what was answered, so that anyone may resume anywhere.

All raters go through the queries in the task's order, so that whole queries are done early; within a query, and where
gold and repeats come between, each has an order of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import Final

from pipelines.judge.task import Question, Task

GOLD_EVERY: Final = 10
REPEAT_EVERY: Final = 12
REPEAT_AFTER: Final = 8
"""Answers that lie between a question and its repeat, at least."""


def upcoming(task: Task, rater: str, own: Sequence[str], answered_by: Mapping[str, int]) -> Iterator[Question]:
    """Yield what a rater is asked from now on, if all others stopped.

    `own` are the questions they have answered, each once, oldest first; `answered_by` is how many people answered each.
    The first comes again until it is answered.
    """
    done = [*own]
    pairs, gold = _pairs(task, rater, frozenset(own), answered_by), _gold(task, rater, frozenset(own))
    due, turn = _Repeats(task, rater, own), _number(task, rater, "turn")
    pair = next(pairs, None)
    while pair is not None:
        turn_now, asked = len(done) + turn, None
        if turn_now % GOLD_EVERY == 0:
            asked = next(gold, None)
        elif turn_now % REPEAT_EVERY == 1:
            asked = due.next(done)
        if asked is None:
            asked, pair = pair, next(pairs, None)
        done.append(asked.question_id)
        yield asked


def left_for(task: Task, rater: str, own: Sequence[str], answered_by: Mapping[str, int]) -> int:
    """Return how many questions, of whatever kind, a rater is asked from now on, if all others stopped.

    A number that counted pairs alone would tell gold: it would stay where one is answered.
    """
    return sum(1 for _ in upcoming(task, rater, own, answered_by))


class _Repeats:
    """The repeats that are due for a rater: what they repeat was answered long enough ago."""

    def __init__(self, task: Task, rater: str, own: Sequence[str]) -> None:
        self._task, self._rater, self._seen = task, rater, 0
        done = frozenset(own)
        self._waiting: dict[str, list[Question]] = {}
        for question in task.repeats:
            if question.question_id not in done:
                self._waiting.setdefault(question.repeats, []).append(question)
        self._due: list[tuple[int, str]] = []

    def next(self, done: Sequence[str]) -> Question | None:
        early = max(self._seen, len(done) - REPEAT_AFTER)
        for name in done[self._seen : early]:
            for question in self._waiting.pop(name, ()):
                heappush(self._due, (_number(self._task, self._rater, question.question_id), question.question_id))
        self._seen = early
        return self._task.by_id[heappop(self._due)[1]] if self._due else None


def _pairs(task: Task, rater: str, done: Collection[str], answered_by: Mapping[str, int]) -> Iterator[Question]:
    """Yield the pairs that are left for a rater, query by query."""
    for pairs in task.by_place:
        left = [one for one in pairs if one.question_id not in done]
        yield from _in_order(task, rater, [one for one in left if answered_by.get(one.question_id, 0) < task.raters])


def _gold(task: Task, rater: str, done: Collection[str]) -> Iterator[Question]:
    yield from _in_order(task, rater, [question for question in task.gold if question.question_id not in done])


def _in_order(task: Task, rater: str, questions: Sequence[Question]) -> list[Question]:
    return sorted(questions, key=lambda question: _number(task, rater, question.question_id))


def _number(task: Task, rater: str, name: str) -> int:
    """Return a number that a rater's order is made of, the same every time, and known to nobody without the secret."""
    digest = hashlib.sha256("\x1f".join((task.secret, rater, name)).encode()).digest()
    return int.from_bytes(digest[:8], "big")
