"""A status in the terminal, for a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

from pipelines.releases.gate import Gate
from pipelines.runs.commands import completed
from pipelines.status.gates import gate_lines
from pipelines.status.runs import RunStatus, StageStatus
from pipelines.status.status import Status

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LEDGER = ("in", "ok", "skipped", "rejected")


def render(status: Status, config_path: str, console: Console | None = None) -> None:
    """Print a status for a person, who asks with a config."""
    from rich.console import Console

    console = console or Console()
    for line in _live_lines(status):
        console.print(completed(line, config_path), markup=False, highlight=False, soft_wrap=True)
    if status.hidden:
        count = "1 item" if status.hidden == 1 else f"{status.hidden:,} items"
        line = f"hidden   {count}, which no search finds: `visual-search hide --list` names them"
        console.print(completed(line, config_path), markup=False, highlight=False, soft_wrap=True)
    for run_id, stage in status.running:
        console.print(f"running  {stage.stage} of run {run_id}, by {stage.by}", markup=False, highlight=False)
    for run in status.runs:
        console.print(_run_table(run))
        for stage in run.stages:
            for line in (*_more(stage), *(f"  {stage.stage}: {note}" for note in stage.notes)):
                console.print(completed(line, config_path), markup=False, highlight=False, soft_wrap=True)
    if status.runs_total > len(status.runs):
        console.print(f"{status.runs_total - len(status.runs)} older runs are not shown; --runs N shows more")


def _live_lines(status: Status) -> Iterator[str]:
    yield f"store    {status.store}"
    live = status.live
    if live is None and (held := status.held) and held.state == "refused":
        yield f"live     nothing was promoted yet: run {held.run_id} was refused in {held.stage}"
        return
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
    if live.measured_for != live.release_id:
        at = f"{live.measured_at[:16].replace('T', ' ')} UTC"
        yield f"numbers  measured for release {live.measured_for}, {at}; nothing that they depend on is new since then"
    if live.reason:
        yield f"reason   {live.reason}"
    gates = [Gate.of(gate) for gate in live.gates]
    yield from (f"gate     {line}" for line in gate_lines(gates, live.measured_for or live.release_id))
    for feed, position in sorted(live.positions.items()):
        yield f"feed     {feed} read up to {position}"


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
