"""What one query must not find, and which links that leaves."""

from dataclasses import dataclass, field

import numpy as np

from pipelines.neighbours.rows import Rows
from pipelines.tables.arrays import Array, Ints

NONE: Ints = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Exclusion:
    """Say what one query must not find: items, groups of variants and rows (photos), by number."""

    items: Ints = field(default_factory=lambda: NONE)
    groups: Ints = field(default_factory=lambda: NONE)
    rows: Ints = field(default_factory=lambda: NONE)

    def permitted(self, rows: Rows, links: Ints) -> Array:
        """Return which of `links` may be found, bool `[links]`."""
        permitted = np.ones(len(links), bool)
        if len(self.items):
            permitted &= ~np.isin(rows.link_item[links], self.items)
        if len(self.groups):
            permitted &= ~np.isin(rows.link_group[links], self.groups)
        if len(self.rows):
            permitted &= ~np.isin(rows.link_row[links], self.rows)
        return permitted
