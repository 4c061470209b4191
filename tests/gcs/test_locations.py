"""A shop's own files in a bucket: found as a folder's are, verified, and an outage is no verdict on a photo."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.testing.util import assert_that

from pipelines.catalogue.feeds import find_feeds
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.headers import check_columns
from pipelines.catalogue.rows import read_rows
from pipelines.config import Config
from pipelines.errors import StageError
from pipelines.runs.inputs import check_photo_folders
from pipelines.shop_files.fetch import Fetcher, FetchError
from pipelines.shop_files.google import ObjectFile, look
from pipelines.shop_files.listing import ListPhotos
from pipelines.shop_files.locations import divide, find
from pipelines.store import Store, open_store
from tests.gcs.emulator import Emulator

pytestmark = pytest.mark.gcs

MEDIA = "^GET .*alt=media"


@pytest.fixture
def shop(gcs: Emulator) -> Store:
    """A bucket to put a shop's files into; a store is used to write them."""
    gcs.heal()
    return open_store(gcs.new_store_uri())


def names(pattern: str) -> list[str]:
    return [path for path, _ in find(*divide(pattern))]


def found(uri: str) -> ObjectFile:
    file = look(uri)
    assert file is not None
    return file


def config(shop: Store, **catalogue: str) -> Config:
    columns = {"item_id": "sku", "photos": "image", "category": "path"}
    section = {"snapshot": f"{shop.uri}/feed.csv", "photo_root": f"{shop.uri}/photos", **catalogue, "columns": columns}
    return Config.model_validate({"store": {"uri": "s"}, "catalogue": section, "folder": "/nowhere"})


def test_patterns_find_what_they_find_in_a_folder(shop: Store, tmp_path: Path) -> None:
    for name in ("feeds/b.csv", "feeds/a.csv", "feeds/a.csv.gz", "feeds/old/a.csv", "feeds/c[1].csv", "feedsx.csv"):
        shop.create(name, b"sku\n")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"sku\n")
    for pattern in ("feeds/*.csv", "feeds/a.csv", "feeds/?.csv", "feeds/[ab].csv", "*/a.csv*", "feeds/*/a.csv", "no/*"):
        assert names(f"{shop.uri}/{pattern}") == names(str(tmp_path / pattern)), pattern


def test_an_object_is_read_as_it_was_found_or_not_at_all(gcs: Emulator, shop: Store) -> None:
    shop.put("feed.csv", b"first")
    file = found(f"{shop.uri}/feed.csv")
    gcs.fault(MEDIA, "corrupt", times=2)
    with file.open() as stream:
        assert stream.read() == b"first"
    assert gcs.met() == ["corrupt"] * 2
    shop.put("feed.csv", b"second")
    with pytest.raises(StageError, match=r"feed\.csv was replaced or deleted while it was read; run again"):
        file.open()
    again = found(f"{shop.uri}/feed.csv")
    assert again.checksum != file.checksum
    shop.put("feed.csv", b"second")
    assert found(f"{shop.uri}/feed.csv").checksum == again.checksum  # equal bytes are the same feed
    assert look(f"{shop.uri}/nothing") is None


def test_feeds_are_read_from_a_bucket(shop: Store) -> None:
    text = b"sku,image,path\n1,a.jpg,x>y\n2,b.jpg,x>z\n"
    shop.create("feed.csv", text)
    shop.create("deltas/1.csv.gz", gzip.compress(text))
    shop.create("deltas/2.jsonl", b'{"sku": "3", "image": "c.jpg", "path": "x"}\n')
    loaded = config(shop, deltas=f"{shop.uri}/deltas/*")
    files = find_feeds(loaded, time.time(), positions={"deltas": "0.csv"}).files
    check_columns(loaded.catalogue, files)
    assert [(f.feed, f.path) for f in files] == [
        ("snapshot", "feed.csv"),
        ("deltas", "1.csv.gz"),
        ("deltas", "2.jsonl"),
    ]
    assert [[row.values["sku"] for row in read_rows(f.file)] for f in files] == [["1", "2"], ["1", "2"], ["3"]]
    shop.put("feed.csv", b"sku,picture,path\n")
    with pytest.raises(FeedError, match=rf"{shop.uri}/feed\.csv has no column 'image'"):
        check_columns(loaded.catalogue, find_feeds(loaded, time.time()).files)


