"""What is to go: the items, the photos that no other item shows, and what these look like inside of files.

It is found once and kept in the store, `erasures/<name>.json`, until all is done: a command that was killed half-way
could not find it again.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc
from PIL import Image

from pipelines.errors import StageError
from pipelines.store import Store, UnitTable
from pipelines.tables.buckets import read_parquet
from pipelines.tables.schemas import DIGEST
from transforms.phash import phash

PREFIX: Final = "erasures"
PIECE: Final = 256
"""Bytes of the middle of a compressed photo, by which it is known inside of other files."""
DIGITS: Final = re.compile("[0-9a-fA-F]{64}")
TELLING: Final = 16
"""Bytes that no file holds by chance."""
VECTORS, PHOTOS = ("embedding", "hash"), ("image", "original")
"""Columns of units that hold vectors and photos."""


@dataclass(frozen=True)
class Subject:
    """What is erased. `digests` (hex) are photos, `uris` their addresses; photos that are `shared` with others stay.

    `vectors` (hex) are embeddings and hashes as they are stored, `pieces` (hex) parts of original and prepared photos,
    `looks` (hex) the perceptual hashes of prepared ones. `models` could have been trained on the photos.
    """

    item_ids: tuple[str, ...]
    digests: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    vectors: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What tells one erasure from another."""
        return hashlib.sha256("\n".join([*self.item_ids, *self.digests]).encode()).hexdigest()[:16]

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Self:
        """Read what was kept."""
        return cls(**{name: tuple(values) for name, values in kept.items()})


def find(store: Store, item_ids: Sequence[str], photos: Iterable[bytes] = ()) -> Subject:
    """Return all that is known of items: their photos in every catalogue and run, and what was made of these.

    `photos` are digests of others that were theirs, too, of which no table tells that any more.
    """
    ids, named = pa.array(sorted(item_ids), pa.string()), {*photos}
    uris = _found(_photos(store), "item_id", ids, "image_uri") | _found(_sources(store), "digest", named, "image_uri")
    digests = _found(_photos(store), "item_id", ids, "digest") | named
    digests |= _found(_sources(store), "image_uri", uris, "digest")
    kept_uris = _found(_others(store, ids), "image_uri", uris, "image_uri")
    shared = _found(_others(store, ids), "digest", digests, "digest")
    own = sorted(digests - shared)
    subject = Subject(
        tuple(ids.to_pylist()),
        tuple(digest.hex() for digest in own),
        tuple(digest.hex() for digest in sorted(shared)),
        tuple(sorted(uris - kept_uris)),
    )
    return replace(subject, models=tuple(_models(store, own)), **_made_of(store, own))


def keep(store: Store, subject: Subject) -> None:
    """Keep a subject until it is erased."""
    store.create_json(f"{PREFIX}/{subject.name}.json", subject.as_json())


def kept(store: Store) -> list[Subject]:
    """Return what was begun and not finished."""
    names = sorted(entry.name for entry in store.list(PREFIX))
    return [Subject.of_json(store.read_json(name)) for name in names]


def forget(store: Store, subject: Subject) -> None:
    """Remove what was kept of an erasure that is done."""
    store.delete(f"{PREFIX}/{subject.name}.json")


def digests_of(subject: Subject) -> pa.Array:
    """Return the digests as tables hold them."""
    return pa.array([bytes.fromhex(digest) for digest in subject.digests], DIGEST)


def photo_digest(named: str) -> bytes:
    """Return the digest of a photo: of a file, or as 64 hex digits. Raises StageError for what is neither."""
    if DIGITS.fullmatch(named):
        return bytes.fromhex(named)
    try:
        return hashlib.sha256(Path(named).read_bytes()).digest()
    except OSError as error:
        raise StageError(f"{named} is neither a sha256 nor a file that can be read ({error.strerror})") from error


