"""Why the newest feed is not live: the newest runs were refused by a gate, or stopped; and the commands that go on.

Days of a backfill are not looked at, but for its last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile

from pipelines.evaluate.vocabulary import describe, is_documented
from pipelines.models.effort import short_training
from pipelines.releases.gate import Gate
from pipelines.releases.release import read_release
from pipelines.runs.commands import REASON, accepting, typed
from pipelines.status.runs import RunStatus, StageStatus
from pipelines.store import NotFoundError, Store, StoreError

FEEDS = frozenset({"catalogue", "preprocess"})
"""The stages whose gates are passed by the run itself; others by promote."""


@dataclass(frozen=True)
class Held:
    """That the newest feed is not live: so many runs in a row were refused, or stopped, `since` then (ISO 8601).

    The last of them is `run_id`, which came to `stage`; `why` are its reasons, a line each, and `report` shows them.
    `passes` is the stage that passes when it is given a person's reason, "" if none does; `items` is how many its
    catalogue has.
    """

    run_id: str
    stage: str
    state: str
    since: str
    runs: int
    passes: str = ""
    why: list[str] = field(default_factory=list)
    report: str = ""
    items: int = 0


def held_lines(held: Held, config_path: str, *, sample: bool) -> Iterator[str]:
    """Yield for a person since when the newest feed is not live, why, and what to look at and to type."""
    many, words = held.runs > 1, ("--limit", str(held.items)) if sample else ()
    what = f"{held.runs} runs" if many else "1 run"
    verb = "did not end" if held.state == "unfinished" else "were refused" if many else "was refused"
    last = f"{'the last ' if many else ''}{held.run_id} in {held.stage}"
    yield f"NOT LIVE the newest feed, since {held.since[:16].replace('T', ' ')} UTC: {what} {verb}, {last}"
    yield from (f"why      {line}" for line in held.why)
    if held.report:
        yield f"look     {held.report}"
    again = typed("run", config_path, "--run-id", held.run_id, *words)
    if held.state == "unfinished":
        yield f"go on    {again}   # after what its log says is mended"
    elif held.passes in FEEDS:
        yield f"accept   {again} {REASON}"
    elif held.passes:
        yield f"accept   {accepting(held.run_id, config_path, *words)}"
    else:
        yield f"go on    {typed('run', config_path, *words)}"


def held_back(store: Store, runs: Sequence[RunStatus], since: float) -> Held | None:
    """Return why the newest feed is not live, None where nothing says so.

    `runs` are all, newest first, and `since` is when anything went live last, in seconds since 1970.
    """
    past = set(store.folders("backfills"))
    later = [run for run in runs if run.heard_at > since and run.stages and run.stages[-1].state != "running"]
    later = [run for run in later if run.run_id.rpartition(".")[0] not in past or run.run_id.endswith(".newest")]
    ends = [run.stages[-1] for run in later]
    state = ends[0].state if ends else ""
    if state not in {"refused", "unfinished"}:
        return None
    streak = [run for run, _ in takewhile(lambda one: one[1].state == state, zip(later, ends, strict=True))]
    return Held(
        later[0].run_id,
        ends[0].stage,
        state,
        datetime.fromtimestamp(streak[-1].heard_at, UTC).isoformat(timespec="seconds"),
        len(streak),
        ends[0].passes,
        *_reasons(store, ends[0]),
        items=next((one.counts["items"] for one in later[0].stages if "items" in one.counts), 0),
    )


def _reasons(store: Store, end: StageStatus) -> tuple[list[str], str]:
    """Return why a stage was refused, of each metric the first gate that said no, and where its report is."""
    if not end.release_id:
        return [line.strip() for line in end.refusal.splitlines()], ""
    try:
        release = read_release(store, end.release_id)
    except StoreError:  # `gc` has removed it since
        return [end.refusal], ""
    failed = {gate.metric: gate for gate in reversed([Gate.of(one) for one in release.gates]) if not gate.passed}
    lines = [text for text in (_short_training(store, release.model_id),) if text]
    lines += [line for gate in reversed(failed.values()) for line in _in_words(gate)]
    return lines, f"{store.uri}/releases/{end.release_id}/report.html"


def _short_training(store: Store, model_id: str) -> str:
    """Return that a release's model was hardly trained, "" where it was, or nothing is known of it."""
    if not model_id:
        return ""
    try:
        return short_training(store.read_json(f"models/{model_id}/model.json"))
    except NotFoundError:
        return ""


def _in_words(gate: Gate) -> Iterator[str]:
    yield gate.sentence()
    if is_documented(gate.metric):  # of a release of another version it may not be
        yield f"  ({describe(gate.metric).meaning})"
