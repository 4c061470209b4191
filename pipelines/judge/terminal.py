"""A task and its report in plain words."""

from __future__ import annotations

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
