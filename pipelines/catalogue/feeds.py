"""Which feed files there are, and which of them are to be read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipelines.catalogue.arrivals import DELTAS, MEDIA, SNAPSHOT
from pipelines.catalogue.deltas import Delta, Record, Sorted, order, sort
from pipelines.catalogue.formats.base import FeedError
from pipelines.catalogue.rows import files_in, is_blank
from pipelines.config import Config
from pipelines.config.places import in_web
from pipelines.shop_files.files import File
from pipelines.shop_files.locations import divide, find

_SMALL_BYTES = 512
"""Of a file that may hold nothing but a byte order mark, blank lines, or what gzip writes of nothing."""
READ_AGAIN = (
    "the deltas are read again from the first: an earlier version, in several folders, did not know which it had read; "
    "what has not changed stays as it is"
)


@dataclass(frozen=True)
class FeedFile:
    """One file to read: its feed, its path below the feed's folder, its place in reading order, its digest.

    `modified_at` (seconds since 1970) is never later than now. `again` tells that deltas were read before.
    """

    feed: str
    path: str
    file: File
    order: int
    digest: str
    modified_at: float
    again: bool = False


@dataclass(frozen=True)
class Feeds:
    """The files of a shop's feeds: all of the snapshot and of the media table, and the deltas that are to be read."""

    files: tuple[FeedFile, ...]
    deltas: Sorted = field(default_factory=Sorted)
    notes: tuple[str, ...] = ()
    """What of the feeds is passed over, and what to do about it."""

    def of(self, feed: str) -> list[FeedFile]:
        """Return the files of one feed."""
        return [file for file in self.files if file.feed == feed]

    def digests(self, feed: str) -> list[str]:
        """Return what tells whether a feed is another one."""
        return sorted(file.digest for file in self.of(feed))


def find_feeds(
    config: Config,
    now: float,
    positions: Mapping[str, str] | None = None,
    record: Record | None = None,
    deltas_after: str | None = None,
) -> Feeds:
    """Return the files of the feeds; of the deltas those after the position, or after `deltas_after` if it is given.

    Raises FeedError when a configured feed has no file at all; only deltas may be there later.
    """
    section, positions = config.catalogue, positions or {}
    files, empty = _lists(config, now)
    may_lack = section.deltas is None or section.snapshot is not None or DELTAS in positions
    there = dict(_found(config, DELTAS, section.deltas, may_lack=may_lack))
    position = _position(section.deltas, positions.get(DELTAS, ""))
    after = None if deltas_after is None else _position(section.deltas, deltas_after)
    found = [_delta(path, file) for path, file in there.items()]
    deltas = sort(found, position, record, lambda path: _digest(there[path]), after)
    if found and not may_lack and not any(one.size_bytes for one in found):
        raise FeedError(f"catalogue.deltas = {section.deltas!r} matches no file that holds anything; export them again")
    for one in deltas.to_read:
        at = min(one.modified_at, now)
        again = one.path in deltas.again
        files.append(FeedFile(DELTAS, one.path, there[one.path], len(files), one.digest or "", at, again))
    notes = [READ_AGAIN] if positions.get(DELTAS, "") != position else []
    return Feeds(tuple(files), deltas, (*notes, *_notes(deltas, position), *empty))


def _lists(config: Config, now: float) -> tuple[list[FeedFile], list[str]]:
    """Return the files of the snapshot and of the media table, and notes of those that hold nothing beside others."""
    section, files, notes = config.catalogue, list[FeedFile](), list[str]()
    media = section.media.path if section.media else None
    for feed, pattern in ((SNAPSHOT, section.snapshot), (MEDIA, media)):
        found = _found(config, feed, pattern)
        empty = [path for path, file in found if len(found) > 1 and _is_empty(file)]
        there = [(path, file) for path, file in found if path not in empty] or found
        if feed == SNAPSHOT and section.snapshot_files == "newest":
            there = sorted(there, key=lambda one: order(one[0]))
            notes += _older([path for path, _ in there[:-1]])
            there = there[-1:]
        of_feed = [_feed_file(feed, path, file, n, now) for n, (path, file) in enumerate(there, len(files))]
        files += _of_one_time(of_feed) if feed == SNAPSHOT else of_feed
        notes += _empty(feed, empty)
    return files, notes


