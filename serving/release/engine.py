"""A release's search engine, as the service looks into it before it lets it answer."""

from __future__ import annotations

import io
from collections.abc import Collection
from functools import cached_property

import numpy as np
import pyarrow as pa
from PIL import Image

from pipelines.config import Config
from pipelines.hidden import Hidden
from pipelines.models.query_model import QueryModel
from pipelines.releases.release import Release
from pipelines.search.engine import SearchEngine
from pipelines.store import Store
from pipelines.tables.apart import NOTHING_APART
from pipelines.tables.arrays import Floats
from serving.release.models import Models

GREY = (160, 160, 160)


class Engine(SearchEngine):
    """A search engine that tells what it holds. Safe to share between threads once a photo was asked."""

    def __init__(self, config: Config, store: Store, release: Release, models: Models) -> None:
        """Hide nothing, keep nothing apart: that is followed, and told before the release answers."""
        super().__init__(config, store, release, Hidden(), NOTHING_APART)
        self._models = models

    @cached_property
    def _model(self) -> QueryModel:
        first = [self.blank] * self._config.serving.batch
        loaded = self._models.take(self._store, self.release, first)
        self._stack.callback(self._models.give_back, self.release)
        return QueryModel(self.facts, loaded)

    @property
    def counts(self) -> dict[str, int]:
        """How many vectors, items and photos of items there are."""
        return {name: int(self._searcher.manifest["counts"][name]) for name in ("items", "vectors", "item_photos")}

    @property
    def dim(self) -> int:
        """The dimensions of the index's vectors."""
        return int(self._searcher.manifest["dim"])

    @property
    def code_bytes(self) -> int:
        """The bytes of one of the index's codes, 0 where it has none."""
        return int(self._searcher.manifest["code_bytes"])

    def stored(self, count: int) -> list[tuple[bytes, Floats]]:
        """Return digest and vector float32 `[dim]` of up to so many photos, from all over the index."""
        searcher = self._searcher
        rows = np.unique(np.linspace(0, len(searcher.rows) - 1, count).astype(np.int64))
        return [(searcher.rows.digests[row].tobytes(), np.asarray(searcher.vectors[row], np.float32)) for row in rows]

    def hidden_photos(self, item_ids: Collection[str]) -> frozenset[bytes]:
        """Return the digests of the photos that only hidden items show."""
        rows, live = self._searcher.rows, self._searcher.parts.live_links
        shown = np.zeros(len(rows), bool)
        shown[rows.link_row[live]] = True
        numbers = rows.numbers(pa.array(sorted(item_ids), pa.string()))
        links = rows.links_of_items(numbers[numbers >= 0])[0]
        own = np.unique(rows.link_row[links])
        return frozenset(rows.digests[row].tobytes() for row in own[~shown[own]])

    @property
    def blank(self) -> bytes:
        """A prepared photo of nothing, a JPEG."""
        out, spec = io.BytesIO(), self.facts.spec
        Image.new("RGB", (spec.width, spec.height), GREY).save(out, "JPEG", quality=95, subsampling=0)
        return out.getvalue()

    def close(self) -> None:
        """Give up the local copies of model and index."""
        self._stack.close()
