"""The cells of a category -> one path. Pure functions."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from itertools import takewhile
from typing import Any

from pipelines.catalogue.lists import parts_of
from pipelines.catalogue.values import SHOWN, Cells, RejectError
from pipelines.config import Columns
from pipelines.tables.spelling import fold_spelling

MAX_DEPTH = 8
SEVERAL_PATHS = "several_paths"
SEVERAL_IN_LEVEL = "several_in_level"
"""Cells of a column that is one level, and look like several values."""
LEVELS, OTHER_LEVELS = "levels", "other_levels"
"""Cells that hold the separator of levels, and others with a mark that may stand between levels instead."""
FALLBACK = "fallback"
"""Categories that a column of `category_fallbacks` has said."""
NUMBERS = "numbers"
"""Categories that are a number: of a list of names that is not here."""
HOLES = "holes"
"""Categories with a level behind an empty one."""
_MARK = re.compile(r",\s|[;|\n]")
"""What stands between the paths of one cell, as shops export them; inside a level it is rare."""
CODES = re.compile(r"[^\s,]+(?:,[^\s,]+)+")
"""Of several categories, as Akeneo writes them."""
_ROOTS = frozenset("/|\\")
_LEVEL_MARK = re.compile(r"\s*(?:::|--|==|~~|##|\^\^|[>/\\|»›→;:])\s*")
"""What shops write between levels."""


def category_path(cells: Cells, columns: Columns) -> tuple[str, ...]:
    """Return the path of a row's category, at most MAX_DEPTH levels. Raises RejectError."""
    if isinstance(columns.category, str):
        paths = _paths(cells, columns.category, columns)
    else:
        paths = [[cells.doubted(name) for name in columns.category]]
        _remark_columns(cells, paths[0], columns)
    found = [path for levels in paths if (path := _until_hole(levels, cells))] or _fallback(cells, columns)
    if not found:
        raise RejectError("no_category", "the category is empty")
    path = max(found, key=len) if columns.category_choice == "deepest" else found[0]
    if len(path) > MAX_DEPTH:
        raise RejectError("deep_category", f"{len(path)} levels, the limit is {MAX_DEPTH}")
    if len(path) == 1 and path[0].isdecimal():
        cells.remarks.add(NUMBERS, repr(path[0]))
    return path


def _fallback(cells: Cells, columns: Columns) -> list[tuple[str, ...]]:
    """Return the paths of the first column that has one in place of the category's: one path a cell, or a list."""
    between = columns.category_separator
    for column in columns.category_fallbacks:
        if isinstance(cells.listed(column), list):
            paths = _paths(cells, column, columns)
        else:
            paths = [parts_of(cells.doubted(column), between, quotes=False)]
        found = [path for levels in paths if (path := _until_hole(levels, cells))]
        if found:
            cells.remarks.add(f"{FALLBACK}:{column}", repr(found[0])[: 4 * SHOWN])
            return found
    return []


def _paths(cells: Cells, column: str, columns: Columns) -> list[list[str]]:
    """Return the paths of one cell, each a list of levels; a list holds levels, paths as texts, or lists of levels."""
    value = cells.listed(column)
    between, several = columns.category_separator, columns.category_path_separator
    if isinstance(value, list):
        if any(isinstance(part, list) for part in value):
            return [_levels(part if isinstance(part, list) else [part], cells, column) for part in value]
        texts = [cells.text_of(part, column) for part in value]
        if len(texts) == 1:
            _remark(cells, texts[0], columns)
        if not several and (not between or not any(between in text for text in texts)):
            return [_levels(texts, cells, column)]
        if len(texts) == 1:
            texts = parts_of(texts[0], several)
    else:
        texts = [_without_root(text, between) for text in parts_of(cells.doubted(column), several)]
        _remark(cells, texts[0], columns)
    paths = [_levels(levels_in(text, between), cells, column) for text in texts]
    return [*map(_without_depth, paths)] if columns.category_depths else paths


def levels_in(path: str, between: str) -> list[str]:
    """Return the levels of a path; all of it is one where nothing stands between levels."""
    return parts_of(_without_root(path, between), between, quotes=False)


def _without_depth(levels: list[str]) -> list[str]:
    """Return a path without the number of its levels before them, as Solr's facets have it: 1/Women/Dresses."""
    return levels[1:] if len(levels) > 1 and levels[0].strip().isdecimal() else levels


def _levels(parts: Sequence[Any], cells: Cells, column: str) -> list[str]:
    return [cells.text_of(part, column) for part in parts]


def _without_root(text: str, between: str) -> str:
    """Return a path without a mark at its beginning, as some write it before the top: /Women/Dresses."""
    return text.lstrip().removeprefix(between) if between in _ROOTS else text


def _remark(cells: Cells, text: str, columns: Columns) -> None:
    """Remark a cell that looks as if other marks stood between its levels, or several paths in it."""
    between = columns.category_separator
    if between:
        _remark_levels(cells, text, between)
        if columns.category_path_separator is None:
            _remark_several(cells, text, between)


def _remark_levels(cells: Cells, text: str, between: str) -> None:
    if between in text:
        cells.remarks.add(LEVELS, text[:SHOWN])
    elif _LEVEL_MARK.search(html.unescape(text)):
        cells.remarks.add(OTHER_LEVELS, repr(text[: 2 * SHOWN]))


def _remark_several(cells: Cells, text: str, between: str) -> None:
    plain = html.unescape(text)
    found = _MARK.search(plain)
    mark = (found[0].strip() or found[0]) if found else ","
    if mark not in between and (found or _are_paths(plain, between)):
        cells.remarks.add(SEVERAL_PATHS, repr(text[: 2 * SHOWN]))


def _remark_columns(cells: Cells, levels: Sequence[str], columns: Columns) -> None:
    """Remark the first cell of a level that looks like several; words apart by a comma and a blank may be one name."""
    if columns.category_path_separator is None:
        several = next((text for text in levels if CODES.fullmatch(text) or re.search(r"[;|\n]", text)), None)
        if several is not None:
            cells.remarks.add(SEVERAL_IN_LEVEL, repr(several[: 2 * SHOWN]))


def _are_paths(text: str, between: str) -> bool:
    """Tell whether commas without a blank part codes, or paths, not words of one level.

    Such paths all have levels, as A/B,C/D, or some begin with the same one, as Magento's do.
    """
    if between not in text:
        return bool(CODES.fullmatch(text))
    parts = text.split(",")
    tops = [part.split(between)[0].strip() for part in parts]
    return len({*tops}) < len(tops) or (len(parts) > 1 and all(between in part for part in parts))


def _until_hole(levels: Sequence[str], cells: Cells) -> tuple[str, ...]:
    """Return a path up to its first empty level: paths may be of uneven depth."""
    folded = [*map(fold_spelling, levels)]
    path = tuple(takewhile(bool, folded))
    if any(folded[len(path) :]):
        cells.remarks.add(HOLES, repr(folded)[: 4 * SHOWN])
    return path
