"""A shop renames its categories: the model, the vectors and the numbers stay, and what is found has the new names."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from tests.e2e.conftest import Shop, copy_of


@pytest.fixture(scope="module")
def renamed(promoted: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """The shop after a second run, whose top categories all have new names."""
    shop = copy_of(promoted, tmp_path_factory.mktemp("renamed"))
    tops = sorted({top for top in taxonomy(shop, "promoted")["levels"][0] if top})
    with (shop.folder / "aliases.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("old", "new"), *((top, f"All our {top}") for top in tops)])
    shop.configure(r"^\[catalogue\]$", '[catalogue]\ncategory_aliases = "aliases.csv"')
    shop.run("second")
    return shop


def taxonomy(shop: Shop, when: str) -> dict:
    """Return the slots that the model was given, or those of the store."""
    if when == "promoted":
        return json.loads((shop.store / "models" / shop.live()["model"]["model_id"] / "taxonomy.json").read_text())
    from pipelines.store import open_store
    from pipelines.tables.taxonomy import read_taxonomy

    return read_taxonomy(open_store(str(shop.store)))


def test_nothing_is_trained_or_embedded_for_new_names(renamed: Shop, promoted: Shop) -> None:
    assert renamed.manifest("second", "train")["outputs"]["decision"] == "reused"
    assert renamed.manifest("second", "embed")["counts"]["inferred"] == 0
    counts = renamed.manifest("second", "catalogue")["counts"]
    assert (counts["added"], counts["changed"], counts["removed"]) == (0, counts["items"], 0)
    assert renamed.live()["model"] == promoted.live()["model"]


def test_every_slot_is_that_of_the_same_category(renamed: Shop) -> None:
    before, after = taxonomy(renamed, "promoted"), taxonomy(renamed, "now")
    assert {f"All our {leaf}": slot for leaf, slot in before["leaves"].items()} == after["leaves"]
    assert [{f"All our {value}": slot for value, slot in level.items()} for level in before["levels"]] == after[
        "levels"
    ]


def test_the_model_names_them_as_well_as_before(renamed: Shop, promoted: Shop) -> None:
    before, after = promoted.metrics(), renamed.metrics()
    names = [name for name in before if name.startswith("category.")]
    assert before["category.leaf_top1"] > 0.2
    assert {name: after[name] for name in names} == pytest.approx({name: before[name] for name in names})
    assert after["retrieval.p_at_10"] == pytest.approx(before["retrieval.p_at_10"], abs=0.01)


def test_what_is_found_has_the_new_names(renamed: Shop, tmp_path: Path) -> None:
    photo = next((renamed.folder / "street").rglob("*.jpg"))
    found = json.loads(renamed.cli("search", "--json", str(photo)).stdout)
    assert found["results"]
    assert all(result["category"][0].startswith("All our ") for result in found["results"])
