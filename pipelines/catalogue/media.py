"""The photos of the media table -> the items that they show; read whole, the table is the state. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from pipelines.catalogue.arrivals import MediaArrival
from pipelines.catalogue.mapping import Photo
from pipelines.catalogue.state import Held, State


@dataclass
class Outcome:
    """What became of the rows, and how many photos are in the table no more."""

    ok: int = 0
    skipped: int = 0
    withdrawn: int = 0
    rejected: list[tuple[MediaArrival, str, str]] = field(default_factory=list)
    """Rows with a reject code and detail."""


def attach(
    parent: State, state: State, rows: Iterable[MediaArrival], refused: Mapping[str, set[str]], *, is_whole: bool
) -> Outcome:
    """Give the items of `state` the photos of the table, and no others but those whose rows were refused.

    `refused` names these photos by item; "" among them is a row whose photo is not known, and keeps all of the item's.
    Rows of items that are unknown are rejected, unless the feeds were not read whole.
    """
    outcome, found = Outcome(), dict[str, dict[str, MediaArrival]]()
    for row in rows:
        if row.item_id in state.items:
            _take(row, found.setdefault(row.item_id, {}), parent.items.get(row.item_id), outcome)
        elif row.item_id in state.deletes or not is_whole:
            outcome.skipped += 1
        else:
            outcome.rejected.append((row, "unknown_item", f"no item {row.item_id!r} in the catalogue"))
    for item_id, held in state.items.items():
        new = tuple(row.photo for row in found.get(item_id, {}).values())
        state.items[item_id] = _with_media(held, new, refused.get(item_id, set()), outcome)
    return outcome


def _take(row: MediaArrival, of_item: dict[str, MediaArrival], before: Held | None, outcome: Outcome) -> None:
    first = of_item.setdefault(row.photo.image_uri, row)
    if first.photo != row.photo:
        detail = f"photo {row.photo.image_uri!r} stands in {first.source} already with other values"
        outcome.rejected.append((row, "conflicting_duplicate", detail))
    elif first is not row or (before is not None and row.photo in before.photos):
        outcome.skipped += 1
    else:
        outcome.ok += 1


def _with_media(held: Held, new: tuple[Photo, ...], refused: set[str], outcome: Outcome) -> Held:
    own, old = held.item.photos, held.media
    if old is None:  # an older catalogue: what has a box, or is named by the table, is of the table
        named = {photo.image_uri for photo in new} | refused
        old = tuple(photo for photo in own if photo.box or photo.image_uri in named)
        own = tuple(photo for photo in own if photo not in old)
    there = {photo.image_uri for photo in new}
    kept = tuple(p for p in old if p.image_uri not in there and ("" in refused or p.image_uri in refused))
    outcome.withdrawn += sum(photo.image_uri not in there and photo not in kept for photo in old)
    media = tuple(photo for photo in (*new, *kept) if photo not in own)
    if media == held.media and own == held.item.photos:
        return held
    return Held(replace(held.item, photos=own), held.feed, media)
