"""A gate that said no: the command that passes it is named, and `--accept` of a run passes it too."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelines.cli import main
from pipelines.promote import stage as promote
from pipelines.runs import sequence
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.outputs import EvaluateOutputs
from pipelines.store import Log, Store, open_store

CONFIG = """
store.uri = "store"
[catalogue]
snapshot = "feed.csv"
columns = { item_id = "id", photos = "photo", category = "path" }
"""
REFUSAL = "the release is not blessed: recall.plan_at_10 = 0.7, must be at least 0.9 (floors)"
GATE = {"metric": "recall.plan_at_10", "rule": "floor", "value": 0.7, "bound": 0.9, "passed": False, "note": "floors"}


def evaluated(context: RunContext) -> StageResult:
    """Stand in for evaluate: write a release that is not blessed."""
    name = f"release-of-{context.run_id}"
    manifest = {"release_id": name, "run_id": context.run_id, "gates": [GATE], "blessed": False}
    context.store.create_json(f"releases/{name}/manifest.json", manifest)
    return StageResult(Ledger(1, 1), outputs=EvaluateOutputs(name, False), refusal=REFUSAL)


def work_of(stage: str) -> Callable[[RunContext], StageResult]:
    return {"evaluate": evaluated, "promote": promote.run}.get(stage, lambda _: StageResult(Ledger(1, 1)))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """A shop whose every release is refused by a gate; commands are called in its folder."""
    monkeypatch.setattr(sequence, "_work", work_of)
    monkeypatch.chdir(tmp_path)
    Path("shop of toys.toml").write_text(CONFIG)
    return open_store(str(tmp_path / "store"))


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def run(*arguments: str) -> Result:
    return call("run", "--config", "shop of toys.toml", "--run-id", "night", *arguments)


def live(store: Store) -> list[tuple[str, bool, str]]:
    return [(e["release_id"], e["blessed"], e["reason"]) for _, e in Log(store, "live").entries()]


ACCEPTED = [("release-of-night", False, "the photos are new")]


def test_a_new_run_that_is_accepted_goes_live_and_keeps_the_reason(shop: Store) -> None:
    result = run("--accept", "the photos are new")
    assert result.exit_code == 0, result.output
    assert live(shop) == ACCEPTED
    assert f"evaluate: {REFUSAL}. It goes on all the same: the photos are new" in result.stderr


def test_a_run_that_was_refused_goes_on_once_it_is_accepted(shop: Store) -> None:
    assert (run().exit_code, live(shop)) == (3, [])
    result = run("--accept", "the photos are new")
    assert result.exit_code == 0, result.output
    assert live(shop) == ACCEPTED


@pytest.mark.parametrize(
    "arguments", [(), ("--to", "evaluate"), ("--to", "evaluate", "--accept", "a"), ("--policy", "reuse")]
)
def test_the_command_that_a_refusal_names_passes_it(shop: Store, arguments: tuple[str, ...]) -> None:
    refused = run(*arguments)
    assert refused.exit_code == 3
    told = refused.stderr.splitlines()[-1]
    start = "To make it live all the same: visual-search "
    assert told == f"{start}promote --config 'shop of toys.toml' --run-id night --accept 'REASON'"
    result = call(*shlex.split(told.removeprefix(start).replace("REASON", "the photos are new")))
    assert result.exit_code == 0, result.output
    assert live(shop) == ACCEPTED


def test_promote_names_it_too(shop: Store) -> None:
    assert run("--to", "evaluate").exit_code == 3
    refused = call("promote", "-c", "shop of toys.toml", "--run-id", "night")
    assert (refused.exit_code, live(shop)) == (3, [])
    assert refused.stderr.endswith("promote --config 'shop of toys.toml' --run-id night --accept 'REASON'\n")


def test_of_a_sample_it_names_the_sample(shop: Store) -> None:
    refused = run("--limit", "50")
    told = refused.stderr.splitlines()[-1]
    assert told.endswith("--run-id night --limit 50 --accept 'REASON'")
    result = call(*shlex.split(told.partition("visual-search ")[2]))
    assert result.exit_code == 0, result.output
    assert (live(shop), len(live(open_store(f"{shop.uri}-sample")))) == ([], 1)


def test_a_reason_without_words_is_none(shop: Store) -> None:
    result = run("--accept", " ")
    assert (result.exit_code, live(shop)) == (2, [])
    assert "it is recorded why a gate is passed" in result.stderr
