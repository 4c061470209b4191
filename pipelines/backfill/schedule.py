"""The plan of a backfill: its steps in order, the model they share, and their price. Made once, kept, and gone on with.

Owns `backfills/<backfill_id>/`. It runs no stage, and writes nothing that a stage reads.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

from pipelines.backfill.days import NEWEST, Day, newest, window
from pipelines.backfill.forecast import Price, experience, price, training_seconds, weights
from pipelines.backfill.repair import Damaged, find_damaged
from pipelines.backfill.todo import WORK, Question, ToDo, count
from pipelines.catalogue.feeds import find_feeds
from pipelines.config import Config
from pipelines.errors import GateError, StageError
from pipelines.jobs.jobs import Jobs
from pipelines.models.facts import ModelFacts, read_facts, vector_tables
from pipelines.promote.stage import check_catalogue
from pipelines.releases.history import Entry, read_history
from pipelines.releases.release import Release, read_release
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


def make_plan(config: Config, store: Store, buckets: int, request: Request, backfill_id: str) -> Plan:
    """Return the plan of a backfill as things are now; it is not kept.

    Raises StageError when there is nothing to go by, and GateError when what is to go live is older than what is.
    """
    entry = _live(store)
    live = read_release(store, entry["release_id"])
    facts = read_facts(store, live.model_id)
    found, head = window(store, date.fromisoformat(request.start), date.fromisoformat(request.end)), newest(store)
    _check_preparation(config, facts, request)
    _check_age(entry, request, found.days)
    deltas_after = found.before.get("positions", {}).get("deltas", "") if _reads_deltas(config, request) else None
    prep_id = config.preprocess.spec.prep_id
    tables = ["sources", f"images/{prep_id}", *vector_tables(store, facts.space_id)]
    scratch = f"{PREFIX}/{backfill_id}"
    jobs = Jobs(config.beam, f"{store.uri}/{scratch}")
    damaged = find_damaged(store, jobs, tables, f"{scratch}/damaged.json") if request.repair else []
    days = tuple(day for day in found.days if not (day.number == head.number and _ends_with_newest(request)))
    ordered = _in_order(request, days, head)
    vectors = () if "train" in request.stages else tuple(tables[2:])
    question = Question(tuple(day.catalogue_id for day in ordered), tables[1], vectors, tuple(damaged))
    todo = count(store, jobs, question, buckets, f"{scratch}/counted.json")
    for name in ("damaged", "counted"):
        store.delete(f"{scratch}/{name}.json")
    return Plan(
        backfill_id,
        request,
        tuple(_steps(request, days, head)),
        live.model_id,
        deltas_after,
        _again(config, deltas_after),
        tuple(damaged),
        tuple(_prices(config, store, request, ordered, todo, live, prep_id)),
        found.without,
    )


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


def _live(store: Store) -> Entry:
    entry = read_history(store).live
    if entry is None:
        raise StageError("nothing was ever promoted, so there is nothing to go by; `visual-search run` does all stages")
    return entry


def _check_preparation(config: Config, facts: ModelFacts, request: Request) -> None:
    prep_id = config.preprocess.spec.prep_id
    if facts.prep_id == prep_id or "train" in request.stages or "embed" not in request.through:
        return
    raise StageError(
        f"the config prepares photos as {prep_id}, the live model {facts.model_id} reads {facts.prep_id}: a model that "
        "reads the new ones must be trained; add train to --stages"
    )


def _check_age(live: Entry, request: Request, days: Sequence[Day]) -> None:
    if request.promote not in {"end", "each"} or request.force_reason:
        return
    for day in days if request.promote == "each" else days[-1:]:
        try:
            check_catalogue(f"the day {day.name}", day.number, live)
        except GateError as error:
            raise GateError(f"{error}, or say why this is to go live all the same with --force 'REASON'") from error


def _reads_deltas(config: Config, request: Request) -> bool:
    return "catalogue" in request.stages and config.catalogue.deltas is not None


def _again(config: Config, deltas_after: str | None) -> tuple[str, ...]:
    if deltas_after is None:
        return ()
    return tuple(delta.path for delta in find_feeds(config, time.time(), deltas_after=deltas_after).deltas.to_read)


def _ends_with_newest(request: Request) -> bool:
    return request.promote == "newest" or "catalogue" in request.stages


def _in_order(request: Request, days: Sequence[Day], head: Day) -> list[Day]:
    if "train" in request.stages:
        return [head, *days]
    return [*days, *([head] if _ends_with_newest(request) else [])]


def _steps(request: Request, days: Sequence[Day], head: Day) -> Iterator[Step]:
    through = request.through
    number = None if "catalogue" in request.stages else head.number
    if "train" in request.stages:
        yield Step(NEWEST, number, STAGES[: STAGES.index("train") + 1])
    for day in days:
        promotes = request.promote == "each" or (request.promote == "end" and day == days[-1])
        yield Step(day.name, day.number, through, promotes)
    if _ends_with_newest(request):
        yield Step(NEWEST, number, through, request.promote == "newest")


def _prices(
    config: Config,
    store: Store,
    request: Request,
    ordered: Sequence[Day],
    todo: Sequence[ToDo],
    live: Release,
    prep_id: str,
) -> Iterator[Price]:
    experienced = experience(store)
    weighed = weights(store, prep_id, live.space_id, live.index_id)
    for day, one in zip(ordered, todo, strict=True):
        # the vectors of a catalogue by a model are what they were, however often they are made: so is their index
        adopts = "train" not in request.stages and (day.catalogue_id, live.model_id) in experienced.indexed
        stages = request.through
        if day.name == NEWEST and not _ends_with_newest(request):
            stages = STAGES[: STAGES.index("train") + 1]
        found = price(day, one, stages, experienced, weighed, adopts=adopts)
        if day.name == NEWEST and "train" in request.stages:
            training = training_seconds(config.train, experienced) or 0.0
            found = replace(found, seconds=round(found.seconds + training, 1))
        yield found


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
