"""What a photo's uri names, a path without links or a `gs://` URI, and whether photos may come from there."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from functools import cache
from urllib.parse import quote, urljoin

from pipelines.config.places import in_cloud, in_web, is_far, path_of
from trainer.files import SCHEME

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://|(?:data|file):|//", re.IGNORECASE)
SHARE = "smb://"
"""What photos on a share of Windows begin with, however the feed writes it: they are read where it is mounted."""
SHOWN = 80
PHOTO_ENDING = r"\.(?:jpe?g|jfif|png|webp|gif|avif|heic|bmp|tiff?)"
"""What names of photos end with, as a regular expression that wants its case ignored."""
_BARE = re.compile(r"((?:www\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::\d{1,5})?)/+[^/]", re.IGNORECASE)
_UNQUOTED = "/%?=&+,;:@~!$'()*[]|"
"""What may stand in a path that is written as part of an address, or of a file's name."""


class UriError(Exception):
    """A uri names nothing that photos are taken from: one of the fetcher's codes, and a detail for people."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code, self.detail = code, detail


def is_relative(uri: str) -> bool:
    """Tell whether a uri starts from the folder of photos."""
    return not (uri.startswith("/") or _SCHEME.match(uri))


def bare_host(uri: str) -> str:
    """Return the host of a path that looks like an address without its scheme, `www.shop.example/a.jpg`, else ""."""
    found = _BARE.match(uri)
    return found[1] if found else ""


def address_of(uri: str, start: str) -> str | None:
    """Return the http(s) address that a uri names, None where it names none; a relative one starts from `start`.

    An address without its scheme, as web pages have them (`//cdn.example.com/a.jpg`), is one of https. A path from the
    root (`/a.jpg`) is, as in web pages, of the host of `start`, whatever path that has.
    """
    if uri.startswith("//"):
        return f"https:{uri}"
    if in_web(uri):
        return uri
    if in_web(start) and uri.startswith("/"):
        return urljoin(start, quote(uri, safe=_UNQUOTED))
    if in_web(start) and is_relative(uri):
        return f"{start.rstrip('/')}/{quote(uri, safe=_UNQUOTED)}"
    return None


def absolute(uri: str, start: str) -> str:
    """Return the path or `gs://` URI that a uri names; a relative one starts from `start`. Raises UriError.

    `file:` URIs are those of RFC 8089: of this machine, with their percent signs decoded.
    """
    try:
        path = path_of(uri)
    except ValueError as error:
        raise UriError("unsupported_scheme", f"it {error}, or mount what that has") from error
    if path is not None:
        return path
    scheme = _SCHEME.match(uri)
    if scheme and (scheme[1] or "").lower() == "gs":
        return f"{SCHEME}{uri[len(SCHEME) :]}"
    if in_cloud(uri):
        return uri
    if uri.lower().startswith(SHARE):
        machine = uri[len(SHARE) :].partition("/")[0]
        raise UriError("unsupported_scheme", f"it is on a share of the machine {machine!r}; mount that here")
    if scheme:
        raise UriError("unsupported_scheme", "photos are read from paths, file://, gs://, https:// and http://")
    return f"{start.rstrip('/')}/{uri}" if is_far(start) else os.path.join(start, uri)


def without_links(location: str, roots: Sequence[str]) -> str:
    """Return a path without links, or a `gs://` URI as it is. Raises UriError when it is below none of the roots."""
    if is_far(location):
        inside = any(_is_below_in_bucket(location, root) for root in roots)
        path = location
    else:
        path = os.path.realpath(location)
        inside = any(_is_below(path, root) for root in roots)
    if not inside:
        linked = "" if path == os.path.normpath(location) or is_far(location) else f", which is {path},"
        raise UriError("outside_roots", f"{location}{linked} is not below {' or '.join(roots)}")
    return path


def _is_below(path: str, root: str) -> bool:
    if is_far(root):
        return False
    folder = _real(root)
    return path == folder or path.startswith(folder if folder.endswith("/") else f"{folder}/")


@cache
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def _is_below_in_bucket(uri: str, root: str) -> bool:
    return uri.startswith(f"{root.rstrip('/')}/") and not {".", ".."} & set(uri.split("/"))
