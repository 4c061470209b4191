"""The rules of one bucket: snapshots hold in the order they are read, deltas by their dates, replays change nothing."""

from dataclasses import replace
from typing import Any

from pipelines.catalogue.arrivals import Arrival, MediaArrival, Mention, Rejected, Rows
from pipelines.catalogue.mapping import Item, Photo
from pipelines.catalogue.merge import Merged, Terms, merge
from pipelines.catalogue.state import Delete, Held, State

A, B = Photo("a.jpg", "main"), Photo("b.jpg", "main")
STREET = Photo("s.jpg", "street", box=(0.0, 0.0, 9.0, 9.0))
NOW = 1000.0
DAY = 86_400.0
DELTAS = Terms(NOW)


def snapshot(at: float, **more: Any) -> Terms:
    return Terms(NOW, at, **more)


def item(item_id: str, at: float = 10.0, photos: tuple[Photo, ...] = (A,), **more: Any) -> Item:
    return Item(item_id, at, category=("Shoes",), photos=photos, **more)


def gone(item_id: str, at: float) -> Item:
    return Item(item_id, at, deleted=True)


def arrivals(
    *items: Item, feed: str = "snapshot", file: str = "f.csv", start: int = 1, again: bool = False
) -> list[Arrival]:
    return [Arrival(n, f"{file}:{n}", feed, one, again) for n, one in enumerate(items, start)]


def deltas(*items: Item, **more: Any) -> Rows:
    return Rows(arrivals(*items, feed="deltas", **more))


def named(*items: Item) -> Rows:
    return Rows(arrivals(*items))


def state(*items: Item, feed: str = "snapshot", deletes: dict[str, Delete] | None = None) -> State:
    return State({one.item_id: Held(one, feed) for one in items}, deletes or {})


def ids(merged: Merged) -> set[str]:
    return set(merged.state.shown())


def ledger(merged: Merged) -> tuple[int, int, int]:
    return merged.ok, merged.skipped, len(merged.rejects)


def counts(merged: Merged) -> tuple[int, int, int]:
    return merged.counts["added"], merged.counts["changed"], merged.removed.total()


def after(*steps: tuple[Rows, Terms]) -> Merged:
    """What a few readings come to, one after the other."""
    merged = Merged(State())
    for rows, terms in steps:
        merged = merge(merged.state, rows, terms)
    return merged


def test_a_first_snapshot() -> None:
    merged = merge(State(), named(item("x"), item("y")), snapshot(10.0))
    assert merged.state == state(item("x"), item("y"))
    assert (ledger(merged), counts(merged)) == ((2, 0, 0), (2, 0, 0))


def test_a_snapshot_removes_what_it_does_not_name() -> None:
    merged = merge(state(item("x"), item("y")), named(item("x", 20.0)), snapshot(20.0))
    assert merged.state == state(item("x", 20.0), deletes={"y": Delete(20.0, "snapshot")})
    assert counts(merged) == (0, 0, 1)
    assert dict(merged.removed) == {"Shoes": 1}


def test_what_is_named_by_a_later_snapshot_is_back_though_nothing_of_it_changed() -> None:
    full, less = named(item("x"), item("y", 5.0)), named(item("x"))
    back = after((full, snapshot(10.0)), (less, snapshot(10.0)), (full, snapshot(10.0)))
    assert back.state == state(item("x"), item("y", 5.0))
    assert (counts(back), ledger(back)) == ((1, 0, 0), (2, 0, 0))


def test_the_newest_item_of_a_snapshot_may_leave_it() -> None:
    less = after((named(item("x"), item("y", 30.0)), snapshot(30.0)), (named(item("x")), snapshot(10.0)))
    assert ids(less) == {"x"}
    assert less.state.deletes == {"y": Delete(30.0, "snapshot")}  # no delta that is not newer than it brings it back
    assert (less.counts["back"], less.counts["on"]) == (0, 0)


def test_a_snapshot_keeps_what_deltas_said_after_it() -> None:
    held = state(item("x"))
    held.items |= state(item("y", 30.0), item("z", 15.0), feed="deltas").items
    merged = merge(held, named(item("x", 20.0)), snapshot(20.0))
    assert ids(merged) == {"x", "y"}
    assert ids(merge(merged.state, named(item("x", 40.0)), snapshot(40.0))) == {"x"}


