"""An opened index: photos or items in, the shop's items out.

Owns the loading of an index folder and searches by stored vector. Rows never leave: answers are `Result`s.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pipelines.models.outputs import AttributeScores, QueryOutputs
from pipelines.models.weights import Weights
from pipelines.neighbours.folder import TOP_PROBABILITIES, TOP_SLOTS, VECTORS
from pipelines.neighbours.kinds.base import VectorIndex, blocks, mapped
from pipelines.neighbours.kinds.binary import BinaryIndex
from pipelines.neighbours.kinds.exact import ExactIndex
from pipelines.neighbours.kinds.factory import vector_index
from pipelines.neighbours.manifest import config_of, read_manifest
from pipelines.neighbours.query.exclusion import Exclusion, Only
from pipelines.neighbours.query.explained import Explained, explain
from pipelines.neighbours.query.facets import Facets, facets
from pipelines.neighbours.query.filters import Filter, Filters
from pipelines.neighbours.query.not_alike import NotAlike
from pipelines.neighbours.query.parts import UNCALIBRATED_MASS, Parts
from pipelines.neighbours.query.plan import PlanResult, QueryPlan
from pipelines.neighbours.query.standing import Stander, Standing
from pipelines.neighbours.results import Result
from pipelines.neighbours.rows import Rows, UnknownItemError
from pipelines.neighbours.settings import PlanConfig, weighed
from pipelines.tables.apart import NOTHING_APART, Apart
from pipelines.tables.arrays import Floats, Ints

ITEM_BLOCK = 1_024

LISTED_WEIGHT = 0.5
"""A stored photo's category is half what its item is listed as, half what the model says."""


class _Open:
    """The pieces of an index with what may be found at one time, and what was made for it: plans and filters."""

    def __init__(self, parts: Parts, apart: Apart) -> None:
        self.parts, self.apart = parts, apart
        self._not_alike = NotAlike(parts.rows, parts.vectors, apart)
        self._filters = Filters(parts.rows, parts.live_links)
        self._plans: dict[str, QueryPlan] = {}

    @cached_property
    def facets(self) -> Facets:
        return facets(self.parts.rows, self.parts.live_links)

    def only(self, wanted: Filter | None) -> Only | None:
        return None if wanted is None else self._filters.only(wanted)

    def exclusions(self, embeddings: Floats, filters: Sequence[Filter | None]) -> list[Exclusion]:
        """Return what each photo must not find: what its filter leaves out (none: no filters), and what is apart."""
        found = self._not_alike.of_photos(embeddings)
        return [
            Exclusion(rows=rows, only=self.only(wanted), apart=items)
            for (items, rows), wanted in zip(found, filters or [None] * len(found), strict=True)
        ]

    def apart_from(self, item: int) -> Exclusion:
        items, rows = self._not_alike.of_item(item)
        return Exclusion(rows=rows, apart=items)

    def run(
        self, config: PlanConfig, outputs: QueryOutputs, k: int, exclusions: Sequence[Exclusion] | None = None
    ) -> PlanResult:
        plan = self._plans.get(repr(config))
        if plan is None:
            plan = self._plans[repr(config)] = QueryPlan(self.parts, config)
        return plan.run(outputs, k, exclusions)


