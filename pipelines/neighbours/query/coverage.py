"""How much of an index a plan looks at, and whether it looks where it should."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.neighbours.query.plan import PlanResult
from pipelines.tables.arrays import Ints


@dataclass(frozen=True)
class ScanCoverage:
    """Hold the mean share of the codes that queries scan first, and the share of queries that scan their own leaf.

    `queries` have a leaf of which the index holds photos; without any `true_leaf_scanned` is None.
    """

    scanned_share: float
    true_leaf_scanned: float | None
    queries: int


def scan_coverage(result: PlanResult, codes: int, present: Ints, leaves: Sequence[int]) -> ScanCoverage | None:
    """Return the coverage of a binary plan's first round; None for plans that scan no codes by category.

    `codes` and `present` are the index's number of codes and its category slots; `leaves` the slot of each query's
    leaf, -1 for none.
    """
    if not codes or not len(result.scanned) or (result.scanned < 0).any() or result.categories is None:
        return None
    judged = [query for query, leaf in enumerate(leaves) if leaf >= 0 and leaf in present]
    hits = [leaves[query] in result.categories[query] for query in judged]
    share = float(np.mean(result.scanned / codes))
    return ScanCoverage(share, float(np.mean(hits)) if hits else None, len(judged))
