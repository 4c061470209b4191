"""Columns that say a deeper level of the category beside others: by their names, or by their cells alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

from pipelines.catalogue.shops.attributes import ours
from pipelines.survey.draft.level_words import LEVELS_BELOW, NO_LEVELS, PARTS_OF_GROUPS
from pipelines.survey.draft.names import said, stem_of, tokens
from pipelines.survey.draft.profile import Profile, text_of
from pipelines.survey.draft.words import WORDS

_BESIDE = re.compile(r"(?:sub|unter|under|sous|sotto|pod|ober|over|haupt|huvud|hoved|hoofd|super|main)(?=\w{3})")
"""What a level above or below another one is called by, before what it is a part or a group of."""
_PARENTS = 1.3
"""That a value of a level may have on average: a few names, such as "Other", are in several."""
_FEW_PARENTS = 1.05
"""The same where no name says that a column is a level."""
_ROWS = 3
"""That a value is in on average, where no name says it: what nearly each row has of its own is in one value too."""
_TOLD = 2
"""The most columns that are told."""
_KINDS = tuple(kind for kind in WORDS if kind != "category")


@cache
def says_level(name: str) -> bool:
    """Tell whether a name is of a level beside a category: aisle, subfamily, Untergruppe, or group2 as group."""
    parts = tokens(name.rpartition(".")[2])
    if WORDS["category"].never & {*parts}:
        return False
    stem = stem_of(name)
    if stem != name and said(stem, "category"):
        return True
    words = {*parts, *(one + other for one, other in pairwise(parts))}
    return bool(LEVELS_BELOW & words) or any(map(_is_part, words))


def nested(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the most columns, in their order, of which each one's values are within few of those of the one before."""
    return max((_nested_from(names[n:], rows) for n in range(len(names))), key=len, default=[])


def _nested_from(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    kept = [*names[:1]]
    for name in names[1:]:
        if _is_in(name, kept[-1], rows, _PARENTS):
            kept.append(name)
    return kept


def first_placed(families: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return the first columns of families whose words are levels and whose numbers places: Subcategory_2, Category_2.

    `families` are columns by what they are called but for a number at the end; none are returned where numbers may be
    levels.
    """
    groups: dict[str, list[Sequence[str]]] = {}
    for stem, names in families.items():
        groups.setdefault(_BESIDE.sub("", stem), []).append(names)
    found = max(groups.values(), key=len, default=[])
    return [names[0] for names in found] if len(found) > 1 and max(map(len, found)) > 1 else []


def told_below(last: str, columns: Mapping[str, Profile], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return columns whose values each stand beside one value of the last level, though no name says what they are."""
    found = [
        name
        for name, one in columns.items()
        if name != last and _may_be_below(one, columns[last], len(rows)) and _is_in(name, last, rows, _FEW_PARENTS)
    ]
    return found[:_TOLD]


def _is_in(name: str, above: str, rows: Sequence[Mapping[str, Any]], parents: float) -> bool:
    pairs = {(text_of(row.get(above)), own) for row in rows if (own := text_of(row.get(name)))}
    inner, outer = {own for _, own in pairs}, {top for top, _ in pairs}
    is_same = len(pairs) == len(inner) == len(outer)
    return bool(pairs) and not is_same and len(pairs) <= parents * len(inner)


def _may_be_below(one: Profile, above: Profile, rows: int) -> bool:
    """Tell whether cells are words that many rows share, and the name is of nothing else."""
    parts = {*tokens(one.name)}
    is_else = any(said(one.name, kind) for kind in _KINDS) or bool(NO_LEVELS & parts) or any(map(ours, parts))
    is_shared = above.values < one.values and one.values * _ROWS <= one.filled * rows
    return one.is_text and not is_else and is_shared and one.several == 0 and one.length <= 40 and one.flags < 0.5


def _is_part(word: str) -> bool:
    found = _BESIDE.match(word)
    rest = word[found.end() :] if found else ""
    return rest in PARTS_OF_GROUPS or rest in WORDS["category"].exact or rest in WORDS["category"].tokens
