"""What Prometheus reads of the stages: the last result, and how the last attempt ended."""

import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines.config import Config, ConfigError, load_config
from pipelines.errors import StageError
from pipelines.runs import sequence
from pipelines.runs.context import RunContext
from pipelines.runs.ledger import Ledger, StageResult
from pipelines.runs.outputs import EvaluateOutputs
from pipelines.runs.sequence import run_stages
from pipelines.store import open_store
from pipelines.telemetry.progress import Progress

Work = dict[str, StageResult | Exception]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "textfiles").mkdir()
    return tmp_path / "textfiles"


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    """What each stage comes to."""
    results: Work = {}

    def of(stage: str) -> object:
        def run(_: RunContext) -> StageResult:
            result = results[stage]
            if isinstance(result, Exception):
                raise result
            return result

        return run

    monkeypatch.setattr(sequence, "_work", of)
    return results


def context(tmp_path: Path, run_id: str = "r1", **monitoring: str) -> RunContext:
    columns = {"item_id": "id", "photos": "photo", "category": "path"}
    sections = {
        "store": {"uri": "unused"},
        "catalogue": {"snapshot": "feed.csv", "columns": columns},
        "monitoring": {"folder": "textfiles", "environment": "shop", **monitoring},
        "folder": str(tmp_path),
    }
    store = open_store(str(tmp_path / "store"))
    return RunContext(Config.model_validate(sections), store, run_id, 4, Progress(quiet=True))


def samples(path: Path) -> dict[tuple[str, str], float]:
    """Return the values of a file by name without prefix and its own label."""
    found = {}
    for family in text_string_to_metric_families(path.read_text()):
        assert (family.type, bool(family.documentation)) == ("gauge", True)
        for sample in family.samples:
            labels = dict(sample.labels)
            assert (labels.pop("environment"), labels.pop("stage")) == (
                "shop",
                "embed" if "embed" in path.name else "evaluate",
            )
            found[sample.name.removeprefix("visual_search_"), "".join(labels.values())] = sample.value
    return found


def test_a_finished_stage_says_what_it_did(tmp_path: Path, folder: Path, work: Work) -> None:
    work["embed"] = StageResult(Ledger(5, 3, 1, 1, {"truncated": 1}), {"inferred": 3})
    before = time.time()
    (manifest,) = run_stages(context(tmp_path), ("embed",))
    found = samples(folder / "visual_search_shop_embed.prom")
    assert before - 1 <= found.pop(("stage_finished_timestamp_seconds", "")) <= time.time()
    assert found.pop(("stage_peak_memory_bytes", "")) == manifest["peak_memory_bytes"] > 0
    assert found == {
        ("stage_duration_seconds", ""): manifest["seconds"],
        ("stage_refused", ""): 0,
        ("stage_records", "in"): 5,
        ("stage_records", "ok"): 3,
        ("stage_records", "skipped"): 1,
        ("stage_records", "rejected"): 1,
        ("stage_rejects", "truncated"): 1,
        ("stage_work", "inferred"): 3,
    }
    assert sorted(path.name for path in folder.iterdir()) == [
        "visual_search_shop_embed.prom",
        "visual_search_shop_embed_attempt.prom",
    ]


def test_a_failure_leaves_the_last_result_and_says_how_it_ended(tmp_path: Path, folder: Path, work: Work) -> None:
    outcomes = ("done", "refused", "failed")

    def outcome() -> str:
        found = samples(folder / "visual_search_shop_embed_attempt.prom")
        assert abs(found["stage_attempt_timestamp_seconds", ""] - time.time()) < 60
        (one,) = [name for name in outcomes if found["stage_attempt_outcome", name]]
        return one

    work["embed"] = StageResult(Ledger(5, 5))
    list(run_stages(context(tmp_path), ("embed",)))
    assert outcome() == "done"
    kept = (folder / "visual_search_shop_embed.prom").read_text()
    work["embed"] = StageError("no space left")
    with pytest.raises(StageError, match="no space left"):
        list(run_stages(context(tmp_path, "r2"), ("embed",)))
    assert outcome() == "failed"
    assert (folder / "visual_search_shop_embed.prom").read_text() == kept
    work["embed"] = StageResult(Ledger(5, 5), refusal="recall is .8, the floor .95")
    list(run_stages(context(tmp_path, "r3"), ("embed",)))
    assert outcome() == "refused"
    assert samples(folder / "visual_search_shop_embed.prom")["stage_refused", ""] == 1


def test_evaluate_says_how_good_its_release_is(tmp_path: Path, folder: Path, work: Work) -> None:
    here = context(tmp_path)
    here.store.create_json("releases/x/metrics.json", {"retrieval.p_at_10": 0.84, "gallery.photos": 44072})
    work["evaluate"] = StageResult(Ledger(1, 1), outputs=EvaluateOutputs("x", True))
    list(run_stages(here, ("evaluate",)))
    found = samples(folder / "visual_search_shop_evaluate.prom")
    assert {name: value for (metric, name), value in found.items() if metric == "quality"} == {
        "retrieval.p_at_10": 0.84,
        "gallery.photos": 44072,
    }


def test_a_folder_that_is_not_there_is_said_before_any_work(tmp_path: Path, work: Work) -> None:
    work["embed"] = AssertionError("the stage must not begin")
    with pytest.raises(StageError, match=rf"monitoring\.folder = 'textfiles': there is no folder {tmp_path}/textfiles"):
        list(run_stages(context(tmp_path), ("embed",)))


def test_a_file_that_cannot_be_written_is_told_and_fails_nothing(
    tmp_path: Path, folder: Path, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(Progress, "say", lambda _, text: said.append(text))
    (folder / "visual_search_shop_embed.prom").mkdir()
    work["embed"] = StageResult(Ledger(5, 5))
    (manifest,) = run_stages(context(tmp_path), ("embed",))
    assert manifest["counts"]["ok"] == 5
    assert [text.partition(": Is a directory")[0] for text in said] == [
        f"monitoring: cannot write {folder}/visual_search_shop_embed.prom"
    ]


def test_an_environment_is_a_plain_word(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(
        '[store]\nuri = "s"\n[catalogue]\nsnapshot = "f.csv"\n[catalogue.columns]\nitem_id = "a"\nphotos = "b"\n'
        'category = "c"\n[monitoring]\nenvironment = "a/b"\n'
    )
    with pytest.raises(ConfigError, match=r"monitoring\.environment = 'a/b'"):
        load_config(path)
