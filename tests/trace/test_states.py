"""Traces in stores of every state: nothing read yet, runs that stopped, releases of before, runs that are gone."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

from pipelines.errors import GateError
from pipelines.runs.outputs import EvaluateOutputs, TrainOutputs
from pipelines.store import Log
from tests.catalogue.shop import COLUMNS, rows_of
from tests.photo_hosts import LOCAL, answering, host
from tests.trace.shop import MODEL, TracedShop
from tools.photo_host import Manners


def new_shop(root: Path) -> TracedShop:
    shop = TracedShop(root)
    shop.write_csv(rows_of(6))
    shop.write_photos(row["image"] for row in rows_of(9))
    shop.write_config(index={"similar": 0}, catalogue={"max_removed_share": 1.0})
    return shop


@pytest.fixture
def small(tmp_path: Path) -> TracedShop:
    """A shop of six items that nothing has read yet."""
    return new_shop(tmp_path / "shop")


@pytest.fixture(scope="module")
def released(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same shop with a live release, r1, of the run `first`."""
    shop = new_shop(tmp_path_factory.mktemp("released") / "shop")
    shop.add_model(tiny_model)
    shop.take("first")
    shop.promote("first", "r1")
    return shop.root


@pytest.fixture
def live(released: Path, tmp_path: Path) -> TracedShop:
    """A copy of that shop, to change."""
    return TracedShop(shutil.copytree(released, tmp_path / "shop"))


def reason(shop: TracedShop, item_id: str, *arguments: str, code: int = 1) -> tuple[str, str]:
    verdict = shop.trace(item_id, *arguments, code=code)["verdict"]
    return verdict["step"], verdict["reason"]


def test_a_place_that_is_no_store_yet(small: TracedShop) -> None:
    result = small.traced("i1")
    assert result.exit_code == 1
    assert "is not a store yet; run the catalogue stage to create it" in result.stderr


def test_a_store_that_no_feed_was_read_into(small: TracedShop) -> None:
    small.context("r")
    found = small.trace("i1", code=1)  # the feed names it
    assert found["verdict"]["reason"] == "no_catalogue"
    assert [row["source"] for row in found["rows"]] == ["feed.csv:3"]


def test_every_stage_at_which_a_first_run_may_have_stopped(small: TracedShop, tiny_model: Path) -> None:
    small.run("r", "catalogue")
    assert reason(small, "i1") == ("preprocess", "not_done")
    small.run("r", "preprocess")
    assert reason(small, "i1") == ("embed", "not_done")
    small.add_model(tiny_model)
    small.stage("r", TrainOutputs(MODEL, MODEL, "reused", ""))
    small.run("r", "embed")
    assert reason(small, "i1") == ("index", "not_done")
    small.run("r", "index")
    found = small.trace("i1", code=1)
    assert (found["verdict"]["step"], found["verdict"]["reason"]) == ("release", "not_done")
    assert found["verdict"]["sentence"].endswith("which is not live: run 'r' ended before evaluate")
    assert found["verdict"]["fix"] == f"`{small.typed('run', '--run-id', 'r')}` goes on where it stopped"
    small.stage("r", EvaluateOutputs("r1", True))
    assert reason(small, "i1") == ("release", "not_done")


def test_a_photo_is_not_searched_with_where_nothing_is_live(small: TracedShop) -> None:
    small.run("r", "catalogue")
    photo = str(small.photos / "p0.jpg")
    told = "the query was not asked, because no release is live yet"
    query = small.trace("i1", "--query", photo, "-k", "3", code=1)["query"]
    assert (query["photo"], query["results"], query["code"], query["detail"]) == (photo, 3, "not_asked", told)
    assert f"          {told}" in small.traced("i1", "--query", photo).stdout.splitlines()
    assert small.trace("nobody", "--query", photo, code=2)["query"]["detail"] == told


def test_an_item_that_is_hidden_and_one_that_was(live: TracedShop) -> None:
    assert reason(live, "i1", code=0) == ("release", "found")
    assert live.cli("hide", "i1", "--reason", "sold").exit_code == 0
    verdict = live.trace("i1", code=1)["verdict"]
    assert (verdict["step"], verdict["reason"]) == ("release", "hidden")
    assert re.fullmatch(r"it is hidden since 20\S+\+00:00, by \S+@\S+: sold", verdict["sentence"])
    assert verdict["fix"] == f"`{live.typed('unhide', 'i1')}` shows it again"
    # the next run is without it, and the log says so still, of both
    live.take("second")
    live.promote("second", "r2")
    assert reason(live, "i1") == ("release", "hidden")
    assert reason(live, "i1", "--release", "r1") == ("release", "hidden")
    live.cli("unhide", "i1")
    verdict = live.trace("i1", code=1)["verdict"]
    assert (verdict["step"], verdict["reason"]) == ("index", "was_hidden")
    assert verdict["fix"] == f"the next run brings it back: `{live.typed('run')}`"
    assert reason(live, "i1", "--release", "r1", code=0) == ("release", "found")
    live.take("third")
    live.promote("third", "r3")
    assert reason(live, "i1", code=0) == ("release", "found")


