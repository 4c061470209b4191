"""Rows of kinds that are no items, such as BigCommerce's `SKU` and `Rule` below a `Product`. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipelines.survey.draft.names import tokens
from pipelines.survey.draft.profile import texts_of

_SIGNS: Final = frozenset({"type", "kind", "typ", "art", "tipo", "record", "row", "entity", "item", "level"})
_MOST, _FEWEST = 10, 3
"""The most kinds that a column may tell, and the fewest rows of one that is no item."""
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Kinds:
    """What a column calls rows that are items, and `others`, in lower case."""

    column: str
    items: frozenset[str]
    others: frozenset[str]


def kinds_of(rows: Rows, photos: Sequence[str], category: Sequence[str]) -> Iterator[Kinds]:
    """Yield columns that all rows fill, and whose words tell items from rows with neither a photo nor a category."""
    for column in (name for name in (rows[0] if rows else ()) if _SIGNS & {*tokens(name)}):
        words: dict[str, list[bool | None]] = {}
        for row in rows:
            words.setdefault(" ".join(texts_of(row.get(column))).casefold(), []).append(_is_item(row, photos, category))
        items = frozenset(word for word, are in words.items() if 2 * are.count(True) >= len(are))
        others = frozenset(word for word, are in words.items() if are.count(False) == len(are) >= _FEWEST)
        if items and others and "" not in words and len(words) <= _MOST and items | others == words.keys():
            yield Kinds(column, items, others)


def _is_item(row: Mapping[str, Any], photos: Sequence[str], category: Sequence[str]) -> bool | None:
    """Tell whether a row has a photo and a category, False if neither, None if one of them."""
    has = [any(texts_of(row.get(name)) for name in names) for names in (photos, category)]
    return has[0] if has[0] == has[1] else None
