"""Ids as the catalogue has them, and those that no catalogue knows."""

from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.errors import StageError
from pipelines.store import Log, initialise
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import bucket_of, write_bucket
from pipelines.tables.item_ids import ids_of, unknown_to_catalogue
from pipelines.tables.schemas import ITEMS


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    store = FolderStore(tmp_path / "store")
    initialise(store, 4)
    return store


def test_ids_are_those_of_the_catalogue() -> None:
    assert ids_of([" a\t", "\ufeffb", "c\u200b", "a", "", " "]) == ["a", "b", "c"]
    with pytest.raises(StageError, match="no item id"):
        ids_of(["", " "])
    with pytest.raises(StageError, match=r"'\\udce9t' is not UTF-8"):
        ids_of(["\udce9t"])


def test_what_no_catalogue_knows(store: FolderStore) -> None:
    assert unknown_to_catalogue(store, ["a", "b"]) == ["a", "b"]
    for bucket in range(4):
        known = [item_id for item_id in ("a", "c") if bucket_of(item_id, 4) == bucket]
        if known:
            table = pa.Table.from_pylist([{"item_id": item_id} for item_id in known], ITEMS)
            write_bucket(store, "catalogue/c1/items", bucket, table)
    Log(store, "catalogue/log").append(1, {"catalogue_id": "c1"})
    assert unknown_to_catalogue(store, ["b", "a", "c", "d"]) == ["b", "d"]
