"""`check`: what a feed and a sample of its photos hold, what is odd, what would stop a run, and each fix."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from pipelines.survey.look.findings import Finding
from pipelines.survey.look.uris import Photo, Uris
from tests.catalogue.shop import Shop, jpeg, rows_of
from tests.photo_hosts import LOCAL, answering, host
from tests.survey.feeds import FEEDS, Feed
from tests.survey.test_init import filled_in, init

Found = dict[str, dict[str, Any]]
COLUMNS = {"item_id": "sku", "photos": "image", "category": "path", "title": "name"}


def looked(shop: Shop, *arguments: str, code: int = 0) -> Found:
    """What `check --json` finds, by code."""
    result = shop.cli("check", "--json", *arguments)
    assert result.exit_code == code, result.output
    return {one["code"]: one for one in json.loads(result.stdout)["findings"]}


def shop_of(root: Path, rows: Iterable[dict[str, Any]], **sections: Any) -> Shop:
    """A shop whose photos are all there, which need not be many."""
    shop, rows = Shop(root), [*rows]
    shop.write_csv(rows)
    shop.write_photos(row["image"] for row in rows if "/" not in row["image"])
    shop.write_config(train={"min_images": 2, **sections.pop("train", {})}, **sections)
    return shop


@pytest.mark.parametrize("make", FEEDS, ids=lambda make: make.__name__)
def test_every_damaged_row_of_ten_feeds(make: Callable[[], Feed], tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    feed = make()
    feed.write(tmp_path)
    init(feed.name)
    config = tmp_path / "shop.toml"
    text = filled_in(config.read_text(encoding="utf-8"), dict(feed.answers))
    config.write_text(f"{text}[train]\nmin_images = 2\n", encoding="utf-8")
    shop = Shop(tmp_path)
    result = shop.cli("check", "--json", "--photos", "0")
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)["findings"]
    told = {(one["code"], example.partition(": ")[0]) for one in found for example in one["examples"]}
    for line, code in feed.rejected:
        assert (code, f"{feed.name}:{line}") in told
    assert {one["weight"] for one in found} <= {"odd", "told"}
    assert not shop.root.joinpath("store").exists()


def test_a_sound_shop(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, rows_of(60), preprocess={"height": 32, "width": 24})
    result = shop.cli("check")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"{shop.config}: 60 items, 60 photos"
    assert lines[-1] == f"next: visual-search run --config {shop.config} (nothing stops it)"
    assert (
        "     leaf categories (2 of 2 levels): 2, such as Shoes > Boots (30 items); Shoes > Sandals (30 items)" in lines
    )
    assert any(line.startswith("     prices: none -> set catalogue.columns.price") for line in lines)
    assert any(line.startswith("     photos of a sample of 60 that came and can be used, in ") for line in lines)
    assert any("photos of 24 x 32 pixels (width x height) are too small to start from weights" in one for one in lines)
    assert not (tmp_path / "store").exists()


def test_odd_things_and_their_fixes(tmp_path: Path) -> None:
    """Ids that differ in case, equal titles, a photo of many items, several photos and paths in a cell, no price."""
    rows = rows_of(60, price="1.50")
    rows[1]["sku"] = "I0"
    rows[2]["sku"] = "0i3"
    for row in rows[10:22]:
        row |= {"image": "chart.jpg", "name": "Shoe", "price": ""}
    rows[30]["image"] = "x/p30.jpg,x/p31.jpg"
    rows[31]["path"] = "Shoes > Boots;Sale > Shoes"
    shop = shop_of(tmp_path, rows, catalogue={"columns": COLUMNS | {"price": "price"}})
    found = looked(shop)
    assert found["similar_ids"]["count"] == 2
    assert {*found["similar_ids"]["examples"]} == {"'0i3' and 'i3' (2 items)", "'I0' and 'i0' (2 items)"}
    assert found["equal_titles"]["examples"] == ["'Shoe' (12 items)"]
    assert "catalogue.columns.group_id" in found["equal_titles"]["fix"]
    assert found["photos_of_many_items"]["examples"] == ["chart.jpg (12 items)"]
    assert "preprocess.max_items_a_photo = 10" in found["photos_of_many_items"]["fix"]
    assert found["no_price"]["count"] == 12
    lines = shop.cli("check", "--photos", "0").stdout
    assert "photo cells that look like several photos: 1, as 'x/p30.jpg,x/p31.jpg' -> set " in lines
    assert "category cells that look like several paths: 1, as 'Shoes > Boots;Sale > Shoes' -> set " in lines
    assert found["photo_missing"]["count"] == 1
    assert found["photo_missing"]["examples"][0].startswith("x/p30.jpg,x/p31.jpg: there is nothing at the uri")


def test_what_would_stop_a_run(tmp_path: Path) -> None:
    rows = rows_of(60)
    for row in rows[:12]:
        row["path"] = ""
    shop = shop_of(tmp_path, rows)
    for row in rows[20:40]:
        (shop.photos / row["image"]).write_bytes(b"<html>not found</html>")
    found = looked(shop, code=1)
    assert found["too_many_rejected"]["weight"] == "stops"
    assert "over catalogue.max_rejected_share = 10.0%" in found["too_many_rejected"]["what"]
    assert (found["no_category"]["count"], found["no_category"]["weight"]) == (12, "odd")
    assert found["photo_not_an_image"]["count"] == 20
    assert (
        "20 of 48 photos are rejected, over preprocess.max_rejected_share" in found["too_many_photos_rejected"]["what"]
    )


@pytest.mark.parametrize(
    ("word", "fix"),
    [
        ("nil", "if 'nil' means no value, add it to catalogue.no_value; else mend the export"),
        ("12 or 13", "see catalogue.decimal_mark, or mend the export"),
    ],
)
def test_a_word_that_many_numbers_are(tmp_path: Path, word: str, fix: str) -> None:
    rows = [row | {"eur": word if n % 4 == 0 else "2.50"} for n, row in enumerate(rows_of(60))]
    shop = shop_of(tmp_path, rows, catalogue={"columns": COLUMNS | {"price": "eur"}})
    found = looked(shop, "--photos", "0", code=1)
    assert (found["bad_number"]["count"], found["bad_number"]["fix"]) == (15, fix)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"columns": {"item_id": "nr"}}, "has no column 'nr', which catalogue.columns.item_id names"),
        ({"snapshot": "none.csv"}, "matches no file"),
        ({"photo_root": "elsewhere"}, "there is no folder"),
    ],
)
def test_a_feed_that_cannot_be_read(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    shop = shop_of(tmp_path, rows_of(4))
    columns = COLUMNS | change.pop("columns", {})
    shop.write_config(catalogue={"columns": columns, **change})
    found = looked(shop, code=1)
    assert found["catalogue_fails"]["weight"] == "stops"
    assert told in found["catalogue_fails"]["what"]


def test_one_category_for_all_names_the_key_that_may_be_why(tmp_path: Path) -> None:
    rows = [row | {"path": f"Shop All;{row['path']}"} for row in rows_of(20)]
    shop = shop_of(tmp_path, rows, catalogue={"columns": COLUMNS | {"category_path_separator": ";"}})
    found = looked(shop, "--photos", "0", code=1)
    assert 'set catalogue.columns.category_choice = "deepest"' in found["one_leaf"]["fix"]
    shop.write_config(
        train={"min_images": 2},
        catalogue={"columns": COLUMNS | {"category_path_separator": ";", "category_choice": "deepest"}},
    )
    assert "one_leaf" not in looked(shop, "--photos", "0")


def test_photos_that_all_sizes_of_a_product_share_are_no_charts(tmp_path: Path) -> None:
    """A row a size: a limit would reject all photos, which is told before and after it is set."""
    rows = [row | {"image": f"{n // 12}.jpg"} for n, row in enumerate(rows_of(48))]
    shop = shop_of(tmp_path, rows, catalogue={"columns": COLUMNS})
    fix = looked(shop, "--photos", "0")["photos_of_many_items"]["fix"]
    assert "catalogue.columns.group_id" in fix
    assert "max_items_a_photo" not in fix
    shop.write_config(catalogue={"columns": COLUMNS}, preprocess={"max_items_a_photo": 10})
    found = looked(shop, "--photos", "0", code=1)["photos_over_limit"]
    assert (found["weight"], found["count"]) == ("stops", 4)
    assert "48 of 48" in found["what"]


def test_several_categories_that_are_taken_for_levels_of_one(tmp_path: Path) -> None:
    """As WooCommerce's interface lists them; a level of some of one category alone is sound."""
    kinds = ["Shirts", "Boots", "Hats", "Coats"]
    rows = [row | {"path": f"Men > {kinds[n % 4]}{' > Sale' * (n % 5 == 0)}"} for n, row in enumerate(rows_of(60))]
    for n in (2, 6):
        rows[n]["path"] += " > Caps"
    found = looked(shop_of(tmp_path, rows, catalogue={"columns": COLUMNS}), "--photos", "0")["shared_ends"]
    assert found["examples"] == ["'Sale' (below 4 of them)"]
    assert "categories[0].name" in found["fix"]


