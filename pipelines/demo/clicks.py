"""A click log with known truth: what shoppers who searched by a street photo were shown, and what they clicked.

A position model: a place is looked at less the lower it is, and what is looked at is clicked if it is relevant.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from pipelines.demo.items import Item

PLACES: Final = 10
_CLICK_IF_RELEVANT: Final = 0.7
_CLICK_OTHERWISE: Final = 0.06


class Impression(NamedTuple):
    """One result that was shown: for which query, at which place from 1, if clicked, if truly relevant."""

    query: str
    image: str
    sku: str
    position: int
    clicked: bool
    relevant: bool


def impressions(
    streets: Sequence[tuple[Item, str]], items: Sequence[Item], rng: np.random.Generator
) -> Iterator[Impression]:
    """Yield ten results for every street photo `(item, file)`.

    Relevant are the item, its variants, and what is of its leaf and colour.
    """
    by_leaf: dict[tuple[str, ...], list[Item]] = {}
    for item in items:
        by_leaf.setdefault(item.leaf.path, []).append(item)
    for number, (asked, image) in enumerate(streets):
        shown = _shown(asked, by_leaf, items, rng)
        looked = rng.random(len(shown)) < 1.0 / np.arange(1, len(shown) + 1) ** 0.6
        luck = rng.random(len(shown))
        for place, item in enumerate(shown):
            relevant = is_relevant(asked, item)
            clicked = bool(looked[place] and luck[place] < (_CLICK_IF_RELEVANT if relevant else _CLICK_OTHERWISE))
            yield Impression(f"Q{number:07d}", image, item.sku, place + 1, clicked, relevant)


def is_relevant(asked: Item, shown: Item) -> bool:
    """Say if a shopper who photographed `asked` would be glad of `shown`."""
    same_leaf = asked.leaf.path == shown.leaf.path and asked.product.look.colour == shown.product.look.colour
    return asked.sku == shown.sku or asked.parent_sku == shown.parent_sku or same_leaf


def _shown(
    asked: Item, by_leaf: Mapping[tuple[str, ...], Sequence[Item]], items: Sequence[Item], rng: np.random.Generator
) -> list[Item]:
    """Return at most ten different items, those of the asked leaf more likely in front."""
    near = by_leaf[asked.leaf.path]
    some = [near[int(k)] for k in rng.permutation(len(near))[: PLACES - 3]]
    others = [items[int(k)] for k in rng.integers(len(items), size=PLACES)]
    chosen = list({item.sku: item for item in (asked, *some, *others)}.values())[:PLACES]
    score = rng.random(len(chosen)) + np.array([0.5 * is_relevant(asked, item) for item in chosen])
    return [chosen[int(k)] for k in np.argsort(-score, kind="stable")]
