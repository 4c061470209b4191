"""The rules of one bucket: newest wins, snapshots remove, deltas upsert and delete, replays change nothing."""

from typing import Any

from pipelines.catalogue.mapping import Item, Photo
from pipelines.catalogue.merge import Arrival, MediaArrival, Merged, merge

A, B = Photo("a.jpg", "main"), Photo("b.jpg", "main")


def item(item_id: str, at: float = 10.0, photos: tuple[Photo, ...] = (A,), **more: Any) -> Item:
    return Item(item_id, at, category=("Shoes",), photos=photos, **more)


def gone(item_id: str, at: float) -> Item:
    return Item(item_id, at, deleted=True)


def arrivals(*items: Item, feed: str = "snapshot", file: str = "f.csv", start: int = 1) -> list[Arrival]:
    return [Arrival(n, f"{file}:{n}", feed, one) for n, one in enumerate(items, start)]


def state(*items: Item) -> dict[str, Item]:
    return {one.item_id: one for one in items}


def ledger(merged: Merged) -> tuple[int, int, int]:
    return merged.ok, merged.skipped, len(merged.rejects)


def test_a_first_snapshot() -> None:
    merged = merge({}, {}, arrivals(item("x"), item("y")), [], 10.0)
    assert merged.items == state(item("x"), item("y"))
    assert ledger(merged) == (2, 0, 0)
    assert (merged.added, merged.changed, merged.deleted) == (2, 0, 0)


def test_a_snapshot_removes_what_it_does_not_name_and_dates_it() -> None:
    merged = merge(state(item("x"), item("y")), {}, arrivals(item("x", 20.0)), [], 20.0)
    assert merged.items == state(item("x", 20.0))
    assert merged.deletes == {"y": 20.0}
    assert (merged.added, merged.changed, merged.deleted) == (0, 0, 1)
    assert dict(merged.removed) == {"Shoes": 1}


def test_a_snapshot_keeps_what_is_newer_than_itself() -> None:
    merged = merge(state(item("x"), item("y", 30.0)), {}, arrivals(item("x", 20.0)), [], 20.0)
    assert set(merged.items) == {"x", "y"}


def test_an_older_row_neither_overwrites_nor_revives() -> None:
    held = state(item("x", 30.0, title="new"))
    merged = merge(held, {"y": 30.0}, arrivals(item("x", 20.0, title="old"), item("y", 20.0), feed="deltas"), [], None)
    assert merged.items == held
    assert merged.deletes == {"y": 30.0}
    assert ledger(merged) == (0, 2, 0)


def test_a_newer_row_revives_what_was_deleted() -> None:
    merged = merge({}, {"y": 30.0}, arrivals(item("y", 40.0), feed="deltas"), [], None)
    assert merged.items == state(item("y", 40.0))
    assert merged.deletes == {}


def test_deltas_upsert_and_delete_in_order() -> None:
    rows = arrivals(item("x", 20.0, title="two"), gone("y", 20.0), gone("z", 20.0), item("z", 20.0), feed="deltas")
    merged = merge(state(item("x"), item("y")), {}, rows, [], None)
    assert merged.items == state(item("x", 20.0, title="two"), item("z", 20.0))
    assert merged.deletes == {"y": 20.0}
    assert merged.removed == {}  # what deltas delete is not held against a snapshot
    assert (merged.added, merged.changed, merged.deleted) == (1, 1, 1)


def test_replaying_changes_nothing() -> None:
    rows = [*arrivals(item("x", 20.0), gone("y", 15.0), feed="deltas")]
    once = merge(state(item("y")), {}, rows, [], None)
    twice = merge(once.items, once.deletes, rows, [], None)
    assert (twice.items, twice.deletes) == (once.items, once.deletes)
    assert (twice.added, twice.changed, twice.deleted) == (0, 0, 0)


def test_repeated_rows_of_one_item_are_its_photos() -> None:
    merged = merge({}, {}, arrivals(item("x"), item("x", photos=(B,)), item("x", photos=(A,))), [], 10.0)
    assert merged.items == state(item("x", photos=(A, B)))
    assert ledger(merged) == (2, 1, 0)


def test_of_repeated_rows_the_newest_wins_wherever_it_stands() -> None:
    rows = arrivals(item("x", 20.0, title="new"), item("x", 10.0, title="old"), item("x", 15.0))
    merged = merge({}, {}, rows, [], 20.0)
    assert merged.items == state(item("x", 20.0, title="new"))
    assert ledger(merged) == (1, 2, 0)


def test_two_rows_that_contradict_each_other_at_one_time() -> None:
    merged = merge({}, {}, arrivals(item("x", title="one"), item("x", title="two")), [], 10.0)
    assert merged.items == state(item("x", title="one"))
    [reject] = merged.rejects
    assert (reject.source, reject.item_id, reject.code) == ("f.csv:2", "x", "conflicting_duplicate")
    assert reject.detail == "item 'x' stands in f.csv:1 already with other values and the same time"
    assert ledger(merged) == (1, 0, 1)


def test_rows_of_two_files_with_one_time_are_two_upserts() -> None:
    one = arrivals(item("x", title="one"), feed="deltas", file="1.csv")
    two = arrivals(item("x", title="two"), feed="deltas", file="2.csv", start=9)
    merged = merge({}, {}, two + one, [], None)
    assert merged.items == state(item("x", title="two"))
    assert ledger(merged) == (2, 0, 0)


def test_media_rows_add_photos_once() -> None:
    street = Photo("s.jpg", "street", box=(0.0, 0.0, 9.0, 9.0))
    rows = [MediaArrival("m.csv:1", "x", street), MediaArrival("m.csv:2", "x", street)]
    merged = merge({}, {}, arrivals(item("x")), rows, 10.0)
    assert merged.items == state(item("x", photos=(A, street)))
    assert ledger(merged) == (2, 1, 0)


def test_media_rows_of_unknown_and_of_deleted_items() -> None:
    rows = [MediaArrival("m.csv:1", "nobody", A), MediaArrival("m.csv:2", "y", A)]
    merged = merge({}, {"y": 5.0}, arrivals(item("x")), rows, 10.0)
    assert [(r.source, r.code, r.detail) for r in merged.rejects] == [
        ("m.csv:1", "unknown_item", "no item 'nobody' in the catalogue")
    ]
    assert ledger(merged) == (1, 1, 1)


def test_an_item_whose_photos_stand_in_the_media_table_only() -> None:
    rows = arrivals(item("x", photos=()), item("y", photos=()))
    merged = merge({}, {}, rows, [MediaArrival("m.csv:1", "x", A)], 10.0)
    assert merged.items == state(item("x"))
    assert [(r.item_id, r.code) for r in merged.rejects] == [("y", "no_photo")]
    assert ledger(merged) == (2, 0, 1)


def test_a_new_time_alone_is_no_change() -> None:
    merged = merge(state(item("x", 10.0)), {}, arrivals(item("x", 20.0)), [], 20.0)
    assert (merged.added, merged.changed, merged.ok) == (0, 0, 1)
