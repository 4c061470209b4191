"""Opening a store: the URI's scheme, and `format.json`, which fixes the layout version and the number of buckets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipelines.config.places import without_scheme
from pipelines.store.base import NotFoundError, Store, StoreError
from pipelines.store.folder import FolderStore
from trainer.files import in_bucket

FORMAT = 1
FORMAT_NAME = "format.json"


@dataclass(frozen=True)
class StoreFormat:
    """What `format.json` fixes for the life of a store."""

    format: int
    buckets: int


def open_store(uri: str) -> Store:
    """Return the store at a folder path or `gs://bucket/prefix`, which may be new.

    Raises StoreError for a scheme that is not known, and for a store of a format that this version does not read.
    """
    store = _store_at(uri)
    if store.exists(FORMAT_NAME):
        read_format(store)
    return store


def initialise(store: Store, buckets: int) -> StoreFormat:
    """Create `format.json` in a new store, or check an existing one; the buckets of the first call are kept."""
    if not store.exists(FORMAT_NAME):
        store.create_json(FORMAT_NAME, {"format": FORMAT, "buckets": buckets})
    return read_format(store)


def read_format(store: Store) -> StoreFormat:
    """Return the store's format. Raises StoreError when there is none, or it is newer than this version knows."""
    try:
        value = store.read_json(FORMAT_NAME)
    except NotFoundError as error:
        raise StoreError(
            f"{store.uri} is not a store yet; run the catalogue stage to create it, or ask the sample of `run --limit` "
            "with --sample"
        ) from error
    if not isinstance(value, dict) or not all(isinstance(value.get(k), int) for k in ("format", "buckets")):
        raise StoreError(f"{store.uri}/{FORMAT_NAME} holds {value!r}; expected integers 'format' and 'buckets'")
    if value["format"] != FORMAT:
        raise StoreError(
            f"{store.uri} has format {value['format']}, this version reads format {FORMAT}; upgrade visual-search"
        )
    return StoreFormat(value["format"], value["buckets"])


def _store_at(uri: str) -> Store:
    try:
        place = without_scheme(uri)
    except ValueError as error:
        raise StoreError(f"store uri {uri!r} {error}") from error
    if not in_bucket(place):
        return FolderStore(Path(place))
    from pipelines.store.bucket import BucketStore

    return BucketStore(place)
