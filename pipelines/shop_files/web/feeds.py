"""A shop's feed behind an address: fetched into the store once it has changed, and read from there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import unquote, urlsplit

from pipelines.config import Config, FetchSection
from pipelines.errors import StageError
from pipelines.shop_files.files import KeptFile
from pipelines.shop_files.web.addresses import shown
from pipelines.shop_files.web.client import Answer
from pipelines.shop_files.web.failures import WebError
from pipelines.shop_files.web.memory import Memory
from pipelines.shop_files.web.web import PASSING, Web
from pipelines.store import NotFoundError, Store, UnavailableError, open_store

MAX_BYTES = 64 << 30
LONGEST_S = 6 * 3600.0
"""For a feed of gigabytes; that bytes keep coming is a matter of `fetch.idle_s`."""
FOLDER = "feeds"
_ENDINGS = {
    "text/csv": ".csv",
    "text/tab-separated-values": ".tsv",
    "text/plain": ".txt",
    "application/json": ".json",
    "application/x-ndjson": ".jsonl",
    "application/jsonl": ".jsonl",
    "application/xml": ".xml",
    "text/xml": ".xml",
    "application/rss+xml": ".xml",
    "application/atom+xml": ".xml",
    "application/vnd.apache.parquet": ".parquet",
}
_READ = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".parquet", ".xml", ".gz"})


@dataclass(frozen=True)
class _Kept:
    """What is remembered of an address: validators, and the content that was fetched last."""

    etag: str
    modified: str
    path: str
    object: str
    size_bytes: int
    checksum: str
    modified_at: float


def fetch_feed(config: Config, address: str) -> KeptFile:
    """Return the file behind an address, fetched into the config's store anew where it has changed.

    Raises UnavailableError where a later run may succeed, StageError where it will not.
    """
    store = open_store(config.store.uri)
    memo = f"{FOLDER}/{hashlib.sha256(address.encode()).hexdigest()[:16]}.json"
    before = _before(store, memo)
    with tempfile.NamedTemporaryFile() as sink:
        try:
            answer = asyncio.run(_fetched(config.fetch, store, address, before, sink))
        except WebError as error:
            kind = UnavailableError if error.code in PASSING else StageError
            raise kind(f"cannot fetch {shown(address)}: {error.detail} ({error.code})") from error
        kept = _same(before, answer) if before and answer.body is None else _taken(store, address, answer, sink, before)
    store.put(memo, json.dumps(asdict(kept), sort_keys=True).encode())
    return KeptFile(shown(address), kept.size_bytes, kept.checksum, kept.modified_at, kept.path, store, kept.object)


async def _fetched(section: FetchSection, store: Store, address: str, before: _Kept | None, sink: IO[bytes]) -> Answer:
    memory = Memory(before.etag, before.modified) if before else None
    async with Web(section, MAX_BYTES, store) as web:
        return await web.fetch(address, memory, sink, LONGEST_S)


def _before(store: Store, memo: str) -> _Kept | None:
    """Return what is remembered, if the content is still there."""
    try:
        kept = _Kept(**store.read_json(memo))
    except NotFoundError:
        return None
    return kept if store.exists(kept.object) else None


def _same(before: _Kept, answer: Answer) -> _Kept:
    return replace(before, etag=answer.etag or before.etag, modified=answer.modified or before.modified)


def _taken(store: Store, address: str, answer: Answer, sink: IO[bytes], before: _Kept | None) -> _Kept:
    """Keep a content that came; one that is that of before, though the host did not say so, stays what it was."""
    sink.flush()
    with Path(sink.name).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if before and digest == before.checksum:
        return _same(before, answer)
    now = datetime.now(UTC)
    name = _name(address, answer)
    size = sink.seek(0, 2)
    store.create_from(f"{FOLDER}/{digest}", Path(sink.name))
    at = min(_seconds(answer.modified) or now.timestamp(), now.timestamp())
    path = f"{now:%Y%m%dT%H%M%S.%fZ}-{name}"
    return _Kept(answer.etag, answer.modified, path, f"{FOLDER}/{digest}", size, digest, at)


def _name(address: str, answer: Answer) -> str:
    """Return a name that ends as its format's do: the address's, else the host's for the file, else by its type."""
    parts = urlsplit(address)
    query = [value for value in parts.query.split("&") if "." in value]
    names = [unquote(PurePosixPath(parts.path).name), answer.file_name, *(unquote(q.partition("=")[2]) for q in query)]
    names = [PurePosixPath(name.replace("\\", "/")).name for name in names]
    found = next((name for name in names if PurePosixPath(name).suffix.lower() in _READ), "")
    return found or f"{names[0] or 'feed'}{_ENDINGS.get(answer.kind.partition(';')[0].strip().lower(), '')}"


def _seconds(date: str) -> float:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError):
        return 0.0
