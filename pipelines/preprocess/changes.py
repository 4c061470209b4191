"""Which photos are to be fetched or prepared: catalogue against sources and prepared images. Pure joins."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.preprocess.addresses import Ages, Source
from pipelines.preprocess.requeried import Requeried
from pipelines.shop_files.fetch import MISSING, Fetcher
from pipelines.shop_files.web.identity import Identity
from pipelines.tables.arrow import first_of_each, index_of
from pipelines.tables.schemas import DIGEST, IMAGE_KEYS, ORIGINAL_KEYS, SOURCE_KEYS
from pipelines.tables.unit_keys import Tables, unit_keys

TODO = pa.schema(
    [
        ("image_uri", pa.string()),
        ("fingerprint", pa.string()),
        ("digest", DIGEST),  # of an image that is prepared already: while the bytes have it, nothing is prepared
        ("previous", pa.string()),  # unit of the source that this one replaces: the same again is other work
        ("original_unit", pa.string()),  # where its bytes are kept, so that they need not be fetched
        ("original_row", pa.int32()),
    ]
)
SEEN = pa.schema([*TODO, ("same", pa.bool_())])
ALONE = Identity()
"""Each uri names a photo of its own."""
NAMED_SOURCES = unit_keys(SOURCE_KEYS)
NAMED_IMAGES = unit_keys(IMAGE_KEYS)
NAMED_ORIGINALS = unit_keys(ORIGINAL_KEYS)


def newest_sources(sources: pa.Table, identity: Identity = ALONE) -> pa.Table:
    """Return one row a photo, its `image_uri` that by which it is known: the one fetched last.

    Where runs raced it is that of the smallest unit_id.
    """
    place = sources.schema.get_field_index("image_uri")
    sources = sources.set_column(place, sources.schema.field(place), identity.column(sources["image_uri"]))
    return first_of_each(sources, "image_uri", [("fetched_at", "descending"), ("unit_id", "ascending")])


@dataclass(frozen=True)
class CompareSources:
    """Compares the wanted uris of a bucket with what was fetched before; asks for what was not listed one by one.

    Addresses are not asked here: whether they are is a matter of their age.
    """

    fetcher: Fetcher
    threads: int
    ages: Ages
    identity: Identity = ALONE

    def __call__(self, _: int, tables: Tables) -> tuple[pa.Table, pa.Table, Requeried]:
        """Return (rows to fetch, TODO), (rows fetched well before, SEEN; `same` if unchanged since), and of the rest.

        Of the addresses of one photo the first is asked for.
        """
        wanted = pc.unique(tables["photos"]["image_uri"]).sort()
        names = self.identity.column(wanted)
        first = pa.array(index_of(names, names) == np.arange(len(names)))
        uris, names = wanted.filter(first), names.filter(first)
        prints = self._fingerprints(uris, tables["listed"])
        sources = newest_sources(tables["sources"], self.identity)
        at = index_of(names, sources["image_uri"])
        requeried = Requeried.of(uris.filter(pa.array(at < 0)).to_pylist(), tables["sources"]["image_uri"], len(uris))
        before = sources.take(pa.array(at, mask=at < 0))
        known = before.select(["fingerprint", "fetched_at", "digest", "code"]).to_pylist()
        compared = [self._compared(now, Source(**source)) for now, source in zip(prints, known, strict=True)]
        columns = {
            "image_uri": uris,
            "fingerprint": [fingerprint for fingerprint, _ in compared],
            "digest": before["digest"].combine_chunks(),
            "previous": before["unit_id"].fill_null(""),
            "original_unit": pa.nulls(len(uris), pa.string()),
            "original_row": pa.nulls(len(uris), pa.int32()),
            "same": [same for _, same in compared],
        }
        rows = pa.table(columns, SEEN)
        well = pc.field("digest").is_valid()
        return rows.filter(~well & ~pc.field("same")).select(TODO.names), rows.filter(well), requeried

    def _compared(self, now: str | None, before: Source) -> tuple[str, bool]:
        """Return what is known or seen of a photo, and whether that is as it was."""
        if now is None:
            return before.fingerprint or "", before.fetched_at is not None and not self.ages.is_due(before)
        tags = self.ages.limit_tags
        return now, before.fingerprint in {now, *(limited(now, tag) for tag in tags)}

    def _fingerprints(self, uris: pa.Array, listed: pa.Table) -> list[str | None]:
        at = index_of(uris, listed["image_uri"])
        known = listed["fingerprint"].take(pa.array(at, mask=at < 0))
        pairs = list(zip(uris.to_pylist(), known.to_pylist(), strict=True))
        parts = [pairs[start :: self.threads] for start in range(self.threads)]  # a task a thread, not one a photo
        found: list[str | None] = [""] * len(pairs)
        with ThreadPoolExecutor(self.threads) as pool:
            for start, part in enumerate(pool.map(self._fingerprints_of, parts)):
                found[start :: self.threads] = part
        return found

    def _fingerprints_of(self, pairs: Sequence[tuple[str, str | None]]) -> list[str | None]:
        return [self._fingerprint(uri, listed) for uri, listed in pairs]

    def _fingerprint(self, uri: str, listed: str | None) -> str | None:
        if self.fetcher.address(uri):
            return None
        if self.fetcher.is_listed(uri):
            return listed or MISSING
        return self.fetcher.fingerprint(uri)


def limited(fingerprint: str, limit_tag: str) -> str:
    """Return the fingerprint of a photo that a limit refuses: another limit is another matter."""
    return f"{fingerprint} {limit_tag}"


def lacking_images(_: int, tables: Tables) -> pa.Table:
    """Return what of the seen photos (SEEN) is to do (TODO).

    That is what may have changed, and what this way of preparing has not seen: one uri a digest, with the place of its
    bytes if these were kept.
    """
    seen, images = tables["seen"], tables["images"]["digest"]
    same, changed = seen.filter(seen["same"]), seen.filter(pc.invert(seen["same"]))
    lacking = same.filter(pa.array(index_of(same["digest"], images) < 0))
    lacking = _with_originals(first_of_each(lacking, "digest", [("image_uri", "ascending")]), tables["originals"])
    prepared = pa.array(index_of(changed["digest"], images) >= 0)
    known = pc.if_else(prepared, changed["digest"].combine_chunks(), pa.scalar(None, DIGEST))
    return pa.concat_tables([_todo(lacking, pa.nulls(len(lacking), DIGEST)), _todo(changed, known)])


def _with_originals(rows: pa.Table, originals: pa.Table) -> pa.Table:
    at = index_of(rows["digest"], originals["digest"])
    kept = originals.take(pa.array(at, mask=at < 0))
    for name, source in (("original_unit", "unit_id"), ("original_row", "row")):
        rows = rows.set_column(rows.schema.get_field_index(name), SEEN.field(name), kept[source])
    return rows


def _todo(rows: pa.Table, digests: pa.Array) -> pa.Table:
    return rows.set_column(rows.schema.get_field_index("digest"), TODO.field("digest"), digests).select(TODO.names)


def sorted_todo(tables: Tables) -> pa.Table:
    """Return a bucket's rows to do, one a uri, in the order of their uris."""
    return first_of_each(tables["todo"], "image_uri", [("image_uri", "ascending")]).sort_by("image_uri")
