"""Opening a store: its URI and its format."""

from pathlib import Path

import pytest

from pipelines.store import Store, StoreError, initialise, open_store
from pipelines.store.opening import read_format


def test_buckets_are_fixed_by_the_first_call(store: Store) -> None:
    assert initialise(store, 16).buckets == 16
    assert initialise(store, 64).buckets == 16
    assert store.read_json("format.json") == {"format": 1, "buckets": 16}


def test_a_newer_format_is_refused(store: Store) -> None:
    store.create_json("format.json", {"format": 2, "buckets": 4})
    with pytest.raises(StoreError, match="has format 2, this version reads format 1; upgrade visual-search"):
        initialise(store, 4)
    with pytest.raises(StoreError, match="upgrade visual-search"):
        open_store(store.uri)


def test_a_folder_that_is_no_store(store: Store) -> None:
    with pytest.raises(StoreError, match="is not a store yet; run the catalogue stage"):
        read_format(store)


@pytest.mark.parametrize("value", [{"format": 1}, [], {"format": "1", "buckets": 4}])
def test_a_damaged_format(store: Store, value: object) -> None:
    store.create_json("format.json", value)
    with pytest.raises(StoreError, match="expected integers 'format' and 'buckets'"):
        read_format(store)


def test_uris(tmp_path: Path) -> None:
    assert open_store(str(tmp_path)).uri == str(tmp_path)
    assert open_store(f"file://{tmp_path}").uri == str(tmp_path)
    with pytest.raises(
        StoreError, match="'s3://bucket' begins with s3://, which is not read here; write a path of this"
    ):
        open_store("s3://bucket")
    assert not (tmp_path / "format.json").exists()


def test_a_percent_sign_in_a_file_uri_begins_an_escape(tmp_path: Path) -> None:
    assert open_store(f"file://{tmp_path}/my%20st%C3%B6re").uri == f"{tmp_path}/my störe"
    assert open_store(f"file://localhost{tmp_path}/store").uri == f"{tmp_path}/store"
    assert open_store(f"{tmp_path}/50%25").uri == f"{tmp_path}/50%25"
    with pytest.raises(StoreError, match="names no path; write file:///path, or the path itself"):
        open_store("file://store")
    with pytest.raises(StoreError, match="names the machine 'nas'; write file:///path"):
        open_store("file://nas/store")


def test_a_store_that_a_file_uri_named_literally_is_not_lost(tmp_path: Path) -> None:
    initialise(open_store(f"{tmp_path}/my%20store"), 4)
    with pytest.raises(StoreError, match=r"means .*/my store, and there is only .*/my%20store; write that path"):
        open_store(f"file://{tmp_path}/my%20store")
