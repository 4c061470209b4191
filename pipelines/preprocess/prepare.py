"""One unit of photos: fetch, hash, prepare, in threads. A bad photo is a row with a code, not an error."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import repeat
from threading import BoundedSemaphore
from types import MappingProxyType

import pyarrow as pa

from pipelines.preprocess.changes import limited
from pipelines.shop_files.fetch import FETCH_CODES, Fetcher, FetchError
from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS, SOURCE_KEYS
from transforms.image import prepare
from transforms.photo import CODES, BadPhoto, Limits, Prepared, PrepSpec

# Rejects by a limit of the config hold for that limit only, so they are kept beside the fingerprint, not the digest.
LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "too_large_bytes": "preprocess.max_bytes",
        "too_many_pixels": "preprocess.max_pixels",
        "too_small": "preprocess.min_side",
    }
)

_UNBOUNDED = nullcontext()


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: its digest unless it was refused before, and the prepared photo or a code.

    `kept` tells that the bytes are those of an image that is prepared already.
    """

    digest: bytes | None
    prepared: Prepared | None = None
    source_code: str = ""
    code: str = ""
    kept: bool = False


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

    @property
    def limit_tags(self) -> dict[str, str]:
        """Return by reject code what names the limit that refuses, and its value."""
        limits = self.limits
        return {
            "too_large_bytes": f"bytes<={limits.max_bytes}",
            "too_many_pixels": f"pixels<={limits.max_pixels}",
            "too_small": f"side>={limits.min_side}",
        }

    def __call__(self, todo: pa.Table) -> UnitTables:
        """Return the tables of a unit's rows (TODO), in their order."""
        uris = todo["image_uri"].to_pylist()
        decoding = BoundedSemaphore(self.threads)  # what waits for a bucket needs no core, and holds no picture
        with ThreadPoolExecutor(max(self.threads, self.fetcher.threads)) as pool:
            outcomes = list(pool.map(self.prepare_one, uris, todo["digest"].to_pylist(), repeat(decoding)))
        fingerprints = [
            self._fingerprint(fingerprint, outcome.source_code)
            for fingerprint, outcome in zip(todo["fingerprint"].to_pylist(), outcomes, strict=True)
        ]
        return _tables(uris, fingerprints, outcomes)

    def prepare_one(
        self, uri: str, known: bytes | None = None, decoding: AbstractContextManager[object] = _UNBOUNDED
    ) -> Outcome:
        """Fetch and prepare one photo, unless its bytes have the known digest; never raises for bad input.

        Raises StageError when a bucket cannot be asked.
        """
        try:
            data = self.fetcher.fetch(uri)
        except FetchError as error:
            return Outcome(None, source_code=error.code)
        digest = hashlib.sha256(data).digest()
        if digest == known:
            return Outcome(digest, kept=True)
        try:
            with decoding:
                return Outcome(digest, prepare(data, self.spec, self.limits))
        except BadPhoto as error:
            return Outcome(None, source_code=error.code) if error.code in LIMITS else Outcome(digest, code=error.code)

    def explain(self, uri: str, code: str) -> str:
        """Return what a reject code means, the setting that decides about it, and what it is in this photo.

        The photo is looked at once more, for tables keep the code alone. Raises as `prepare_one` does.
        """
        text = CODES.get(code) or FETCH_CODES.get(code, "")
        text = f"{text} ({LIMITS[code]})" if code in LIMITS else text
        try:
            prepare(self.fetcher.fetch(uri), self.spec, self.limits)
        except (FetchError, BadPhoto) as error:
            text = f"{text}: {error.detail}" if error.code == code else text
        near = self.fetcher.near(uri) if code == "missing" else ""
        return f"{text}, but there is {near!a}" if near else text

    def _fingerprint(self, fingerprint: str, code: str) -> str:
        """Return what must stay as it is for the outcome to stay; an unreadable file is tried every time."""
        if code in LIMITS:
            return limited(fingerprint, self.limit_tags[code])
        return f"{fingerprint} {code}" if code == "unreadable" else fingerprint


def _tables(uris: list[str], fingerprints: list[str], outcomes: list[Outcome]) -> UnitTables:
    now = datetime.now(UTC)
    distinct: dict[bytes, Outcome] = {}
    for outcome in outcomes:
        if outcome.digest is not None and not outcome.kept:
            distinct.setdefault(outcome.digest, outcome)
    good = [(digest, o.prepared) for digest, o in distinct.items() if o.prepared is not None]
    row_of = {digest: row for row, (digest, _) in enumerate(good)}
    sources = {
        "image_uri": uris,
        "fingerprint": fingerprints,
        "fetched_at": [now] * len(uris),
        "digest": [o.digest for o in outcomes],
        "code": [o.source_code for o in outcomes],
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