def test_an_item_that_came_after_the_release_or_left_since(live: TracedShop) -> None:
    live.write_csv(rows_of(9)[3:])
    assert reason(live, "i8") == ("feed", "not_read_yet")
    live.write_config(index={"similar": 0}, catalogue={"max_removed_share": 0.1})
    with pytest.raises(GateError, match="max_removed_share"):
        live.run("second", "catalogue")
    assert live.trace("i8")["verdict"]["sentence"].endswith("; run 'second' stopped in catalogue")
    live.write_config(index={"similar": 0}, catalogue={"max_removed_share": 1.0})
    live.run("second", "catalogue")
    late = live.trace("i8", code=1)["verdict"]
    assert (late["step"], late["reason"]) == ("preprocess", "not_done")
    assert late["sentence"].startswith("it is in catalogue 2, and release r1 was made of catalogue 1; run 'second'")
    gone = live.trace("i1", code=0)  # it is found until the next release
    assert gone["since"]["verdict"]["reason"] == "not_in_snapshot"
    assert reason(live, "i8", "--release", "r1") == ("preprocess", "not_done")
    live.take("second")
    live.promote("second", "r2")
    assert reason(live, "i8", code=0) == ("release", "found")
    assert reason(live, "i1") == ("catalogue", "not_in_snapshot")
    assert reason(live, "i1", "--release", "r1", code=0) == ("release", "found")
    assert live.trace("i1", "--release", "r1")["verdict"]["sentence"].endswith("of release r1, which is not live")
    number, entry = Log(live.store, "live").head()
    assert Log(live.store, "live").append(number + 1, {**entry, "release_id": "r1", "action": "rollback"})
    back = live.trace("i8", code=1)["verdict"]
    assert (back["step"], back["reason"]) == ("release", "not_live")
    assert "another release was made live since" in back["sentence"]


@pytest.mark.parametrize("said_so", ["ausverkauft", "0", "OutOfStock"])
def test_an_item_that_is_out_of_stock_is_told_to_be(small: TracedShop, said_so: str) -> None:
    stocked = {"columns": {**COLUMNS, "availability": "stock"}, "out_of_stock": "remove", "max_removed_share": 1.0}
    small.write_config(catalogue=stocked)
    rows = [{**row, "stock": "in stock"} for row in rows_of(4)]
    rows[1]["stock"] = said_so
    small.write_csv(rows)
    small.run("r1", "catalogue")
    found = small.trace("i1", code=1)
    verdict = found["verdict"]
    assert (verdict["step"], verdict["reason"]) == ("catalogue", "out_of_stock")
    assert (
        verdict["sentence"] == 'its row feed.csv:3 says that it is out of stock, and catalogue.out_of_stock = "remove"'
    )
    assert verdict["fix"] == (
        'to show it while it is out of stock, set catalogue.out_of_stock = "flag" or "keep"; else stock it, and '
        f"`{small.typed('run')}`"
    )
    assert [(row["deleted"], row["out_of_stock"]) for row in found["rows"]] == [(True, True)]
    assert said(small, "i1")["row"].endswith("says that it is out of stock")
    unread = small.trace("i1", "--no-feeds", code=1)["verdict"]
    assert unread["reason"] == "deleted"
    assert unread["sentence"].endswith("does not name it any more, or says that it is gone or out of stock")
    rows[1]["stock"] = "in stock"
    small.write_csv(rows)
    assert small.trace("i1", code=1)["verdict"]["fix"].startswith(
        "feed.csv:3 names it now, in a file that is new since"
    )


def test_what_gc_has_removed_is_told_to_be_gone(live: TracedShop) -> None:
    live.write_csv(rows_of(9))
    live.run("second", "catalogue", "preprocess")
    shutil.rmtree(live.root / "store/runs/second")
    found = live.trace("i8", code=1)["verdict"]
    assert (found["step"], found["reason"]) == ("preprocess", "removed")
    assert "run 'second', which read it, is gone" in found["sentence"]
    assert reason(live, "i1", code=0) == ("release", "found")
    shutil.rmtree(live.root / "store/runs/first")  # of a release that is kept for its numbers alone
    assert reason(live, "i1") == ("preprocess", "removed")


