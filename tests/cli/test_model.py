"""`model import` says what is in the store then, and `--model` is for a run that would train."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.runs import sequence
from pipelines.runs.context import RunContext
from pipelines.store import open_store
from tests.models.foreign import HEIGHT, WIDTH, export

CONFIG = f"""
store.uri = "store"
preprocess = {{ height = {HEIGHT}, width = {WIDTH} }}
[catalogue]
snapshot = "feed.csv"
columns = {{ item_id = "i", photos = "p", category = "c" }}
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "shop.toml"
    path.write_text(CONFIG)
    return str(path)


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_an_imported_model_is_named_and_how_to_go_on_with_it(config: str, tmp_path: Path) -> None:
    result = cli("model", "import", str(export(tmp_path / "theirs")), "--config", config, "--origin", "a paper, MIT")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    model_id = told["model_id"]
    assert (told["space_id"], told["lineage"]["imported"]["origin"]) == (model_id, "a paper, MIT")
    assert f"visual-search run --config {config} --model {model_id}" in result.stderr
    assert open_store(str(tmp_path / "store")).exists(f"models/{model_id}/model.json")


def test_what_is_no_model_fails_the_command_with_a_line(config: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = cli("model", "import", str(tmp_path / "empty"), "--config", config)
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)
    assert "holds no saved_model.pb; name the folder that tf.saved_model.save has written" in result.stderr


def test_a_run_is_told_which_model_to_use(config: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[str | None] = []

    def note(context: RunContext, _: tuple[str, ...]) -> list[object]:
        found.append(context.overrides.model_id)
        return []

    monkeypatch.setattr(sequence, "run_stages", note)
    for arguments in (("run",), ("train", "--run-id", "r")):
        assert cli(*arguments, "--config", config, "--model", "0123456789abcdef").exit_code == 0
    assert cli("run", "--config", config).exit_code == 0
    assert found == ["0123456789abcdef", "0123456789abcdef", None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--to", "preprocess"), "train is not between catalogue and preprocess"),
        (("run", "--policy", "always"), "--policy always says when a run trains, and --model m that it does not"),
        (("embed", "--run-id", "r"), "No such option"),
    ],
)
def test_a_model_stands_for_a_training_alone(config: str, arguments: tuple[str, ...], message: str) -> None:
    result = cli(*arguments, "--config", config, "--model", "m")
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
