"""`visual-search trace`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from pipelines.cli.failing import EXIT_FAILED, EXIT_USAGE, guarded
from pipelines.cli.options import config_option, read_config, sample_option


@click.command()
@config_option
@click.argument("item")
@click.option("--release", help="Look at this release, not at the live one.")
@click.option("--query", type=click.Path(dir_okay=False), help="A photo by which the item should be found.")
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="Results of that query.")
@click.option("--feeds/--no-feeds", default=True, help="Look for the item's rows in the feeds, which are read whole.")
@click.option("--alike", is_flag=True, help="Look for items with photos that look the same: reads all of the run's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@sample_option
@guarded
def trace(
    config_path: str,
    item: str,
    release: str | None,
    query: str | None,
    k: int,
    feeds: bool,
    alike: bool,
    as_json: bool,
    sample: bool,
) -> None:
    """Say why an item is not found: what became of its row and photos, and the step at which it fell out.

    Exit codes: 0 searches find it, 1 they do not, 2 no feed or catalogue has it.
    """
    from pipelines.runs.commands import completed
    from pipelines.search.output import printable
    from pipelines.store import open_store
    from pipelines.trace.item import Tracer
    from pipelines.trace.query import trace_query
    from pipelines.trace.terminal import lines_of

    config = read_config(config_path, sample=sample)
    store = open_store(config.store.uri)
    found = Tracer(config, store, release, read_feeds=feeds, look_alike=alike).trace(item)
    if query is not None:
        found = trace_query(config, store, found, Path(query), k, release)
    if as_json:
        click.echo(json.dumps(_completed(found.as_dict(), config_path)))
    else:
        click.echo("\n".join(printable(completed(line, config_path)) for line in lines_of(found)))
    sys.exit(0 if found.verdict.is_found else EXIT_FAILED if found.is_known else EXIT_USAGE)


def _completed(value: Any, config_path: str) -> Any:
    """Return values of JSON, in whose texts every command has the config that it needs."""
    from pipelines.runs.commands import completed

    if isinstance(value, str):
        return completed(value, config_path)
    if isinstance(value, dict):
        return {name: _completed(one, config_path) for name, one in value.items()}
    return [_completed(one, config_path) for one in value] if isinstance(value, list | tuple) else value
