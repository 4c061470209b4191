"""A shop's own files, by path or by `gs://bucket/name`: what is there, what tells that it changed, its bytes.

An object is read with its checksum, and as it was when it was found: one that is replaced meanwhile is an error, never
a mixture. A service that cannot be asked is an error too, for it says nothing of what is there: UnavailableError where
the same may succeed later, on a worker too.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from pipelines.errors import StageError
from pipelines.store import Store, UnavailableError
from trainer.files import SCHEME, in_bucket

if TYPE_CHECKING:
    from google.cloud.storage import Blob

_WILDCARD = re.compile(r"[*?[]")
_FIELDS = "items(name,size,generation,updated,md5Hash,crc32c)"


@dataclass(frozen=True)
class ObjectFile:
    """An object as it was when it was found; what is asked of it is named as `pathlib.Path` names it.

    `checksum` is that of its bytes. Of an object that was composed of others it holds the generation too.
    """

    uri: str
    size_bytes: int
    generation: int
    checksum: str
    modified_at: float

    @property
    def name(self) -> str:
        """The last part of its name."""
        return PurePosixPath(self.uri).name

    @property
    def suffix(self) -> str:
        """The last ending of its name, with its dot."""
        return PurePosixPath(self.uri).suffix

    @property
    def suffixes(self) -> list[str]:
        """The endings of its name."""
        return PurePosixPath(self.uri).suffixes

    def __str__(self) -> str:
        return self.uri

    def open(self, mode: str = "rb") -> BinaryIO:
        """Return its bytes, verified, in a temporary file that goes when it is closed.

        Raises UnavailableError or StageError when they cannot be had.
        """
        if mode != "rb":
            raise ValueError(f"mode {mode!r}: an object is read as bytes, 'rb'")
        from google.api_core.exceptions import NotFound

        from pipelines.store import gcs

        bucket, name = gcs.split(self.uri)
        with _explained(self.uri):
            try:
                return gcs.opened(gcs.client().bucket(bucket).blob(name, generation=self.generation))
            except NotFound as error:
                raise StageError(f"{self.uri} was replaced or deleted while it was read; run again") from error


@dataclass(frozen=True)
class KeptFile:
    """A file behind an address, as it was fetched into the store; asked as `ObjectFile` is.

    `path` names this content of it: it is another one once the content is, and sorts behind the one before.
    """

    uri: str
    path: str
    store: Store
    object: str
    size_bytes: int
    checksum: str
    modified_at: float

    @property
    def name(self) -> str:
        """The last part of its name."""
        return PurePosixPath(self.path).name

    @property
    def suffix(self) -> str:
        """The last ending of its name, with its dot."""
        return PurePosixPath(self.path).suffix

    @property
    def suffixes(self) -> list[str]:
        """The endings of its name."""
        return PurePosixPath(self.path).suffixes

    def __str__(self) -> str:
        return self.uri

    def open(self, mode: str = "rb") -> BinaryIO:
        """Return its bytes. Raises StoreError."""
        if mode != "rb":
            raise ValueError(f"mode {mode!r}: a file is read as bytes, 'rb'")
        return self.store.open(self.object)


File = Path | ObjectFile | KeptFile
"""A file that is there."""


def divide(pattern: str) -> tuple[str, str]:
    """Return the folder that a path or a `gs://` URI with `*`, `?` and `[…]` starts from, "" for none, and the rest."""
    fixed = _WILDCARD.split(pattern, maxsplit=1)[0]
    folder, slash, _ = fixed.rpartition("/")
    return folder or slash, pattern[len(folder) + len(slash) :]


def find(folder: str, pattern: str) -> list[tuple[str, File]]:
    """Return the files below a folder, or a `gs://` URI of one, that a pattern names, by their paths below it."""
    if not in_bucket(folder):
        literal = [pattern] if Path(folder, pattern).exists() else []
        return [(path, Path(folder, path)) for path in literal or sorted(glob.glob(pattern, root_dir=folder))]
    start = f"{folder.rstrip('/')}/"
    wanted = str(_path(start + pattern))
    found = walk(start + _WILDCARD.split(pattern, maxsplit=1)[0])
    return [(file.uri.removeprefix(start), file) for file in found if _path(file.uri).match(wanted)]


def look(uri: str) -> ObjectFile | None:
    """Return the object of a `gs://` URI, or None when there is none.

    Raises UnavailableError or StageError when it cannot be asked for.
    """
    from pipelines.store import gcs

    bucket, name = gcs.split(uri)
    if not name:
        return None
    with _explained(uri):
        blob = gcs.client().bucket(bucket).get_blob(name)
    return _file(bucket, blob) if blob else None


def walk(prefix: str) -> Iterator[ObjectFile]:
    """Yield the objects whose URIs start with `prefix`, in the order of their names."""
    from pipelines.store import gcs

    bucket, name = gcs.split(prefix)
    with _explained(prefix):
        for blob in gcs.client().list_blobs(bucket, prefix=name or None, fields=f"{_FIELDS},nextPageToken"):
            if not blob.name.endswith("/"):  # a folder that a console has made
                yield _file(bucket, blob)


def folders(prefix: str) -> tuple[list[str], list[ObjectFile]]:
    """Return the folders directly below a `gs://` folder (URIs that end with a slash), and the objects beside them."""
    from pipelines.store import gcs

    bucket, name = gcs.split(prefix)
    with _explained(prefix):
        fields = f"prefixes,{_FIELDS},nextPageToken"
        listed = gcs.client().list_blobs(bucket, prefix=name or None, delimiter="/", fields=fields)
        files = [_file(bucket, blob) for blob in listed if not blob.name.endswith("/")]
        return sorted(f"{SCHEME}{bucket}/{folder}" for folder in listed.prefixes), files


def _path(uri: str) -> PurePosixPath:
    return PurePosixPath("/", uri.removeprefix(SCHEME))


def _file(bucket: str, blob: Blob) -> ObjectFile:
    checksum = f"md5 {blob.md5_hash}" if blob.md5_hash else f"crc32c {blob.crc32c} {blob.generation}"
    uri, modified_at = f"{SCHEME}{bucket}/{blob.name}", round(blob.updated.timestamp(), 6)
    return ObjectFile(uri, int(blob.size), int(blob.generation), checksum, modified_at)


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    from google.api_core.exceptions import NotFound

    from pipelines.store import gcs

    try:
        yield
    except NotFound as error:  # an object that is not there is None, so it is the bucket
        raise StageError(f"{uri}: there is no bucket {gcs.split(uri)[0]!r}; correct the URI") from error
    except gcs.FAILURES as error:
        kind = UnavailableError if gcs.may_pass(error) else StageError
        raise kind(f"cannot read {uri}: {gcs.advice(error)}") from error
