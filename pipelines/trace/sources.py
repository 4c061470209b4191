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

from pipelines.preprocess.changes import ALONE, newest_sources
from pipelines.shop_files.web.identity import Identity
from pipelines.shop_files.web.memory import Memory
from pipelines.store import Store
from pipelines.store.units import KEYS_SUFFIX
from pipelines.tables.unit_keys import read_unit_keys
from pipelines.trace.catalogued import moment
from pipelines.trace.facts import Fetched

SOURCES: Final = "sources"


def last_fetched(
    store: Store, uris: Iterable[str], until: datetime | None = None, identity: Identity = ALONE
) -> dict[str, Fetched]:
    """Return by uri what was learned of photos when they were last asked for, and when they came.

    `until` leaves out what was learned later. Uris that were never asked for are left out.
    """
    named = {uri: identity.of(uri) for uri in uris}
    newest, came, left = dict[str, dict[str, Any]](), dict[str, datetime](), set(named.values())
    for unit_id in _newest_first(store):
        if not left:
            break
        for row in _rows(store, unit_id, left, until, identity):
            name = row["image_uri"]
            last = newest.setdefault(name, row)
            if row["digest"] is not None and Memory.of(row["fingerprint"]).came:
                came[name] = row["fetched_at"]
            if name in came or last["digest"] is None:
                left.discard(name)
    return {uri: _fetched(newest[name], came.get(name)) for uri, name in named.items() if name in newest}


def _rows(
    store: Store, unit_id: str, names: set[str], until: datetime | None, identity: Identity
) -> list[dict[str, Any]]:
    keys = read_unit_keys(store, SOURCES, unit_id)
    known = identity.column(keys["image_uri"])
    mine = keys.filter(pc.is_in(known, value_set=pa.array(sorted(names), pa.string())))
    if until is not None:
        mine = mine.filter(pc.less(mine["fetched_at"], pa.scalar(until, mine["fetched_at"].type)))
    rows: list[dict[str, Any]] = newest_sources(mine, identity).to_pylist()
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
