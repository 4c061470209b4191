"""Photos that the shop says are none of a product, a list of their digests or looks; and those that curators call bad.

A line is the sha256 of a file (64 hex digits, as `sha256sum` writes it, with or without the name behind it) or a
perceptual hash (16 hex digits), which drops what looks the same. `#` begins a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.config import Config
from pipelines.curated.state import BadPhotos
from pipelines.errors import StageError
from pipelines.preprocess.meanings import BAD_PHOTO, DROPPED
from pipelines.preprocess.resolve import WORKING
from pipelines.tables.arrow import flat
from trainer.files import read_text

_LINE = re.compile(r"([0-9a-fA-F]{64}|[0-9a-fA-F]{16})(?:\s.*)?")


@dataclass(frozen=True)
class DroppedPhotos:
    """The photos that are left out: sha256 digests of files (32 bytes), perceptual hashes (8 bytes)."""

    digests: tuple[bytes, ...] = ()
    looks: tuple[bytes, ...] = ()

    @classmethod
    def read(cls, config: Config) -> DroppedPhotos:
        """Return what the config's list names; nothing where there is none. Raises StageError."""
        named = config.preprocess.dropped_photos
        if named is None:
            return cls()
        path = config.locate(named)
        try:
            lines = read_text(path).splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise StageError(f"preprocess.dropped_photos = {named!r} cannot be read: {error}; correct it") from error
        found: dict[int, list[bytes]] = {32: [], 8: []}
        for number, line in enumerate(lines, 1):
            text = line.partition("#")[0].strip().lstrip("\ufeff\\")
            if not text:
                continue
            match = _LINE.fullmatch(text)
            if match is None:
                raise StageError(
                    f"{Path(path).name}, line {number}: {text[:80]!r} is neither a sha256 (64 hex digits) nor a "
                    "perceptual hash (16); correct it, or write # before it"
                )
            digest = bytes.fromhex(match[1])
            found[len(digest)].append(digest)
        return cls(tuple(sorted({*found[32]})), tuple(sorted({*found[8]})))

    def mark(self, photos: pa.Table) -> pa.Table:
        """Return WORKING rows in which prepared photos of the list are rejects, and link no items any more."""
        if not (self.digests or self.looks):
            return photos
        held = pc.or_(
            pc.is_in(flat(photos["digest"]), value_set=pa.array(self.digests, photos.schema.field("digest").type)),
            pc.is_in(flat(photos["phash"]), value_set=pa.array(self.looks, pa.binary(8))).fill_null(False),
        )
        return _rejected(photos, held, DROPPED)


def mark_bad(photos: pa.Table, bad: BadPhotos) -> pa.Table:
    """Return WORKING rows in which prepared photos that curators call bad are rejects, and link no items any more."""
    if not bad:
        return photos
    columns = (photos[name].to_pylist() for name in ("item_id", "image_uri", "digest"))
    held = [
        digest in bad.digests or (item_id, digest) in bad.of_items or (item_id, uri) in bad.named
        for item_id, uri, digest in zip(*columns, strict=True)
    ]
    return _rejected(photos, pa.array(held, pa.bool_()), BAD_PHOTO)


def _rejected(photos: pa.Table, held: pa.Array, code: str) -> pa.Table:
    found = pc.and_(held, pc.equal(flat(photos["code"]), ""))
    for name, value in (("code", code), ("phash", None)):
        field = WORKING.field(name)
        values = pc.if_else(found, pa.scalar(value, field.type), flat(photos[name]))
        photos = photos.set_column(photos.schema.get_field_index(name), field, values)
    return photos
