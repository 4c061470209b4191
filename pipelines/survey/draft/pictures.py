"""Which columns name photos: by their names, where these are silent by their cells. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pipelines.survey.draft.names import numbered, said, tokens
from pipelines.survey.draft.profile import ADDRESS, Profile, texts_of
from pipelines.survey.draft.words import FIRST, LESSER

Rows = Sequence[Mapping[str, Any]]
_MOST = 0.9
"""Of the cells of a column of addresses, or of paths."""


def photo_columns(columns: Mapping[str, Profile], rows: Rows) -> tuple[list[str], list[str]]:
    """Return the columns that name photos, the main one first, and others that may name further ones.

    Where no name says it, as of Front and Back, all are taken whose cells do.
    """
    pictures = {
        name: said(name, "photos")
        for name, one in columns.items()
        if one.pictures >= 0.5 or (one.addresses >= 0.8 and said(name, "photos"))
    }
    whole = {name for name in pictures if not LESSER & {*tokens(name)}}
    named = {name for name, worth in pictures.items() if worth}
    chosen = (named & whole) or named or whole or {*pictures}
    families = numbered(name for name in columns if name in chosen)
    ordered = sorted(
        (name for family in families.values() for name in family), key=lambda name: not (FIRST & {*tokens(name)})
    )
    further = [name for name in columns if name in whole - chosen]
    kept = _with_more(_without_names([*ordered, *further], rows), rows)
    return [name for name in kept if name in chosen], [name for name in kept if name not in chosen]


def _without_names(names: Sequence[str], rows: Rows) -> list[str]:
    """Return the columns without those of file names, where addresses or paths of most of these rows end with the same.

    Columns that differ by a number, image_1 and image_2, are of different photos.
    """
    ranks = {name: _rank(name, rows) for name in names}
    beside = {name: [one for one in names if ranks[one] > ranks[name] and _stem(one) != _stem(name)] for name in names}
    return [name for name in names if not _are_ends(name, beside[name], rows)]


def _rank(name: str, rows: Rows) -> int:
    """Tell whether a column holds addresses (2), paths (1), or names of files (0), which say less of a place."""
    texts = [text for row in rows for text in texts_of(row.get(name))]
    addresses, paths = sum(ADDRESS.match(text) is not None for text in texts), sum("/" in text for text in texts)
    return 2 if addresses >= _MOST * len(texts) else int(paths >= _MOST * len(texts))


def _stem(name: str) -> str:
    return next(iter(numbered([name])))


def _are_ends(name: str, addresses: Sequence[str], rows: Rows) -> bool:
    named = [
        (file, [text for one in addresses for text in texts_of(row.get(one))])
        for row in rows
        for file in texts_of(row.get(name))
    ]
    same = sum(any(_file_of(text) == _file_of(file) for text in texts) for file, texts in named)
    return bool(named) and 2 * same > len(named)


def _file_of(path: str) -> str:
    return urlsplit(path).path.rpartition("/")[2].casefold()


def _with_more(names: Sequence[str], rows: Rows) -> list[str]:
    """Return the columns without those that name what earlier ones of their row name already."""
    kept: list[str] = []
    for name in names:
        before = ({text for one in kept for text in texts_of(row.get(one))} for row in rows)
        if any({*texts_of(row.get(name))} - seen for row, seen in zip(rows, before, strict=True)):
            kept.append(name)
    return kept