def test_a_host_that_fails(tmp_path: Path) -> None:
    """Some photos are never to be had, and others after a second request."""
    photos = host(lasting=0.2, seed=3)
    with answering(photos.app) as address:
        rows = [row | {"image": f"{address}/{n}.jpg"} for n, row in enumerate(rows_of(60))]
        shop = shop_of(tmp_path, rows, fetch=LOCAL, preprocess={"max_rejected_share": 0.5})
        found = looked(shop, "--photos", "40")
    asked = {name for name in photos.seen.paths if name.endswith(".jpg")}
    bad = sum(bool(photos.lasting(name)) for name in asked)
    assert len(asked) == 40
    assert bad
    assert found["sample"]["count"] == 40 - bad
    assert sum(one["count"] for code, one in found.items() if code.startswith("photo_")) == bad
    assert found["all_photos"]["what"].startswith("all 60 photos are about ")
    assert found["photos"]["examples"] == [f"{address.removeprefix('http://')} (60)"]


def test_a_host_that_limits_its_rate(tmp_path: Path) -> None:
    photos = host(per_second=30)
    with answering(photos.app) as address:
        rows = [row | {"image": f"{address}/{n}.jpg"} for n, row in enumerate(rows_of(60))]
        found = looked(shop_of(tmp_path, rows, fetch=LOCAL))
    name = address.removeprefix("http://")
    assert photos.seen.answers["over"] > 12
    assert found["asked_again"]["what"].startswith(f"further requests to {name}: it limits its rate")
    assert re.fullmatch(rf'set fetch\.hosts\."{name}"\.requests_per_second = [0-9.]+', found["asked_again"]["fix"])