class Searcher:
    """Answer queries from one index folder."""

    def __init__(
        self,
        folder: Path,
        kinds: Collection[str] | None = None,
        dead_items: Collection[str] = (),
        apart: Apart = NOTHING_APART,
    ) -> None:
        self.manifest: dict[str, Any] = read_manifest(folder)
        self._folder = folder
        config, dim = config_of(self.manifest), self.manifest["dim"]
        self.vectors = mapped(folder / VECTORS)
        self.rows = Rows(folder, self.manifest["vocabulary"])
        exact, indexes, binary = ExactIndex(), dict[str, VectorIndex](), None
        exact.load(folder, self.vectors)
        for kind in config.kinds if kinds is None else [kind for kind in config.kinds if kind in kinds]:
            if kind == "binary":
                binary = BinaryIndex()
                binary.load(folder / kind)
            elif kind != "exact":
                indexes[kind] = vector_index(kind, config, dim)
                indexes[kind].load(folder / kind, self.vectors)
        trained = self.manifest["trained_slots"]
        trained_slots = None if trained is None else np.array(trained, np.int64)
        live = self.rows.live_links(dead_items)
        mass = self.manifest.get("category_mass")
        mass = UNCALIBRATED_MASS if mass is None else float(mass)
        weights = Weights.of_json(self.manifest.get("ranking"))
        parts = Parts(self.vectors, self.rows, exact, indexes, binary, trained_slots, live, mass, weights)
        self._open = _Open(parts, apart)

    @classmethod
    def open(
        cls,
        folder: Path,
        kinds: Collection[str] | None = None,
        dead_items: Collection[str] = (),
        apart: Apart = NOTHING_APART,
    ) -> "Searcher":
        """Open an index folder with all its kinds or the named ones.

        `dead_items` are never found: what was sold or hidden since the build; what is `apart` not for one another.
        Raises IndexFolderError.
        """
        return cls(folder, kinds, dead_items, apart)

    @property
    def parts(self) -> Parts:
        """Return the opened pieces."""
        return self._open.parts

    @property
    def facets(self) -> Facets:
        """Return what there is to filter by."""
        return self._open.facets

    def hide(self, dead_items: Collection[str]) -> None:
        """Find these items no more, and those again that were hidden before; searches in flight end as they began."""
        self._open = _Open(replace(self.parts, live_links=self.rows.live_links(dead_items)), self._open.apart)

    def keep_apart(self, apart: Apart) -> None:
        """Show these pairs not for one another, and those again that were apart; searches in flight end as they began.

        Whose query a photo is tells its likeness: an item's own is found by the vectors of the index.
        """
        self._open = _Open(self.parts, apart)

    def search(
        self, outputs: QueryOutputs, k: int, plan: PlanConfig, filters: Sequence[Filter | None] = ()
    ) -> list[list[Result]]:
        """Return the best `k` results of each photo, best first, each as its filter says (none: no filters).

        Raises UnknownFilterError.
        """
        opened = self._open
        exclusions = opened.exclusions(outputs.embeddings, filters)
        return self._results(opened.run(plan, outputs, k, exclusions), outputs)

    def explain(
        self, outputs: QueryOutputs, k: int, plan: PlanConfig, wanted: Filter | None = None
    ) -> tuple[list[Result], Explained]:
        """Return the best `k` results of one photo, and how the plan came to them. Raises UnknownFilterError."""
        opened = self._open
        [exclusion] = opened.exclusions(outputs.embeddings, [wanted])
        result = opened.run(plan, outputs, k, [exclusion])
        return self._results(result, outputs)[0], explain(opened.parts, plan, outputs, exclusion, result)

    def standing(
        self, outputs: QueryOutputs, item_id: str, k: int, plan: PlanConfig, wanted: Filter | None = None
    ) -> Standing:
        """Return where an item stands in the search by one photo. Raises UnknownItemError and UnknownFilterError."""
        opened = self._open
        [exclusion] = opened.exclusions(outputs.embeddings, [wanted])
        return Stander(opened.parts, plan, outputs, k, exclusion).standing(self.rows.item(item_id))

    def search_items(
        self,
        item_ids: Sequence[str],
        k: int,
        plan: PlanConfig,
        *,
        leave_out_duplicates: bool = True,
        leave_out_variants: bool = True,
        wanted: Filter | None = None,
    ) -> list[list[Result]]:
        """Return what looks like the first photo of each item, by stored vector, the item itself left out.

        Duplicates share a photo with it, variants its group. Raises UnknownItemError and UnknownFilterError.
        """
        opened = self._open
        only = opened.only(wanted)
        items = np.array([self.rows.item(item_id) for item_id in item_ids], np.int64)
        results: list[list[Result]] = []
        for part in blocks(len(items), ITEM_BLOCK):
            exclusions = [
                self._exclusion(opened.apart_from(int(item)), int(item), leave_out_duplicates, leave_out_variants)
                for item in items[part]
            ]
            outputs = self.stored_outputs(items[part], plan)
            found = opened.run(plan, outputs, k, [replace(e, only=only) for e in exclusions])
            results += self._results(found, outputs)
        return results

    def item(self, item_id: str) -> list[Result]:
        """Return an item as results show it, once for each of its photos, the first first, each with a score of 1.

        Raises UnknownItemError, also for an item that may not be found.
        """
        links = self.rows.links_of_item(self.rows.item(item_id))
        links = links[self.parts.live_links[links]]
        if not len(links):
            raise UnknownItemError(f"item {item_id!r} is in the index, but may not be shown")
        return self.rows.results([links], [np.ones(len(links))])[0]

    def run(self, outputs: QueryOutputs, k: int, plan: PlanConfig) -> PlanResult:
        """Return the links and statistics of a search: for measuring inside this package."""
        return self._open.run(plan, outputs, k)

    def stored_outputs(self, items: Ints, plan: PlanConfig) -> QueryOutputs:
        """Return what a model said of the first photo of `items` (numbers), as far as the index keeps it."""
        links = np.array([self.rows.links_of_item(int(item))[0] for item in items], np.int64)
        stored = self.rows.link_row[links]
        hashes = self.parts.binary.codes_of(stored) if self.parts.binary else None
        embeddings = np.asarray(self.vectors[stored], np.float32)
        plan = weighed(plan, self.parts.weights)
        names = plan.attribute_weights or {}
        attributes = {name: self._listed(name, links) for name in names if name in self.rows.attributes}
        return QueryOutputs(embeddings, hashes, self._stored_probabilities(links, stored, plan), attributes)

    def _results(self, result: PlanResult, outputs: QueryOutputs) -> list[list[Result]]:
        """Return the results in the plan's order with their similarities, not with what weights made of them."""
        similarities = [
            np.minimum(np.asarray(self.vectors[self.rows.link_row[links]], np.float32) @ vector, 1.0)
            for links, vector in zip(result.links, outputs.embeddings, strict=True)
        ]
        return self.rows.results(result.links, similarities)

    def _exclusion(self, apart: Exclusion, item: int, duplicates: bool, variants: bool) -> Exclusion:
        rows, items, groups = self.rows, np.array([item]), np.zeros(0, np.int64)
        own = rows.links_of_item(item)
        if duplicates:
            items = np.unique(rows.link_item[rows.links_of_rows(np.unique(rows.link_row[own]))])
        if variants:
            groups = np.unique(rows.link_group[own])
        return replace(apart, items=items.astype(np.int64), groups=groups.astype(np.int64))

    def _stored_probabilities(self, links: Ints, stored: Ints, plan: PlanConfig) -> Floats | None:
        if self.parts.binary is None and not plan.category_weight:
            return None
        listed = np.asarray(self.rows.link_slot[links])
        top, probabilities = self._top(stored)
        scanned = listed if self.parts.binary is None else self.parts.binary.slots
        width = 1 + int(max(scanned.max(initial=0), top.max(initial=0)))
        dense = np.zeros((len(links), width), np.float32)
        query, column = np.nonzero((top >= 0) & (probabilities > 0))
        share = 1 - LISTED_WEIGHT if top.size else 0
        dense[query, top[query, column]] = share * probabilities[query, column]
        known = np.flatnonzero(listed >= 0)
        dense[known, listed[known]] += 1 - share
        return dense

    def _top(self, stored: Ints) -> tuple[Any, Any]:
        if not (self._folder / TOP_SLOTS).exists():
            return np.zeros((len(stored), 0), np.int64), np.zeros((len(stored), 0), np.float32)
        slots = mapped(self._folder / TOP_SLOTS)[stored]
        return np.asarray(slots, np.int64), mapped(self._folder / TOP_PROBABILITIES)[stored]

    def _listed(self, name: str, links: Ints) -> AttributeScores:
        values, codes = self.rows.attributes[name]
        found = np.asarray(codes[links])
        # An item without the attribute asks for nothing: one half is worth 0 in the ranking.
        probabilities = np.full((len(links), len(values)), 0.5, np.float32)
        known = np.flatnonzero(found >= 0)
        probabilities[known] = 0
        probabilities[known, found[known]] = 1
        return AttributeScores(values, probabilities)
