from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from pipelines.curated.change import note
from pipelines.curated.entries import NOT_ALIKE, Decision
from pipelines.curated.settled import settle
from pipelines.index import stage
from pipelines.index.similar import similar_table
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.recipes import plan_of
from pipelines.neighbours.settings import PlanConfig
from pipelines.runs.sequence import run_stage
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import INDEX_ITEMS, SIMILAR
from pipelines.tables.variants import group_key
from tests.index.gallery import BUCKETS, Gallery, Photo, plain


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    gallery = plain(tmp_path_factory.mktemp("similar") / "store")
    gallery.write()
    return gallery


@pytest.fixture(scope="module", params=["etsy", "ebay"])
def built(request: pytest.FixtureRequest, gallery: Gallery) -> tuple[str, list[dict[str, object]], Searcher]:
    """The recipe, the rows of the table, and the index they were made of."""
    recipe = str(request.param)
    if recipe != "etsy":
        gallery.write_catalogue(recipe)
        gallery.adopt_vectors(recipe, "r")
    context = gallery.context("r" if recipe == "etsy" else recipe, recipe=recipe)
    target = f"indexes/{run_stage(context, 'index', stage.run)['outputs']['index_id']}"
    rows: list[dict[str, object]] = []
    for bucket in range(BUCKETS):
        table = read_bucket(gallery.store, f"{target}/similar", bucket, SIMILAR)
        assert {bucket_of(item_id, BUCKETS) for item_id in table["item_id"].to_pylist()} <= {bucket}
        rows += table.to_pylist()
    return recipe, rows, Searcher.open(Path(gallery.root, target))


def test_every_item_of_the_index_has_its_similar_ones_in_order(
    built: tuple[str, list[dict[str, object]], Searcher],
) -> None:
    _, rows, searcher = built
    ranks: dict[object, list[object]] = {}
    for row in rows:
        ranks.setdefault(row["item_id"], []).append(row["rank"])
    assert sorted(map(str, ranks)) == searcher.rows.item_ids()
    assert all(of_item == [1, 2, 3, 4, 5] for of_item in ranks.values())


def test_the_table_equals_the_search_by_item(
    built: tuple[str, list[dict[str, object]], Searcher], gallery: Gallery
) -> None:
    recipe, rows, searcher = built
    plan = plan_of(gallery.context(recipe=recipe).config)
    for item_id in ("item-000", "item-003", "item-050", "item-118"):  # one at a time, as a person asks
        hits = searcher.search_items([item_id], 5, plan)[0]
        table = [(r["similar_item_id"], r["score"]) for r in rows if r["item_id"] == item_id]
        assert table == [(hit.item_id, np.float32(hit.score)) for hit in hits]


def test_the_item_its_duplicates_and_its_variants_are_left_out(
    built: tuple[str, list[dict[str, object]], Searcher],
) -> None:
    pairs = {(row["item_id"], row["similar_item_id"]) for row in built[1]}
    assert not any(a == b for a, b in pairs)
    duplicates, variants = {"item-000", "item-001"}, {"item-002", "item-003"}
    assert not any({a, b} in (duplicates, variants) for a, b in pairs)
    assert "item-119" not in {b for _, b in pairs}  # it has no vector


@pytest.mark.parametrize("built", ["etsy"], indirect=True)  # the other recipe re-ranks by category
def test_the_first_similar_item_is_the_nearest_by_hand(
    built: tuple[str, list[dict[str, object]], Searcher], gallery: Gallery
) -> None:
    rows = built[1]
    vectors = gallery.vectors[:119].astype(np.float32)
    scores = vectors @ vectors[50]
    scores[50] = -1
    nearest = int(scores.argmax())
    best = next(r for r in rows if r["item_id"] == "item-050" and r["rank"] == 1)
    assert best["similar_item_id"] == f"item-{nearest:03}"
    assert best["score"] == pytest.approx(float(scores[nearest]), abs=1e-5)