def test_a_host_that_redirects_or_fails_now_and_then_is_not_asked_more_slowly(tmp_path: Path) -> None:
    photos = host()
    photos.moved = True
    with answering(photos.app) as address:
        rows = [row | {"image": f"{address}/{n}.jpg"} for n, row in enumerate(rows_of(10))]
        found = looked(shop_of(tmp_path / "moved", rows, fetch=LOCAL))
        assert found["redirected"]["count"] == 10
        assert found["redirected"]["fix"].startswith("write the final address into the feed")
        assert " -> " in found["redirected"]["examples"][0]
        assert "moved/" in found["redirected"]["examples"][0]
        photos.moved, photos.manners.faults = False, 0.4
        found |= looked(shop_of(tmp_path / "fails", rows, fetch=LOCAL | {"attempts": 9}))
    assert "requests_per_second" not in found["failed_now_and_then"]["fix"]


def test_what_cannot_be_reached_is_told_with_its_cause(tmp_path: Path) -> None:
    addresses = ("http://127.0.0.1:1/a.jpg", "http://no-such-host.invalid/a.jpg")
    for address, cause in zip(addresses, ("connection refused", "no such name"), strict=True):
        rows = [row | {"image": f"{address}?{n}"} for n, row in enumerate(rows_of(3))]
        found = looked(shop_of(tmp_path / cause, rows, fetch=LOCAL | {"attempts": 2}), code=1)
        assert found["photo_unreachable"]["examples"][0].endswith(cause)
        assert "name and port" in found["photo_unreachable"]["fix"]
        assert not {"asked_again", "failed_now_and_then"} & found.keys()


