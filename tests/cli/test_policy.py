"""`--policy` is for one run, and for a run that trains."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.config import TrainSection
from pipelines.runs import sequence
from pipelines.runs.context import RunContext
from pipelines.runs.stages import POLICIES

CONFIG = """
store.uri = "store"
train.policy = "always"
[catalogue]
snapshot = "feed.csv"
columns = { item_id = "id", photos = "photo", category = "path" }
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[str, ...]]]:
    """What would have been run: the policy and the stages."""
    found: list[tuple[str, tuple[str, ...]]] = []

    def run_stages(context: RunContext, stages: tuple[str, ...]) -> Iterator[None]:
        found.append((context.config.train.policy, stages))
        return iter(())

    monkeypatch.setattr(sequence, "run_stages", run_stages)
    return found


def call(folder: Path, command: str, *arguments: str) -> Result:
    (folder / "shop.toml").write_text(CONFIG)
    return CliRunner().invoke(main, [command, "--config", str(folder / "shop.toml"), *arguments])


def test_the_names_are_those_of_the_config() -> None:
    assert get_args(TrainSection.model_fields["policy"].annotation) == POLICIES


def test_a_run_and_train_take_it_for_themselves(tmp_path: Path, asked: list[tuple[str, tuple[str, ...]]]) -> None:
    for command, *arguments in (
        ("run", "--to", "train", "--policy", "reuse"),
        ("train", "--run-id", "r", "--policy", "on_change"),
        ("train", "--run-id", "r"),
    ):
        assert call(tmp_path, command, *arguments).exit_code == 0
    first = ("catalogue", "preprocess", "train")
    assert asked == [("reuse", first), ("on_change", ("train",)), ("always", ("train",))]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("run", "--to", "preprocess", "--policy", "reuse"), "train is not between catalogue and preprocess"),
        (("run", "--policy", "never"), "'never' is not one of 'reuse', 'on_change', 'always'"),
        (("embed", "--run-id", "r", "--policy", "reuse"), "No such option"),
    ],
)
def test_where_nothing_trains_it_is_refused(
    arguments: tuple[str, ...], text: str, tmp_path: Path, asked: list[tuple[str, tuple[str, ...]]]
) -> None:
    result = call(tmp_path, *arguments)
    assert (result.exit_code, asked) == (2, [])
    assert text in " ".join(result.output.split())
