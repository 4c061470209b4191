"""New addresses that differ from those of before in their queries alone: hardly new photos. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

import pyarrow as pa

from pipelines.shop_files.web.identity import differing, stem

TOLD_FROM: Final = 0.5
"""Of all photos of a catalogue: some are changed each day, and have another version in their query."""


@dataclass(frozen=True)
class Requeried:
    """How many of `wanted` photos are `new`, and how many of these differ `behind` the question mark alone.

    One of these is named, with the parameters in which it differs.
    """

    wanted: int = 0
    new: int = 0
    behind: int = 0
    example: str = ""
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, new: Sequence[str], known: pa.ChunkedArray, wanted: int) -> Self:
        """Return the counts of a bucket in which all uris of a stem are; `known` were asked for before."""
        asked = [uri for uri in new if "?" in uri]
        stems = {stem(uri) for uri in asked}
        before = {stem(uri): uri for uri in known.to_pylist() if stem(uri) in stems} if stems else {}
        behind = [uri for uri in asked if stem(uri) in before]
        example = min(behind, default="")
        names = tuple(differing(example, [before[stem(example)]])) if example else ()
        return cls(wanted, len(new), len(behind), example, names)

    def __add__(self, other: Requeried) -> Requeried:
        named = min((one for one in (self, other) if one.example), key=lambda one: one.example, default=self)
        return Requeried(
            self.wanted + other.wanted, self.new + other.new, self.behind + other.behind, named.example, named.names
        )

    def as_json(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return asdict(self)

    @classmethod
    def of_json(cls, kept: dict[str, Any]) -> Self:
        """Return the counts that were kept as JSON."""
        return cls(**kept | {"names": tuple(kept["names"])})

    def notes(self) -> list[str]:
        """Return what people should hear: that all is fetched again, and what would spare it."""
        if self.behind <= TOLD_FROM * self.wanted:
            return []
        ignored = ", ".join(f'"{name}"' for name in self.names)
        return [
            f"{self.behind} of {self.new} new addresses differ from those of before behind `?` alone, as "
            f"{stem(self.example)}, in {ignored}; each is asked for again: where that does not say which photo it is, "
            f"set fetch.ignored_query = [{ignored}]"
        ]
