"""The columns of an export; docs/export.md says what each holds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import pyarrow as pa

from pipelines.tables.schemas import ITEMS

METRIC: Final = "inner product of L2-normalised vectors, which is their cosine"

OUT_ITEMS = pa.schema(
    [*ITEMS, ("image_uri", pa.string()), ("photos", pa.int32()), ("not_alike", pa.list_(pa.string()))]
)
"""The catalogue's items; `image_uri` is the first photo that has a vector, `photos` how many have one.

`not_alike` are the items that curators let no search show for it.
"""


def vectors_schema(dim: int) -> pa.Schema:
    """Return the schema of vectors: one row an item and photo of it, `embedding` float32 `[dim]`, L2-normalised."""
    number = pa.field("element", pa.float32(), nullable=False)
    return pa.schema(
        [
            ("item_id", pa.string()),
            ("photo", pa.string()),
            ("image_uri", pa.string()),
            ("position", pa.int32()),
            ("embedding", pa.list_(number, dim)),
        ]
    )


def hashes_schema(bits: int) -> pa.Schema:
    """Return the schema of hashes: one row a photo, `hash` as `bits` packed, eight to a byte, the first the highest."""
    return pa.schema([("photo", pa.string()), ("hash", pa.binary(bits // 8))])


@dataclass(frozen=True)
class About:
    """What is exported: a release, what made its vectors, and their sizes.

    `dim` is that of an embedding, `bits` that of a hash; `attributes` are those that the index is ranked by; `hidden`
    tells which items were left out from others, "" where none was; `apart` the same of pairs that are not alike.
    """

    release_id: str
    created_at: str
    model_id: str
    space_id: str
    index_id: str
    catalogue_id: str
    dim: int
    bits: int
    attributes: tuple[str, ...] = ()
    hidden: str = ""
    apart: str = ""

    @property
    def name(self) -> str:
        """What tells this from other exports: of the same release too, once others are hidden or not alike."""
        return "-".join(filter(None, (self.release_id, self.hidden, self.apart)))

    def as_json(self) -> dict[str, Any]:
        """Return the release as it stands in an export's manifest; what was left out of it stands beside."""
        told = asdict(self) | {"attributes": list(self.attributes)}
        del told["hidden"], told["apart"]
        return told
