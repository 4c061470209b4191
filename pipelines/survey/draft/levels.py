"""Which columns say what category an item is of: one with a path, or several, a level each. Pure functions."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.survey.draft.chains import chain_of, family_of, is_shallow_first
from pipelines.survey.draft.deeper import first_placed, nested, says_level, told_below
from pipelines.survey.draft.names import TOKEN, numbered, said, stem_of, tokens
from pipelines.survey.draft.profile import Profile, has_text, texts_of

_MOST_DISTINCT = 0.5
"""Of the rows, as a category of which two items are."""
_FEW_ROWS, _MANY_ROWS = 0.05, 0.3
_OTHERS = frozenset(
    {
        *("url", "link", "description", "tags", "material", "size", "option", "options", "attribute", "attributes"),
        *("property", "properties", "feature", "features", "spec", "specs", "specification", "specifications"),
        *("parameter", "parameters", "variant", "variants", "variation", "variations"),
    }
)
"""Words of columns whose cells have parts, and are no paths."""
_PAIR = re.compile(r"\w\s*=\s*\w")
"""As in Name=Size|Value=S."""
_MOST_OF_LEVEL = 0.9
"""Of the rows, as values of a column that is a level, or holds paths, beside others: shops have few items of a leaf."""
_FEW = 20
"""Rows of which each may have a category of its own."""


@dataclass(frozen=True)
class Category:
    """The columns of a category and what tells them, none where no column can be one.

    `settings` are further keys of `catalogue.columns`, each with why; `doubts` are columns that may be levels too.
    """

    columns: list[str] = field(default_factory=list)
    why: str = ""
    settings: Mapping[str, tuple[Any, str]] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()


def category_columns(columns: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]]) -> Category:
    """Return the columns of the category."""
    cells = {
        name: one
        for name, one in columns.items()
        if _may_be(one, len(rows), _least_filled(name)) and not _is_of_objects(name)
    }
    named = {name: said(name, "category") for name in cells if said(name, "category")}
    paths = [name for name in named if cells[name].levels >= 0.5] or [
        name
        for name in cells
        if cells[name].levels >= 0.8 and cells[name].length < 150 and not _is_of_else(cells[name])
    ]
    if paths:
        best = max(paths, key=lambda name: (cells[name].values > 1, named.get(name, 0.0), cells[name].levels))
        return _of_paths(best, columns, rows)
    families = numbered(named)
    family = max(families.values(), key=len, default=[])
    first = [columns[name] for name in first_placed(families)]
    levels = nested([one.name for one in sorted(first, key=lambda one: one.values)], rows)
    if len(levels) > 1:
        return Category(levels, "levels of the first category; those with other numbers are further ones")
    if len(family) > 1:
        shown = ", ".join(repr(cells[name].example) for name in family)
        return Category(family, f"levels by their numbers, such as {shown}")
    telling = [name for name in named if cells[name].values > 1]  # one value for all, as of a family, is no level
    below = [name for name, one in columns.items() if name not in named and _is_level_by_name(one, rows)]
    levels = nested(sorted([*telling, *below], key=lambda name: columns[name].values), rows)
    if len(levels) > 1:
        why = "each value of a level is within one of the level above"
        return Category(levels, why, doubts=_doubts(levels, columns, rows))
    if not named:
        return Category()
    best = max(telling or named, key=lambda name: (named[name], cells[name].filled))
    why = f"{cells[best].values} values, such as {cells[best].example!r}"
    return Category([best], why, _of_lists(best, rows), _doubts([best], columns, rows))


def _of_paths(best: str, columns: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]]) -> Category:
    """Return a column of paths, or that which says the same ones deeper, before those that do where it is empty."""
    others = [
        name
        for name, one in columns.items()
        if name != best
        and _may_go_on(one, rows)
        and one.length < 150
        and not (_is_of_else(one) or _is_of_objects(name))
    ]
    deepest, *rest = family_of(best, others, rows)
    why, settings = f"paths such as {columns[deepest].example!r}", _of_lists(deepest, rows)
    fallbacks = [name for name in rest if stem_of(name) == stem_of(deepest) or _says_more(name, deepest, rows)]
    if fallbacks:
        settings["category_fallbacks"] = (fallbacks, "say the same to fewer levels, where it is empty")
    return Category([deepest], why, settings)


def _says_more(name: str, deepest: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    return any(has_text(row, [name]) and not has_text(row, [deepest]) for row in rows)


def _of_lists(name: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[Any, str]]:
    """Return the settings for cells that are lists of paths of which one is the beginning of another."""
    chain = chain_of(texts_of(row.get(name)) for row in rows)
    settings: dict[str, tuple[Any, str]] = {}
    if chain and chain.mark != ">":
        settings["category_separator"] = (chain.mark, "by it one path of a list goes on from another")
    if chain and chain.has_depths:
        settings["category_depths"] = (True, "the number before each path counts its levels")
    if (chain and chain.is_shallow_first) or is_shallow_first(row.get(name) for row in rows):
        settings["category_choice"] = ("deepest", "a list names the levels above too")
    return settings


def _doubts(levels: list[str], columns: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(
        f"{name!r} may be a level, category = {json.dumps([*levels, name], ensure_ascii=False)}: "
        f"its {columns[name].values} values are each within one of {levels[-1]!r}"
        for name in told_below(levels[-1], columns, rows)
    )


def _is_level_by_name(one: Profile, rows: Sequence[Mapping[str, Any]]) -> bool:
    return says_level(one.name) and _may_go_on(one, rows) and one.several == 0 and one.levels < 0.5


def _may_go_on(one: Profile, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a column may say a category more deeply than another: words that are not each row's own."""
    few = one.values > 1 and (one.values <= _MOST_OF_LEVEL * one.filled * len(rows) or len(rows) <= _FEW)
    return one.is_text and few and one.filled >= _FEW_ROWS and one.length < 300


def _least_filled(name: str) -> float:
    """Return the least share of rows with a category: less where the name says it, for rows may be of several kinds."""
    return _FEW_ROWS if said(name, "category") >= TOKEN else _MANY_ROWS


def _is_of_objects(name: str) -> bool:
    """Tell whether a field is of the objects that name photos, media.media_type, or says what an object is, @type."""
    above, _, last = name.rpartition(".")
    return last.startswith(("@", "__")) or (bool(above) and said(above, "photos") > 0)


def _may_be(one: Profile, rows: int, least: float) -> bool:
    few = one.values <= max(2.0, _MOST_DISTINCT * one.filled * rows) or (rows <= _FEW and one.distinct < 1) or rows < 8
    return one.is_text and few and one.filled >= least and one.length < 300


def _is_of_else(one: Profile) -> bool:
    others = ("title", "photos", "price", "updated_at", "item_id")
    return (
        any(said(one.name, kind) for kind in others)
        or bool(_OTHERS & {*tokens(one.name)})
        or _PAIR.search(one.example) is not None
    )
