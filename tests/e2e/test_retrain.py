"""Categories come, go and change their names over two retrains from the live model: slots never move.

The second retrain is killed and goes on on another machine.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.e2e.conftest import Shop, copy_of
from tests.e2e.test_incremental import fields, heading, line_of
from tests.e2e.test_kills import train_on_two_machines


def slots(shop: Shop) -> list[dict[str, int]]:
    from pipelines.store import open_store
    from pipelines.tables.taxonomy import read_taxonomy

    taxonomy = read_taxonomy(open_store(str(shop.store)))
    return [taxonomy["leaves"], *taxonomy["levels"]]


def recategorise(shop: Shop, change: Callable[[str, int], str | None]) -> None:
    """Change every item's category by a function of it and of the number of items so far; None drops the item."""
    place = heading(shop).index("category")

    def rewrite(lines: list[str]) -> list[str]:
        kept, seen = [], Counter[str]()
        for line in lines:
            values = fields(line)
            if len(values) > place and values[place]:
                seen[values[place]] += 1
                new = change(values[place], seen[values[place]])
                if new is None:
                    continue
                values[place] = new
                line = line_of(values)
            kept.append(line)
        return kept

    shop.rewrite(rewrite)


def largest(shop: Shop, count: int) -> list[str]:
    place = heading(shop).index("category")
    lines = (shop.folder / "products.csv").read_text(errors="surrogateescape").splitlines()[1:]
    found = Counter(values[place] for values in map(fields, lines) if len(values) == len(heading(shop)))
    return [name for name, _ in found.most_common(count)]


@pytest.mark.usefixtures("trained_here")
def test_slots_never_move_and_a_retrain_starts_from_the_live_model(shop: Shop, tmp_path: Path) -> None:
    first, second, third = largest(shop, 3)
    before, models = slots(shop), [shop.live()["model"]["model_id"]]
    shop.configure(r"^\[train\]$", '[train]\npolicy = "always"')

    # one is renamed, and half of another becomes a new one
    renamed = f"{first} renamed"
    added = f"{second} and more"
    recategorise(shop, lambda name, n: renamed if name == first else added if name == second and n % 2 else name)
    shop.run("second")
    models.append(shop.live()["model"]["model_id"])
    between = slots(shop)
    new = [set(level) - set(old) for level, old in zip(between, before, strict=True)]
    assert [len(new[0]), sum(map(len, new[1:]))] == [2, 2]  # leaves, and the same among the levels
    check_unmoved(before, between)

    # one is removed, and the training is killed
    recategorise(shop, lambda name, _: None if name == third else name)
    accepted = "--accept", "a category is gone"
    shop.run("third", "--to", "preprocess", *accepted)
    train_on_two_machines(shop, "third", tmp_path)
    shop.run("third", "--from", "embed", *accepted)
    models.append(shop.live()["model"]["model_id"])
    assert slots(shop) == between  # its slot stays, for its return
    assert len(set(models)) == 3

    for parent, child in pairwise(models):
        facts = model(shop, child)
        assert facts["lineage"]["parent"] == parent
        assert facts["trunk_checksum"]["before"] == facts["trunk_checksum"]["after"]
        old, grown = (len(model(shop, one)["leaf"]["slots"]) for one in (parent, child))
        assert grown >= old


def test_an_equal_training_of_another_run_is_adopted_and_not_done(trained: Shop, tmp_path: Path) -> None:
    shop = copy_of(trained, tmp_path)
    shop.configure(r"^\[train\]$", '[train]\npolicy = "always"')
    shop.run("second", "--to", "train")
    first, second = (shop.manifest(run, "train")["outputs"] for run in ("first", "second"))
    assert (second["model_id"], second["decision"]) == (first["model_id"], "adopted")
    assert len([path for path in (shop.store / "models").iterdir() if path.name != "by-key"]) == 1
    keys = {shop.store / "models" / "by-key" / f"{model(shop, first['model_id'])['lineage']['train_key']}.json"}
    assert set((shop.store / "models" / "by-key").iterdir()) == keys


def model(shop: Shop, model_id: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads((shop.store / "models" / model_id / "model.json").read_text())
    return value


def check_unmoved(before: list[dict[str, int]], after: list[dict[str, int]]) -> None:
    for old, new in zip(before, after, strict=True):
        assert {name: new[name] for name in old} == old
        assert np.array_equal(sorted(new.values()), np.arange(len(new)))
