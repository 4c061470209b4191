"""Fields of nested values by names with dots: `price.amount` of an object, `images.src` of a list of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

ANY = ".*"
"""Behind the name of a map of Parquet: its keys stand in its rows alone."""
_ABSENT = object()


def names_of(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield the names of all fields of a row, those of nested ones behind the name of what holds them."""
    for name, value in values.items():
        yield before + name
        objects = [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
        for one in objects:
            yield from names_of(one, f"{before}{name}.")


def names_in(schema: pa.Schema) -> Iterator[str]:
    """Yield the names of all fields of a Parquet file."""
    for field in schema:
        yield from _names_in(str(field.name), field.type)


def picked(values: Mapping[str, Any], wanted: frozenset[str]) -> dict[str, Any]:
    """Return what a row has of the wanted names; of a list of objects the list of their values."""
    found = {name: values[name] if name in values else _walked(values, name) for name in wanted}
    return {name: value for name, value in found.items() if value is not _ABSENT}


def _names_in(name: str, kind: pa.DataType) -> Iterator[str]:
    yield name
    while pa.types.is_list(kind) or pa.types.is_large_list(kind):
        kind = kind.value_type
    if pa.types.is_struct(kind):
        for field in kind:
            yield from _names_in(f"{name}.{field.name}", field.type)
    if pa.types.is_map(kind):
        yield f"{name}{ANY}"


def _walked(values: Any, name: str) -> Any:
    if isinstance(values, list) and any(isinstance(one, tuple) for one in values):  # a map of Parquet
        values = dict(values)
    if isinstance(values, list):
        inner = [_walked(one, name) for one in values]
        return [one for one in inner if one is not _ABSENT]
    if not isinstance(values, dict):
        return _ABSENT
    if name in values:
        return values[name]
    parts = name.split(".")
    for cut in range(1, len(parts)):
        head = ".".join(parts[:cut])
        if head in values:
            return _walked(values[head], ".".join(parts[cut:]))
    return _ABSENT
