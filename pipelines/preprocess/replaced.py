"""Photos of their own that items had, and in whose place they now share one: a host's "no image", as a rule. Pure.

It comes as a sound picture, so that nothing in it tells. What tells is that products which had different photos in the
live release have all at once the very same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.preprocess.meanings import PLACEHOLDER
from pipelines.tables.arrow import flat, index_of

SHARED_BY: Final = 5
"""So many products with one picture, that had so many different ones before."""
MOST: Final = 1000
"""Of the pictures of a bucket, those that came in the place of the most photos are kept."""
HELD: Final = ("item_id", "digest", "code")


@dataclass
class Shared:
    """A picture that `items` have now in the place of a photo, of which `before` are some keys. One item is named."""

    items: int = 0
    before: set[str] = field(default_factory=set)
    example: str = ""

    def add(self, other: Shared) -> None:
        """Add what another bucket holds of the same picture."""
        self.items += other.items
        self.before = {*sorted(self.before | other.before)[:SHARED_BY]}
        self.example = min(filter(None, (self.example, other.example)), default="")


@dataclass
class Replaced:
    """The pictures, by sha256, that came in the place of others, of `had` photos that items of before had."""

    had: int = 0
    pictures: dict[str, Shared] = field(default_factory=dict)

    @classmethod
    def of(cls, photos: pa.Table, before: pa.Table) -> Self:
        """Return those of a bucket of items: its photos (WORKING), and what the live release had of them (HELD)."""
        there = before.filter((pc.field("code") == "") & pc.is_in(pc.field("item_id"), flat(photos["item_id"])))
        found = cls(there.num_rows)
        is_used = pc.is_in(pc.field("code"), pa.array(["", PLACEHOLDER]))
        many = photos.filter((pc.field("products") >= SHARED_BY) & is_used)
        items = pc.unique(many["item_id"])
        if not len(items) or not there.num_rows:
            return found
        old, now = (_digests(table.filter(pc.is_in(table["item_id"], items))) for table in (there, photos))
        for row in _once(many):
            item_id, digest = row["item_id"], row["digest"]
            lost = old.get(item_id, set()) - now[item_id]
            if lost and digest not in old[item_id]:
                keys = {one[:8].hex() for one in sorted(lost)[:SHARED_BY]}
                example = f"{row['image_uri']} of item {item_id!r}"
                found.pictures.setdefault(digest.hex(), Shared()).add(Shared(1, keys, example))
        found._cut()
        return found

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """Return what was kept as JSON."""
        pictures = {name: Shared(**one | {"before": set(one["before"])}) for name, one in kept["pictures"].items()}
        return cls(kept["had"], pictures)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        pictures = {name: vars(one) | {"before": sorted(one.before)} for name, one in self.pictures.items()}
        return {"had": self.had, "pictures": pictures}

    def __add__(self, other: Replaced) -> Replaced:
        both = Replaced(self.had + other.had)
        for part in (self, other):
            for name, one in part.pictures.items():
                both.pictures.setdefault(name, Shared()).add(one)
        return both

    @property
    def told(self) -> list[tuple[str, Shared]]:
        """The pictures in whose place there were enough different ones, the most frequent first."""
        of_many = [(name, one) for name, one in self.pictures.items() if len(one.before) >= SHARED_BY]
        return sorted(of_many, key=lambda pair: (-pair[1].items, pair[0]))

    @property
    def lost(self) -> int:
        """How many photos of before are gone for such pictures."""
        return sum(one.items for _, one in self.told)

    def notes(self) -> Iterator[str]:
        """Yield what people should hear of the pictures."""
        for name, one in self.told[:3]:
            yield (
                f"{one.items} items that had photos of their own now share one (sha256 {name}), such as {one.example}; "
                "if it shows no product, list its sha256 in a file that preprocess.dropped_photos names"
            )

    def _cut(self) -> None:
        most = sorted(self.pictures.items(), key=lambda pair: (-pair[1].items, pair[0]))[:MOST]
        self.pictures = dict(most)


def products_of(photos: pa.Table) -> pa.Array:
    """Return how many products, told by their labels, have each photo; all of a digest are in the table (WORKING)."""
    pairs = photos.select(["digest", "label"]).group_by("digest").aggregate([("label", "count_distinct")])
    at = index_of(photos["digest"], pairs["digest"])
    return flat(pairs["label_count_distinct"]).take(pa.array(at)).cast(pa.int32())


def _once(photos: pa.Table) -> Iterator[dict[str, Any]]:
    """Yield the photos, each once an item."""
    seen: set[tuple[str, bytes]] = set()
    for row in photos.select(["item_id", "digest", "image_uri"]).to_pylist():
        if (pair := (row["item_id"], row["digest"])) not in seen:
            seen.add(pair)
            yield row


def _digests(photos: pa.Table) -> dict[str, set[bytes]]:
    found: dict[str, set[bytes]] = {}
    for item_id, digest in zip(photos["item_id"].to_pylist(), photos["digest"].to_pylist(), strict=True):
        of_item = found.setdefault(item_id, set())
        if digest is not None:
            of_item.add(digest)
    return found
