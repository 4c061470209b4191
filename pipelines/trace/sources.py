"""What is remembered of the last time that photos were asked for.

The table of sources has no order by uri. Its units are read from the newest back until every photo is found: a photo
that was looked at lately costs little, one of the first run the keys of all units.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.preprocess.changes import newest_sources
from pipelines.shop_files.web.memory import Memory
from pipelines.store import Store
from pipelines.store.units import KEYS_SUFFIX
from pipelines.tables.unit_keys import read_unit_keys
from pipelines.trace.catalogued import moment
from pipelines.trace.facts import Fetched

SOURCES: Final = "sources"


def last_fetched(store: Store, uris: Iterable[str]) -> dict[str, Fetched]:
    """Return by uri what was learned of photos when they were last asked for; of those that ever were."""
    found, left = dict[str, Fetched](), set(uris)
    for unit_id in _newest_first(store):
        if not left:
            break
        keys = read_unit_keys(store, SOURCES, unit_id)
        mine = keys.filter(pc.is_in(keys["image_uri"], value_set=pa.array(sorted(left), pa.string())))
        found |= {row["image_uri"]: _fetched(row) for row in newest_sources(mine).to_pylist()}
        left -= found.keys()
    return found


def _newest_first(store: Store) -> list[str]:
    entries = [entry for entry in store.list(SOURCES) if entry.name.endswith(KEYS_SUFFIX)]
    entries.sort(key=lambda entry: (-entry.modified_at, entry.name))
    return [entry.name.rsplit("/", 1)[-1].removesuffix(KEYS_SUFFIX) for entry in entries]


def _fetched(row: dict[str, Any]) -> Fetched:
    memory = Memory.of(row["fingerprint"])
    since = moment(datetime.fromtimestamp(memory.missing_since, UTC)) if memory.missing_since else ""
    return Fetched(
        moment(row["fetched_at"]),
        row["code"],
        row["fingerprint"],
        row["unit_id"],
        memory.etag,
        memory.modified,
        memory.failed,
        since,
        memory.unchanged,
        memory.said,
    )
