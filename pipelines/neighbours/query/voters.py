"""Which neighbours may say of what category a query's photo is.

Owns what is left out: the query's very photo, other photos of the items that show it and of their variants, and the
test split, by which the vote is measured.
"""

from collections.abc import Sequence

import numpy as np

from pipelines.neighbours.kinds.base import SearchResult
from pipelines.neighbours.query.exclusion import Exclusion
from pipelines.neighbours.rows import Rows
from pipelines.tables.arrays import Array, Ints
from trainer.config import SAME_PHOTO


class Voters:
    """Find the category that each neighbour votes for."""

    def __init__(self, rows: Rows, live_links: Array) -> None:
        self._rows, self._may_vote = rows, live_links & rows.votes

    def slots(self, neighbours: SearchResult, exclusions: Sequence[Exclusion], count: int) -> Ints:
        """Return the slots int64 `[num_queries, k]` that the nearest `count` neighbours of each query vote for.

        The others, and those without a vote, are -1.
        """
        found = np.full(neighbours.rows.shape, -1, np.int64)
        for query, exclusion in enumerate(exclusions):
            known = np.flatnonzero(neighbours.rows[query] >= 0)
            same = neighbours.scores[query][known] >= SAME_PHOTO
            slots = self._slots(neighbours.rows[query][known], same, exclusion)
            voting = np.flatnonzero(slots >= 0)[:count]
            found[query, known[voting]] = slots[voting]
        return found

    def _slots(self, near: Ints, same: Array, exclusion: Exclusion) -> Ints:
        rows = self._rows
        links = rows.links_of_rows(near)
        position = np.repeat(np.arange(len(near)), rows.link_offsets[near + 1] - rows.link_offsets[near])
        own = [links[same[position]], *(rows.links_of_item(int(item)) for item in exclusion.items)]
        itself = np.concatenate(own)
        groups = np.concatenate([rows.link_group[itself], exclusion.groups])
        left_out = Exclusion(np.unique(rows.link_item[itself]), np.unique(groups))
        allowed = np.flatnonzero(self._may_vote[links] & left_out.permitted(rows, links))
        slots = np.full(len(near), -1, np.int64)
        voting, first = np.unique(position[allowed], return_index=True)
        slots[voting] = rows.link_slot[links[allowed[first]]]
        return slots
