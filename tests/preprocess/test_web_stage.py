"""Photos behind addresses, from a host with bad manners: all come in, none twice, and each loss has its reason."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import StageError
from pipelines.preprocess import lane
from pipelines.preprocess.summary import Summary
from pipelines.runs.manifest import Manifest
from pipelines.store import UnitTable
from tests.catalogue.shop import Shop, jpeg, rows_of
from tests.photo_hosts import LOCAL, answering, host
from tools.photo_host import Manners, PhotoHost, Seen


class WebShop(Shop):
    """A shop whose photos are behind addresses."""

    def __init__(self, root: Path, photos: PhotoHost, address: str) -> None:
        super().__init__(root)
        self.host, self.address = photos, address

    def sells(self, count: int, **sections: Any) -> None:
        self.write_csv([{**row, "image": f"{self.address}/{row['image']}"} for row in rows_of(count)])
        fetch = {**LOCAL, **sections.pop("fetch", {})}
        preprocess = {"photos_a_unit": 8, "max_rejected_share": 1.0, **sections.pop("preprocess", {})}
        self.write_config(fetch=fetch, preprocess=preprocess, **sections)

    def prepare(self, run_id: str) -> Manifest:
        """Run the stages; what the host was asked before is forgotten."""
        self.host.seen = Seen()
        return self.run(run_id, "catalogue", "preprocess")["preprocess"]

    def units(self, table: str) -> list[dict[str, Any]]:
        """The keys of a table's units, in any order."""
        found = UnitTable(self.store, table)
        return [row for unit_id in found.unit_ids() for row in found.read_keys(unit_id).to_pylist()]

    @property
    def requests(self) -> int:
        return len(self.host.seen.times)


@pytest.fixture(autouse=True)
def hardly_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.shop_files.web.web.FIRST_PAUSE_S", 0.01)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[WebShop]:
    photos = host()
    with answering(photos.app) as address:
        yield WebShop(tmp_path / "shop", photos, address)


def test_photos_come_once_and_cost_no_request_until_they_are_old(shop: WebShop) -> None:
    shop.sells(20)
    first = shop.prepare("r1")
    assert (first["counts"]["fetched"], first["counts"]["prepared"], first["counts"]["ok"]) == (20, 20, 20)
    assert (shop.requests, shop.host.seen.given.total()) == (20, 20)
    second = shop.prepare("r2")
    assert (second["counts"]["fetched"], second["counts"]["skipped"], shop.requests) == (0, 20, 0)
    shop.sells(20, fetch={"max_age_hours": 0})
    third = shop.prepare("r3")
    assert (third["counts"]["fetched"], third["counts"]["ok"]) == (0, 20)
    assert (shop.requests, shop.host.seen.answers["304"]) == (20, 20)
    assert any("20 unchanged" in note for note in third["notes"])


def test_what_changed_is_prepared_anew_and_what_did_not_is_not(shop: WebShop) -> None:
    shop.sells(8, fetch={"max_age_hours": 0})
    shop.prepare("r1")
    shop.host.made_of["p3.jpg"] = 99
    before = {row["item_id"]: row["digest"] for row in shop.prepared("r1")}
    second = shop.prepare("r2")
    after = {row["item_id"]: row["digest"] for row in shop.prepared("r2")}
    assert (second["counts"]["fetched"], second["counts"]["prepared"]) == (1, 1)
    assert {item for item in before if before[item] != after[item]} == {"i3"}


def test_a_page_in_place_of_a_photo_is_not_counted_as_one(shop: WebShop) -> None:
    shop.sells(12)
    shop.host.manners = Manners(lasting=0.5, seed=2)
    kinds = Counter(shop.host.lasting(f"p{n}.jpg") for n in range(12))
    assert kinds["html"] + kinds["pixel"] > 0
    manifest = shop.prepare("r")
    (note,) = (note for note in manifest["notes"] if " requests, " in note)
    assert f", {kinds['']} photos, " in note
    told = Counter({code: int(n) for code, n in re.findall(r"(\w+) (\d+)", note.partition("not had: ")[2])})
    assert told == Counter(manifest["rejects"])


def test_chance_failures_are_mended_within_the_run(tmp_path: Path) -> None:
    photos = host(faults=0.3, seed=5)
    with answering(photos.app) as address:
        shop = WebShop(tmp_path / "shop", photos, address)
        shop.sells(40, fetch={"attempts": 20, "idle_s": 1})
        counts = shop.prepare("r")["counts"]
    assert (counts["ok"], counts["rejected"]) == (40, 0)
    assert photos.seen.given.total() == 40


