"""The head of the live log: which release is live. Promote owns the log; every other stage may only read its head."""

from __future__ import annotations

from typing import Final

from pipelines.store import Log, Store

PREFIX: Final = "live"


def live_release_id(store: Store) -> str | None:
    """Return the id of the live release, or None of a store that has none."""
    _, entry = Log(store, PREFIX).head()
    return str(entry["release_id"]) if entry else None
