"""The frame that every stage shares: ledger, manifest, lease."""

import errno
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.config import Config, ConfigError
from pipelines.errors import GateError, StageError
from pipelines.runs.context import RunContext, new_run_id
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.manifest import last_line, read_manifest
from pipelines.runs.outputs import EmbedOutputs, TrainOutputs
from pipelines.runs.sequence import open_run, run_stage
from pipelines.runs.stages import STAGES
from pipelines.store import Store, folder, open_store
from pipelines.telemetry.progress import Progress


def make_config(**sections: object) -> Config:
    columns = {"item_id": "id", "photos": "photo", "category": "path"}
    base = {"store": {"uri": "unused"}, "catalogue": {"snapshot": "feed.csv", "columns": columns}}
    return Config.model_validate({**base, **sections})


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


@pytest.fixture
def context(store: Store) -> RunContext:
    return RunContext(make_config(), store, "r1", 4, Progress(quiet=True))


OUTPUTS = EmbedOutputs("m", "s", "runs/r1/embed/vectors")


def finished(context: RunContext) -> StageResult:
    return StageResult(Ledger(5, 3, 1, 1, {"truncated": 1}), {"inferred": 3}, OUTPUTS, notes=["one is cut"])


def test_the_ledger_balances() -> None:
    ledger = Ledger(10, 6, 1, 3, {"truncated": 2, "empty": 1})
    assert ledger.counts() == {"in": 10, "ok": 6, "skipped": 1, "rejected": 3}


def test_a_ledger_that_does_not_balance_is_refused() -> None:
    with pytest.raises(StageError, match=r"10 in, but 6 ok \+ 1 skipped \+ 2 rejected = 9"):
        Ledger(10, 6, 1, 2, {"truncated": 2})
    with pytest.raises(StageError, match="2 rejected, but the reason codes count 1"):
        Ledger(9, 6, 1, 2, {"truncated": 1})


def test_a_rejected_share_over_the_limit_fails_and_names_the_codes() -> None:
    ledger = Ledger(100, 97, 0, 3, {"empty": 1, "truncated": 2})
    ledger.check_share("preprocess", 0.03)
    with pytest.raises(StageError) as caught:
        ledger.check_share("preprocess", 0.02)
    assert str(caught.value) == (
        "preprocess rejected 3 of 100 records (3.0%; truncated 2, empty 1), "
        "over preprocess.max_rejected_share = 2.0%; mend the input or the config; raise the "
        "limit only if the shop can do without these"
    )
    Ledger(0, 0).check_share("preprocess", 0.0)


def test_the_manifest_is_written_last_and_holds_what_was_done(context: RunContext) -> None:
    def work(inner: RunContext) -> StageResult:
        assert read_manifest(inner.store, "r1", "embed") is None
        assert inner.store.exists("runs/r1/embed/lease.json")
        return finished(inner)

    manifest = run_stage(context, "embed", work)
    assert manifest["counts"] == {"in": 5, "ok": 3, "skipped": 1, "rejected": 1, "inferred": 3}
    assert manifest["rejects"] == {"truncated": 1}
    assert context.outputs(EmbedOutputs) == OUTPUTS
    assert read_manifest(context.store, "r1", "embed") == manifest
    assert [entry.name for entry in context.store.list("runs")] == ["runs/r1/embed/manifest.json"]
    assert json.loads(last_line(manifest)) == {
        "stage": "embed",
        "run_id": "r1",
        "counts": manifest["counts"],
        "seconds": manifest["seconds"],
        "uri": f"{context.store.uri}/runs/r1/embed",
    }


def test_a_finished_stage_is_not_done_again(context: RunContext) -> None:
    first = run_stage(context, "embed", finished)

    def never(inner: RunContext) -> StageResult:
        raise AssertionError("done twice")

    assert run_stage(context, "embed", never) == first


def test_the_same_run_with_another_configuration_is_refused(context: RunContext, store: Store) -> None:
    run_stage(context, "embed", finished)
    same = RunContext(make_config(train={"batch": 7}), store, "r1", 4, Progress(quiet=True))
    other = RunContext(make_config(embed={"batch": 7}), store, "r1", 4, Progress(quiet=True))
    assert run_stage(same, "embed", finished)["run_id"] == "r1"
    with pytest.raises(StageError, match=r"run 'r1' did embed with another configuration; start a new run"):
        run_stage(other, "embed", finished)


PLAN = {"recipe": "etsy"}, {"search": {"categories": 3}}
COLUMNS = {"item_id": "id", "photos": "photo", "category": "path"}