def test_an_item_of_a_delta_is_the_snapshots_once_it_names_it() -> None:
    named_too = after((deltas(item("y", 30.0)), DELTAS), (named(item("x"), item("y", 30.0)), snapshot(30.0)))
    assert named_too.state.items["y"].feed == "snapshot"
    assert ids(merge(named_too.state, named(item("x")), snapshot(10.0))) == {"x"}


def test_a_snapshot_that_was_read_before_removes_nothing() -> None:
    brought = after((named(item("x")), snapshot(10.0)), (deltas(item("late", 5.0)), DELTAS))
    again = merge(brought.state, named(item("x", title="mapped anew")), snapshot(10.0, is_new=False))
    assert ids(again) == {"x", "late"}
    assert again.state.items["x"].item.title == "mapped anew"


def test_a_snapshot_that_was_read_before_does_not_undo_what_deltas_said_since() -> None:
    since = after(
        (named(item("x"), item("y")), snapshot(10.0)), (deltas(item("x", title="new"), gone("y", 10.0)), DELTAS)
    )
    again = merge(since.state, named(item("x"), item("y")), snapshot(10.0, is_new=False))
    assert (again.state, ledger(again)) == (since.state, (0, 2, 0))


def test_a_part_of_a_snapshot_removes_nothing() -> None:
    merged = merge(state(item("x"), item("y")), named(item("x", title="new")), snapshot(10.0, is_whole=False))
    assert (ids(merged), counts(merged)) == ({"x", "y"}, (0, 1, 0))


def test_a_later_snapshot_says_what_an_item_is_whatever_its_dates() -> None:
    mended = merge(state(item("x", 300.0, title="a year late")), named(item("x", 20.0, title="mended")), snapshot(20.0))
    assert mended.state == state(item("x", 20.0, title="mended"))
    assert (mended.counts["back"], mended.counts["on"]) == (1, 0)


def test_rows_that_go_back_and_on_in_time_are_counted_for_the_items_that_snapshots_named() -> None:
    held = state(item("a", 10.0), item("b", 10.0), item("c", 10.0), item("d", NOW + 2 * DAY))
    held.items["e"] = Held(item("e", 10.0), "deltas")
    rows = named(item("a", 9.0), item("b", 11.0), item("c", 10.0), item("d", 20.0), item("e", 9.0), item("new", 1.0))
    merged = merge(held, rows, snapshot(20.0))
    assert (merged.counts["back"], merged.counts["on"]) == (1, 1)
    assert merge(held, rows, snapshot(20.0, is_new=False)).counts["back"] == 0
    assert merge(held, rows, snapshot(20.0, is_mapped_alike=False)).counts["back"] == 0  # they may be of another column


def test_between_a_snapshot_and_deltas_the_newer_row_holds() -> None:
    held = state(item("x", 30.0, title="new"), item("y", 10.0, title="old"), feed="deltas")
    merged = merge(held, named(item("x", 20.0, title="old"), item("y", 10.0, title="as new")), snapshot(20.0))
    assert {held.item.title for held in merged.state.items.values()} == {"new", "as new"}
    assert ledger(merged) == (1, 1, 0)


def test_what_a_delta_deleted_stays_so_until_something_newer_names_it() -> None:
    deleted = state(item("x"), deletes={"y": Delete(30.0, "deltas")})
    assert ids(merge(deleted, named(item("x"), item("y", 20.0)), snapshot(20.0))) == {"x"}
    assert ids(merge(deleted, named(item("x"), item("y", 30.0)), snapshot(30.0))) == {"x", "y"}


def test_of_an_older_catalogue_a_new_snapshot_brings_back_what_it_names() -> None:
    held = state(item("x"), deletes={"y": Delete(30.0, None)})
    assert ids(merge(held, named(item("x"), item("y", 20.0)), snapshot(20.0))) == {"x", "y"}
    known = merge(held, named(item("x"), item("y", 20.0)), snapshot(20.0, is_new=False))
    assert known.state.deletes == {"y": Delete(30.0, None)}
    assert ids(merge(held, deltas(item("y", 20.0)), DELTAS)) == {"x"}


def test_what_a_snapshot_called_deleted_is_back_when_a_later_one_does_not() -> None:
    back = after(
        (named(item("x"), gone("y", 50.0)), snapshot(50.0)), (named(item("x"), item("y", 20.0)), snapshot(20.0))
    )
    assert ids(back) == {"x", "y"}


