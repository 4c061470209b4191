"""Which files of deltas were read, and which are to be read now: those that come after the last one read.

Their order is that of their paths below the pattern's fixed part, numbers in them as numbers. What lies before the last
one read and was not read, or is another file by now, is not read in passing: without dates in its rows, it would count
as the newest. It is named instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

import pyarrow as pa

from pipelines.store import NotFoundError, Store
from pipelines.tables.buckets import read_parquet, write_parquet

_NUMBER = re.compile(r"([0-9]+)")
_RECORD = pa.schema(
    [("path", pa.string()), ("size_bytes", pa.int64()), ("modified_at", pa.float64()), ("digest", pa.string())]
)


@dataclass(frozen=True)
class Delta:
    """A file of deltas: its path below the pattern's fixed part, its size, when it was written (seconds since 1970).

    The size is 0 of a file that holds nothing, whatever a compressor or a byte order mark makes of that.
    `digest` is that of its bytes, None where it was not taken.
    """

    path: str
    size_bytes: int
    modified_at: float
    digest: str | None = None


Record = Mapping[str, Delta]
"""The files that were read, by path."""


@dataclass(frozen=True)
class Sorted:
    """The files that are there: those to be read, which of them were read before, and which are passed over.

    `record` is of those that will have been read; `empty` ones would be read if they held anything.
    """

    to_read: tuple[Delta, ...] = ()
    again: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    record: tuple[Delta, ...] = ()
    empty: tuple[str, ...] = ()


def order(path: str) -> tuple[tuple[tuple[str | int, ...], ...], str]:
    """Return what paths are sorted by: folder by folder, the numbers in names as numbers."""
    parts = tuple(
        tuple(int(word) if i % 2 else word for i, word in enumerate(_NUMBER.split(part))) for part in path.split("/")
    )
    return parts, path


def sort(
    found: Sequence[Delta],
    position: str,
    record: Record | None,
    digest: Callable[[str], str],
    after: str | None = None,
) -> Sorted:
    """Say which files are to be read: those after `position`, the last one read, or after `after` if given.

    `digest` takes that of a file. Without a record, which older catalogues lack, all up to the position count as read.
    """
    if record is None:
        record = {delta.path: delta for delta in found if position and order(delta.path) <= order(position)}
    start = position if after is None else after
    ordered = sorted(found, key=lambda delta: order(delta.path))
    later = [delta for delta in ordered if not start or order(delta.path) > order(start)]
    passed = ordered[: len(ordered) - len(later)]
    to_read = [replace(delta, digest=digest(delta.path)) for delta in later if delta.size_bytes]
    changed = {delta.path for delta in ordered if delta.path in record and _differs(record[delta.path], delta, digest)}
    return Sorted(
        tuple(to_read),
        frozenset(delta.path for delta in to_read if delta.path in record and delta.path not in changed),
        tuple(delta.path for delta in passed if delta.path not in record and delta.size_bytes),
        tuple(delta.path for delta in passed if delta.path in changed),
        tuple(record[delta.path] for delta in passed if delta.path in record) + tuple(to_read),
        tuple(delta.path for delta in later if not delta.size_bytes),
    )


def read_record(store: Store, catalogue_id: str) -> Record | None:
    """Return the files that were read into a catalogue and those before it, None where it does not say."""
    try:
        rows = read_parquet(store, _name(catalogue_id)).to_pylist()
    except NotFoundError:
        return None
    return {row["path"]: Delta(**row) for row in rows}


def write_record(store: Store, catalogue_id: str, deltas: Iterable[Delta]) -> None:
    """Keep which files were read into a catalogue and those before it."""
    table = pa.Table.from_pylist([asdict(delta) for delta in deltas], _RECORD)
    write_parquet(store, _name(catalogue_id), table)


def _differs(was: Delta, now: Delta, digest: Callable[[str], str]) -> bool:
    """Tell whether another file lies under a path; that it was written again says nothing."""
    if was.size_bytes != now.size_bytes:
        return True
    return was.modified_at != now.modified_at and was.digest is not None and was.digest != digest(now.path)


def _name(catalogue_id: str) -> str:
    return f"catalogue/{catalogue_id}/deltas.parquet"