def test_what_may_pass_is_asked_again_by_the_next_run_and_that_alone(shop: WebShop) -> None:
    shop.sells(12, fetch={"attempts": 1})
    shop.host.manners.faults = 1.0
    failed = shop.prepare("r1")
    assert failed["counts"]["rejected"] == 12
    assert not {"missing", "forbidden", "not_an_image"} & failed["rejects"].keys()
    told = [note for note in failed["notes"] if ", for example " in note]
    assert told and all(note.endswith("; the next run asks again") for note in told)
    shop.host.manners.faults = 0.0
    assert shop.prepare("r2")["counts"]["ok"] == 12
    assert shop.requests == 12
    shop.prepare("r3")
    assert shop.requests == 0


def test_pages_pixels_circles_and_gone_photos_are_rejects_that_are_not_asked_at_once(shop: WebShop) -> None:
    shop.sells(60, fetch={"max_redirects": 2})
    shop.host.manners.lasting = 0.5
    kinds = {shop.host.lasting(f"p{n}.jpg") for n in range(60)}
    assert kinds == {"", "circle", "html", "pixel", "404", "403"}
    manifest = shop.prepare("r1")
    assert manifest["rejects"].keys() == {"bad_redirect", "not_an_image", "too_small", "missing", "forbidden"}
    assert manifest["counts"]["ok"] == sum(not shop.host.lasting(f"p{n}.jpg") for n in range(60))
    shop.prepare("r2")
    assert shop.requests == 0
    shop.sells(60, fetch={"max_redirects": 2, "recheck_hours": 0})
    shop.host.manners.lasting = 0.0
    assert shop.prepare("r3")["counts"]["rejected"] == 0


def test_a_photo_that_was_had_stays_while_its_host_fails_and_some_days_after_it_is_gone(
    shop: WebShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.sells(4, fetch={"max_age_hours": 0, "recheck_hours": 0, "attempts": 1})
    shop.prepare("r1")
    shop.host.manners.faults = 1.0
    second = shop.prepare("r2")
    assert second["counts"]["rejected"] == 0
    [told] = [note for note in second["notes"] if note.startswith("photos that stay as they were")]
    codes = dict(re.findall(r"(\w+) (\d+)", told.partition("(")[2].partition(")")[0]))
    assert f"none now: {sum(map(int, codes.values()))} (" in told
    [host] = [note for note in second["notes"] if "not had: " in note]  # the numbers of both are the same
    assert dict(re.findall(r"(\w+) (\d+)", host.partition("not had: ")[2])) == codes
    assert told.endswith(f"; {' and '.join(sorted(codes))}: the next run asks again")
    shop.host.manners.faults, shop.host.manners.lasting = 0.0, 1.0
    monkeypatch.setattr(PhotoHost, "lasting", lambda *_: "404")
    assert shop.prepare("r3")["counts"]["rejected"] == 0
    assert shop.requests == 4
    shop.sells(4, fetch={"max_age_hours": 0, "recheck_hours": 0, "attempts": 1, "gone_days": 0})
    assert shop.prepare("r4")["rejects"] == {"missing": 4}
    monkeypatch.undo()


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("html", "not_an_image"),
        ("half", "truncated"),
        ("empty", "empty"),
        ("pixel", "too_small"),
        ("circle", "bad_redirect"),
        ("204", "http_error"),
        ("410", "missing"),
        ("403", "forbidden"),
    ],
)
def test_whatever_an_address_gives_instead_of_its_photo_that_stays_for_some_days(
    shop: WebShop, monkeypatch: pytest.MonkeyPatch, kind: str, code: str
) -> None:
    often = {"max_age_hours": 0, "recheck_hours": 24, "attempts": 1}
    shop.sells(4, fetch=often)
    shop.prepare("r1")
    before = {row["item_id"]: row["digest"] for row in shop.prepared("r1")}
    with monkeypatch.context() as now:
        now.setattr(PhotoHost, "lasting", lambda _, name: kind if name != "p0.jpg" else "")
        second = shop.prepare("r2")
        assert second["counts"]["rejected"] == 0
        assert {row["item_id"]: row["digest"] for row in shop.prepared("r2")} == before
        [told] = [note for note in second["notes"] if note.startswith("photos that stay as they were")]
        assert f": 3 ({code} 3), such as {shop.address}/p1.jpg: {code}: " in told
        asked_again = 1 if kind in {"204", "410", "403"} else 4  # those are told for good
        shop.prepare("r3")
        assert len(shop.host.seen.paths) == asked_again
        shop.sells(4, fetch={**often, "recheck_hours": 0, "gone_days": 0})
        assert shop.prepare("r4")["rejects"] == {code: 3}
    shop.sells(4, fetch={**often, "recheck_hours": 0})
    assert shop.prepare("r5")["counts"]["rejected"] == 0
    assert {row["item_id"]: row["digest"] for row in shop.prepared("r5")} == before


