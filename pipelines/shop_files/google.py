"""A shop's own files in Google Cloud Storage: what is there, what tells that it changed, its bytes.

An object is read with its checksum, and as it was when it was found: one that is replaced meanwhile is an error, never
a mixture.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, override

from pipelines.errors import StageError
from pipelines.shop_files.files import RemoteFile
from pipelines.store import UnavailableError
from trainer.files import SCHEME

if TYPE_CHECKING:
    from google.cloud.storage import Blob

_FIELDS = "items(name,size,generation,updated,md5Hash,crc32c)"


@dataclass(frozen=True)
class ObjectFile(RemoteFile):
    """An object as it was when it was found. The checksum of one that was composed of others holds the generation."""

    generation: int

    @property
    @override
    def fingerprint(self) -> str:
        return f"{self.size_bytes}-{self.generation}"

    @override
    def _opened(self) -> BinaryIO:
        """Return its bytes, verified, in a temporary file that goes when it is closed."""
        from google.api_core.exceptions import NotFound

        from pipelines.store import gcs

        bucket, name = gcs.split(self.uri)
        with _explained(self.uri):
            try:
                return gcs.opened(gcs.client().bucket(bucket).blob(name, generation=self.generation))
            except NotFound as error:
                raise StageError(f"{self.uri} was replaced or deleted while it was read; run again") from error


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


def _file(bucket: str, blob: Blob) -> ObjectFile:
    checksum = f"md5 {blob.md5_hash}" if blob.md5_hash else f"crc32c {blob.crc32c} {blob.generation}"
    uri, modified_at = f"{SCHEME}{bucket}/{blob.name}", round(blob.updated.timestamp(), 6)
    return ObjectFile(uri, int(blob.size), checksum, modified_at, int(blob.generation))


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
