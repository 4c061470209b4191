"""The command `visual-search`: what holds for all its commands."""

from __future__ import annotations

import sys
from io import TextIOWrapper

import click

from pipelines.runs import termination
from pipelines.telemetry import logs
from trainer import process

ONE_BY_ONE = frozenset({"search", "serve", "trace"})
"""Commands that ask a model about few photos at a time."""


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
@click.pass_context
def main(context: click.Context, log_format: str, on_sigterm: str) -> None:
    """Turn a shop's catalogue into a promoted, searchable index of its photos.

    The stages, in order: catalogue, preprocess, train, embed, index, evaluate, promote. Each is idempotent and can be
    killed and run again at any point. Exit codes: 0 done, 1 failed, 2 wrong usage or config, 3 a gate said no, 4 a
    release waits for people's verdict, 143 ended by SIGTERM.
    """
    logs.set_up(log_format)
    termination.listen(on_sigterm)
    if isinstance(sys.stdout, TextIOWrapper):  # names of files and items hold what not every terminal can show
        sys.stdout.reconfigure(errors="backslashreplace")
    process.set_up(one_by_one=context.invoked_subcommand in ONE_BY_ONE)
