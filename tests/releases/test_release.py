"""A release's manifest, and whether what it refers to is there."""

import hashlib
from pathlib import Path

import pytest

from pipelines.releases.release import BrokenReleaseError, Reference, Release, check_parts, read_release
from pipelines.store import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path))


def make(store: Store, **changes: object) -> Release:
    for name in ("models/m1/model.json", "indexes/i1/index.json", "catalogue/c1/items/00000.parquet"):
        store.create(name, b"part")
    checksum = hashlib.sha256(b"part").hexdigest()
    manifest = {
        "release_id": "r1",
        "model": {"model_id": "m1", "space_id": "s1", "files": [{"uri": "models/m1/model.json", "sha256": checksum}]},
        "index": {"index_id": "i1", "name": "indexes/i1/index.json", "sha256": checksum},
        "catalogue_id": "c1",
        **changes,
    }
    store.create_json("releases/r1/manifest.json", manifest)
    return read_release(store, "r1")


def test_what_a_manifest_says(store: Store) -> None:
    release = make(store, positions={"snapshot": "2026"}, blessed=True, gates=[{"metric": "x"}], run_id="run")
    assert (release.model_id, release.space_id, release.index_id, release.catalogue_id) == ("m1", "s1", "i1", "c1")
    assert (release.run_id, release.positions, release.blessed) == ("run", {"snapshot": "2026"}, True)
    assert release.gates == [{"metric": "x"}]
    checksum = hashlib.sha256(b"part").hexdigest()
    assert set(release.references()) == {
        Reference("models/m1/model.json", checksum),
        Reference("indexes/i1/index.json", checksum),
    }
    check_parts(store, release)


def test_identities_may_be_plain_words() -> None:
    release = Release("r", {"model": "m1", "index": "i1"})
    assert (release.model_id, release.space_id, release.index_id, release.catalogue_id) == ("m1", "m1", "i1", "")
    assert Release("r", {"model_id": "m2", "space_id": "s2", "index_id": "i2"}).space_id == "s2"
    assert not release.blessed
    assert not Release("r", {"blessed": "yes"}).blessed


def test_a_release_that_is_not_there(store: Store) -> None:
    with pytest.raises(BrokenReleaseError, match="holds no release 'r9'; choose one of `status`"):
        read_release(store, "r9")


def test_a_manifest_of_another_release(store: Store) -> None:
    store.create_json("releases/r2/manifest.json", {"release_id": "r1"})
    with pytest.raises(BrokenReleaseError, match=r"releases/r2/manifest\.json is not the manifest of 'r2'"):
        read_release(store, "r2")


@pytest.mark.parametrize("part", ["models/m1/model.json", "indexes/i1/index.json", "catalogue/c1/items/00000.parquet"])
def test_a_part_that_is_gone_is_named(store: Store, part: str) -> None:
    release = make(store)
    store.delete(part)
    with pytest.raises(
        BrokenReleaseError, match=f"release r1 needs .*/{'/'.join(part.split('/')[:2])}.*, which is gone"
    ):
        check_parts(store, release)


def test_a_referenced_object_that_is_gone_from_a_folder_that_is_not(store: Store) -> None:
    release = make(store)
    store.create("models/m1/other", b"")
    store.delete("models/m1/model.json")
    with pytest.raises(BrokenReleaseError, match=r"release r1 needs .*/models/m1/model\.json, which is gone"):
        check_parts(store, release)


def test_a_part_with_other_bytes_is_named(store: Store) -> None:
    release = make(store)
    store.put("indexes/i1/index.json", b"parT")
    with pytest.raises(BrokenReleaseError, match=r"indexes/i1/index\.json has sha256 .*; the object is damaged"):
        check_parts(store, release)
