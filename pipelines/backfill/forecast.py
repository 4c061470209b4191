"""What a day of a backfill will take, in seconds and bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.backfill.days import Day
from pipelines.forecast.experience import Experience, Weights
from pipelines.forecast.todo import ToDo


@dataclass(frozen=True)
class Price:
    """What one day will take."""

    day: str
    todo: ToDo
    seconds: float
    bytes: int


def price(
    day: Day, todo: ToDo, stages: Sequence[str], experienced: Experience, weighed: Weights, *, adopts: bool
) -> Price:
    """Return what a day will take; `adopts` says that its index is there already."""
    work = {"preprocess": todo.prepare, "embed": todo.infer, "index": 0 if adopts else day.photos}
    seconds = sum(
        experienced.seconds(stage, 0 if stage == "catalogue" else day.photos, work.get(stage, 0)) for stage in stages
    )
    size = {
        "preprocess": todo.prepare * weighed.prepared,
        "embed": todo.infer * weighed.vector,
        "index": work["index"] * weighed.indexed,
    }
    total = sum(size.get(stage, 0) for stage in stages)
    return Price(day.name, todo, round(seconds, 1), int(total))
