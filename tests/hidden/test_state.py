"""What the log of hidden items comes to: read at once, followed, summed up."""

import time
from pathlib import Path

import pytest

from pipelines.hidden import Hidden, HiddenItem, read_hidden
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE, Entry, unhidden_since
from pipelines.hidden.state import DUE_AT, ENTRY_COST
from pipelines.store import Log, Store, StoreError, initialise
from pipelines.store.folder import FolderStore

SUMS = "hidden/sums"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    initialise(store, 4)
    return store


def sums(store: Store) -> list[str]:
    return sorted(entry.name.rpartition("/")[2] for entry in store.list(SUMS))


class Counting(FolderStore):
    """A store that notes what is asked of it."""

    asked: list[str]

    def open(self, name):
        self.asked.append(name)
        return super().open(name)

    def list(self, prefix):
        self.asked.append(f"list {prefix}")
        return super().list(prefix)


def test_nothing_is_hidden_in_a_new_store(store: FolderStore) -> None:
    assert read_hidden(store) == Hidden()
    assert "a" not in read_hidden(store)


def test_what_was_hidden_and_shown_again(store: FolderStore) -> None:
    change(store, HIDE, ["a", "b", "c"], "sold")
    change(store, UNHIDE, ["b"], "")
    hidden = read_hidden(store)
    assert hidden.number == 2
    assert hidden.item_ids == {"a", "c"}
    first = Log(store, "hidden").entry(1)
    assert hidden.items["a"] == HiddenItem("sold", first["at"], first["by"])
    assert first.keys() == {"action", "item_ids", "reason", "at", "by"}
    assert "@" in first["by"]


def test_a_follower_asks_for_one_object_and_lists_nothing(store: FolderStore) -> None:
    change(store, HIDE, ["a"], "sold")
    following = read_hidden(store)
    counting = Counting(store.root)
    counting.asked = []
    assert following.newer(counting) is following
    assert counting.asked == ["hidden/00000002.json"]

    change(store, HIDE, ["b"], "sold")
    change(store, UNHIDE, ["a"], "")
    counting.asked = []
    newer = following.newer(counting)
    assert (newer.number, newer.item_ids) == (3, {"b"})
    assert counting.asked == [f"hidden/{n:08d}.json" for n in (2, 3, 4)]
    assert following.item_ids == {"a"}  # what a query in flight holds does not change


def test_a_long_log_is_read_from_its_newest_sum(store: FolderStore) -> None:
    """Of 250 entries a reader opens the newest sum and what came since: fewer than two sums are apart."""
    for number in range(250):
        change(store, HIDE, [f"i{number}"], "sold")
    apart = DUE_AT // (ENTRY_COST + 1) + 1  # 100 entries of one item: 99 cost 9,999
    assert apart == 100
    assert sums(store) == ["00000100.parquet", "00000200.parquet"]
    counting = Counting(store.root)
    counting.asked = []
    assert read_hidden(counting).item_ids == {f"i{n}" for n in range(250)}
    assert counting.asked[:2] == [f"list {SUMS}", f"{SUMS}/00000200.parquet"]
    assert len(counting.asked) == 2 + 50 + 1

    for number in range(250, 310):
        change(store, UNHIDE, [f"i{number - 250}"], "")
    assert sums(store) == ["00000200.parquet", "00000300.parquet"]  # older ones go
    assert read_hidden(store).item_ids == {f"i{n}" for n in range(60, 250)}


def test_many_items_in_few_entries_are_summed_up_too(store: FolderStore) -> None:
    change(store, HIDE, [f"i{n}" for n in range(DUE_AT)], "recalled")
    assert sums(store) == ["00000001.parquet"]
    assert len(read_hidden(store).items) == DUE_AT
    change(store, UNHIDE, [f"i{n}" for n in range(DUE_AT)], "")
    assert read_hidden(store) == Hidden(2)


def test_two_hundred_thousand_are_read_in_a_moment(store: FolderStore) -> None:
    change(store, HIDE, [f"item-{n:07}" for n in range(200_000)], "recalled")
    started = time.process_time()
    assert len(read_hidden(store).item_ids) == 200_000
    assert time.process_time() - started < 5


def test_a_lost_sum_is_made_of_the_entries_and_a_killed_one_by_the_next_change(store: FolderStore) -> None:
    for number in range(105):
        change(store, HIDE, [f"i{number}"], "sold")
    store.delete(f"{SUMS}/00000100.parquet")
    assert len(read_hidden(store).items) == 105
    change(store, HIDE, ["more"], "sold")
    assert sums(store) == ["00000106.parquet"]


def test_a_damaged_sum_says_that_it_may_go(store: FolderStore) -> None:
    change(store, HIDE, [f"i{n}" for n in range(DUE_AT)], "recalled")
    store.put(f"{SUMS}/00000001.parquet", b"no table")
    with pytest.raises(StoreError, match=r"hidden/sums/00000001\.parquet is damaged .*delete it: what it sums up"):
        read_hidden(store)


@pytest.mark.parametrize(
    "entry",
    [
        {"action": "hide", "item_ids": "abc", "reason": "", "at": "", "by": ""},
        {"action": "hide", "item_ids": [1], "reason": "", "at": "", "by": ""},
        {"action": "show", "item_ids": [], "reason": "", "at": "", "by": ""},
        {"action": "hide", "item_ids": []},
    ],
)
def test_an_entry_of_something_else_is_an_error(store: FolderStore, entry: dict[str, object]) -> None:
    store.create_json("hidden/00000001.json", entry)
    with pytest.raises(StoreError, match=r"number 1, is no entry of the log of hidden items"):
        read_hidden(store)


def test_the_first_reason_stays() -> None:
    entries = [Entry(HIDE, ("a",), reason, "2026-01-01T00:00:00+00:00", "ann@box") for reason in ("one", "two")]
    assert Hidden().after(*entries).items["a"].reason == "one"


def test_what_was_shown_again_since_a_moment(store: FolderStore) -> None:
    log = Log(store, "hidden")
    days = [(HIDE, "a", 1), (UNHIDE, "a", 2), (HIDE, "b", 3), (UNHIDE, "b", 4)]
    for number, (action, item_id, day) in enumerate(days, 1):
        entry = Entry(action, (item_id,), "", f"2026-01-0{day}T00:00:00+00:00", "ann@box")
        assert log.append(number, entry.as_json())
    assert unhidden_since(store, "2026-01-01T00:00:00+00:00") == {"a", "b"}
    assert unhidden_since(store, "2026-01-03T00:00:00+00:00") == {"b"}
    assert unhidden_since(store, "2026-01-05T00:00:00+00:00") == frozenset()
