"""The items of the catalogue: which leaf, which look, which words and numbers, all from (seed, index).

Owns the plan; draws no pixel and writes no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from pipelines.demo.palette import (
    COLOUR_WEIGHTS,
    COLOURS,
    PATTERN_WEIGHTS,
    PATTERNS,
    SHAPE_WEIGHTS,
    SHAPES,
    Look,
)
from pipelines.demo.sketch import Variant
from pipelines.demo.taxonomy import Leaf
from pipelines.demo.views import Product

NEW_YEAR: Final = datetime(2026, 1, 1, tzinfo=UTC)
_PHOTO_COUNTS: Final = (0.34, 0.36, 0.2, 0.1)
_VARIANT_COUNTS: Final = (0.55, 0.27, 0.18)
_SYLLABLES: Final = tuple("bacedifoguhakilomunaperisotuvawexiyozaorelanimus"[k : k + 2] for k in range(0, 48, 2))
_PLAIN_MATERIALS: Final = frozenset({"wood", "marble", "metal", "steel", "aluminium", "straw", "terracotta"})


@dataclass(frozen=True, slots=True)
class Item:
    """One row of the feed: a variant of a product, with its photos' number and everything that the feed says of it."""

    index: int
    sku: str
    parent_sku: str
    name: str
    leaf: Leaf
    product: Product
    price: float
    sales: int
    rating: float
    updated: datetime
    photos: int


def stream(seed: int, *path: int) -> np.random.Generator:
    """Return the generator of one thing of one catalogue, whatever process asks and in whatever order."""
    return np.random.default_rng([seed, *path])


def make_items(leaves: Sequence[Leaf], counts: Sequence[int], seed: int, max_photos: int = 4) -> list[Item]:
    """Return the items of all leaves: a leaf's products one after the other, a product's variants together."""
    items: list[Item] = []
    number = 0
    for leaf, count in zip(leaves, counts, strict=True):
        left = count
        while left:
            made = _variants(leaf, number, len(items), left, seed, max_photos)
            items += made
            left -= len(made)
            number += 1
    return items


def _variants(leaf: Leaf, number: int, first: int, room: int, seed: int, max_photos: int) -> list[Item]:
    """Return the variants of product `number`, at most `room`: equal but for colour, price and sales."""
    rng = stream(seed, 1, number)
    wanted = min(room, 1 + int(rng.choice(3, p=_VARIANT_COUNTS)))
    labels = {**{a.name: list(a.values)[int(rng.integers(len(a.values)))] for a in leaf.archetype.axes}, **leaf.fixed}
    variant = Variant({a.name: a.values[labels[a.name]] for a in leaf.archetype.axes}, float(rng.uniform(-1, 1)))
    shape = str(rng.choice(list(SHAPES), p=_share(SHAPE_WEIGHTS)))
    material = str(rng.choice(leaf.archetype.materials))
    pattern = (
        "solid"
        if material in _PLAIN_MATERIALS and rng.random() < 0.7
        else str(rng.choice(PATTERNS, p=_share(PATTERN_WEIGHTS)))
    )
    colours = [str(c) for c in rng.choice(list(COLOURS), 2 * wanted, replace=False, p=_share(COLOUR_WEIGHTS))]
    size, turn, fitting = (
        float(rng.uniform(0.75, 1.35)),
        float(rng.choice([0.0, 0.0, 0.0, 90.0, 45.0])),
        int(rng.integers(60)),
    )
    low, high = leaf.archetype.price
    price = low * (high / low) ** float(rng.random())
    model, rating = model_name(number), float(np.clip(rng.normal(4.1, 0.5), 1.0, 5.0))
    made = []
    for k in range(wanted):
        look = Look(colours[2 * k], colours[2 * k + 1], pattern, material, size, turn, fitting)
        made.append(
            Item(
                index=first + k,
                sku=f"S{first + k:07d}",
                parent_sku=f"P{number:07d}",
                name=title(model, look, leaf),
                leaf=leaf,
                product=Product(leaf.archetype, variant, look, shape),
                price=round(price * float(rng.uniform(0.92, 1.08)), 2),
                sales=int(rng.lognormal(3.0, 1.5)),
                rating=round(rating, 1),
                updated=NEW_YEAR + timedelta(seconds=int(rng.integers(90 * 86400))),
                photos=min(max_photos, 1 + int(rng.choice(4, p=_PHOTO_COUNTS))),
            )
        )
    return made


def model_name(number: int) -> str:
    """Return a made-up word that no other product has."""
    word = ""
    left = number + len(_SYLLABLES) ** 2
    while left:
        left, digit = divmod(left, len(_SYLLABLES))
        word = _SYLLABLES[digit] + word
    return word.capitalize()


def title(model: str, look: Look, leaf: Leaf) -> str:
    """Return the name that a shop would give, such as 'Bacedi striped wool sweaters, navy and red'."""
    pattern = "" if look.pattern == "solid" else f"{look.pattern} "
    colours = look.colour if look.pattern == "solid" else f"{look.colour} and {look.second}"
    return f"{model} {pattern}{look.material} {leaf.archetype.name.lower()}, {colours}"


def _share(weights: Sequence[float]) -> np.ndarray:
    values = np.asarray(weights, dtype=np.float64)
    return values / values.sum()
