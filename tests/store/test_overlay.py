"""A store that is looked at: all that is below is there, and nothing of it changes."""

from pathlib import Path

import pytest

from pipelines.store import NotFoundError, Store, StoreError
from pipelines.store.folder import FolderStore
from pipelines.store.overlay import Overlay


@pytest.fixture
def below(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "below")
    store.create("a/old.json", b"1")
    store.create("b/old.json", b"2")
    return store


@pytest.fixture
def store(below: FolderStore, tmp_path: Path) -> Store:
    return Overlay(below, FolderStore(tmp_path / "above"))


def names(store: Store, prefix: str = "") -> list[str]:
    return sorted(entry.name for folder in "ab" for entry in store.list(folder) if entry.name.startswith(prefix))


def test_what_is_below_is_read_and_what_is_new_lies_above(store: Store, below: FolderStore) -> None:
    assert store.read("a/old.json") == b"1"
    assert store.create("a/new.json", b"3")
    assert not store.create("a/old.json", b"4")
    assert names(store) == ["a/new.json", "a/old.json", "b/old.json"]
    assert names(below) == ["a/old.json", "b/old.json"]
    assert store.read("a/new.json") == b"3"
    assert store.folders("") == ["a", "b"] if below.folders("") else True


def test_what_is_replaced_or_swapped_is_so_above_alone(store: Store, below: FolderStore) -> None:
    store.put("a/old.json", b"5")
    assert (store.read("a/old.json"), below.read("a/old.json")) == (b"5", b"1")
    assert not store.swap("b/old.json", None, b"6")
    assert store.swap("b/old.json", b"2", b"6")
    assert (store.read("b/old.json"), below.read("b/old.json")) == (b"6", b"2")
    assert names(store) == ["a/old.json", "b/old.json"]


def test_what_is_below_is_not_deleted(store: Store, below: FolderStore) -> None:
    store.create("a/new.json", b"3")
    store.delete("a/new.json")
    with pytest.raises(NotFoundError):
        store.read("a/new.json")
    with pytest.raises(StoreError, match="only looked at"):
        store.delete("a/old.json")
    assert below.read("a/old.json") == b"1"


def test_folders_are_staged_from_where_they_are(store: Store) -> None:
    store.create("c/x.json", b"7")
    for folder, content in (("a", b"1"), ("c", b"7")):
        with store.stage_in(folder) as path:
            assert next(path.iterdir()).read_bytes() == content
