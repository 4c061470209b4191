"""Pairs that curators call not alike, in searches, by the log as it is when a search begins."""

from pathlib import Path

from pipelines.curated.change import note
from pipelines.curated.entries import NOT_ALIKE, UNDO, Decision
from pipelines.search.engine import SearchEngine
from tests.search.test_hidden import found, ours

__all__ = ["ours"]


def test_a_pair_is_not_shown_for_one_another_until_that_is_taken_back(ours) -> None:
    by_photo = found(ours, 1)
    first, second = by_photo[:2]
    assert first == "item01"

    def similar(item_id: str) -> list[str]:
        with SearchEngine.open(ours.config, ours.store) as engine:
            [answer] = engine.search_items([item_id], 39)
        return [result.item_id for result in answer.results]

    assert second in similar(first)
    noted = note(ours.store, Decision(NOT_ALIKE, (first, second)), "another shape", "ann")
    assert second not in similar(first)
    assert first not in similar(second)
    assert found(ours, 1) == [first, *[item for item in found(ours, 1, 40) if item not in by_photo[:2]][:4]]
    assert second not in found(ours, 1, 40)
    assert first in found(ours, 5, 40)
    note(ours.store, Decision(UNDO, undoes=noted.number), "", "ann")
    assert found(ours, 1) == by_photo


def test_what_is_not_a_photo_of_the_shop_finds_both(ours, tmp_path: Path) -> None:
    from tests.search.conftest import draw

    query = tmp_path / "street.jpg"
    query.write_bytes(draw(4_001))
    note(ours.store, Decision(NOT_ALIKE, ("item01", "item05")), "another shape", "ann")
    with SearchEngine.open(ours.config, ours.store) as engine:
        [answer] = engine.search_photos([query], 40)
    assert {"item01", "item05"} <= {result.item_id for result in answer.results}
