from pathlib import Path

import numpy as np
import pytest

from trainer.export import save_weights
from trainer.heads import build_heads
from trainer.trunks import build_trunk
from trainer.warm_start import copy_weights, load_weights


def test_a_longer_head_keeps_old_rows_by_slot_and_fresh_ones_behind(tmp_path: Path) -> None:
    old, new = build_heads({"leaf": 3, "attr_colour": 2}), build_heads({"leaf": 5, "attr_colour": 2})
    fresh = np.array(new.get_layer("leaf").kernel)
    save_weights(tmp_path / "weights.npz", {"heads": old})
    assert copy_weights(new, "heads", load_weights(tmp_path / "weights.npz")) == 2
    kernel = np.array(new.get_layer("leaf").kernel)
    assert np.array_equal(kernel[:, :3], np.array(old.get_layer("leaf").kernel))
    assert np.array_equal(kernel[:, 3:], fresh[:, 3:])
    assert np.array_equal(new.get_layer("attr_colour").kernel, old.get_layer("attr_colour").kernel)


def test_a_new_attribute_starts_fresh_and_disturbs_nobody(tmp_path: Path) -> None:
    save_weights(tmp_path / "weights.npz", {"heads": build_heads({"category_0": 3})})
    both = build_heads({"category_0": 3, "attr_colour": 2})
    fresh = np.array(both.get_layer("attr_colour").kernel)
    assert copy_weights(both, "heads", load_weights(tmp_path / "weights.npz")) == 1
    assert np.array_equal(both.get_layer("attr_colour").kernel, fresh)


def test_attributes_of_a_model_without_a_leaf_head_start_fresh_for_their_slots_are_others(tmp_path: Path) -> None:
    old, new = (
        build_heads({"category_0": 3, "attr_colour": 2}),
        build_heads({"leaf": 4, "category_0": 3, "attr_colour": 2}),
    )
    fresh = np.array(new.get_layer("attr_colour").kernel)
    save_weights(tmp_path / "weights.npz", {"heads": old})
    assert copy_weights(new, "heads", load_weights(tmp_path / "weights.npz")) == 1
    assert np.array_equal(new.get_layer("attr_colour").kernel, fresh)
    assert np.array_equal(new.get_layer("category_0").kernel, old.get_layer("category_0").kernel)


def test_a_trunk_made_later_in_the_same_process_gets_every_weight(tmp_path: Path) -> None:
    old, new = build_trunk("small", "float32"), build_trunk("small", "float32")
    photo = np.random.default_rng(1).integers(0, 256, (1, 32, 24, 3)).astype(np.float32)
    assert not np.allclose(old(photo), new(photo), atol=1e-4)
    save_weights(tmp_path / "weights.npz", {"trunk": old})
    assert copy_weights(new, "trunk", load_weights(tmp_path / "weights.npz")) == len(new.variables)
    assert np.asarray(new(photo)) == pytest.approx(np.asarray(old(photo)), abs=1e-6)
