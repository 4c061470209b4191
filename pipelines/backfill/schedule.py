"""Making the plan of a backfill: its steps in order, the model they share, and their price.

It runs no stage, and writes nothing that a stage reads.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date

from pipelines.backfill.days import NEWEST, Day, newest, window
from pipelines.backfill.forecast import Price, price
from pipelines.backfill.plan import PREFIX, Plan, Request, Step
from pipelines.backfill.repair import find_damaged
from pipelines.catalogue.feeds import find_feeds
from pipelines.config import Config
from pipelines.errors import GateError, StageError
from pipelines.forecast.experience import experience, training_seconds, weights
from pipelines.forecast.todo import Question, ToDo, count
from pipelines.jobs.jobs import Jobs
from pipelines.models.facts import ModelFacts, read_facts, vector_tables
from pipelines.promote.stage import check_catalogue
from pipelines.releases.history import Entry, read_history
from pipelines.releases.release import Release, read_release
from pipelines.runs.stages import STAGES
from pipelines.shop_files.web.identity import Identity
from pipelines.store import Store


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
    lost = frozenset((one.prefix, one.unit_id) for one in damaged)
    question = Question(
        tuple(day.catalogue_id for day in ordered), tables[1], vectors, lost, Identity.of_config(config)
    )
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
