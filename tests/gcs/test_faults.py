"""A store in a bucket when the wire breaks: nothing is lost, doubled, half-read or believed without its checksum."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.store import NotFoundError, Store, StoreError, UnitTable, open_store
from pipelines.store import gcs as gcs_client
from pipelines.store.bucket import BucketStore
from tests.gcs.emulator import Emulator

pytestmark = pytest.mark.gcs

UPLOAD, MEDIA = "^POST /(resumable/)?upload/", "^GET .*alt=media"


@pytest.fixture
def bucket(gcs: Emulator) -> Store:
    gcs.heal()
    return open_store(gcs.new_store_uri())


def test_a_lost_answer_to_a_creation_is_no_lost_race(gcs: Emulator, bucket: Store) -> None:
    gcs.fault(UPLOAD, "lost")
    assert bucket.create("live/1.json", b"mine") is True
    assert gcs.met() == ["lost"]
    assert len([asked for asked in gcs.asked() if "/upload/" in asked]) == 2
    assert bucket.read("live/1.json") == b"mine"


def test_who_comes_second_has_lost_though_his_answer_was_lost_too(gcs: Emulator, bucket: Store) -> None:
    assert bucket.create("live/1.json", b"first")
    gcs.fault(UPLOAD, "lost")
    assert bucket.create("live/1.json", b"second") is False
    assert bucket.read("live/1.json") == b"first"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 408])
def test_what_passes_is_tried_again(gcs: Emulator, bucket: Store, status: int) -> None:
    for match in (UPLOAD, MEDIA, "^GET .*prefix=", "^DELETE"):
        gcs.fault(match, "status", status=status)
    assert bucket.create("a/b", b"bytes") is True
    assert bucket.read("a/b") == b"bytes"
    assert [entry.name for entry in bucket.list("a")] == ["a/b"]
    bucket.delete("a/b")
    assert not bucket.exists("a/b")
    assert gcs.met() == ["status"] * 4


def test_a_swap_whose_answer_was_lost_is_done(gcs: Emulator, bucket: Store) -> None:
    gcs.fault(UPLOAD, "lost")
    assert bucket.swap("lease", None, b"A 1") is True
    gcs.fault(UPLOAD, "lost")
    assert bucket.swap("lease", b"A 1", b"A 2") is True
    gcs.fault("^DELETE", "lost")
    assert bucket.swap("lease", b"A 2", None) is True
    assert gcs.met() == ["lost"] * 3
    assert not bucket.exists("lease")


def test_a_deletion_whose_answer_was_lost_is_done(gcs: Emulator, bucket: Store) -> None:
    bucket.create("gone", b"")
    gcs.fault("^DELETE", "lost")
    bucket.delete("gone")
    assert not bucket.exists("gone")


@pytest.mark.parametrize("action", ["corrupt", "truncate", "cut"])
def test_damage_on_the_way_is_read_again(gcs: Emulator, bucket: Store, tmp_path: Path, action: str) -> None:
    data = os.urandom(3_000_000)
    bucket.create("models/m/weights", data)
    gcs.fault(MEDIA, action, times=2)
    assert bucket.read("models/m/weights") == data
    gcs.fault(MEDIA, action)
    with bucket.stage_in("models/m") as folder:
        assert (folder / "weights").read_bytes() == data
    assert gcs.met() == [action] * 3


@pytest.mark.parametrize("action", ["corrupt", "truncate", "cut"])
def test_an_answer_that_breaks_off_says_all_the_same_that_nothing_is_there(
    gcs: Emulator, bucket: Store, action: str
) -> None:
    gcs.fault(MEDIA, action, times=4)
    with pytest.raises(NotFoundError):
        bucket.read("models/m/weights")
    assert gcs.met()[:1] == [action]


def test_damage_that_remains_is_an_error_and_no_bytes(gcs: Emulator, bucket: Store) -> None:
    bucket.create("unit", b"x" * 1000)
    gcs.fault(MEDIA, "corrupt", times=99)
    with pytest.raises(StoreError, match=r"cannot read gs://.*/unit: .*do not match their checksum, read 3 times"):
        bucket.read("unit")


def test_a_large_object_survives_every_break_of_its_upload(gcs: Emulator, bucket: Store, tmp_path: Path) -> None:
    source = tmp_path / "large.bin"
    source.write_bytes(os.urandom(20 << 20))
    gcs.fault("^PUT .*upload_id", "status", status=503)
    gcs.fault("^PUT .*upload_id", "lost", skip=1)
    gcs.fault("^POST .*uploadType=resumable", "status", status=429)
    assert bucket.create_from("index/faiss.bin", source) is True
    assert bucket.read("index/faiss.bin") == source.read_bytes()
    assert bucket.create_from("index/faiss.bin", source) is False


def test_a_unit_whose_commit_was_lost_on_the_way_is_committed_once(gcs: Emulator, bucket: Store) -> None:
    import pyarrow as pa

    table = UnitTable(bucket, "images/p")
    keys = pa.table({"digest": [b"d"], "code": ["ok"], "row": [0]})
    gcs.fault(f"{UPLOAD}", "lost", times=1, skip=1)
    assert table.commit("u", keys, pa.table({"image": [b"jpeg"]})) is True
    assert table.unit_ids() == ["u"]
    table.verify("u")
    names = [entry.name for entry in bucket.list("images")]
    assert len(names) == 2
    assert table.commit("u", keys, pa.table({"image": [b"jpeg"]})) is False
    assert [entry.name for entry in bucket.list("images")] == names


def test_without_credentials_the_error_says_how_to_log_in(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gcs_client.client.cache_clear()
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "nothing.json"))
    with pytest.raises(StoreError, match=r"cannot write gs://shop/a: .*gcloud auth application-default login"):
        BucketStore("gs://shop").create("a", b"")
    gcs_client.client.cache_clear()


def test_errors_name_the_object_and_the_fix(gcs: Emulator, bucket: Store) -> None:
    with pytest.raises(StoreError, match=r"there is no bucket 'no-such-bucket'; create it or correct store\.uri"):
        open_store("gs://no-such-bucket/x").create("a", b"")
    with pytest.raises(NotFoundError, match="holds no object 'nothing'"):
        bucket.read("nothing")
    for match, call in (
        (UPLOAD, lambda: bucket.create("a", b"")),
        (MEDIA, lambda: bucket.read("a")),
        ("prefix=", lambda: list(bucket.list("a"))),
    ):
        gcs.fault(match, "status", status=403)
        with pytest.raises(StoreError, match=r"give this account roles/storage\.objectUser on the bucket"):
            call()
    with pytest.raises(StoreError, match="names no bucket; write gs://BUCKET/PREFIX"):
        open_store("gs:///x")
