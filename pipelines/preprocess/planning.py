"""Which photos are to be fetched or prepared: catalogue against sources and prepared images. Pure joins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.preprocess.fetching import Fetcher
from pipelines.shuffle import Tables
from pipelines.tables import DIGEST, first_of_each, index_of

TODO = pa.schema([("image_uri", pa.string()), ("fingerprint", pa.string())])
KNOWN = pa.schema([*TODO, ("digest", DIGEST)])


def newest_sources(sources: pa.Table) -> pa.Table:
    """Return one row a uri: the one fetched last, the smallest unit_id where runs raced."""
    return first_of_each(sources, "image_uri", [("fetched_at", "descending"), ("unit_id", "ascending")])


@dataclass(frozen=True)
class CompareSources:
    """Compares the wanted uris of a bucket with what was fetched before; calls for a stat of each."""

    fetcher: Fetcher
    threads: int

    def __call__(self, _: int, tables: Tables) -> tuple[pa.Table, pa.Table]:
        """Return (rows to fetch, TODO), (rows unchanged since they were fetched well, KNOWN)."""
        uris = pc.unique(tables["photos"]["image_uri"]).sort()
        with ThreadPoolExecutor(self.threads) as pool:
            prints = pa.array(pool.map(self.fetcher.fingerprint, uris.to_pylist()), pa.string())
        sources = newest_sources(tables["sources"])
        at = index_of(uris, sources["image_uri"])
        seen = sources.take(pa.array(np.maximum(at, 0))) if len(sources) else None
        same = np.zeros(len(uris), bool)
        if seen is not None and len(uris):
            same = (at >= 0) & np.asarray(pc.equal(seen["fingerprint"], prints).fill_null(False))
        todo = pa.table({"image_uri": uris, "fingerprint": prints}, TODO).filter(pa.array(~same))
        if seen is None:
            return todo, KNOWN.empty_table()
        known = pa.table({"image_uri": uris, "fingerprint": prints, "digest": seen["digest"].combine_chunks()}, KNOWN)
        return todo, known.filter(pa.array(same)).filter(pc.field("digest").is_valid())


def lacking_images(_: int, tables: Tables) -> pa.Table:
    """Return the known photos (TODO, one uri a digest) that this way of preparing has not seen."""
    known = first_of_each(tables["known"], "digest", [("image_uri", "ascending")])
    missing = index_of(known["digest"], tables["images"]["digest"]) < 0
    return known.filter(pa.array(missing)).select(TODO.names)


def sorted_todo(tables: Tables) -> pa.Table:
    """Return a bucket's rows to do, one a uri, in the order of their uris."""
    return first_of_each(tables["todo"], "image_uri", [("image_uri", "ascending")]).sort_by("image_uri")
