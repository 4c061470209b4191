"""What the store says of itself: the live release, what is running, the last runs and the ledger of each stage.

Owns the reading and the tables in the terminal. Reads small JSON objects only, imports nothing heavy, changes nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pipelines.releases.history import read_history
from pipelines.releases.release import Release, read_release
from pipelines.runs.lease import lease_is_live
from pipelines.runs.manifest import read_manifest
from pipelines.runs.stages import STAGES
from pipelines.store import NotFoundError, Store, StoreError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LIVE = ("action", "at", "by", "reason", "previous", "run_id", "gates", "positions")
LEDGER = ("in", "ok", "skipped", "rejected")


@dataclass(frozen=True)
class LiveRelease:
    """The release that is served, and how long ago anything was promoted; `problem` says what of it cannot be read."""

    release_id: str
    number: int
    action: str
    at: str
    age_s: float
    promoted_age_s: float
    by: str
    reason: str | None
    previous: str | None
    run_id: str
    gates: list[dict[str, Any]]
    positions: dict[str, str]
    model_id: str = ""
    index_id: str = ""
    catalogue_id: str = ""
    items: int = 0
    report: str = ""
    problem: str = ""


@dataclass(frozen=True)
class StageStatus:
    """One stage of a run: `state` is done, refused, running or unfinished; numbers are those of its manifest."""

    stage: str
    state: str
    counts: dict[str, int] = field(default_factory=dict)
    rejects: dict[str, int] = field(default_factory=dict)
    seconds: float | None = None
    started_at: str = ""
    notes: list[str] = field(default_factory=list)
    by: str = ""
    peak_memory_bytes: int | None = None


@dataclass(frozen=True)
class RunStatus:
    """One run: its stages in order, and when it was last heard of (seconds since 1970)."""

    run_id: str
    stages: list[StageStatus]
    heard_at: float


@dataclass(frozen=True)
class Status:
    """What a store says of itself; `runs` are the newest, newest first."""

    store: str
    live: LiveRelease | None
    runs: list[RunStatus]
    runs_total: int

    @property
    def running(self) -> list[tuple[str, StageStatus]]:
        """The stages that are at work now, with their run."""
        return [(run.run_id, stage) for run in self.runs for stage in run.stages if stage.state == "running"]

    def as_dict(self) -> dict[str, Any]:
        """Return the status as JSON values."""
        running = [{"run_id": run_id, **asdict(stage)} for run_id, stage in self.running]
        return asdict(self) | {"running": running}


def collect_status(store: Store, *, runs: int = 5, now: float | None = None) -> Status:
    """Return the status of a store with its newest `runs` and every run that is at work.

    Raises StoreError when the live log or a manifest is damaged.
    """
    now = time.time() if now is None else now
    found = sorted((_run(store, run_id, now) for run_id in store.folders("runs")), key=lambda run: -run.heard_at)
    shown = [run for i, run in enumerate(found) if i < runs or any(s.state == "running" for s in run.stages)]
    return Status(store.uri, _live(store, now), shown, len(found))


def lateness(status: Status, max_age_hours: float) -> str | None:
    """Return what is late: nothing was promoted for longer than that; None when something was."""
    if status.live is None:
        return "nothing was ever promoted"
    hours = status.live.promoted_age_s / 3600
    if hours <= max_age_hours:
        return None
    return f"nothing was promoted for {hours:.1f} hours, longer than {max_age_hours:g}; look at the last runs"


def render(status: Status, console: Console | None = None) -> None:
    """Print a status for a person."""
    from rich.console import Console

    console = console or Console()
    for line in _live_lines(status):
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    for run_id, stage in status.running:
        console.print(f"running  {stage.stage} of run {run_id}, by {stage.by}", markup=False, highlight=False)
    for run in status.runs:
        console.print(_run_table(run))
        for stage in run.stages:
            for line in (*_more(stage), *(f"  {stage.stage}: {note}" for note in stage.notes)):
                console.print(line, markup=False, highlight=False, soft_wrap=True)
    if status.runs_total > len(status.runs):
        console.print(f"{status.runs_total - len(status.runs)} older runs are not shown; --runs N shows more")


def _live(store: Store, now: float) -> LiveRelease | None:
    history = read_history(store)
    if history.live is None:
        return None
    entry, newest_first = history.live, [e for _, e in reversed(history.entries)]
    common: dict[str, Any] = {
        "release_id": entry["release_id"],
        "number": history.number,
        "age_s": _age_of(entry, now),
        "promoted_age_s": _age_of(next((e for e in newest_first if e["action"] == "promote"), entry), now),
        **{key: entry[key] for key in LIVE},
    }
    try:
        return LiveRelease(**common, **_parts(store, read_release(store, entry["release_id"])))
    except StoreError as error:  # a status must show a broken release, not stop at it
        return LiveRelease(**common, problem=str(error))


def _age_of(entry: dict[str, Any], now: float) -> float:
    return round(now - datetime.fromisoformat(entry["at"]).timestamp(), 1)


def _parts(store: Store, release: Release) -> dict[str, Any]:
    return {
        "model_id": release.model_id,
        "index_id": release.index_id,
        "catalogue_id": release.catalogue_id,
        "items": _items(store, release.index_id),
        "report": f"{store.uri}/releases/{release.release_id}/report.html",
    }


def _items(store: Store, index_id: str) -> int:
    return int(store.read_json(f"indexes/{index_id}/manifest.json")["counts"]["items"])


def _run(store: Store, run_id: str, now: float) -> RunStatus:
    stages, heard = [], [_time_of(run_id)]
    for stage in sorted(set(store.folders(f"runs/{run_id}")) & set(STAGES), key=STAGES.index):
        manifest, lease = read_manifest(store, run_id, stage), _lease(store, run_id, stage)
        if manifest is not None:
            stages.append(_finished(manifest))
            heard.append(datetime.fromisoformat(manifest["finished_at"]).timestamp())
            continue
        heard.append(float(lease.get("heartbeat", 0)))
        at_work = bool(lease) and lease_is_live(lease, now)
        by = f"process {lease['pid']} on {lease['host']}" if lease else ""
        stages.append(StageStatus(stage, "running" if at_work else "unfinished", by=by))
    return RunStatus(run_id, stages, max(heard))


def _finished(manifest: dict[str, Any]) -> StageStatus:
    refusal = manifest.get("refusal")
    return StageStatus(
        stage=manifest["stage"],
        state="refused" if refusal else "done",
        counts=manifest["counts"],
        rejects=manifest["rejects"],
        seconds=manifest["seconds"],
        started_at=manifest["started_at"],
        notes=[*manifest["notes"], *([f"refused: {refusal}"] if refusal else [])],
        by=manifest["host"],
        peak_memory_bytes=manifest.get("peak_memory_bytes"),
    )


def _lease(store: Store, run_id: str, stage: str) -> dict[str, Any]:
    try:
        lease: dict[str, Any] = store.read_json(f"runs/{run_id}/{stage}/lease.json")
    except NotFoundError:
        return {}
    return lease


def _time_of(run_id: str) -> float:
    try:
        return datetime.strptime(run_id, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:  # a run with a name of its own
        return 0.0


def _live_lines(status: Status) -> Iterator[str]:
    yield f"store    {status.store}"
    live = status.live
    if live is None:
        yield "live     nothing was promoted yet; `visual-search run` does all stages"
        return
    done = "promoted" if live.action == "promote" else "rolled back to"
    since = f"{done} {_age(live.age_s)} ago by {live.by}, run {live.run_id}"
    yield f"live     {live.release_id}  (no. {live.number}, {since})"
    if live.problem:
        yield f"PROBLEM  {live.problem}"
    else:
        parts = f"model {live.model_id}, index {live.index_id}, catalogue {live.catalogue_id}"
        yield f"parts    {live.items:,} items, {parts}"
        yield f"report   {live.report}"
    if live.reason:
        yield f"reason   {live.reason}"
    for gate in live.gates:
        yield f"gate     {'passed' if gate.get('passed') else 'FAILED'}  {_verdict(gate)}"
    for feed, position in sorted(live.positions.items()):
        yield f"feed     {feed} read up to {position}"


def _verdict(gate: dict[str, Any]) -> str:
    numbers = [f"{gate[key]:.4g}" if isinstance(gate.get(key), float | int) else "-" for key in ("value", "bound")]
    return f"{gate.get('metric')} = {numbers[0]}, bound {numbers[1]} ({gate.get('note') or gate.get('rule')})"


def _run_table(run: RunStatus) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(f"run {run.run_id}"), title_justify="left", box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for heading in ("stage", "state", *LEDGER, "seconds", "memory", "started"):
        justify: Literal["left", "right"] = "right" if heading in {*LEDGER, "seconds", "memory"} else "left"
        table.add_column(heading, justify=justify, no_wrap=True)
    for stage in run.stages:
        numbers = [f"{stage.counts[name]:,}" if name in stage.counts else "" for name in LEDGER]
        seconds = "" if stage.seconds is None else f"{stage.seconds:,.1f}"
        memory = "" if stage.peak_memory_bytes is None else f"{stage.peak_memory_bytes / (1 << 30):.1f}G"
        table.add_row(stage.stage, stage.state, *numbers, seconds, memory, stage.started_at[5:16].replace("T", " "))
    return table


def _more(stage: StageStatus) -> Iterator[str]:
    """Yield what a stage counted besides its ledger, and its rejects by code."""
    counts = [f"{name} {count:,}" for name, count in stage.counts.items() if name not in LEDGER]
    if counts:
        yield f"  {stage.stage}: {', '.join(counts)}"
    if stage.rejects and not any(" rejected: " in note for note in stage.notes):  # which tells them by code, too
        rejects = [f"{code} {count:,}" for code, count in sorted(stage.rejects.items(), key=lambda item: -item[1])]
        yield f"  {stage.stage}: rejected {', '.join(rejects)}"


def _age(seconds: float) -> str:
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} seconds"
