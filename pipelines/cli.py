"""The command line: the only module that sees argv. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from functools import wraps
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import click

from pipelines.runs import termination
from pipelines.runs.stages import POLICIES, PROMOTIONS, STAGES
from pipelines.telemetry import logs
from trainer import process

EXIT_FAILED, EXIT_USAGE, EXIT_REFUSED = 1, 2, 3

Command = Callable[..., Any]

config_option = click.option(
    "--config",
    "-c",
    "config_path",
    required=True,
    type=click.Path(dir_okay=False),
    help="TOML file of the environment.",
)
run_id_option = click.option("--run-id", help="Name of the run; running one again goes on where it stopped.")
accept_option = click.option("--accept", metavar="REASON", help="Pass a gate that said no; the reason is recorded.")
limit_option = click.option(
    "--limit", type=click.IntRange(min=1), help="Read only the first rows of each snapshot file."
)
policy_option = click.option(
    "--policy",
    type=click.Choice(POLICIES),
    help="When this run trains.  [default: train.policy of the config]",
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")


def guarded(command: Command) -> Command:
    """Turn the project's errors into one line on stderr and their exit codes."""

    @wraps(command)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return explained(*args, **kwargs)
        except (termination.TerminatedError, termination.LeavingError) as end:
            logs.fail(str(end), termination.EXIT_TERMINATED)
            sys.stdout.flush()
            os._exit(termination.EXIT_TERMINATED)  # threads of workers would go on with their units

    def explained(*args: Any, **kwargs: Any) -> Any:
        from pipelines.config import ConfigError
        from pipelines.errors import GateError, StageError
        from pipelines.store import StoreError

        try:
            return command(*args, **kwargs)
        except ConfigError as error:
            _fail(str(error), EXIT_USAGE)
        except GateError as error:
            _fail(f"refused: {error}", EXIT_REFUSED)
        except (StageError, StoreError) as error:
            _fail(str(error), EXIT_FAILED)
        except Exception as error:
            if isinstance(error, click.ClickException) or not logs.is_json():
                raise
            logs.crash(error)
            sys.exit(EXIT_FAILED)

    return call


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="visual-search")
@click.option(
    "--log-format",
    type=click.Choice(logs.FORMATS),
    default=logs.FORMATS[0],
    show_default=True,
    envvar="VISUAL_SEARCH_LOG_FORMAT",
    show_envvar=True,
    help="Lines on stderr: text, or one JSON object a line.",
)
@click.option(
    "--on-sigterm",
    type=click.Choice(termination.CHOICES),
    default=termination.CANCEL,
    show_default=True,
    envvar="VISUAL_SEARCH_ON_SIGTERM",
    show_envvar=True,
    help="What becomes of jobs on a cluster: they end, as by Ctrl-C, or are left to the attempt that follows.",
)
def main(log_format: str, on_sigterm: str) -> None:
    """Turn a shop's catalogue into a promoted, searchable index of its photos.

    The stages, in order: catalogue, preprocess, train, embed, index, evaluate, promote. Each is idempotent and can be
    killed and run again at any point. Exit codes: 0 done, 1 failed, 2 wrong usage or config, 3 a gate said no, 143
    ended by SIGTERM.
    """
    logs.set_up(log_format)
    termination.listen(on_sigterm)
    if isinstance(sys.stdout, TextIOWrapper):  # names of files and items hold what not every terminal can show
        sys.stdout.reconfigure(errors="backslashreplace")
    process.set_up()


@main.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--items", default=2000, show_default=True, type=click.IntRange(min=1), help="Products to draw.")
@click.option(
    "--leaf-categories", default=30, show_default=True, type=click.IntRange(min=1), help="Leaves of the taxonomy."
)
@click.option("--seed", default=7, show_default=True, help="The same seed draws the same files.")
@click.option(
    "--poison", default=0.03, show_default=True, type=click.FloatRange(0, 0.5), help="Share of broken rows and photos."
)
@quiet_option
@guarded
def demo(folder: str, items: int, leaf_categories: int, seed: int, poison: float, quiet: bool) -> None:
    """Write a synthetic catalogue, and a config for it, into FOLDER."""
    from pipelines.demo.fates import Shares
    from pipelines.demo.writer import write_catalogue
    from pipelines.telemetry.progress import Progress

    path = Path(folder)
    progress = Progress(quiet=quiet)
    progress.say(f"demo: drawing {items} products in {leaf_categories} leaf categories")
    try:
        summary = write_catalogue(
            path, items=items, leaf_categories=leaf_categories, seed=seed, shares=Shares(poison=poison)
        )
    except (ValueError, FileExistsError) as error:
        _fail(str(error), EXIT_USAGE)
    click.echo(json.dumps({**asdict(summary), "folder": str(path), "config": str(path / "config.toml")}))


