"""Past days done again through the command line, for each reason that there is."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelines.store import UnitTable, open_store
from tests.e2e import facts
from tests.e2e.conftest import Shop, copy_of
from tests.e2e.test_incremental import fields, healthy
from tests.e2e.test_kills import committed, kill_when, lease

DAYS = ("2026-11-18", "2026-11-19", "2026-11-20")
WINDOW = ("--start", DAYS[0], "--end", DAYS[-1], "--nice", "0")
RETRAIN = ("--stages", "preprocess,train,embed,index,evaluate")
MOMENTS = (
    (DAYS[0], "preprocess", 0.0),
    (DAYS[0], "preprocess", 0.5),
    (DAYS[0], "embed", 1.0),
    (DAYS[1], "index", 0.1),
    (DAYS[1], "evaluate", 0.5),
    ("newest", "preprocess", 0.1),
    ("newest", "evaluate", 1.0),
)
"""Where a backfill is killed: the run, its stage, and how many seconds after that has begun."""


@pytest.fixture(scope="module")
def lived(promoted: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A shop that lost an item a day, for two days after the first; its three catalogues are of DAYS."""
    shop = copy_of(promoted, tmp_path_factory.mktemp("lived"))

    def without_one(lines: list[str]) -> list[str]:
        gone = healthy(shop, lines)[0]
        return lines[:gone] + lines[gone + 1 :]

    for run_id in ("second", "third"):
        shop.rewrite(without_one)
        shop.run(run_id)
    for number, day in enumerate(DAYS, 1):
        read_on(shop, number, day)
    return shop


@pytest.fixture
def shop(lived: Shop, tmp_path: Path) -> Shop:
    return copy_of(lived, tmp_path)


def read_on(shop: Shop, number: int, day: str) -> None:
    """Let a catalogue have been read on a day."""
    path = shop.store / "catalogue" / "log" / f"{number:08d}.json"
    entry = json.loads(path.read_text())
    path.chmod(0o644)
    path.write_text(json.dumps(entry | {"at": f"{day}T02:00:00+00:00"}))


