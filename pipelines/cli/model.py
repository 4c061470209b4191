"""`visual-search model import`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option


@click.group()
def model() -> None:
    """Bring models of elsewhere into the store."""


@model.command(name="import")
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False))
@config_option
@click.option("--origin", metavar="TEXT", help="Where it is from, and its licence; recorded.  [default: DIR's name]")
@guarded
def import_(folder: str, config_path: str, origin: str | None) -> None:
    """Check the SavedModel in DIR and put it into the store, where it opens a space.

    It needs the signatures `serve_pixels` and `serve_prepared`, and of each an embedding and a hash; category and
    attribute heads may be there, if DIR has a taxonomy.json that says what their columns are. The last line names the
    model; `visual-search run --model` goes on with it.
    """
    from pipelines.config import load_config
    from pipelines.models.imported import import_model
    from pipelines.runs.sequence import open_store_of
    from pipelines.telemetry.progress import Progress

    config = load_config(config_path)
    store, _ = open_store_of(config)
    facts = import_model(store, Path(folder), config.preprocess.spec.prep_id, origin)
    Progress().say(
        f"model {facts['model_id']} is in the store: go on with `visual-search run --config {config_path} --model "
        f"{facts['model_id']}`; gc removes it after a day unless a release uses it"
    )
    kept = ("model_id", "space_id", "prep_id", "dim", "bits", "lineage")
    click.echo(json.dumps({name: facts[name] for name in kept}))
