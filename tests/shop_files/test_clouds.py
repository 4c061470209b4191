"""Feeds and photos in S3, from a server on this machine that speaks its protocol."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto.server import ThreadedMotoServer

from pipelines.errors import StageError
from pipelines.shop_files import clouds, locations
from pipelines.shop_files.fetch import Fetcher, FetchError
from pipelines.store import UnavailableError
from tests.catalogue.shop import Shop, jpeg, rows_of


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of a server that holds the bucket `shop`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    clouds._store.cache_clear()
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)  # what servers of this process know is one
    client = boto3.client("s3", endpoint_url=endpoint)
    client.create_bucket(Bucket="shop")
    yield client
    server.stop()
    clouds._store.cache_clear()


def put(s3: Any, name: str, data: bytes) -> None:
    s3.put_object(Bucket="shop", Key=name, Body=data)


def test_files_are_found_looked_at_and_read(s3: Any) -> None:
    for name in ("feeds/2/a.csv", "feeds/10/a.csv", "feeds/10/b.txt", "other.csv"):
        put(s3, name, name.encode())
    found = locations.find("s3://shop/feeds", "*/a.csv")
    assert [path for path, _ in found] == ["10/a.csv", "2/a.csv"]
    assert [file.open("rb").read() for _, file in found] == [b"feeds/10/a.csv", b"feeds/2/a.csv"]
    one = locations.look("s3://shop/other.csv")
    assert one is not None
    assert (one.name, one.suffix, one.size_bytes) == ("other.csv", ".csv", 9)
    assert locations.look("s3://shop/nothing.csv") is None
    below, files = locations.folders("s3://shop/feeds/")
    assert (below, files) == (["s3://shop/feeds/10/", "s3://shop/feeds/2/"], [])


def test_what_is_replaced_while_it_is_read_is_an_error(s3: Any) -> None:
    put(s3, "a.jpg", b"one")
    found = locations.look("s3://shop/a.jpg")
    assert found is not None
    put(s3, "a.jpg", b"two!")
    with pytest.raises(StageError, match=r"s3://shop/a\.jpg was replaced or deleted while it was read"):
        found.open()


def test_photos_come_from_below_the_roots_alone(s3: Any) -> None:
    put(s3, "photos/a.jpg", b"photo")
    put(s3, "secret.jpg", b"secret")
    fetcher = Fetcher("s3://shop/photos", 100)
    assert fetcher.fetch("a.jpg") == fetcher.fetch("s3://shop/photos/a.jpg") == b"photo"
    for uri in ("s3://shop/secret.jpg", "../secret.jpg", "s3://other/a.jpg"):
        with pytest.raises(FetchError) as refused:
            fetcher.fetch(uri)
        assert refused.value.code == "outside_roots"
    with pytest.raises(FetchError, match="missing"):
        fetcher.fetch("b.jpg")
    with pytest.raises(FetchError, match="too_large_bytes"):
        Fetcher("s3://shop/photos", 3).fetch("a.jpg")


def test_a_shop_in_s3_is_prepared_and_what_did_not_change_is_not_read(s3: Any, tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    put(s3, "feed.csv", shop.write_csv(rows_of(6)).read_bytes())
    for n in range(6):
        put(s3, f"photos/p{n}.jpg", jpeg(n))
    shop.write_config(catalogue={"snapshot": "s3://shop/feed.csv", "photo_root": "s3://shop/photos"})
    first = shop.run("r1", "catalogue", "preprocess")["preprocess"]
    assert (first["counts"]["ok"], first["counts"]["fetched"]) == (6, 6)
    put(s3, "photos/p3.jpg", jpeg(33))
    second = shop.run("r2", "catalogue", "preprocess")["preprocess"]
    assert (second["counts"]["fetched"], second["counts"]["prepared"]) == (1, 1)


@pytest.mark.usefixtures("s3")
def test_a_bucket_or_a_server_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises((StageError, UnavailableError), match="cannot read s3://none/"):
        list(locations.walk("s3://none/photos/"))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    clouds._store.cache_clear()
    with pytest.raises(UnavailableError, match=r"cannot read s3://shop/a\.jpg") as caught:
        locations.look("s3://shop/a.jpg")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("uri", "place", "name"),
    [
        ("s3://shop/a/b.jpg", "s3://shop", "a/b.jpg"),
        ("S3://shop", "s3://shop", ""),
        ("abfss://photos@shop.dfs.core.windows.net/a.jpg", "abfss://photos@shop.dfs.core.windows.net", "a.jpg"),
        ("az://photos/a.jpg", "az://photos", "a.jpg"),
    ],
)
def test_uris_of_clouds(uri: str, place: str, name: str) -> None:
    assert clouds.split(uri) == (place, name)