def test_an_older_delta_neither_overwrites_nor_revives() -> None:
    held = state(item("x", 30.0, title="new"), deletes={"y": Delete(30.0, "deltas"), "z": Delete(30.0, "snapshot")})
    merged = merge(held, deltas(item("x", 20.0, title="old"), item("y", 20.0), item("z", 20.0)), DELTAS)
    assert (merged.state, ledger(merged)) == (held, (0, 3, 0))


def test_a_newer_delta_revives_what_was_deleted_by_whichever_feed() -> None:
    for feed in ("deltas", "snapshot"):
        merged = merge(State({}, {"y": Delete(30.0, feed)}), deltas(item("y", 40.0)), DELTAS)
        assert merged.state == state(item("y", 40.0), feed="deltas")


def test_deltas_upsert_and_delete_in_order() -> None:
    rows = deltas(item("x", 20.0, title="two"), gone("y", 20.0), gone("z", 20.0), item("z", 20.0))
    merged = merge(state(item("x"), item("y")), rows, DELTAS)
    assert merged.state == state(
        item("x", 20.0, title="two"), item("z", 20.0), feed="deltas", deletes={"y": Delete(20.0, "deltas")}
    )
    assert counts(merged) == (1, 1, 1)


def test_replaying_changes_nothing() -> None:
    first = [(named(item("x"), item("y", 12.0)), snapshot(12.0)), (deltas(item("x", 20.0), gone("y", 15.0)), DELTAS)]
    once = after(*first)
    for rows in (deltas(item("x", 20.0), gone("y", 15.0)), deltas(item("y", 11.0), again=True)):
        twice = merge(once.state, rows, DELTAS)
        assert (twice.state, counts(twice)) == (once.state, (0, 0, 0))


def test_a_replay_loses_to_what_was_said_after_it_on_the_same_day() -> None:
    # Dates without a time: the delta of the day, the snapshot of its evening, and then the delta again.
    evening = after((deltas(item("x"), item("y")), DELTAS), (named(item("x", title="evening")), snapshot(10.0)))
    assert ids(evening) == {"x"}
    again = merge(evening.state, deltas(item("x"), item("y"), again=True), DELTAS)
    assert (again.state, ledger(again)) == (evening.state, (0, 2, 0))
    assert ids(merge(evening.state, deltas(item("y")), DELTAS)) == {"x", "y"}  # a delta that is new, of the same day


def test_dates_that_cannot_be_hold_for_nothing() -> None:
    future = NOW + DAY + 1
    held = state(
        item("x", future, title="old"), item("y", future), feed="deltas", deletes={"z": Delete(future, "deltas")}
    )
    rows = [named(item("x", 20.0, title="new"), item("z", 20.0)), deltas(item("x", 20.0, title="new"), item("z", 20.0))]
    for one, terms in zip(rows, (snapshot(20.0), DELTAS), strict=True):
        merged = merge(held, one, terms)
        assert merged.state.items["x"].item.title == "new"
        assert "z" in ids(merged)
        assert ("y" in ids(merged)) == (terms is DELTAS)


def test_repeated_rows_of_one_item_are_its_photos() -> None:
    merged = merge(State(), named(item("x"), item("x", photos=(B,)), item("x", photos=(A,))), snapshot(10.0))
    assert merged.state == state(item("x", photos=(A, B)))
    assert ledger(merged) == (2, 1, 0)


def test_of_repeated_rows_the_newest_wins_wherever_it_stands() -> None:
    rows = named(item("x", 20.0, title="new"), item("x", 10.0, title="old"), item("x", 15.0))
    merged = merge(State(), rows, snapshot(20.0))
    assert merged.state == state(item("x", 20.0, title="new"))
    assert ledger(merged) == (1, 2, 0)


def test_two_rows_that_contradict_each_other_at_one_time() -> None:
    merged = merge(State(), named(item("x", title="one"), item("x", title="two")), snapshot(10.0))
    assert merged.state == state(item("x", title="one"))
    [reject] = merged.rejects
    assert (reject.source, reject.item_id, reject.code) == ("f.csv:2", "x", "conflicting_duplicate")
    assert reject.detail == (
        "item 'x' stands in f.csv:1 already with other values and the same time; if its rows are parts of one, "
        "catalogue.columns.continues names the column they share"
    )
    assert ledger(merged) == (1, 0, 1)


def test_rows_of_two_files_with_one_time_are_two_upserts() -> None:
    one = arrivals(item("x", title="one"), feed="deltas", file="26/products.csv")
    two = arrivals(item("x", title="two"), feed="deltas", file="27/products.csv", start=9)
    merged = merge(State(), Rows(two + one), DELTAS)
    assert merged.state == state(item("x", title="two"), feed="deltas")
    assert ledger(merged) == (2, 0, 0)


