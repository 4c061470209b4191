"""The curators' log: what stands, what was taken back, and who writes beside whom."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.curated import Curated, read_curated
from pipelines.curated.change import note
from pipelines.curated.entries import BAD_PHOTO, CATEGORY, NOT_ALIKE, UNDO, Decision
from pipelines.curated.settled import settle, settled
from pipelines.curated.state import DUE_AT, BadPhotos
from pipelines.erase.subject import Subject
from pipelines.erase.texts import clean_json
from pipelines.errors import StageError
from pipelines.store import Log, NotFoundError, StoreError, initialise
from pipelines.store.folder import FolderStore
from pipelines.tables.apart import Apart

PAIR = Decision(NOT_ALIKE, ("a", "b"))
DIGEST = "ab" * 32


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    initialise(store, 4)
    return store


def test_what_each_decision_comes_to(store: FolderStore) -> None:
    for decision in (
        PAIR,
        Decision(NOT_ALIKE, ("c",), digest=DIGEST),
        Decision(CATEGORY, ("a",), ("Shoes", "Boots")),
        Decision(BAD_PHOTO, ("a",), image_uri="a.jpg", digest=DIGEST),
        Decision(BAD_PHOTO, ("b",), image_uri="b.jpg"),
        Decision(BAD_PHOTO, digest=DIGEST),
    ):
        assert note(store, decision, "seen", "ann@box").is_new
    curated = read_curated(store)
    assert curated.number == 6
    assert curated.apart == Apart(frozenset({("a", "b")}), frozenset({("c", DIGEST)}))
    assert curated.apart.partners == {"a": {"b"}, "b": {"a"}}
    assert curated.categories == {"a": (3, ("Shoes", "Boots"))}
    raw = bytes.fromhex(DIGEST)
    assert curated.bad_photos == BadPhotos(frozenset({raw}), frozenset({("a", raw)}), frozenset({("b", "b.jpg")}))
    first = Log(store, "curated").entry(1)
    assert first == {"action": "not_alike", "item_ids": ["a", "b"], "reason": "seen", "by": "ann@box"} | {
        "at": first["at"]
    }


def test_what_stands_is_noted_once_and_taken_back_once(store: FolderStore) -> None:
    assert (note(store, PAIR, "seen", "ann").number, note(store, PAIR, "again", "bob").is_new) == (1, False)
    assert read_curated(store).standing[1].reason == "seen"
    undone = note(store, Decision(UNDO, undoes=1), "a mistake", "ann")
    assert (undone.number, undone.curated.standing) == (2, {})
    for number, told in ((1, "was taken back already"), (2, "is an undoing itself"), (9, "is none there")):
        with pytest.raises(StageError, match=rf"decision {number} .*{told}"):
            note(store, Decision(UNDO, undoes=number), "", "ann")
    assert note(store, PAIR, "after all", "ann").number == 3


def test_the_newest_category_counts_and_the_one_before_once_that_is_taken_back(store: FolderStore) -> None:
    boots, bags = (Decision(CATEGORY, ("a",), (name,)) for name in ("Boots", "Bags"))
    for decision in (boots, bags):
        note(store, decision, "seen", "ann")
    assert read_curated(store).categories == {"a": (2, ("Bags",))}
    assert note(store, boots, "seen again", "ann").number == 3
    note(store, Decision(UNDO, undoes=3), "", "ann")
    assert read_curated(store).categories == {"a": (2, ("Bags",))}
    note(store, Decision(UNDO, undoes=2), "", "ann")
    assert read_curated(store).categories == {"a": (1, ("Boots",))}


def test_a_long_log_is_read_from_its_newest_sum(store: FolderStore) -> None:
    for number in range(DUE_AT + 5):
        note(store, Decision(CATEGORY, (f"i{number}",), ("Boots",)), "seen", "ann")
    note(store, Decision(UNDO, undoes=3), "", "ann")
    assert [entry.name for entry in store.list("curated/sums")] == [f"curated/sums/{DUE_AT:08d}.json"]
    for number in range(1, DUE_AT):
        store.delete(f"curated/{number:08d}.json")
    read = read_curated(store)
    assert read.categories.keys() == {f"i{n}" for n in range(DUE_AT + 5) if n != 2}
    assert (read.number, read.behind) == (DUE_AT + 6, 6)
    store.put(f"curated/sums/{DUE_AT:08d}.json", b"{}")
    with pytest.raises(StoreError, match=r"is damaged .*delete it: what it sums up is in the entries of curated/"):
        read_curated(store)


def test_a_follower_gets_the_same_object_where_nothing_is_new(store: FolderStore) -> None:
    note(store, PAIR, "seen", "ann")
    following = read_curated(store)
    assert following.newer(store) is following
    note(store, Decision(UNDO, undoes=1), "", "ann")
    assert not following.newer(store).apart


def test_writers_at_once_lose_nothing(store: FolderStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: note(store, Decision(NOT_ALIKE, ("a", f"b{n % 20}")), "", "ann"), range(40)))
    assert read_curated(store).apart.items == {("a", f"b{n}") for n in range(20)}
    assert sum(one.is_new for one in done) == read_curated(store).number == 20


@pytest.mark.parametrize(
    "entry",
    [
        {"action": "not_alike", "item_ids": ["a", 1]},
        {"action": "undo", "undoes": "1"},
        {"action": "hide", "item_ids": ["a"]},
        {"action": "category", "item_ids": "a", "category": ["b"]},
    ],
)
def test_an_entry_of_something_else_is_an_error(store: FolderStore, entry: dict[str, object]) -> None:
    store.create_json("curated/00000001.json", entry)
    with pytest.raises(StoreError, match=r"number 1, is no entry of the curators' log"):
        read_curated(store)


def test_what_an_erasure_leaves_of_decisions_says_nothing(store: FolderStore) -> None:
    """Neither of the rest of a pair, nor of a photo that others show, too."""
    kept = Decision(NOT_ALIKE, ("c", "d"))
    for decision in (
        PAIR,
        Decision(NOT_ALIKE, ("c",), digest=DIGEST),
        Decision(CATEGORY, ("a",), ("Boots",)),
        Decision(BAD_PHOTO, ("a",), image_uri="a.jpg", digest="cd" * 32),
        Decision(BAD_PHOTO, digest=DIGEST),
        kept,
    ):
        note(store, decision, "seen", "ann")
    settle(store, "runs/r/catalogue/curated.json")
    subject = Subject(("a",), digests=(DIGEST,), uris=("a.jpg",))
    for entry in list(store.list("")):
        if entry.name.startswith(("curated/", "runs/")):
            clean_json(store, entry.name, subject)
            assert DIGEST.encode() not in store.read(entry.name)
    for left in (read_curated(store), settled(store, "runs/r/catalogue/curated.json")):
        assert [entry.decision for entry in left.standing.values()] == [kept]
    assert note(store, PAIR, "again", "ann").number == 7


def test_a_run_keeps_to_what_it_found_first(store: FolderStore) -> None:
    note(store, PAIR, "seen", "ann")
    assert settle(store, "runs/r/catalogue/curated.json").apart.items == {("a", "b")}
    note(store, Decision(UNDO, undoes=1), "", "ann")
    assert settle(store, "runs/r/catalogue/curated.json").apart.items == {("a", "b")}
    assert settled(store, "") == Curated()
    with pytest.raises(NotFoundError, match="start a new run"):
        settled(store, "runs/other/catalogue/curated.json")


def test_a_place_that_is_no_store_is_not_made_one(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a store yet"):
        note(FolderStore(tmp_path / "typo"), PAIR, "seen", "ann")


def test_sets_are_told_apart_by_their_checksum() -> None:
    pairs = Apart(frozenset({("a", "b")}))
    assert Apart().checksum == ""
    assert len({pairs.checksum, Apart(frozenset({("a", "c")})).checksum, Apart(photos=pairs.items).checksum}) == 3
