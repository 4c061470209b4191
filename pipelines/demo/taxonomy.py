"""The tree of categories: archetypes split along their axes until there are as many leaves as asked for.

Owns names and sizes of categories; draws nothing.
"""

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.demo.archetypes import ARCHETYPES
from pipelines.demo.sketch import Archetype, Axis

SEPARATOR: Final = " > "
MAX_LEVELS: Final = 8
_SKEW: Final = 0.9


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf category: `path` from the department down, and the labels that it fixes on its archetype's first axes."""

    path: tuple[str, ...]
    archetype: Archetype
    fixed: Mapping[str, str]

    def free_axis(self) -> Axis | None:
        """Return the axis along which this leaf can still be split, if its path may grow."""
        axes = self.archetype.axes
        return axes[len(self.fixed)] if len(self.fixed) < len(axes) and len(self.path) < MAX_LEVELS else None

    def split(self, count: int) -> "list[Leaf]":
        """Return `count` children along the next axis."""
        axis = self.free_axis()
        if axis is None:
            raise ValueError(f"category {SEPARATOR.join(self.path)!r} has no axis left to split along")
        labels = list(axis.values)[:count]
        return [Leaf((*self.path, label), self.archetype, {**self.fixed, axis.name: label}) for label in labels]


def max_leaves() -> int:
    """Return how many leaf categories there can be."""
    total = 0
    for archetype in ARCHETYPES:
        room = MAX_LEVELS - len(archetype.parents) - 1
        total += int(np.prod([len(axis.values) for axis in archetype.axes[:room]]))
    return total


def grow(leaf_categories: int, rng: np.random.Generator) -> list[Leaf]:
    """Return exactly `leaf_categories` leaves of uneven depth. Raises ValueError for too many."""
    if not 1 <= leaf_categories <= max_leaves():
        raise ValueError(
            f"leaf_categories={leaf_categories}: choose 1 to {max_leaves()}, what the drawings can tell apart"
        )
    roots = [Leaf((*a.parents, a.name), a, {}) for a in ARCHETYPES]
    if leaf_categories <= len(roots):
        chosen = rng.permutation(len(roots))[:leaf_categories]
        return [roots[number] for number in sorted(chosen)]
    # The shallowest leaf is split first, but for luck: that is what makes the depth uneven.
    queue = [(float(rng.random()), number, leaf) for number, leaf in enumerate(roots)]
    heapq.heapify(queue)
    done: list[Leaf] = []
    serial = len(roots)
    while len(queue) + len(done) < leaf_categories:
        _, _, leaf = heapq.heappop(queue)
        axis = leaf.free_axis()
        missing = leaf_categories - len(queue) - len(done)
        if axis is None:
            done.append(leaf)
            continue
        for child in leaf.split(max(2, min(len(axis.values), missing))):
            heapq.heappush(queue, (len(child.fixed) + 2.6 * float(rng.random()), serial, child))
            serial += 1
    return sorted([*done, *(leaf for _, _, leaf in queue)], key=lambda leaf: leaf.path)


def sizes(leaves: int, items: int, rng: np.random.Generator) -> list[int]:
    """Return how many items each leaf holds: one each, the rest by a Zipf law in random order."""
    if items < leaves:
        raise ValueError(
            f"items={items} for {leaves} leaf categories: ask for at least one item a category, or fewer categories"
        )
    weights = 1.0 / (rng.permutation(leaves) + 2.0) ** _SKEW
    return [1 + int(extra) for extra in rng.multinomial(items - leaves, weights / weights.sum())]
