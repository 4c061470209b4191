"""What becomes of each item: sound, sold again under another name, spoilt, or photographed in an odd format.

Owns who is chosen; how things are spoilt is in `poison`, `rows` and `honest`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Final, Literal

from pipelines.demo.honest import ODD_KINDS
from pipelines.demo.items import Item, stream
from pipelines.demo.poison import PHOTO_CODES
from pipelines.demo.rows import BAD_ROWS

Trouble = Literal["bad_photo", "bad_row", "odd_photo", "exact_copy", "near_copy"]
# Bad photos and bad rows take turns, so that few items still show many kinds of both.
_KINDS: Final[tuple[tuple[Trouble, str], ...]] = tuple(
    pair
    for pairs in zip_longest((("bad_photo", kind) for kind in PHOTO_CODES), (("bad_row", kind) for kind in BAD_ROWS))
    for pair in pairs
    if pair
)
POISON_KINDS: Final = tuple(kind for _, kind in _KINDS)


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of all items, 0 to 1: spoilt, odd in format, exact and near copies of others, seen in the street."""

    poison: float = 0.03
    odd: float = 0.04
    exact: float = 0.01
    near: float = 0.01
    street: float = 0.6

    def __post_init__(self) -> None:
        for name in ("poison", "odd", "exact", "near", "street"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f"{name}={value}: a share lies between 0 and 1")
        if self.poison + self.odd + 2 * (self.exact + self.near) > 0.9:
            raise ValueError(
                "the shares of poison, odd and copied items leave hardly a sound item; lower them to .9 together"
            )


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of an item; `source` is the index of the item that a copy shows."""

    trouble: Trouble
    kind: str = ""
    source: int = -1


def assign(items: Sequence[Item], shares: Shares, seed: int) -> dict[int, Fate]:
    """Return the fates of the items that are not plain, by index.

    Every kind of poison and of odd photo is there once at least, while that takes no more than a third of the items.
    No item has two fates, and no leaf loses its last sound item while others can be taken.
    """
    order = [int(number) for number in stream(seed, 2).permutation(len(items))]
    sound = Counter(item.leaf.path for item in items)
    fates: dict[int, Fate] = {}
    _assign_poison(items, order, sound, fates, _at_least_once(shares.poison, len(items), len(_KINDS)))
    odd = _at_least_once(shares.odd, len(items), len(ODD_KINDS))
    kinds = list(ODD_KINDS)
    for number, index in enumerate([i for i in order if i not in fates][:odd]):
        fates[index] = Fate("odd_photo", kinds[number % len(kinds)])
    _assign_copies(items, order, fates, {"exact_copy": shares.exact, "near_copy": shares.near})
    return fates


def _at_least_once(share: float, items: int, kinds: int) -> int:
    return min(max(round(share * items), kinds), items // 3) if share > 0 else 0


def _assign_poison(
    items: Sequence[Item], order: list[int], sound: Counter[tuple[str, ...]], fates: dict[int, Fate], count: int
) -> None:
    for spare in (True, False):
        for index in order:
            if len(fates) == count:
                return
            path = items[index].leaf.path
            if index in fates or (spare and sound[path] < 2):
                continue
            sound[path] -= 1
            trouble, kind = _KINDS[len(fates) % len(_KINDS)]
            fates[index] = Fate(trouble, kind)


def _assign_copies(
    items: Sequence[Item], order: list[int], fates: dict[int, Fate], shares: dict[Trouble, float]
) -> None:
    """Let items become copies of other items of their leaf; a source is copied once, and stays as it is."""
    by_leaf: dict[tuple[str, ...], list[int]] = {}
    for index in order:
        if index not in fates:
            by_leaf.setdefault(items[index].leaf.path, []).append(index)
    pairs = iter(
        [(left, right) for free in by_leaf.values() for left, right in zip(free[::2], free[1::2], strict=False)]
    )
    for trouble, share in shares.items():
        wanted = max(2, round(share * len(items))) if share > 0 else 0
        for (source, copy), _ in zip(pairs, range(wanted), strict=False):
            fates[copy] = Fate(trouble, source=source)


def as_sold_again(item: Item, source: Item) -> Item:
    """Return `item` as another seller's listing of `source`: same product and photos, own id, words and price."""
    return replace(
        item,
        parent_sku=f"R{item.index:07d}",
        name=f"{source.name}, from another seller {item.index}",
        product=source.product,
        photos=source.photos,
    )


def apply_copies(items: list[Item], fates: dict[int, Fate]) -> list[Item]:
    """Return the items, those that are copies changed to show their source."""
    return [
        as_sold_again(item, items[fate.source]) if (fate := fates.get(item.index)) and fate.source >= 0 else item
        for item in items
    ]
