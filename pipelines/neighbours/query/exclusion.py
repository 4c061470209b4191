"""What one query must not find, and which links that leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipelines.neighbours.rows import Rows
from pipelines.tables.arrays import Array, Ints

NONE: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True, eq=False)
class Only:
    """All that may be found at all: `links` bool `[links]`, and the rows (photos) that have any, bool `[rows]`."""

    links: Array
    rows: Array
    num_rows: int

    @classmethod
    def of_links(cls, tables: Rows, links: Array) -> Only:
        """Return what some links leave."""
        rows = np.zeros(len(tables), bool)
        rows[tables.link_row[links]] = True
        return cls(links, rows, int(rows.sum()))


@dataclass(frozen=True)
class Exclusion:
    """Say what one query must not find: items, groups of variants and rows (photos), by number; or find `only` that.

    Items that are `apart` are not found either, but are no kin of the query: they have a say in what it is.
    """

    items: Ints = field(default_factory=lambda: NONE)
    groups: Ints = field(default_factory=lambda: NONE)
    rows: Ints = field(default_factory=lambda: NONE)
    only: Only | None = None
    apart: Ints = field(default_factory=lambda: NONE)

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return self.only is not None or any(map(len, (self.items, self.groups, self.rows, self.apart)))

    def permitted(self, rows: Rows, links: Ints) -> Array:
        """Return which of `links` may be found, bool `[links]`."""
        permitted = np.ones(len(links), bool) if self.only is None else np.array(self.only.links[links])
        if len(self.items):
            permitted &= ~np.isin(rows.link_item[links], self.items)
        if len(self.apart):
            permitted &= ~np.isin(rows.link_item[links], self.apart)
        if len(self.groups):
            permitted &= ~np.isin(rows.link_group[links], self.groups)
        if len(self.rows):
            permitted &= ~np.isin(rows.link_row[links], self.rows)
        return permitted
