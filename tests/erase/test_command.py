"""Items taken out of a store: nothing of them is left, all the rest is as it was, and they do not come back."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.config import load_config
from pipelines.curated import NOTHING_CURATED
from pipelines.erase.command import erase
from pipelines.erase.scan import scan
from pipelines.erase.subject import Subject, find, kept, photo_digest, unit_prefixes
from pipelines.evaluate.vectors import read_embeddings
from pipelines.hidden import read_hidden
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE
from pipelines.hidden.erased import read_erased
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.recipes import plan_of
from pipelines.releases.live import live_release
from pipelines.releases.release import check_parts
from pipelines.runs.commands import completed
from pipelines.runs.lease import lease
from pipelines.store import Store, UnitTable
from pipelines.store.folder import FolderStore
from pipelines.tables.buckets import write_parquet
from pipelines.tables.schemas import RESOLVED_PHOTOS
from pipelines.telemetry.progress import Progress
from serving.quality import Quality
from serving.release.loaded import LoadedRelease
from tests.erase.conftest import ERASED, OTHERS, SHARING
from tests.trace.shop import MODEL, TracedShop

QUIET = Progress(quiet=True)
CUTS = 9
NOBODY = {"curated": NOTHING_CURATED, "hidden": frozenset[str]()}


def similar(shop: TracedShop) -> dict[str, list[tuple[str, float]]]:
    """What each item but the erased one finds in the live index, the erased one left out."""
    live = live_release(shop.store)
    assert live is not None
    plan = plan_of(load_config(shop.config))
    with shop.store.stage_in(f"indexes/{live.index_id}") as folder:
        searcher = Searcher.open(folder, plan.kinds)
        hits = searcher.search_items(OTHERS, 9, plan)
    return {
        item_id: [(hit.item_id, round(hit.score, 5)) for hit in found if hit.item_id != ERASED]
        for item_id, found in zip(OTHERS, hits, strict=True)
    }


def left(shop: TracedShop, subject: Subject) -> list[tuple[str, str]]:
    return [(trace.name, trace.what) for trace in scan(shop.store, subject)]


def check_sound(shop: TracedShop) -> None:
    """All that checks itself does: units, the release, the index."""
    for prefix in unit_prefixes(shop.store):
        units = UnitTable(shop.store, prefix)
        for unit_id in units.unit_ids():
            units.verify(unit_id)
    live = live_release(shop.store)
    assert live is not None
    check_parts(shop.store, live)


def rows(shop: TracedShop, folder: str) -> list[dict[str, Any]]:
    paths = sorted((shop.root / "store" / folder).glob("*.parquet"))
    return [row for path in paths for row in pq.read_table(path).to_pylist()]


def test_nothing_is_left_and_the_rest_is_as_it_was(shop: TracedShop) -> None:
    subject, before = find(shop.store, [ERASED]), similar(shop)
    assert len(subject.digests) == len(subject.shared) == len(subject.uris) == len(subject.looks) == 1
    assert len(subject.pieces) == 1
    assert subject.vectors
    held = {name.split("/")[0] for name, _ in left(shop, subject)}
    assert held == {"catalogue", "embeddings", "images", "indexes", "runs", "sources", "splits"}
    photos = {row["item_id"]: row["digest"] for row in rows(shop, "runs/first/preprocess/photos")}

    result = shop.cli("erase", ERASED, "--yes")
    assert result.exit_code == 0, result.output
    done = json.loads(result.stdout)
    assert {name: done[name] for name in ("action", "items", "photos", "shared", "indexes", "left")} == {
        "action": "erase", "items": 1, "photos": 1, "shared": 1, "indexes": 1, "left": [],
    }  # fmt: skip
    assert "1 photos stay, which other items show, too" in result.stderr
    assert left(shop, subject) == []
    check_sound(shop)
    assert similar(shop) == before
    assert kept(shop.store) == []
    assert ERASED not in read_hidden(shop.store)
    after = {row["item_id"]: row["digest"] for row in rows(shop, "runs/first/preprocess/photos")}
    assert after == {item_id: digest for item_id, digest in photos.items() if item_id != ERASED}
    assert shop.cli("search", "--item", ERASED).exit_code == 1
    assert shop.cli("search", "--item", SHARING).exit_code == 0


def test_rows_of_other_photos_stay_where_others_look_for_them(shop: TracedShop) -> None:
    """Of the unit that held the photo: the others are in their rows, with their bytes; that one's row is empty."""
    subject = find(shop.store, [ERASED])
    before = {row["digest"]: row for row in rows(shop, "runs/first/preprocess/photos")}
    erase(shop.store, [ERASED], QUIET)
    (folder,) = shop.store.folders("images")
    table = UnitTable(shop.store, f"images/{folder}")
    for digest, row in before.items():
        (stored,) = table.read_rows(row["image_unit"], [row["image_row"]]).to_pylist()
        if digest.hex() in subject.digests:
            assert {name: value for name, value in stored.items() if value} == {"digest": bytes(32), "phash": bytes(8)}
        else:
            assert stored["digest"] == digest
            assert stored["image"]
    vectors = UnitTable(shop.store, f"embeddings/{MODEL}/{MODEL}")
    for unit_id in vectors.unit_ids():
        norms = np.linalg.norm(read_embeddings(shop.store, MODEL, MODEL, unit_id), axis=1)
        assert sorted(norms.round(1)) == [0.0, *[1.0] * (len(norms) - 1)]


