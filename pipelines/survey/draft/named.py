"""Photos that a feed does not name, since their files are called by what a column holds. Reads folders, no photo."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pipelines.survey.draft.names import said
from pipelines.survey.draft.photos import LOOKED_AT
from pipelines.survey.draft.profile import PICTURE, texts_of

PLACE = "{}"
_MOST_NAMES, _MOST_FOLDERS, _MOST_PARTS = 200_000, 100, 8
_SHARE = 0.5
_SHOWN = 3
_BETWEEN = re.compile(r"[^A-Za-z0-9]")


@dataclass(frozen=True)
class Named:
    """A column by whose texts files are called; of those `looked_at` so many have files that are `there`.

    `pattern` makes paths of the texts, "" where files of each are called otherwise, as the first one, `example`.
    `others` are patterns by which more files are called, and how many. `root` is the folder.
    """

    column: str
    pattern: str
    there: int
    looked_at: int
    others: tuple[tuple[str, int], ...] = ()
    example: str = field(default="", compare=False)
    root: str = field(default="", compare=False)

    @property
    def more(self) -> str:
        """What files have no photo_pattern: what it makes no path of, "" where there are none."""
        if not self.pattern:
            return (
                f"{self.there} of the first {self.looked_at} {self.column!r} have files that are called so, as "
                f"{self.example!r}, but no photo_pattern makes their paths"
            )
        if not self.others:
            return ""
        shown = ", ".join(f"{pattern!r} ({count})" for pattern, count in self.others[:_SHOWN])
        count = sum(count for _, count in self.others)
        called = f"{count} more files are called by {self.column!r} in other ways: {shown}"
        return f"{called}; photo_pattern makes one path of a cell"


def named_photos(rows: Sequence[Mapping[str, Any]], names: Iterable[str], roots: Iterable[str]) -> Named | None:
    """Return the column by whose texts files in one of the folders are called; None where no column's are.

    It holds for half of the first texts and two at least. What a pattern makes paths of counts first; of columns alike
    that which is called by photos, then the shorter pattern.
    """
    columns = {name: _texts(rows, name) for name in names if name}
    columns = {name: texts for name, texts in columns.items() if len(texts) > 1}
    wanted = {text for texts in columns.values() for text in texts}
    found = list[Named]()
    for root in roots:
        listed = [*_listed(root, wanted)]
        for name, texts in columns.items():
            found += _by_pattern(name, texts, root, listed)
            found += _by_beginning(name, texts, root, listed)
    return max(found, key=_worth, default=None)


def _worth(one: Named) -> tuple[bool, float, float, int]:
    return bool(one.pattern), one.there / one.looked_at, said(one.column, "photos"), -len(one.pattern)


def _is_enough(there: int, texts: set[str]) -> bool:
    return there >= max(2, _SHARE * len(texts))


def _texts(rows: Sequence[Mapping[str, Any]], name: str) -> set[str]:
    cells = (texts_of(row.get(name)) for row in rows[:LOOKED_AT])
    return {text.casefold() for cell in cells for text in cell if "/" not in text and len(text) < 256}


def _listed(root: str, wanted: Container[str]) -> Iterator[str]:
    """Yield the paths of photos in a folder, and in some of the folders in it, those with wanted names first."""
    entries = sorted((entry.name, entry.is_dir()) for entry in islice(_entries(root), _MOST_NAMES))
    yield from (name for name, is_folder in entries if not is_folder and PICTURE.search(name))
    folders = [name for name, is_folder in entries if is_folder]
    for folder in sorted(folders, key=lambda name: (name.casefold() not in wanted, name))[:_MOST_FOLDERS]:
        within = (entry.name for entry in islice(_entries(os.path.join(root, folder)), _MOST_NAMES))
        yield from sorted(f"{folder}/{name}" for name in within if PICTURE.search(name))


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:  # nothing there, or nothing that may be read
        return


def _by_pattern(name: str, texts: set[str], root: str, paths: Iterable[str]) -> Iterator[Named]:
    """Yield the pattern by which most of the texts are paths, in any case, and those by which more files are called."""
    of_pattern = defaultdict[str, set[str]](set)
    longest, spelled = dict[str, str](), dict[str, str]()
    for path in paths:
        for start, end in _parts(path):
            if (text := path[start:end].casefold()) in texts:
                pattern = path[:start] + PLACE + path[end:]
                pattern = spelled.setdefault(pattern.casefold(), pattern)
                of_pattern[pattern].add(text)
                longest[path] = min(pattern, longest.get(path, pattern), key=len)
    best = min(of_pattern, key=lambda pattern: (-len(of_pattern[pattern]), len(pattern), pattern), default="")
    if _is_enough(there := len(of_pattern[best]), texts):
        made = {best.replace(PLACE, text).casefold() for text in of_pattern[best]}
        others = Counter(pattern for path, pattern in longest.items() if path.casefold() not in made)
        ranked = sorted(others.items(), key=lambda one: (-one[1], one[0]))
        several = tuple((pattern, count) for pattern, count in ranked if count > 1)
        yield Named(name, best, there, len(texts), several, root=root)


def _by_beginning(name: str, texts: set[str], root: str, paths: Iterable[str]) -> Iterator[Named]:
    """Yield for how many of the texts there are files in a folder of that name, or whose names begin with it."""
    first = dict[str, str]()
    for path in paths:
        for _, end in (one for one in _parts(path) if one[0] == 0):
            if (text := path[:end].casefold()) in texts:
                first.setdefault(text, path)
    if _is_enough(len(first), texts):
        yield Named(name, "", len(first), len(texts), example=min(first.values()), root=root)


def _parts(path: str) -> Iterator[tuple[int, int]]:
    """Yield the beginnings and ends of what stands between marks in a path: one part of it, or several."""
    marks = [found.start() for found in _BETWEEN.finditer(path)]
    starts, ends = [0, *(mark + 1 for mark in marks)][:_MOST_PARTS], marks[:_MOST_PARTS]
    yield from ((start, end) for start in starts for end in ends if start < end)
