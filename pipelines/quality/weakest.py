"""The weakest matches of a release, found in what it holds already: its table of similar items, its photos' hashes.

The work grows with the rows of these tables; what is kept of them is the few that are told.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import chain
from typing import Final

import numpy as np

from pipelines.hidden import Hidden
from pipelines.quality.findings import LONELY, MISLABELLED, SAME_LOOK, Finding, Path, Shown, Weakest
from pipelines.quality.gallery import Gallery, Looks
from pipelines.quality.looks import Pair, of_unequal_leaves
from pipelines.quality.matches import Lonely, Mislabelled, lonely, mislabelled
from pipelines.quality.tops import Top
from pipelines.releases.release import Release
from pipelines.store import Store

NO_TABLE: Final = (
    "the release has no table of similar items (index.similar = 0): which items are like nothing, and which may be of "
    "another category, cannot be told"
)
NO_PHOTOS: Final = "the run of the release is gone: which photos look the same cannot be told"


def find_weakest(store: Store, release: Release, roles: tuple[str, ...], hidden: Hidden, most: int) -> Weakest:
    """Return the weakest matches of a release, up to `most` of each kind; hidden items are left out.

    `roles` are those of the gallery's photos. Raises StoreError for a damaged table.
    """
    gallery = Gallery(store, release, hidden, roles)
    may_be = _may_be(gallery.paths)
    alone, strangers = Top[Lonely](most), Top[Mislabelled](most)
    for table in gallery.similar():
        alone.offer(lonely(table))
        strangers.offer(mislabelled(table, gallery.leaf, may_be))
    looks, pairs = gallery.looks(), Top[Pair](most)
    for found in of_unequal_leaves(looks, gallery.leaf, may_be) if looks is not None else ():
        pairs.offer(found)
    notes = [NO_TABLE] if len(gallery) and not gallery.has_similar else []
    notes += [NO_PHOTOS] if looks is None else []
    findings = _of_items(gallery, alone, strangers)
    findings[SAME_LOOK] = _of_photos(gallery, looks, pairs) if looks is not None else []
    return Weakest(release.release_id, len(gallery), findings, tuple(notes))


def _may_be(paths: list[Path]) -> Callable[[int, int], bool]:
    """Return what tells whether a leaf may be right in place of another: none is that lies above or below it."""

    def may_be(own: int, other: int) -> bool:
        shorter, longer = sorted((paths[own], paths[other]), key=len)
        return longer[: len(shorter)] != shorter

    return lru_cache(1 << 16)(may_be)


def _of_items(gallery: Gallery, alone: Top[Lonely], strangers: Top[Mislabelled]) -> dict[str, list[Finding]]:
    numbers = chain(((one, other) for _, one, other in alone), ((one, first) for _, one, _, first, _ in strangers))
    ids = gallery.item_ids(np.array(sorted({*chain.from_iterable(numbers)}), np.int64))
    shown = gallery.shown(sorted(ids.values()))
    of = {number: shown[item_id] for number, item_id in ids.items()}
    return {
        LONELY: [Finding(LONELY, score, of[one], of[other]) for score, one, other in alone],
        MISLABELLED: [
            Finding(MISLABELLED, 1 - doubt, of[one], of[first], gallery.paths[leaf], share)
            for doubt, one, leaf, first, share in strangers
        ],
    }


def _of_photos(gallery: Gallery, looks: Looks, pairs: Top[Pair]) -> list[Finding]:
    rows = sorted({row for _, one, other in pairs for row in (one, other)})
    places = {row: (int(looks.bucket[row]), int(looks.row[row])) for row in rows}
    told = gallery.photos(list(places.values()))
    shown = gallery.shown(sorted({item_id for item_id, _, _ in told.values()}))

    def of(row: int) -> Shown:
        item_id, uri, digest = told[places[row]]
        item = shown[item_id]
        return Shown(item_id, item.category, item.title, uri, digest)

    found = [Finding(SAME_LOOK, float(bits), of(one), of(other)) for bits, one, other in pairs]
    return sorted(found, key=lambda one: (not one.is_same_photo, one.score))
