import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines.errors import StageError
from pipelines.hidden.change import change
from pipelines.hidden.entries import HIDE, UNHIDE
from pipelines.index import assembly as assembling
from pipelines.index import similar, stage
from pipelines.models.outputs import QueryOutputs
from pipelines.models.weights import Weights
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.settings import PlanConfig
from pipelines.runs.context import RunContext
from pipelines.runs.manifest import Manifest, read_manifest
from pipelines.runs.sequence import run_stage
from pipelines.store import StoreError
from pipelines.tables.buckets import bucket_name, read_bucket
from pipelines.tables.schemas import INDEX_ITEMS, ITEMS
from pipelines.tables.taxonomy import extend_taxonomy
from tests.index.gallery import BUCKETS, DIM, Gallery, Photo, digest_of, plain
from tests.models.model_json import model_json
from tests.releases.live import make_live

EXACT = PlanConfig(kind="exact")


def index(context: RunContext) -> Manifest:
    return run_stage(context, "index", stage.run)


def opened(gallery: Gallery, manifest: Manifest) -> Searcher:
    return Searcher.open(gallery.root / "indexes" / manifest["outputs"]["index_id"])


def files(gallery: Gallery, index_id: str) -> dict[str, bytes]:
    return {entry.name: gallery.store.read(entry.name) for entry in gallery.store.list(f"indexes/{index_id}")}


@pytest.fixture
def gallery(tmp_path: Path) -> Gallery:
    gallery = plain(tmp_path / "store")
    gallery.write()
    return gallery


def test_the_gallery_becomes_an_index_that_finds_each_item_by_its_photo(gallery: Gallery) -> None:
    manifest = index(gallery.context())

    # 122 photos of 120 items prepared in the role main; one has no vector; items 0 and 1 share a photo.
    assert manifest["counts"] == {
        "in": 121,
        "ok": 120,
        "skipped": 0,
        "rejected": 1,
        "vectors": 119,
        "items": 119,
        "built": 1,
        "duplicates": 1,
    }
    assert manifest["rejects"] == {"nonfinite": 1}
    searcher = opened(gallery, manifest)
    queries = QueryOutputs(gallery.vectors[:119].astype(np.float32))
    hits = searcher.search(queries, 2, EXACT)
    assert [of_query[0].item_id for of_query in hits[2:]] == [f"item-{n:03}" for n in range(2, 119)]
    assert {hit.item_id for hit in hits[0]} == {"item-000", "item-001"}  # the duplicate is unfolded
    assert hits[5][0].digest == digest_of(5).hex()
    assert hits[5][0].category == ("all", "leaf 1")


