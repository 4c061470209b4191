"""The plan of a run: it says what the run then does, and leaves the store as it is."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.config import PricesSection, load_config
from pipelines.forecast.money import Money, money
from pipelines.forecast.run import RunPlan, hides_others, plan_run
from pipelines.forecast.todo import ToDo
from pipelines.forecast.words import lines
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE
from pipelines.index import stage
from pipelines.preprocess.asked import Asked
from pipelines.runs.sequence import run_stage
from pipelines.telemetry.progress import Progress
from tests.catalogue.shop import Shop, jpeg, rows_of
from tests.index.gallery import plain
from tests.photo_hosts import LOCAL, answering, host
from tests.releases.live import make_live
from tools.photo_host import Manners, PhotoHost


@pytest.fixture
def web() -> Iterator[tuple[PhotoHost, str]]:
    photos = host()
    with answering(photos.app) as address:
        yield photos, address


def sell(shop: Shop, address: str, count: int, **fetch: Any) -> None:
    shop.write_csv([{**row, "image": f"{address}/{row['image']}"} for row in rows_of(count)])
    shop.write_config(fetch={**LOCAL, **fetch}, prices={"machine_hour": 3.6, "gigabyte_fetched": 1000.0})


def planned(shop: Shop) -> RunPlan:
    return plan_run(load_config(shop.config), Progress(quiet=True))


def content(shop: Shop) -> dict[str, bytes]:
    store = shop.root / "store"
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


def test_a_plan_says_what_the_run_does_and_changes_nothing(tmp_path: Path, web: tuple[PhotoHost, str]) -> None:
    (photos, address), shop = web, Shop(tmp_path / "shop")
    sell(shop, address, 20)
    first = planned(shop)
    assert (first.items, first.photos, first.added, first.removed) == (20, 20, 20, 0)
    assert (first.asked.fetched, first.asked.rechecked, first.asked.files) == (20, 0, 0)
    assert (first.todo.prepare, first.todo.infer, first.fetched_bytes) == (20, 20, None)
    assert (first.seconds["train"], first.seconds["embed"]) == (660.0, None)  # minutes are set, the rest is not known
    assert not photos.seen.times
    assert list(content(shop)) == []
    shop.run("r1", "catalogue", "preprocess")
    before, asked = content(shop), len(photos.seen.times)
    sell(shop, address, 30)
    second = planned(shop)
    assert (content(shop), len(photos.seen.times)) == (before, asked)
    done = shop.run("r2", "catalogue", "preprocess")
    counts = done["preprocess"]["counts"]
    assert (second.added, second.asked.fetched) == (done["catalogue"]["counts"]["added"], counts["fetched"]) == (10, 10)
    assert second.todo.prepare == counts["prepared"] == 10
    assert second.fetched_bytes == pytest.approx(counts["bytes"], rel=0.2)  # photos of the test are of unequal size
    assert planned(shop).asked.addresses == 0
    sell(shop, address, 30, max_age_hours=0)
    assert planned(shop).asked.rechecked == 30


def test_what_failed_before_counts_as_if_it_came_now(tmp_path: Path, web: tuple[PhotoHost, str]) -> None:
    (photos, address), shop = web, Shop(tmp_path / "shop")
    sell(shop, address, 12, attempts=1)
    photos.manners = Manners(faults=1.0)
    shop.write_config(preprocess={"max_rejected_share": 1.0}, fetch={**LOCAL, "attempts": 1})
    counts = shop.run("r1", "catalogue", "preprocess")["preprocess"]["counts"]
    assert (counts["prepared"], counts["rejected"]) == (0, 12)
    plan = planned(shop)
    assert (plan.asked.fetched, plan.todo.prepare, plan.todo.infer) == (12, 12, 12)
    assert "images to prepare: 12 at most; to infer: 12 at most" in [*lines(plan)]
    photos.manners = Manners()
    assert shop.run("r2", "catalogue", "preprocess")["preprocess"]["counts"]["prepared"] == 12
    plan = planned(shop)
    assert plan.todo.prepare == 0
    assert "images to prepare: 0; to infer: 12" in [*lines(plan)]  # all is known, and nothing is asked


def test_files_that_have_changed_count_as_to_prepare(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    shop.write_photos(f"p{n}.jpg" for n in range(6))
    shop.write_csv(rows_of(6))
    shop.write_config()
    shop.run("r", "catalogue", "preprocess")
    (shop.photos / "p1.jpg").write_bytes(jpeg(77))
    assert (planned(shop).asked.files, planned(shop).todo.prepare) == (1, 1)
    assert shop.run("r2", "catalogue", "preprocess")["preprocess"]["counts"]["prepared"] == 1


def test_what_asking_takes_is_open_until_a_run_has_asked(tmp_path: Path, web: tuple[PhotoHost, str]) -> None:
    (photos, address), shop = web, Shop(tmp_path / "shop")
    sell(shop, address, 20, max_age_hours=0)
    shop.run("r1", "catalogue", "preprocess")
    first = planned(shop)
    assert (first.asked.rechecked, first.seconds["preprocess"], first.changed) == (20, None, None)
    told = [*lines(first)]
    assert "images to prepare: 0; to infer: 20, as far as the 20 that are asked whether they changed have not" in told
    assert any(line.startswith("time: at least ") and "preprocess ?" in line for line in told)
    photos.made_of |= {f"p{n}.jpg": 4 - photos.made_of.get(f"p{n}.jpg", n % 5) for n in range(5)}
    changed = shop.run("r2", "catalogue", "preprocess")["preprocess"]["counts"]["prepared"]
    second = planned(shop)
    assert second.seconds["preprocess"] is not None
    assert second.changed == (changed, 20)
    assert any(
        line.endswith(f"have not; when that was last asked, at least {changed} of 20 had") for line in lines(second)
    )


def test_only_what_is_known_and_planned_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    amounts = Money("USD", {}, ("machine_hour",))
    plan = RunPlan(1, 1, 0, 0, "", Asked(), ToDo(), ToDo(), (), "", {"embed": 1.0}, 0, 0, {}, amounts)
    assert not any(line.startswith("money") for line in lines(plan))
    priced = replace(plan, money=Money("USD", {"machine_hour": 0.5}, ("gigabyte_month",)))
    assert "money: 0.50 USD; without prices.gigabyte_month" in [*lines(priced)]
    shop = Shop(tmp_path / "shop")
    shop.write_photos(f"p{n}.jpg" for n in range(6))
    shop.write_csv(rows_of(6))
    shop.write_config(train={"policy": "reuse"})
    shop.run("r", "catalogue", "preprocess")
    manifest = {"counts": {}, "seconds": 1.0, "finished_at": "2026-01-01T00:00:00+00:00", "outputs": {}}
    shop.store.create_json("runs/r/train/manifest.json", manifest | {"peak_memory_bytes": 2_000_000_000})
    assert planned(shop).trains
    assert planned(shop).peak_bytes["train"] == 2_000_000_000
    monkeypatch.setattr("pipelines.forecast.run._reason", lambda *_: "")
    assert "train" not in planned(shop).peak_bytes


def test_addresses_that_are_signed_anew_may_show_what_is_known(tmp_path: Path, web: tuple[PhotoHost, str]) -> None:
    (photos, address), shop = web, Shop(tmp_path / "shop")
    photos.made_of = {f"p{n}.jpg": n // 5 for n in range(10)}
    photos.photo = lambda name: photos.data[photos.made_of[name]]  # type: ignore[method-assign]
    prepared = 0
    for day in (1, 2):
        sell(shop, address, 10)
        shop.write_csv([{**row, "image": f"{address}/{row['image']}?sig={day}"} for row in rows_of(10)])
        plan = planned(shop)
        if day == 1:
            assert plan.likely == plan.todo
            prepared = shop.run("r1", "catalogue", "preprocess")["preprocess"]["counts"]["prepared"]
    assert plan.likely.prepare == prepared < plan.todo.prepare == 10
    told = [*lines(plan)]
    assert (
        f"images to prepare: 10 at most; to infer: 10 at most; {prepared} and 10 if as many new addresses show known "
        "photos as last time" in told
    )
    assert any(line.endswith('set fetch.ignored_query = ["sig"]') for line in told)


def test_files_and_another_way_of_preparing_are_counted_apart(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    shop.write_photos(f"p{n}.jpg" for n in range(6))
    shop.write_csv(rows_of(6))
    shop.write_config()
    assert planned(shop).asked.files == 6
    shop.run("r", "catalogue", "preprocess")
    assert planned(shop).todo.prepare == 0
    shop.write_config(preprocess={"height": 48, "width": 36})
    assert planned(shop).todo.prepare == 6


def test_a_run_that_would_be_refused_is_told_and_planned_all_the_same(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    shop.write_photos(f"p{n}.jpg" for n in range(20))
    shop.write_csv(rows_of(20))
    shop.write_config()
    shop.run("r", "catalogue")
    shop.write_csv(rows_of(5))
    plan = planned(shop)
    assert "removes 15 of 20 items" in plan.refused
    assert (plan.items, plan.removed) == (5, 15)
    assert next(iter(lines(plan))).startswith("this run would be refused: the snapshot removes 15 of 20")


def test_an_index_is_built_anew_where_other_items_are_hidden(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store", 8)
    gallery.write()
    assert not hides_others(gallery.store)  # nothing is live
    change(gallery.store, HIDE, ["item-003"], "recalled")
    run_stage(gallery.context(), "index", stage.run)
    make_live(gallery.store, "r")
    assert not hides_others(gallery.store)
    change(gallery.store, HIDE, ["item-004"], "recalled")
    assert hides_others(gallery.store)
    change(gallery.store, UNHIDE, ["item-004"], "")
    assert not hides_others(gallery.store)


def test_the_command_prints_words_and_one_object_and_makes_no_store(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    shop.write_photos(f"p{n}.jpg" for n in range(6))
    shop.write_csv(rows_of(6))
    shop.write_config()
    result = shop.cli("run", "--plan")
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert (found["items"], found["asked"]["files"], found["trains"]) == (6, 6, "there is no live model yet")
    assert "photos to fetch: 0 by address, 6 files" in result.stderr
    assert not (shop.root / "store").exists()


def test_money_is_what_has_a_price_and_the_rest_is_named() -> None:
    prices = PricesSection(currency="EUR", machine_hour=2.0, training_hour=5.0, gigabyte_fetched=0.1)
    found = money(prices, {"embed": 1800.0, "train": 3600.0, "index": None}, 20_000_000_000, 1_000_000_000, 5000)
    assert found.amounts == {"machine_hour": 1.0, "training_hour": 5.0, "gigabyte_fetched": 2.0}
    assert (found.total, found.currency) == (8.0, "EUR")
    assert found.unknown == ("gigabyte_month", "thousand_requests")
