import json
import shutil

import numpy as np
import pyarrow as pa
import pytest

from pipelines.models.outputs import QueryOutputs
from pipelines.neighbours.folder import build_index
from pipelines.neighbours.manifest import IndexFolderError, config_of, read_manifest
from pipelines.neighbours.memory import MemoryBudgetError
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.recipes import recipe
from pipelines.neighbours.settings import HnswConfig, IndexConfig, PlanConfig

EVERY = IndexConfig(kinds=("exact", "hnsw", "ivf_pca", "binary"))


def test_a_small_catalogue_is_indexed_by_every_kind(small, tmp_path):
    manifest = build_index(tmp_path / "index", small.data(), EVERY)
    assert manifest["counts"] == {
        "vectors": 100, "item_photos": 100, "items": 100, "photos_without_vector": 0, "vectors_without_item": 0,
    }  # fmt: skip
    assert (manifest["space_id"], manifest["model_id"], manifest["dim"], manifest["code_bytes"]) == (
        "space",
        "model",
        512,
        512,
    )
    searcher = Searcher.open(tmp_path / "index")
    outputs = QueryOutputs(small.vectors, small.hashes)
    for kind in EVERY.kinds:
        hits = searcher.search(outputs, 1, PlanConfig(kind=kind))
        assert [h[0].item_id for h in hits] == [f"i{i:05}" for i in range(100)], kind


def test_one_photo_is_enough(make_catalogue, tmp_path):
    one = make_catalogue(1)
    build_index(tmp_path / "index", one.data(), EVERY)
    hits = Searcher.open(tmp_path / "index").search(QueryOutputs(one.vectors, one.hashes), 5, recipe("ebay"))
    assert [h.item_id for h in hits[0]] == ["i00000"]


def test_two_builds_in_any_order_of_input_give_equal_bytes(medium, medium_folder, tmp_path):
    order = np.random.default_rng(5).permutation(6_000)
    data = medium.data(
        digests=medium.digests[order],
        vectors=medium.vectors.astype(np.float16)[order],
        hashes=medium.hashes[order],
        items=medium.items().take(pa.array(order[::-1])),
    )
    build_index(tmp_path / "index", data, EVERY)
    names = {path.relative_to(medium_folder) for path in medium_folder.rglob("*") if path.is_file()}
    assert len(names) > 20
    for name in names:
        assert (medium_folder / name).read_bytes() == (tmp_path / "index" / name).read_bytes(), name


def test_the_manifest_says_what_is_deterministic(small, tmp_path):
    config = IndexConfig(kinds=("hnsw", "ivf_pca"), hnsw=HnswConfig(deterministic=False))
    manifest = build_index(tmp_path / "index", small.data(), config)
    assert {kind: about["deterministic"] for kind, about in manifest["kinds"].items()} == {
        "exact": True, "hnsw": False, "ivf_pca": True,
    }  # fmt: skip
    assert config_of(read_manifest(tmp_path / "index")) == IndexConfig(
        kinds=["hnsw", "ivf_pca"], attributes=[], signals=[], hnsw=HnswConfig(deterministic=False)
    )


def test_predicted_sizes_are_those_of_the_files(medium_folder):
    kinds = read_manifest(medium_folder)["kinds"]
    for kind in ("hnsw", "ivf_pca", "binary"):
        assert kinds[kind]["predicted_bytes"] == pytest.approx(kinds[kind]["file_bytes"], rel=0.15), kind


def test_blocks_smaller_than_the_catalogue_change_no_vector(medium, medium_folder, tmp_path):
    build_index(tmp_path / "index", medium.data(), IndexConfig(kinds=("binary",), block_rows=700))
    for name in ("vectors.npy", "binary/codes.npy"):
        assert (tmp_path / "index" / name).read_bytes() == (medium_folder / name).read_bytes()


def test_too_small_a_budget_is_refused_before_anything_is_written(small, tmp_path):
    with pytest.raises(MemoryBudgetError, match=r"'hnsw' needs about [\d,]+ bytes .* the budget is 500,000"):
        build_index(tmp_path / "index", small.data(), IndexConfig(kinds=("hnsw",), memory_budget_bytes=500_000))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("value", [np.nan, 0.0])
def test_vectors_that_are_not_normalised_are_refused_and_nothing_is_visible(value, small, tmp_path):
    vectors = small.vectors.copy()
    vectors[[3, 4]] = value
    photo = min(small.digests[[3, 4]].tolist(), key=lambda d: (small.slots[[3, 4]][0], d))
    with pytest.raises(ValueError, match=r"has norm (nan|0), expected 1 \(and 1 more\): normalise") as raised:
        build_index(tmp_path / "index", small.data(vectors=vectors), EVERY)
    assert any(bytes(d).hex() in str(raised.value) for d in small.digests[[3, 4]]), photo
    assert not (tmp_path / "index").exists()


def test_what_a_stopped_build_left_is_replaced(small, tmp_path):
    (tmp_path / "index.partial").mkdir()
    (tmp_path / "index.partial" / "rubbish").write_text("half")
    build_index(tmp_path / "index", small.data(), IndexConfig(kinds=()))
    assert not (tmp_path / "index" / "rubbish").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["index"]


def test_an_index_is_never_overwritten(small, tmp_path):
    (tmp_path / "index").mkdir()
    with pytest.raises(FileExistsError, match="never overwritten"):
        build_index(tmp_path / "index", small.data(), EVERY)


def test_inputs_that_do_not_match_are_refused(small, tmp_path):
    with pytest.raises(ValueError, match="100 digests but 99 hashes"):
        small.data(hashes=small.hashes[:99])
    with pytest.raises(ValueError, match="top_slots and top_probabilities belong together"):
        small.data(top_slots=np.zeros((100, 1), int))
    with pytest.raises(ValueError, match="'binary' but there are no hashes"):
        build_index(tmp_path / "index", small.data(hashes=None), EVERY)


@pytest.fixture
def folder(small, tmp_path):
    build_index(tmp_path / "index", small.data(), IndexConfig(kinds=("ivf_pca",)))
    return tmp_path / "index"


def test_a_damaged_folder_is_refused(folder):
    whole = (folder / "vectors.npy").read_bytes()
    (folder / "vectors.npy").write_bytes(whole[:-1])
    with pytest.raises(IndexFolderError, match=f"vectors.npy has {len(whole) - 1} bytes, expected {len(whole)}: fetch"):
        Searcher.open(folder)
    shutil.rmtree(folder / "ivf_pca")
    (folder / "vectors.npy").write_bytes(whole)
    with pytest.raises(IndexFolderError, match=r"ivf_pca.faiss is missing"):
        Searcher.open(folder)


def test_a_folder_without_manifest_or_of_another_format_is_refused(folder, tmp_path):
    with pytest.raises(IndexFolderError, match=r"has no manifest.json: it is no index"):
        Searcher.open(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**manifest, "format": 2}))
    with pytest.raises(IndexFolderError, match="has index format 2, this version reads 1"):
        Searcher.open(folder)


def test_every_recipe_has_a_plan_that_names_the_choices():
    assert (recipe("etsy").kind, recipe("ebay").kind) == ("ivf_pca", "binary")
    with pytest.raises(ValueError, match="no query plan for recipe 'amazon': choose from etsy, ebay"):
        recipe("amazon")
