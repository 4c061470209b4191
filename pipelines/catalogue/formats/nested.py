"""Fields of nested values by paths: `price.amount` of an object, `images.src` or `images[].src` of a list of them.

`images[0].src` is of the first of a list, `images[-1].src` of the last. A text that is an object, or a list of them, as
databases write a cell of JSON into CSV, is what it holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa

from pipelines.catalogue.lists import objects_of

ANY = ".*"
"""Behind the name of a map of Parquet: its keys stand in its rows alone."""
_ABSENT = object()
_INDEX = re.compile(r"\[(-?[0-9]+)?\]")
_CUT = re.compile(r"\.|\[")


def names_of(values: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """Yield the names of all fields of a row, those of nested ones behind the name of what holds them."""
    for name, value in values.items():
        yield before + name
        value = objects_of(value) if isinstance(value, str) else value
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


def plain_path(name: str) -> str:
    """Return a path without the brackets that lead into lists."""
    return _INDEX.sub("", name)


def _walked(values: Any, name: str) -> Any:
    if isinstance(values, str):
        values = objects_of(values)
    if isinstance(values, list) and any(isinstance(one, tuple) for one in values):  # a map of Parquet
        values = dict(values)
    if isinstance(values, list):
        return _of_list(values, name)
    if not isinstance(values, dict):
        return _ABSENT
    if name in values:
        return values[name]
    for cut in _CUT.finditer(name):
        head, rest = name[: cut.start()], name[cut.start() :].removeprefix(".")
        if head in values:
            return _walked(values[head], rest)
    return _ABSENT


def _of_list(values: list[Any], name: str) -> Any:
    """Return what a path leads to in one element of a list, or in all of them."""
    index = _INDEX.match(name)
    rest = name[index.end() :].removeprefix(".") if index else name
    if index and index[1]:
        place = int(index[1])
        chosen = values[place] if -len(values) <= place < len(values) else _ABSENT
        return _walked(chosen, rest) if rest else chosen
    inner = [_walked(one, rest) if rest else one for one in values]
    return [one for one in inner if one is not _ABSENT]
