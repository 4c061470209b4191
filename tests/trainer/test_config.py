from pathlib import Path

from trainer.config import TrainSpec


def test_a_specification_survives_its_file(spec: TrainSpec, tmp_path: Path) -> None:
    spec.save(tmp_path / "spec.json")
    assert TrainSpec.load(tmp_path / "spec.json") == spec


def test_slots_are_named_as_the_examples_features_are(spec: TrainSpec) -> None:
    assert spec.slots() == {
        "leaf": {"red": 0, "green": 1, "blue": 2, "red top": 3, "rest": 4, "unseen": 5},
        "category_0": {"red": 0, "rest": 1},
        "category_1": {"red": 0, "green": 1, "blue": 2},
    }
