"""Which group_ids make no variants: more items have them than a group may hold, of more leaf categories than a product.

A product of many sizes and colours may be more than a group of the splits may hold, and is one to a search.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import Final

from pipelines.preprocess.groups import GROUP
from pipelines.preprocess.job import Job
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS
from pipelines.tables.variants import group_key

MOST_LEAVES: Final = 2
"""Of one product; a second one is that of a sale or a season."""


def keep_placeholders(job: Job) -> frozenset[bytes]:
    """Judge the group_ids that link nothing, keep the keys of the placeholders among them, and return those."""
    common = {bytes.fromhex(key) for kind, key, _ in job.store.read_json(job.unlinked)["common"] if kind == GROUP}
    leaves: defaultdict[bytes, set[tuple[str, ...]]] = defaultdict(set)
    for bucket in range(job.buckets) if common else ():
        items = read_bucket(job.store, f"{job.catalogue}/items", bucket, ITEMS, ["group_id", "category"])
        for row in items.to_pylist():
            key = group_key(row["group_id"] or "")
            if key in common:
                leaves[key].add(tuple(row["category"]))
    found = frozenset(key for key, paths in leaves.items() if len(paths) > MOST_LEAVES)
    job.store.put(job.placeholders, json.dumps(sorted(key.hex() for key in found)).encode())
    return found
