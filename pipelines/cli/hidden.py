"""`visual-search hide` and `visual-search unhide`: what nobody is to find from now on."""

from __future__ import annotations

import json

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option

file_option = click.option(
    "--file",
    "path",
    type=click.Path(dir_okay=False, allow_dash=True),
    help="A file with one item id a line; - is standard input.",
)


@click.command()
@config_option
@click.argument("items", nargs=-1, metavar="[ITEM]...")
@file_option
@click.option("--reason", help="Why; recorded in the log.")
@click.option("--list", "show", is_flag=True, help="Show what is hidden.")
@click.option("--json", "as_json", is_flag=True, help="With --list: one JSON object a line and item.")
@guarded
def hide(
    config_path: str, items: tuple[str, ...], path: str | None, reason: str | None, show: bool, as_json: bool
) -> None:
    """Let no search find items from now on, though the shop's feeds name them still.

    Services leave them out within seconds, `search` and `export` at once, later runs build their indexes without them.
    A rollback brings none of them back. An id that no catalogue knows is hidden all the same, for a feed may name it
    later.
    """
    if show:
        if items or path or reason:
            raise click.UsageError("--list shows what is hidden; give no items, file or reason with it")
        _list(config_path, as_json=as_json)
        return
    if as_json:
        raise click.UsageError("--json is for --list")
    if not (reason or "").strip():
        raise click.UsageError("say why with --reason: who finds an item hidden next year will ask")
    _change("hide", config_path, items, path, str(reason).strip())


@click.command()
@config_option
@click.argument("items", nargs=-1, metavar="[ITEM]...")
@file_option
@click.option("--reason", default="", help="Why; recorded in the log.")
@guarded
def unhide(config_path: str, items: tuple[str, ...], path: str | None, reason: str) -> None:
    """Let searches find items again that were hidden.

    Those that the live index holds are found at once, others from the next run on.
    """
    _change("unhide", config_path, items, path, reason.strip())


def _change(action: str, config_path: str, items: tuple[str, ...], path: str | None, reason: str) -> None:
    if bool(items) == bool(path):
        raise click.UsageError("name items, or a --file of them, and not both")
    from pipelines.config import load_config
    from pipelines.hidden.change import change
    from pipelines.hidden.lists import read_list
    from pipelines.hidden.words import summary, told
    from pipelines.store import open_store
    from pipelines.tables.item_ids import ids_of, unknown_to_catalogue
    from pipelines.telemetry.progress import Progress

    config = load_config(config_path)
    given = items if path is None else read_list(path, ("item_id", config.catalogue.columns.item_id))
    store = open_store(config.store.uri)
    done = change(store, action, ids_of(given), reason)
    unknown = unknown_to_catalogue(store, done.changed)
    for line in told(action, done, unknown):
        Progress().say(line)
    click.echo(json.dumps(summary(action, done, unknown)))


def _list(config_path: str, *, as_json: bool) -> None:
    from pipelines.config import load_config
    from pipelines.hidden import read_hidden
    from pipelines.hidden.words import line_of
    from pipelines.search.output import printable
    from pipelines.store import open_store

    hidden = read_hidden(open_store(load_config(config_path).store.uri))
    for item_id, why in sorted(hidden.items.items()):
        click.echo(json.dumps({"item_id": item_id, **why._asdict()}) if as_json else printable(line_of(item_id, why)))
    if not hidden.items and not as_json:
        click.echo("nothing is hidden", err=True)
