"""The splits that are settled: units of a table, and a log that says which of them count.

A run commits the units of what is new to it, and then appends their names to the log. Of two runs that started from
the same entry one appends, and the other does its splits again from what is settled by then; so an item's split is that
of the first commit, and a group's items stay together whoever came first. Units that no entry names count for nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pyarrow as pa

from pipelines.store import Log, Store, UnitTable, unit_id_of
from pipelines.tables.schemas import SPLIT_KEYS

PREFIX = "splits"
SETTLED = pa.schema([*SPLIT_KEYS, ("unit_id", pa.string()), ("number", pa.int64())])


def settled_until(store: Store) -> int:
    """Return the number of the log's newest entry, after the first has named what was there before there was a log."""
    log = Log(store, f"{PREFIX}/log")
    number, _ = log.head()
    if not number and (units := UnitTable(store, PREFIX).unit_ids()):
        log.append(1, {"run_id": "", "units": units})
        number, _ = log.head()
    return number


def settled_units(store: Store, number: int) -> list[str]:
    """Return the units that an entry of the log names."""
    units: list[str] = Log(store, f"{PREFIX}/log").entry(number)["units"]
    return units


def read_settled(store: Store, number: int, unit_id: str) -> pa.Table:
    """Return the splits of a unit that entry `number` names, as SETTLED."""
    keys = UnitTable(store, PREFIX).read_keys(unit_id).replace_schema_metadata(None)
    columns = {"unit_id": pa.array([unit_id] * len(keys)), "number": pa.array([number] * len(keys), pa.int64())}
    return pa.table({**{name: keys[name] for name in SPLIT_KEYS.names}, **columns}, SETTLED)


def commit_splits(new: pa.Table, store: Store) -> str:
    """Commit splits as a unit named by all that they say; return its name, "" of none."""
    if not new.num_rows:
        return ""
    rows = zip(new["item_id"].to_pylist(), new["group"].to_pylist(), new["split"].to_pylist(), strict=True)
    unit_id = unit_id_of(f"{item}\0{group.hex()}\0{split}" for item, group, split in rows)
    extra = {"code": pa.array([""] * len(new)), "row": pa.array([-1] * len(new), pa.int32())}
    columns = {name: new[name] for name in ("item_id", "group", "split")}
    UnitTable(store, PREFIX).commit(unit_id, pa.table({**columns, **extra}, SPLIT_KEYS))
    return unit_id


def settle(names: Iterable[str], store: Store, run_id: str, number: int) -> bool:
    """Append units to the log behind entry `number`; return False when another run was faster.

    Without units there is nothing to settle, and that succeeds. A retry finds its own entry.
    """
    units: Sequence[str] = sorted(filter(None, names))
    log = Log(store, f"{PREFIX}/log")
    if not units or log.append(number + 1, {"run_id": run_id, "units": units}):
        return True
    return bool(log.entry(number + 1)["units"] == units)
