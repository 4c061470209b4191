import re
import subprocess
import sys

import numpy as np
import pytest

from pipelines.config import Config
from pipelines.neighbours.kinds.factory import vector_index
from pipelines.neighbours.memory import (
    FIXES,
    PROCESS_BYTES,
    ROW_BYTES,
    MemoryBudgetError,
    Prediction,
    binary_bytes,
    build_ram,
    check_budget,
    predict,
    search_ram,
)
from pipelines.neighbours.settings import HnswConfig, IndexConfig, IvfPcaConfig
from trainer.process import untouched


def test_sizes_by_hand():
    config = IndexConfig(hnsw=HnswConfig(dim=512), ivf_pca=IvfPcaConfig(dim=512, lists=10))
    assert predict("exact", 1_000, 512, 0, config).index_bytes == 1_000 * 512 * 2
    assert binary_bytes(1_000, 512) == 1_000 * (512 + 8)
    # 512 codes, 32 links of 4 bytes and about one more above, an offset and a level; two ranges of 512 float32.
    assert predict("hnsw", 1_000, 512, 0, config).index_bytes == int(1_000 * (512 + 4 * (32 + 16 / 15) + 12)) + 4_096
    # 512 codes and an id of 8 bytes; 10 centroids and two ranges of 512 float32.
    assert predict("ivf_pca", 1_000, 512, 0, config).index_bytes == 1_000 * 520 + 12 * 2_048


@pytest.fixture(scope="module")
def many(make_catalogue):
    return make_catalogue(20_000).vectors.astype(np.float16)


@pytest.mark.parametrize(
    ("kind", "config"),
    [
        ("ivf_pca", IndexConfig(ivf_pca=IvfPcaConfig(lists=64))),
        ("ivf_pca", IndexConfig(ivf_pca=IvfPcaConfig(dim=512, lists=64))),
        ("hnsw", IndexConfig(hnsw=HnswConfig(ef_construction=8, deterministic=False))),
        ("hnsw", IndexConfig(hnsw=HnswConfig(dim=512, links=32, ef_construction=4, deterministic=False))),
    ],
)
def test_predictions_are_within_15_percent_of_what_is_measured(kind, config, many, tmp_path):
    index = vector_index(kind, config, 512)
    index.build(many)
    index.save(tmp_path)
    written = sum(path.stat().st_size for path in tmp_path.iterdir())
    predicted = predict(kind, len(many), 512, 0, config)
    assert predicted.index_bytes == index.predicted_bytes(len(many))
    assert predicted.index_bytes == pytest.approx(written, rel=0.15)
    if written > 20e6:  # below, what faiss and Python allocate beside it weighs as much
        assert predicted.index_bytes == pytest.approx(resident_bytes(tmp_path / f"{kind}.faiss"), rel=0.15)


def resident_bytes(path):
    """The growth of a fresh process's memory when it loads an index, with nothing kept of what it gave back before."""
    script = (
        "import faiss, os, sys\n"
        "page = os.sysconf('SC_PAGESIZE')\n"
        "resident = lambda: int(open('/proc/self/statm').read().split()[1]) * page\n"
        "before = resident()\n"
        "index = faiss.read_index(sys.argv[1])\n"
        "print(resident() - before)\n"
    )
    return measured(script, str(path))


def measured(script, *arguments):
    """What a fresh process prints of itself, whose allocator is as it came: what is needed, not what is kept."""
    command = [sys.executable, "-c", script, *arguments]
    return int(subprocess.run(command, env=untouched(), capture_output=True, text=True, check=True).stdout)


@pytest.mark.parametrize("kind", ["ivf_pca", "hnsw"])
def test_a_build_stays_below_its_prediction(kind, many, tmp_path):
    config = IndexConfig(hnsw=HnswConfig(ef_construction=8), ivf_pca=IvfPcaConfig(lists=64), block_rows=4_096)
    np.save(tmp_path / "vectors.npy", many)
    script = (
        "import sys, faiss, numpy as np\n"
        "from pipelines.neighbours.kinds.factory import vector_index\n"
        "from pipelines.neighbours.settings import *\n"
        "peak = lambda: int(open('/proc/self/status').read().split('VmHWM:')[1].split()[0]) * 1024\n"
        "np.linalg.eigh(np.ones((512, 512)))\n"
        "before = peak()\n"
        "ivf = IvfPcaConfig(lists=64)\n"
        "config = IndexConfig(hnsw=HnswConfig(ef_construction=8), ivf_pca=ivf, block_rows=4096)\n"
        "vectors = np.load(sys.argv[2], mmap_mode='r')\n"
        "vector_index(sys.argv[1], config, 512).build(vectors)\n"
        "print(peak() - before)\n"
    )
    mapped = many.nbytes  # pages of the file count as resident, though the kernel may drop them
    grown = measured(script, kind, str(tmp_path / "vectors.npy"))
    assert grown <= predict(kind, len(many), 512, 0, config).build_bytes + mapped


def test_what_does_not_fit_is_refused_with_the_sizes_and_the_fix():
    with pytest.raises(
        MemoryBudgetError,
        match=r"'hnsw' needs about 3,000 bytes \(2,000 to be searched, 3,000 while it is built\), the budget is 2,999: "
        r"search by 'ivf_pca', .*search\.candidates.*, or set index\.memory_bytes to at least 3000",
    ):
        check_budget(Prediction("hnsw", 2_000, 3_000), 2_999)
    check_budget(Prediction("hnsw", 2_000, 3_000), 3_000)


@pytest.mark.parametrize("kind", FIXES)
def test_a_fix_names_keys_that_a_configuration_has(kind):
    with pytest.raises(MemoryBudgetError) as caught:
        check_budget(Prediction(kind, 2_000, 3_000), 1)
    named = re.findall(r"\b([a-z_]+)\.([a-z_]+)\b", str(caught.value))
    assert ("index", "memory_bytes") in named
    assert len(named) >= 2
    assert all(key in Config.model_fields[section].annotation.model_fields for section, key in named)


def test_memory_mapped_vectors_of_exact_search_may_exceed_the_budget():
    check_budget(Prediction("exact", 10**12, 1_000), 1_000)
    with pytest.raises(MemoryBudgetError, match="'binary' needs about 1,000,000,000,000 bytes"):
        check_budget(Prediction("binary", 10**12, 1_000), 1_000)


def test_an_unknown_kind_has_no_prediction():
    with pytest.raises(ValueError, match="no prediction for kind 'annoy': choose from exact, hnsw, ivf_pca, binary"):
        predict("annoy", 1, 1, 1, IndexConfig())


def test_a_machine_builds_one_kind_after_another_and_searches_them_together():
    kinds = [Prediction("hnsw", 2_000, 5_000), Prediction("ivf_pca", 1_000, 7_000)]
    assert build_ram(kinds, 10) == PROCESS_BYTES + 10 * ROW_BYTES + 7_000
    assert search_ram(kinds, 10) == PROCESS_BYTES + 10 * ROW_BYTES + 3_000
    assert build_ram([], 0) == search_ram([], 0) == PROCESS_BYTES
