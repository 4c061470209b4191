"""`visual-search demo`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.failing import EXIT_USAGE, fail, guarded
from pipelines.cli.options import quiet_option


@click.command()
@click.argument("folder", type=click.Path(file_okay=False))
@click.option("--items", default=2000, show_default=True, type=click.IntRange(min=1), help="Products to draw.")
@click.option(
    "--leaf-categories", default=30, show_default=True, type=click.IntRange(min=1), help="Leaves of the taxonomy."
)
@click.option("--seed", default=7, show_default=True, help="The same seed draws the same files.")
@click.option(
    "--poison", default=0.03, show_default=True, type=click.FloatRange(0, 0.5), help="Share of broken rows and photos."
)
@quiet_option
@guarded
def demo(folder: str, items: int, leaf_categories: int, seed: int, poison: float, quiet: bool) -> None:
    """Write a synthetic catalogue, and a config for it, into FOLDER."""
    from pipelines.demo.fates import Shares
    from pipelines.demo.writer import write_catalogue
    from pipelines.telemetry.progress import Progress

    path = Path(folder)
    progress = Progress(quiet=quiet)
    progress.say(f"demo: drawing {items} products in {leaf_categories} leaf categories")
    try:
        summary = write_catalogue(
            path, items=items, leaf_categories=leaf_categories, seed=seed, shares=Shares(poison=poison)
        )
    except (ValueError, FileExistsError) as error:
        fail(str(error), EXIT_USAGE)
    click.echo(json.dumps({**asdict(summary), "folder": str(path), "config": str(path / "config.toml")}))
