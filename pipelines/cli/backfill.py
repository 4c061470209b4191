"""`visual-search backfill`."""

from __future__ import annotations

import json
import os
from datetime import datetime

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option, quiet_option
from pipelines.runs.stages import PROMOTIONS, STAGES


@click.command()
@config_option
@click.option("--start", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC); required.")
@click.option("--end", type=click.DateTime(["%Y-%m-%d"]), help="Last day (UTC); required.")
@click.option(
    "--stages",
    default="preprocess,embed,index,evaluate",
    show_default=True,
    metavar="S,S…",
    help="What is to be done again: `catalogue` reads the deltas of these days again, `train` makes one model for all "
    "days. What a stage needs of those before it is done too, and costs nothing where nothing is new.",
)
@click.option(
    "--promote",
    type=click.Choice(PROMOTIONS),
    help="What goes live: the newest catalogue's release, that of the last day, each day's, or none.  "
    "[default: newest after evaluate, else none]",
)
@click.option("--repair", is_flag=True, help="Read back every unit of the tables first; damaged ones are made again.")
@click.option("--force", metavar="REASON", help="Promote what is older than the live release; the reason is recorded.")
@click.option("--dry-run", is_flag=True, help="Say what would be done and what it would take; do nothing.")
@click.option("--cancel", metavar="ID", help="Give up a backfill that was begun, and do nothing else.")
@click.option("--run-id", help="Name of the backfill; running one again goes on where it stopped.")
@click.option(
    "--nice", default=10, show_default=True, type=click.IntRange(0, 19), help="How far it stands back for others."
)
@quiet_option
@guarded
def backfill(
    config_path: str,
    start: datetime | None,
    end: datetime | None,
    stages: str,
    promote: str | None,
    repair: bool,
    force: str | None,
    dry_run: bool,
    cancel: str | None,
    run_id: str | None,
    nice: int,
    quiet: bool,
) -> None:
    """Do stages again for past days, oldest first; the plan and its price come first.

    For a bug in how photos were prepared, a new model over the whole catalogue, a lost or damaged unit, or feeds that
    came late.
    """
    if cancel is not None:
        _cancel_backfill(config_path, cancel)
        return
    if start is None or end is None:
        raise click.UsageError("say from which day to which, with --start and --end")
    chosen = tuple(stage for stage in STAGES if stage in stages.split(","))
    unknown = [name for name in stages.split(",") if name not in STAGES[:-1]]
    if unknown:
        raise click.UsageError(f"--stages names {unknown[0]!r}; choose from {', '.join(STAGES[:-1])}")
    if promote not in {None, "none"} and chosen[-1] != "evaluate":
        raise click.UsageError(f"--promote {promote} needs a release: add evaluate to --stages")
    from pipelines.backfill.command import backfill as do_again
    from pipelines.backfill.plan import Request
    from pipelines.config import load_config
    from pipelines.runs.context import new_run_id
    from pipelines.telemetry.progress import Progress

    promotion = promote or ("newest" if chosen[-1] == "evaluate" else "none")
    request = Request(str(start.date()), str(end.date()), chosen, promotion, repair, force)
    os.setpriority(os.PRIO_PROCESS, 0, max(nice, os.getpriority(os.PRIO_PROCESS, 0)))
    name = run_id or f"backfill-{new_run_id()}"
    for line in do_again(load_config(config_path), request, name, Progress(quiet=quiet), dry_run=dry_run):
        click.echo(line)


def _cancel_backfill(config_path: str, backfill_id: str) -> None:
    from pipelines.backfill.plan import cancel
    from pipelines.config import load_config
    from pipelines.store import open_store

    click.echo(json.dumps(cancel(open_store(load_config(config_path).store.uri), backfill_id)))
