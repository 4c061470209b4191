"""What must not be shown for one another, though it looks alike: people have said so."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

Pair = tuple[str, str]


@dataclass(frozen=True)
class Apart:
    """Pairs of items, the smaller id first; and of an item and a photo, by its sha256 in hex."""

    items: frozenset[Pair] = frozenset()
    photos: frozenset[Pair] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.items or self.photos)

    @cached_property
    def partners(self) -> Mapping[str, frozenset[str]]:
        """The items that each item of a pair must not be shown for."""
        found: dict[str, set[str]] = defaultdict(set)
        for one, other in self.items:
            found[one].add(other)
            found[other].add(one)
        return {item_id: frozenset(others) for item_id, others in found.items()}

    @property
    def checksum(self) -> str:
        """What tells one set of pairs from another, "" for none."""
        value = json.dumps([sorted(self.items), sorted(self.photos)])
        return hashlib.sha256(value.encode()).hexdigest()[:16] if self else ""


NOTHING_APART = Apart()
