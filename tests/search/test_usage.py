"""What `search` says of a command that asks for nothing that it can do."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelines.cli import main


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["https://x.y/a.jpg"], "https://x.y/a.jpg is no path: photos to search with are files and folders"),
        (["gs://x/a.jpg"], "gs://x/a.jpg is no path"),
        (["a.jpg", "--item", "i1"], "give photos, or items with --item, not both"),
        ([], "name photos or folders to search with, or items with --item"),
    ],
)
def test_what_cannot_be_asked_is_wrong_usage(tmp_path: Path, asked: list[str], told: str) -> None:
    config = tmp_path / "shop.toml"
    config.touch()
    result = CliRunner().invoke(main, ["search", "--config", str(config), *asked])
    assert result.exit_code == 2
    assert told in result.output
