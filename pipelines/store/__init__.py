"""Where bytes are kept: create-only objects, unit tables and append-only logs; knows nothing of stages or images."""

from pipelines.store.base import Entry, NotFoundError, Store, StoreError, UnavailableError, UnusableError
from pipelines.store.log import Log
from pipelines.store.opening import initialise, open_store
from pipelines.store.units import Place, UnitTable, rows_by_unit, unit_id_of

__all__ = [
    "Entry",
    "Log",
    "NotFoundError",
    "Place",
    "Store",
    "StoreError",
    "UnavailableError",
    "UnitTable",
    "UnusableError",
    "initialise",
    "open_store",
    "rows_by_unit",
    "unit_id_of",
]
