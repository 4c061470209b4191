"""Feeds behind addresses: fetched once they have changed, and read from the store."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from pipelines.errors import StageError
from pipelines.releases.gc import collect_garbage
from pipelines.store import UnavailableError
from tests.catalogue.shop import Shop, rows_of
from tests.photo_hosts import LOCAL, answering


class Host:
    """Gives one file, by whatever name it is asked for."""

    def __init__(self) -> None:
        self.body, self.headers, self.status = b"", dict[str, str](), 200
        self.asked: list[web.Request] = []

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/{name:.*}", self._answer)
        return app

    async def _answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        tag = f'"{hash(self.body)}"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304)
        return web.Response(status=self.status, body=self.body, headers={"ETag": tag, **self.headers})


@pytest.fixture(autouse=True)
def hardly_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.shop_files.web.web.FIRST_PAUSE_S", 0.01)


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def shop(tmp_path: Path, host: Host) -> Iterator[tuple[Shop, str]]:
    with answering(host.app) as address:
        yield Shop(tmp_path / "shop"), address


def csv_of(shop: Shop, count: int) -> bytes:
    return shop.write_csv(rows_of(count), "written.csv").read_bytes()


def test_a_snapshot_is_fetched_once_it_has_changed(shop: tuple[Shop, str], host: Host) -> None:
    a_shop, address = shop
    host.body = csv_of(a_shop, 4)
    a_shop.write_config(catalogue={"snapshot": f"{address}/feed.csv?token=s3cret"}, fetch=LOCAL)
    assert a_shop.run("r1", "catalogue")["catalogue"]["counts"]["items"] == 4
    unchanged = a_shop.run("r2", "catalogue")["catalogue"]
    assert (unchanged["counts"]["items"], unchanged["counts"]["in"]) == (4, 0)
    assert [bool(request.headers.get("If-None-Match")) for request in host.asked] == [False, True]
    host.body = csv_of(a_shop, 5)
    assert a_shop.run("r3", "catalogue")["catalogue"]["counts"]["added"] == 1
    stored = [path for path in (a_shop.root / "store").rglob("*") if path.is_file()]
    assert not [path for path in stored if b"s3cret" in path.read_bytes()]


def test_what_is_not_the_newest_goes_in_time(shop: tuple[Shop, str], host: Host) -> None:
    a_shop, address = shop
    for count in (4, 5):
        host.body = csv_of(a_shop, count)
        a_shop.write_config(catalogue={"snapshot": f"{address}/feed.csv"}, fetch=LOCAL)
        a_shop.run(f"r{count}", "catalogue")
    assert len(list(a_shop.store.list("feeds"))) == 3
    collect_garbage(a_shop.store, keep=1, grace_s=0.0, now=4e9)
    assert len(list(a_shop.store.list("feeds"))) == 2
    host.body += b"i9,p9.jpg,Shoes > Boots,Item 9\n"
    assert a_shop.run("r9", "catalogue")["catalogue"]["counts"]["items"] == 6


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("export.csv", {}),
        ("export.php?name=products.csv", {}),
        ("feed", {"Content-Type": "text/csv; charset=utf-8"}),
        ("feed", {"Content-Disposition": 'attachment; filename="products.csv"'}),
        ("download/1234", {"Content-Disposition": "attachment; filename*=UTF-8''produits%20%C3%A9t%C3%A9.csv"}),
    ],
)
def test_the_format_is_told_by_the_address_or_by_the_host(
    shop: tuple[Shop, str], host: Host, path: str, headers: dict[str, str]
) -> None:
    a_shop, address = shop
    host.body, host.headers = csv_of(a_shop, 3), headers
    a_shop.write_config(catalogue={"snapshot": f"{address}/{path}"}, fetch=LOCAL)
    assert a_shop.run("r", "catalogue")["catalogue"]["counts"]["items"] == 3


def test_a_feed_may_be_packed_or_sent_packed(shop: tuple[Shop, str], host: Host) -> None:
    a_shop, address = shop
    packed = gzip.compress(csv_of(a_shop, 3))
    host.body = packed
    a_shop.write_config(catalogue={"snapshot": f"{address}/feed.csv.gz"}, fetch=LOCAL)
    assert a_shop.run("r", "catalogue")["catalogue"]["counts"]["items"] == 3
    host.headers = {"Content-Encoding": "gzip"}
    a_shop.write_config(catalogue={"snapshot": f"{address}/feed.csv"}, fetch=LOCAL)
    assert a_shop.run("r2", "catalogue")["catalogue"]["counts"]["items"] == 3


def test_deltas_behind_one_address_are_each_read_once(shop: tuple[Shop, str], host: Host) -> None:
    a_shop, address = shop
    a_shop.write_csv(rows_of(4))
    a_shop.write_config(catalogue={"deltas": f"{address}/changes.csv"}, fetch=LOCAL)
    header = b"sku,image,path,name\n"
    host.body = header + b"i7,p7.jpg,Shoes > Boots,Item 7\n"
    assert a_shop.run("r1", "catalogue")["catalogue"]["counts"]["added"] == 5
    assert a_shop.run("r2", "catalogue")["catalogue"]["counts"]["in"] == 0
    host.body = header + b"i8,p8.jpg,Shoes > Boots,Item 8\n"
    third = a_shop.run("r3", "catalogue")["catalogue"]
    assert (third["counts"]["added"], third["counts"]["items"]) == (1, 6)
    assert not [note for note in third["notes"] if "never read" in note]


def test_a_host_that_fails_or_says_no_is_an_error_that_changes_nothing(shop: tuple[Shop, str], host: Host) -> None:
    a_shop, address = shop
    a_shop.write_config(catalogue={"snapshot": f"{address}/feed.csv?key=s3cret"}, fetch={**LOCAL, "attempts": 2})
    host.status = 503
    with pytest.raises(UnavailableError, match=rf"cannot fetch {address}/feed\.csv: .*503.*server_error"):
        a_shop.run("r", "catalogue")
    assert len(host.asked) == 2
    host.status = 404
    with pytest.raises(StageError, match=r"404.*\(missing\)"):
        a_shop.run("r", "catalogue")
    a_shop.write_config(catalogue={"snapshot": f"{address}/feed.csv"}, fetch={"allowed_networks": []})
    with pytest.raises(StageError, match="refused_address"):
        a_shop.run("r", "catalogue")


def test_a_page_instead_of_a_feed_is_said_to_be_one(shop: tuple[Shop, str], host: Host) -> None:
    a_shop, address = shop
    host.body, host.headers = b"<!doctype html><html><body>Sign in</body></html>", {"Content-Type": "text/html"}
    a_shop.write_config(catalogue={"snapshot": f"{address}/feed.csv"}, fetch=LOCAL)
    with pytest.raises(StageError, match=r"feed\.csv is a web page or XML, not a table"):
        a_shop.run("r", "catalogue")
