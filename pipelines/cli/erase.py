"""`visual-search erase`: items taken out of all that the store holds."""

from __future__ import annotations

import json
import sys

import click

from pipelines.cli.failing import EXIT_FAILED, guarded
from pipelines.cli.options import config_option, read_config, sample_option


@click.command()
@config_option
@click.argument("items", nargs=-1, required=True, metavar="ITEM...")
@click.option(
    "--photo",
    "photos",
    multiple=True,
    metavar="FILE|SHA256",
    help="A photo that was an item's, which no catalogue that is kept says any more; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Do not ask whether it is meant.")
@click.option("--scan", "look_only", is_flag=True, help="Only say what the store holds of the items.")
@click.option("--allow", "let_back", is_flag=True, help="Let feeds bring items back that were erased.")
@sample_option
@guarded
def erase(
    config_path: str,
    items: tuple[str, ...],
    photos: tuple[str, ...],
    yes: bool,
    look_only: bool,
    let_back: bool,
    sample: bool,
) -> None:
    """Remove items, their photos, vectors and rows from every release, catalogue, table, run and report of the store.

    Then the whole store is read to prove it; the exit code is 1 where anything is left. Photos that other items show,
    too, stay. From then on rows of feeds about the items are rejects (`erased`). Not while a run is at work. A command
    that was killed is finished by the next.
    """
    if look_only and let_back:
        raise click.UsageError("give --scan or --allow, not both")
    from pipelines.erase import command
    from pipelines.erase.subject import photo_digest
    from pipelines.store import open_store
    from pipelines.tables.item_ids import ids_of
    from pipelines.telemetry.progress import Progress

    store, ids = open_store(read_config(config_path, sample=sample).store.uri), ids_of(items)
    if let_back:
        allowed = command.allow(store, ids)
        click.echo(json.dumps({"action": "allow", "allowed": len(allowed), "unchanged": len(ids) - len(allowed)}))
        return
    digests = list(map(photo_digest, photos))
    if look_only:
        found = command.look(store, ids, digests)
        for trace in found:
            click.echo(json.dumps(vars(trace)))
        if not found:
            Progress().say(f"nothing in {store.uri} is of {', '.join(map(repr, ids))}")
        sys.exit(EXIT_FAILED if found else 0)
    if not yes:
        click.confirm(f"erase {', '.join(map(repr, ids))} for good?", abort=True, err=True)
    erasure = command.erase(store, ids, Progress(), digests)
    for line in command.told(erasure):
        Progress().warn(line)
    click.echo(json.dumps({"action": "erase", **erasure.as_dict()}))
    sys.exit(EXIT_FAILED if erasure.left else 0)
