"""A shop's own files, by path or by URI of a cloud: which there are.

A service that cannot be asked is an error, for it says nothing of what is there: UnavailableError where the same may
succeed later, on a worker too.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pipelines.config.places import is_far
from pipelines.shop_files import clouds, google
from pipelines.shop_files.files import File, RemoteFile
from trainer.files import in_bucket

_WILDCARD = re.compile(r"[*?[]")


def divide(pattern: str) -> tuple[str, str]:
    """Return the folder that a path or a URI with `*`, `?` and `[…]` starts from, "" for none, and the rest."""
    fixed = _WILDCARD.split(pattern, maxsplit=1)[0]
    folder, slash, _ = fixed.rpartition("/")
    return folder or slash, pattern[len(folder) + len(slash) :]


def find(folder: str, pattern: str) -> list[tuple[str, File]]:
    """Return the files below a folder, or a URI of one, that a pattern names, by their paths below it."""
    if not is_far(folder):
        literal = [pattern] if Path(folder, pattern).exists() else []
        return [(path, Path(folder, path)) for path in literal or sorted(glob.glob(pattern, root_dir=folder))]
    start = f"{folder.rstrip('/')}/"
    wanted = str(_path(start + pattern))
    found = walk(start + _WILDCARD.split(pattern, maxsplit=1)[0])
    return [(file.uri.removeprefix(start), file) for file in found if _path(file.uri).match(wanted)]


def look(uri: str) -> RemoteFile | None:
    """Return the object of a URI, or None when there is none. Raises UnavailableError or StageError."""
    return google.look(uri) if in_bucket(uri) else clouds.look(uri)


def walk(prefix: str) -> Iterator[RemoteFile]:
    """Yield the objects whose URIs start with `prefix`, in the order of their names."""
    return google.walk(prefix) if in_bucket(prefix) else clouds.walk(prefix)


def folders(prefix: str) -> tuple[list[str], list[RemoteFile]]:
    """Return the folders directly below a folder (URIs that end with a slash), and the objects beside them."""
    below, files = google.folders(prefix) if in_bucket(prefix) else clouds.folders(prefix)
    return below, list(files)


def _path(uri: str) -> PurePosixPath:
    return PurePosixPath("/", uri.partition("://")[2])
