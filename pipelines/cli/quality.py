"""`visual-search quality`: where a release is weakest."""

from __future__ import annotations

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option, read_config, sample_option


@click.command()
@config_option
@click.option("--release", help="Look at this release, not the live one.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000), help="Of each kind.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and finding.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write a page of pictures.")
@sample_option
@guarded
def quality(config_path: str, release: str | None, limit: int, as_json: bool, html: str | None, sample: bool) -> None:
    """Show the weakest matches of the live release, and what a curator would type.

    Items that nothing is like, items that stand among another category's, and equal photos in unequal categories. What
    `visual-search curate` has decided is left out.
    """
    from pipelines.quality.command import as_lines, look, told

    found = look(read_config(config_path, sample=sample), config_path, release, limit, html)
    for line in as_lines(found) if as_json else told(found, config_path) if not html else ():
        click.echo(line)
    if html:
        click.echo(
            f"written: {html}: {sum(map(len, found.findings.values()))} findings of {found.of:,} items", err=True
        )
