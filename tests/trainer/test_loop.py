import json
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.trainer.world import tiny_trunk
from trainer.config import TrainSpec
from trainer.data import Photos
from trainer.divergence import DivergedError
from trainer.heads import build_heads
from trainer.loop import Trainer, targets_of
from transforms.labels import slot_feature


class KilledError(Exception):
    """Stands for a kill: nothing after it runs."""


def new_trainer(spec: TrainSpec) -> Trainer:
    keras.utils.set_random_seed(spec.seed)
    return Trainer(spec, tiny_trunk(), build_heads({"category_0": 2, "category_1": 3}))


def weights_of(trainer: Trainer) -> list[np.ndarray]:
    return [np.array(v.value) for v in (*trainer.trunk.variables, *trainer.heads.variables)]


def test_it_learns_what_can_be_learnt_and_keeps_its_curves(spec: TrainSpec, photos: Photos) -> None:
    found = new_trainer(replace(spec, steps=40, learning_rate=1e-2)).fit(photos, photos)
    assert found["top1.category_1"] > 0.9
    assert (found["train.steps"], found["train.photos"]) == (40, len(photos))
    assert found["train.seen"] == 40 * min(spec.batch, len(photos))
    assert found["train.seconds"] > 0
    curve = [json.loads(line) for line in Path(spec.checkpoints, "curves.jsonl").read_text().splitlines()]
    assert curve[-1]["step"] == 40
    assert curve[-1]["loss"] < curve[0]["loss"]
    assert curve[0]["learning_rate"] > 0
    assert {"images_a_second", "top1.category_0"} <= set(curve[0])


@pytest.mark.parametrize(("fixed_norms", "first"), [(False, 18), (True, 24)])
def test_photos_are_small_at_first_but_for_a_body_that_knows_large_ones(
    spec: TrainSpec, photos: Photos, fixed_norms: bool, first: int
) -> None:
    new_trainer(replace(spec, fixed_norms=fixed_norms)).fit(photos, photos)
    curve = [json.loads(line) for line in Path(spec.checkpoints, "curves.jsonl").read_text().splitlines()]
    assert [point["height"] for point in (curve[0], curve[-1])] == [first, 24]


def test_reports_measure_a_twentieth_of_what_was_trained_on_since(
    spec: TrainSpec, photos: Photos, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[int | None] = []
    evaluate = Trainer.evaluate

    def noted(self: Trainer, held_out: Photos, limit: int | None = None, *rest: object) -> dict[str, float]:
        measured.append(limit)
        return evaluate(self, held_out, limit, *rest)

    monkeypatch.setattr(Trainer, "evaluate", noted)
    new_trainer(replace(spec, steps=40, batch=20)).fit(photos, photos)
    assert measured == [2] * 20 + [None]  # the last is the result, on all of them


@pytest.mark.parametrize("head_share", [0.0, 0.5, 0.9])  # killed at 5 of 8: the head is done, or still learns alone
def test_a_killed_run_goes_on_from_its_last_checkpoint_to_the_same_weights(
    spec: TrainSpec, photos: Photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head_share: float
) -> None:
    spec = replace(spec, head_share=head_share)
    whole = new_trainer(replace(spec, checkpoints=str(tmp_path / "whole")))
    whole.fit(photos, photos)
    often = replace(spec, checkpoint_s=0.0)
    done: list[int] = []
    killed: list[int] = []
    step_once = Trainer.train_one

    def killed_at_5(self: Trainer, *given: object) -> object:
        step = int(self.step.numpy())
        if step == 5 and not killed:
            killed.append(step)
            raise KilledError
        done.append(step)
        return step_once(self, *given)

    monkeypatch.setattr(Trainer, "train_one", killed_at_5)
    with pytest.raises(KilledError):
        new_trainer(often).fit(photos, photos)
    resumed = new_trainer(often)
    resumed.fit(photos, photos)
    assert done == [0, 1, 2, 3, 4, 5, 6, 7]
    for one, other in zip(weights_of(whole), weights_of(resumed), strict=True):
        assert one == pytest.approx(other, abs=2e-3)


def test_a_loss_that_is_no_number_stops_the_training_with_its_last_good_checkpoint(
    spec: TrainSpec, photos: Photos, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks_at_5(self: Trainer, *given: object) -> object:
        loss = step_once(self, *given)
        if int(self.step.numpy()) == 5:
            self.heads.trainable_variables[0].assign(self.heads.trainable_variables[0] * np.nan)
        return loss

    step_once = Trainer.train_one
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_one", breaks_at_5)
        with pytest.raises(DivergedError, match=r"finite numbers at step 6; the last good checkpoint is of step 5; "):
            new_trainer(replace(spec, checkpoint_s=0.0)).fit(photos, photos)
        with pytest.raises(DivergedError, match=r"the loss is nan at step 7; no checkpoint is good; lower train"):
            new_trainer(replace(spec, checkpoints=f"{spec.checkpoints}/other")).fit(photos, photos)
    assert [line for line in capsys.readouterr().err.splitlines() if "checkpoint" in line] == [
        f"train: checkpoint of step {step}" for step in range(1, 6)
    ]
    again = new_trainer(spec)  # the machine was to blame: the same training goes on from there
    again.fit(photos, photos)
    assert all(np.isfinite(values).all() for values in weights_of(again))


def test_a_learning_rate_that_is_far_too_high_is_named(spec: TrainSpec, photos: Photos) -> None:
    with pytest.raises(DivergedError, match=r"lower train\.learning_rate = 1e\+30, which trains anew"):
        new_trainer(replace(spec, learning_rate=1e30)).fit(photos, photos)


def test_a_finished_run_trains_no_more_and_keeps_two_checkpoints(spec: TrainSpec, photos: Photos) -> None:
    spec = replace(spec, checkpoint_s=0.0)
    first = new_trainer(spec)
    wanted = first.fit(photos, photos)
    again = new_trainer(spec)
    assert again.fit(photos, photos) == pytest.approx(wanted)
    assert int(again.step.numpy()) == 8
    assert len(list(Path(spec.checkpoints).glob("ckpt-*.index"))) == 2


def test_a_budget_of_minutes_ends_and_what_was_spent_of_it_stays_spent(spec: TrainSpec, photos: Photos) -> None:
    spec = replace(spec, steps=None, minutes=0.001)
    first = new_trainer(spec)
    first.fit(photos, photos)
    assert int(first.step.numpy()) == 24  # the least there is
    again = new_trainer(spec)
    again.fit(photos, photos)
    assert int(again.step.numpy()) == 24
    assert float(again.spent_s.numpy()) == float(first.spent_s.numpy()) > 0.06


def test_leaves_with_too_few_photos_train_as_their_parent(photos: Photos) -> None:
    photos.slots[slot_feature("category_1")] = np.array([0] * 4 + [1] * 55 + [-1], np.int32)
    assert targets_of(photos, "category_1", 5).tolist() == [-1] * 4 + [1] * 55 + [-1]
    assert targets_of(photos, "category_1", 4).tolist() == [0] * 4 + [1] * 55 + [-1]
    assert -1 not in targets_of(photos, "category_0", 50)  # the top has no parent to train as
