"""How many of the photos to do are asked for, and where. A pure count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.shop_files.fetch import Fetcher


@dataclass(frozen=True)
class Asked:
    """Photos to do: fetched by address, rechecked (asked only whether they have changed), of kept originals, files."""

    fetched: int = 0
    rechecked: int = 0
    originals: int = 0
    files: int = 0

    @property
    def addresses(self) -> int:
        """How many are asked for at their addresses."""
        return self.fetched + self.rechecked

    def __add__(self, other: Asked) -> Asked:
        return Asked(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return the counts that were kept as JSON."""
        return cls(**kept)

    @classmethod
    def count(cls, todo: pa.Table, fetcher: Fetcher) -> Self:
        """Return how rows to do (TODO) are asked for."""
        originals = len(todo) - todo["original_unit"].null_count
        rest = todo.filter(pc.is_null(todo["original_unit"]))
        far = [fetcher.address(uri) is not None for uri in rest["image_uri"].to_pylist()]
        known = [digest is not None for digest in rest["digest"].to_pylist()]
        rechecked = sum(one and is_known for one, is_known in zip(far, known, strict=True))
        return cls(sum(far) - rechecked, rechecked, originals, len(rest) - sum(far))
