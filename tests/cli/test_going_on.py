"""The line that a command which was ended prints: what was called, as it is typed."""

from __future__ import annotations

import click
import pytest
from click.testing import CliRunner

from pipelines.cli.failing import going_on


@click.command("look")
@click.argument("photos", nargs=-1)
@click.option("--config", "config_path", required=True)
@click.option("-k", "--count", default=3)
@click.option("--of", multiple=True)
@click.option("--html/--no-html", default=True)
@click.option("--json", "as_json", is_flag=True)
def _look(**_: object) -> None:
    click.echo(going_on())


@pytest.mark.parametrize(
    ("typed", "again"),
    [
        ("", ""),
        ("'a b.jpg' c.jpg", " 'a b.jpg' c.jpg"),
        ("-k 5 --json a.jpg", " -k 5 --json a.jpg"),
        ("--of x --of y --no-html", " --of x --of y --no-html"),
        ("-- -odd.jpg", " -- -odd.jpg"),
    ],
)
def test_options_and_arguments_stand_as_they_were_typed(typed: str, again: str) -> None:
    said = CliRunner().invoke(_look, f"--config shop.toml {typed}", catch_exceptions=False).output
    assert said.startswith("\nTo go on: ")
    assert said.rstrip("\n").endswith(f"visual-search look --config shop.toml{again}")
