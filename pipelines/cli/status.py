"""`visual-search status`."""

from __future__ import annotations

import json

import click

from pipelines.cli.failing import EXIT_FAILED, fail, guarded
from pipelines.cli.options import config_option, read_config, sample_option


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--runs", default=5, show_default=True, type=click.IntRange(min=1), help="How many runs to show.")
@click.option(
    "--max-age", type=click.FloatRange(min=0), metavar="HOURS", help="Fail when nothing was promoted for so long."
)
@sample_option
@guarded
def status(config_path: str, as_json: bool, runs: int, max_age: float | None, sample: bool) -> None:
    """Show the live release and how good it is, the last runs, and the ledger of each stage."""
    from pipelines.status.held import held_lines
    from pipelines.status.status import collect_status, lateness
    from pipelines.status.summary import in_words
    from pipelines.status.terminal import render
    from pipelines.store import open_store

    store = open_store(read_config(config_path, sample=sample).store.uri)
    found = collect_status(store, runs=runs)
    if as_json:
        click.echo(json.dumps(found.as_dict()))
    else:
        held = list(held_lines(found.held, config_path, sample=sample)) if found.held else []
        click.echo("".join(f"{line}\n" for line in held), nl=bool(held))
        render(found, config_path)
        for line in in_words(store, found.live, config_path, sample=sample) if found.live else []:
            click.echo(line)
        for line in ["", *held] if held else []:
            click.echo(line)
    late = None if max_age is None else lateness(found, max_age)
    if late:
        fail(late, EXIT_FAILED)
