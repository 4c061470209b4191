"""`visual-search judge`: two releases side by side, judged by people."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Literal

import click

from pipelines.cli.failing import EXIT_FAILED, guarded
from pipelines.cli.options import config_option, quiet_option

ORIGINS = ("held-out", "gallery")

task_option = click.option("--task", "task_id", help="Of this task.  [default: the newest without a verdict]")


@click.group()
def judge() -> None:
    """Have people judge two releases: make a task, hand it to raters, and see what they say."""


@judge.command()
@config_option
@click.option(
    "--releases",
    nargs=2,
    metavar="A B",
    help="The two releases.  [default: the live one and what might follow it, else the one before and the live one]",
)
@click.option("--queries", type=click.IntRange(min=1), help="How many.  [default: judge.queries of the config]")
@click.option(
    "--from",
    "origin",
    type=click.Choice(ORIGINS),
    default=ORIGINS[0],
    show_default=True,
    help="Photos by which the releases were measured, or items of the gallery.",
)
@click.option("--once", is_flag=True, help="Where people are being asked about these two already, say of that task.")
@click.option("--seed", default=1, show_default=True, help="Of all that is drawn and shuffled.")
@quiet_option
@guarded
def new(
    config_path: str,
    releases: tuple[str, str] | None,
    queries: int | None,
    origin: Literal["held-out", "gallery"],
    once: bool,
    seed: int,
    quiet: bool,
) -> None:
    """Draw queries, ask both releases for ten results each, and write a task of it: blind and shuffled.

    The last line is one JSON object: its `task` is what `report`, `export` and the raters' page take, and `waits` is
    the run whose release B would go live by `promote`, "" if it did or may not.
    """
    from pipelines.config import load_config
    from pipelines.judge.choice import chosen, open_task, run_that_waits
    from pipelines.judge.preparation import Wanted, prepare
    from pipelines.judge.task import read_task
    from pipelines.releases.release import read_release
    from pipelines.store import open_store
    from pipelines.telemetry.progress import Progress

    config, progress = load_config(config_path), Progress(quiet=quiet)
    store = open_store(config.store.uri)
    first, second = releases or chosen(store)
    asked = open_task(store, read_release(store, first), read_release(store, second)) if once else None
    if asked is None:
        task = prepare(config, store, Wanted(first, second, queries or config.judge.queries, seed, origin), progress)
    else:
        task = read_task(store, asked.task_id)
        progress.say(f"judge: people are asked about {first} and {second} already, by the task {task.task_id}")
    for note in task.notes:
        progress.remind(f"judge: {note}")
    told = {"task": task.task_id, "queries": len(task.by_place), "questions": len(task.questions)}
    kinds = {"pairs": len(task.pairs), "gold": len(task.gold), "repeats": len(task.repeats)}
    told |= kinds | {"raters": task.raters, "first": task.first.release_id, "second": task.second.release_id}
    click.echo(json.dumps(told | {"waits": run_that_waits(store, task.second.release_id)}))


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


@judge.command()
@config_option
@task_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@guarded
def report(config_path: str, task_id: str | None, as_json: bool) -> None:
    """Say what people's answers come to, and whether they decide; keep the verdict once they do.

    It may be asked as often as one likes, after every answer: its bounds hold at all looks together.
    """
    from pipelines.config import load_config
    from pipelines.hidden import read_hidden
    from pipelines.judge.answers import Answers
    from pipelines.judge.report import report as report_of
    from pipelines.judge.task import newest_task_id, read_task
    from pipelines.judge.terminal import lines_of
    from pipelines.releases.verdicts import append_verdict
    from pipelines.search.output import printable
    from pipelines.store import open_store

    config = load_config(config_path)
    store = open_store(config.store.uri)
    task = read_task(store, task_id or newest_task_id(store)).without(read_hidden(store).item_ids)
    with Answers.open(config.answers) as answers:
        found = report_of(task, answers.of(task), config.judge.rater_quality)
    if found.verdict is not None:
        append_verdict(store, found.verdict)
    click.echo(json.dumps(found.as_dict()) if as_json else "\n".join(map(printable, lines_of(found))))


@judge.command()
@config_option
@click.argument("task_id", metavar="TASK")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--rater", default="", help="Who is to fill it in: each has an order of their own.")
@guarded
def export(config_path: str, task_id: str, file: str, rater: str) -> None:
    """Write a task's questions into a CSV file, which a rater elsewhere fills in: same, similar or not."""
    from pipelines.config import load_config
    from pipelines.hidden import read_hidden
    from pipelines.judge.answers import Answers, checked_name
    from pipelines.judge.sheets import write_sheet
    from pipelines.judge.task import read_task
    from pipelines.store import open_store

    config = load_config(config_path)
    store = open_store(config.store.uri)
    task = read_task(store, task_id).without(read_hidden(store).item_ids)
    with Answers.open(config.answers) as answers:
        count = write_sheet(task, Path(file), checked_name(rater) if rater else "", answers)
    click.echo(json.dumps({"task": task_id, "questions": count, "file": file}))


@judge.command(name="import")
@config_option
@click.argument("task_id", metavar="TASK")
@click.argument("file", type=click.Path(dir_okay=False))
@click.option("--rater", help="Who answered, where the column `rater` does not say.")
@guarded
def take(config_path: str, task_id: str, file: str, rater: str | None) -> None:
    """Take the answers of a CSV file; rows that cannot be taken are named, and the others count.

    The same file may be given again: only what is new in it is kept.
    """
    from pipelines.config import load_config
    from pipelines.judge.answers import Answers
    from pipelines.judge.sheets import read_sheet
    from pipelines.judge.task import read_task
    from pipelines.store import open_store

    config = load_config(config_path)
    task = read_task(open_store(config.store.uri), task_id)
    sheet = read_sheet(task, Path(file), rater)
    with Answers.open(config.answers) as answers:
        kept = answers.record_all(task, sheet.answers)
    for problem in sheet.problems:
        click.echo(f"{file}, {problem}", err=True)
    told = {"answers": len(sheet.answers), "new": kept, "empty": sheet.empty, "bad": len(sheet.problems)}
    click.echo(json.dumps({"task": task_id} | told))
    if sheet.problems:
        sys.exit(EXIT_FAILED)
