"""What HNSW and PCA + IVF promise alike."""

import numpy as np
import pytest

from pipelines.neighbours.kinds.exact import ExactIndex
from pipelines.neighbours.kinds.factory import vector_index
from pipelines.neighbours.settings import HnswConfig, IndexConfig, IvfPcaConfig

APPROXIMATE = ("hnsw", "ivf_pca")


def recall(found, truth):
    return np.mean([len(set(a) & set(b)) / len(b) for a, b in zip(found.tolist(), truth.tolist(), strict=True)])


def built(kind, vectors, **config):
    index = vector_index(kind, IndexConfig(**config), vectors.shape[1])
    index.build(vectors)
    return index


@pytest.fixture(scope="module")
def truth(medium):
    exact = ExactIndex()
    exact.build(medium.vectors.astype(np.float16))
    return exact.search(medium.queries(200), 10)


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_recall_against_exact_search_and_the_same_after_a_reload(kind, medium, truth, tmp_path):
    vectors, queries = medium.vectors.astype(np.float16), medium.queries(200)
    index = built(kind, vectors)
    found = index.search(queries, 10)
    assert not index.is_exact
    assert recall(found.rows, truth.rows) >= 0.98
    same = found.rows == truth.rows
    assert (found.scores[same] == truth.scores[same]).all()  # scored again on the stored vectors
    index.save(tmp_path)
    again = vector_index(kind, IndexConfig(), 512)
    again.load(tmp_path, vectors)
    reloaded = again.search(queries, 10)
    assert (reloaded.rows == found.rows).all() and (reloaded.scores == found.scores).all()


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_two_builds_give_equal_bytes(kind, medium, tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        built(kind, medium.vectors.astype(np.float16)).save(tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == sorted([f"{kind}.faiss", "projection.npy"])
    for name in files:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


@pytest.mark.parametrize("kind", APPROXIMATE)
@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_handful_of_vectors_is_found_whole(kind, count, small, tmp_path):
    vectors = small.vectors[:count]
    index = built(kind, vectors)
    found = index.search(vectors, count + 2)
    assert (found.rows[:, 0] == np.arange(count)).all()
    assert (np.sort(found.rows, axis=1)[:, :2] == -1).all()
    index.save(tmp_path)
    assert not (tmp_path / "projection.npy").exists()  # too few to learn one


@pytest.mark.parametrize("kind", APPROXIMATE)
def test_queries_of_another_size_are_refused(kind, small):
    with pytest.raises(ValueError, match=r"expected \[num_queries, 512\]"):
        built(kind, small.vectors).search(np.zeros((1, 128), np.float32), 1)


def test_more_effort_looks_further(medium, truth):
    vectors, queries = medium.vectors.astype(np.float16), medium.queries(200)
    for config, kind in (
        ({"ivf_pca": IvfPcaConfig(probes=1)}, "ivf_pca"),
        ({"hnsw": HnswConfig(ef_search=1, links=4, rerank=1, dim=32)}, "hnsw"),
    ):
        index = built(kind, vectors, **config)
        low = recall(index.search(queries, 10).rows, truth.rows)
        high = recall(index.search(queries, 10, effort=64).rows, truth.rows)
        assert low < 0.98 and high > low, kind


def test_a_graph_built_on_all_threads_finds_as_well(medium, truth):
    index = built("hnsw", medium.vectors.astype(np.float16), hnsw=HnswConfig(deterministic=False))
    assert recall(index.search(medium.queries(200), 10).rows, truth.rows) >= 0.98


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="'binary': choose from exact, hnsw, ivf_pca"):
        vector_index("binary", IndexConfig(), 512)