def mapped(**columns: object) -> dict[str, object]:
    return {"catalogue": {"snapshot": "feed.csv", "columns": COLUMNS | columns}}


@pytest.mark.parametrize(
    ("stage", "changed"),
    [
        ("catalogue", mapped(title="name")),
        ("preprocess", {"preprocess": {"min_side": 8}}),
        ("preprocess", {"catalogue": {"snapshot": "feed.csv", "columns": COLUMNS, "photo_root": "elsewhere"}}),
        ("train", {"train": {"seed": 2}}),
        *(("index", plan) for plan in PLAN),
        ("index", {"index": {"roles": ["street"]}}),
        ("index", mapped(attributes={"colour": "k"})),
        ("index", mapped(signals={"sales": "n"})),
        *(("evaluate", plan) for plan in PLAN),
        ("evaluate", {"index": {"roles": ["street"]}}),
        ("evaluate", {"train": {"attributes": ["colour"]}}),
        ("evaluate", mapped(attributes={"colour": "k"})),
        ("promote", {"promote": {"keep": 2}}),
    ],
)
def test_a_stage_is_not_taken_for_done_when_something_it_depends_on_changed(
    context: RunContext, store: Store, stage: str, changed: dict[str, object]
) -> None:
    run_stage(context, stage, finished)
    other = RunContext(make_config(**changed), store, "r1", 4, Progress(quiet=True))
    with pytest.raises(StageError, match=f"run 'r1' did {stage} with another configuration"):
        run_stage(other, stage, finished)


@pytest.mark.parametrize(
    ("stage", "changed"),
    [
        *((stage, {"beam": {"threads": 1}}) for stage in STAGES),
        ("preprocess", mapped(title="name")),
        *(("train", plan) for plan in PLAN),
        *(("embed", plan) for plan in PLAN),
        ("index", mapped(title="name")),
        ("index", {"train": {"attributes": ["colour"]}}),
        ("evaluate", {"train": {"seed": 2}}),
        ("promote", {"search": {"categories": 3}}),
    ],
)
def test_a_stage_stays_done_when_what_it_does_not_depend_on_changed(
    context: RunContext, store: Store, stage: str, changed: dict[str, object]
) -> None:
    first = run_stage(context, stage, finished)
    other = RunContext(make_config(**changed), store, "r1", 4, Progress(quiet=True))
    assert run_stage(other, stage, finished) == first


@pytest.mark.parametrize("error", [GateError("no"), RuntimeError("broken"), KeyboardInterrupt()])
def test_a_failed_stage_leaves_no_manifest_and_no_lease(context: RunContext, error: BaseException) -> None:
    def fail(inner: RunContext) -> StageResult:
        raise error

    with pytest.raises(type(error)):
        run_stage(context, "embed", fail)
    left = {entry.name for entry in context.store.list("runs")}
    assert left == ({"runs/r1/embed/refused.json"} if isinstance(error, GateError) else set())  # for `status`


def test_an_earlier_stage_that_has_not_run(context: RunContext) -> None:
    with pytest.raises(StageError, match="run 'r1' has no finished train stage; run it first: visual-search train"):
        context.outputs(TrainOutputs)


def test_a_stage_that_another_version_has_run(context: RunContext) -> None:
    manifest = {"outputs": {"model_id": "m", "space_id": "s"}}
    context.store.create_json("runs/r1/train/manifest.json", manifest)
    with pytest.raises(StageError, match="the train stage of this run says nothing of 'decision': another version"):
        context.outputs(TrainOutputs)


def test_run_ids_are_utc_times() -> None:
    assert new_run_id(datetime(2026, 11, 21, 9, 8, 7, tzinfo=UTC)) == "20261121T090807Z"


def test_a_place_that_keeps_no_store_is_a_wrong_value_before_any_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    config = make_config(store={"uri": str(tmp_path / "store")})
    monkeypatch.setattr(folder, "_create_once", refuse)
    with pytest.raises(ConfigError, match=r"store\.uri = '.*store': the file system of .* has neither hard links nor"):
        open_run(config, "r1", Progress(quiet=True))
    assert list((tmp_path / "store").iterdir()) == []


def test_a_temporary_folder_that_libraries_take_for_a_pattern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "t[m]p"))
    config = make_config(store={"uri": str(tmp_path / "store")})
    with pytest.raises(ConfigError, match=r"TMPDIR = '.*t\[m\]p': TensorFlow takes its name for a pattern; set it to"):
        open_run(config, "r1", Progress(quiet=True))
    assert not (tmp_path / "store").exists()
