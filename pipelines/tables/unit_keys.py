"""The keys of unit tables as rows that say which unit they are of; pure functions without Beam."""

from __future__ import annotations

import pyarrow as pa

from pipelines.store import Store, UnitTable

Tables = dict[str, pa.Table]
"""The tables that are joined, by the name of the input."""


def unit_keys(schema: pa.Schema) -> pa.Schema:
    """Return the schema in which `read_unit_keys` returns keys of a schema."""
    return pa.schema([*schema, ("unit_id", pa.string()), ("prefix", pa.string())])


def read_unit_keys(store: Store, prefix: str, unit_id: str) -> pa.Table:
    """Return the keys of a unit of a unit table, with columns `unit_id` and `prefix` added."""
    keys = UnitTable(store, prefix).read_keys(unit_id).replace_schema_metadata(None)
    return keys.append_column("unit_id", pa.array([unit_id] * len(keys), pa.string())).append_column(
        "prefix", pa.array([prefix] * len(keys), pa.string())
    )
