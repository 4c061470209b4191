"""Rows of kinds that are no items. Pure functions.

Such are BigCommerce's `SKU` and `Rule` below a `Product`, and Amazon's `Parent`, which nobody can buy, above a `Child`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pipelines.survey.draft.names import tokens
from pipelines.survey.draft.profile import has_text, texts_of

_SIGNS: Final = frozenset({"type", "kind", "typ", "art", "tipo", "record", "row", "entity", "item", "level"})
_SIGNS_OF_HEADS: Final = _SIGNS | {
    *("parent", "parentage", "child", "relation", "relationship", "variation", "variant", "structure", "class"),
    *("vater", "eltern", "padre", "parentesco", "parentela", "filiation", "relacion", "relazione", "beziehung"),
}
_MOST, _FEWEST = 10, 3
"""The most kinds that a column may tell, and the fewest rows of one that is no item."""
_NEARLY_ALL: Final = 0.9
"""Of the rows that head groups: what the last of those that are looked at heads is not among them."""
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Kinds:
    """What a column calls rows that are items, and `others`, in lower case."""

    column: str
    items: frozenset[str]
    others: frozenset[str]


def kinds_of(rows: Rows, photos: Sequence[str], category: Sequence[str]) -> Iterator[Kinds]:
    """Yield columns that all rows fill, and whose words tell items from rows with neither a photo nor a category."""
    for column, of_word in _by_words(rows, _SIGNS):
        words = {word: [_is_item(row, photos, category) for row in of] for word, of in of_word.items()}
        items = frozenset(word for word, are in words.items() if 2 * are.count(True) >= len(are))
        others = frozenset(word for word, are in words.items() if are.count(False) == len(are) >= _FEWEST)
        if items and others and "" not in words and len(words) <= _MOST and items | others == words.keys():
            yield Kinds(column, items, others)


def heads_of(
    rows: Rows, item_id: str, group_id: str, photos: Sequence[str], category: Sequence[str]
) -> Iterator[Kinds]:
    """Yield columns whose words tell rows that only head a group from its items, which have photos and categories.

    A row heads a group when others name its id as theirs. Where the heads alone have photos they are the items.
    """
    named = {group for row in rows if (group := _text(row, group_id)) != _text(row, item_id)} - {""}
    for column, words in _by_words(rows, _SIGNS_OF_HEADS):
        count = {word: sum(_text(row, item_id) in named for row in of) for word, of in words.items()}
        heads = frozenset(
            word for word, of in words.items() if word and count[word] >= max(_FEWEST, _NEARLY_ALL * len(of))
        )
        below = [row for word, of in words.items() if word not in heads for row in of]
        are_items = 2 * sum(_is_item(row, photos, category) is True for row in below) >= len(below) > 0
        if heads and are_items and len(words) <= _MOST and not any(count[word] for word in words.keys() - heads):
            yield Kinds(column, frozenset(words) - heads, heads)


def are_apart(rows: Rows, kinds: Kinds, item_id: str) -> bool:
    """Tell whether no row of the kinds that are no items has the id of one that is: with it the item would go."""
    ids: dict[bool, set[str]] = {False: set(), True: set()}
    for row in rows:
        ids[_text(row, kinds.column).casefold() in kinds.others].add(_text(row, item_id))
    return not (ids[False] & ids[True]) - {""}


def _by_words(rows: Rows, signs: frozenset[str]) -> Iterator[tuple[str, dict[str, list[Mapping[str, Any]]]]]:
    """Yield each column whose name has one of the signs, with the rows by what it says of them, in lower case."""
    for column in (name for name in (rows[0] if rows else ()) if signs & {*tokens(name)}):
        words: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            words.setdefault(_text(row, column).casefold(), []).append(row)
        yield column, words


def _text(row: Mapping[str, Any], column: str) -> str:
    return " ".join(texts_of(row.get(column)))


def _is_item(row: Mapping[str, Any], photos: Sequence[str], category: Sequence[str]) -> bool | None:
    """Tell whether a row has a photo and a category, False if neither, None if one of them."""
    has = [has_text(row, names) for names in (photos, category)]
    return has[0] if has[0] == has[1] else None
