"""What stands above an item's row in the feed: a curator's decision is named by its number."""

from types import SimpleNamespace
from typing import Any

import pytest

from pipelines.curated import Curated
from pipelines.curated.entries import CATEGORY, Decision, Entry
from pipelines.trace.laid import Overlaid

CONFIG: Any = SimpleNamespace(catalogue=SimpleNamespace(corrections=None))
BAGS = Curated().after(Entry(Decision(CATEGORY, ("a",), ("Bags",)), "seen", "2026-01-01T00:00:00+00:00", "ann@box"))


@pytest.mark.parametrize(
    ("item_id", "is_corrected", "by", "place"),
    [
        ("a", True, "visual-search curate", "decision 1"),
        ("a", False, "catalogue.category_aliases", ""),  # that run did not know of it
        ("b", True, "catalogue.corrections", ""),
    ],
)
def test_by_whom_a_category_is_another(item_id: str, is_corrected: bool, by: str, place: str) -> None:
    origin = {"said_category": ["Boots"], "said_attributes": [], "is_corrected": is_corrected}
    row = {"item_id": item_id, "category": ["Bags"], "attributes": []}
    [laid] = Overlaid(CONFIG, BAGS).of(row, origin)
    assert (laid.what, laid.by, laid.place, laid.said) == ("category", by, place, "Boots")
