"""A release of made-up vectors: its index is built by the stage, the rest is written as the other stages would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.index import stage
from pipelines.neighbours.query.searcher import Searcher
from pipelines.runs.sequence import run_stage
from pipelines.store import Log
from pipelines.store.folder import FolderStore
from tests.index.gallery import Gallery, Photo, digest_of

COUNT = 60
RELEASE = "20261128T131415Z-0123456789ab"


@dataclass(frozen=True)
class World:
    """A live release and what it must hold."""

    gallery: Gallery
    index_id: str

    @property
    def store(self) -> FolderStore:
        return self.gallery.store

    @property
    def config(self) -> Path:
        """A config of its store."""
        path = self.gallery.root.parent / "shop.toml"
        columns = 'item_id = "i"\nphotos = "p"\ncategory = "c"'
        uri = self.gallery.root.name
        path.write_text(f'[store]\nuri = "{uri}"\n[catalogue]\nsnapshot = "f.csv"\n[catalogue.columns]\n{columns}\n')
        return path

    def exact_top(self, vector: np.ndarray, k: int) -> list[tuple[str, str]]:
        """Return the item and photo of the best `k` pairs, by the index's own exact search; of equals by item."""
        searcher = Searcher.open(self.gallery.root / "indexes" / self.index_id, ())
        rows, items = searcher.parts.rows, searcher.rows.item_ids()
        found = searcher.parts.exact.search(vector[None], min(k, len(rows))).rows[0]
        links = [(row, link) for row in found for link in rows.links_of_rows(np.array([row]))]
        return tied(((items[rows.link_item[link]], bytes(rows.digests[row]).hex()) for row, link in links), k)


def normalised(vector: np.ndarray) -> np.ndarray:
    """Return a stored vector as a query: float32, of norm 1."""
    exact = vector.astype(np.float32)
    return exact / np.linalg.norm(exact)


ROUNDED = 5e-4
"""How far norms, and so scores, are moved by the float16 that vectors are kept in; what goes out is of norm 1."""


def same_top(world: World, vector: np.ndarray, found: list[tuple[str, str]], k: int = 10) -> bool:
    """Tell whether an engine's best `k` pairs are those of the exact index; at each rank, but for what is rounded."""
    score = {digest_of(n).hex(): float(world.gallery.vectors[n] @ vector) for n in range(len(world.gallery.vectors))}
    wanted = world.exact_top(vector, k)
    near = [abs(score[a] - score[b]) < ROUNDED for (_, a), (_, b) in zip(found, wanted, strict=True)]
    return all(near) and len(set(found)) == k


def tied(pairs: Iterable[tuple[str, str]], k: int) -> list[tuple[str, str]]:
    """Return the best `k` of more pairs of item and photo, best first; of equals by item.

    Pairs of one photo are equal; some come twice, for an item may list a photo under two addresses.
    """
    pairs = list(dict.fromkeys(pairs))
    rank = {photo: place for place, (_, photo) in reversed(list(enumerate(pairs)))}
    return sorted(pairs, key=lambda pair: (rank[pair[1]], pair[0]))[:k]


def release(gallery: Gallery, run_id: str = "r", release_id: str = RELEASE, **facts: Any) -> World:
    """Build the index of a run and make it the live release."""
    context = gallery.context(run_id, **facts)
    index_id = run_stage(context, "index", stage.run)["outputs"]["index_id"]
    manifest = {
        "release_id": release_id,
        "created_at": "2026-11-28T13:14:15+00:00",
        "run_id": run_id,
        "catalogue_id": run_id,
        "model": {"model_id": "model", "space_id": "space"},
        "index": {"index_id": index_id},
    }
    gallery.store.create_json(f"releases/{release_id}/manifest.json", manifest)
    log = Log(gallery.store, "live")
    log.append(log.head()[0] + 1, {"release_id": release_id, "action": "promote", "run_id": run_id})
    return World(gallery, index_id)


def shop(root: Path) -> Gallery:
    """One item a photo, but: 0 has three photos, 1 shows 0's, 2 lists its photo twice, 3 and 4 are variants.

    The photo of the last item has no vector, 5 is shown on the street besides, 6 has a second photo that is damaged.
    """
    photos = [Photo(f"item-{n:03}", 0 if n == 1 else n) for n in range(COUNT)]
    photos += [Photo("item-000", COUNT, position=1), Photo("item-000", COUNT + 1, position=2)]
    photos += [Photo("item-002", 2, position=1)]
    photos += [Photo("item-005", COUNT + 2, role="street"), Photo("item-006", COUNT + 3, code="truncated", position=1)]
    gallery = Gallery(root, photos, {"item-003": "pair", "item-004": "pair"}, rejected={COUNT - 1})
    gallery.prices = {f"item-{n:03}": float(n) for n in range(COUNT)}
    gallery.paths = {"item-011": ["all", "leaf 0"]}
    return gallery
