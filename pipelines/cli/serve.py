"""`visual-search serve`."""

from __future__ import annotations

import ipaddress
from pathlib import Path

import click

from pipelines.cli.failing import guarded
from pipelines.cli.options import config_option, read_config, sample_option


@click.command()
@config_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8800, show_default=True, type=click.IntRange(0, 65535), help="0 is any that is free.")
@click.option("--api-keys", type=click.Path(dir_okay=False), help="File of those who may ask, and how often.")
@click.option("--no-keys", is_flag=True, help="Let everybody ask, also from other machines.")
@sample_option
@guarded
def serve(config_path: str, host: str, port: int, api_keys: str | None, no_keys: bool, sample: bool) -> None:
    """Answer queries over HTTP from the live release, and follow each promotion and rollback.

    SIGTERM has it end after the queries that it has begun. docs/serving.md tells what may be asked.
    """
    if api_keys and no_keys:
        raise click.UsageError("give --api-keys or --no-keys, not both")
    if not api_keys and not no_keys and not _is_loopback(host):
        raise click.UsageError(
            f"--host {host} can be reached from other machines, and everybody could ask: name the file of those who "
            "may with --api-keys, or say --no-keys where something else keeps others out"
        )
    from pipelines.errors import StageError
    from pipelines.store import open_store

    try:
        from serving.keys import Keys
        from serving.server import serve as run
        from serving.service import Service
    except ModuleNotFoundError as error:
        raise StageError(f"{error.name} is not installed; install visual-search[serving]") from error
    config = read_config(config_path, sample=sample)
    keys = Keys.read(Path(api_keys)) if api_keys else None
    run(Service(config, open_store(config.store.uri), keys), host, port)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
