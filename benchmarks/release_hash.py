"""The learned hash against LSH, ITQ, PQ and RaBitQ at equal bits, on the embeddings of one store's live release.

    python -m benchmarks.release_hash --config infra/environments/fashion60.toml

Photos of the test split search each other, their own left out: neither the model nor any hash has learned from what is
asked or found. All but LSH learn from the train split. One row a method and number of bits: mean average precision at
100 by leaf category, precision at 10 by leaf and by leaf and attribute, each by the code alone and after the best 100
are scored again on the embeddings; and which share of the ten nearest by the embeddings is among the first 10 and 100
of the code, which is all that the others are made for. The last result stays in benchmarks/results/. Expected: the
learned code above LSH, ITQ (up to 512 bits), PQ and RaBitQ (from 128 bits on) in mAP, and after the re-rank at least
95 % of exact search in leaf and attribute; `checks` says what was reached.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from pipelines.config import load_config
from pipelines.neighbours.query.searcher import Searcher
from pipelines.releases.live import live_release_id
from pipelines.releases.release import read_release
from pipelines.store import Log, Store, UnitTable, open_store
from trainer.config import LEAF
from trainer.hashing import build_hash_head, fit_hash_head
from trainer.heads import loss_weights

RESULTS = Path(__file__).parent / "results"
BITS = (64, 128, 256, 512, 1024, 2048, 4096)
MOST_ITQ_BITS = 512
DEPTH, SEED = 100, 1
RIVALS = ("lsh", "itq", "pq", "rabitq")

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Search = Callable[[], Ints]


@dataclass(frozen=True)
class Labelled:
    """Embeddings `[n, dim]` with their leaf and attribute, int64 `[n]` each, -1 where there is none."""

    vectors: Floats
    leaf: Ints
    attribute: Ints


@dataclass(frozen=True)
class Data:
    """What hashes learn from, and what nothing has learned from: the queries, and the gallery of all others of them."""

    train: Labelled
    unseen: Labelled


def read(config_path: str, attribute: str) -> Data:
    """Read the live release's vectors, labels and splits."""
    config = load_config(config_path)
    store = open_store(config.store.uri)
    release_id = live_release_id(store)
    assert release_id, f"{store.uri} has no live release"
    with store.stage_in(f"indexes/{read_release(store, release_id).index_id}") as folder:
        searcher = Searcher.open(folder, ())
        rows, splits = searcher.rows, read_splits(store)
        ids = rows.item_ids()
        first = np.asarray(rows.link_offsets[:-1])
        split = np.array([splits.get(ids[item], "") for item in rows.link_item[first]])
        leaf = np.asarray(rows.link_slot[first], np.int64)
        value = np.asarray(rows.attributes[attribute][1][first], np.int64)
        vectors = np.asarray(searcher.vectors, np.float32)
    train, test = (np.flatnonzero((split == name) & (leaf >= 0)) for name in ("train", "test"))
    return Data(*(Labelled(vectors[rows], leaf[rows], value[rows]) for rows in (train, test)))


def read_splits(store: Store) -> dict[str, str]:
    """Return the split of every item, that of the first entry which settled it."""
    table, found = UnitTable(store, "splits"), dict[str, str]()
    for _, entry in Log(store, "splits/log").entries():
        for unit_id in entry["units"]:
            for row in table.read_keys(unit_id).select(["item_id", "split"]).to_pylist():
                found.setdefault(row["item_id"], row["split"])
    return found


def recall(found: Ints, nearest: Ints) -> dict[str, float]:
    """Return which share of the ten `nearest` rows is among the first 10 and 100 `found`."""
    ten = nearest[:, :10, None]
    counts = {depth: (ten == found[:, None, :depth]).any(axis=2).mean() for depth in (10, DEPTH)}
    return {f"nearest_10_in_{depth}": round(float(share), 4) for depth, share in counts.items()}


def quality(data: Data, found: Ints) -> dict[str, float]:
    """Return mAP@100 and P@10 by leaf, and P@10 by leaf and attribute, of `found` rows `[queries, 100]`."""
    unseen = data.unseen
    same = unseen.leaf[found] == unseen.leaf[:, None]
    alike = same & (unseen.attribute[found] == unseen.attribute[:, None])
    total = np.minimum(np.bincount(unseen.leaf)[unseen.leaf] - 1, DEPTH)
    precisions = np.cumsum(same, axis=1) / np.arange(1, same.shape[1] + 1)
    known = total > 0
    average = (precisions * same).sum(axis=1)[known] / total[known]
    return {
        "map_at_100": round(float(average.mean()), 4),
        "p_at_10": round(float(same[:, :10].mean()), 4),
        "leaf_attribute_p_at_10": round(float(alike[:, :10].mean()), 4),
    }


def others(found: Ints) -> Ints:
    """Return the best 100 rows of each query, itself (row n of query n) left out, given its best 101."""
    own = found == np.arange(len(found))[:, None]
    own[~own.any(axis=1), -1] = True  # it is not among them: the last goes instead
    return found[~own].reshape(len(found), -1)


def reranked(data: Data, found: Ints) -> Ints:
    """Return the rows of each query, best embedding first."""
    scores = np.einsum("qkd,qd->qk", data.unseen.vectors[found], data.unseen.vectors)
    return np.take_along_axis(found, np.argsort(-scores, axis=1), axis=1)


def exact(data: Data) -> Ints:
    """Return the best rows by inner product."""
    index = faiss.IndexFlatIP(data.unseen.vectors.shape[1])
    index.add(data.unseen.vectors)
    return others(index.search(data.unseen.vectors, DEPTH + 1)[1])