def test_a_feed_behind_an_address_leaves_nothing_behind(tmp_path: Path) -> None:
    photos = host()
    with answering(photos.app) as address:
        place = {"snapshot": f"{address}/feed.csv", "columns": COLUMNS}
        shop = shop_of(tmp_path, rows_of(10), catalogue=place, fetch=LOCAL)
        photos.photo = lambda _: (shop.root / "feed.csv").read_bytes()  # type: ignore[method-assign]
        assert "leaves" in looked(shop, "--photos", "0")
    assert not (shop.root / "store").exists()


def test_a_feed_that_cannot_be_reached_is_told_with_its_cause(tmp_path: Path) -> None:
    place = {"snapshot": "http://127.0.0.1:1/feed.csv", "columns": COLUMNS}
    shop = shop_of(tmp_path, rows_of(3), catalogue=place, fetch=LOCAL | {"attempts": 1})
    found = looked(shop, "--photos", "0", code=1)
    assert [*found] == ["catalogue_fails"]
    assert "cannot fetch http://127.0.0.1:1/feed.csv" in found["catalogue_fails"]["what"]
    assert not (shop.root / "store").exists()


def test_an_address_with_a_place_to_fill_in_is_no_matter_of_its_host(tmp_path: Path) -> None:
    rows = [row | {"image": f"http://127.0.0.1:1/{{width}}/{n}.jpg"} for n, row in enumerate(rows_of(3))]
    found = looked(shop_of(tmp_path, rows, fetch=LOCAL | {"attempts": 1}), code=1)
    assert found["photo_unreachable"]["fix"].startswith("'{width}' looks like a place to fill in: ")


def test_a_path_that_is_an_address_without_its_scheme(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, [row | {"image": f"www.shop.example/m/{row['image']}"} for row in rows_of(3)])
    shop.photos.joinpath("other.jpg").write_bytes(jpeg(1))
    [told] = looked(shop, code=1)["photo_missing"]["examples"]
    assert 'catalogue.photo_root = "https://www.shop.example"' in told
    assert 'catalogue.photo_prefix = "www.shop.example/"' in told


FROM_SCRATCH = "set preprocess.height = 112 and preprocess.width = 84"


@pytest.mark.parametrize(
    ("size", "weights", "fix", "advice"),
    [
        ((60, 80), None, "set preprocess.height = 80 and preprocess.width = 60", "photos of 60 x 80 pixels"),
        (
            (600, 800),
            None,
            f"{FROM_SCRATCH}; or 184 and 136 to start from weights that have learned ImageNet (see there)",
            "preprocess.height = 184 and width = 136)",
        ),
        ((600, 800), "imagenet", "set preprocess.height = 184 and preprocess.width = 136", None),
    ],
)
def test_sizes_are_one_advice(
    tmp_path: Path, size: tuple[int, int], weights: str | None, fix: str, advice: str | None
) -> None:
    trunk = {"trunk": "efficientnet_lite0", "initial_weights": weights} if weights else {}
    shop = shop_of(tmp_path, rows_of(20), preprocess={"height": 96, "width": 96}, train=trunk)
    for n in range(20):
        (shop.photos / f"p{n}.jpg").write_bytes(jpeg(n, size))
    found = looked(shop)
    assert found["size"]["fix"] == fix
    assert ("weights" in found) == (advice is not None)
    assert advice is None or advice in found["weights"]["what"]


def test_a_shop_whose_photos_are_on_machines_of_its_own(tmp_path: Path) -> None:
    rows = [row | {"image": f"http://127.0.0.1:9/{n}.jpg"} for n, row in enumerate(rows_of(30))]
    rows[7]["image"] = "http://[::1]:9/7.jpg"
    shop = shop_of(tmp_path, rows)
    found = looked(shop, code=1)
    fix = 'if these are the shop\'s own machines, write allowed_networks = ["127.0.0.1", "::1"] below [fetch]'
    assert found["photo_refused_address"]["fix"] == fix
    stop = found["too_many_photos_rejected"]
    assert stop["what"].endswith("over preprocess.max_rejected_share = 10%: refused_address 30")
    assert stop["fix"].startswith(f"{fix}; a run would fail")
    allowed = {"allowed_networks": ["127.0.0.1", "::1"], "attempts": 1}
    shop.write_config(fetch=allowed, preprocess={"max_rejected_share": 1.0}, train={"min_images": 2})
    assert "photo_refused_address" not in looked(shop)


