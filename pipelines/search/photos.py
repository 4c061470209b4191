"""Query photos: from paths and folders to prepared photos, through the same functions as the catalogue's photos."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import batched
from pathlib import Path
from typing import Final

from pipelines.shop_files.fetch import Fetcher, FetchError
from transforms.image import prepare_query
from transforms.photo import BadPhoto, Limits, PrepSpec

JPEG: Final = (".jpe", ".jpeg", ".jfif", ".jpg")
OTHERS: Final = (".avif", ".bmp", ".gif", ".heic", ".heif", ".jxl", ".png", ".tif", ".tiff", ".webp")
PHOTO_ENDINGS: Final = frozenset((*JPEG, *OTHERS))


@dataclass(frozen=True)
class QueryPhoto:
    """One query: its path as it was given or found, and its prepared JPEG, or why there is none."""

    query: str
    jpeg: bytes = b""
    code: str = ""
    detail: str = ""


def list_queries(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield files as they are, and of a folder every file below it, sorted; a folder without any as itself.

    What a file is its content says, not its name. Hidden files are left out; links to folders are followed.
    """
    for path in paths:
        yield from _files_below(path) or [path] if _is_folder(path) else [path]


def is_photo_by_name(query: str) -> bool:
    """Tell whether a query that cannot be read was meant to be one: its name ends as photos' do, or it is a folder."""
    path = Path(query)
    return path.suffix.lower() in PHOTO_ENDINGS or _is_folder(path)


def prepare_queries(paths: Iterable[Path], spec: PrepSpec, limits: Limits, batch: int) -> Iterator[list[QueryPhoto]]:
    """Yield prepared queries in lists of `batch`, in order, prepared by all cores."""
    fetcher = Fetcher.of_paths(limits.max_bytes)
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        for part in batched(paths, batch):
            yield list(pool.map(lambda path: _prepare_one(path, fetcher, spec, limits), part))


def _prepare_one(path: Path, fetcher: Fetcher, spec: PrepSpec, limits: Limits) -> QueryPhoto:
    query = str(path)
    if _is_folder(path):
        if os.access(path, os.R_OK | os.X_OK):
            return QueryPhoto(query, code="no_photos", detail="the folder holds no files that are not hidden")
        return QueryPhoto(query, code="unreadable", detail="the folder's permissions are in the way")
    try:
        return QueryPhoto(query, prepare_query(fetcher.fetch(query), spec, limits))
    except (BadPhoto, FetchError) as error:
        return QueryPhoto(query, code=error.code, detail=error.detail)


def _is_folder(path: Path) -> bool:
    """Tell whether there is a folder; a path that the file system refuses, such as one that is too long, is none."""
    return os.path.isdir(path)


def _files_below(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted, and the folders below it that cannot be read."""
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    _is_new(folder, seen)

    def keep(error: OSError) -> None:
        found.append(Path(error.filename))

    for at, folders, files in os.walk(folder, followlinks=True, onerror=keep):
        folders[:] = [name for name in folders if not _is_hidden(name) and _is_new(Path(at, name), seen)]
        found += [Path(at, name) for name in files if not _is_hidden(name)]
    return sorted(found)


def _is_hidden(name: str) -> bool:
    return name.startswith(".")


def _is_new(folder: Path, seen: set[tuple[int, int]]) -> bool:
    """Tell whether a folder was not seen before: links may lead in a circle."""
    try:
        status = folder.stat()
    except OSError:  # the walk will meet it, and tell
        return True
    is_new = (status.st_dev, status.st_ino) not in seen
    seen.add((status.st_dev, status.st_ino))
    return is_new