def test_items_beside_a_sample(small: TracedShop) -> None:
    small.run("r", "catalogue", limit=3)
    drawn = small.item_ids()
    assert len(drawn) == 3
    assert reason(small, min(drawn)) == ("preprocess", "not_done")
    left = min({row["sku"] for row in rows_of(6)} - drawn)
    found = small.trace(left, code=1)["verdict"]
    assert (found["step"], found["reason"]) == ("feed", "not_sampled")
    assert (found["sentence"], found["fix"]) == (
        f"feed.csv:{int(left[1:]) + 2} names it, and the sample of the catalogue was drawn without it",
        f"`{small.typed('run')}` without --limit, or with a higher one",
    )


def test_a_reject_of_a_catalogue_before_the_newest_is_remembered(small: TracedShop) -> None:
    small.write_csv([*rows_of(3), {**rows_of(4)[3], "path": ""}])
    small.run("r1", "catalogue")
    small.write_csv([{**row, "name": "New"} for row in rows_of(3)], "deltas.csv")
    small.write_config(catalogue={"deltas": "deltas.csv"})
    small.run("r2", "catalogue")
    (small.root / "feed.csv").write_text("sku,image,path,name\n")
    found = small.trace("i3", "--no-feeds", code=1)
    assert found["verdict"]["reason"] == "no_category"
    assert found["verdict"]["sentence"].startswith("its row feed.csv:5 was rejected, in catalogue 1: no_category")


def test_a_row_that_was_mended_since_says_to_run(small: TracedShop) -> None:
    small.write_csv([*rows_of(3), {**rows_of(4)[3], "path": ""}])
    small.run("r1", "catalogue")
    small.write_csv(rows_of(4))
    found = small.trace("i3", code=1)
    assert found["verdict"]["reason"] == "no_category"
    assert found["verdict"]["fix"] == f"feed.csv:5 names it now, in a file that is new since: `{small.typed('run')}`"
    assert [row["file"] for row in found["rows"]] == ["changed"]


def test_feeds_that_cannot_be_read_now_are_a_note(small: TracedShop) -> None:
    small.run("r1", "catalogue")
    (small.root / "feed.csv").unlink()
    found = small.trace("i1", code=1)
    assert found["notes"] == [f"the feeds cannot be read now: catalogue.snapshot = 'feed.csv' matches no file in "
                              f"{small.root}; check the path"]  # fmt: skip
    assert found["verdict"]["step"] == "preprocess"


def test_what_stands_above_the_feed_is_named_with_its_line(small: TracedShop) -> None:
    small.write_csv(rows_of(6, colour="red"))
    sheet = small.root / "corrections.csv"
    sheet.write_text("item_id,category,colour\n# seen in the shop\ni1,Hats > Caps,\ni2,,blue\n", encoding="utf-8")
    (small.root / "aliases.csv").write_text("old,new\nShoes > Boots,Shoes > Winter\n", encoding="utf-8")
    keys = {"columns": {**COLUMNS, "attributes": {"colour": "colour"}}, "corrections": "corrections.csv"}
    small.write_config(index={"similar": 0}, catalogue={**keys, "category_aliases": "aliases.csv"})
    small.run("r1", "catalogue")
    laid = {item: small.trace(item)["trail"]["catalogued"]["laid"] for item in ("i0", "i1", "i2", "i3")}
    by_rule = {"what": "category", "by": "catalogue.category_aliases", "place": "", "said": "Shoes > Boots"}
    by_line = {"by": "catalogue.corrections", "place": "corrections.csv, line 3"}
    assert laid["i0"] == [by_rule]
    assert laid["i1"] == [{"what": "category", **by_line, "said": "Shoes > Sandals"}]
    colour = {"what": "colour", "by": "catalogue.corrections", "place": "corrections.csv, line 4", "said": "red"}
    assert laid["i2"] == [by_rule, colour]
    assert laid["i3"] == []
    told = small.traced("i1").stdout
    assert "category by catalogue.corrections, corrections.csv, line 3; the feed says 'Shoes > Sandals'" in told
    sheet.write_text("item_id,category\n", encoding="utf-8")  # taken back, and no run has seen it yet
    assert small.trace("i1")["trail"]["catalogued"]["laid"][0]["place"] == ""


