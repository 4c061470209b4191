"""What became of an item's photos behind the preprocess stage: vectors, the index, and who else has the same photo.

Reads one bucket of digests for each photo of the item, one row of a unit of vectors, and one bucket of the index.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow.compute as pc

from pipelines.hidden.settled import settled
from pipelines.models.facts import ModelFacts, read_facts
from pipelines.runs.outputs import PreprocessOutputs
from pipelines.store import NotFoundError, Store, StoreError, UnitTable
from pipelines.tables.alike import DISTANCE, numbers
from pipelines.tables.buckets import bucket_of, read_bucket
from pipelines.tables.schemas import INDEX_ITEMS, INDEX_LINKS, RESOLVED_PHOTOS, RESOLVED_VECTORS
from pipelines.tables.taxonomy import leaf_value, read_taxonomy
from pipelines.tables.variants import group_key, item_key, read_placeholders
from pipelines.trace.catalogued import rows_of_item
from pipelines.trace.facts import Leaf, Vector
from pipelines.trace.scope import Scope

COLUMNS = ["category_slots", "category_probabilities"]


@dataclass(frozen=True)
class Gallery:
    """The gallery of a scope."""

    store: Store
    scope: Scope
    buckets: int

    def holds(self, item_id: str) -> bool | None:
        """Tell whether the index holds an item; None where there is no index."""
        index_id = self.scope.index_id
        if index_id is None or not self.store.exists(f"indexes/{index_id}/index.json"):
            return None
        return bool(rows_of_item(self.store, f"indexes/{index_id}/items", item_id, self.buckets, INDEX_ITEMS))

    def was_hidden(self, item_id: str) -> bool:
        """Tell whether the index was built without an item because it was hidden."""
        name = self.scope.hidden
        return bool(name) and self.store.exists(name) and item_id in settled(self.store, name)["item_id"].to_pylist()

    def links(self, digest: bytes) -> list[dict[str, Any]] | None:
        """Return whose photo it is in the gallery (INDEX_LINKS); None where nothing was gathered, or it is gone."""
        folder = self.scope.links
        if folder is None or next(iter(self.store.list(folder)), None) is None:
            return None
        table = read_bucket(self.store, folder, bucket_of(digest, self.buckets), INDEX_LINKS)
        found: list[dict[str, Any]] = table.filter(pc.equal(table["digest"], digest)).to_pylist()
        return found

    def vector(self, digest: bytes) -> Vector | None:
        """Return where a photo's vector is, or why it has none; None where nothing was embedded."""
        embed = self.scope.vectors
        if embed is None:
            return None
        table = read_bucket(self.store, embed.vectors, bucket_of(digest, self.buckets), RESOLVED_VECTORS)
        for row in table.filter(pc.equal(table["digest"], digest)).to_pylist():
            leaves = () if row["code"] else self._leaves(embed.space_id, row)
            return Vector(row["model_id"] or "", row["unit_id"] or "", row["row"], row["code"], leaves)
        return None

    def leaf(self, category: tuple[str, ...]) -> Leaf | None:
        """Return an item's leaf as the plan sees it; None of an item without a category."""
        if not category:
            return None
        value = leaf_value(category)
        slot = self._slots.get(value)
        return Leaf(value, slot, None if self._model is None else slot in self._model.leaf.trained)

    def is_variant(self, item_id: str, group_id: str) -> bool:
        """Tell whether an item is a variant, of which a search may show one: some group_ids are placeholders."""
        outputs = self.scope.outputs(PreprocessOutputs)
        unmeant = read_placeholders(self.store, outputs.placeholders) if outputs else frozenset()
        return bool(group_id) and group_key(group_id) not in unmeant and item_key(item_id) not in unmeant

    def alike(self, item_id: str, hashes: Mapping[str, bytes]) -> dict[str, tuple[str, ...]]:
        """Return by uri the other items of the run with a photo that looks the same; `hashes` are by uri.

        Nothing keeps photos by their look: two columns of all buckets are read, one bucket at a time.
        """
        found: dict[str, set[str]] = {uri: set() for uri in hashes}
        columns = ["item_id", "phash"]
        for bucket in range(self.buckets if self.scope.photos else 0):
            table = read_bucket(self.store, self.scope.photos or "", bucket, RESOLVED_PHOTOS, columns)
            table = table.filter(pc.is_valid(table["phash"]))
            looks = numbers(table["phash"])
            for uri, phash in hashes.items():
                own = np.uint64(int.from_bytes(phash, "big"))
                near = np.flatnonzero(np.bitwise_count(looks.astype(np.uint64) ^ own) <= DISTANCE)
                found[uri] |= {*table["item_id"].take(near).to_pylist()} - {item_id}
        return {uri: tuple(sorted(items)) for uri, items in found.items()}

    @cached_property
    def _model(self) -> ModelFacts | None:
        try:
            return read_facts(self.store, self.scope.model_id) if self.scope.model_id else None
        except NotFoundError:
            return None

    @cached_property
    def _slots(self) -> Mapping[str, int]:
        slots: Mapping[str, int] = read_taxonomy(self.store)["leaves"]
        return slots

    def _leaves(self, space_id: str, row: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
        """Return the leaves that the model takes a photo for, with their probabilities; they stand last in its row."""
        table = UnitTable(self.store, f"embeddings/{space_id}/{row['model_id']}")
        try:
            (kept,) = table.read_rows(row["unit_id"], [row["row"]], COLUMNS).to_pylist()
        except StoreError:  # the vector is in the index all the same
            return ()
        top = len(kept[COLUMNS[0]]) // (len(self._model.levels) + 1) if self._model else 0
        names = {slot: value for value, slot in self._slots.items()}
        pairs = list(zip(*(kept[name] for name in COLUMNS), strict=True))
        best = pairs[len(pairs) - top :]
        return tuple((names.get(slot, str(slot)), round(share, 4)) for slot, share in best if slot >= 0 and share > 0)
