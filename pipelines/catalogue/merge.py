"""One bucket of items: the state of before and the rows that came in -> the new state. Pure functions.

Two orders decide. Snapshots hold one after the other, as they were read: the last one says what an item is, and that it
is gone when it does not name it. Between a snapshot and deltas, and among deltas, the newest `updated_at` wins. Rows
of one item with equal `updated_at` in one file are one item with several photos; of a snapshot's, which may hold what
an item was too, those count that do not say it is gone. Replays change nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field, replace

from pipelines.catalogue.arrivals import DELTAS, MEDIA, SNAPSHOT, Arrival, Rejected, Rows
from pipelines.catalogue.mapping import Item, Photo
from pipelines.catalogue.media import attach
from pipelines.catalogue.overlay import Overlay
from pipelines.catalogue.parts import remark_files
from pipelines.catalogue.roles import Roles
from pipelines.catalogue.state import Delete, Held, State
from pipelines.catalogue.values import DAY_S, Remarks

NEVER = -1.0
LEFT_OUT = "left_out"
"""The remark on photos of roles that are left out, by role."""


@dataclass(frozen=True)
class Terms:
    """How rows are merged; times in seconds since 1970.

    `snapshot_at` is None when no snapshot was read; `is_new` tells that it was not read before, `is_whole` that it was
    read to its end, `is_mapped_alike` that its dates mean what those of the one before did. `has_media` tells that
    there is a media table: it is read whole each time. `roles` tell what photos are for.
    """

    now: float = math.inf
    snapshot_at: float | None = None
    is_new: bool = True
    is_whole: bool = True
    is_mapped_alike: bool = True
    has_media: bool = False
    roles: Roles = field(default_factory=Roles)


@dataclass
class Merged:
    """The new state of a bucket, and what became of the rows."""

    state: State
    rejects: list[Rejected] = field(default_factory=list)
    ok: int = 0
    skipped: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    """Items `added`, `changed`, `kept` as their rows were rejected; photos `withdrawn`; rows `back`, `on` in time."""
    removed: Counter[str] = field(default_factory=Counter)
    """Items that are shown no more, by top category."""
    kept_example: str = ""
    applied: dict[str, str] = field(default_factory=dict)
    """The row by which an item became what it is."""
    remarks: Remarks = field(default_factory=Remarks)
    bare: dict[str, str] = field(default_factory=dict)
    """The role of which a photo was left out, of items that have no other."""


def merge(parent: State, rows: Rows, terms: Terms, overlay: Overlay = Overlay()) -> Merged:  # noqa: B008 - frozen
    """Return the new state of a bucket, its items shown with what the shop says above the feeds."""
    result = Merged(State(dict(parent.items), dict(parent.deletes)), list(rows.rejected))
    ordered = sorted(rows.arrivals, key=lambda a: a.sequence)
    of_snapshot = [a for a in ordered if a.feed == SNAPSHOT]
    remark_files(of_snapshot, result.remarks)
    snapshot = _join_repeated(of_snapshot, result)
    for arrival in snapshot.values():
        _apply_snapshot(result, arrival, terms)
    if terms.snapshot_at is not None and terms.is_new and terms.is_whole:
        _remove_absent(result, {*snapshot}, rows.refused(SNAPSHOT), terms)
    for arrival in _join_neighbours([a for a in ordered if a.feed == DELTAS], result):
        _apply_delta(result, arrival, terms)
    _count_kept(result, rows)
    _attach(parent, result, rows, terms)
    _reject_unseen(result)
    overlay.lay(result.state, result.remarks)
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
        key = (row.item.item_id, row.item.updated_at, row.file)
        held = joined.get(key)
        joined[key] = row if held is None else _join(held, row, result)
    return list(joined.values())


def _join(held: Arrival, row: Arrival, result: Merged) -> Arrival:
    old, new = held.item, row.item
    if old.updated_at != new.updated_at or old.deleted != new.deleted:
        result.skipped += 1  # superseded
        if old.updated_at == new.updated_at and row.feed == SNAPSHOT:  # a list, as of versions, has no order of deeds
            return held if new.deleted else row
        return row if new.updated_at >= old.updated_at else held
    if replace(old, photos=()) != replace(new, photos=()):
        hint = "if its rows are parts of one, catalogue.columns.continues names the column they share"
        if held.file != row.file:
            hint = "of the files of a snapshot the first one counts, unless catalogue.snapshot_files says which"
        detail = f"item {new.item_id!r} stands in {held.source} already with other values and the same time; {hint}"
        result.rejects.append(Rejected(row.source, new.item_id, "", "conflicting_duplicate", detail, row.feed))
        return held
    extra = tuple(photo for photo in new.photos if photo not in old.photos)
    if not extra:
        result.skipped += 1
        return held
    result.ok += 1
    return replace(held, item=replace(old, photos=old.photos + extra))


def _apply_snapshot(result: Merged, arrival: Arrival, terms: Terms) -> None:
    held, gone = _known(result, arrival)
    if held is not None and held.feed == SNAPSHOT and terms.is_new and terms.is_mapped_alike:
        before, now = _date(held.item.updated_at, terms), arrival.item.updated_at
        result.counts["back"] += now < before
        result.counts["on"] += NEVER < before < now
    dates = [_date(held.item.updated_at, terms)] if held and held.feed == DELTAS else []
    # Who deleted an item may be unknown: then a snapshot that is new knows it better.
    dates += [_date(gone.at, terms)] if gone and gone.feed in ({DELTAS} if terms.is_new else {DELTAS, None}) else []
    _apply(result, arrival, max(dates, default=NEVER), terms.roles, wins_ties=terms.is_new)


def _apply_delta(result: Merged, arrival: Arrival, terms: Terms) -> None:
    held, gone = _known(result, arrival)
    dates = [_date(held.item.updated_at, terms)] if held else []
    dates += [_date(gone.at, terms)] if gone else []
    _apply(result, arrival, max(dates, default=NEVER), terms.roles, wins_ties=not arrival.again)


def _apply(result: Merged, arrival: Arrival, newest: float, roles: Roles, *, wins_ties: bool) -> None:
    """Let a row be what its item is, unless something newer is known."""
    item, state = arrival.item, result.state
    if item.updated_at < newest or (item.updated_at == newest and not wins_ties):
        result.skipped += 1
        return
    result.ok += 1
    if item.deleted:
        state.items.pop(item.item_id, None)
        state.deletes[item.item_id] = Delete(item.updated_at, arrival.feed)
        return
    item = replace(item, photos=_shown(result, item, roles))
    before = state.items.get(item.item_id)
    state.items[item.item_id] = Held(item, arrival.feed, (before.media or ()) if before else ())
    state.deletes.pop(item.item_id, None)
    result.applied[item.item_id] = arrival.source


def _shown(result: Merged, item: Item, roles: Roles) -> tuple[Photo, ...]:
    """Return the photos of an item but for those of roles that are left out, which are counted."""
    photos = roles.told(item.photos)
    kept = tuple(photo for photo in photos if photo.role not in roles.left_out)
    for photo in photos:
        if photo.role in roles.left_out:
            result.remarks.add(f"{LEFT_OUT}:{photo.role}", repr(photo.image_uri))
    if photos and not kept:
        result.bare[item.item_id] = photos[0].role
    return kept


def _known(result: Merged, arrival: Arrival) -> tuple[Held | None, Delete | None]:
    item_id = arrival.item.item_id
    return result.state.items.get(item_id), result.state.deletes.get(item_id)


def _date(at: float, terms: Terms) -> float:
    """Return a date, or NEVER for one that cannot be: stores were written that hold dates of the future."""
    return at if at <= terms.now + DAY_S else NEVER


def _remove_absent(result: Merged, named: set[str], refused: set[str], terms: Terms) -> None:
    """Remove what a snapshot does not name, but for what deltas said after it and what its rejected rows were about."""
    state, snapshot_at = result.state, terms.snapshot_at or 0.0
    for item_id in [item_id for item_id in state.items if item_id not in named]:
        held = state.items[item_id]
        date = _date(held.item.updated_at, terms)
        if item_id not in refused and (held.feed == SNAPSHOT or date <= snapshot_at):
            del state.items[item_id]
            state.deletes[item_id] = Delete(max(snapshot_at, date), SNAPSHOT)


def _count_kept(result: Merged, rows: Rows) -> None:
    """Count the items that are what they were because all of their rows were rejected."""
    refused = (rows.refused(SNAPSHOT) | rows.refused(DELTAS)) & result.state.items.keys()
    kept = refused - {arrival.item.item_id for arrival in rows.arrivals}
    result.counts["kept"] += len(kept)
    result.kept_example = min(kept, default="")


def _attach(parent: State, result: Merged, rows: Rows, terms: Terms) -> None:
    if not terms.has_media:
        for item_id, held in result.state.items.items():
            if held.media:
                result.state.items[item_id] = replace(held, media=())
        return
    media = [row for row in rows.media if row.photo.role not in terms.roles.left_out]
    for row in rows.media:
        if row.photo.role in terms.roles.left_out:
            result.skipped += 1
            result.remarks.add(f"{LEFT_OUT}:{row.photo.role}", repr(row.photo.image_uri))
    outcome = attach(parent, result.state, media, rows.refused_photos(), is_whole=terms.is_whole)
    result.ok += outcome.ok
    result.skipped += outcome.skipped
    result.counts["withdrawn"] += outcome.withdrawn
    result.rejects += [
        Rejected(row.source, row.item_id, row.photo.image_uri, code, detail, MEDIA)
        for row, code, detail in outcome.rejected
    ]


def _reject_unseen(result: Merged) -> None:
    """Reject rows whose items have no photo from anywhere; the items wait for one."""
    for item_id, source in result.applied.items():
        held = result.state.items.get(item_id)
        if held is not None and not held.photos:
            result.ok -= 1
            detail = "neither the row nor the media table names a photo; the item waits for one"
            if item_id in result.bare:
                role = result.bare[item_id]
                detail = f"its photos are all of roles that catalogue.drop_roles leaves out, as {role!r}"
            result.rejects.append(Rejected(source, item_id, "", "no_photo", detail, held.feed))


def _compare(parent: State, result: Merged) -> None:
    before, after = parent.shown(), result.state.shown()
    for item_id, held in after.items():
        old = before.get(item_id)
        result.counts["added"] += old is None
        result.counts["changed"] += old is not None and _looks(old) != _looks(held)
    result.removed.update(held.shown.category[0] for item_id, held in before.items() if item_id not in after)


def _looks(held: Held) -> tuple[Item, tuple[Photo, ...]]:
    return replace(held.shown, updated_at=0.0, photos=()), held.photos