class Clock(datetime):
    """A clock of runs that is `hours` behind: manifests tell whole seconds, and runs of a test take less."""

    hours = 9

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime.now(tz) - timedelta(hours=cls.hours)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> type[Clock]:
    """The clock by which rows say when photos were asked for, and manifests when stages had finished."""
    monkeypatch.setattr(Clock, "hours", 9)
    monkeypatch.setattr("pipelines.preprocess.outcomes.datetime", Clock)
    monkeypatch.setattr("pipelines.runs.sequence.datetime", Clock)
    monkeypatch.setattr("pipelines.shop_files.web.web.FIRST_PAUSE_S", 0.01)
    return Clock


def of_address(shop: TracedShop, address: str, *photos: str) -> None:
    """Let photos of a shop be behind an address."""
    shop.write_csv(
        [{**row, "image": f"{address}/{name}"} for row, name in zip(rows_of(len(photos)), photos, strict=True)]
    )
    shop.write_config(
        index={"similar": 0}, catalogue={"max_removed_share": 1.0}, fetch={**LOCAL, "max_age_hours": 0, "attempts": 1}
    )


def said(shop: TracedShop, item_id: str) -> dict[str, str]:
    """The lines of a trace by their first word; of the photo those below it."""
    lines = shop.traced(item_id).stdout.splitlines()
    return {line[:10].strip(): line[10:] for line in lines if line}


def test_what_a_host_has_said_of_a_photo(tmp_path: Path, clock: type[Clock]) -> None:
    photos, shop = host(), TracedShop(tmp_path / "shop")
    with answering(photos.app) as address:
        of_address(shop, address, "p0.jpg", "p1.jpg")
        shop.run("r1", "catalogue", "preprocess")
        (photo,) = shop.trace("i1")["trail"]["photos"]
        assert (photo["address"], photo["code"]) == (f"{address}/p1.jpg", "")
        came = photo["fetched"]
        assert (came["code"], came["failed"], came["came_at"]) == ("", "", came["at"])
        lines = said(shop, "i1")
        assert lines["fetched"] == f"{came['at']}, it came, ETag {came['etag']}, unit {came['unit_id']}"
        assert "asked" not in lines
        clock.hours = 8
        shop.run("r2", "catalogue", "preprocess")  # it has not changed
        (photo,) = shop.trace("i1")["trail"]["photos"]
        again = photo["fetched"]
        assert (again["came_at"], again["unchanged"]) == (came["at"], True)
        assert said(shop, "i1")["asked"] == f"{again['at']}, unchanged, unit {again['unit_id']}"
    clock.hours = 7
    shop.run("r3", "catalogue", "preprocess")  # nobody answers any more
    (photo,) = shop.trace("i1")["trail"]["photos"]
    assert (photo["code"], photo["fetched"]["failed"]) == ("", "unreachable")  # it stays while its host fails
    assert photo["fetched"]["said"] == "unreachable: 127.0.0.1: connection refused"
    assert (photo["fetched"]["came_at"], photo["fetched"]["at"] > again["at"]) == (came["at"], True)
    lines = said(shop, "i1")
    assert lines["fetched"] == f"{came['at']}, it came, ETag {came['etag']}"
    assert ", failed: unreachable: 127.0.0.1: connection refused, the photo that came stays, unit " in lines["asked"]


def test_a_photo_that_is_gone_is_not_told_to_have_come(tmp_path: Path, clock: type[Clock]) -> None:
    photos, shop = host(), TracedShop(tmp_path / "shop")
    with answering(photos.app) as address:
        of_address(shop, address, "p0.jpg", "p1.jpg")
        shop.run("r1", "catalogue", "preprocess")
        came = shop.trace("i1")["trail"]["photos"][0]["fetched"]["at"]
        photos.manners = Manners(lasting=1.0, seed=gone_for("p0.jpg", "p1.jpg"))
        clock.hours = 8
        shop.run("r2", "catalogue", "preprocess")
        found = shop.trace("i1")["trail"]["photos"][0]["fetched"]
        assert (found["came_at"], found["code"]) == (came, "")
        lines = said(shop, "i1")
        assert lines["fetched"].startswith(f"{came}, it came")
        why = "missing: the host answers 404 Not Found"
        since = f"{found['at']}, {why} since {found['missing_since']}, the photo that came stays for fetch.gone_days"
        assert lines["asked"].startswith(since)
        of_address(shop, address, "p0.jpg", "p1.jpg", "p2.jpg")  # one that never came
        photos.manners.seed = gone_for("p0.jpg", "p1.jpg", "p2.jpg")
        shop.run("r3", "catalogue", "preprocess", accept="a test")
    lines = said(shop, "i2")
    assert "fetched" not in lines
    assert ", missing, unit " in lines["asked"]


