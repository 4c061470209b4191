"""Run by the pipeline's own Python: what a store holds, as one JSON object, to compare with another one's.

python store_facts.py STORE RUN_ID
"""

import hashlib
import json
import sys
from collections import Counter

from pipelines.releases.live import live_release_id
from pipelines.runs.manifest import read_manifest
from pipelines.runs.stages import STAGES
from pipelines.store import Log, UnitTable, open_store
from pipelines.tables.buckets import read_bucket
from pipelines.tables.schemas import ITEMS

store, run_id = open_store(sys.argv[1]), sys.argv[2]
LEDGER = ("in", "ok", "skipped", "rejected")


def keys(prefix: str) -> dict[str, object]:
    """Return how many digests are committed below a prefix, how often the most frequent one, and their own digest."""
    tables = {entry.name.rpartition("/")[0] for entry in store.list(prefix)}
    found = Counter[bytes]()
    for table in (UnitTable(store, name) for name in tables):
        for unit in table.unit_ids():
            found.update(table.read_keys(unit)["digest"].to_pylist())
    digest = hashlib.sha256(b"".join(sorted(found))).hexdigest()
    return {"keys": len(found), "most": max(found.values()), "digest": digest}


def items(catalogue_id: str) -> list[str]:
    """Return the items of a catalogue."""
    buckets = json.loads(store.read("format.json"))["buckets"]
    tables = [read_bucket(store, f"catalogue/{catalogue_id}/items", bucket, ITEMS) for bucket in range(buckets)]
    return sorted(item for table in tables for item in table["item_id"].to_pylist())


manifests = {stage: read_manifest(store, run_id, stage) for stage in STAGES}
live = store.read_json(f"releases/{live_release_id(store)}/manifest.json")
facts = {
    "ledgers": {s: {name: m["counts"][name] for name in LEDGER} for s, m in manifests.items() if m},
    "images": keys("images"),
    "embeddings": keys("embeddings"),
    "items": items(live["catalogue_id"]),
    "live": [entry["run_id"] for _, entry in Log(store, "live").entries()],
    "catalogues": Log(store, "catalogue/log").head()[0],
}
json.dump(facts, sys.stdout)
