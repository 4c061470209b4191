"""`visual-search search`."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from pipelines.cli.failing import EXIT_FAILED, guarded
from pipelines.cli.options import config_option, read_config, sample_option


@click.command()
@config_option
@click.argument("images", nargs=-1, type=click.Path())
@click.option(
    "--item",
    "items",
    multiple=True,
    help="Search by an item of the catalogue; may be repeated. "
    "The item, others with one of its photos, and its variants (of one group) are left out: a photo's file finds them.",
)
@click.option("-k", default=10, show_default=True, type=click.IntRange(1, 1000), help="Results a query.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and query.")
@click.option("--html", type=click.Path(dir_okay=False), help="Write a page of pictures.")
@click.option("--release", help="Search this release, not the live one.")
@sample_option
@guarded
def search(
    config_path: str,
    images: tuple[str, ...],
    items: tuple[str, ...],
    k: int,
    as_json: bool,
    html: str | None,
    release: str | None,
    sample: bool,
) -> None:
    """Search with photos (files or folders), or with items of the catalogue.

    Below a folder every file is tried. One that is no photo, and is not named as one, is shown with what is wrong with
    it and fails nothing; the exit code is 1 where a photo or an item could not be asked, or nothing could.
    """
    if not images and not items:
        raise click.UsageError("name photos or folders to search with, or items with --item")
    if images and items:
        raise click.UsageError("give photos, or items with --item, not both")
    for image in images:
        if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", image):
            raise click.UsageError(
                f"{image} is no path: photos to search with are files and folders of this machine; fetch it first"
            )
    from pipelines.search.command import search_and_show

    failed = search_and_show(
        read_config(config_path, sample=sample),
        [Path(i) for i in images],
        list(items),
        k,
        as_json=as_json,
        html=html,
        release_id=release,
    )
    sys.exit(EXIT_FAILED if failed else 0)
