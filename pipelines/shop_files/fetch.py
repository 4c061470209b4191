"""Where a photo's original bytes come from, a path or a bucket; the uri decides. Knows nothing of images.

That a photo is missing or too large is a fact about it, and a reject. That a bucket cannot be asked is none: it is an
error, and what was asked for is asked for again by the next run.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipelines.config import Config
from pipelines.config.places import is_far
from pipelines.shop_files import locations
from pipelines.shop_files.near import readings, respelled, sibling
from pipelines.shop_files.uri import SHOWN, UriError, absolute, address_of, is_relative, without_links

MISSING = "missing"
LISTED = pa.schema([("image_uri", pa.string()), ("fingerprint", pa.string())])
"""Photos below a root in a bucket, which are listed instead of being asked for one by one."""
FETCH_CODES = {
    "missing": "there is nothing at the uri",
    "not_a_file": "the path is a folder or a device",
    "unreadable": "the file system or the permissions are in the way",
    "unsupported_scheme": "an address that nothing is fetched from; if the photo is here too, set "
    "catalogue.photo_prefix to what stands before its path",
    "outside_roots": "the photo lies, links followed, neither below catalogue.photo_root nor catalogue.allowed_roots; "
    "if the feed's paths begin with what lies elsewhere, set catalogue.photo_prefix to that",
    "too_large_bytes": "the file is larger than the limit",
    "forbidden": "the host refuses to give it (401, 403); headers can be set in fetch.hosts",
    "http_error": "the host answers with an error that stays",
    "bad_address": "the address is none that may be asked",
    "bad_redirect": "the address leads to others without end, or to none",
    "bad_certificate": "the host's certificate is not valid: not for its name, no longer, or of nobody known",
    "bad_tls": "no secure connection to the host can be made",
    "refused_address": "it leads to a machine of a private network (fetch.allowed_networks)",
    "unsupported_encoding": "the host sends the body compressed in an unknown way",
    "rate_limited": "the host wants fewer requests (429); set fetch.hosts and their requests_per_second",
    "server_error": "the host fails (5xx)",
    "not_ready": "the host is still making it (202, 423)",
    "timeout": "the host took too long (fetch.timeout_s, fetch.idle_s)",
    "unreachable": "the host cannot be reached",
    "cut_off": "the host ended the connection too early",
    "host_left_alone": "the host failed throughout, and was asked no more in this run",
    "no_variable": "the environment lacks a variable that a header of fetch.hosts names",
}
"""Those of web.PASSING are tried again by the next run."""


class FetchError(Exception):
    """A photo could not be fetched: `code` is one of FETCH_CODES, `detail` is for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


@dataclass(frozen=True)
class Fetcher:
    """Fetches photos; relative uris start at `root`, larger photos than `max_bytes` are rejected unread.

    Photos are taken from below `root` and `more` folders and URIs of clouds alone, links followed.
    """

    root: str
    max_bytes: int
    more: tuple[str, ...] = ()

    def address(self, uri: str) -> str | None:
        """Return the http(s) address that a uri names, None for a photo that is a file or an object."""
        return address_of(uri, self.root)

    @classmethod
    def of_catalogue(cls, config: Config) -> Fetcher:
        """Return what fetches the photos that a shop's feeds name."""
        section = config.catalogue
        more = tuple(config.locate(root) for root in section.allowed_roots)
        return cls(config.locate(section.photo_root), config.preprocess.max_bytes, more)

    @classmethod
    def of_paths(cls, max_bytes: int) -> Fetcher:
        """Return what fetches the photos whose paths were given by whoever started the command: from any folder."""
        return cls("", max_bytes, ("/",))

    @property
    def threads(self) -> int:
        """How many photos are worth waiting for at once: one where they are on a disk, more where they are far."""
        if not is_far(self.root):
            return 1
        from pipelines.store.gcs import THREADS

        return THREADS

    def is_listed(self, uri: str) -> bool:
        """Tell whether a photo is below a root whose photos are listed instead of being asked for one by one."""
        return is_far(self.root) and is_relative(uri)

    def fingerprint(self, uri: str) -> str:
        """Return what changes when the photo changes: size and mtime or generation; 'missing' when there is nothing."""
        try:
            location = self.location(uri)
            if is_far(location):
                found = locations.look(location)
                return found.fingerprint if found else MISSING
            status = os.stat(location)
        except (OSError, ValueError, FetchError):
            return MISSING
        return f"{status.st_size}-{status.st_mtime_ns}"

    def fetch(self, uri: str) -> bytes:
        """Return the photo's bytes. Raises FetchError, and StageError or StoreError when a bucket cannot be asked."""
        location = self.location(uri)
        if not is_far(location):
            return self._read(Path(location))
        found = locations.look(location)
        if found is None:
            raise FetchError("missing", location)
        self._check_size(found.size_bytes)
        with found.open() as stream:
            return stream.read()

    def location(self, uri: str) -> str:
        """Return where a photo is, whose name may be spelled otherwise there. Raises FetchError where none can be."""
        roots = (self.root, *self.more)
        try:
            location = without_links(absolute(uri, self.root), roots)
            there = "" if is_far(location) else respelled(location)
            return location if there in ("", location) else without_links(there, roots)
        except UriError as error:
            raise FetchError(error.code, error.detail) from error
        except ValueError as error:  # a NUL, which no path holds
            raise FetchError("missing", f"{uri[:SHOWN]!r}: {error}") from error

    def near(self, uri: str) -> str:
        """Return the name of a photo that is there and that a uri, which leads to none, may have meant, else ""."""
        if self.address(uri):
            return ""
        found = next((one for one in readings(uri) if self.fingerprint(one) != MISSING), "")
        if found or is_far(self.root):
            return found
        for one in (uri, *readings(uri)):
            other = sibling(os.path.join(self.root, one)) if is_relative(one) else ""
            if other and self.fingerprint(other) != MISSING:
                return os.path.relpath(other, self.root)
        return ""

    def _read(self, path: Path) -> bytes:
        try:
            if not path.is_file():
                raise FetchError("not_a_file" if path.exists() else "missing", f"{path}")
            self._check_size(path.stat().st_size)
            return path.read_bytes()
        except (OSError, ValueError) as error:
            raise FetchError("unreadable", f"{path}: {error}") from error

    def _check_size(self, size_bytes: int) -> None:
        if size_bytes > self.max_bytes:
            raise FetchError("too_large_bytes", f"{size_bytes} bytes, the limit is {self.max_bytes}")
