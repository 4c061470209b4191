"""Hidden items in searches, by the log as it is when a search begins."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE
from pipelines.search.engine import SearchEngine
from pipelines.store.folder import FolderStore


@pytest.fixture
def ours(shop, tmp_path: Path):
    """The shop with a store of its own, to change."""
    return replace(shop, store=FolderStore(Path(shutil.copytree(shop.root / "store", tmp_path / "store"))))


def found(shop, number: int, k: int = 5) -> list[str]:
    with SearchEngine.open(shop.config, shop.store) as engine:
        (answer,) = engine.search_photos([shop.photos[number]], k)
    return [result.item_id for result in answer.results]


def test_a_hidden_item_is_among_no_results_until_it_is_shown_again(ours) -> None:
    before = found(ours, 1)
    assert before[0] == "item01"
    change(ours.store, HIDE, ["item01"], "sold")
    assert found(ours, 1, 4) == before[1:]
    with SearchEngine.open(ours.config, ours.store) as engine:
        for answer in engine.search_items([item for item in ours.item_ids if item != "item01"], 39):
            assert "item01" not in {result.item_id for result in answer.results}
    change(ours.store, UNHIDE, ["item01"], "")
    assert found(ours, 1) == before


def test_who_shows_the_same_photo_is_found_still(ours) -> None:
    first, last = ours.item_ids[0], ours.item_ids[39]
    assert {first, last} == {*found(ours, 0, 2)}
    change(ours.store, HIDE, [first], "sold")
    assert found(ours, 0)[0] == last
    assert first not in found(ours, 0, 40)


def test_a_search_by_a_hidden_item_says_so(ours) -> None:
    change(ours.store, HIDE, ["item05"], "recalled")
    with SearchEngine.open(ours.config, ours.store) as engine:
        hidden, known = engine.search_items([" item05 ", "item06"], 3)
    assert (hidden.code, hidden.results) == ("hidden", ())
    assert hidden.detail.startswith("hidden since 20")
    assert hidden.detail.endswith(": recalled; `visual-search unhide` shows it again")
    assert len(known.results) == 3


def test_another_release_is_searched_without_them_too(ours) -> None:
    """What a rollback would serve: the log counts, not when an index was built."""
    manifest = ours.store.read_json("releases/r1/manifest.json")
    ours.store.create_json("releases/r0/manifest.json", manifest | {"release_id": "r0"})
    change(ours.store, HIDE, ["item07"], "sold")
    with SearchEngine.open(ours.config, ours.store, "r0") as engine:
        (answer,) = engine.search_photos([ours.photos[7]], 40)
    assert answer.release_id == "r0"
    assert len(answer.results) == 39
    assert "item07" not in {result.item_id for result in answer.results}


def test_when_all_is_hidden_nothing_is_found(ours) -> None:
    change(ours.store, HIDE, ours.item_ids, "closed")
    assert found(ours, 3) == []