def test_stock_that_changes_nothing_yet_is_told(tmp_path: Path) -> None:
    rows = [row | {"stock": "ausverkauft" if n % 4 == 0 else "auf Lager"} for n, row in enumerate(rows_of(20))]
    shop = shop_of(tmp_path, rows, catalogue={"columns": COLUMNS | {"availability": "stock"}})
    told = (
        "rows whose item is out of stock, as 'ausverkauft', and shown all the same: 5 of 20 -> catalogue.out_of_stock"
    )
    assert told in shop.cli("check", "--photos", "0").stdout
    flagged = {"columns": COLUMNS | {"availability": "stock"}, "out_of_stock": "flag"}
    shop.write_config(catalogue=flagged, train={"min_images": 2})
    lines = shop.cli("check", "--photos", "0").stdout
    assert "shown all the same" not in lines
    assert "rows of the snapshot whose item is out of stock (catalogue.out_of_stock): 5 of 20" in lines


def test_time_is_kept(tmp_path: Path) -> None:
    photos = host(latency_s=2)
    with answering(photos.app) as address:
        rows = [row | {"image": f"{address}/{n}.jpg"} for n, row in enumerate(rows_of(4))]
        shop = shop_of(tmp_path, rows, fetch=LOCAL | {"timeout_s": 60, "idle_s": 60})
        found = looked(shop, "--seconds", "1")
    assert (found["late"]["count"], found["sample"]["count"]) == (4, 0)


def test_what_is_to_be_copied_is_never_cut(tmp_path: Path) -> None:
    """The digest of a placeholder, and the names that addresses of any length end with."""
    folder = f"{'long' * 40}/{'folder' * 30}"
    rows = [row | {"image": f"{folder}/{row['image']}"} for row in rows_of(20)]
    shop = shop_of(tmp_path, rows)
    (shop.photos / folder).mkdir(parents=True)
    for row in rows[1:]:
        (shop.photos / row["image"]).write_bytes(jpeg(9))
    lines = shop.cli("check").stdout.splitlines()
    same = next(line for line in lines if "the same under several names" in line)
    missing = next(line for line in lines if "photos of the sample rejected, missing: 1" in line)
    digest = hashlib.sha256(jpeg(9)).hexdigest()
    assert f": 19, such as sha256 {digest} (19 times), longlong" in same
    assert same.split(" -> ")[0].endswith(".jpg")
    assert "…" in missing
    assert missing.split(" -> ")[0].endswith("/p0.jpg")


def test_what_is_said_of_an_address_is_whole_however_long_it_is() -> None:
    said = "a private address is asked only where the config allows it; add it to fetch.allowed_networks, as 10.0.0.0/8"
    address = f"https://cdn.example/{'folder/' * 40}7.jpg"
    line = Finding("photo_refused_address", "odd", "photos", 1, (f"{address}: {said} (fetch.allowed_networks)",)).line()
    assert line.endswith(f"/7.jpg: {said} (fetch.allowed_networks)")
    assert "https://cdn.example/folder/" in line
    assert address not in line


def test_photos_are_counted_once_wherever_they_are_counted(tmp_path: Path) -> None:
    """A photo that several items name is one photo, of all and of its host."""
    rows = rows_of(40)
    for row in rows:
        row["image"] = f"p{int(row['sku'][1:]) // 4}.jpg"
    shop = shop_of(tmp_path, rows)
    report = json.loads(shop.cli("check", "--json", "--photos", "0").stdout)
    found = {one["code"]: one for one in report["findings"]}
    assert (report["photos"], found["photos"]["count"], found["photos"]["examples"]) == (10, 10, ["files (10)"])


