"""`visual-search rollback` and `visual-search gc`: what is live, and what is kept."""

from __future__ import annotations

import json

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option


@click.command()
@config_option
@click.option("--reason", required=True, help="Why; recorded in the log.")
@click.option("--to", "release", help="The release to go back to.  [default: the one before]")
@guarded
def rollback(config_path: str, reason: str, release: str | None) -> None:
    """Make an earlier release the live one again; wait until the services of `promote.services` answer with it."""
    from pipelines.config import load_config
    from pipelines.promote.services import wait
    from pipelines.promote.stage import rollback as roll_back
    from pipelines.releases.history import read_history
    from pipelines.store import open_store
    from pipelines.telemetry.progress import Progress

    config = load_config(config_path)
    store = open_store(config.store.uri)
    entry = roll_back(store, reason=reason, to=release)
    # Another one may have gone live since: what is waited for is this entry, or one after it.
    number = next(number for number, found in reversed(read_history(store).entries) if found == entry)
    Progress().say(
        f"rollback: {entry['release_id']} is live again, instead of {entry['previous']}. The next run that passes its "
        "gates goes live in its place: mend what was bad before, or stop the runs; `visual-search status` tells more"
    )
    wait(config.promote.services, number, entry["release_id"], config.promote.services_wait_s)
    click.echo(json.dumps({name: value for name, value in entry.items() if name != "gates"}))


@click.command()
@config_option
@click.option(
    "--grace", default=24.0, show_default=True, type=click.FloatRange(min=0), help="Hours that anything is kept."
)
@click.option("--dry-run", is_flag=True, help="Say what would go; remove nothing.")
@guarded
def gc(config_path: str, grace: float, dry_run: bool) -> None:
    """Remove what no kept release, running stage or recent run refers to."""
    from pipelines.config import load_config
    from pipelines.releases.gc import collect_garbage
    from pipelines.store import open_store

    config = load_config(config_path)
    result = collect_garbage(
        open_store(config.store.uri),
        keep=config.promote.keep,
        measured=config.evaluate.anchor_releases,
        grace_s=grace * 3600,
        refused_s=config.promote.keep_refused_days * 86400,
        dry_run=dry_run,
    )
    for line in result.lines():
        click.echo(line, err=True)
    click.echo(json.dumps(result.as_dict()))
