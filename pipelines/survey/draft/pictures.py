"""Which columns name photos: by their names, where these are silent by their cells. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pipelines.catalogue.photo_cells import photos_of
from pipelines.catalogue.values import Remarks
from pipelines.survey.draft.names import numbered, said, tokens
from pipelines.survey.draft.profile import ADDRESS, Profile, texts_of
from pipelines.survey.draft.words import FIRST, LESSER, SIZES, WORDS

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
    whole = {name for name in pictures if not LESSER & {*_words(name)}} - _smaller(pictures)
    named = {name for name, worth in pictures.items() if worth}
    chosen = (named & whole) or named or whole or {*pictures}
    families = numbered(name for name in columns if name in chosen)
    ordered = sorted(
        (name for family in families.values() for name in family), key=lambda name: not (FIRST & {*tokens(name)})
    )
    further = [name for name in columns if name in whole - chosen]
    kept = _with_more(_without_names([*ordered, *further], rows), rows)
    return [name for name in kept if name in chosen], [name for name in kept if name not in chosen]


def _words(name: str) -> list[str]:
    """Return the words of a name, those too that are joined with one for photos: smallimage is small, image."""
    found = list[str]()
    for word in tokens(name):
        ends = [one for one in WORDS["photos"].tokens if word != one and (word.startswith(one) or word.endswith(one))]
        end = max(ends, key=len, default="")
        found += [word.removesuffix(end).removeprefix(end), end] if end else [word]
    return found


def _smaller(names: Iterable[str]) -> set[str]:
    """Return the columns that name a picture in a smaller size than another one does: image_small, image_large."""
    sizes: dict[str, dict[str, int]] = {}
    for name in names:
        words = _words(name)
        size = next((rank for rank, some in enumerate(SIZES) for word in words if word in some), None)
        if size is not None:
            rest = " ".join(word for word in words if word not in SIZES[size])
            sizes.setdefault(rest, {})[name] = size
    return {name for of in sizes.values() for name, size in of.items() if size < max(of.values())}


def photos_in(cell: Any) -> list[str]:
    """Return the paths and addresses of a cell, those of HTML and the like too."""
    return [uri for text in texts_of(cell) for uri in photos_of(text, None, Remarks())]


def _without_names(names: Sequence[str], rows: Rows) -> list[str]:
    """Return the columns without those of file names, where addresses or paths of most of these rows end with the same.

    Columns that differ by a number, image_1 and image_2, are of different photos.
    """
    ranks = {name: _rank(name, rows) for name in names}
    beside = {name: [one for one in names if ranks[one] > ranks[name] and _stem(one) != _stem(name)] for name in names}
    return [name for name in names if not _are_ends(name, beside[name], rows)]


def _rank(name: str, rows: Rows) -> int:
    """Tell whether a column holds addresses (2), paths (1), or names of files (0), which say less of a place."""
    texts = [text for row in rows for text in photos_in(row.get(name))]
    addresses, paths = sum(ADDRESS.match(text) is not None for text in texts), sum("/" in text for text in texts)
    return 2 if addresses >= _MOST * len(texts) else int(paths >= _MOST * len(texts))


def _stem(name: str) -> str:
    return next(iter(numbered([name])))


def _are_ends(name: str, addresses: Sequence[str], rows: Rows) -> bool:
    named = [
        (file, [text for one in addresses for text in photos_in(row.get(one))])
        for row in rows
        for file in photos_in(row.get(name))
    ]
    same = sum(any(_file_of(text) == _file_of(file) for text in texts) for file, texts in named)
    return bool(named) and 2 * same > len(named)


def _file_of(path: str) -> str:
    return urlsplit(path).path.rpartition("/")[2].casefold()


def _with_more(names: Sequence[str], rows: Rows) -> list[str]:
    """Return the columns without those that name what earlier ones of their row name already."""
    kept: list[str] = []
    for name in names:
        before = ({text for one in kept for text in photos_in(row.get(one))} for row in rows)
        if any({*photos_in(row.get(name))} - seen for row, seen in zip(rows, before, strict=True)):
            kept.append(name)
    return kept