def test_similar_items_keep_their_ranks_without_gaps(shop: TracedShop) -> None:
    erase(shop.store, [ERASED], QUIET)
    live = live_release(shop.store)
    assert live is not None
    found: dict[str, list[int]] = {}
    for row in rows(shop, f"indexes/{live.index_id}/similar"):
        assert ERASED not in (row["item_id"], row["similar_item_id"])
        found.setdefault(row["item_id"], []).append(row["rank"])
    assert found.keys() == {*OTHERS}
    assert all(sorted(ranks) == list(range(1, len(ranks) + 1)) for ranks in found.values())


def test_the_next_feed_with_it_is_a_reject_until_it_is_allowed(shop: TracedShop) -> None:
    shop.cli("erase", ERASED, "--yes")
    erased = read_erased(shop.store)
    assert ERASED in erased
    assert ERASED not in json.dumps(shop.store.read_json("erased/00000001.json"))
    shop.run("second", "catalogue")
    entry = shop.head()[1]
    assert entry["rejects"] == {"erased": 1}
    assert shop.item_ids() == {*OTHERS}
    assert [(row["item_id"], row["image_uri"], row["code"]) for row in shop.table("rejects")] == [("", "", "erased")]
    assert left(shop, find(shop.store, [ERASED])) == []
    verdict = shop.trace(ERASED, code=1)["verdict"]
    assert (verdict["step"], verdict["reason"]) == ("catalogue", "erased")
    fix = f"`visual-search erase --allow {ERASED}`, and `visual-search run`"
    assert verdict["fix"] == completed(fix, str(shop.config))

    allowed = shop.cli("erase", "--allow", ERASED, "never erased")
    assert json.loads(allowed.stdout) == {"action": "allow", "allowed": 1, "unchanged": 1}
    shop.run("third", "catalogue")
    assert shop.item_ids() == {*OTHERS, ERASED}
    assert shop.head()[1]["rejects"] == {}


def test_a_run_with_nothing_new_ends_the_catalogue_stage_where_it_was(shop: TracedShop) -> None:
    shop.cli("erase", ERASED, "--yes")
    shop.run("second", "catalogue")
    number, _ = shop.head()
    shop.run("third", "catalogue")
    assert shop.head()[0] == number


def test_items_that_share_a_photo_go_together(shop: TracedShop) -> None:
    subject = find(shop.store, [ERASED, SHARING])
    assert (len(subject.digests), subject.shared) == (3, ())
    done = erase(shop.store, [ERASED, SHARING], QUIET)
    assert (done.items, done.photos, done.shared, done.left) == (2, 3, 0, [])
    assert left(shop, subject) == []
    check_sound(shop)


