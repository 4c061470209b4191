"""`visual-search run`, and a command for each of its stages."""

from __future__ import annotations

import json

import click

from pipelines.cli.failing import RUN_ID, Command, guarded
from pipelines.cli.options import (
    accept_option,
    config_option,
    limit_option,
    model_option,
    policy_option,
    quiet_option,
    run_id_option,
)
from pipelines.runs.stages import STAGES


@click.command()
@config_option
@run_id_option
@click.option(
    "--from", "first", type=click.Choice(STAGES), default=STAGES[0], help="First stage.  [default: catalogue]"
)
@click.option("--to", "last", type=click.Choice(STAGES), default=STAGES[-1], help="Last stage.  [default: promote]")
@policy_option
@model_option
@accept_option
@limit_option
@click.option("--plan", "plan_only", is_flag=True, help="Only say what the run would do, take and cost.")
@quiet_option
@guarded
def run(
    config_path: str,
    run_id: str | None,
    first: str,
    last: str,
    policy: str | None,
    model: str | None,
    accept: str | None,
    limit: int | None,
    plan_only: bool,
    quiet: bool,
) -> None:
    """Run the stages in order, from the feeds to a promoted release."""
    from pipelines.runs.sequence import stages_between

    if plan_only:
        _plan(config_path, policy, quiet=quiet)
        return

    if first != STAGES[0] and run_id is None:
        raise click.UsageError(f"--from {first} goes on with an earlier run; name it with --run-id")
    stages = stages_between(first, last)
    if policy is not None and "train" not in stages:
        raise click.UsageError(f"--policy {policy} says when a run trains, and train is not between {first} and {last}")
    if model is not None and "train" not in stages:
        raise click.UsageError(f"--model {model} stands for a training, and train is not between {first} and {last}")
    run_and_tell(config_path, run_id, stages, accept, limit, quiet, policy, model)


def _plan(config_path: str, policy: str | None, *, quiet: bool) -> None:
    """Say on stderr what a run would do, and on stdout the same as one JSON object."""
    from pipelines.config import load_config
    from pipelines.forecast.run import plan_run
    from pipelines.forecast.words import lines
    from pipelines.telemetry.progress import Progress

    progress, config = Progress(quiet=quiet), load_config(config_path)
    plan = plan_run(config if policy is None else config.with_policy(policy), progress)
    for line in lines(plan):
        progress.say(line)
    click.echo(json.dumps(plan.as_dict()))


def _unchanged(command: Command) -> Command:
    return command


def stage_command(stage: str) -> click.Command:
    """Return the command that runs one stage."""
    summaries = {
        "catalogue": "Read the feeds into one state an item.",
        "preprocess": "Fetch and prepare the photos that are new.",
        "train": "Train a model, or keep the live one.",
        "embed": "Turn photos that have no vector into vectors.",
        "index": "Build the indexes and the table of similar items.",
        "evaluate": "Measure a release, and bless it or not.",
        "promote": "Make the run's release the live one.",
    }

    @click.command(name=stage, help=summaries[stage])
    @config_option
    @click.option("--run-id", required=stage != STAGES[0], help="Name of the run.")
    @accept_option
    @limit_option
    @quiet_option
    @(policy_option if stage == "train" else _unchanged)
    @(model_option if stage == "train" else _unchanged)
    @guarded
    def command(
        config_path: str,
        run_id: str | None,
        accept: str | None,
        limit: int | None,
        quiet: bool,
        policy: str | None = None,
        model: str | None = None,
    ) -> None:
        run_and_tell(config_path, run_id, (stage,), accept, limit, quiet, policy, model)

    return command


def run_and_tell(
    config_path: str,
    run_id: str | None,
    stages: tuple[str, ...],
    accept: str | None,
    limit: int | None,
    quiet: bool,
    policy: str | None,
    model: str | None,
) -> None:
    """Run stages, showing what they say and their last lines; a gate that says no ends the command, unless accepted."""
    from pipelines.config import load_config
    from pipelines.errors import GateError
    from pipelines.runs.commands import completed
    from pipelines.runs.context import Overrides, new_run_id
    from pipelines.runs.manifest import last_line
    from pipelines.runs.sequence import open_run, run_stages
    from pipelines.telemetry.progress import Progress

    progress, config = Progress(quiet=quiet), load_config(config_path)
    if policy is not None and model is not None:
        raise click.UsageError(f"--policy {policy} says when a run trains, and --model {model} that it does not")
    if policy is not None:
        config = config.with_policy(policy)
    if limit is not None:
        config = config.sampled()
        progress.say(f"a sample of {limit} items, in {config.store.uri}: look into it with `--sample`")
    overrides = Overrides(model_id=model)
    context = open_run(config, run_id or new_run_id(), progress, accept_reason=accept, limit=limit, overrides=overrides)
    click.get_current_context().meta[RUN_ID] = context.run_id
    progress.say(f"run {context.run_id}: {', '.join(stages)}")
    for manifest in run_stages(context, stages):
        for note in manifest["notes"]:
            progress.remind(f"{manifest['stage']}: {completed(note, config_path)}")
        click.echo(last_line(manifest))
        if manifest["refusal"]:
            if not accept or manifest["stage"] == stages[-1]:
                raise GateError(manifest["refusal"], stage="promote", run_id=context.run_id)
            progress.remind(f"{manifest['stage']}: {manifest['refusal']}. It goes on all the same: {accept}")
