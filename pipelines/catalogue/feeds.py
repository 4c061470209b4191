"""Which feed files there are, how far they were read, and whether their columns are what the mapping needs."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.catalogue.mapping import needed_columns
from pipelines.catalogue.rows import FeedError, column_names, format_of
from pipelines.config import CatalogueSection, Config
from pipelines.shop_files.locations import File, ObjectFile, find


@dataclass(frozen=True)
class FeedFile:
    """One file to read: its feed ('snapshot', 'deltas' or 'media'), reading order and digest."""

    feed: str
    file: File
    order: int
    digest: str
    modified_at: float


def find_files(config: Config, positions: dict[str, str], deltas_after: str | None = None) -> list[FeedFile]:
    """Return the files to read: all of the snapshot and the media table, and the deltas after the position.

    With `deltas_after` the deltas after that name are read again, for a replay changes nothing but what came late.
    Raises FeedError when a configured feed has no file at all; only deltas may be there later.
    """
    read = positions.get("deltas", "") if deltas_after is None else deltas_after
    section = config.catalogue
    files: list[FeedFile] = []
    media = section.media.path if section.media else None
    for feed, pattern in (("snapshot", section.snapshot), ("media", media), ("deltas", section.deltas)):
        if pattern is None:
            continue
        found = find(pattern, config.folder)
        if not found and (feed != "deltas" or not (section.snapshot or "deltas" in positions)):
            raise FeedError(f"catalogue.{feed} = {pattern!r} matches no file in {config.folder}; check the path")
        if feed == "deltas":
            found = [file for file in found if file.name > read]
        files += [_feed_file(feed, file, len(files) + i) for i, file in enumerate(found)]
    return files


def check_columns(config: Config, files: list[FeedFile]) -> None:
    """Raise FeedError when a file lacks a mapped column; it names the column, the config key and what is there."""
    delimiter = config.catalogue.delimiter
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise FeedError(f"catalogue.delimiter = {delimiter!r} must be one character, such as ',' or ';'")
    for file in files:
        _check_file(config.catalogue, file)


def _check_file(section: CatalogueSection, file: FeedFile) -> None:
    there = column_names(file.file, section.delimiter)
    if not there:
        raise FeedError(f"{file.file} is empty: it has no header and no rows; replace it, or leave it out of the feed")
    wanted = _wanted(section, file.feed)
    twice = next((column for column in wanted if there.count(column) > 1), None)
    if twice is not None:
        raise FeedError(f"{file.file} has {there.count(twice)} columns {twice!r}; rename all but the one that is meant")
    for column, key in wanted.items():
        if column not in there and not _may_lack(section, file, column, wanted, there):
            raise FeedError(_no_column(section, file, column, key, there))


def _may_lack(section: CatalogueSection, file: FeedFile, column: str, wanted: dict[str, str], there: list[str]) -> bool:
    """Tell whether a feed is sound without a column: JSON rows leave out what is empty, deletes all but the id."""
    key = wanted[column]
    if key == "deleted":  # many feeds mark deletes in some files only, but a slip of the pen must not keep items alive
        return not difflib.get_close_matches(column, there, 1)
    if file.feed == "deltas" and section.columns.deleted in there:
        return key != "item_id"
    if file.feed != "deltas" and format_of(file.file) != "jsonl":
        return False
    needed = key in {"item_id", "category", "photos", "photo"}
    return not needed or any(column in there for column, other in wanted.items() if other == key)


def _no_column(section: CatalogueSection, file: FeedFile, column: str, key: str, there: list[str]) -> str:
    near = difflib.get_close_matches(column, there, 1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    if len(there) == 1 and format_of(file.file) == "csv" and any(mark in there[0] for mark in ";\t|,"):
        hint = f"is catalogue.delimiter = {section.delimiter!r} right? "
    table = "catalogue.media.columns" if file.feed == "media" else "catalogue.columns"
    return f"{file.file} has no column {column!r}, which {table}.{key} names; {hint}its columns are: {', '.join(there)}"


def read_positions(
    files: list[FeedFile], newest_snapshot_row: float | None, before: Mapping[str, str]
) -> dict[str, str]:
    """Return how far each feed is read with these files: the snapshot's time, the last delta file's name."""
    positions = dict(before)
    snapshots = [f for f in files if f.feed == "snapshot"]
    if snapshots:
        moment = newest_snapshot_row if newest_snapshot_row is not None else max(f.modified_at for f in snapshots)
        positions["snapshot"] = datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")
    deltas = [f.file.name for f in files if f.feed == "deltas"]
    if deltas:
        positions["deltas"] = max(*deltas, before.get("deltas", ""))
    return positions


def _wanted(section: CatalogueSection, feed: str) -> dict[str, str]:
    if feed != "media" or section.media is None:
        return needed_columns(section.columns)
    columns = section.media.columns
    wanted = {v: k for k, v in columns.model_dump(exclude={"box"}).items() if v}
    return wanted | dict.fromkeys(columns.box or (), "box")


def _feed_file(feed: str, file: File, order: int) -> FeedFile:
    if isinstance(file, ObjectFile):
        return FeedFile(feed, file, order, hashlib.sha256(file.checksum.encode()).hexdigest(), file.modified_at)
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise FeedError(f"{file} cannot be read: {error.strerror}; replace it, or leave it out of the feed") from error
    return FeedFile(feed, file, order, digest, round(file.stat().st_mtime, 6))
