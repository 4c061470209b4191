"""A task and its report in plain words."""

from __future__ import annotations

from pipelines.judge.grades import Rater
from pipelines.judge.precision import Mean
from pipelines.judge.report import Report
from pipelines.releases.verdicts import Standing, Verdict

DECIDED = {
    "first": "{first} is better",
    "second": "{second} is better",
    "alike": "neither is better by more than {margin:g}",
    "open": "all was asked, and nothing is decided",
}


def line_of(standing: Standing) -> str:
    """Return one task in a line."""
    first, second, verdict = standing.first.release_id, standing.second.release_id, standing.verdict
    told = "no verdict yet" if verdict is None else decided(verdict, first, second)
    return f"{standing.task_id}  {first} | {second}  {told}"


def decided(verdict: Verdict, first: str, second: str) -> str:
    """Return what a verdict says, with its numbers."""
    words = DECIDED[verdict.decision].format(first=first, second=second, margin=verdict.margin)
    bounds = f"{verdict.lower:+.3f} to {verdict.upper:+.3f}"
    return f"{words} ({verdict.preference:+.3f}, {bounds} at {verdict.confidence:.0%}, {verdict.queries} queries)"


def lines_of(report: Report) -> list[str]:
    """Return a report, a line a fact."""
    task = report.task
    asked = f"{report.queries} of {len(task.by_place)} queries answered, by {task.raters} each"
    lines = [
        f"task {task.task_id}: {task.first.release_id} (first) beside {task.second.release_id} (second)",
        f"  {asked}; {report.judgements} judgements of {len(report.raters)} raters",
        *(f"  {note}" for note in task.notes),
    ]
    if report.first is not None and report.second is not None:
        lines += [f"  graded precision at 10, first:   {_mean(report.first)}"]
        lines += [f"  graded precision at 10, second:  {_mean(report.second)}"]
        bounds, better = report.preference, report.preferences
        lines += [f"  preference for the second:       {bounds.mean:+.3f}, {bounds.lower:+.3f} to {bounds.upper:+.3f}"]
        lines += [f"  better for queries: first {better.first}, second {better.second}, alike {better.alike}"]
    if report.alpha is not None:
        lines.append(f"  agreement (Krippendorff's alpha): {report.alpha:.2f}")
    return [*lines, *map(_rater, report.raters), *_weak(report), _outcome(report)]


def _mean(mean: Mean) -> str:
    return f"{mean.value:.3f}, {mean.lower:.3f} to {mean.upper:.3f}"


def _rater(rater: Rater) -> str:
    shares = {"gold": rater.gold, "repeats": rater.repeats}
    told = [f"{name} {share:.0%}" for name, share in shares.items() if share is not None]
    told += [] if rater.median_s is None else [f"{rater.median_s:.1f} s an answer"]
    return "; ".join([f"  rater {rater.name}: {rater.answers} answers, quality {rater.quality:.2f}", *told])


def _weak(report: Report) -> list[str]:
    if not report.weak:
        return []
    return [f"  look at these raters, whose answers count for little: {', '.join(report.weak)}"]


def _outcome(report: Report) -> str:
    task = report.task
    if report.verdict is not None:
        return f"decided: {decided(report.verdict, task.first.release_id, task.second.release_id)}"
    rest = len(task.by_place) - report.queries
    if report.queries_left is None:
        return f"go on: {rest} queries are left, and it cannot be told yet how many more decide"
    more = f"about {report.queries_left} more queries decide"
    enough = "" if report.queries_left <= rest else f"; the task has only {rest} left, so another may be needed"
    return f"go on: {more}{enough}"
