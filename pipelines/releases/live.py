"""What is live: the one place where it is read."""

from __future__ import annotations

from typing import Final

from pipelines.releases.release import Release, read_release
from pipelines.store import Log, Store

PREFIX: Final = "live"


def live_release_id(store: Store) -> str | None:
    """Return the id of the live release, or None of a store that has none."""
    _, entry = Log(store, PREFIX).head()
    return str(entry["release_id"]) if entry else None


def live_release(store: Store) -> Release | None:
    """Return the live release, or None of a store that has none. Raises BrokenReleaseError when it is gone."""
    release_id = live_release_id(store)
    return None if release_id is None else read_release(store, release_id)
