"""One unit of photos: fetch, hash, prepare, in threads. A bad photo is a row with a code, not an error."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import repeat
from threading import BoundedSemaphore
from typing import Self

import pyarrow as pa

from pipelines.config import Config, FetchSection
from pipelines.preprocess.addresses import Ages
from pipelines.preprocess.changes import limited
from pipelines.preprocess.meanings import MEANINGS, OF_ITEMS
from pipelines.preprocess.outcomes import LIMITS, Outcome, UnitTables, tables_of
from pipelines.shop_files.fetch import Fetcher, FetchError
from pipelines.shop_files.uri import bare_host
from transforms.image import prepare
from transforms.photo import BadPhoto, Limits, PrepSpec

_UNBOUNDED = nullcontext()


@dataclass(frozen=True)
class Preparer:
    """Prepares photos for one spec with a number of threads; `now` (seconds since 1970) is when the stage began."""

    fetcher: Fetcher
    spec: PrepSpec
    limits: Limits
    threads: int
    fetching: FetchSection
    now: float = 0.0

    @classmethod
    def of(cls, config: Config, threads: int) -> Self:
        """Return what prepares the photos of a shop, as of now."""
        section = config.preprocess
        return cls(Fetcher.of_catalogue(config), section.spec, section.limits, threads, config.fetch, time.time())

    @property
    def ages(self) -> Ages:
        """How old what is known of addresses may be."""
        return Ages(self.fetching, frozenset(self.limit_tags.values()), self.now)

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
        """Return the tables of a unit's rows (TODO), in their order; none is one of an address."""
        uris = todo["image_uri"].to_pylist()
        decoding = BoundedSemaphore(self.threads)  # what waits for a bucket needs no core, and holds no picture
        with ThreadPoolExecutor(max(self.threads, self.fetcher.threads)) as pool:
            outcomes = list(pool.map(self.prepare_one, uris, todo["digest"].to_pylist(), repeat(decoding)))
        return self.tables(todo, outcomes)

    def tables(self, todo: pa.Table, outcomes: Sequence[Outcome]) -> UnitTables:
        """Return the tables of a unit's rows (TODO) and what became of each."""
        fingerprints = [
            self._fingerprint(fingerprint if outcome.fingerprint is None else outcome.fingerprint, outcome.source_code)
            for fingerprint, outcome in zip(todo["fingerprint"].to_pylist(), outcomes, strict=True)
        ]
        return tables_of(todo["image_uri"].to_pylist(), fingerprints, outcomes)

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
        return self.prepare_bytes(data, known, decoding)

    def prepare_bytes(
        self, data: bytes, known: bytes | None = None, decoding: AbstractContextManager[object] = _UNBOUNDED
    ) -> Outcome:
        """Prepare one photo of which the bytes are here, unless they have the known digest."""
        digest = hashlib.sha256(data).digest()
        if digest == known:
            return Outcome(digest, kept=True)
        try:
            with decoding:
                return Outcome(digest, prepare(data, self.spec, self.limits))
        except BadPhoto as error:
            if error.code in LIMITS:
                return Outcome(None, source_code=error.code, detail=error.detail)
            return Outcome(digest, code=error.code, detail=error.detail)

    def explain(self, uri: str, code: str, said: str = "") -> str:
        """Return what a reject code means, the setting that decides about it, and what it is in this photo.

        `said` is what is remembered of its host's answer (Memory.said): a host is not asked again. A file is looked at
        once more, for tables keep the code alone. Raises as `prepare_one` does.
        """
        text = MEANINGS.get(code, "")
        text = f"{text} ({LIMITS[code]})" if code in LIMITS else text
        if code in OF_ITEMS:
            return text
        bare = bare_host(uri) if code == "missing" else ""
        if bare:
            text = (
                f"{text}, for it looks like an address without its scheme: write https:// before it in the feed, or "
                f'set catalogue.photo_root = "https://{bare}" and catalogue.photo_prefix = "{bare}/"'
            )
        if self.fetcher.address(uri):
            if code == "missing" and uri.startswith("/") and not uri.startswith("//"):
                text = f'{text}; it is a path of the host: below catalogue.photo_root with catalogue.photo_prefix = "/"'
            of, _, detail = said.partition(": ")
            return f"{text}: {detail}" if detail and of == code else text
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