def reject(item_id: str, feed: str = "snapshot", image_uri: str = "", code: str = "bad_number") -> Rejected:
    return Rejected("f.csv:9", item_id, image_uri, code, "why", feed)


def test_an_item_whose_row_is_rejected_keeps_its_last_state() -> None:
    held = state(item("x"), item("y", title="as it was"), item("z"))
    rows = named(item("x", 20.0))
    rows.rejected.append(reject("y"))
    merged = merge(held, rows, snapshot(20.0))
    assert merged.state == replace_deletes(state(item("x", 20.0), item("y", title="as it was")), z=20.0)
    assert (merged.counts["kept"], merged.kept_example, ledger(merged)) == (1, "y", (1, 0, 1))
    mended = merge(merged.state, named(item("x", 20.0), item("y", title="mended")), snapshot(20.0))
    assert mended.state.items["y"].item.title == "mended"


def replace_deletes(one: State, **at: float) -> State:
    return replace(one, deletes={item_id: Delete(moment, "snapshot") for item_id, moment in at.items()})


def test_items_are_kept_whatever_feed_their_rejected_rows_are_of_and_a_sound_row_is_taken() -> None:
    for feed, terms in (("snapshot", snapshot(10.0, is_new=False)), ("deltas", DELTAS)):
        rows = Rows(arrivals(item("x", 20.0, title="new"), feed=feed), rejected=[reject("x", feed), reject("y", feed)])
        merged = merge(state(item("x"), item("y")), rows, terms)
        assert (merged.counts["kept"], merged.kept_example) == (1, "y")
        assert merged.state.items["x"].item.title == "new"


def test_an_item_that_a_damaged_row_may_have_named_stays() -> None:
    rows = named(item("x", 20.0))
    rows.rejected.append(reject("", code="bad_row"))
    rows.mentions += [Mention("snapshot", "y"), Mention("snapshot", "nobody"), Mention("deltas", "z")]
    merged = merge(state(item("x"), item("y"), item("z")), rows, snapshot(20.0))
    assert ids(merged) == {"x", "y"}
    assert merged.counts["kept"] == 1


def test_a_rejected_row_does_not_revive_what_was_gone() -> None:
    rows = named(item("x"))
    rows.rejected.append(reject("y"))
    merged = merge(state(item("x"), deletes={"y": Delete(10.0, "snapshot")}), rows, snapshot(10.0))
    assert (ids(merged), merged.counts["kept"]) == ({"x"}, 0)


def media(*photos: tuple[str, Photo]) -> list[MediaArrival]:
    return [MediaArrival(f"m.csv:{n}", *one) for n, one in enumerate(photos, 1)]


MEDIA = Terms(NOW, has_media=True)


def with_media(*photos: tuple[str, Photo], held: State | None = None, **more: Any) -> Merged:
    return merge(state(item("x"), item("y")) if held is None else held, Rows(media=media(*photos), **more), MEDIA)


def test_media_rows_add_photos_once() -> None:
    merged = with_media(("x", STREET), ("x", STREET))
    assert merged.state.items["x"] == Held(item("x"), "snapshot", (STREET,))
    assert ledger(merged) == (1, 1, 0)
    again = with_media(("x", STREET), held=merged.state)
    assert (again.state, ledger(again), counts(again)) == (merged.state, (0, 1, 0), (0, 0, 0))


def test_the_media_table_is_the_state_of_its_photos() -> None:
    wider = replace(STREET, box=(0.0, 0.0, 99.0, 9.0))
    before = with_media(("x", STREET), ("x", B), ("y", B))
    now = with_media(("x", wider), held=before.state)
    assert now.state.items == {"x": Held(item("x"), "snapshot", (wider,)), "y": Held(item("y"), "snapshot")}
    assert (now.counts["withdrawn"], counts(now), ledger(now)) == (2, (0, 2, 0), (1, 0, 0))


def test_photos_of_the_media_table_stay_when_the_item_itself_is_replaced() -> None:
    before = with_media(("x", STREET))
    rows = deltas(item("x", 20.0, photos=(B,)))
    rows.media = media(("x", STREET))
    assert merge(before.state, rows, MEDIA).state.items["x"].photos == (B, STREET)
    assert merge(before.state, deltas(item("x", 20.0, photos=(B,))), Terms(NOW)).state.items["x"].photos == (B,)