def gone_for(*names: str) -> int:
    """A seed with which the host answers 404 for all these."""
    hosts = ((seed, host(lasting=1.0, seed=seed)) for seed in range(100_000))
    return next(seed for seed, one in hosts if all(one.lasting(name) == "404" for name in names))


def test_what_is_shown_of_a_release_is_what_its_run_knew(tiny_model: Path, tmp_path: Path, clock: type[Clock]) -> None:
    photos, shop = host(), TracedShop(tmp_path / "shop")
    with answering(photos.app) as address:
        of_address(shop, address, *(f"p{n}.jpg" for n in range(6)))
        shop.add_model(tiny_model)
        shop.take("first")
        shop.promote("first", "r1")
        before = shop.trace("i1", code=0)
        assert (before["since"], before["changes"]) == (None, [])
        clock.hours = 8
        of_address(shop, address, *(f"p{n}.jpg?v=2" if n == 1 else f"p{n}.jpg" for n in range(6)))
        photos.made_of["p2.jpg"] = 1 + photos.made_of.get("p2.jpg", 3)  # other bytes behind the same address
        shop.take("second")
        shop.stage("second", EvaluateOutputs("r2", False), "retrieval.p_at_10 is .51, live has .62")
    old, new = f"{address}/p1.jpg", f"{address}/p1.jpg?v=2"
    found = shop.trace("i1", code=0)
    assert found["trail"] == before["trail"]
    assert found["since"]["run_id"] == "second"
    assert found["changes"] == [f"its photo is {new}, not {old}"]
    assert found["verdict"]["sentence"].endswith(f"; run 'second' has it otherwise: its photo is {new}, not {old}")
    accept = f"{shop.typed('promote', '--run-id', 'second')} --accept 'REASON'"
    assert f"; `{accept}` makes it live all the same" in found["verdict"]["fix"]
    assert accept in shop.traced("i1").stdout
    since = said(shop, "i1")["since"]
    assert since.startswith(
        f"run second: its photo is {new}, not {old}; 1 of its 1 photos is in the index of run 'second'"
    )
    changed = shop.trace("i2", code=0)
    (now,), (then,) = changed["since"]["photos"], changed["trail"]["photos"]
    assert changed["changes"] == [
        f"the photo at {address}/p2.jpg is another one, which came {now['fetched']['came_at']}"
    ]
    assert now["digest"] != then["digest"]
    assert now["fetched"]["came_at"] > then["fetched"]["came_at"] == then["fetched"]["at"]
    assert shop.trace("i3", code=0)["since"] is None  # unchanged, and that its run is not live is no news of it


def test_what_a_refused_run_has_of_an_item_otherwise(live: TracedShop) -> None:
    rows = rows_of(6)
    rows[1] |= {"name": "Better", "path": "Shoes > Sandals > New"}
    rows[2] |= {"image": "p8.jpg"}
    live.write_csv([*rows, {**rows[3], "image": "p7.jpg"}])
    live.take("second")
    live.stage("second", EvaluateOutputs("r2", False), "a gate")
    assert live.trace("i1", code=0)["changes"] == [
        "its category is Shoes > Sandals > New, not Shoes > Sandals", "its title is Better, not Item 1"
    ]  # fmt: skip
    assert live.trace("i2", code=0)["changes"] == ["its photo is p8.jpg, not p2.jpg"]
    assert live.trace("i3", code=0)["changes"] == ["the photo p7.jpg is new"]
    assert live.trace("i4", code=0)["changes"] == []
    live.promote("second", "r3")
    past = live.trace("i2", "--release", "r1", code=0)  # beside the release that is live by now
    assert (past["changes"], past["since"]["is_live"]) == (["its photo is p8.jpg, not p2.jpg"], True)
    assert past["since"]["verdict"]["sentence"].endswith("of the live release r3")


def test_an_item_is_traced_without_what_only_jobs_and_models_need(small: TracedShop) -> None:
    small.run("r", "catalogue", "preprocess")
    script = (
        "import sys; from pipelines.config import load_config; from pipelines.store import open_store\n"
        "from pipelines.trace.item import Tracer; from pipelines.trace.terminal import lines_of\n"
        "config = load_config(sys.argv[1])\n"
        "assert list(lines_of(Tracer(config, open_store(config.store.uri)).trace('i1')))\n"
        "heavy = {'tensorflow', 'apache_beam', 'faiss', 'tfx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script, str(small.config)], check=True)
