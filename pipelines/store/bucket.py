"""A store in Google Cloud Storage: created once by `ifGenerationMatch=0`, read with its checksum.

The client sends a request again when its answer was lost, preconditions or not: the second one of a write that was done
fails with 412. Every object carries a random token of its writer, so that a writer knows its own.
"""

from __future__ import annotations

import builtins
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, override

from google.api_core.exceptions import NotFound, PreconditionFailed
from google.cloud.storage import Blob, Bucket

from pipelines.store import gcs
from pipelines.store.base import Entry, NotFoundError, Store, StoreError, UnavailableError, check_name
from pipelines.store.retries import retried

READINGS = 20
"""How often an object is read that others replace meanwhile."""
WRITER = "writer"
"""The key of the token in an object's metadata."""


class BucketStore(Store):
    """A store below a prefix of a bucket: `gs://bucket/prefix`."""

    def __init__(self, uri: str) -> None:
        name, prefix = gcs.split(uri)
        prefix = prefix.rstrip("/")
        if not name:
            raise StoreError(f"store uri {uri!r} names no bucket; write gs://BUCKET/PREFIX")
        if prefix:
            check_name(prefix)
        self._bucket_name, self._prefix = name, f"{prefix}/" if prefix else ""
        self.uri = f"gs://{name}/{prefix}".rstrip("/")

    def __reduce__(self) -> tuple[type[BucketStore], tuple[str]]:
        return BucketStore, (self.uri,)

    @override
    def check(self) -> None:
        """Every bucket will do; what cannot be written is told by the first write."""

    @override
    def read(self, name: str) -> bytes:
        with self.open(name) as stream:
            return stream.read()

    @override
    def open(self, name: str) -> BinaryIO:
        with self._explained(name, "read"):
            return gcs.opened(self._blob(name))

    @override
    def create(self, name: str, data: bytes) -> bool:
        return self._create(name, lambda blob: blob.upload_from_string(data, if_generation_match=0))

    @override
    def create_from(self, name: str, path: Path) -> bool:
        return self._create(name, lambda blob: blob.upload_from_filename(str(path), if_generation_match=0))

    @override
    def put(self, name: str, data: bytes) -> None:
        with self._explained(name, "write"):
            self._blob(name).upload_from_string(data)

    @override
    def swap(self, name: str, expected: bytes | None, data: bytes | None) -> bool:
        held, generation = self._generation_of(name)
        if held != expected:
            return False
        with self._explained(name, "write"):
            try:
                if data is not None:
                    self._blob(name).upload_from_string(data, if_generation_match=generation)
                elif generation:
                    self._blob(name).delete(if_generation_match=generation)
            except PreconditionFailed:
                return data is not None and self._generation_of(name)[0] == data  # our own, whose answer was lost
            except NotFound:  # deleted: by us, whose answer was lost, or by another
                return data is None
        return True

    def _generation_of(self, name: str) -> tuple[bytes | None, int]:
        """Return an object's bytes and their generation, (None, 0) when there is none."""

        def held() -> tuple[bytes | None, int]:
            blob = self._bucket().get_blob(self._prefix + check_name(name))
            if blob is None:
                return None, 0
            with gcs.opened(self._bucket().blob(blob.name, generation=blob.generation)) as stream:
                return stream.read(), int(blob.generation)

        with self._explained(name, "read"):  # not found: replaced between the two requests
            return retried(held, lambda error: isinstance(error, NotFound), times=READINGS, pause_s=0.05)

    @override
    def exists(self, name: str) -> bool:
        with self._explained(name, "look for"):
            return bool(self._blob(name).exists())

    @override
    def list(self, prefix: str) -> Iterator[Entry]:
        with self._explained(prefix, "list"):
            for blob in self._bucket().list_blobs(
                prefix=self._folder(prefix), fields="items(name,size,updated),nextPageToken"
            ):
                if blob.name.endswith("/"):  # a folder that a console has made
                    continue
                yield Entry(blob.name.removeprefix(self._prefix), int(blob.size), blob.updated.timestamp())

    @override
    def folders(self, prefix: str) -> builtins.list[str]:
        folder = self._folder(prefix)
        with self._explained(prefix, "list"):
            found = self._bucket().list_blobs(prefix=folder, delimiter="/", fields="prefixes,nextPageToken")
            for _ in found:  # the folders are known when the last page is read
                pass
            return sorted(name.removeprefix(folder).rstrip("/") for name in found.prefixes)

    @override
    def delete(self, name: str) -> None:
        with self._explained(name, "delete"), suppress(NotFound):
            self._blob(name).delete()

    @override
    @contextmanager
    def stage_in(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="visual-search-") as folder:
            target = Path(folder, name.rsplit("/", 1)[-1])
            names = [entry.name for entry in self.list(name)]
            if not names:
                if not self.exists(name):
                    raise NotFoundError(f"{self.uri} holds no object or folder {name!r}")
                self._download_to(name, target)
            with ThreadPoolExecutor(gcs.THREADS) as pool:
                for _ in pool.map(lambda each: self._download_to(each, target / each.removeprefix(f"{name}/")), names):
                    pass
            yield target

    def _create(self, name: str, upload: Callable[[Blob], None]) -> bool:
        token = uuid.uuid4().hex
        with self._explained(name, "write"):
            blob = self._blob(name)
            blob.metadata = {WRITER: token}
            try:
                upload(blob)
            except (PreconditionFailed, NotFound):  # not found: the session of a large upload, which ended so
                there = self._bucket().get_blob(self._prefix + name)
                if there is None:
                    raise
                return bool((there.metadata or {}).get(WRITER) == token)
        return True

    def _download_to(self, name: str, path: Path) -> None:
        check_name(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file, self._explained(name, "read"):
            gcs.download(self._blob(name), file)

    def _blob(self, name: str) -> Blob:
        return self._bucket().blob(self._prefix + check_name(name))

    def _bucket(self) -> Bucket:
        return gcs.client().bucket(self._bucket_name)

    def _folder(self, prefix: str) -> str:
        return f"{self._prefix}{check_name(prefix)}/" if prefix else self._prefix

    @contextmanager
    def _explained(self, name: str, what: str) -> Iterator[None]:
        try:
            yield
        except NotFound as error:
            if what == "write":
                raise StoreError(f"there is no bucket {self._bucket_name!r}; create it or correct store.uri") from error
            raise NotFoundError(f"{self.uri} holds no object {name!r}") from error
        except gcs.FAILURES as error:
            kind = UnavailableError if gcs.may_pass(error) else StoreError
            raise kind(f"cannot {what} {self.uri}/{name}: {gcs.advice(error)}") from error
