"""`visual-search curate`: what people decide of matches, categories and photos."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option, read_config, sample_option

if TYPE_CHECKING:
    from pipelines.curated.entries import Decision
    from pipelines.store import Store

reason_option = click.option("--reason", required=True, help="Why; recorded in the log.")


@click.group()
def curate() -> None:
    """Decide what a shop's feeds and photos have wrong; `visual-search quality` shows where to look.

    Each decision is an entry of a log, with who and why, and `undo` takes it back by its number.
    """


@curate.command(name="not-alike")
@config_option
@click.argument("item")
@click.argument("other", required=False)
@click.option("--photo", "digest", metavar="SHA256", help="In place of OTHER: a photo of the shop's.")
@reason_option
@sample_option
@guarded
def not_alike(config_path: str, item: str, other: str | None, digest: str | None, reason: str, sample: bool) -> None:
    """Never show ITEM for OTHER, nor OTHER for ITEM, at once and for good."""
    if bool(other) == bool(digest):
        raise click.UsageError("name the other item, or a --photo, and not both")
    from pipelines.quality.decisions import not_alike as decided

    store = _store(config_path, sample=sample)
    _note(store, decided(store, item, other or "", digest or ""), reason)


@curate.command()
@config_option
@click.argument("item")
@click.argument("path", metavar='"A > B"')
@click.option("--new", is_flag=True, help="The shop gets this category with it.")
@reason_option
@sample_option
@guarded
def category(config_path: str, item: str, path: str, new: bool, reason: str, sample: bool) -> None:
    """Say what ITEM is, whatever its feeds say; from the next run on.

    It stands above the feeds and the sheet of catalogue.corrections.
    """
    from pipelines.quality.decisions import category as decided
    from pipelines.quality.decisions import path_in

    store = _store(config_path, sample=sample)
    _note(store, decided(store, item, path_in(path), new=new), reason)


@curate.command(name="bad-photo")
@config_option
@click.argument("item", required=False)
@click.argument("photo", required=False, metavar="[ADDRESS|SHA256]")
@click.option("--digest", metavar="SHA256", help="In place of ITEM: this photo, whatever items show it.")
@reason_option
@sample_option
@guarded
def bad_photo(
    config_path: str, item: str | None, photo: str | None, digest: str | None, reason: str, sample: bool
) -> None:
    """Leave a photo of ITEM out, from the next run on; the item is found by its other photos.

    A better photo at the same address is another one.
    """
    if bool(item) == bool(digest):
        raise click.UsageError("name an item, or a --digest, and not both")
    from pipelines.quality.decisions import bad_photo as decided
    from pipelines.quality.decisions import bad_photo_everywhere

    store = _store(config_path, sample=sample)
    _note(store, decided(store, item, photo or "") if item else bad_photo_everywhere(digest or ""), reason)


@curate.command()
@config_option
@click.argument("number", type=click.IntRange(min=1))
@click.option("--reason", default="", help="Why; recorded in the log.")
@sample_option
@guarded
def undo(config_path: str, number: int, reason: str, sample: bool) -> None:
    """Take decision NUMBER back."""
    from pipelines.curated.entries import UNDO, Decision

    _note(_store(config_path, sample=sample), Decision(UNDO, undoes=number), reason, needs_reason=False)


@curate.command(name="list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and decision.")
@sample_option
@guarded
def list_(config_path: str, as_json: bool, sample: bool) -> None:
    """Show the decisions that stand, oldest first."""
    from pipelines.curated import read_curated
    from pipelines.quality.words import line_of
    from pipelines.search.output import printable

    standing = read_curated(_store(config_path, sample=sample)).standing
    for number, entry in standing.items():
        value = {"number": number, **entry.as_json()}
        click.echo(json.dumps(value) if as_json else printable(line_of(number, entry)))
    if not standing and not as_json:
        click.echo("nothing is decided", err=True)


def _store(config_path: str, *, sample: bool) -> Store:
    from pipelines.store import open_store

    return open_store(read_config(config_path, sample=sample).store.uri)


def _note(store: Store, decision: Decision, reason: str, *, needs_reason: bool = True) -> None:
    from pipelines.curated.change import note
    from pipelines.quality.words import summary, told
    from pipelines.runs.owner import person
    from pipelines.search.output import printable
    from pipelines.telemetry.progress import Progress

    if needs_reason and not reason.strip():
        raise click.UsageError("say why with --reason: who finds the decision next year will ask")
    noted = note(store, decision, reason.strip(), person())
    Progress().say(printable(told(noted, decision)))
    click.echo(json.dumps(summary(noted, decision)))