def _of_one_time(files: Sequence[FeedFile]) -> list[FeedFile]:
    """Return the files of a snapshot as of when the last one was written: it is one list, however it was copied."""
    written_at = max((file.modified_at for file in files), default=0.0)
    return [replace(file, modified_at=written_at) for file in files]


def last_delta(feeds: Feeds, before: str) -> str:
    """Return the path of the last file of deltas that is read with these feeds."""
    return max([file.path for file in feeds.of(DELTAS)] + [before] * bool(before), key=order, default="")


def _found(config: Config, feed: str, pattern: str | None, *, may_lack: bool = False) -> list[tuple[str, File]]:
    if pattern is None:
        return []
    if in_web(pattern):
        from pipelines.shop_files.web.feeds import fetch_feed

        file = fetch_feed(config, pattern)
        return [(file.place if feed == DELTAS else file.name, file)]
    folder, rest = divide(pattern)
    found = find(config.locate(folder), rest)
    if not found and not may_lack:
        raise FeedError(f"catalogue.{feed} = {pattern!r} matches no file in {config.folder}; check the path")
    return found


def _position(pattern: str | None, position: str) -> str:
    """Return the path of the last file read; earlier versions kept its name alone, which in folders says nothing."""
    is_whole = pattern is None or in_web(pattern) or "/" in position or "/" not in divide(pattern)[1]
    return position if is_whole else ""


def _notes(deltas: Sorted, position: str) -> list[str]:
    fix = f"to have it read, give it a name that comes after {position!r}, or read the deltas of its day by a backfill"
    notes = [
        f"the file of deltas {path!r} was never read, for it comes before {position!r}, the last one read: {fix}"
        for path in deltas.unread
    ]
    notes += [f"the file of deltas {path!r} has changed since it was read: {fix}" for path in deltas.changed]
    return notes + _empty(DELTAS, deltas.empty)


def _empty(feed: str, paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    return [
        f"files of catalogue.{feed} that hold nothing, and are not read until they do: {len(paths)}, as {paths[0]!r}"
    ]


def _older(paths: Sequence[str]) -> list[str]:
    if not paths:
        return []
    return [f'files that catalogue.snapshot_files = "newest" leaves unread: {len(paths)}, as {paths[-1]!r}']


def _delta(path: str, file: File) -> Delta:
    size, modified_at = _size_and_time(file)
    return Delta(path, 0 if _is_empty(file) else size, modified_at)


def _is_empty(file: File) -> bool:
    """Tell whether a file holds nothing: it is not written yet, or an exporter had nothing to write."""
    size, _ = _size_and_time(file)
    return size == 0 or (size <= _SMALL_BYTES and is_blank(file))


def _feed_file(feed: str, path: str, file: File, place: int, now: float) -> FeedFile:
    _, modified_at = _size_and_time(file)
    return FeedFile(feed, path, file, place, _digest(file), min(modified_at, now))


def _size_and_time(file: File) -> tuple[int, float]:
    if not isinstance(file, Path):
        return file.size_bytes, file.modified_at
    try:
        status = file.stat()
    except OSError as error:
        raise _unreadable(file, error) from error
    return status.st_size, round(status.st_mtime, 6)


def _digest(file: File) -> str:
    if not isinstance(file, Path):
        return hashlib.sha256(file.checksum.encode()).hexdigest()
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: OSError) -> FeedError:
    if isinstance(error, IsADirectoryError):
        return FeedError(
            f"{file} is a folder; name the files in it, as {file.name}/{files_in(file, file.suffix or '.parquet')}"
        )
    return FeedError(f"{file} cannot be read: {error.strerror}; replace it, or leave it out of the feed")