@main.command()
@config_option
@run_id_option
@click.option(
    "--from", "first", type=click.Choice(STAGES), default=STAGES[0], help="First stage.  [default: catalogue]"
)
@click.option("--to", "last", type=click.Choice(STAGES), default=STAGES[-1], help="Last stage.  [default: promote]")
@policy_option
@accept_option
@limit_option
@quiet_option
@guarded
def run(
    config_path: str,
    run_id: str | None,
    first: str,
    last: str,
    policy: str | None,
    accept: str | None,
    limit: int | None,
    quiet: bool,
) -> None:
    """Run the stages in order, from the feeds to a promoted release."""
    from pipelines.runs.sequence import stages_between

    if first != STAGES[0] and run_id is None:
        raise click.UsageError(f"--from {first} goes on with an earlier run; name it with --run-id")
    stages = stages_between(first, last)
    if policy is not None and "train" not in stages:
        raise click.UsageError(f"--policy {policy} says when a run trains, and train is not between {first} and {last}")
    _run(config_path, run_id, stages, accept, limit, quiet, policy)


def _unchanged(command: Command) -> Command:
    return command


def _stage_command(stage: str) -> None:
    summaries = {
        "catalogue": "Read the feeds into one state an item.",
        "preprocess": "Fetch and prepare the photos that are new.",
        "train": "Train a model, or keep the live one.",
        "embed": "Turn photos that have no vector into vectors.",
        "index": "Build the indexes and the table of similar items.",
        "evaluate": "Measure a release, and bless it or not.",
        "promote": "Make the run's release the live one.",
    }

    @main.command(name=stage, help=summaries[stage])
    @config_option
    @click.option("--run-id", required=stage != STAGES[0], help="Name of the run.")
    @accept_option
    @limit_option
    @quiet_option
    @(policy_option if stage == "train" else _unchanged)
    @guarded
    def command(
        config_path: str,
        run_id: str | None,
        accept: str | None,
        limit: int | None,
        quiet: bool,
        policy: str | None = None,
    ) -> None:
        _run(config_path, run_id, (stage,), accept, limit, quiet, policy)


for _stage in STAGES:
    _stage_command(_stage)


@main.command()
@config_option
@click.argument("images", nargs=-1, type=click.Path())
@click.option(
    "--item",
    "items",
    multiple=True,
    help="Search by an item of the catalogue; may be repeated. "
    "The item, others with one of its photos, and its variants (of one group) are left out: a photo's file finds them.",
)
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="Results a query.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and query.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write a page of pictures.")
@click.option("--release", help="Search this release, not the live one.")
@guarded
def search(
    config_path: str,
    images: tuple[str, ...],
    items: tuple[str, ...],
    k: int,
    as_json: bool,
    html: str | None,
    release: str | None,
) -> None:
    """Search with photos (files or folders), or with items of the catalogue.

    Below a folder every file is tried. One that is no photo, and is not named as one, is shown with what is wrong with
    it and fails nothing; the exit code is 1 where a photo or an item could not be asked, or nothing could.
    """
    if bool(images) == bool(items):
        raise click.UsageError("give photos, or items with --item, not both")
    for image in images:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", image):
            raise click.UsageError(
                f"{image} is no path: photos to search with are files and folders of this machine; fetch it first"
            )
    from pipelines.config import load_config
    from pipelines.search.command import search_and_show

    failed = search_and_show(
        load_config(config_path),
        [Path(i) for i in images],
        list(items),
        k,
        as_json=as_json,
        html=html,
        release_id=release,
    )
    sys.exit(EXIT_FAILED if failed else 0)


