"""Where a photo's original bytes come from: a path today; the scheme of the uri decides. Knows nothing of images."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

MISSING = "missing"
FETCH_CODES = {
    "missing": "there is nothing at the uri",
    "not_a_file": "the path is a folder or a device",
    "unreadable": "the file system or the permissions are in the way",
    "unsupported_scheme": "photos are read from paths",
    "too_large_bytes": "the file is larger than the limit",
}


class FetchError(Exception):
    """A photo could not be fetched: `code` is one of FETCH_CODES, `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Fetcher:
    """Fetches photos; relative paths start at `root`, larger ones than `max_bytes` are rejected unread."""

    root: str
    max_bytes: int

    def fingerprint(self, uri: str) -> str:
        """Return what changes when the photo changes: size and mtime; 'missing' when there is nothing."""
        try:
            status = os.stat(self._path(uri))
        except (OSError, ValueError, FetchError):
            return MISSING
        return f"{status.st_size}-{status.st_mtime_ns}"

    def fetch(self, uri: str) -> bytes:
        """Return the photo's bytes. Raises FetchError."""
        path = self._path(uri)
        try:
            if not path.is_file():
                raise FetchError("not_a_file" if path.exists() else "missing", f"{path}")
            if path.stat().st_size > self.max_bytes:
                raise FetchError("too_large_bytes", f"{path.stat().st_size} bytes, the limit is {self.max_bytes}")
            return path.read_bytes()
        except (OSError, ValueError) as error:
            raise FetchError("unreadable", f"{path}: {error}") from error

    def _path(self, uri: str) -> Path:
        scheme, separator, rest = uri.partition("://")
        if separator and scheme != "file":
            raise FetchError("unsupported_scheme", f"{uri[:80]!r}: photos are read from paths")
        return Path(self.root, rest if separator else uri)
