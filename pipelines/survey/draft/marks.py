"""What stands between the parts of a cell: told from the parts that it would make. Pure functions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from pipelines.catalogue.categories import CODES
from pipelines.catalogue.lists import addresses_of, parts_of
from pipelines.survey.draft.profile import ADDRESS, PICTURE

BETWEEN_PHOTOS: Final = (",", "|", ";", "\n", " ", "^", "~")
BETWEEN_PATHS: Final = (",", "|", ";", "\n", "||", ";;")
BETWEEN_LEVELS: Final = (">", "&gt;", "&raquo;", "/", "|", "»", "›", "→", "::", ":", ";", "\\", " - ", ",")
_MOST = 0.9
_RUN: Final = re.compile(r"(?<=\S)\s*((?:&gt;|&raquo;|[>/\\|»›→:;~=#^-]){2,})\s*(?=\S)")
"""Signs that together are one mark: A///B, A >> B, A -> B."""
_CODE: Final = re.compile(r"(?=.*[_\d])[^\W]+(?:-[^\W]+)*")
"""Of a category, as Akeneo and BigCommerce write them: master_men_shirts, 23."""

_ID: Final = re.compile(r"\d{3,}|(?=.*\d)[0-9a-f]{8,}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""Of a category: a number longer than those of levels, or what a program has drawn."""


def between_photos(cells: Iterable[str]) -> str | None:
    """Return the mark that makes photos of cells with several pictures, None where none does."""
    several = [cell for cell in cells if len(PICTURE.findall(cell)) > 1 or len(ADDRESS.findall(cell)) > 1]
    return next((mark for mark in BETWEEN_PHOTOS if several and _makes_photos(several, mark)), None)


def _makes_photos(cells: Sequence[str], mark: str) -> bool:
    parts = [part.strip() for cell in cells for part in addresses_of(cell, mark) if part.strip()]
    single = sum(len(PICTURE.findall(part)) == 1 or (PICTURE.search(part) is None and _is_one(part)) for part in parts)
    return len(parts) > len(cells) and single >= _MOST * len(parts)


def _is_one(part: str) -> bool:
    return len(ADDRESS.findall(part)) == 1 and not any(c.isspace() for c in part)


def between_paths(cells: Sequence[str], levels: str) -> tuple[str, bool]:
    """Return the mark that parts paths of categories, "" where a cell is one, and whether the deepest should count.

    It should where paths hold one another, and where most cells begin with one of fewer levels, such as Shop All. Parts
    of a cell are paths where they have levels, are codes, are the top of others, or stand alone elsewhere.
    """
    wholes = Counter(cell.strip() for cell in cells)
    for mark in BETWEEN_PATHS:
        several = [parts for cell in cells if len(parts := _parts(cell, mark)) > 1]
        parts = [part for of_cell in several for part in of_cell]
        tops = {part.partition(levels)[0].strip() for part in parts if levels in part}
        paths = sum(levels in part or part in wholes or part in tops or bool(_CODE.fullmatch(part)) for part in parts)
        if parts and mark != levels and 2 * paths >= len(parts):
            shallow = sum(_begins_shallow(of_cell, levels) for of_cell in several)
            return mark, 2 * shallow > len(several) or any(_hold(of_cell, levels) for of_cell in several)
    return "", False


def are_codes(cells: Sequence[str]) -> bool:
    """Tell whether commas stand between words without a blank, as between codes of categories, and not in a name."""
    several = [cell for cell in cells if "," in cell]
    return 2 * sum(CODES.fullmatch(cell) is not None for cell in several) > len(several)


def _parts(cell: str, mark: str) -> list[str]:
    return [part.strip() for part in parts_of(cell, mark) if part.strip()]


def _begins_shallow(paths: Sequence[str], levels: str) -> bool:
    return paths[0].count(levels) < max(path.count(levels) for path in paths)


def _hold(paths: Sequence[str], levels: str) -> bool:
    """Tell whether a path stands beside one of the levels above it, as Gear beside Gear/Bags."""
    above = tuple(mark for path in paths for mark in (f"{path}{levels}", f"{path} {levels}"))
    return any(path.startswith(above) for path in paths)


def between_levels(cells: Sequence[str]) -> list[str]:
    """Return the marks that may stand between levels, the one in most cells first; none between ids side by side."""
    runs = [{*_RUN.findall(cell)} - {*BETWEEN_LEVELS} for cell in cells]
    plain = [_RUN.sub(_kept, cell) for cell in cells]
    counts = Counter(mark for cell in plain for mark in BETWEEN_LEVELS if mark in cell)
    counts += Counter(run for of_cell in runs for run in of_cell)
    counts = Counter({mark: count for mark, count in counts.items() if not _are_beside(cells, mark)})
    rank = {mark: n for n, mark in enumerate(BETWEEN_LEVELS)}
    return [mark for mark, _ in sorted(counts.items(), key=lambda one: (-one[1], rank.get(one[0], len(rank))))]


def whole_mark(cells: Sequence[str], mark: str) -> str | None:
    """Return the run of signs that a mark is always part of, as > of A >> B and A -> B; None where it stands alone."""
    runs = Counter(run for cell in cells for run in _RUN.findall(cell) if mark in run)
    best = max(runs, key=runs.__getitem__, default=mark)
    is_part = best != mark and not any(mark in _RUN.sub("", cell) for cell in cells)
    return best if is_part and runs[best] >= _MOST * runs.total() else None


def _kept(found: re.Match[str]) -> str:
    """Return a run of signs where it is a mark that is known, as ::, and "" for one whose signs part nothing alone."""
    return found[0] if found[1] in BETWEEN_LEVELS else ""


def _are_beside(cells: Sequence[str], mark: str) -> bool:
    """Tell whether a mark parts ids of which some stand behind several others: no category has two above it."""
    paths = [_parts(cell, mark) for cell in cells] if mark in BETWEEN_PATHS else []
    pairs = {pair for path in paths for pair in zip(["", *path], path, strict=False)}
    ids = {part for _, part in pairs}
    return len(pairs) > len(ids) and sum(_ID.fullmatch(part) is not None for part in ids) >= _MOST * len(ids)
