"""One unit of photos: fetch, hash, prepare, in threads. A bad photo is a row with a code, not an error."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

from pipelines.preprocess.fetching import Fetcher, FetchError
from pipelines.tables import IMAGE_DATA, IMAGE_KEYS, SOURCE_KEYS
from transforms.image import prepare
from transforms.photo import BadPhoto, Limits, Prepared, PrepSpec


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: its digest unless it could not be fetched, and the prepared photo or a code."""

    digest: bytes | None
    prepared: Prepared | None = None
    fetch_code: str = ""
    code: str = ""


@dataclass(frozen=True)
class UnitTables:
    """The rows that one unit commits."""

    sources: pa.Table
    image_keys: pa.Table
    image_data: pa.Table


@dataclass(frozen=True)
class Preparer:
    """Prepares photos for one spec with a number of threads."""

    fetcher: Fetcher
    spec: PrepSpec
    limits: Limits
    threads: int

    def __call__(self, todo: pa.Table) -> UnitTables:
        """Return the tables of a unit's rows (image_uri, fingerprint), in their order."""
        uris = todo["image_uri"].to_pylist()
        with ThreadPoolExecutor(self.threads) as pool:
            outcomes = list(pool.map(self.prepare_one, uris))
        return _tables(uris, todo["fingerprint"].to_pylist(), outcomes)

    def prepare_one(self, uri: str) -> Outcome:
        """Fetch and prepare one photo; never raises for bad input."""
        try:
            data = self.fetcher.fetch(uri)
        except FetchError as error:
            return Outcome(None, fetch_code=error.code)
        digest = hashlib.sha256(data).digest()
        try:
            return Outcome(digest, prepare(data, self.spec, self.limits))
        except BadPhoto as error:
            return Outcome(digest, code=error.code)


def _tables(uris: list[str], fingerprints: list[str], outcomes: list[Outcome]) -> UnitTables:
    now = datetime.now(UTC)
    distinct: dict[bytes, Outcome] = {}
    for outcome in outcomes:
        if outcome.digest is not None:
            distinct.setdefault(outcome.digest, outcome)
    good = [(digest, o.prepared) for digest, o in distinct.items() if o.prepared is not None]
    row_of = {digest: row for row, (digest, _) in enumerate(good)}
    sources = {
        "image_uri": uris,
        "fingerprint": fingerprints,
        "fetched_at": [now] * len(uris),
        "digest": [o.digest for o in outcomes],
        "code": [o.fetch_code for o in outcomes],
        "row": [-1] * len(uris),
    }
    keys = {
        "digest": list(distinct),
        "code": [o.code for o in distinct.values()],
        "row": [row_of.get(digest, -1) for digest in distinct],
        "phash": [o.prepared.phash if o.prepared else None for o in distinct.values()],
    }
    data = {
        "digest": [digest for digest, _ in good],
        "image": [prepared.jpeg for _, prepared in good],
        "width": [prepared.width for _, prepared in good],
        "height": [prepared.height for _, prepared in good],
        "phash": [prepared.phash for _, prepared in good],
    }
    return UnitTables(pa.table(sources, SOURCE_KEYS), pa.table(keys, IMAGE_KEYS), pa.table(data, IMAGE_DATA))