def test_what_a_host_said_stands_beside_the_code_of_a_reject(shop: WebShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sells(2)
    monkeypatch.setattr(PhotoHost, "lasting", lambda _, name: "204" if name == "p0.jpg" else "410")
    notes = shop.prepare("r1")["notes"]
    assert [note.rpartition(": ")[2] for note in notes if note.startswith("  http_error")] == [
        "the host answers 204 No Content"
    ]
    assert [note.rpartition(": ")[2] for note in notes if note.startswith("  missing")] == ["the host answers 410 Gone"]
    again = shop.prepare("r2")["notes"]  # nothing is asked, and what was said is remembered
    assert (shop.requests, any(note.endswith("the host answers 410 Gone") for note in again)) == (0, True)


def test_a_run_that_stopped_for_what_hosts_said_for_good_tells_what_asks_again(
    shop: WebShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.sells(2, preprocess={"max_rejected_share": 0.1})
    with monkeypatch.context() as now:
        now.setattr(PhotoHost, "lasting", lambda _, name: "204" if name == "p0.jpg" else "410")
        with pytest.raises(StageError) as stopped:
            shop.prepare("r1")
    told = str(stopped.value).splitlines()[-1]
    assert told.startswith("http_error and missing: these addresses are asked again after 24 hours (fetch.recheck_h")
    assert "set fetch.recheck_hours = 0 and run it again" in told
    shop.sells(2, preprocess={"max_rejected_share": 0.1}, fetch={"recheck_hours": 0})
    assert shop.prepare("r1")["counts"]["ok"] == 2


def test_a_photo_that_comes_back_has_its_days_again(shop: WebShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sells(2, fetch={"max_age_hours": 0})
    shop.prepare("r1")
    with monkeypatch.context() as now:
        now.setattr(PhotoHost, "lasting", lambda *_: "html")
        shop.prepare("r2")
        page = [row["fingerprint"] for row in shop.units("sources") if "not_an_image" in row["fingerprint"]]
        assert len(page) == 2
        assert all("etag" in one for one in page)  # of the photo, not of the page
    third = shop.prepare("r3")
    assert shop.host.seen.answers["304"] == 2
    assert not [note for note in third["notes"] if note.startswith("photos that stay")]
    [*_, last] = sorted(shop.units("sources"), key=lambda row: row["fetched_at"])
    assert "missing_since" not in last["fingerprint"]


def signed(shop: WebShop, day: int, **fetch: Any) -> Manifest:
    """Run a day on which all addresses are signed anew."""
    shop.sells(8, fetch=fetch)
    rows = [{**row, "image": f"{shop.address}/{row['image']}?v=1&sig=s{day}&exp={day}"} for row in rows_of(8)]
    shop.write_csv(rows)
    return shop.prepare(f"r{day}")


def test_addresses_that_are_signed_anew_are_told_to_be_fetched_again(shop: WebShop) -> None:
    assert not [note for note in signed(shop, 1)["notes"] if "behind `?`" in note]
    second = signed(shop, 2)
    assert (shop.requests, second["counts"]["fetched"]) == (8, 8)
    [told] = [note for note in second["notes"] if "behind `?`" in note]
    assert told.startswith("8 of 8 new addresses differ from those of before behind `?` alone, as ")
    assert told.endswith('set fetch.ignored_query = ["exp", "sig"]')


@pytest.mark.parametrize("ignored", [["sig", "exp"], "all"])
def test_a_query_that_says_nothing_is_no_part_of_what_photos_are_known_by(shop: WebShop, ignored: Any) -> None:
    signed(shop, 1)  # before the config says so: what was fetched is known all the same
    before = {row["item_id"]: row["digest"] for row in shop.prepared("r1")}
    second = signed(shop, 2, ignored_query=ignored)
    assert (shop.requests, second["counts"]["skipped"], second["notes"][0]) == (
        0,
        8,
        "nothing new: 0 photos fetched, 0 prepared",
    )
    assert {row["item_id"]: row["digest"] for row in shop.prepared("r2")} == before
    signed(shop, 3, ignored_query=ignored, max_age_hours=0)
    assert shop.host.seen.answers["304"] == 8  # asked by today's addresses, with what is remembered of the first
    shop.host.made_of["p3.jpg"] = 99
    signed(shop, 4, ignored_query=ignored, max_age_hours=0)
    after = {row["item_id"]: row["digest"] for row in shop.prepared("r4")}
    assert {item for item in before if before[item] != after[item]} == {"i3"}


def test_what_is_not_ignored_tells_photos_apart(shop: WebShop) -> None:
    shop.sells(2, fetch={"ignored_query": ["sig"]})
    shop.write_csv([{**row, "image": f"{shop.address}/img?id={n}&sig=s"} for n, row in enumerate(rows_of(2))])
    assert shop.prepare("r1")["counts"]["ok"] == 2
    assert shop.requests == 2


def test_kept_originals_are_prepared_another_way_without_a_request(shop: WebShop) -> None:
    shop.sells(20, fetch={"keep_originals": True})
    shop.prepare("r1")
    assert len(shop.units("originals")) == 20
    before = shop.units("sources")
    shop.sells(20, fetch={"keep_originals": True}, preprocess={"height": 48, "width": 36})
    second = shop.prepare("r2")
    assert (second["counts"]["prepared"], second["counts"]["fetched"], shop.requests) == (20, 0, 0)
    assert shop.units("sources") == before  # nobody was asked, so nothing is younger
    assert {row["digest"] for row in shop.prepared("r1")} == {row["digest"] for row in shop.prepared("r2")}


def test_without_originals_another_way_of_preparing_fetches_again(shop: WebShop) -> None:
    shop.sells(5)
    shop.prepare("r1")
    shop.sells(5, preprocess={"height": 48, "width": 36})
    assert shop.prepare("r2")["counts"]["prepared"] == 5
    assert shop.requests == 5


def test_what_came_before_a_stop_is_not_asked_for_again(shop: WebShop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.sells(64, fetch={"connections": 1}, preprocess={"photos_a_unit": 32})
    monkeypatch.setattr(lane, "FLUSHED_S", 0.01)
    shop.host.manners.latency_s = 0.02
    commit = lane.Assembly.commit

    def fails(*_: Any) -> None:
        raise StageError("the power went")

    monkeypatch.setattr(lane.Assembly, "commit", fails)
    with pytest.raises(StageError, match="the power went"):
        shop.run("r", "catalogue", "preprocess")
    asked = shop.requests
    assert asked >= 32
    monkeypatch.setattr(lane.Assembly, "commit", commit)
    counts = shop.run("r", "preprocess")["preprocess"]["counts"]
    assert counts["ok"] == 64
    assert shop.requests <= 64 + 3  # one is in flight, and some came within the last moment
    assert not [entry.name for entry in shop.store.list("runs/r/preprocess/parts")]


def test_files_and_addresses_may_stand_in_one_feed(shop: WebShop) -> None:
    shop.sells(6)
    rows = rows_of(6)
    shop.write_photos(row["image"] for row in rows[:3])
    more = [{**row, "image": f"{shop.address}/{row['image']}"} for row in rows[3:]]
    shop.write_csv([*rows[:3], *more])
    counts = shop.prepare("r")["counts"]
    assert (counts["ok"], shop.requests) == (6, 3)


def test_a_root_may_be_an_address_and_paths_are_below_it(shop: WebShop) -> None:
    shop.sells(3, catalogue={"photo_root": f"{shop.address}/media"})
    shop.write_csv([{**row, "image": f"a b/{row['image']}"} for row in rows_of(3)])
    assert shop.prepare("r")["counts"]["ok"] == 3
    assert sorted(shop.host.seen.paths) == [f"media/a b/p{n}.jpg" for n in range(3)]


def test_private_addresses_are_rejects_unless_the_config_names_them(shop: WebShop) -> None:
    shop.sells(3, fetch={"allowed_networks": []})
    assert shop.prepare("r")["rejects"] == {"refused_address": 3}
    assert shop.requests == 0
    shop.sells(3, fetch={"recheck_hours": 0})
    assert shop.prepare("r2")["counts"]["ok"] == 3


def test_a_token_is_sent_and_stands_in_no_file(shop: WebShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret-t0ken")
    name = shop.address.removeprefix("http://")
    shop.sells(3, fetch={"hosts": {f'"{name}"': {"headers": {"Authorization": "Bearer ${SHOP_TOKEN}"}}}})
    shop.prepare("r")
    assert shop.host.seen.headers["Authorization"] == "Bearer s3cret-t0ken"
    files = [path for path in shop.root.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"s3cret-t0ken" in path.read_bytes()]


def test_a_photo_of_the_catalogue_keeps_its_bytes_once(shop: WebShop) -> None:
    shop.host.data = [jpeg(1)]
    shop.host.photo = lambda _: shop.host.data[0]  # type: ignore[method-assign]
    shop.sells(4, fetch={"keep_originals": True}, preprocess={"max_group_share": 1.0})
    manifest = shop.prepare("r")
    assert manifest["counts"]["prepared"] == 1
    assert len(shop.units("originals")) == 1


def test_of_photos_that_stay_those_that_are_asked_again_are_told_apart_from_those_that_go_in_the_end() -> None:
    kept = Summary(kept=Counter(server_error=15, missing=2), kept_examples={"server_error": "u"}, said={"u": "503"})
    assert list(kept.notes(7)) == [
        "photos that stay as they were, though their addresses give none now: 17 (server_error 15, missing 2), such as "
        "u: 503; server_error: the next run asks again; of the others, what stays so for 7 days (fetch.gone_days) is a "
        "reject then"
    ]