def hamming(codes: npt.NDArray[np.bool_]) -> Ints:
    """Return the best rows by Hamming distance."""
    packed = np.packbits(codes, axis=1)
    index = faiss.IndexBinaryFlat(codes.shape[1])
    index.add(packed)
    return others(np.asarray(index.search(packed, DEPTH + 1)[1], np.int64))


def lsh(data: Data, bits: int) -> Ints:
    """Signs of random projections."""
    planes = np.random.default_rng(SEED).normal(size=(data.unseen.vectors.shape[1], bits)).astype(np.float32)
    return hamming(data.unseen.vectors @ planes > 0)


def itq(data: Data, bits: int) -> Ints:
    """Iterative quantisation (Gong and Lazebnik 2011) after PCA."""
    dim = data.train.vectors.shape[1]
    transform = faiss.ITQTransform(dim, bits, bits < dim)
    transform.train(data.train.vectors)
    return hamming(transform.apply(data.unseen.vectors) > 0)


def pq(data: Data, bits: int) -> Ints:
    """Product quantisation, asymmetric distances (Jegou et al. 2011)."""
    index = faiss.IndexPQ(data.train.vectors.shape[1], bits // 8, 8, faiss.METRIC_INNER_PRODUCT)
    index.train(data.train.vectors)
    index.add(data.unseen.vectors)
    return others(np.asarray(index.search(data.unseen.vectors, DEPTH + 1)[1], np.int64))


def rabitq(data: Data, bits: int) -> Ints:
    """RaBitQ (Gao and Long 2024, arXiv 2405.12497): of all dimensions as many bits as fit, else of the first by PCA."""
    whole = data.unseen.vectors.shape[1]
    shapes = [(whole, each) for each in range(9, 0, -1)] + [(dim, 1) for dim in range(whole - 8, 0, -8)]
    dim, each = next(shape for shape in shapes if rabitq_bits(*shape) <= bits)
    index = faiss.IndexPreTransform(faiss.IndexRaBitQ(dim, faiss.METRIC_L2, each))
    index.prepend_transform(faiss.RandomRotationMatrix(dim, dim))
    if dim < whole:
        index.prepend_transform(faiss.PCAMatrix(whole, dim))
    index.train(data.train.vectors)
    index.add(data.unseen.vectors)
    return others(np.asarray(index.search(data.unseen.vectors, DEPTH + 1)[1], np.int64))


def rabitq_bits(dim: int, each: int) -> int:
    """Return how many bits a vector takes, with the numbers that its distances are corrected by."""
    return 8 * int(faiss.IndexRaBitQ(dim, faiss.METRIC_L2, each).code_size)


def learned(data: Data, bits: int, steps: int) -> Ints:
    """The pipeline's head, trained as the pipeline trains it."""
    train = data.train
    slots = {LEAF: train.leaf.astype(np.int32), "attr_0": train.attribute.astype(np.int32)}
    classes = {name: int(values.max()) + 1 for name, values in slots.items()}
    head = build_hash_head(bits, SEED)
    weights = loss_weights(list(slots), 0.3)
    fit_hash_head(head, train.vectors, slots, classes, weights, minutes=0, steps=steps, seed=SEED)
    return hamming(head.predict(data.unseen.vectors, batch_size=1024, verbose=0) > 0)


def checks(table: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what was wanted of the learned codes, and whether it was reached, by number of bits."""
    found, by_name = [], {(row["method"], row["bits"]): row for row in table}
    best = next(row for row in table if row["method"] == "exact")["code"]["leaf_attribute_p_at_10"]
    for (method, bits), row in by_name.items():
        if method != "learned":
            continue
        rivals = [by_name[name, bits]["code"]["map_at_100"] for name in RIVALS if (name, bits) in by_name]
        values = (
            (f"mAP@100 at {bits} bits, above LSH, ITQ, PQ and RaBitQ", row["code"]["map_at_100"], max(rivals)),
            (f"leaf and attribute at {bits} bits, re-ranked", row["reranked"]["leaf_attribute_p_at_10"], 0.95 * best),
        )
        found += [{"what": w, "value": v, "wanted": round(x, 4), "reached": v >= x} for w, v, x in values]
    return found


def measure(data: Data, steps: int, bits: tuple[int, ...]) -> dict[str, Any]:
    """Return the table: exact search, then every method by bits."""
    dim = data.unseen.vectors.shape[1]
    nearest = exact(data)
    table: list[dict[str, Any]] = [{"method": "exact", "bits": 32 * dim, "code": quality(data, nearest)}]
    for width in bits:
        methods: dict[str, Search] = {"lsh": partial(lsh, data, width)}
        if width <= min(dim, MOST_ITQ_BITS):
            methods["itq"] = partial(itq, data, width)
        if width // 8 <= dim and dim % (width // 8) == 0:
            methods["pq"] = partial(pq, data, width)
        if width > rabitq_bits(8, 1):
            methods["rabitq"] = partial(rabitq, data, width)
        methods["learned"] = partial(learned, data, width, steps)
        for name, search in methods.items():
            found = search()
            row = {"code": quality(data, found), "reranked": quality(data, reranked(data, found))}
            row["recall"] = recall(found, nearest)
            table.append({"method": name, "bits": width, **row})
            print(json.dumps(table[-1]), flush=True)
    return {
        "learned_from": len(data.train.vectors),
        "queries_and_gallery": len(data.unseen.vectors),
        "steps": steps,
        "table": table,
        "checks": checks(table),
    }


def main() -> None:
    """Measure and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="infra/environments/fashion60.toml")
    parser.add_argument("--attribute", default="colour")
    parser.add_argument("--steps", type=int, default=400, help="of the training of each learned head")
    parser.add_argument("--bits", type=int, nargs="*", default=BITS)
    args = parser.parse_args()
    result = measure(read(args.config, args.attribute), args.steps, tuple(args.bits))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "hash.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
