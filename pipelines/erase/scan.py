"""The proof: every object of a store is read, and what it holds of items and their photos is named.

Files are looked through as bytes; tables and what is compressed are unpacked before that.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa

from pipelines.erase.subject import PREFIX, Subject
from pipelines.erase.tables import WORDS, about, mention, read_table
from pipelines.erase.texts import shows, speaks
from pipelines.store import NotFoundError, Store

BLOCK: Final = 16 << 20


@dataclass(frozen=True)
class Trace:
    """What an object holds of a subject."""

    name: str
    what: str


def scan(store: Store, subject: Subject, below: str = "", *, but: tuple[str, ...] = ()) -> Iterator[Trace]:
    """Yield what objects below a folder hold of a subject, `but` for those whose names begin so, and its own."""
    needles = _needles(subject)
    longest = max((len(needle) for _, needle in needles), default=0)
    for entry in store.list(below):
        if entry.name.startswith((f"{PREFIX}/", *but)):
            continue
        try:
            found = {*_in_name(entry.name, subject), *_in_bytes(store, entry.name, needles, longest)}
            found |= {*_inside(store, entry.name, subject, needles)}
        except NotFoundError:  # a lease, or what `gc` has removed meanwhile
            continue
        yield from (Trace(entry.name, what) for what in sorted(found))


def _needles(subject: Subject) -> list[tuple[str, bytes]]:
    found = [("the photo", piece) for piece in map(bytes.fromhex, subject.pieces)]
    found += [("its vector", vector) for vector in map(bytes.fromhex, subject.vectors)]
    for digest in subject.digests:
        found += [("its digest", bytes.fromhex(digest)), ("its digest", digest.encode())]
    return found


def _in_name(name: str, subject: Subject) -> Iterator[str]:
    yield from ("its digest" for digest in subject.digests if digest in name)


def _in_bytes(store: Store, name: str, needles: list[tuple[str, bytes]], longest: int) -> Iterator[str]:
    with store.open(name) as file:
        stream: Any = gzip.GzipFile(fileobj=file) if name.endswith(".gz") else file
        tail = b""
        while block := stream.read(BLOCK):
            data = tail + block
            yield from (what for what, needle in needles if needle in data)
            tail = data[-longest:] if longest else b""


def _inside(store: Store, name: str, subject: Subject, needles: list[tuple[str, bytes]]) -> Iterator[str]:
    if name.endswith((".parquet", ".arrow")):
        yield from _in_table(read_table(store, name), subject, needles)
    elif name.endswith(".json") and speaks(store, name, subject):
        yield "its id"
    elif name.endswith(".html") and shows(store, name, subject):
        yield "its picture"


def _in_table(table: pa.Table, subject: Subject, needles: list[tuple[str, bytes]]) -> Iterator[str]:
    if about(table, subject).any():
        yield "its rows"
    pattern: re.Pattern[str] = mention(subject)
    if WORDS in table.column_names and any(pattern.search(text or "") for text in table[WORDS].to_pylist()):
        yield "its id"
    for column in table.columns:
        if pa.types.is_binary(column.type) or pa.types.is_fixed_size_binary(column.type):
            values = b"\0".join(value for value in column.to_pylist() if value)
            yield from (what for what, needle in needles if needle in values)