def test_index_json_describes_it_and_is_written_last(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    def stops(*_: Any) -> None:
        raise StageError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(similar, "similar_table", stops)
        with pytest.raises(StageError, match="stopped"):
            index(gallery.context())
    names = [entry.name.rsplit("/", 1)[-1] for entry in gallery.store.list("indexes")]
    assert "manifest.json" in names
    assert "index.json" not in names
    assert read_manifest(gallery.store, "r", "index") is None

    with monkeypatch.context() as patch:
        patch.setattr(assembling, "build_index", stops)  # what was built is not built again
        manifest = index(gallery.context())
    described = gallery.store.read_json(f"indexes/{manifest['outputs']['index_id']}/index.json")
    assert described["index_id"] == manifest["outputs"]["index_id"]
    assert (described["space_id"], described["model_id"], described["dim"]) == ("space", "model", DIM)
    assert described["counts"]["vectors"] == 119


def test_the_items_table_holds_what_results_show(gallery: Gallery) -> None:
    index_id = index(gallery.context())["outputs"]["index_id"]
    tables = [read_bucket(gallery.store, f"indexes/{index_id}/items", b, INDEX_ITEMS) for b in range(BUCKETS)]
    rows = {row["item_id"]: row for row in pa.concat_tables(tables).to_pylist()}

    assert len(rows) == 119
    assert rows["item-002"]["group_id"] == "pair"
    assert rows["item-000"]["image_uri"] == "item-000-0.jpg"  # the first of two photos
    assert rows["item-007"]["price"] == 1.0
    assert rows["item-007"]["signals"] == [("sales", 3.0)]
    assert rows["item-007"]["category"] == ["all", "leaf 3"]


def test_what_the_shop_says_of_stock_and_currency_is_in_the_index_and_in_hits(gallery: Gallery) -> None:
    for bucket in range(BUCKETS):
        path = gallery.root / f"catalogue/r/items/{bucket_name(bucket)}"
        items = pq.read_table(path).to_pylist()
        told = [{**item, "currency": "EUR", "availability": "out_of_stock"} for item in items]
        pq.write_table(pa.Table.from_pylist(told, ITEMS), path)
    manifest = index(gallery.context())
    index_id = manifest["outputs"]["index_id"]
    tables = [read_bucket(gallery.store, f"indexes/{index_id}/items", b, INDEX_ITEMS) for b in range(BUCKETS)]
    rows = pa.concat_tables(tables).to_pylist()
    assert {(row["currency"], row["availability"]) for row in rows} == {("EUR", "out_of_stock")}
    [hits] = opened(gallery, manifest).search_items(["item-005"], 3, EXACT)
    assert {hit.availability for hit in hits} == {"out_of_stock"}
    assert [(hit.title, hit.price, hit.currency) for hit in hits] == [
        (f"the {hit.item_id}", 1.0, "EUR") for hit in hits
    ]


def test_a_catalogue_of_an_earlier_version_is_indexed(gallery: Gallery) -> None:
    for bucket in range(BUCKETS):
        path = gallery.root / f"catalogue/r/items/{bucket_name(bucket)}"
        pq.write_table(pq.read_table(path).drop_columns(["currency", "availability"]), path)
    manifest = index(gallery.context())
    [hits] = opened(gallery, manifest).search_items(["item-005"], 3, EXACT)
    assert {hit.availability for hit in hits} == {""}


def test_the_same_gallery_is_not_built_again(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    first = index(gallery.context())
    gallery.write_catalogue("again")
    gallery.adopt_vectors("again", "r")
    monkeypatch.setattr(assembling, "assemble", None)
    again = index(gallery.context("again"))

    assert again["outputs"]["index_id"] == first["outputs"]["index_id"]
    assert again["counts"] == first["counts"] | {"built": 0}
    assert again["notes"] == [
        f"nothing new: index {first['outputs']['index_id']} holds the same already",
        *first["notes"],
    ]


def test_where_nothing_is_new_the_index_of_the_live_release_is_taken(gallery: Gallery) -> None:
    first = index(gallery.context())
    make_live(gallery.store, "r")
    for run_id in ("same", "other"):
        gallery.adopt_vectors(run_id, "r")
        gallery.adopt_photos(run_id, "r")
    same = index(gallery.context("same"))
    assert same["outputs"] == first["outputs"]
    assert same["counts"] == first["counts"] | {"built": 0}
    assert same["uri"] == first["uri"]
    assert same["notes"] == [
        f"nothing new: index {first['outputs']['index_id']} holds the same already",
        *first["notes"],
    ]
    assert not list(gallery.store.list("runs/same/index/links"))
    other = index(gallery.context("other", index={"kinds": ["ivf_pca", "binary"]}))
    assert other["outputs"] != first["outputs"]


def test_an_index_of_the_live_release_that_is_lost_is_built_again(gallery: Gallery) -> None:
    first = index(gallery.context())
    make_live(gallery.store, "r")
    gallery.adopt_vectors("same", "r")
    gallery.adopt_photos("same", "r")
    for entry in list(gallery.store.list("indexes")):
        gallery.store.delete(entry.name)
    same = index(gallery.context("same"))
    assert same["outputs"]["index_id"] == first["outputs"]["index_id"]
    assert same["counts"]["built"] == 1
    assert opened(gallery, same).rows


def test_a_changed_price_or_setting_is_another_index(gallery: Gallery) -> None:
    first = index(gallery.context())["outputs"]["index_id"]
    gallery.prices["item-009"] = 2.0
    gallery.write_catalogue("sale")
    gallery.adopt_vectors("sale", "r")
    sale = index(gallery.context("sale"))["outputs"]["index_id"]
    gallery.write_catalogue("other")
    gallery.adopt_vectors("other", "r")
    other = index(gallery.context("other", index={"kinds": ["ivf_pca", "binary"]}))["outputs"]["index_id"]

    assert len({first, sale, other}) == 3
    assert gallery.store.exists(f"indexes/{other}/binary/codes.npy")


def test_the_memory_budget_is_no_part_of_the_identity(gallery: Gallery) -> None:
    first = index(gallery.context())["outputs"]["index_id"]
    gallery.write_catalogue("more")
    gallery.adopt_vectors("more", "r")
    more = index(gallery.context("more", index={"memory_bytes": 1 << 40}))
    assert (more["outputs"]["index_id"], more["counts"]["built"]) == (first, 0)


def test_a_kind_that_does_not_fit_its_memory_is_refused_before_anything_is_built(gallery: Gallery) -> None:
    with pytest.raises(StageError, match=r"'ivf_pca' needs about [\d,]+ bytes .* the budget is 1,000: .*index\.memory"):
        index(gallery.context(index={"memory_bytes": 1000}))
    assert list(gallery.store.list("indexes")) == []


def test_vectors_of_another_space_are_refused(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store")
    stray = model_json("stray", "elsewhere", dim=DIM, bits=64)
    gallery.store.create_json("models/stray/model.json", stray)
    gallery.write(models=("model", "stray"))
    with pytest.raises(StageError, match="vectors of model stray are of space elsewhere, the index is of space space"):
        index(gallery.context())
    assert list(gallery.store.list("indexes")) == []


def test_vectors_of_two_models_of_one_space_are_joined(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store")
    gallery.write(models=("model", "newer"))
    searcher = opened(gallery, index(gallery.context()))
    hits = searcher.search(QueryOutputs(gallery.vectors[20:30].astype(np.float32)), 1, EXACT)
    assert [of_query[0].item_id for of_query in hits] == [f"item-{n:03}" for n in range(20, 30)]
    assert all(of_query[0].score == pytest.approx(1, abs=1e-3) for of_query in hits)


def test_a_gallery_of_no_photos_is_an_error_that_names_the_roles(gallery: Gallery) -> None:
    with pytest.raises(StageError, match=r"no photo of the roles index.roles = \['studio'\] has a vector"):
        index(gallery.context(index={"roles": ["studio"]}))


def test_other_roles_are_another_gallery(gallery: Gallery) -> None:
    manifest = index(gallery.context(index={"roles": ["street"]}))
    assert (manifest["counts"]["vectors"], manifest["counts"]["items"]) == (1, 1)
    assert opened(gallery, manifest).rows.item_ids() == ["item-004"]


def test_a_plan_whose_kind_is_not_built_is_refused(gallery: Gallery) -> None:
    with pytest.raises(StageError, match=r"index.kinds = \['hnsw'\] lacks 'ivf_pca', which the query plan searches"):
        index(gallery.context(index={"kinds": ["hnsw"]}))


def test_the_kinds_follow_the_plan_when_none_are_named(gallery: Gallery) -> None:
    manifest = index(gallery.context(search={"candidates": "hnsw"}))
    assert gallery.store.exists(f"indexes/{manifest['outputs']['index_id']}/hnsw/hnsw.faiss")


def test_two_stores_of_the_same_gallery_give_equal_bytes(tmp_path: Path) -> None:
    built = []
    for name in ("one", "two"):
        gallery = plain(tmp_path / name)
        gallery.write()
        index_id = index(gallery.context(recipe="ebay"))["outputs"]["index_id"]
        built.append({k: v for k, v in files(gallery, index_id).items() if not k.endswith(".parquet")})
    assert built[0] == built[1]


def test_leftovers_of_a_stopped_build_are_replaced(gallery: Gallery) -> None:
    index_id = index(gallery.context())["outputs"]["index_id"]
    good = files(gallery, index_id)
    for name in (
        f"indexes/{index_id}/index.json",
        f"indexes/{index_id}/manifest.json",
        f"indexes/{index_id}/vectors.npy",
    ):
        gallery.store.delete(name)
    gallery.store.create(f"indexes/{index_id}/vectors.npy", b"half")
    gallery.write_catalogue("again")
    gallery.adopt_vectors("again", "r")
    index(gallery.context("again"))
    again = files(gallery, index_id)
    assert again.keys() == good.keys()
    assert again[f"indexes/{index_id}/vectors.npy"] == good[f"indexes/{index_id}/vectors.npy"]


def test_a_damaged_unit_of_vectors_stops_the_build(gallery: Gallery) -> None:
    path = next(Path(gallery.root, "embeddings/space/model").glob(f"{50:016x}-*.parquet"))
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    with pytest.raises(StoreError, match=r"does not match its checksum"):
        index(gallery.context())
    assert list(gallery.store.list("indexes")) == []


def test_a_category_that_the_model_does_not_know_has_a_slot_that_is_always_scanned(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store")
    gallery.photos.append(Photo("new", 200))
    gallery.__post_init__()
    gallery.write()
    model = gallery.store.read_json("models/model/model.json")
    model["leaf"] |= {"trained": [0, 1, 2]}
    gallery.store.put("models/model/model.json", json.dumps(model).encode())
    searcher = opened(gallery, index(gallery.context(recipe="ebay")))
    assert searcher.manifest["trained_slots"] == [0, 1, 2]
    assert set(np.unique(searcher.rows.link_slot)) == {0, 1, 2, 3}


def test_an_item_is_indexed_by_its_whole_path_at_whatever_depth(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store", 8)
    gallery.paths = {"item-004": ["all"], "item-006": ["all", "leaf 2", "deep"]}
    gallery.write()
    leaves = {"all": 7, "all > leaf 2 > deep": 9} | {f"all > leaf {n}": n for n in range(4)}
    step = {"leaves": leaves, "levels": [{"all": 0}, {}, {}], "attributes": {}}
    gallery.store.put("taxonomy/00000001.json", json.dumps(step).encode())
    searcher = opened(gallery, index(gallery.context(recipe="ebay")))
    slots = {
        name: int(searcher.rows.link_slot[searcher.rows.links_of_item(n)[0]])
        for n, name in enumerate(searcher.rows.item_ids())
    }
    assert (slots["item-004"], slots["item-006"], slots["item-002"]) == (7, 9, 2)
    assert (np.asarray(searcher.rows.link_slot) >= 0).all()
    assert searcher.manifest["category_mass"] == 0.95
    assert searcher.parts.weights is None


def test_what_the_model_has_learned_for_the_ranking_goes_into_the_index(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store", 8)
    gallery.ranking = {"category": 0.1, "attributes": {"colour": 0.2}, "photos": 300}
    gallery.write()
    searcher = opened(gallery, index(gallery.context(recipe="ebay")))
    assert searcher.parts.weights == Weights(0.1, {"colour": 0.2})


def test_photos_of_the_test_split_do_not_vote(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store", 8)
    gallery.splits = {"item-003": "test"}
    gallery.write()
    rows = opened(gallery, index(gallery.context(recipe="ebay"))).rows
    voting = {name: bool(rows.votes[rows.links_of_item(n)[0]]) for n, name in enumerate(rows.item_ids())}
    assert [name for name, votes in voting.items() if not votes] == ["item-003"]


def test_a_category_without_a_slot_is_an_error_that_names_it(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store", 8)
    gallery.paths = {"item-004": ["new"]}
    gallery.write()
    with pytest.raises(Exception, match=r"category 'new' of item 'item-004' has no slot .* `visual-search run`"):
        index(gallery.context())


def test_a_model_without_a_leaf_head_is_refused_with_the_command_that_makes_another(tmp_path: Path) -> None:
    gallery = plain(tmp_path / "store", 8)
    gallery.write()
    facts = gallery.store.read_json("models/model/model.json")
    del facts["leaf"]
    gallery.store.put("models/model/model.json", json.dumps(facts).encode())
    with pytest.raises(StageError, match=r"model model was made before a category .* run `visual-search run`"):
        index(gallery.context())


def test_items_that_no_search_can_find_are_counted_with_an_example(tmp_path: Path) -> None:
    """Of six items two have no usable photo of the gallery's role, and one a photo without a vector."""
    photos = [Photo(f"item-{n}", n) for n in range(4)]
    photos += [Photo("item-4", 4, code="truncated"), Photo("item-5", 5, role="street")]
    gallery = Gallery(tmp_path / "store", photos, rejected={0})
    gallery.write()
    done = index(gallery.context())
    note = "3 of 6 items cannot be found by any search: none of their photos of the roles main is usable; for example "
    assert done["notes"] == [f"{note}item 'item-4'"]
    make_live(gallery.store, "r")
    gallery.adopt_vectors("same", "r")
    gallery.adopt_photos("same", "r")
    assert index(gallery.context("same"))["notes"][1:] == done["notes"]


def test_an_item_whose_only_photo_has_no_vector_is_an_example_too(tmp_path: Path) -> None:
    gallery = Gallery(tmp_path / "store", [Photo(f"item-{n}", n) for n in range(4)], rejected={2})
    gallery.write()
    (note,) = index(gallery.context())["notes"]
    assert note.startswith("1 of 4 items cannot be found by any search")
    assert note.endswith("for example item 'item-2'")


def test_hidden_items_are_not_in_the_index_until_they_are_shown_again(gallery: Gallery) -> None:
    """Item 1 shows item 0's photo, which stays; 2 and 3 are variants; 118 is the last with a vector."""
    first = index(gallery.context())
    make_live(gallery.store, "r")
    for run_id in ("hiding", "same", "shown"):
        gallery.adopt_vectors(run_id, "r")
        gallery.adopt_photos(run_id, "r")
    change(gallery.store, HIDE, ["item-000", "item-002", "item-118", "item-119", "in no feed"], "recalled")
    hiding = index(gallery.context("hiding"))
    # item 0 has two photos, item 119 one without a vector: of 121 photos in the gallery 5 are of hidden items
    assert hiding["rejects"] == {"hidden": 5}
    assert {name: hiding["counts"][name] for name in ("in", "ok", "rejected", "vectors", "items", "built")} == {
        "in": 121, "ok": 116, "rejected": 5, "vectors": 116, "items": 116, "built": 1,
    }  # fmt: skip
    assert hiding["notes"] == ["5 items are hidden by `visual-search hide`, and not in the index"]
    searcher = opened(gallery, hiding)
    assert "item-001" in searcher.rows.item_ids()
    assert not {"item-000", "item-002", "item-118"} & {*searcher.rows.item_ids()}
    tables = [
        read_bucket(gallery.store, f"indexes/{hiding['outputs']['index_id']}/{name}", bucket, schema)
        for name, schema in (("similar", similar.SIMILAR), ("items", INDEX_ITEMS))
        for bucket in range(BUCKETS)
    ]
    named = {row.get(key) for table in tables for row in table.to_pylist() for key in ("item_id", "similar_item_id")}
    assert "item-003" in named
    assert not {"item-000", "item-002", "item-118"} & named

    make_live(gallery.store, "hiding")
    same = index(gallery.context("same"))
    assert (same["taken_from"], same["outputs"]) == ("hiding", hiding["outputs"])
    assert same["notes"][1:] == hiding["notes"]
    change(gallery.store, UNHIDE, ["item-000", "item-002", "item-118", "item-119", "in no feed"], "")
    shown = index(gallery.context("shown"))
    assert shown["outputs"]["index_id"] == first["outputs"]["index_id"]
    assert shown["counts"] == first["counts"] | {"built": 0}


def test_a_killed_build_goes_on_with_the_items_that_were_hidden_when_it_began(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(*_: Any) -> None:
        raise StageError("stopped")

    change(gallery.store, HIDE, ["item-005"], "recalled")
    with monkeypatch.context() as patch:
        patch.setattr(assembling, "build_index", stops)
        with pytest.raises(StageError, match="stopped"):
            index(gallery.context())
    change(gallery.store, HIDE, ["item-006"], "recalled")
    items = opened(gallery, index(gallery.context())).rows.item_ids()
    assert "item-005" not in items
    assert "item-006" in items  # until the next run; `search` leaves it out at once


def test_links_that_an_earlier_version_has_gathered_are_built_of(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stops(*_: Any) -> None:
        raise StageError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(assembling, "build_index", stops)
        with pytest.raises(StageError, match="stopped"):
            index(gallery.context())
    for path in (gallery.root / "runs/r/index/links").glob("*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns(["availability"]), path)
    assert index(gallery.context())["counts"]["items"] == 119


def test_an_item_is_hidden_that_is_in_no_gallery(gallery: Gallery) -> None:
    first = index(gallery.context())
    make_live(gallery.store, "r")
    gallery.adopt_vectors("other", "r")
    gallery.adopt_photos("other", "r")
    change(gallery.store, HIDE, ["in no feed"], "recalled")
    other = index(gallery.context("other"))
    assert other["outputs"]["index_id"] == first["outputs"]["index_id"]
    assert other["counts"] == first["counts"] | {"built": 0}
    assert other["taken_from"] == ""


def test_a_renamed_category_has_its_slot_whichever_name_the_catalogue_uses(gallery: Gallery) -> None:
    before = opened(gallery, index(gallery.context()))
    extend_taxonomy(gallery.store, [], lambda _, value: {"all > leaf 1": "all > new name"}.get(value))
    gallery.paths = {f"item-{n:03}": ["all", "new name"] for n in range(1, 120, 4)}
    gallery.paths["item-001"] = ["all", "leaf 0"]  # it shows item 0's photo
    gallery.write_catalogue("r2")
    gallery.adopt_vectors("r2", "r")
    after = opened(gallery, index(gallery.context("r2")))
    slots = [
        dict(zip(one.rows.link_item.tolist(), one.rows.link_slot.tolist(), strict=True)) for one in (before, after)
    ]
    assert slots[0] == slots[1]
    assert 1 in slots[0].values()
    hit = after.search(QueryOutputs(gallery.vectors[5:6].astype(np.float32)), 1, EXACT)[0][0]
    assert (hit.item_id, hit.category) == ("item-005", ("all", "new name"))
    # a catalogue of before the renaming, as a backfill takes it
    gallery.adopt_photos("r3", "r")
    gallery.adopt_vectors("r3", "r")
    assert index(gallery.context("r3"))["counts"]["items"] == 119
