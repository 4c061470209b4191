"""What the curators' log comes to: the decisions that stand, and what they say to those who honour them.

Owns the sums, `curated/sums/<n>.json`: the decisions that stand after entry n.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import BinaryIO, Final

from pipelines.curated.entries import BAD_PHOTO, CATEGORY, NOT_ALIKE, PREFIX, UNDO, Decision, Entry
from pipelines.store import Log, Store, StoreError
from pipelines.store.sums import Sums
from pipelines.tables.apart import Apart

DUE_AT: Final = 100
"""A sum is made when so many entries are behind the last one."""
Path = tuple[str, ...]


@dataclass(frozen=True)
class BadPhotos:
    """Photos that are to teach and show nothing.

    `digests` of whatever items; of single items `of_items` (item id, digest) and `named` (item id, address). A digest
    is 32 bytes.
    """

    digests: frozenset[bytes] = frozenset()
    of_items: frozenset[tuple[str, bytes]] = frozenset()
    named: frozenset[tuple[str, str]] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.digests or self.of_items or self.named)

    def listed(self) -> list[list[str]]:
        """Return what tells one set from another, as JSON values."""
        pairs = [[item_id, digest.hex()] for item_id, digest in sorted(self.of_items)]
        return [sorted(digest.hex() for digest in self.digests), *pairs, *map(list, sorted(self.named))]


@dataclass(frozen=True)
class Curated:
    """The decisions that stand after entry `number` of the log, by their numbers, oldest first.

    `behind` counts the entries behind the newest sum.
    """

    number: int = 0
    standing: Mapping[int, Entry] = field(default_factory=lambda: MappingProxyType({}))
    behind: int = 0

    def newer(self, store: Store) -> Curated:
        """Return what the log says now: this very object where nothing was appended, for one request.

        Raises StoreError for a damaged entry.
        """
        where = f"{store.uri}/{PREFIX}"
        entries = [Entry.of_json(value, f"{where}, number {n},") for n, value in Log(store, PREFIX).after(self.number)]
        return self.after(*entries) if entries else self

    def after(self, *entries: Entry) -> Curated:
        """Return the state after the next entries of the log."""
        standing = dict(self.standing)
        for number, entry in enumerate(entries, self.number + 1):
            if entry.decision.action == UNDO:
                standing.pop(entry.decision.undoes, None)
            elif entry.decision.is_sound:
                standing[number] = entry
        return Curated(self.number + len(entries), MappingProxyType(standing), self.behind + len(entries))

    def standing_as(self, decision: Decision) -> int:
        """Return the number under which a decision stands, or 0; an older category gives way to a newer one."""
        if decision.action == CATEGORY:
            number, path = self.categories.get(decision.item_ids[0], (0, ()))
            return number if path == decision.category else 0
        return next((number for number, entry in self.standing.items() if entry.decision == decision), 0)

    @cached_property
    def apart(self) -> Apart:
        """What is not alike."""
        said = [entry.decision for entry in self.standing.values() if entry.decision.action == NOT_ALIKE]
        pairs = frozenset((one.item_ids[0], one.item_ids[1]) for one in said if len(one.item_ids) == 2)
        return Apart(pairs, frozenset((one.item_ids[0], one.digest) for one in said if len(one.item_ids) == 1))

    @cached_property
    def categories(self) -> Mapping[str, tuple[int, Path]]:
        """The items that are of another category than their feeds say: the number of the newest decision, and that."""
        of = {number: entry.decision for number, entry in self.standing.items()}
        return {one.item_ids[0]: (n, one.category) for n, one in of.items() if one.action == CATEGORY}

    @cached_property
    def bad_photos(self) -> BadPhotos:
        """The photos that are bad. One of which the digest is known is known by that: its address may get a better."""
        said = [entry.decision for entry in self.standing.values() if entry.decision.action == BAD_PHOTO]
        return BadPhotos(
            frozenset(bytes.fromhex(one.digest) for one in said if not one.item_ids),
            frozenset((one.item_ids[0], bytes.fromhex(one.digest)) for one in said if one.item_ids and one.digest),
            frozenset((one.item_ids[0], one.image_uri) for one in said if one.item_ids and not one.digest),
        )

    def as_json(self) -> bytes:
        """Return it as `of_json` reads it."""
        entries = {str(number): entry.as_json() for number, entry in self.standing.items()}
        return json.dumps({"number": self.number, "standing": entries}).encode()

    @classmethod
    def of_json(cls, data: bytes) -> Curated:
        """Read what `as_json` has written. Raises ValueError for what it has not."""
        try:
            value = json.loads(data)
            entries = {int(n): Entry.of_json(one, f"number {n}") for n, one in value["standing"].items()}
            standing = {number: entry for number, entry in entries.items() if entry.decision.is_sound}
            return cls(int(value["number"]), MappingProxyType(standing))
        except (KeyError, TypeError, AttributeError, StoreError) as error:
            raise ValueError(str(error)) from error


NOTHING_CURATED: Final = Curated()


def read_curated(store: Store) -> Curated:
    """Return the decisions that stand now. Raises StoreError for a damaged sum or entry."""
    return _sums(store).newest(_read_sum, NOTHING_CURATED).newer(store)


def sum_up(store: Store, curated: Curated) -> None:
    """Keep a sum, where there is enough behind the last one. Killed here, the next change of the log makes it."""
    if curated.behind >= DUE_AT:
        _sums(store).keep(curated.number, curated.as_json())


def _sums(store: Store) -> Sums:
    return Sums(store, PREFIX, "json")


def _read_sum(_: int, file: BinaryIO) -> Curated:
    return Curated.of_json(file.read())