@main.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(min=1), help="How many runs to show.")
@click.option(
    "--max-age", type=click.FloatRange(min=0), metavar="HOURS", help="Fail when nothing was promoted for so long."
)
@guarded
def status(config_path: str, as_json: bool, runs: int, max_age: float | None) -> None:
    """Show the live release and how good it is, the last runs, and the ledger of each stage."""
    from pipelines.config import load_config
    from pipelines.status.status import collect_status, lateness
    from pipelines.status.summary import in_words
    from pipelines.status.terminal import render
    from pipelines.store import open_store

    store = open_store(load_config(config_path).store.uri)
    found = collect_status(store, runs=runs)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
    else:
        render(found)
        for line in in_words(store, found.live, config_path) if found.live else []:
            click.echo(line)
    late = None if max_age is None else lateness(found, max_age)
    if late:
        _fail(late, EXIT_FAILED)


@main.command()
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
    from pipelines.backfill.schedule import Request
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
    from pipelines.backfill.schedule import cancel
    from pipelines.config import load_config
    from pipelines.store import open_store

    click.echo(json.dumps(cancel(open_store(load_config(config_path).store.uri), backfill_id)))


@main.command()
@config_option
@click.option("--reason", required=True, help="Why; recorded in the log.")
@click.option("--to", "release", help="The release to go back to.  [default: the one before]")
@guarded
def rollback(config_path: str, reason: str, release: str | None) -> None:
    """Make an earlier release the live one again."""
    from pipelines.config import load_config
    from pipelines.promote.stage import rollback as roll_back
    from pipelines.store import open_store
    from pipelines.telemetry.progress import Progress

    entry = roll_back(open_store(load_config(config_path).store.uri), reason=reason, to=release)
    Progress().say(
        f"rollback: {entry['release_id']} is live again, instead of {entry['previous']}. The next run that passes its "
        "gates goes live in its place: mend what was bad before, or stop the runs; `visual-search status` tells more"
    )
    click.echo(json.dumps({name: value for name, value in entry.items() if name != "gates"}))


@main.command()
@config_option
@click.option(
    "--grace", default=24.0, show_default=True, type=click.FloatRange(min=0), help="Hours that anything is kept."
)
@click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@guarded
def gc(config_path: str, grace: float, dry_run: bool) -> None:
    """Remove what no kept release, running stage or recent run refers to."""
    from pipelines.config import load_config
    from pipelines.releases.gc import collect_garbage
    from pipelines.store import open_store

    config = load_config(config_path)
    result = collect_garbage(
        open_store(config.store.uri),
        keep=config.promote.keep,
        measured=config.evaluate.anchor_releases,
        grace_s=grace * 3600,
        refused_s=config.promote.keep_refused_days * 86400,
        dry_run=dry_run,
    )
    for line in result.lines():
        click.echo(line, err=True)
    click.echo(json.dumps(result.as_dict()))


def _run(
    config_path: str,
    run_id: str | None,
    stages: tuple[str, ...],
    accept: str | None,
    limit: int | None,
    quiet: bool,
    policy: str | None,
) -> None:
    from pipelines.config import load_config
    from pipelines.runs.context import new_run_id
    from pipelines.runs.manifest import last_line
    from pipelines.runs.sequence import open_run, run_stages
    from pipelines.telemetry.progress import Progress

    progress, config = Progress(quiet=quiet), load_config(config_path)
    if policy is not None:
        config = config.with_policy(policy)
    context = open_run(config, run_id or new_run_id(), progress, accept_reason=accept, limit=limit)
    progress.say(f"run {context.run_id}: {', '.join(stages)}")
    for manifest in run_stages(context, stages):
        for note in manifest["notes"]:
            progress.remind(f"{manifest['stage']}: {note}")
        click.echo(last_line(manifest))
        if manifest["refusal"]:
            _fail(f"refused: {manifest['refusal']}", EXIT_REFUSED)


def _fail(message: str, code: int) -> None:
    logs.fail(message, code)
    sys.exit(code)


if __name__ == "__main__":
    main()
