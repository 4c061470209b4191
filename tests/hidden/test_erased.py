"""The log of erased items: hashes that tell an item that is asked for, and nothing else."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.hidden.erased import ALLOW, ERASE, NOTHING_ERASED, note, read_erased
from pipelines.store import initialise
from pipelines.store.folder import FolderStore


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    initialise(store, 4)
    return store


def test_nothing_is_erased_at_first(store: FolderStore) -> None:
    assert read_erased(store) == NOTHING_ERASED
    assert "a" not in read_erased(store)


def test_an_item_is_refused_until_it_is_allowed(store: FolderStore) -> None:
    assert note(store, ERASE, ["a", "größe"]) == ["a", "größe"]
    assert note(store, ERASE, ["a"]) == []
    erased = read_erased(store)
    assert erased.number == 1
    assert [item_id in erased for item_id in ("a", "größe", "b", "")] == [True, True, False, False]
    assert note(store, ALLOW, ["a", "b"]) == ["a"]
    assert "a" not in read_erased(store)
    assert "größe" in read_erased(store)


def test_the_log_holds_no_id_and_other_stores_hash_otherwise(store: FolderStore, tmp_path: Path) -> None:
    note(store, ERASE, ["SKU-1"])
    text = json.dumps(store.read_json("erased/00000001.json"))
    assert "SKU-1" not in text
    other = FolderStore(tmp_path / "other")
    note(other, ERASE, ["SKU-1"])
    assert read_erased(other).hashes.isdisjoint(read_erased(store).hashes)


def test_writers_at_once_lose_nothing(store: FolderStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: note(store, ERASE, [f"i{n}"]), range(30)))
    assert all(f"i{n}" in read_erased(store) for n in range(30))
