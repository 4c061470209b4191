"""Google Cloud Storage, as the store and a shop's own files share it: one client a process, reads that are verified.

Knows neither stores nor feeds; who asks says in its own words what could not be done, with `advice`.
"""

from __future__ import annotations

import tempfile
from functools import cache
from typing import BinaryIO, cast

from google.api_core.exceptions import ClientError, Forbidden, GoogleAPIError, TooManyRequests, Unauthorized
from google.auth.exceptions import GoogleAuthError, TransportError
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from requests.exceptions import ChunkedEncodingError, RequestException

from pipelines.store.retries import retried
from trainer.files import SCHEME

SPOOLED_BYTES = 8 << 20
"""What a smaller object takes of memory; a larger one is on the disk."""
READS = 3
"""How often an object is read whose bytes do not match their checksum."""
PATIENCE_S = 120.0
"""How long an answer that breaks off is asked for again: so long the client asks for an object, but for no refusal."""
THREADS = 8
"""How many objects are asked for at once: no more than the client keeps connections for."""


class UnverifiedError(Exception):
    """An object came without a checksum, so that nothing can vouch for its bytes."""


FAILURES = (GoogleAPIError, GoogleAuthError, RequestException, DataCorruption, InvalidResponse, UnverifiedError)
"""What a call may raise when the service, the way to it or the credentials fail."""


@cache
def client() -> Client:
    """Return this process's client; the credentials are those of the environment."""
    return Client(project=None)  # objects are found by their bucket's name alone


def split(uri: str) -> tuple[str, str]:
    """Return the bucket and the name of `gs://bucket/name`; either may be empty."""
    bucket, _, name = uri.removeprefix(SCHEME).partition("/")
    return bucket, name


def download(blob: Blob, stream: BinaryIO) -> None:
    """Write a whole object into a stream and stand at its start. Raises FAILURES; the stream is then of no use."""

    def read() -> None:
        stream.seek(0)
        stream.truncate()
        blob.download_to_file(stream, checksum="crc32c")

    def read_whole() -> None:
        retried(read, lambda error: isinstance(error, DataCorruption), times=READS)

    retried(read_whole, lambda error: isinstance(error, ChunkedEncodingError), within_s=PATIENCE_S)
    if blob.crc32c is None:
        raise UnverifiedError("it came without its CRC32C; nothing can vouch for its bytes")
    stream.seek(0)


def opened(blob: Blob) -> BinaryIO:
    """Return a whole object, verified, in a temporary file that goes when it is closed. Raises FAILURES."""
    stream = cast(BinaryIO, tempfile.SpooledTemporaryFile(SPOOLED_BYTES))  # noqa: SIM115 - the caller closes it
    try:
        download(blob, stream)
    except BaseException:
        stream.close()
        raise
    return stream


def may_pass(error: Exception) -> bool:
    """Tell whether one of FAILURES may be of the moment, so that nobody need do anything but try again."""
    if isinstance(error, GoogleAuthError):  # the way to who gives credentials may be cut, as any other
        return isinstance(error, TransportError) or bool(error.retryable)
    return not isinstance(error, ClientError | DataCorruption) or isinstance(error, TooManyRequests)


def advice(error: Exception) -> str:
    """Return what failed, and what a person can do about it."""
    if isinstance(error, GoogleAuthError | Unauthorized):
        return f"{error}; log in with `gcloud auth application-default login`, or give the worker a service account"
    if isinstance(error, Forbidden):
        return f"{error}; give this account roles/storage.objectUser on the bucket"
    if isinstance(error, DataCorruption):
        return f"its bytes do not match their checksum, read {READS} times; try again, and restore it if this remains"
    return f"{error}; run again, what was done stays done"
