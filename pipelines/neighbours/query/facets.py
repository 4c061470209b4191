"""What there is to filter by: categories, values of attributes, currencies, each with how many items it leaves."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from pipelines.neighbours.rows import Rows
from pipelines.tables.arrays import Array, Ints


@dataclass(frozen=True)
class Facets:
    """Of what may be found: each category and those above it, parents first; values, the most frequent first."""

    items: int
    categories: Mapping[tuple[str, ...], int]
    attributes: Mapping[str, Mapping[str, int]]
    currencies: tuple[str, ...]


def facets(rows: Rows, live_links: Array) -> Facets:
    """Return what the live links of an index leave to filter by."""
    links = np.flatnonzero(live_links)
    items = np.asarray(rows.link_item[links])
    below = Counter[tuple[str, ...]]()
    for path, count in zip(
        rows.categories, _items_by(rows.link_category[links], items, len(rows.categories)), strict=True
    ):
        below.update({path[:depth]: int(count) for depth in range(1, len(path) + 1)})
    attributes = {
        name: _by_size(values, _items_by(codes[links], items, len(values)))
        for name, (values, codes) in rows.attributes.items()
    }
    told = pc.unique(rows.told("currency").take(links)).drop_null().to_pylist()
    there = {path: below[path] for path in sorted(below) if below[path]}
    return Facets(len(np.unique(items)), there, attributes, tuple(sorted(told)))


def _items_by(codes: Ints, items: Ints, size: int) -> Ints:
    """Return how many distinct items each code has, int64 `[size]`; a code of -1 is none."""
    known = np.asarray(codes) >= 0
    pairs = np.unique(np.stack([np.asarray(codes)[known].astype(np.int64), items[known]]), axis=1)
    return np.bincount(pairs[0], minlength=size)


def _by_size(values: list[str], counts: Ints) -> dict[str, int]:
    order = sorted(range(len(values)), key=lambda at: (-counts[at], values[at]))
    return {values[at]: int(counts[at]) for at in order if counts[at]}
