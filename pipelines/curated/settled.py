"""The decisions that one run keeps to: those that stood when its catalogue stage first looked.

They stand in one object of the run, which later stages read, so that a run does not change its mind half-way.
"""

from __future__ import annotations

from pipelines.curated.state import NOTHING_CURATED, Curated, read_curated
from pipelines.store import NotFoundError, Store, StoreError


def settle(store: Store, name: str) -> Curated:
    """Return a run's decisions, which the first call writes to `name`."""
    if not store.exists(name):
        store.create(name, read_curated(store).as_json())
    return settled(store, name)


def settled(store: Store, name: str) -> Curated:
    """Return what was settled at `name`; nothing for "", of a run that had none of it yet."""
    if not name:
        return NOTHING_CURATED
    try:
        return Curated.of_json(store.read(name))
    except NotFoundError as error:
        raise NotFoundError(f"{error}: the catalogue stage of its run wrote it; start a new run") from error
    except ValueError as error:
        raise StoreError(f"{store.uri}/{name} is damaged ({error}); start a new run") from error
