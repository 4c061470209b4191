"""What is remembered of photos: when each came, when it was asked for last, and what was learned then.

The table of sources has no order by uri. Its units are read from the newest back until every photo is found that came,
or whose address has none: one that came lately costs little, one of the first run the keys of all units.
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


def last_fetched(store: Store, uris: Iterable[str], until: datetime | None = None) -> dict[str, Fetched]:
    """Return by uri what was learned of photos when they were last asked for, and when they came.

    `until` leaves out what was learned later. Uris that were never asked for are left out.
    """
    newest, came, left = dict[str, dict[str, Any]](), dict[str, datetime](), set(uris)
    for unit_id in _newest_first(store):
        if not left:
            break
        for row in _rows(store, unit_id, left, until):
            uri = row["image_uri"]
            last = newest.setdefault(uri, row)
            if row["digest"] is not None and Memory.of(row["fingerprint"]).came:
                came[uri] = row["fetched_at"]
            if uri in came or last["digest"] is None:
                left.discard(uri)
    return {uri: _fetched(row, came.get(uri)) for uri, row in newest.items()}


def _rows(store: Store, unit_id: str, uris: set[str], until: datetime | None) -> list[dict[str, Any]]:
    keys = read_unit_keys(store, SOURCES, unit_id)
    mine = keys.filter(pc.is_in(keys["image_uri"], value_set=pa.array(sorted(uris), pa.string())))
    if until is not None:
        mine = mine.filter(pc.less(mine["fetched_at"], pa.scalar(until, mine["fetched_at"].type)))
    rows: list[dict[str, Any]] = newest_sources(mine).to_pylist()
    return rows


def _newest_first(store: Store) -> list[str]:
    entries = [entry for entry in store.list(SOURCES) if entry.name.endswith(KEYS_SUFFIX)]
    entries.sort(key=lambda entry: (-entry.modified_at, entry.name))
    return [entry.name.rsplit("/", 1)[-1].removesuffix(KEYS_SUFFIX) for entry in entries]


def _fetched(row: dict[str, Any], came_at: datetime | None) -> Fetched:
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
        moment(came_at),
    )
