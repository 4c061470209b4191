"""One bucket of items: the parent's state and the rows that came in -> the new state. Pure functions.

Rules: the newest `updated_at` wins, later rows win ties; rows of one item with equal `updated_at` in one file are one
item with several photos; a snapshot removes what it does not name, unless that is newer than the snapshot; replays
change nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from pipelines.catalogue.mapping import Item, Photo


@dataclass(frozen=True)
class Arrival:
    """One row that came in: where it stood (`source`, `sequence` in reading order), its item, and its feed."""

    sequence: int
    source: str
    feed: str  # "snapshot" or "deltas"
    item: Item


@dataclass(frozen=True)
class MediaArrival:
    """One row of the media table."""

    source: str
    item_id: str
    photo: Photo


@dataclass(frozen=True)
class Rejected:
    """One rejected row."""

    source: str
    item_id: str
    image_uri: str
    code: str
    detail: str


@dataclass
class Merged:
    """The new state of a bucket, and what became of the rows."""

    items: dict[str, Item] = field(default_factory=dict)
    deletes: dict[str, float] = field(default_factory=dict)
    rejects: list[Rejected] = field(default_factory=list)
    ok: int = 0
    skipped: int = 0
    added: int = 0
    changed: int = 0
    removed: Counter[str] = field(default_factory=Counter)  # by top category, of a snapshot alone
    deleted: int = 0


def merge(
    parent: dict[str, Item],
    parent_deletes: dict[str, float],
    arrivals: Iterable[Arrival],
    media: Iterable[MediaArrival],
    snapshot_time: float | None,
) -> Merged:
    """Return the new state of a bucket; `snapshot_time` is None when no snapshot was read."""
    result = Merged(dict(parent), dict(parent_deletes))
    ordered = sorted(arrivals, key=lambda a: a.sequence)
    snapshot = _join_repeated([a for a in ordered if a.feed == "snapshot"], result)
    for arrival in snapshot.values():
        _apply(result, arrival)
    if snapshot_time is not None:
        _remove_absent(result, snapshot.keys(), snapshot_time)
    deltas = [a for a in ordered if a.feed == "deltas"]
    for arrival in _join_neighbours(deltas, result):
        _apply(result, arrival)
    _attach(result, media)
    _reject_unseen(result, ordered)
    _compare(parent, result)
    return result


def _join_repeated(rows: list[Arrival], result: Merged) -> dict[str, Arrival]:
    newest: dict[str, Arrival] = {}
    for row in rows:
        held = newest.get(row.item.item_id)
        newest[row.item.item_id] = row if held is None else _join(held, row, result)
    return newest


def _join_neighbours(rows: list[Arrival], result: Merged) -> list[Arrival]:
    """Join the repeated rows of one upsert, which stand in one file and share a time; keep the order of the rest."""
    joined: dict[tuple[str, float, str], Arrival] = {}
    for row in rows:
        key = (row.item.item_id, row.item.updated_at, row.source.rsplit(":", 1)[0])
        held = joined.get(key)
        joined[key] = row if held is None else _join(held, row, result)
    return list(joined.values())


def _join(held: Arrival, row: Arrival, result: Merged) -> Arrival:
    old, new = held.item, row.item
    if old.updated_at != new.updated_at or old.deleted != new.deleted:
        result.skipped += 1  # superseded
        return row if new.updated_at >= old.updated_at else held
    if replace(old, photos=()) != replace(new, photos=()):
        detail = f"item {new.item_id!r} stands in {held.source} already with other values and the same time"
        result.rejects.append(Rejected(row.source, new.item_id, "", "conflicting_duplicate", detail))
        return held
    extra = tuple(photo for photo in new.photos if photo not in old.photos)
    if not extra:
        result.skipped += 1
        return held
    result.ok += 1
    return replace(held, item=replace(old, photos=old.photos + extra))


def _apply(result: Merged, arrival: Arrival) -> None:
    item = arrival.item
    current = result.items.get(item.item_id)
    newest = max(current.updated_at if current else -1.0, result.deletes.get(item.item_id, -1.0))
    if item.updated_at < newest:
        result.skipped += 1
        return
    result.ok += 1
    if item.deleted:
        result.items.pop(item.item_id, None)
        result.deletes[item.item_id] = item.updated_at
    else:
        result.items[item.item_id] = item
        result.deletes.pop(item.item_id, None)


def _remove_absent(result: Merged, named: Iterable[str], snapshot_time: float) -> None:
    names = set(named)
    for item_id in [i for i, item in result.items.items() if i not in names and item.updated_at <= snapshot_time]:
        item = result.items.pop(item_id)
        result.deletes[item_id] = snapshot_time
        result.removed[item.category[0]] += 1


def _attach(result: Merged, media: Iterable[MediaArrival]) -> None:
    for row in media:
        item = result.items.get(row.item_id)
        if item is None:
            code = "unknown_item" if row.item_id not in result.deletes else ""
            if code:
                detail = f"no item {row.item_id!r} in the catalogue"
                result.rejects.append(Rejected(row.source, row.item_id, row.photo.image_uri, code, detail))
            else:
                result.skipped += 1
        elif row.photo in item.photos:
            result.skipped += 1
        else:
            result.ok += 1
            result.items[row.item_id] = replace(item, photos=(*item.photos, row.photo))


def _reject_unseen(result: Merged, arrivals: Iterable[Arrival]) -> None:
    """Reject what neither its row nor the media table gave a photo; an empty column is forgiven only until here."""
    sources = {arrival.item.item_id: arrival.source for arrival in arrivals}
    for item_id in [i for i, item in result.items.items() if not item.photos]:
        del result.items[item_id]
        if item_id in sources:
            result.ok -= 1
            detail = "neither the row nor the media table names a photo"
            result.rejects.append(Rejected(sources[item_id], item_id, "", "no_photo", detail))


def _compare(parent: dict[str, Item], result: Merged) -> None:
    for item_id, item in result.items.items():
        old = parent.get(item_id)
        result.added += old is None
        result.changed += old is not None and replace(old, updated_at=0.0) != replace(item, updated_at=0.0)
    result.deleted = sum(item_id not in result.items for item_id in parent)