def test_photos_that_are_the_same_or_look_it(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, rows_of(40))
    for n in range(4):
        (shop.photos / f"p{n}.jpg").write_bytes(jpeg(9))
    (shop.photos / "p4.jpg").write_bytes(jpeg(9, (48, 64)))
    found = looked(shop)
    assert found["placeholders"]["count"] == 4
    assert "preprocess.dropped_photos" in found["placeholders"]["fix"]
    assert found["near_duplicates"]["count"] >= 1


def test_a_better_size(tmp_path: Path) -> None:
    shop = shop_of(tmp_path, rows_of(20), preprocess={"height": 96, "width": 96})
    found = looked(shop)
    assert found["size"]["fix"] == "set preprocess.height = 32 and preprocess.width = 24"


def test_the_sample_is_the_same_again_and_has_its_share_of_each_host_and_category() -> None:
    uris = Uris(20)
    for n in range(1000):
        uris._take(Photo(f"{n}.jpg", f"i{n}", "a" if n < 900 else "b"), f"top {n % 2}")
    uris._take(Photo("alone.jpg", "x", "c"), "top 0")
    sample = uris.sample()
    again = Uris(20)
    again._take(Photo("alone.jpg", "x", "c"), "top 0")
    for n in reversed(range(1000)):
        again._take(Photo(f"{n}.jpg", f"i{n}", "a" if n < 900 else "b"), f"top {n % 2}")
    assert [photo.uri for photo in sample] == [photo.uri for photo in again.sample()]
    assert len(sample) == 20
    hosts = [photo.host for photo in sample]
    assert (hosts.count("c"), hosts.count("b")) == (1, 2)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (lambda n: "" if n % 6 else f"Shoes > Kind {n % 4}", True),
        (lambda n: "" if n % 6 > 1 else f"Shoes > Kind {n // 12}", False),  # as many say it twice
        (lambda n: "" if n % 6 != 3 else f"Shoes > Kind {n}", False),  # the first says nothing
        (lambda n: "" if n % 6 > 3 else f"Shoes > Kind {n}", False),  # most say it
    ],
    ids=["merged", "by chance", "sparse", "some blanks"],
)
def test_cells_that_a_spreadsheet_merged_are_told(path: Callable[[int], str], told: bool, tmp_path: Path) -> None:
    shop = shop_of(tmp_path, [row | {"path": path(n)} for n, row in enumerate(rows_of(60))])
    found = json.loads(shop.cli("check", "--json", "--photos", "0").stdout)["findings"]
    merged = [one for one in found if one["code"] == "merged_cells"]
    assert len(merged) == told
    if told:
        assert "column 'path' (category) is blank in 50 of the first 60 rows" in merged[0]["what"]
        assert merged[0]["examples"] == ["'Shoes > Kind 0' and 5 blanks"]
        assert merged[0]["fix"].startswith("unmerge the cells in the spreadsheet")


def test_an_encoding_that_makes_no_words_is_told_with_the_one_that_does(tmp_path: Path) -> None:
    titles = ["Kırmızı kadın elbise çiçekli", "Siyah deri çizme", "Çocuk montu sarı", "Güneş gözlüğü ve şapka"]
    shop = shop_of(
        tmp_path,
        [{"sku": f"k{n}", "image": f"{n}.jpg", "path": "AB"[n % 2], "name": titles[n % 4]} for n in range(20)],
        catalogue={"columns": COLUMNS, "encoding": "cp1252"},
    )
    feed = tmp_path / "feed.csv"
    feed.write_bytes(feed.read_text(encoding="utf-8").encode("cp1254"))
    found = looked(shop)["encoding"]
    assert (
        "'Kýrmýzý kadýn elbise çiçekli' of a text that is 'Kırmızı kadın elbise çiçekli' in 'cp1254'" in found["what"]
    )
    assert "set catalogue.encoding = 'cp1254'" in found["fix"]
    shop.write_config(catalogue={"columns": COLUMNS, "encoding": "cp1254"}, train={"min_images": 2})
    assert "encoding" not in looked(shop)
