"""The options that several commands share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pipelines.runs.stages import POLICIES

if TYPE_CHECKING:
    from pipelines.config import Config

config_option = click.option(
    "--config",
    "-c",
    "config_path",
    required=True,
    type=click.Path(dir_okay=False),
    help="TOML file of the environment.",
)
run_id_option = click.option("--run-id", help="Name of the run; running one again goes on where it stopped.")


def _reason(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("it is recorded why a gate is passed; say it in a few words")
    return value


accept_option = click.option(
    "--accept",
    metavar="REASON",
    callback=_reason,
    help="Pass the gates that say no, of feeds and of the release; the reason is recorded.",
)
limit_option = click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="A sample of so many items, some of each category, in a store of its own.",
)
sample_option = click.option("--sample", is_flag=True, help="Look into the store of `run --limit`.")
policy_option = click.option(
    "--policy",
    type=click.Choice(POLICIES),
    help="When this run trains.  [default: train.policy of the config]",
)
model_option = click.option(
    "--model", metavar="MODEL", help="Use this model of the store, an imported one say; nothing is trained."
)


def read_config(path: str, *, sample: bool) -> Config:
    """Return the configuration of a file, or of the sample of its shop. Raises ConfigError."""
    from pipelines.config import load_config

    config = load_config(path)
    return config.sampled() if sample else config


quiet_option = click.option("--quiet", "-q", is_flag=True, help="No progress on stderr.")
