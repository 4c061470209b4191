"""A shop's own files in S3 and Azure: what is there, what tells that it changed, its bytes.

`locations` asks here for what is not Google's. Credentials, regions and endpoints are those of the environment, as the
clouds' own tools read them (AWS_*, AZURE_*).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, override

from pipelines.errors import StageError
from pipelines.shop_files.files import RemoteFile
from pipelines.store import UnavailableError

if TYPE_CHECKING:
    from obstore.store import ObjectStore


@dataclass(frozen=True)
class CloudFile(RemoteFile):
    """An object of S3 or Azure as it was when it was found."""

    tag: str
    """The service's own name of this content, "" where it has none."""

    @override
    def _opened(self) -> BinaryIO:
        """Return its bytes, as they were when it was found."""
        import obstore
        from obstore.exceptions import NotFoundError, PreconditionError

        place, name = split(self.uri)
        with _explained(self.uri):
            try:
                found = obstore.get(_store(place), name, options={"if_match": self.tag} if self.tag else None)
                return io.BytesIO(bytes(found.bytes()))
            except (NotFoundError, FileNotFoundError, PreconditionError) as error:
                raise StageError(f"{self.uri} was replaced or deleted while it was read; run again") from error


def split(uri: str) -> tuple[str, str]:
    """Return (`scheme://bucket`, name) of a URI; the name is "" of the bucket itself."""
    scheme, _, rest = uri.partition("://")
    bucket, _, name = rest.partition("/")
    return f"{scheme.lower()}://{bucket}", name


def look(uri: str) -> CloudFile | None:
    """Return the object of a URI, or None when there is none. Raises UnavailableError or StageError."""
    import obstore
    from obstore.exceptions import NotFoundError

    place, name = split(uri)
    if not name:
        return None
    with _explained(uri):
        try:
            return _file(place, obstore.head(_store(place), name))
        except (NotFoundError, FileNotFoundError):
            return None


def walk(prefix: str) -> Iterator[CloudFile]:
    """Yield the objects whose URIs start with `prefix`, in the order of their names."""
    import obstore

    place, name = split(prefix)
    folder = name.rpartition("/")[0]  # whole folders are listed
    with _explained(prefix):
        found = [one for part in obstore.list(_store(place), folder or None) for one in part]
    for one in sorted(found, key=lambda one: str(one["path"])):
        if one["path"].startswith(name) and not one["path"].endswith("/"):
            yield _file(place, one)


def folders(prefix: str) -> tuple[list[str], list[CloudFile]]:
    """Return the folders directly below a folder (URIs that end with a slash), and the objects beside them."""
    import obstore

    place, name = split(prefix)
    with _explained(prefix):
        found = obstore.list_with_delimiter(_store(place), name.rstrip("/") or None)
    below = sorted(f"{place}/{one.rstrip('/')}/" for one in found["common_prefixes"])
    return below, [_file(place, one) for one in found["objects"] if not one["path"].endswith("/")]


@lru_cache(64)
def _store(place: str) -> ObjectStore:
    from obstore.store import from_url

    return from_url(place)


def _file(place: str, meta: Any) -> CloudFile:
    tag = meta["e_tag"] or ""
    at = round(meta["last_modified"].timestamp(), 6)
    return CloudFile(f"{place}/{meta['path']}", int(meta["size"]), tag or str(at), at, tag)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    from obstore.exceptions import BaseError, InvalidPathError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError, PermissionError) as error:
        raise StageError(f"cannot read {uri}: {_first(error)}; see the credentials in the environment") from error
    except InvalidPathError as error:
        raise StageError(f"{uri} names no object: {_first(error)}") from error
    except BaseError as error:
        raise UnavailableError(f"cannot read {uri}: {_first(error)}") from error


def _first(error: Exception) -> str:
    """Return the first line of an error, which goes on with the answer's whole text."""
    return str(error).strip().partition("\n")[0][:300]
