"""A backfill as it was planned: kept, gone on with, given up, and said in words.

Owns `backfills/<backfill_id>/`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines.backfill.forecast import Price
from pipelines.backfill.repair import Damaged
from pipelines.errors import StageError
from pipelines.forecast.todo import WORK, ToDo
from pipelines.runs.lease import running_stages
from pipelines.runs.stages import STAGES
from pipelines.store import NotFoundError, Store

PREFIX = "backfills"
CANCELLED = "cancelled.json"


@dataclass(frozen=True)
class Request:
    """What was asked for: days from `start` to `end` (ISO dates), stages in order, and what goes live at the end.

    `promote` is `newest`, `end` (the last day), `each` or `none`.
    """

    start: str
    end: str
    stages: tuple[str, ...]
    promote: str
    repair: bool
    force_reason: str | None

    @property
    def through(self) -> tuple[str, ...]:
        """The stages that a day goes through: to the last one asked for, since each needs those before it."""
        return STAGES[: STAGES.index(self.stages[-1]) + 1]


@dataclass(frozen=True)
class Step:
    """One run of the backfill, or a part of one: the stages that it goes through on a day's catalogue.

    `number` is that catalogue's in the log; None of the newest one when the feeds are read again before.
    """

    name: str
    number: int | None
    stages: tuple[str, ...]
    promotes: bool = False


@dataclass(frozen=True)
class Plan:
    """A backfill as it was planned."""

    backfill_id: str
    request: Request
    steps: tuple[Step, ...]
    model_id: str
    deltas_after: str | None
    again: tuple[str, ...]
    damaged: tuple[Damaged, ...]
    prices: tuple[Price, ...]
    without: tuple[str, ...]

    @property
    def trains(self) -> bool:
        """Whether a model is trained, for all steps."""
        return "train" in self.request.stages

    @property
    def forecast(self) -> dict[str, float]:
        """What it will take in all."""
        todo = {what: sum(getattr(p.todo, what) for p in self.prices) for what in WORK}
        seconds, size = sum(p.seconds for p in self.prices), sum(p.bytes for p in self.prices)
        return {**todo, "seconds": round(seconds, 1), "bytes": size}


def keep_plan(store: Store, plan: Plan) -> None:
    """Keep a plan, so that the backfill goes on with it when it is started again."""
    store.create_json(f"{PREFIX}/{plan.backfill_id}/plan.json", asdict(plan))


def cancel(store: Store, backfill_id: str) -> dict[str, Any]:
    """Give a backfill up, so that `gc` no longer keeps what it planned with; return what says so.

    Raises StageError when there is no such plan, it is done, or a stage of it is running.
    """
    if not store.exists(f"{PREFIX}/{backfill_id}/plan.json"):
        known = ", ".join(store.folders(PREFIX)) or "none"
        raise StageError(f"there is no backfill {backfill_id!r}; there are: {known}")
    if store.exists(f"{PREFIX}/{backfill_id}/done.json"):
        raise StageError(f"backfill {backfill_id!r} is done; there is nothing to cancel")
    for run_id in store.folders("runs"):
        at_work = running_stages(store, run_id) if run_id.rpartition(".")[0] == backfill_id else []
        if at_work:
            raise StageError(f"{at_work[0]} of run {run_id!r} is at work; end that process first, and cancel then")
    store.create_json(f"{PREFIX}/{backfill_id}/{CANCELLED}", {"at": datetime.now(UTC).isoformat(timespec="seconds")})
    return {"backfill": backfill_id, "cancelled": True}


def read_plan(store: Store, backfill_id: str) -> Plan | None:
    """Return a plan that was kept, or None. Raises StageError when it was cancelled."""
    if store.exists(f"{PREFIX}/{backfill_id}/{CANCELLED}"):
        raise StageError(f"backfill {backfill_id!r} was cancelled; start another, with another --run-id")
    try:
        kept = store.read_json(f"{PREFIX}/{backfill_id}/plan.json")
    except NotFoundError:
        return None
    request = Request(**kept["request"] | {"stages": tuple(kept["request"]["stages"])})
    steps = tuple(Step(**step | {"stages": tuple(step["stages"])}) for step in kept["steps"])
    prices = tuple(Price(**one | {"todo": ToDo(**one["todo"])}) for one in kept["prices"])
    damaged = tuple(Damaged(**one) for one in kept["damaged"])
    fixed = {"request": request, "steps": steps, "prices": prices, "damaged": damaged}
    return Plan(**kept | fixed | {name: tuple(kept[name]) for name in ("again", "without")})


def lines(plan: Plan) -> Iterator[str]:
    """Say a plan in words and a table."""
    request = plan.request
    model = "a new model, trained once on the newest catalogue" if plan.trains else f"model {plan.model_id}"
    yield f"backfill {plan.backfill_id}: {', '.join(request.through)} with {model}"
    if plan.without:
        yield f"days without a catalogue of their own, left out: {', '.join(plan.without)}"
    if plan.deltas_after is not None:
        after = f" after {plan.deltas_after}" if plan.deltas_after else ""
        yield f"deltas{after} are read again for what came late: {len(plan.again)} files; what they bring is not priced"
    for lost in plan.damaged:
        yield f"damaged, to be made again: {lost.why}"
    yield f"{'day':12}{'fetch':>10}{'prepare':>10}{'infer':>10}{'seconds':>10}{'megabytes':>11}"
    for one in plan.prices:
        yield _row(one.day, one.todo, one.seconds, one.bytes)
    total = plan.forecast
    yield _row("in all", ToDo(*(int(total[what]) for what in WORK)), total["seconds"], total["bytes"])
    yield f"goes live at the end: {_promotion(plan)}"


def _row(name: str, todo: ToDo, seconds: float, size: float) -> str:
    numbers = "".join(f"{n:>10,}" for n in (todo.fetch, todo.prepare, todo.infer))
    return f"{name:12}{numbers}{seconds:>10,.0f}{size / 1e6:>11,.1f}"


def _promotion(plan: Plan) -> str:
    request = plan.request
    what: dict[str, Any] = {
        "newest": "the newest catalogue's release, if it passes its gates",
        "end": f"the release of the last day, {request.end}, if it passes its gates",
        "each": "each day's release in turn, if it passes its gates",
        "none": "nothing",
    }
    forced = f"; older than what is live or not, because: {request.force_reason}" if request.force_reason else ""
    return f"{what[request.promote]}{forced}"
