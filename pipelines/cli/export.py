"""`visual-search export`."""

from __future__ import annotations

import json

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option, quiet_option

FORMATS = ("parquet", "qdrant", "opensearch", "vertex")
SERVERS = ("qdrant", "opensearch")


@click.command()
@config_option
@click.argument("place", required=False, metavar="[FOLDER]")
@click.option("--to", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True, help="The files' format.")
@click.option("--release", help="Export this release, not the live one.")
@click.option("--since", metavar="RELEASE", help="With --to vertex: only what changed since that release.")
@click.option("--url", help="Send it to this server instead of writing files; for qdrant and opensearch.")
@click.option("--name", help="With --url: the alias that readers ask, of a collection or index of the release's own.")
@quiet_option
@guarded
def export(
    config_path: str,
    place: str | None,
    to: str,
    release: str | None,
    since: str | None,
    url: str | None,
    name: str | None,
    quiet: bool,
) -> None:
    """Write a release's vectors, hashes and items into an empty FOLDER (or gs://BUCKET/PREFIX), or send them.

    The folder is whole once it holds manifest.json; a command that was stopped goes on where it was. docs/export.md
    describes every column. Keys of servers are read from the environment.
    """
    _check(place, to, url, name)
    if since and to != "vertex":
        raise click.UsageError("--since is for --to vertex; the other formats hold whole releases")
    from pipelines.config import load_config
    from pipelines.export.command import export_to_folder, send_to_server, write_changes
    from pipelines.store import open_store
    from pipelines.telemetry.progress import Progress

    store, progress = open_store(load_config(config_path).store.uri), Progress(quiet=quiet)
    if since:
        summary = write_changes(store, release, since, str(place), progress)
    elif url and name:
        summary = send_to_server(store, release, to, url, name, progress)
    else:
        summary = export_to_folder(store, release, to, str(place), progress)
    click.echo(json.dumps(summary))


def _check(place: str | None, to: str, url: str | None, name: str | None) -> None:
    if url is None:
        if name is not None:
            raise click.UsageError("--name is for --url")
        if not place:
            raise click.UsageError("name a folder to write into, or a server with --url and --name")
        return
    if to not in SERVERS:
        raise click.UsageError(f"--url is for --to {' and --to '.join(SERVERS)}; the others are files: name a folder")
    if place:
        raise click.UsageError("give a folder, or --url, not both")
    if not name:
        raise click.UsageError("--url needs --name, the alias that readers ask")
