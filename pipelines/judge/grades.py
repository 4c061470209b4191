"""The grades of a task's questions, and what its raters are worth, told from all answers together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from pipelines.judge.agreement import alpha
from pipelines.judge.answers import Answer
from pipelines.judge.dawid_skene import Told
from pipelines.judge.scores import Given, gains_in_turns
from pipelines.judge.task import GAINS, GRADES, Task
from pipelines.tables.arrays import Array, Ints

PRIOR: Final = np.full((3, 3), 0.5) + 1.5 * np.eye(3)
"""Answers that a rater is supposed to have given before the first: a fairly careful one's."""


@dataclass(frozen=True)
class Rater:
    """One rater.

    `quality` is how often they would name the right grade, were each grade as frequent; a coin has 1/3. `gold` and
    `repeats` are the shares of known questions that they got right and of repeats that they answered as before, None
    where they had none. `median_s` is how long an answer took.
    """

    name: str
    answers: int
    quality: float
    gold: float | None
    repeats: float | None
    median_s: float | None

    def as_dict(self) -> dict[str, Any]:
        """Return the rater as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Graded:
    """The gain of each question that was answered, the raters by name, and how far they agree."""

    gains: Mapping[str, float]
    raters: tuple[Rater, ...]
    alpha: float | None


def graded(task: Task, answers: Sequence[Answer]) -> Graded:
    """Return what the answers to a task tell; a repeat is one more answer to the question that it repeats."""
    asked = [_original(task, answer.question_id) for answer in answers]
    questions, names = sorted(set(asked)), sorted({answer.rater for answer in answers})
    items, raters = _numbers(questions, asked), _numbers(names, [answer.rater for answer in answers])
    given = np.array([GRADES.index(answer.grade) for answer in answers], np.int64)
    known = np.array([_known(task, name) for name in questions], np.int64)
    places = np.array([task.by_id[name].place for name in questions], np.int64)
    answered = Given(items, raters, given, known, places)
    gains = np.full(len(questions), np.nan)
    for _, found in gains_in_turns(answered, len(names), np.array([GAINS[grade] for grade in GRADES]), PRIOR):
        gains = np.where(np.isnan(found), gains, found)
    told = answered.told(len(names), PRIOR)
    once = np.array([task.by_id[answer.question_id].kind == "pair" for answer in answers], bool)
    agreement = alpha(items[once], given[once], len(GRADES))
    return Graded(
        dict(zip(questions, gains.tolist(), strict=True)), tuple(_raters(task, answers, names, told)), agreement
    )


def _numbers(order: Sequence[str], values: Sequence[str]) -> Ints:
    places = {name: n for n, name in enumerate(order)}
    return np.array([places[value] for value in values], np.int64)


def _original(task: Task, question_id: str) -> str:
    return task.by_id[question_id].repeats or question_id


def _known(task: Task, question_id: str) -> int:
    expected = task.by_id[question_id].expected
    return -1 if expected is None else GRADES.index(expected)


def _raters(task: Task, answers: Sequence[Answer], names: Sequence[str], told: Told) -> list[Rater]:
    own: dict[str, dict[str, Answer]] = {name: {} for name in names}
    for answer in answers:
        own[answer.rater][answer.question_id] = answer
    return [_rater(task, name, own[name], told.confusion[n]) for n, name in enumerate(names)]


def _rater(task: Task, name: str, own: Mapping[str, Answer], confusion: Array) -> Rater:
    gold = [own[q.question_id].grade == q.expected for q in task.gold if q.question_id in own]
    again = [
        own[q.question_id].grade == own[q.repeats].grade
        for q in task.repeats
        if q.question_id in own and q.repeats in own
    ]
    times = [answer.milliseconds / 1000 for answer in own.values() if answer.milliseconds is not None]
    return Rater(
        name,
        len(own),
        float(np.diag(confusion).mean()),
        _share(gold),
        _share(again),
        float(np.median(times)) if times else None,
    )


def _share(flags: Sequence[bool]) -> float | None:
    return sum(flags) / len(flags) if flags else None