def _photos(store: Store) -> Iterator[pa.Table]:
    """Yield the tables in which items have photos: of catalogues (by address), and of runs (by digest, too)."""
    folders = [f"catalogue/{name}/photos" for name in store.folders("catalogue")]
    folders += [f"runs/{name}/preprocess/photos" for name in store.folders("runs")]
    for folder in folders:
        for entry in store.list(folder):
            table = read_parquet(store, entry.name)
            if "digest" not in table.column_names:
                table = table.append_column("digest", pa.nulls(len(table), DIGEST))
            yield table.select(["item_id", "image_uri", "digest"])


def _others(store: Store, ids: pa.Array) -> Iterator[pa.Table]:
    for table in _photos(store):
        yield table.filter(pc.invert(pc.is_in(table["item_id"], ids)))


def _sources(store: Store) -> Iterator[pa.Table]:
    units = UnitTable(store, "sources")
    yield from (units.read_keys(unit_id) for unit_id in units.unit_ids())


def _found(tables: Iterable[pa.Table], key: str, wanted: Any, column: str) -> set[Any]:
    """Return the values of a column where the key is one of those wanted, an array or a set."""
    found: set[Any] = set()
    for table in tables:
        keys = wanted if isinstance(wanted, pa.Array) else pa.array(sorted(wanted), table.schema.field(key).type)
        found |= {*table.filter(pc.is_in(table[key], keys))[column].to_pylist()}
    return found - {None}


def _models(store: Store, digests: list[bytes]) -> list[str]:
    """Return the models that could be trained on one of the photos."""
    found = []
    for model_id in sorted(set(store.folders("models")) - {"by-key"}):
        tables = (read_parquet(store, entry.name) for entry in store.list(f"models/{model_id}/photos"))
        if _found(tables, "digest", {*digests}, "digest"):
            found.append(model_id)
    return found


def _made_of(store: Store, digests: list[bytes]) -> dict[str, tuple[str, ...]]:
    """Return what photos, vectors and looks are as bytes, but for what others have, too: photos may look the same."""
    wanted = pa.array(digests, DIGEST)
    made: dict[str, set[bytes]] = {"vectors": set(), "pieces": set(), "looks": set()}
    for data in _data(store):
        for row in data.filter(pc.is_in(data["digest"], wanted)).to_pylist():
            _note(row, made)
    for data in _data(store):
        others = data.filter(pc.invert(pc.is_in(data["digest"], wanted)))
        for column in set(others.column_names) & {*VECTORS, *PHOTOS}:
            there = b"\0".join(filter(None, others[column].to_pylist()))
            for values in (made["vectors"], made["pieces"]):
                values -= {value for value in values if value in there}
    return {name: tuple(sorted(value.hex() for value in values)) for name, values in made.items()}


def _data(store: Store) -> Iterator[pa.Table]:
    """Yield the data of all units that are named by digests."""
    for prefix in unit_prefixes(store):
        units = UnitTable(store, prefix)
        for unit_id in units.unit_ids():
            keys = units.read_keys(unit_id)
            if "digest" in keys.column_names and b"data" in (keys.schema.metadata or {}):
                yield units.read_rows(unit_id)


def _note(row: dict[str, Any], made: dict[str, set[bytes]]) -> None:
    made["vectors"] |= {row[name] for name in VECTORS if len(row.get(name) or b"") >= TELLING}
    photos = [row[name] for name in PHOTOS if row.get(name)]
    made["pieces"] |= {photo[len(photo) // 2 :][:PIECE] for photo in photos}
    if row.get("image"):  # as it is seen in pages, in its frame: the hash that is stored is that of the bare photo
        with Image.open(io.BytesIO(row["image"])) as picture:
            made["looks"].add(phash(picture.convert("RGB")))


def unit_prefixes(store: Store) -> list[str]:
    """Return the prefixes of all unit tables."""
    found = ["sources", "splits", "originals", *(f"images/{name}" for name in store.folders("images"))]
    for space in store.folders("embeddings"):
        found += [f"embeddings/{space}/{model}" for model in store.folders(f"embeddings/{space}")]
    return found
