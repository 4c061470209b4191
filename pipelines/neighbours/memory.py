"""How much memory an index will take, known before it is built.

Owns the sizes of faiss' structures in bytes and the refusal of what does not fit.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.neighbours.settings import HnswConfig, IndexConfig, IvfPcaConfig, kept_dim

FLOAT32 = 4
ROW_ID = 8

HNSW_NODE_BYTES = 8 + 4
"""One offset and one level a node."""

HNSW_BUILD_BYTES = 8 + 4
"""One lock a node and its place in the order of insertion."""

LIST_SLACK = 1.5
"""Lists grow by doubling while vectors are added: they hold about one and a half times their content."""

PROCESS_BYTES = 2 << 30
"""What a worker's process and machine take beside an index: interpreter, libraries, the runner's own, some cache."""
ROW_BYTES = 512
"""What a row takes that is held while an index is built: its names, its links and their sorting."""

FIXES = {
    "exact": "index photos of fewer roles (index.roles)",
    "hnsw": "search by 'ivf_pca', which needs less (search.candidates, and index.kinds if it is set)",
    "ivf_pca": "index photos of fewer roles (index.roles), or search by 'exact' (search.candidates)",
    "binary": "search by 'ivf_pca', which needs less (search.candidates, and index.kinds if it is set)",
}
"""What a person can set, by the names of the configuration."""


class MemoryBudgetError(Exception):
    """Say that an index would not fit its budget."""


@dataclass(frozen=True)
class Prediction:
    """Hold the bytes that one kind needs: to be searched, and at most while it is built."""

    kind: str
    index_bytes: int
    build_bytes: int


def hnsw_bytes(num_vectors: int, dim: int, config: HnswConfig) -> int:
    """Return the bytes of one-byte codes and their ranges, links and projection.

    Levels above the lowest hold 1 in `links` nodes.
    """
    kept = kept_dim(num_vectors, dim, config.dim, config.train_rows)
    upper = config.links / max(1, config.links - 1)
    node = kept + 4 * (2 * config.links + upper) + HNSW_NODE_BYTES
    return int(num_vectors * node) + 2 * kept * FLOAT32 + _projection_bytes(dim, kept)


def ivf_pca_bytes(num_vectors: int, dim: int, config: IvfPcaConfig) -> int:
    """Return the bytes of one-byte codes and their ranges, row ids, centroids and projection."""
    kept = kept_dim(num_vectors, dim, config.dim, config.train_rows)
    centroids = config.num_lists(num_vectors) * kept * FLOAT32
    ranges = 2 * kept * FLOAT32
    return num_vectors * (kept + ROW_ID) + centroids + ranges + _projection_bytes(dim, kept)


def binary_bytes(num_codes: int, code_bytes: int) -> int:
    """Return the bytes of the memory-mapped codes and their rows."""
    return num_codes * (code_bytes + ROW_ID)


def _projection_bytes(dim: int, kept: int) -> int:
    return 0 if kept == dim else kept * (dim + 1) * FLOAT32


def predict(kind: str, num_vectors: int, dim: int, code_bytes: int, config: IndexConfig) -> Prediction:
    """Predict what `kind` needs for `num_vectors` of `dim` dimensions and codes of `code_bytes`.

    `index_bytes` is right within about 15 %; `build_bytes` is an upper bound above what the process holds already.
    """
    block = min(num_vectors, config.block_rows) * dim * FLOAT32 * 2
    if kind == "exact":
        return Prediction(kind, num_vectors * dim * 2, block)
    if kind == "binary":
        size = binary_bytes(num_vectors, code_bytes)
        return Prediction(kind, size, size + min(num_vectors, config.block_rows) * code_bytes)
    if kind == "hnsw":
        size = hnsw_bytes(num_vectors, dim, config.hnsw)
        kept = kept_dim(num_vectors, dim, config.hnsw.dim, config.hnsw.train_rows)
        # The projected sample, and once more while its blocks are joined; later, faiss' codes grow by doubling, and the
        # copy of one growth is alive beside the other.
        sample = min(num_vectors, config.hnsw.train_rows) * kept * FLOAT32 * 2
        growth = num_vectors * kept
        return Prediction(kind, size, max(sample, size + growth + num_vectors * HNSW_BUILD_BYTES) + block)
    if kind == "ivf_pca":
        size = ivf_pca_bytes(num_vectors, dim, config.ivf_pca)
        kept = kept_dim(num_vectors, dim, config.ivf_pca.dim, config.ivf_pca.train_rows)
        # The projected sample, once more while its blocks are joined, and once more in faiss' k-means.
        sample = min(num_vectors, config.ivf_pca.train_rows) * kept * FLOAT32 * 3
        return Prediction(kind, size, max(sample, int(size * LIST_SLACK)) + block)
    raise ValueError(f"no prediction for kind {kind!r}: choose from {', '.join(FIXES)}")


def build_ram(predictions: Iterable[Prediction], num_vectors: int) -> int:
    """Return the memory of a machine that builds these kinds, one after another."""
    return PROCESS_BYTES + num_vectors * ROW_BYTES + max((p.build_bytes for p in predictions), default=0)


def search_ram(predictions: Iterable[Prediction], num_vectors: int) -> int:
    """Return the memory of a machine that searches these kinds, which one process opens once."""
    return PROCESS_BYTES + num_vectors * ROW_BYTES + sum(p.index_bytes for p in predictions)


def check_budget(prediction: Prediction, budget_bytes: int) -> None:
    """Raise MemoryBudgetError when building or searching would need more than `budget_bytes`.

    Exact search counts only its blocks: the page cache may drop its vectors. Codes are counted whole, for a scan of
    codes that are not in memory runs at the speed of the disk.
    """
    searched = 0 if prediction.kind == "exact" else prediction.index_bytes
    needed = max(searched, prediction.build_bytes)
    if needed > budget_bytes:
        raise MemoryBudgetError(
            f"index kind {prediction.kind!r} needs about {needed:,} bytes ({prediction.index_bytes:,} to be searched, "
            f"{prediction.build_bytes:,} while it is built), the budget is {budget_bytes:,}: "
            f"{FIXES[prediction.kind]}, or set index.memory_bytes to at least {needed}"
        )
