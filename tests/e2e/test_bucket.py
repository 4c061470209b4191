"""Feeds, photos and store in buckets, the whole pipeline, while the wire breaks: the same result as in a folder."""

from __future__ import annotations

import json
import os
import re
from collections import Counter

import pytest

from pipelines.runs.stages import STAGES
from pipelines.store import Store, open_store
from tests.e2e import facts
from tests.e2e.conftest import Shop, copy_of
from tests.gcs.emulator import Emulator

pytestmark = [pytest.mark.gcs, pytest.mark.slow]

BREAKS = [
    ("^POST /(resumable/)?upload/", "lost", {"skip": 7, "times": 3}),
    ("^POST /(resumable/)?upload/", "status", {"skip": 23, "times": 3, "status": 429}),
    ("^POST .*keys", "lost", {"times": 2}),
    ("^PUT .*upload_id", "status", {"times": 2, "status": 503}),
    ("^GET .*alt=media", "truncate", {"skip": 11, "times": 3}),
    ("^GET .*alt=media", "corrupt", {"skip": 31, "times": 2}),
    ("^GET .*alt=media", "cut", {"skip": 47, "times": 2}),
    ("^GET .*prefix=", "status", {"skip": 5, "times": 3, "status": 503}),
    ("^DELETE", "lost", {"times": 2}),
]


@pytest.fixture(scope="module")
def in_bucket(drawn: Shop, gcs: Emulator, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Store]:
    """The catalogue taken from a bucket to a promoted release in another, with every break on the way met."""
    gcs.heal()
    shop, uri = copy_of(drawn, tmp_path_factory.mktemp("bucket")), gcs.new_store_uri()
    shop.configure(r'^uri = "store"$', f'uri = "{uri}"')
    given = open_store(gcs.new_store_uri())
    for path in (p for p in shop.folder.rglob("*") if p.is_file() and os.access(p, os.R_OK)):
        given.create_from(path.relative_to(shop.folder).as_posix(), path)
    shop.configure(r'^(snapshot|path) = "(.*)"$', rf'\1 = "{given.uri}/\2"')
    shop.configure(r'^photo_root = "."$', f'photo_root = "{given.uri}"')
    gcs.heal()
    for match, action, more in BREAKS:
        gcs.fault(match, action, **more)
    assert tuple(shop.run("first")) == STAGES
    assert set(gcs.met()) == {action for _, action, _ in BREAKS}
    gcs.heal()
    return shop, open_store(uri)


def test_ledgers_and_items_are_those_of_a_folder(in_bucket: tuple[Shop, Store], promoted: Shop) -> None:
    _, bucket = in_bucket
    folder = open_store(str(promoted.store))
    for stage in STAGES:
        here, there = (facts.ledger(store, stage) for store in (bucket, folder))
        rejects = Counter(there.pop("rejects"))
        rejects["missing"] += rejects.pop("not_a_file", 0)  # a photo that is a folder there is nothing in a bucket
        assert Counter(here.pop("rejects")) == rejects, stage
        assert here == there, stage
    items = [facts.catalogue(store)[0]["item_id"].to_pylist() for store in (bucket, folder)]
    assert items[0] == items[1]


def test_a_second_run_reads_no_photo_and_gc_and_search_work(in_bucket: tuple[Shop, Store], gcs: Emulator) -> None:
    shop, bucket = in_bucket
    shop.configure(r"^\[train\]$", '[train]\npolicy = "reuse"')
    gcs.heal()
    again = shop.run("second")
    assert again["preprocess"]["counts"]["fetched"] == 0
    assert not [asked for asked in gcs.asked() if re.search(r"\.jpg[^/]*alt=media", asked)]
    assert again["embed"]["counts"]["inferred"] == 0
    photo = next((shop.folder / "photos").glob("*/*_2.jpg"))
    found = json.loads(shop.cli("search", str(photo), "--json").stdout)
    assert photo.name.startswith(found["results"][0]["item_id"])
    assert shop.cli("gc", "--dry-run").exit_code == 0
    assert bucket.uri in shop.cli("status").output
