"""A release, opened for searching: its model, its index and the plan of the config.

Owns the way from queries to answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType

import numpy as np

from pipelines.config import Config
from pipelines.config.loading import SAMPLE
from pipelines.curated import read_curated
from pipelines.errors import StageError
from pipelines.hidden import Hidden, read_hidden
from pipelines.models.facts import read_facts
from pipelines.models.outputs import QueryOutputs
from pipelines.models.query_model import QueryModel, opened
from pipelines.neighbours.manifest import IndexFolderError
from pipelines.neighbours.query.explained import Explained
from pipelines.neighbours.query.facets import Facets
from pipelines.neighbours.query.filters import Filter
from pipelines.neighbours.query.plan import QueryPlan
from pipelines.neighbours.query.ranking import UnknownAttributeError
from pipelines.neighbours.query.searcher import Searcher
from pipelines.neighbours.query.standing import Standing
from pipelines.neighbours.recipes import plan_of
from pipelines.neighbours.results import Result
from pipelines.neighbours.rows import UnknownItemError
from pipelines.releases.live import live_release, live_release_id, nothing_live
from pipelines.releases.release import Release, read_release
from pipelines.search.answers import Answer
from pipelines.search.photos import QueryPhoto, list_queries, prepare_queries
from pipelines.store import Store, open_store
from pipelines.tables.absences import retired
from pipelines.tables.apart import Apart
from pipelines.tables.spelling import trimmed, visible
from pipelines.tables.taxonomy import read_taxonomy
from transforms.image import prepare_query
from transforms.photo import Box

BATCH = 64


class SearchEngine:
    """One release that answers queries. The model is loaded at the first photo; items need none."""

    def __init__(
        self,
        config: Config,
        store: Store,
        release: Release,
        hidden: Hidden | None = None,
        apart: Apart | None = None,
    ) -> None:
        """Take what is `hidden` and `apart`, None for what the store says now.

        Who follows that calls `hide` and `keep_apart`.
        """
        self.release, self._store, self._config = release, store, config
        gone = retired(store, release.catalogue_number, config.train.retire_after_days)
        self.facts = read_facts(store, release.model_id).without(gone)
        self._stack = ExitStack()
        try:
            folder = self._stack.enter_context(store.stage_in(f"indexes/{release.index_id}"))
            self._plan = plan_of(config)
            self._hidden = read_hidden(store) if hidden is None else hidden
            apart = read_curated(store).apart if apart is None else apart
            self._searcher = Searcher.open(folder, self._plan.kinds, self._hidden.item_ids, apart)
            QueryPlan(self._searcher.parts, self._plan)
        except (IndexFolderError, ValueError) as error:
            raise StageError(f"index {release.index_id} cannot be searched: {error}") from error
        space_id = self._searcher.manifest["space_id"]
        if space_id != self.facts.space_id:
            raise StageError(
                f"index {release.index_id} is of the space {space_id}, model {release.model_id} of "
                f"{self.facts.space_id}; their vectors cannot be compared, build the release again"
            )

    @classmethod
    def open(cls, config: Config, store: Store, release_id: str | None = None) -> SearchEngine:
        """Open a release, the live one if none is named. Raises StageError when nothing is live."""
        release = read_release(store, release_id) if release_id else live_release(store)
        if release is None:
            raise StageError(_told_of_none(store))
        return cls(config, store, release)

    def __enter__(self) -> SearchEngine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stack.close()

    def search_photos(self, paths: Iterable[Path], k: int) -> Iterator[Answer]:
        """Yield an answer for every file, and for every image file below every folder, as they are done."""
        for photos in prepare_queries(list_queries(paths), self.facts.spec, self._config.preprocess.limits, BATCH):
            yield from self._answer_photos(photos, k)

    def search_items(self, item_ids: Sequence[str], k: int) -> Iterator[Answer]:
        """Yield what looks like each item; itself, its duplicates and its variants are left out."""
        for item_id in item_ids:
            if why := self._hidden.items.get(visible(trimmed(item_id))):
                detail = f"hidden since {why.at} by {why.by}: {why.reason}; `visual-search unhide` shows it again"
                yield Answer(item_id, self.release.release_id, code="hidden", detail=detail)
                continue
            try:
                results = self.similar(item_id, k)
            except UnknownItemError as error:
                yield Answer(item_id, self.release.release_id, code="unknown_item", detail=str(error))
            else:
                yield self._answer(item_id, results)

    def prepare(self, data: bytes, box: Box | None = None) -> bytes:
        """Return a photo, or what a box of it shows, as the model takes it: a JPEG. Raises BadPhoto."""
        return prepare_query(data, self.facts.spec, self._config.preprocess.limits, box)

    def outputs(self, jpegs: Sequence[bytes]) -> QueryOutputs:
        """Return what the model says of prepared photos, in one forward pass. Raises StageError."""
        outputs = self._model(jpegs)
        if not np.isfinite(outputs.embeddings).all():
            raise StageError(f"model {self.facts.model_id} gives embeddings that are not finite; roll back or retrain")
        return outputs

    def found(self, outputs: QueryOutputs, k: int, filters: Sequence[Filter | None] = ()) -> list[list[Result]]:
        """Return the best `k` results of each photo, each as its filter says. Raises UnknownFilterError, StageError."""
        try:
            return self._searcher.search(outputs, k, self._plan, filters)
        except UnknownAttributeError as error:
            raise StageError(str(error)) from error

    def explained(self, outputs: QueryOutputs, k: int, wanted: Filter | None = None) -> tuple[list[Result], Explained]:
        """Return the best `k` results of one photo, and how they were found. Raises as `found` does."""
        try:
            return self._searcher.explain(outputs, k, self._plan, wanted)
        except UnknownAttributeError as error:
            raise StageError(str(error)) from error

    @cached_property
    def leaves(self) -> Mapping[int, str]:
        """The path of each leaf category, by its slot."""
        return {slot: value for value, slot in read_taxonomy(self._store)["leaves"].items()}

    @property
    def facets(self) -> Facets:
        """What there is to filter by."""
        return self._searcher.facets

    def similar(self, item_id: str, k: int, wanted: Filter | None = None) -> list[Result]:
        """Return what looks like an item; itself, its duplicates and its variants are left out.

        Raises UnknownItemError and UnknownFilterError.
        """
        [results] = self._searcher.search_items([visible(trimmed(item_id))], k, self._plan, wanted=wanted)
        return results

    def item(self, item_id: str) -> list[Result]:
        """Return an item as results show it, once for each of its photos, the first first. Raises UnknownItemError."""
        return self._searcher.item(visible(trimmed(item_id)))

    def hide(self, item_ids: Collection[str]) -> None:
        """Find these items no more, and those again that were hidden before."""
        self._searcher.hide(item_ids)

    def keep_apart(self, apart: Apart) -> None:
        """Show these pairs not for one another, and those again that were apart before."""
        self._searcher.keep_apart(apart)

    def ask(self, path: Path) -> tuple[QueryPhoto, QueryOutputs | None]:
        """Return one file prepared as a query, and what the model says of it; None of what is no photo."""
        ((photo,),) = prepare_queries([path], self.facts.spec, self._config.preprocess.limits, 1)
        return photo, None if photo.code else self.outputs([photo.jpeg])

    def standing(self, outputs: QueryOutputs, item_id: str, k: int, wanted: Filter | None = None) -> Standing:
        """Return where an item stands in the search by one photo.

        Raises UnknownItemError, UnknownFilterError and StageError.
        """
        try:
            return self._searcher.standing(outputs, visible(trimmed(item_id)), k, self._plan, wanted)
        except UnknownAttributeError as error:
            raise StageError(str(error)) from error

    @cached_property
    def _model(self) -> QueryModel:
        return self._stack.enter_context(opened(self._store, self.facts))

    def _answer_photos(self, photos: Sequence[QueryPhoto], k: int) -> Iterator[Answer]:
        good = [photo for photo in photos if not photo.code]
        found = iter(self.found(self.outputs([photo.jpeg for photo in good]), k) if good else ())
        for photo in photos:
            if photo.code:
                yield Answer(photo.query, self.release.release_id, code=photo.code, detail=photo.detail)
            else:
                yield self._answer(photo.query, next(found), photo.jpeg)

    def _answer(self, query: str, results: list[Result], photo: bytes = b"") -> Answer:
        return Answer(query, self.release.release_id, results, photo=photo)


def _told_of_none(store: Store) -> str:
    """Return that a store has no live release and what makes one, and that its sample has one where that is so."""
    told = nothing_live(store)
    if live_release_id(open_store(f"{store.uri}{SAMPLE}")) is None:
        return told
    return f"{told}. The sample of `run --limit` has one: --sample looks into that"
