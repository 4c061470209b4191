"""Fields of objects in lists, of which a row has several, where an item has one. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def first_of(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the name of a field in the first of the lists that it is in: `prices[0].currency` for prices.currency."""
    lists = [above for above in _above(name) if _holds_objects(above, rows)] or [name]
    for above in lists:  # the innermost first, so that the names of outer ones still stand at the beginning
        name = f"{above}[0]{name[len(above) :]}"
    return name


def list_holding(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the innermost list of objects that a field is in, "" where it is in none."""
    return next((above for above in _above(name) if _holds_objects(above, rows)), "")


def _above(name: str) -> Iterator[str]:
    while "." in name:
        name = name.rpartition(".")[0]
        yield name


def _holds_objects(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    cells = (row.get(name) for row in rows)
    return any(isinstance(cell, list) and any(isinstance(one, dict | list) for one in cell) for cell in cells)
