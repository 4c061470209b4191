"""Where a training works; `tests/e2e/test_vertex.py` has one whose folders are in a bucket."""

from dataclasses import replace
from pathlib import Path

import pytest

from trainer import work
from trainer.config import TrainSpec
from trainer.fit import MODEL_JSON, WEIGHTS
from trainer.work import local_work


def test_a_training_on_this_machine_works_where_it_was_told(spec: TrainSpec) -> None:
    with local_work(spec) as told:
        assert told is spec


def test_one_in_a_bucket_works_here_and_its_results_are_taken_there(
    spec: TrainSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "in_bucket", lambda path: path.startswith(str(tmp_path)))
    (tmp_path / "parent").mkdir()
    (tmp_path / "parent" / WEIGHTS).write_bytes(b"old")
    (tmp_path / "own.weights.h5").write_bytes(b"published")
    there = replace(spec, parent=str(tmp_path / "parent"), weights=str(tmp_path / "own.weights.h5"))
    with local_work(there) as told:
        here = Path(told.work)
        assert tmp_path not in here.parents
        assert told.parent is not None
        assert Path(told.parent, WEIGHTS).read_bytes() == b"old"
        assert told.weights == str(here / "own.weights.h5")
        assert Path(told.weights).read_bytes() == b"published"
        assert told.checkpoints == spec.checkpoints
        (here / WEIGHTS).write_bytes(b"new")
        (here / MODEL_JSON).write_text("{}")
    assert Path(spec.work, WEIGHTS).read_bytes() == b"new"
    assert Path(spec.work, MODEL_JSON).read_text() == "{}"
    assert not here.exists()


def test_what_a_failed_training_left_is_not_taken(
    spec: TrainSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "in_bucket", lambda path: path.startswith(str(tmp_path)))
    with pytest.raises(ZeroDivisionError), local_work(spec) as told:
        Path(told.work, WEIGHTS).write_bytes(b"half")
        raise ZeroDivisionError
    assert not Path(spec.work, WEIGHTS).exists()
