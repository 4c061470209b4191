"""Query photos: from paths and folders to prepared photos, through the same functions as the catalogue's photos."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from pathlib import Path

from pipelines.shop_files.fetch import Fetcher, FetchError
from transforms.image import prepare
from transforms.photo import BadPhoto, Limits, PrepSpec

SUFFIXES = {".jpg", ".jpeg", ".jpe", ".png", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".avif"}


@dataclass(frozen=True)
class QueryPhoto:
    """One query: its path as it was given or found, and its prepared JPEG, or why there is none."""

    query: str
    jpeg: bytes = b""
    code: str = ""
    detail: str = ""


def list_queries(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as they are, and of a folder every image file below it, sorted; a folder without any as itself."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(p for p in path.rglob("*") if _is_image_file(p.relative_to(path), p))
        yield from found or [path]


def prepare_queries(paths: Iterable[Path], spec: PrepSpec, limits: Limits, batch: int) -> Iterator[list[QueryPhoto]]:
    """Yield prepared queries in lists of `batch`, in order, prepared by all cores."""
    fetcher = Fetcher("", limits.max_bytes)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for part in batched(paths, batch):
            yield list(pool.map(lambda path: _prepare_one(path, fetcher, spec, limits), part))


def _prepare_one(path: Path, fetcher: Fetcher, spec: PrepSpec, limits: Limits) -> QueryPhoto:
    query = str(path)
    if path.is_dir():
        return QueryPhoto(query, code="no_photos", detail=f"the folder holds no file that ends with {_suffixes()}")
    try:
        return QueryPhoto(query, prepare(fetcher.fetch(query), spec, limits).jpeg)
    except (BadPhoto, FetchError) as error:
        return QueryPhoto(query, code=error.code, detail=error.detail)


def _is_image_file(relative: Path, path: Path) -> bool:
    hidden = any(part.startswith(".") for part in relative.parts)
    return not hidden and path.suffix.lower() in SUFFIXES and path.is_file()


def _suffixes() -> str:
    return ", ".join(sorted(SUFFIXES))
