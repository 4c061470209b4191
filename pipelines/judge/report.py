"""What a task has come to: grades, raters, the precision of both releases, and whether people prefer one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any

import numpy as np

from pipelines.judge.answers import Answer
from pipelines.judge.confidence import Bounds, bounds, more_needed
from pipelines.judge.grades import Graded, Rater, graded
from pipelines.judge.precision import Mean, Preferences, mean_of, precisions, preferences
from pipelines.judge.task import Question, Task
from pipelines.releases.verdicts import Decision, Verdict


@dataclass(frozen=True)
class Report:
    """What the answers to a task say, in the order of its queries, as far as all of these are answered.

    `decision` is None while more answers may decide; then `queries_left` is about how many more queries that takes,
    None where it cannot be told.
    """

    task: Task
    judgements: int
    raters: tuple[Rater, ...]
    weak: tuple[str, ...]
    alpha: float | None
    queries: int
    first: Mean | None
    second: Mean | None
    preferences: Preferences
    preference: Bounds
    decision: Decision | None
    queries_left: int | None

    @property
    def verdict(self) -> Verdict | None:
        """The verdict, None while nothing is decided."""
        if self.decision is None:
            return None
        return Verdict(
            self.task.task_id,
            self.decision,
            self.preference.mean,
            self.preference.lower,
            self.preference.upper,
            self.task.margin,
            self.task.confidence,
            self.queries,
            self.judgements,
            len(self.raters),
            datetime.now(UTC).isoformat(timespec="seconds"),
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        task = self.task
        told = {name: getattr(task, name) for name in ("created_at", "margin", "confidence", "notes")}
        told |= {"task": task.task_id, "first": asdict(task.first), "second": asdict(task.second)}
        told |= {"raters_a_question": task.raters, "queries_of_task": len(task.by_place), "pairs": len(task.pairs)}
        precision = {"first": self.first, "second": self.second}
        return told | {
            "decision": self.decision or "go on",
            "queries": self.queries,
            "queries_left": self.queries_left,
            "judgements": self.judgements,
            "graded_p_at_10": {name: None if mean is None else mean.as_dict() for name, mean in precision.items()},
            "preference": asdict(self.preference),
            "better_for": asdict(self.preferences),
            "alpha": self.alpha,
            "raters": [rater.as_dict() for rater in self.raters],
            "weak_raters": list(self.weak),
        }


def report(task: Task, answers: Sequence[Answer], rater_quality: float) -> Report:
    """Return what the answers to a task say; raters whose quality is below `rater_quality` are named as weak."""
    told, queries = graded(task, answers), answered_queries(task, answers)
    found = precisions(queries, told.gains)
    better = np.clip(found[:, 1] - found[:, 0], -1, 1)
    preference = bounds(better, task.margin, task.confidence)
    is_whole = len(queries) == len(task.by_place)
    decision = decided(preference, task.margin) or ("open" if is_whole else None)
    left = None if decision else more_needed(better, task.margin, task.confidence)
    return Report(
        task,
        len(answers),
        told.raters,
        _weak(told, rater_quality),
        told.alpha,
        len(queries),
        mean_of(found[:, 0], task.confidence),
        mean_of(found[:, 1], task.confidence),
        preferences(found),
        preference,
        decision,
        left,
    )


def answered_queries(task: Task, answers: Sequence[Answer]) -> list[Sequence[Question]]:
    """Return the pairs of the first queries, up to one of which not every pair was answered by enough people.

    Later ones may be answered too: which are depends on how hard they were, so they wait for those before.
    """
    people: dict[str, int] = {}
    for answer in answers:
        people[answer.question_id] = people.get(answer.question_id, 0) + 1

    def is_answered(pairs: Sequence[Question]) -> bool:
        return all(people.get(question.question_id, 0) >= task.raters for question in pairs)

    return list(takewhile(is_answered, task.by_place))


def decided(preference: Bounds, margin: float) -> Decision | None:
    """Return what bounds say: that a release is better, or neither by more than `margin`; None where they do not."""
    if preference.lower > 0:
        return "second"
    if preference.upper < 0:
        return "first"
    if preference.lower >= -margin and preference.upper <= margin:
        return "alike"
    return None


def _weak(told: Graded, rater_quality: float) -> tuple[str, ...]:
    return tuple(rater.name for rater in told.raters if rater.quality < rater_quality)