def backfill(shop: Shop, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run the command; return its last line."""
    lines = shop.cli("backfill", *WINDOW, *arguments, code=code).stdout.splitlines()
    result: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    return result


def promotions(shop: Shop) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted((shop.store / "live").glob("*.json"))]


def work(result: dict[str, Any]) -> tuple[int, int, int]:
    counts: dict[str, int] = result["counts"]
    return counts["fetched"], counts["prepared"], counts["inferred"]


def forecast(result: dict[str, Any]) -> tuple[int, int, int]:
    told: dict[str, int] = result["forecast"]
    return told["fetch"], told["prepare"], told["infer"]


def test_a_dry_run_says_the_plan_and_changes_nothing(shop: Shop) -> None:
    before = committed(shop.store)
    result = shop.cli("backfill", *WINDOW, "--dry-run")
    assert committed(shop.store) == before
    for text in (DAYS[0], DAYS[1], "newest", "in all", "goes live at the end: the newest catalogue's release"):
        assert text in result.stderr
    assert forecast(json.loads(result.stdout)) == (0, 0, 0)


@pytest.mark.usefixtures("trained_here")
def test_a_model_over_all_days_is_trained_once_and_promoted_once(shop: Shop) -> None:
    shop.configure(r"^width = 32$", "width = 36")
    refused = shop.cli("backfill", *WINDOW, code=1)
    assert "add train to --stages" in refused.output

    result = backfill(shop, *RETRAIN, "--run-id", "again")

    models = {
        json.loads(p.read_text())["outputs"]["model_id"] for p in shop.store.glob("runs/again.*/train/manifest.json")
    }
    assert len(models) == 1
    assert [entry["action"] for entry in promotions(shop)] == ["promote"] * 4
    assert shop.live()["run_id"] == "again.newest"
    assert shop.live()["model"]["model_id"] == models.pop()
    days = [shop.manifest(f"again.{day}", "catalogue")["outputs"]["catalogue_id"] for day in DAYS[:2]]
    log = shop.store / "catalogue" / "log"
    assert days == [json.loads((log / f"{n:08d}.json").read_text())["catalogue_id"] for n in (1, 2)]
    fetched, prepared, inferred = work(result)
    for told, done in zip(forecast(result), (fetched, prepared, inferred), strict=True):
        assert told == pytest.approx(done, rel=0.05)
    assert result["forecast"]["bytes"] > 0

    shop.cli("gc", "--grace", "0")
    assert backfill(shop, *RETRAIN, "--run-id", "again", "--dry-run")["run_id"] == "again"  # planned, and done


def test_a_damaged_unit_is_made_again_and_nothing_else(shop: Shop) -> None:
    store = open_store(str(shop.store))
    space = shop.live()["model"]["model_id"]
    vectors = UnitTable(store, f"embeddings/{space}/{space}")
    spoilt = vectors.unit_ids()[0]
    rows = len(vectors.read_keys(spoilt))
    path = shop.store / vectors.data_name(spoilt)
    path.write_bytes(path.read_bytes()[:-100])
    tables = shop.store / "images", shop.store / "embeddings", shop.store / "sources"
    before = {name: where for table in tables for name, where in committed(table).items()}
    release = shop.live()["release_id"]

    result = backfill(shop, "--stages", "embed", "--repair")

    assert result["damaged"] == 1
    assert work(result) == (0, 0, rows)
    assert forecast(result) == (0, 0, rows)
    after = {name: where for table in tables for name, where in committed(table).items()}
    untouched = {name: where for name, where in before.items() if spoilt not in name}
    assert {name: after[name] for name in untouched} == untouched
    for unit in vectors.unit_ids():
        vectors.verify(unit)
    assert shop.live()["release_id"] == release


def test_what_is_older_than_live_needs_a_reason_and_a_backfill_keeps_to_its_plan(shop: Shop) -> None:
    runs = set((shop.store / "runs").iterdir())
    first = ("--start", DAYS[0], "--end", DAYS[0])
    refused = shop.cli("backfill", *WINDOW, *first, "--promote", "end", code=3)
    assert f"has catalogue 3 of the catalogue's log, the day {DAYS[0]} only 1" in refused.output
    assert set((shop.store / "runs").iterdir()) == runs  # before anything was done
    reason = "--force", "the last two days were a mistake"
    shop.cli("backfill", *WINDOW, *first, "--promote", "end", *reason, "--run-id", "mine")
    newest = promotions(shop)[-1]
    assert newest["reason"] == "the last two days were a mistake"
    assert newest["run_id"] == f"mine.{DAYS[0]}"
    planned = shop.cli("backfill", *WINDOW, "--stages", "embed", "--run-id", "mine", code=1)
    assert "was planned otherwise" in planned.output


def test_a_feed_that_came_late_is_read_and_what_was_deleted_since_stays_so(shop: Shop) -> None:
    lines = (shop.folder / "products.csv").read_text(errors="surrogateescape").splitlines()
    heading, *items = lines
    kept, gone = (fields(items[n]) for n in healthy(shop, items)[:2])
    deltas = shop.folder / "deltas"
    deltas.mkdir()
    shop.configure(r"^snapshot = .*$", 'snapshot = "products.csv"\ndeltas = "deltas/*.jsonl"')
    names = heading.split(",")

    def delta(day: str, *changes: dict[str, Any]) -> None:
        (deltas / f"{day}.jsonl").write_text("".join(json.dumps(change) + "\n" for change in changes))

    def upsert(values: list[str], at: str, **more: Any) -> dict[str, Any]:
        return {name: value for name, value in zip(names, values, strict=True) if value} | {"updated": at} | more

    delta("2026-11-21", upsert(kept, "2026-11-21T10:00:00Z", price="1.00"))
    delta("2026-11-23", upsert(gone, "2026-11-23T10:00:00Z", price="3.00"))
    shop.run("fourth")
    read_on(shop, 4, "2026-11-23")
    late = upsert(kept, "2026-11-22T10:00:00Z", sku="LATE", name="LATE")
    stale = upsert(gone, "2026-11-22T10:00:00Z", price="2.00")
    delta("2026-11-22", late, stale)
    shop.run("fifth")
    shop.cli("search", "--item", "LATE", code=1)

    every = "catalogue,preprocess,embed,index,evaluate"
    result = shop.cli("backfill", "--start", "2026-11-23", "--end", "2026-11-23", "--nice", "0", "--stages", every)

    assert "3 files" in result.stderr
    shop.cli("search", "--item", "LATE")
    head = max((shop.store / "catalogue" / "log").glob("*.json"))
    entry = json.loads(head.read_text())
    assert entry["positions"]["deltas"] == "2026-11-23.jsonl"
    assert entry["counts"]["added"] == 1
    assert entry["counts"]["changed"] == 0


def test_it_is_killed_in_every_stage_and_in_every_run_and_comes_to_the_same(
    lived: Shop, shop: Shop, tmp_path: Path
) -> None:
    other = copy_of(lived, tmp_path / "undisturbed")
    for one in (shop, other):
        store = open_store(str(one.store))
        for prefix in ("images/40x32-q95-v2", *(f"embeddings/{m}/{m}" for m in store.folders("embeddings"))):
            table = UnitTable(store, prefix)
            for unit in table.unit_ids():
                table.drop(unit)
    asked = ("backfill", *WINDOW, "--stages", "preprocess,embed,index,evaluate", "--run-id", "again")
    other.cli(*asked)

    options = asked[1:]
    for step, stage, after_s in MOMENTS:
        assert kill_when(shop, asked[0], lease(shop, stage, f"again.{step}"), after_s, *options), (step, stage)
        assert not (shop.store / "runs" / f"again.{step}" / stage / "manifest.json").exists()
        assert len(promotions(shop)) == 3
    kill_when(shop, asked[0], lease(shop, "promote", "again.newest"), 0.0, *options)  # if it is caught at it
    shop.cli(*asked)

    assert len(promotions(shop)) == len(promotions(other)) == 4
    for stage in ("catalogue", "preprocess", "embed", "index"):
        for step in (*DAYS[:2], "newest"):
            mine, undisturbed = (one.manifest(f"again.{step}", stage) for one in (shop, other))
            told = (*facts.LEDGER, "fetched", "prepared", "inferred")
            for name in told:
                assert mine["counts"].get(name) == undisturbed["counts"].get(name), (stage, step, name)
    for prefix in ("images", "embeddings"):
        assert keys_of(shop, prefix) == keys_of(other, prefix)
    assert shop.live()["index"]["index_id"] == other.live()["index"]["index_id"]


def keys_of(shop: Shop, prefix: str) -> Counter[bytes]:
    """Return how often each digest is committed below a prefix: once."""
    store, found = open_store(str(shop.store)), Counter[bytes]()
    tables = {entry.name.rpartition("/")[0] for entry in store.list(prefix)}
    for table in (UnitTable(store, name) for name in tables):
        for unit in table.unit_ids():
            found.update(table.read_keys(unit)["digest"].to_pylist())
    assert set(found.values()) == {1}
    return found


def test_an_argument_that_makes_no_sense_is_refused(shop: Shop) -> None:
    for arguments, text in (
        (("--stages", "embed,bake"), "--stages names 'bake'"),
        (("--stages", "embed", "--promote", "newest"), "add evaluate to --stages"),
        (("--start", "yesterday"), "yesterday"),
    ):
        assert text in shop.cli("backfill", *WINDOW, *arguments, code=2).output