def test_a_photo_is_fetched_and_what_is_wrong_with_it_is_a_reject(gcs: Emulator, shop: Store) -> None:
    shop.create("photos/a/1.jpg", b"jpeg")
    shop.create("photos/large.jpg", b"x" * 101)
    fetcher = Fetcher(f"{shop.uri}/photos/", 100)
    assert fetcher.fetch("a/1.jpg") == b"jpeg"
    assert Fetcher("/elsewhere", 100, (f"{shop.uri}/photos",)).fetch(f"{shop.uri}/photos/a/1.jpg") == b"jpeg"
    gcs.heal()
    for uri, code in (("nothing.jpg", "missing"), ("a", "missing"), ("large.jpg", "too_large_bytes")):
        with pytest.raises(FetchError) as caught:
            fetcher.fetch(uri)
        assert caught.value.code == code
    assert not [asked for asked in gcs.asked() if "alt=media" in asked]
    before = fetcher.fingerprint("a/1.jpg")
    shop.put("photos/a/1.jpg", b"gepj")
    assert before != fetcher.fingerprint("a/1.jpg") != "missing"
    assert fetcher.fingerprint("nothing.jpg") == "missing"


@pytest.mark.parametrize(
    ("action", "more", "text"),
    [
        ("status", {"status": 403}, r"give this account roles/storage\.objectUser on the bucket"),
        ("corrupt", {"times": 99}, "do not match their checksum, read 3 times"),
    ],
)
def test_an_outage_is_no_reject(gcs: Emulator, shop: Store, action: str, more: dict[str, int], text: str) -> None:
    shop.create("photos/1.jpg", b"jpeg")
    gcs.fault(MEDIA, action, **more)
    with pytest.raises(StageError, match=rf"cannot read {shop.uri}/photos/1\.jpg: .*{text}"):
        Fetcher(f"{shop.uri}/photos", 100).fetch("1.jpg")


def test_the_list_says_of_each_photo_what_a_question_says(gcs: Emulator, shop: Store) -> None:
    uris = ["1.jpg", "2.jpg", "a/3.jpg", "a/b/4.jpg", "c/ü 5.jpg"]
    for uri in uris:
        shop.create(f"photos/{uri}", uri.encode())
    shop.create("other/6.jpg", b"")
    fetcher = Fetcher(f"{shop.uri}/photos", 100)
    expected = {uri: fetcher.fingerprint(uri) for uri in uris}
    assert all(fetcher.is_listed(uri) for uri in uris)
    gcs.heal()

    def check(tables: list[object]) -> None:
        rows = [row for table in tables for row in table.to_pylist()]  # type: ignore[attr-defined]
        assert {row["image_uri"]: row["fingerprint"] for row in rows} == expected
        assert len(rows) == len(uris)

    with beam.Pipeline() as pipeline:
        assert_that(pipeline | ListPhotos(fetcher.root), check)
    assert [asked for asked in gcs.asked() if "prefix=" not in asked] == []


def test_a_root_with_nothing_below_it_is_a_typing_error(shop: Store) -> None:
    with pytest.raises(StageError, match=r"photo_root = 'gs://.*/photos': there is nothing below it; correct the URI"):
        check_photo_folders(config(shop))
    shop.create("photos/1.jpg", b"")
    check_photo_folders(config(shop))
    with pytest.raises(StageError, match="there is no bucket 'no-such-bucket'; correct the URI"):
        check_photo_folders(config(shop, photo_root="gs://no-such-bucket/photos"))
