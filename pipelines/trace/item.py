"""An item's whole way: its rows in the feeds, the catalogue, its photos, the index; and what that comes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pipelines.config import Config
from pipelines.curated import read_curated
from pipelines.hidden import Hidden, read_hidden
from pipelines.hidden.erased import read_erased
from pipelines.neighbours.recipes import plan_of
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
from pipelines.trace.laid import Overlaid
from pipelines.trace.near import nearest_ids, unnamed_rows
from pipelines.trace.photos import Photos
from pipelines.trace.rows import FoundRows, find_rows
from pipelines.trace.scope import Scope, find_scopes
from pipelines.trace.since import changes

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
        item_id = visible(trimmed(item_id))
        scopes = find_scopes(self.store, self.release_id)
        found = find_rows(self.config, self.store, item_id, self._buckets) if self.read_feeds else FoundRows(())
        trails = [self._trail(scope, item_id, found.rows) for scope in scopes if scope]
        known = [trail for trail in trails if trail.catalogued.state != UNKNOWN]
        if not known:
            return self._unknown(item_id, found, scopes[1])
        trail = _telling(known)
        newer = next((one for one in known if one is not trail), None)
        changed = changes(newer, trail) if newer else ()
        since = newer if newer and (changed or _tells_more(newer, trail)) else None
        verdict = trail.verdict if trail is trails[0] else _came_later(trail, trails[0])
        if changed and newer:
            verdict = _not_yet(verdict, newer, changed)
        return Trace(item_id, verdict, found.rows, trail, since, changed, (), found.notes, store=self.store.uri)

    @cached_property
    def _buckets(self) -> int:
        return read_format(self.store).buckets

    @cached_property
    def _overlaid(self) -> Overlaid:
        return Overlaid(self.config, read_curated(self.store))

    def _trail(self, scope: Scope, item_id: str, rows: Sequence[Row]) -> Trail:
        held = catalogued(self.store, scope, item_id, self._buckets, self._overlaid)
        gallery = Gallery(self.store, scope, self._buckets)
        photos = tuple[PhotoTrace, ...]()
        if held.state == SHOWN:
            photos = Photos(self.config, self.store, scope, gallery, self._buckets, self.look_alike).of_item(item_id)
            verdict = self._shown(item_id, scope, held, gallery, photos)
        else:
            verdict = absent(item_id, held, rows if self.read_feeds else None)
        name = scope.release.release_id if scope.release else ""
        leaf = gallery.leaf(held.category)
        return Trail(scope.run_id, name, scope.is_live, scope.number, held, leaf, photos, verdict)

    def _shown(
        self, item_id: str, scope: Scope, held: Catalogued, gallery: Gallery, photos: Sequence[PhotoTrace]
    ) -> Verdict:
        verdict = _of_photos(scope, photos, self.config.index.roles)
        if verdict.step == RELEASE or verdict.reason == reasons.NOT_IN_INDEX:
            verdict = self._unless_hidden(verdict, item_id, scope, gallery)
        if verdict.is_found and plan_of(self.config).fold == "group" and gallery.is_variant(item_id, held.group_id):
            folded = f"{verdict.sentence}; of its group {held.group_id!r} a search shows one item (search.unit)"
            return replace(verdict, sentence=folded)
        return verdict

    def _unless_hidden(self, verdict: Verdict, item_id: str, scope: Scope, gallery: Gallery) -> Verdict:
        """Return the verdict, of an item that is hidden now, or was so when the index was built, that it is."""
        if why := self._hidden.items.get(item_id):
            return reasons.hidden(why, item_id)
        left_out = verdict.reason == reasons.NOT_IN_INDEX and gallery.was_hidden(item_id)
        return reasons.was_hidden(scope) if left_out else verdict

    @cached_property
    def _hidden(self) -> Hidden:
        return read_hidden(self.store)

    def _unknown(self, item_id: str, found: FoundRows, newest: Scope | None) -> Trace:
        """Return the trace of an item that no catalogue knows."""
        _, head = Log(self.store, "catalogue/log").head()
        if not head:
            return Trace(item_id, NOTHING, found.rows, notes=found.notes, store=self.store.uri)
        near = nearest_ids(self.store, head["catalogue_id"], item_id, self._buckets)
        unnamed = [] if found.rows else unnamed_rows(self.store, self._buckets)
        verdict = absent(item_id, Catalogued(UNKNOWN), found.rows, near, unnamed, head["notes"])
        if item_id in read_erased(self.store):
            verdict = reasons.erased(item_id)
        if newest and newest.stopped_at == CATALOGUE:
            verdict = replace(verdict, sentence=f"{verdict.sentence}; run {newest.run_id!r} stopped in catalogue")
        return Trace(item_id, verdict, found.rows, near=near.ids, notes=found.notes, store=self.store.uri)


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


def _not_yet(verdict: Verdict, newer: Trail, changed: Sequence[str]) -> Verdict:
    """Return the verdict of an item that a newer run has otherwise, and what would let searches show that."""
    fix = newer.verdict.fix if newer.verdict.step == RELEASE or newer.verdict.reason in reasons.OF_RUNS else ""
    sentence = f"{verdict.sentence}; run {newer.run_id!r} has it otherwise: {'; '.join(changed)}"
    return replace(verdict, sentence=sentence, fix=verdict.fix or fix)


def _of_photos(scope: Scope, photos: Sequence[PhotoTrace], roles: Sequence[str]) -> Verdict:
    """Return the verdict of an item that its catalogue shows: of the photos to be searched, the one that came farthest.

    Of an item without a photo of such a role it is any.
    """
    there = sum(photo.verdict.is_found for photo in photos)
    if there:
        return reasons.in_index(scope, there, len(photos))
    if not photos:  # its table is lost: an item that is shown has photos
        return reasons.not_done(PREPROCESS, scope)
    best = max(photos, key=lambda photo: (photo.role in roles, STEPS.index(photo.verdict.step)))
    verdict = best.verdict
    if verdict.reason in reasons.OF_RUNS:
        return verdict
    of = "its photo" if len(photos) == 1 else f"of its {len(photos)} photos none can be found;"
    farthest = "" if len(photos) == 1 else " came farthest"
    sentence = f"{of} {best.image_uri}{farthest}: {verdict.sentence}"
    return Verdict(verdict.step, verdict.reason, sentence, verdict.fix)
