"""The options that several commands share."""

from __future__ import annotations

import click

from pipelines.runs.stages import POLICIES

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
model_option = click.option(
    "--model", metavar="MODEL", help="Use this model of the store, an imported one say; nothing is trained."
)
quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
