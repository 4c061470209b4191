"""A sample of a catalogue: few items of every leaf, the same ones whenever it is drawn, variants with their group.

For a first look at all stages, in a store of its own. Two passes over the items' ids and categories; what is held is
the sample, and the numbers of items by leaf.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from pipelines.catalogue.state import State, read_state, write_state
from pipelines.store import Store
from pipelines.tables.buckets import read_bucket, write_bucket
from pipelines.tables.schemas import ITEMS, REJECTS
from pipelines.tables.taxonomy import leaf_value
from pipelines.tables.variants import short_hash

FEWEST = 5
"""Items of a leaf, where there is room: with one photo each, the fewest that a head learns by default."""


@dataclass(frozen=True)
class Sample:
    """What was drawn: how many items and photos, and of how many items which leaves have how many, by leaf."""

    items: int
    photos: int
    sizes: Mapping[str, int]
    taken: Mapping[str, int]

    def notes(self, least: int) -> Iterator[str]:
        """Yield the sample in words, and what it cannot teach: a leaf is learned from `least` of its items."""
        of_items, of_leaves, drawn = sum(self.sizes.values()), len(self.sizes), len(self.taken)
        leaves = f"all {of_leaves}" if drawn == of_leaves else f"{drawn} of {of_leaves}"
        yield (
            f"a sample of {self.items} of {of_items} items, of {leaves} leaf categories (--limit), in a store of its "
            "own"
        )
        could, can = (sum(count >= least for count in counts.values()) for counts in (self.sizes, self.taken))
        if can < could:
            verb = "has" if can < 2 else "have"
            yield (
                f"{can or 'none'} of the {could} leaf categories of {least} items or more, which are what a model can "
                f"learn (train.min_leaf_images, and what is held out), {verb} as many in the sample; --limit "
                f"{enough(self.sizes, least)} keeps them all"
            )


def enough(sizes: Mapping[str, int], least: int) -> int:
    """Return a limit at which every leaf of `least` items has as many in the sample, the smallest found by halving."""

    def is_enough(limit: int) -> bool:
        taken = quotas(sizes, limit)
        return all(taken.get(leaf, 0) >= least for leaf, size in sizes.items() if size >= least)

    low, high = 0, sum(sizes.values())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high


def quotas(sizes: Mapping[str, int], limit: int) -> dict[str, int]:
    """Return how many items of each leaf are taken: a few of each, the rest in proportion, `limit` at most in all.

    Of more leaves than that, the largest have one each.
    """
    ranked = sorted(sizes, key=lambda leaf: (-sizes[leaf], leaf))
    floor = max(1, min(FEWEST, limit // max(1, 2 * len(sizes))))
    taken = {leaf: min(sizes[leaf], floor) for leaf in ranked[:limit]}
    left = limit - sum(taken.values())
    rest = {leaf: sizes[leaf] - count for leaf, count in taken.items()}
    total = sum(rest.values())
    if left <= 0 or not total:
        return taken
    exact = {leaf: min(1.0, left / total) * count for leaf, count in rest.items()}
    for leaf, share in exact.items():
        taken[leaf] += int(share)
    unspent = min(left, total) - sum(int(share) for share in exact.values())
    for leaf in sorted(exact, key=lambda one: (int(exact[one]) - exact[one], one))[:unspent]:
        taken[leaf] += 1
    return taken


def draw(store: Store, whole: str, catalogue_id: str, buckets: int, limit: int) -> Sample:
    """Write the sample of a catalogue as another one. What the whole one's items were is forgotten with them."""
    sizes = Counter(leaf for _, leaf, _ in _items(store, whole, buckets))
    wanted = quotas(sizes, limit)
    nearest: dict[str, list[tuple[int, str]]] = {leaf: [] for leaf in wanted}
    for item_id, leaf, place in _items(store, whole, buckets):
        if leaf in wanted:
            push = heapq.heappush if len(nearest[leaf]) < wanted[leaf] else heapq.heappushpop
            push(nearest[leaf], (-place, item_id))
    chosen = {item_id for heap in nearest.values() for _, item_id in heap}
    items = photos = 0
    for bucket in range(buckets):
        state = read_state(store, whole, bucket)
        kept = State({name: held for name, held in state.items.items() if name in chosen}, state.deletes)
        counted = write_state(store, catalogue_id, bucket, kept)
        items, photos = items + counted[0], photos + counted[1]
        rejects = read_bucket(store, f"catalogue/{whole}/rejects", bucket, REJECTS)
        write_bucket(store, f"catalogue/{catalogue_id}/rejects", bucket, rejects)
    return Sample(items, photos, sizes, wanted)


def changes(store: Store, before: str, now: str, buckets: int) -> dict[str, int]:
    """Return how many items were added, changed and removed from one sample to the next; "" is none before."""
    counts = dict.fromkeys(("added", "changed", "removed"), 0)
    for bucket in range(buckets):
        old, new = (
            {name: replace(held, feed="") for name, held in read_state(store, one, bucket).shown().items()}
            for one in (before, now)
        )
        counts["added"] += len(new.keys() - old.keys())
        counts["removed"] += len(old.keys() - new.keys())
        counts["changed"] += sum(new[name] != old[name] for name in new.keys() & old.keys())
    return counts


def _items(store: Store, catalogue_id: str, buckets: int) -> Iterator[tuple[str, str, int]]:
    """Yield (id, leaf, place) of items; those of a group have one place."""
    for bucket in range(buckets):
        table = read_bucket(
            store, f"catalogue/{catalogue_id}/items", bucket, ITEMS, ["item_id", "group_id", "category"]
        )
        for row in table.to_pylist():
            place = int.from_bytes(short_hash(f"sample:{row['group_id'] or row['item_id']}"), "big")
            yield row["item_id"], leaf_value(row["category"]), place