def test_killed_at_any_moment_the_next_command_completes_it(
    shop: TracedShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject, before = find(shop.store, [ERASED]), similar(shop)
    changes = changes_of(monkeypatch, TracedShop(Path(shutil.copytree(shop.root, tmp_path / "whole"))))
    for cut in range(1, changes, changes // CUTS):
        copy = TracedShop(Path(shutil.copytree(shop.root, tmp_path / f"cut-{cut}")))
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            stop_at(patch, cut)
            erase(copy.store, [ERASED], QUIET)
        assert similar(copy).keys() == before.keys()  # it can be searched at any moment
        erase(copy.store, [ERASED], QUIET)
        assert left(copy, subject) == [], f"killed at change {cut}"
        assert kept(copy.store) == []
        check_sound(copy)
        assert similar(copy) == before


def test_whatever_is_erased_next_what_was_begun_is_completed(shop: TracedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = find(shop.store, [ERASED])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        stop_at(patch, 20)
        erase(shop.store, [ERASED], QUIET)
    assert left(shop, subject)
    erase(shop.store, ["i8"], QUIET)
    assert left(shop, subject) == []
    assert kept(shop.store) == []


def changes_of(monkeypatch: pytest.MonkeyPatch, shop: TracedShop) -> int:
    """How many changes an undisturbed erasure makes to a store."""
    with monkeypatch.context() as patch:
        calls = stop_at(patch, 0)
        erase(shop.store, [ERASED], QUIET)
    return next(calls)


def stop_at(patch: pytest.MonkeyPatch, cut: int) -> Iterator[int]:
    """Let the process die at a change of the store; return what counts them."""
    calls = count(1)

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            if next(calls) == cut:
                raise KeyboardInterrupt
            return real(*arguments)

        return call

    for name in ("create", "create_from", "put", "delete"):
        patch.setattr(FolderStore, name, dying(getattr(FolderStore, name)))
    return calls


def test_not_while_a_stage_is_at_work(shop: TracedShop) -> None:
    with lease(shop.store, "runs/other/embed", "embed of run 'other'"):
        result = shop.cli("erase", ERASED, "--yes")
    assert result.exit_code == 1
    assert "embed of run 'other' is at work; erase when it has ended" in result.stderr
    assert ERASED not in read_erased(shop.store)
    with lease(shop.store, "gc", "gc"):
        assert "gc or erase is being done by process" in shop.cli("erase", ERASED, "--yes").stderr


def test_a_scan_names_every_place(shop: TracedShop) -> None:
    result = shop.cli("erase", "--scan", ERASED)
    assert result.exit_code == 1
    found = [json.loads(line) for line in result.stdout.splitlines()]
    places = {(trace["name"].split("/")[0], trace["what"]) for trace in found}
    assert {
        ("images", "the photo"), ("embeddings", "its vector"), ("sources", "its digest"), ("splits", "its rows"),
        ("indexes", "its vector"), ("catalogue", "its rows"), ("runs", "its digest"),
    } <= places  # fmt: skip
    change(shop.store, HIDE, [ERASED], "sold")
    assert '{"name": "hidden/00000001.json", "what": "its id"}' in shop.cli("erase", "--scan", ERASED).stdout
    shop.cli("erase", ERASED, "--yes")
    clean = shop.cli("erase", "--scan", ERASED)
    assert (clean.exit_code, clean.stdout) == (0, "")
    assert f"nothing in {shop.store.uri} is of {ERASED!r}" in clean.stderr


def test_what_a_run_begun_meanwhile_has_written_is_told(shop: TracedShop, monkeypatch: pytest.MonkeyPatch) -> None:
    def written_meanwhile(store: Store) -> int:
        row = {"item_id": ERASED, "image_uri": "p2.jpg"}
        write_parquet(store, "runs/late/preprocess/photos/00000.parquet", pa.Table.from_pylist([row], RESOLVED_PHOTOS))
        return 0

    with monkeypatch.context() as patch:
        patch.setattr("pipelines.erase.command.renew_models", written_meanwhile)
        result = shop.cli("erase", ERASED, "--yes")
    assert result.exit_code == 1
    assert "runs/late/preprocess/photos/00000.parquet still holds its rows; was a run begun meanwhile?" in result.stderr
    assert ERASED in read_hidden(shop.store)  # nobody finds it until all of it is gone
    assert shop.cli("erase", ERASED, "--yes").exit_code == 0
    assert ERASED not in read_hidden(shop.store)


def test_an_item_of_which_nothing_is_known_is_refused_from_now_on(shop: TracedShop) -> None:
    done = erase(shop.store, ["never seen"], QUIET)
    assert (done.photos, done.indexes, done.left) == (0, 0, [])
    assert "never seen" in read_erased(shop.store)


def test_it_asks_whether_that_is_meant(shop: TracedShop) -> None:
    assert shop.cli("erase", ERASED).exit_code == 1  # no answer is no
    assert ERASED in shop.item_ids()
    both = shop.cli("erase", "--scan", "--allow", ERASED)
    assert both.exit_code == 2
    assert "give --scan or --allow, not both" in both.stderr


def test_what_others_have_too_proves_nothing(shop: TracedShop) -> None:
    """Two files of one picture have equal prepared photos and vectors; each has a digest of its own."""
    same = shop.photos / "p2.jpg"
    (shop.photos / "p5.jpg").write_bytes(same.read_bytes() + b"trailing bytes change the digest alone")
    shop.run("second", "catalogue", "preprocess")
    subject = find(shop.store, [ERASED])
    assert len(subject.digests) == 1
    assert subject.pieces == ()
    assert erase(shop.store, [ERASED], QUIET).left == []


def test_a_photo_that_was_an_item_s_before_is_named_by_its_file(shop: TracedShop, tmp_path: Path) -> None:
    """Its row has another photo now, and the tables that told of the old one are gone, as `gc` removes them."""
    old, copy = shop.photos / "p2.jpg", tmp_path / "copy.jpg"
    shutil.copy(old, copy)
    (_, head), digest = shop.head(), photo_digest(str(copy))
    folders = (f"catalogue/{head['catalogue_id']}/photos", "runs/first/preprocess/photos")
    for entry in [entry for folder in folders for entry in shop.store.list(folder)]:
        shop.store.delete(entry.name)
    assert find(shop.store, [ERASED]).digests == ()
    subject = find(shop.store, [ERASED], [digest])
    assert subject.digests == (digest.hex(),)
    assert subject.uris == ("p2.jpg",)
    places = {trace.name.split("/")[0] for trace in scan(shop.store, subject)}
    assert places >= {"images", "embeddings", "indexes", "sources"}
    result = shop.cli("erase", ERASED, "--photo", str(copy), "--yes")
    assert result.exit_code == 0, result.output
    assert left(shop, subject) == []
    assert photo_digest(digest.hex().upper()) == digest
    wrong = shop.cli("erase", "--scan", ERASED, "--photo", "gone.jpg")
    assert wrong.exit_code == 1
    assert "gone.jpg is neither a sha256 nor a file that can be read (No such file or directory)" in wrong.stderr


def test_an_index_whose_run_is_gone_is_named_with_the_way_out(shop: TracedShop) -> None:
    for entry in list(shop.store.list("runs/first/index/rows")):
        shop.store.delete(entry.name)
    result = shop.cli("erase", ERASED, "--yes")
    assert result.exit_code == 1
    assert "cannot be built again: run 'first', which gathered it, is gone. Promote a newer release" in result.stderr
    assert ERASED in read_hidden(shop.store)


def test_a_damaged_table_is_named(shop: TracedShop) -> None:
    name = min(entry.name for entry in shop.store.list("runs/first/embed/plan/todo"))
    shop.store.put(name, b"no table")
    result = shop.cli("erase", ERASED, "--yes")
    assert result.exit_code == 1
    assert f"{name} is damaged" in result.stderr
    assert "restore it, or remove it" in result.stderr


def test_a_service_that_has_the_release_in_memory_tells_what_is_weakest_in_what_is_left(shop: TracedShop) -> None:
    """Its index has another name since."""
    release = live_release(shop.store)
    assert release is not None
    loaded = cast(LoadedRelease, SimpleNamespace(release_id=release.release_id, release=release, **NOBODY))
    erase(shop.store, [ERASED], QUIET)
    found = asyncio.run(Quality(load_config(shop.config), shop.store).of(loaded, 9))
    assert (found.of, found.notes) == (len(OTHERS), ())
    assert {one.item.item_id for one in found.findings["lonely"]} == {*OTHERS}
