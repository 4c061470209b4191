"""`visual-search init` and `visual-search check`: a look at a shop's own catalogue before anything is paid for."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipelines.cli.failing import EXIT_FAILED, guarded


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
    fill_in = "fill in the lines above, then: " if drafted.to_fill_in else ""
    click.echo(f"next: {fill_in}visual-search check --config {output}, then visual-search run --config {output}")
    if drafted.to_fill_in:
        sys.exit(EXIT_FAILED)
