"""An item's whole way: its rows in the feeds, the catalogue, its photos, the index; and what that comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.config import Config
from pipelines.store import Log, Store
from pipelines.store.opening import read_format
from pipelines.tables.spelling import trimmed, visible
from pipelines.trace import reasons
from pipelines.trace.absent import absent
from pipelines.trace.catalogued import catalogued
from pipelines.trace.facts import (
    CATALOGUE,
    PREPROCESS,
    RELEASE,
    SHOWN,
    STEPS,
    UNKNOWN,
    Catalogued,
    PhotoTrace,
    Row,
    Trace,
    Trail,
    Verdict,
)
from pipelines.trace.gallery import Gallery
from pipelines.trace.near import Near, nearest_ids, unnamed_rows
from pipelines.trace.photos import Photos
from pipelines.trace.rows import FoundRows, find_rows
from pipelines.trace.scope import Scope, find_scopes

NOTHING = Verdict(CATALOGUE, "no_catalogue", "no feed was ever read into this store", reasons.RUN)


@dataclass(frozen=True)
class Tracer:
    """Traces items of a store; `release_id` names another release than the live one.

    `read_feeds` has their rows looked for, which takes as long as the feeds are; `look_alike` has the photos of all
    items compared with theirs.
    """

    config: Config
    store: Store
    release_id: str | None = None
    read_feeds: bool = True
    look_alike: bool = False

    def trace(self, item_id: str) -> Trace:
        """Return all that is known of an item. Raises StoreError for what is no store, or a release that is not there.

        It reads an item's bucket of some tables; an id that no catalogue knows is compared with all.
        """
        item_id, buckets = visible(trimmed(item_id)), read_format(self.store).buckets
        released, newest = find_scopes(self.store, self.release_id)
        found = find_rows(self.config, self.store, item_id, buckets) if self.read_feeds else FoundRows(())
        trails = [self._trail(scope, item_id, buckets, found.rows) for scope in (released, newest) if scope]
        known = [trail for trail in trails if trail.catalogued.state != UNKNOWN]
        if not known:
            _, head = Log(self.store, "catalogue/log").head()
            near = nearest_ids(self.store, head["catalogue_id"], item_id, buckets) if head else Near()
            verdict = self._unknown(head, item_id, buckets, found.rows, near)
            if newest and newest.stopped_at == CATALOGUE:
                verdict = replace(verdict, sentence=f"{verdict.sentence}; run {newest.run_id!r} stopped in catalogue")
            return Trace(item_id, verdict, found.rows, None, None, near.ids, found.notes, store=self.store.uri)
        trail = _telling(known)
        since = next((one for one in known if one is not trail and _tells_more(one, trail)), None)
        verdict = trail.verdict if trail in trails[:1] else _came_later(trail, trails[0])
        return Trace(item_id, verdict, found.rows, trail, since, (), found.notes, store=self.store.uri)

    def _trail(self, scope: Scope, item_id: str, buckets: int, rows: Sequence[Row]) -> Trail:
        held = catalogued(self.store, scope, item_id, buckets)
        gallery = Gallery(self.store, scope, buckets)
        photos = Photos(self.config, self.store, scope, gallery, buckets, self.look_alike)
        of_item = photos.of_item(item_id) if held.state == SHOWN else ()
        verdict = _of_photos(scope, of_item) if held.state == SHOWN else absent(item_id, held, rows)
        leaf = gallery.leaf(held.category)
        name = scope.release.release_id if scope.release else ""
        return Trail(scope.run_id, name, scope.is_live, scope.number, held, leaf, of_item, verdict)

    def _unknown(self, head: dict[str, Any], item_id: str, buckets: int, rows: Sequence[Row], near: Near) -> Verdict:
        if not head:
            return NOTHING
        unnamed = [] if rows else unnamed_rows(self.store, buckets)
        return absent(item_id, Catalogued(UNKNOWN), rows, near, unnamed, head["notes"])


def _telling(trails: Sequence[Trail]) -> Trail:
    """Return the trail that answers: that of the release where its catalogue has the item, else the newest's."""
    return next((trail for trail in trails if trail.catalogued.state == SHOWN), trails[-1])


def _tells_more(newest: Trail, trail: Trail) -> bool:
    """Tell whether the newest run makes something else of an item; that it is not live is no news of what is found."""
    runs_alone = newest.verdict.step == RELEASE or newest.verdict.reason in reasons.OF_RUNS
    return newest.verdict != trail.verdict and not (trail.verdict.is_found and runs_alone)


def _came_later(trail: Trail, released: Trail) -> Verdict:
    """Return the verdict of the newest run on an item that the release cannot know."""
    if trail.catalogued.state != SHOWN or not trail.catalogue > released.catalogue:
        return trail.verdict
    name, numbers = released.release_id, (trail.catalogue, released.catalogue)
    came = f"it is in catalogue {numbers[0]}, and release {name} was made of catalogue {numbers[1]}"
    return replace(trail.verdict, sentence=f"{came}; {trail.verdict.sentence}")


def _of_photos(scope: Scope, photos: Sequence[PhotoTrace]) -> Verdict:
    """Return the verdict of an item that its catalogue shows: that of the photo that came farthest."""
    there = sum(photo.verdict.is_found for photo in photos)
    if there:
        return reasons.in_index(scope, there, len(photos))
    if not photos:  # its table is lost: an item that is shown has photos
        return reasons.not_done(PREPROCESS, scope)
    best = max(photos, key=lambda photo: STEPS.index(photo.verdict.step))
    verdict = best.verdict
    if verdict.reason in reasons.OF_RUNS:
        return verdict
    of = "its photo" if len(photos) == 1 else f"of its {len(photos)} photos none can be found;"
    farthest = "" if len(photos) == 1 else " came farthest"
    sentence = f"{of} {best.image_uri}{farthest}: {verdict.sentence}"
    return Verdict(verdict.step, verdict.reason, sentence, verdict.fix)
