"""What became of photos, and the rows of a unit that say so. A bad photo is a row with a code, not an error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

import pyarrow as pa

from pipelines.tables.schemas import IMAGE_DATA, IMAGE_KEYS, SOURCE_KEYS
from transforms.photo import Prepared

# Rejects by a limit of the config hold for that limit only, so they are kept beside the fingerprint, not the digest.
LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "too_large_bytes": "preprocess.max_bytes",
        "too_many_pixels": "preprocess.max_pixels",
        "too_small": "preprocess.min_side",
    }
)


@dataclass(frozen=True)
class Outcome:
    """What became of one photo: its digest unless it was refused before, and the prepared photo or a code.

    `kept` tells that the bytes are those of an image that is prepared already. `fingerprint` is what is to be
    remembered of the photo, where that is not what the plan says. One that was not `asked` for, since its original was
    kept, says nothing new of its source. `detail` is for people, and stands in no table.
    """

    digest: bytes | None
    prepared: Prepared | None = None
    source_code: str = ""
    code: str = ""
    kept: bool = False
    fingerprint: str | None = None
    asked: bool = True
    detail: str = ""

    @property
    def refusal(self) -> str:
        """The code of what is no photo that can be used, "" of one that is."""
        return self.source_code or self.code


@dataclass(frozen=True)
class UnitTables:
    """The rows that one unit commits."""

    sources: pa.Table
    image_keys: pa.Table
    image_data: pa.Table


def tables_of(uris: Sequence[str], fingerprints: Sequence[str], outcomes: Sequence[Outcome]) -> UnitTables:
    """Return the rows of a unit: a source a uri, an image a distinct digest."""
    asked = [place for place, outcome in enumerate(outcomes) if outcome.asked]
    distinct: dict[bytes, Outcome] = {}
    for outcome in outcomes:
        if outcome.digest is not None and not outcome.kept:
            distinct.setdefault(outcome.digest, outcome)
    good = [(digest, o.prepared) for digest, o in distinct.items() if o.prepared is not None]
    row_of = {digest: row for row, (digest, _) in enumerate(good)}
    sources = {
        "image_uri": [uris[place] for place in asked],
        "fingerprint": [fingerprints[place] for place in asked],
        "fetched_at": [datetime.now(UTC)] * len(asked),
        "digest": [outcomes[place].digest for place in asked],
        "code": [outcomes[place].source_code for place in asked],
        "row": [-1] * len(asked),
    }
    keys = {
        "digest": list(distinct),
        "code": [o.code for o in distinct.values()],
        "row": [row_of.get(digest, -1) for digest in distinct],
        "phash": [o.prepared.phash if o.prepared else None for o in distinct.values()],
    }
    data = {
        "digest": [digest for digest, _ in good],
        "image": [prepared.jpeg for _, prepared in good],
        "width": [prepared.width for _, prepared in good],
        "height": [prepared.height for _, prepared in good],
        "phash": [prepared.phash for _, prepared in good],
    }
    return UnitTables(pa.table(sources, SOURCE_KEYS), pa.table(keys, IMAGE_KEYS), pa.table(data, IMAGE_DATA))