def test_a_table_asked_for_in_one_block_equals_single_rows(
    built: tuple[str, list[dict[str, object]], Searcher],
) -> None:
    searcher, plan = built[2], PlanConfig(kind="exact")
    ids = searcher.rows.item_ids()
    singles = [similar_table(searcher, [item_id], plan, 3) for item_id in ids]
    assert similar_table(searcher, ids, plan, 3).equals(pa.concat_tables(singles).combine_chunks())


def test_pairs_that_are_not_alike_are_not_in_the_table_of_another_index(
    built: tuple[str, list[dict[str, object]], Searcher], gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, rows, _ = built
    near = next(row["similar_item_id"] for row in rows if row["item_id"] == "item-000" and row["rank"] == 1)
    note(gallery.store, Decision(NOT_ALIKE, tuple(sorted(("item-000", str(near))))), "seen", "ann")
    run_id = f"apart-{recipe}"
    monkeypatch.setattr(gallery, "curated", f"runs/{run_id}/curated.json")
    settle(gallery.store, gallery.curated)
    gallery.write_catalogue(run_id)
    gallery.adopt_vectors(run_id, "r")
    index_id = run_stage(gallery.context(run_id, recipe=recipe), "index", stage.run)["outputs"]["index_id"]
    pairs = {
        (row["item_id"], row["similar_item_id"])
        for bucket in range(BUCKETS)
        for row in read_bucket(gallery.store, f"indexes/{index_id}/similar", bucket, SIMILAR).to_pylist()
    }
    assert ("item-000", near) in {(row["item_id"], row["similar_item_id"]) for row in rows}
    assert not pairs & {("item-000", near), (near, "item-000")}
    assert len(pairs) == len(rows)


def test_no_table_is_written_when_none_is_wanted(gallery: Gallery) -> None:
    gallery.write_catalogue("none")
    gallery.adopt_vectors("none", "r")
    target = run_stage(gallery.context("none", index={"similar": 0}), "index", stage.run)["outputs"]["index_id"]
    assert list(gallery.store.list(f"indexes/{target}/similar")) == []
    assert len(list(gallery.store.list(f"indexes/{target}/items"))) == BUCKETS


def test_a_placeholder_of_a_group_makes_no_variants(tmp_path: Path) -> None:
    """All but two of 24 items have the group_id "0", which preprocess judged; the two are true variants."""
    photos = [Photo(f"item-{n:03}", n) for n in range(24)]
    groups = {f"item-{n:03}": "pair" if n < 2 else "0" for n in range(24)}
    gallery = Gallery(tmp_path / "store", photos, groups)
    gallery.write()
    key = group_key("0")
    assert key is not None
    gallery.store.create_json("runs/r/preprocess/placeholders.json", [key.hex()])
    context = gallery.context(index={"similar": 23}, search={"unit": "group"})
    target = f"indexes/{run_stage(context, 'index', stage.run)['outputs']['index_id']}"
    tables = [read_bucket(gallery.store, f"{target}/items", b, INDEX_ITEMS) for b in range(BUCKETS)]
    found = {row["item_id"]: row["group_id"] for row in pa.concat_tables(tables).to_pylist()}
    assert found == {item: "pair" if group == "pair" else "" for item, group in groups.items()}
    similar = pa.concat_tables([read_bucket(gallery.store, f"{target}/similar", b, SIMILAR) for b in range(BUCKETS)])
    of_one = {row["similar_item_id"] for row in similar.to_pylist() if row["item_id"] == "item-005"}
    assert set(groups) - of_one == {"item-005", "item-001"} or set(groups) - of_one == {"item-005", "item-000"}
    searcher = Searcher.open(Path(gallery.root, target))
    hits = searcher.search_items(["item-000"], 23, plan_of(context.config))[0]
    assert {hit.item_id for hit in hits} == {f"item-{n:03}" for n in range(2, 24)}
