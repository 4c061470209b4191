"""Photos that a feed does not name, since their files are called by what a column holds. Reads folders, no photo."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from pipelines.survey.draft.names import said
from pipelines.survey.draft.photos import LOOKED_AT
from pipelines.survey.draft.profile import PICTURE, texts_of

PLACE = "{}"
_MOST_NAMES, _MOST_FOLDERS, _MOST_PARTS = 200_000, 100, 8
_SHARE = 0.5
_BETWEEN = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True)
class Named:
    """A column, the pattern that makes paths of its texts, and how many of those `looked_at` are `there`."""

    column: str
    pattern: str
    there: int
    looked_at: int


def named_photos(rows: Sequence[Mapping[str, Any]], names: Iterable[str], roots: Iterable[str]) -> Named | None:
    """Return the column whose texts, in a pattern, are names of files in one of the folders; None where none's are.

    It holds for half of the first texts and two at least. Of columns alike that counts which is called by photos, then
    the shorter pattern.
    """
    columns = {name: _texts(rows, name) for name in names if name}
    columns = {name: texts for name, texts in columns.items() if len(texts) > 1}
    found = list[Named]()
    for root in roots:
        listed = [*_listed(root)]
        for name, texts in columns.items():
            pattern, there = _pattern(texts, listed)
            if there >= max(2, _SHARE * len(texts)):
                found.append(Named(name, pattern, there, len(texts)))
    return max(found, key=_worth, default=None)


def _worth(one: Named) -> tuple[float, float, int]:
    return one.there / one.looked_at, said(one.column, "photos"), -len(one.pattern)


def _texts(rows: Sequence[Mapping[str, Any]], name: str) -> set[str]:
    cells = (texts_of(row.get(name)) for row in rows[:LOOKED_AT])
    return {text for cell in cells for text in cell if "/" not in text and len(text) < 256}


def _listed(root: str) -> Iterator[str]:
    """Yield the paths of photos in a folder, and in the first of the folders in it."""
    folders = list[str]()
    for entry in islice(_entries(root), _MOST_NAMES):
        if entry.is_dir():
            folders.append(entry.name)
        elif PICTURE.search(entry.name):
            yield entry.name
    for folder in sorted(folders)[:_MOST_FOLDERS]:
        within = (entry.name for entry in islice(_entries(os.path.join(root, folder)), _MOST_NAMES))
        yield from sorted(f"{folder}/{name}" for name in within if PICTURE.search(name))


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:  # nothing there, or nothing that may be read
        return


def _pattern(texts: set[str], paths: Iterable[str]) -> tuple[str, int]:
    """Return the pattern by which most of the texts are paths, and of how many they are."""
    by_pattern = defaultdict[str, set[str]](set)
    for path in paths:
        for start, end in _parts(path):
            if path[start:end] in texts:
                by_pattern[path[:start] + PLACE + path[end:]].add(path[start:end])
    best = max(by_pattern, key=lambda pattern: (len(by_pattern[pattern]), -len(pattern)), default="")
    return best, len(by_pattern[best])


def _parts(path: str) -> Iterator[tuple[int, int]]:
    """Yield the beginnings and ends of what stands between marks in a path: one part of it, or several."""
    marks = [found.start() for found in _BETWEEN.finditer(path)]
    starts, ends = [0, *(mark + 1 for mark in marks)][:_MOST_PARTS], marks[:_MOST_PARTS]
    yield from ((start, end) for start in starts for end in ends if start < end)
