"""Since when no item has a category, and which categories are retired by that."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.store import Log, Store, open_store
from pipelines.tables.absences import Retired, absent_since, retired
from pipelines.tables.taxonomy import extend_taxonomy, read_taxonomy, values_of

BEGIN = datetime(2026, 1, 1, 6, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def day(store: Store, number: int, *paths: str) -> int:
    """Append a catalogue of some day that holds these categories; return its number."""
    log = Log(store, "catalogue/log")
    head, entry = log.head()
    seen = [value for path in paths for value in values_of(path.split(" > "))]
    extend_taxonomy(store, seen)
    now = (BEGIN + timedelta(days=number)).isoformat(timespec="seconds")
    log.append(head + 1, {"at": now, "absent": absent_since(read_taxonomy(store), seen, entry.get("absent", {}), now)})
    return head + 1


def test_a_category_is_retired_when_no_item_has_had_it_for_so_long_and_comes_back(store: Store) -> None:
    day(store, 0, "a > x", "b > y")
    day(store, 1, "a > x")
    assert retired(store, day(store, 90, "a > x"), 90) == Retired(frozenset(), (frozenset(), frozenset()))
    last = day(store, 91, "a > x")
    assert retired(store, last, 90) == Retired(frozenset({1}), (frozenset({1}), frozenset({1})))
    assert retired(store, last, 91) == Retired(frozenset(), (frozenset(), frozenset()))
    back = day(store, 92, "a > x", "b > z")
    assert retired(store, back, 90) == Retired(frozenset({1}), (frozenset(), frozenset({1})))  # b is there again
    again = day(store, 93, "a > x", "b > y")
    assert retired(store, again, 90).leaves == frozenset()
    assert retired(store, day(store, 183, "a > x"), 90).leaves == frozenset({2})  # b > y is counted anew
    assert read_taxonomy(store)["leaves"] == {"a > x": 0, "b > y": 1, "b > z": 2}


def test_it_is_asked_of_each_catalogue_by_its_own_entry(store: Store) -> None:
    day(store, 0, "a", "b")
    first = day(store, 1, "a")
    later = day(store, 40, "a")
    assert (retired(store, first, 30).leaves, retired(store, later, 30).leaves) == (frozenset(), frozenset({1}))


def test_a_store_of_before_counts_from_its_next_catalogue(store: Store) -> None:
    extend_taxonomy(store, [*values_of(["a"]), *values_of(["b"])])
    Log(store, "catalogue/log").append(1, {"at": BEGIN.isoformat()})
    assert retired(store, 1, 90) == Retired()
    assert retired(store, day(store, 500, "a"), 90).leaves == frozenset()
    assert retired(store, day(store, 590, "a"), 90).leaves == frozenset({1})


def test_no_catalogue_has_no_retired_category(store: Store) -> None:
    assert retired(store, 0, 1) == Retired()
    assert Retired().of_level(3) == frozenset()
