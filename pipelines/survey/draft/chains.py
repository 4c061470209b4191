"""Paths of which one is the beginning of another: in lists, and in columns side by side. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from pipelines.catalogue.lists import list_of
from pipelines.survey.draft.marks import BETWEEN_LEVELS
from pipelines.survey.draft.names import stem_of
from pipelines.survey.draft.profile import text_of
from pipelines.tables.spelling import trimmed

_SIGNS = re.compile(r"\s*((?:&gt;|&raquo;|[>/\\|»›→:;,~=#^-])+)\s*(?=\S)")
_ENDS = " >/\\|»›→:;,"
_DEPTH = re.compile(r"(\d{1,2})\s*([^\w\s]+)\s*(?=\S)")
_NEARLY_ALL = 0.95
_ONE, _SEVERAL = 1.05, 1.5
"""Levels that stand beside one, on average."""
_FEW = 5
"""Pairs of levels that tell nothing: a shop may have only shoes for women and shoes for men."""


@dataclass(frozen=True)
class Chain:
    """The mark between levels; whether a list begins with what another of its paths does; whether depths go before."""

    mark: str
    is_shallow_first: bool
    has_depths: bool


def chain_of(lists: Iterable[Sequence[str]]) -> Chain | None:
    """Return how lists of paths are written, as /A/B/, /A/ of VTEX and 0/A, 1/A/B of Solr; None where they are none."""
    several = [[*dict.fromkeys(one)] for one in lists if one]
    plain = [[_without_depth(path) for path in one] for one in several]
    for paths in (several, plain):
        held = [{*_marks(one)} for one in paths if len(one) > 1]
        counts = Counter(mark for marks in held for mark in marks)
        mark, count = next(iter(counts.most_common(1)), ("", 0))
        has_depths = paths is plain
        if 2 * count > len(held) and (not has_depths or _are_depths(several, mark)):
            return Chain(mark, any(_begins(one[0], path) for one in paths for path in one[1:]), has_depths)
    return None


def is_shallow_first(cells: Iterable[Any]) -> bool:
    """Tell whether a list of lists of levels begins with one that is the beginning of another: [[A], [A, B]]."""
    for cell in cells:
        paths = list_of(trimmed(cell)) if isinstance(cell, str) else cell
        if isinstance(paths, list) and len(paths) > 1 and all(isinstance(path, list) for path in paths):
            first, *others = paths
            if any(len(path) > len(first) and path[: len(first)] == first for path in others):
                return True
    return False


def family_of(name: str, others: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a column of paths and those that say the same ones to another depth, the deepest first.

    Of several of one depth the one that is called as the column is taken, but for a number.
    """
    cells = {one: [text_of(row.get(one)) for row in rows] for one in (name, *others)}
    own = cells[name]
    found = [
        one for one, of in cells.items() if one == name or _mark_within(own, of, own) or _mark_within(of, own, own)
    ]
    kept: list[str] = []
    for one in sorted(found, key=lambda one: (-max(map(len, cells[one])), stem_of(one) != stem_of(name))):
        if not kept or _mark_within(cells[one], cells[kept[-1]], own):
            kept.append(one)
    return kept


def are_upside_down(paths: Iterable[Sequence[str]]) -> bool:
    """Tell whether levels have one level behind them and several before, as Galia > Melon > Fruit has."""
    pairs = {pair for path in paths for pair in pairwise(path) if pair[0] != pair[1]}
    before, behind = {one for one, _ in pairs}, {one for _, one in pairs}
    return max(_FEW, _SEVERAL * len(behind)) < len(pairs) <= _ONE * len(before)


def _mark_within(upper: Sequence[str], deeper: Sequence[str], paths: Sequence[str]) -> str:
    """Return the mark of some paths by which nearly all of a column go on from those of another, "" where none does."""
    pairs = [(above, own) for above, own in zip(upper, deeper, strict=True) if above and own]
    longer = [(above, own) for above, own in pairs if above != own]
    marks = Counter(mark for above, own in longer if (mark := _begins(above, own)))
    mark, count = next(iter(marks.most_common(1)), ("", 0))
    is_theirs = 2 * sum(mark in path for path in paths) >= sum(map(bool, paths))
    return mark if is_theirs and count + len(pairs) - len(longer) >= _NEARLY_ALL * len(pairs) else ""


def _marks(paths: Sequence[str]) -> Iterator[str]:
    yield from (mark for above in paths for own in paths if own != above and (mark := _begins(above, own)))


def _begins(above: str, own: str) -> str:
    """Return the mark by which a path goes on from another one, "" where it does not."""
    start = above.rstrip(_ENDS)
    found = _SIGNS.match(own, len(start)) if start and own.startswith(start) else None
    if found is None:
        return ""
    return next((mark for mark in (found[1], found[0]) if mark in BETWEEN_LEVELS or len(found[1]) > 1), "")


def _without_depth(path: str) -> str:
    found = _DEPTH.match(path)
    return path[found.end() :] if found else path


def _are_depths(lists: Iterable[Sequence[str]], mark: str) -> bool:
    """Tell whether all paths begin with a number, and by the same mark, that grows as their levels do."""
    beyond = set[int]()
    for path in (path for paths in lists for path in paths):
        found = _DEPTH.match(path)
        if found is None or found[2] != mark:
            return False
        beyond.add(sum(bool(level.strip()) for level in path[found.end() :].split(mark)) - int(found[1]))
    return len(beyond) == 1
