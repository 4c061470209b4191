"""Which columns say what category an item is of: one with a path, or several, a level each. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.survey.draft.names import TOKEN, numbered, said, tokens
from pipelines.survey.draft.profile import Profile, texts_of

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
_A_PARENT = 1.3
"""Parents that a value of a level may have on average: a few names, such as "Other", are in several."""


def category_columns(columns: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], str]:
    """Return the columns of the category and what tells them; none where no column can be one."""
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
        best = max(paths, key=lambda name: (named.get(name, 0.0), cells[name].levels))
        return [best], f"paths such as {cells[best].example!r}"
    family = max(numbered(named).values(), key=len, default=[])
    if len(family) > 1:
        return family, f"levels by their numbers, such as {', '.join(repr(cells[name].example) for name in family)}"
    telling = [name for name in named if cells[name].values > 1]  # one value for all, as of a family, is no level
    levels = _nested(sorted(telling, key=lambda name: (cells[name].values, telling.index(name))), rows)
    if len(levels) > 1:
        return levels, "each value of a level is within one of the level above"
    if named:
        best = max(telling or named, key=lambda name: (named[name], cells[name].filled))
        return [best], f"{cells[best].values} values, such as {cells[best].example!r}"
    return [], ""


def _least_filled(name: str) -> float:
    """Return the least share of rows with a category: less where the name says it, for rows may be of several kinds."""
    return _FEW_ROWS if said(name, "category") >= TOKEN else _MANY_ROWS


def _is_of_objects(name: str) -> bool:
    """Tell whether a field is of the objects that name photos, media.media_type, or says what an object is, @type."""
    above, _, last = name.rpartition(".")
    return last.startswith(("@", "__")) or (bool(above) and said(above, "photos") > 0)


def _may_be(one: Profile, rows: int, least: float) -> bool:
    few = one.values <= max(2.0, _MOST_DISTINCT * one.filled * rows) or (rows <= 20 and one.distinct < 1) or rows < 8
    return one.is_text and few and one.filled >= least and one.length < 300


def _is_of_else(one: Profile) -> bool:
    others = ("title", "photos", "price", "updated_at", "item_id")
    return (
        any(said(one.name, kind) for kind in others)
        or bool(_OTHERS & {*tokens(one.name)})
        or _PAIR.search(one.example) is not None
    )


def _nested(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the columns of which each one's values are within few of those of the column before."""
    kept: list[str] = []
    for name in names:
        if not kept:
            kept.append(name)
            continue
        pairs = {(_text(row, kept[-1]), _text(row, name)) for row in rows if _text(row, name)}
        inner, outer = {own for _, own in pairs}, {above for above, _ in pairs}
        is_same = len(pairs) == len(inner) == len(outer)
        if pairs and not is_same and len(pairs) <= _A_PARENT * len(inner):
            kept.append(name)
    return kept


def _text(row: Mapping[str, Any], name: str) -> str:
    return next(iter(texts_of(row.get(name))), "")
