"""The `export` command, without its flags: a release written to a folder, or sent to a server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import pyarrow as pa

from pipelines.export import changes, hashes, opensearch, parquet, qdrant, vertex
from pipelines.export.destination import Destination
from pipelines.export.loader import Loader, Target
from pipelines.export.points import Point, as_json, points_of
from pipelines.export.schemas import METRIC, OUT_ITEMS, About, hashes_schema
from pipelines.export.source import Shown, Source, parts_of
from pipelines.hidden.entries import unhidden_since
from pipelines.store import Store
from pipelines.telemetry.progress import Progress

LOADERS: Final[Mapping[str, Loader]] = {
    loader.name: loader for loader in (parquet.LOADER, qdrant.LOADER, opensearch.LOADER, vertex.LOADER)
}
TARGETS: Final[Mapping[str, Callable[[str, str], Target]]] = {
    qdrant.LOADER.name: qdrant.QdrantTarget,
    opensearch.LOADER.name: opensearch.OpenSearchTarget,
}
SENT_AT_ONCE: Final = 4_096
"""Photos whose vectors are in memory while they are sent."""

Summary = dict[str, Any]


@dataclass
class _Counts:
    """What has gone out; `buckets` are those of items that are done."""

    counts: dict[str, int] = field(default_factory=lambda: {"items": 0, "items_without_vectors": 0, "vectors": 0})
    buckets: int = 0

    def add(self, shown: Shown) -> None:
        self.counts["items"] += shown.items.num_rows
        self.counts["items_without_vectors"] += sum(count == 0 for count in shown.items["photos"].to_pylist())
        self.counts["vectors"] += len(shown.rows)
        self.buckets += 1


def export_to_folder(store: Store, release_id: str | None, to: str, place: str, progress: Progress) -> Summary:
    """Write a release, the live one if none is named, into an empty folder or prefix of a bucket.

    Returns the last line of the command. Raises StageError when there is nothing to export, or the place is taken.
    """
    loader = LOADERS[to]
    with Source.open(store, release_id) as source:
        about = source.about
        whose = _whose(loader, about)
        destination = Destination.open(place, whose)
        done = destination.manifest()
        if done:
            progress.say(f"export: release {about.release_id} is in {destination.uri} already")
        else:
            counts = _write(source, loader, destination, progress)
            done = destination.finish({"release": about.as_json(), "metric": METRIC, "counts": counts})
    return {**whose, "uri": destination.uri, "counts": done["counts"]}


def write_changes(store: Store, release_id: str | None, since: str, place: str, progress: Progress) -> Summary:
    """Write what Vertex AI Vector Search must change where it holds the release `since`, as `export_to_folder` does.

    Raises StageError where the two releases are of two vector spaces, too.
    """
    with Source.open(store, release_id) as after, Source.open(store, since, whole=True) as before:
        changes.check_comparable(before, after)
        whose = _whose(vertex.LOADER, after.about)
        destination = Destination.open(place, whose | {"since": since})
        done = destination.manifest()
        if done:
            progress.say(f"export: what changed since {since} is in {destination.uri} already")
        else:
            destination.add("metadata.json", 0, partial(as_json, changes.metadata(destination.uri)))
            shown_again = unhidden_since(store, before.about.created_at)
            counts = _write_changes(before, after, destination, shown_again, progress)
            done = destination.finish({"release": after.about.as_json(), "metric": METRIC, "counts": counts})
    return {**whose, "since": since, "uri": destination.uri, "counts": done["counts"]}


def _whose(loader: Loader, about: About) -> dict[str, Any]:
    """Return what tells an export from others."""
    whose = {"format": loader.name, "schema": loader.schema, "release_id": about.release_id}
    said = {"hidden": about.hidden, "not_alike": about.apart}
    return whose | {name: value for name, value in said.items() if value}


def _write_changes(
    before: Source, after: Source, destination: Destination, shown_again: Set[str], progress: Progress
) -> dict[str, int]:
    counts, done = {"changed": 0, "deleted": 0}, _Counts()
    with progress.watch("export: buckets of items", after.buckets, lambda: done.buckets):
        for bucket in range(after.buckets):
            changed, deleted = changes.write_bucket(before, after, destination, bucket, shown_again)
            counts = {"changed": counts["changed"] + changed, "deleted": counts["deleted"] + deleted}
            done.buckets += 1
    return counts


def send_to_server(store: Store, release_id: str | None, to: str, url: str, name: str, progress: Progress) -> Summary:
    """Send a release, the live one if none is named, to a server, and let `name` mean it there once all of it is.

    Returns the last line of the command. Raises StageError when there is nothing to export, or the server refuses.
    """
    target = TARGETS[to](url, name)
    with Source.open(store, release_id) as source:
        about, counts = source.about, _Counts()
        summary = {"format": to, "release_id": about.release_id, "uri": url, "name": name}
        if not target.prepare(about):
            progress.say(f"export: {name!r} is release {about.release_id} already at {url}")
            return summary
        with progress.watch("export: buckets of items", source.buckets, lambda: counts.buckets):
            for bucket in range(source.buckets):
                shown = source.shown(bucket)
                target.load(_points(source, shown))
                counts.add(shown)
        held_by = target.publish(counts.counts["vectors"])
    progress.say(f"export: {name!r} is {held_by!r} now; what it was before is still there, to go back to or to remove")
    return {**summary, "held_by": held_by, "counts": counts.counts}


def _points(source: Source, shown: Shown) -> Iterator[Point]:
    for part in parts_of(len(shown.rows), SENT_AT_ONCE):
        yield from points_of(source.points(shown, part))


def _write(source: Source, loader: Loader, destination: Destination, progress: Progress) -> dict[str, int]:
    for name, value in loader.set_up(source.about, destination.uri).items():
        destination.add(name, 0, partial(as_json, value))
    done = _Counts()
    with progress.watch("export: buckets of items", source.buckets, lambda: done.buckets):
        for bucket in range(source.buckets):
            shown = source.shown(bucket)
            _write_bucket(source, loader, destination, bucket, shown)
            done.add(shown)
    if loader is not parquet.LOADER:
        return done.counts
    return done.counts | {"photos": _write_hashes(source, destination)}


def _write_bucket(source: Source, loader: Loader, destination: Destination, bucket: int, shown: Shown) -> None:
    if loader is parquet.LOADER and shown.items.num_rows:
        items = partial(parquet.encoded, [shown.items], OUT_ITEMS)
        destination.add(f"items/{bucket:05d}.parquet", shown.items.num_rows, items)
    for number, part in enumerate(parts_of(len(shown.rows), loader.rows_a_part)):
        name = f"{loader.folder}/{bucket:05d}-{number:05d}{loader.suffix}"
        destination.add(name, part.stop - part.start, partial(_part, source, loader, shown, part))


def _part(source: Source, loader: Loader, shown: Shown, part: slice) -> bytes:
    return loader.encode(source.points(shown, part))


def _write_hashes(source: Source, destination: Destination) -> int:
    """Write the hashes of all photos; return how many there are."""
    units = hashes.unit_rows(source)
    for number, lot in enumerate(hashes.parts(units)):
        rows = sum(len(unit.rows) for unit in lot)
        destination.add(f"hashes/{number:05d}.parquet", rows, partial(_hashes, source, lot))
    return sum(len(unit.rows) for unit in units)


def _hashes(source: Source, lot: list[hashes.UnitRows]) -> bytes:
    tables: Iterator[pa.Table] = hashes.read_hashes(source, lot)
    return parquet.encoded(tables, hashes_schema(source.about.bits))