def test_two_boxes_for_one_photo_are_a_contradiction() -> None:
    merged = with_media(("x", STREET), ("x", replace(STREET, box=None)))
    assert merged.state.items["x"].media == (STREET,)
    [reject] = merged.rejects
    assert (reject.code, reject.image_uri, reject.feed) == ("conflicting_duplicate", "s.jpg", "media")
    assert reject.detail == "photo 's.jpg' stands in m.csv:1 already with other values"


def test_a_photo_whose_media_row_is_rejected_keeps_its_last_state() -> None:
    before = with_media(("x", STREET), ("x", B), ("y", STREET), ("y", B))
    rejected = [reject("x", "media", "s.jpg", "bad_box"), reject("y", "media", "", "no_photo")]
    now = with_media(("y", B), held=before.state, rejected=rejected)
    assert now.state.items["x"].media == (STREET,)
    assert now.state.items["y"].media == (B, STREET)
    assert now.counts["withdrawn"] == 1
    may = with_media(held=before.state, mentions=[Mention("media", "x")])
    assert may.state.items["x"].media == (STREET, B)


def test_media_rows_of_unknown_and_of_deleted_items() -> None:
    held = state(item("x"), deletes={"y": Delete(5.0, "deltas")})
    merged = with_media(("nobody", A), ("y", A), held=held)
    assert [(r.source, r.code, r.detail) for r in merged.rejects] == [
        ("m.csv:1", "unknown_item", "no item 'nobody' in the catalogue")
    ]
    assert ledger(merged) == (0, 1, 1)
    part = merge(held, Rows(media=media(("nobody", A))), replace(MEDIA, is_whole=False))
    assert ledger(part) == (0, 1, 0)


def test_an_item_whose_photos_stand_in_the_media_table_only() -> None:
    rows = named(item("x", photos=()), item("y", photos=()))
    rows.media = media(("x", A))
    merged = merge(State(), rows, Terms(NOW, 10.0, has_media=True))
    assert ids(merged) == {"x"}
    assert [(r.item_id, r.code) for r in merged.rejects] == [("y", "no_photo")]
    assert ledger(merged) == (2, 0, 1)


def test_an_item_without_a_photo_waits_for_one() -> None:
    waits = merge(State(), deltas(item("x", photos=())), MEDIA)
    assert (ids(waits), ledger(waits)) == (set(), (0, 0, 1))
    comes = with_media(("x", STREET), held=waits.state)
    assert (ids(comes), counts(comes), ledger(comes)) == ({"x"}, (1, 0, 0), (1, 0, 0))
    goes = with_media(held=comes.state)
    assert (ids(goes), counts(goes), ledger(goes)) == (set(), (0, 0, 1), (0, 0, 0))
    assert ids(with_media(("x", STREET), held=goes.state)) == {"x"}


def test_an_old_row_of_an_item_that_waits_is_no_second_reject() -> None:
    waits = merge(State(), deltas(item("x", photos=())), MEDIA)
    assert ledger(merge(waits.state, deltas(item("x", 5.0, photos=())), MEDIA)) == (0, 1, 0)


def test_without_a_media_table_there_are_none_of_its_photos() -> None:
    before = with_media(("x", STREET))
    assert merge(before.state, Rows(), Terms(NOW)).state.items["x"].photos == (A,)


def test_of_an_older_catalogue_photos_with_boxes_and_those_of_the_table_are_the_tables() -> None:
    review = Photo("r.jpg", "review")
    held = State({"x": Held(item("x", photos=(A, STREET, review)), "deltas", None)})
    now = with_media(("x", review), held=held)
    assert now.state.items["x"] == Held(item("x", photos=(A,)), "deltas", (review,))
    assert now.counts["withdrawn"] == 1


def test_a_new_time_alone_is_no_change() -> None:
    merged = merge(state(item("x", 10.0)), named(item("x", 20.0)), snapshot(20.0))
    assert (counts(merged), merged.ok) == ((0, 0, 0), 1)


def test_of_rows_of_a_snapshot_with_one_time_those_count_that_do_not_say_gone() -> None:
    for rows in ([gone("a", 10.0), item("a")], [item("a"), gone("a", 10.0)]):
        assert ids(merge(State(), named(*rows), snapshot(20.0))) == {"a"}
    assert not ids(merge(State(), named(item("a"), gone("a", 11.0)), snapshot(20.0)))
    assert not ids(merge(state(item("a")), deltas(item("a"), gone("a", 10.0)), DELTAS))
