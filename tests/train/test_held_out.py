"""Leaves that are held out of training, so that what a search makes of new ones can be measured."""

from __future__ import annotations

import pytest

from pipelines.store import Store
from pipelines.tables.held_out import is_held_out
from pipelines.train.stage import run
from tests.train.conftest import FakeTraining, MakeContext
from tests.train.photos import Shown, build, read
from tests.train.test_examples import context_of

LEAVES = [f"shoes > leaf {n}" for n in range(20)]


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_photos_of_leaves_that_are_held_out_are_never_examples(store: Store, share: float) -> None:
    shown = [Shown(f"i{n}", n, leaf=leaf) for n, leaf in enumerate(LEAVES)]
    found = read(store, build(context_of(store, "held-out", held_out_leaves=share), shown))
    learned = [leaf for leaf in LEAVES if not is_held_out(leaf.split(" > "), share)]
    assert sorted(labels["category_1"] for labels in found.values()) == sorted(learned)
    assert (len(learned) == len(LEAVES)) == (share == 0)


def test_a_model_says_what_share_of_the_leaves_it_has_not_seen(
    make_context: MakeContext, training: FakeTraining, store: Store
) -> None:
    run(make_context(held_out_leaves=0.25))
    assert store.read_json("models/model1/model.json")["lineage"]["held_out_leaves"] == 0.25
