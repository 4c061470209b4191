"""`visual-search judge`: two releases side by side, judged by people."""

from __future__ import annotations

import json
from typing import Literal

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option, quiet_option

ORIGINS = ("held-out", "gallery")


@click.group()
def judge() -> None:
    """Have people judge two releases: make a task, hand it to raters, and see what they say."""


@judge.command()
@config_option
@click.option("--releases", nargs=2, required=True, metavar="A B", help="The two releases; A is live, say, B is new.")
@click.option("--queries", type=click.IntRange(min=1), help="How many.  [default: judge.queries of the config]")
@click.option(
    "--from",
    "origin",
    type=click.Choice(ORIGINS),
    default=ORIGINS[0],
    show_default=True,
    help="Photos by which the releases were measured, or items of the gallery.",
)
@click.option("--seed", default=1, show_default=True, help="Of all that is drawn and shuffled.")
@quiet_option
@guarded
def new(
    config_path: str,
    releases: tuple[str, str],
    queries: int | None,
    origin: Literal["held-out", "gallery"],
    seed: int,
    quiet: bool,
) -> None:
    """Draw queries, ask both releases for ten results each, and write a task of it: blind and shuffled.

    The last line is one JSON object: its `task` is what `report`, `export` and the raters' page take.
    """
    from pipelines.config import load_config
    from pipelines.judge.preparation import Wanted, prepare
    from pipelines.store import open_store
    from pipelines.telemetry.progress import Progress

    config, progress = load_config(config_path), Progress(quiet=quiet)
    wanted = Wanted(*releases, queries or config.judge.queries, seed, origin)
    task = prepare(config, open_store(config.store.uri), wanted, progress)
    for note in task.notes:
        progress.remind(f"judge: {note}")
    told = {"task": task.task_id, "queries": len(task.by_place), "questions": len(task.questions)}
    kinds = {"pairs": len(task.pairs), "gold": len(task.gold), "repeats": len(task.repeats)}
    click.echo(json.dumps(told | kinds | {"raters": task.raters}))


@judge.command(name="list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@guarded
def show(config_path: str, as_json: bool) -> None:
    """List the tasks of the store, oldest first, each with what it came to."""
    from pipelines.config import load_config
    from pipelines.judge.terminal import line_of
    from pipelines.releases.verdicts import standings
    from pipelines.store import open_store

    found = list(standings(open_store(load_config(config_path).store.uri)))
    for standing in found:
        click.echo(json.dumps(standing.as_dict()) if as_json else line_of(standing))
    if not found and not as_json:
        click.echo("there is no task yet; make one with `visual-search judge new`", err=True)
