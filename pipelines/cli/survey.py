"""`visual-search init` and `visual-search check`: a look at a shop's own catalogue before anything is paid for."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from pipelines.cli.failing import EXIT_FAILED, guarded
from pipelines.cli.options import config_option, quiet_option


@click.command()
@click.argument("feed")
@click.option(
    "--output", default="shop.toml", show_default=True, type=click.Path(dir_okay=False), help="The config to write."
)
@click.option("--photos", metavar="PLACE", help="Where relative photo paths start from: a folder, gs:// or https://.")
@click.option(
    "--allow-network", multiple=True, metavar="NET", help="A private network or host that may be asked: 10.0.0.0/8."
)
@click.option("--force", is_flag=True, help="Write over a config that is there.")
@guarded
def init(feed: str, output: str, photos: str | None, allow_network: tuple[str, ...], force: bool) -> None:
    """Guess how FEED is written and what its columns hold, and write a commented config for it.

    FEED is a path, a glob, a gs:// URI or an https:// address. Its first rows are looked at; no photo is fetched. What
    could not be told is a line that begins with `# FILL IN:`, and the exit code is 1 while there is one.
    """
    from pipelines.survey.draft.command import check_free, draft_config

    path = Path(output)
    check_free(path, force=force)
    drafted = draft_config(feed, path, photos, allow_network)
    path.write_text(drafted.text, encoding="utf-8")
    click.echo("\n".join([*drafted.told, f"written: {output}"]))
    for line in drafted.to_fill_in:
        click.echo(line)
    fill_in = "see to the lines above, then: " if drafted.to_fill_in else ""
    click.echo(f"next: {fill_in}visual-search check --config {output}, then visual-search run --config {output}")
    if drafted.to_fill_in:
        sys.exit(EXIT_FAILED)


@click.command()
@config_option
@click.option("--photos", default=200, show_default=True, type=click.IntRange(min=0), help="Photos to fetch.")
@click.option(
    "--seconds", default=60.0, show_default=True, type=click.FloatRange(min=1), help="How long they may take, in all."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
@quiet_option
@guarded
def check(config_path: str, photos: int, seconds: float, as_json: bool, quiet: bool) -> None:
    """Read the whole feed as a run would, fetch some photos, and say what is odd and what would stop a run.

    Nothing is written into the store. Each finding says what to do. Exit code 1 when something would stop a run.
    """
    from pipelines.config import load_config
    from pipelines.survey.look.command import check_config
    from pipelines.telemetry.progress import Progress

    report = check_config(load_config(config_path), config_path, photos, seconds, Progress(quiet=quiet or as_json))
    click.echo(json.dumps(report.as_json(), ensure_ascii=False) if as_json else "\n".join(report.lines()))
    if report.stops:
        sys.exit(EXIT_FAILED)
