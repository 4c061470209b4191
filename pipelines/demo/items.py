"""The items of the catalogue: which leaf, which look, which words and numbers, all from (seed, index).

Owns the plan; draws no pixel and writes no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
_TURNS: Final = (0.0, 0.0, 0.0, 90.0, 45.0)
_COLOUR_NAMES: Final = tuple(COLOURS)
_SHAPE_NAMES: Final = tuple(SHAPES)
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
    wanted = min(room, 1 + _weighted(rng, _VARIANT_COUNTS))
    product, colours = _design(leaf, wanted, rng)
    low, high = leaf.archetype.price
    price = low * (high / low) ** float(rng.random())
    model, rating = model_name(number), min(5.0, max(1.0, float(rng.normal(4.1, 0.5))))
    made = []
    for k, (colour, second) in enumerate(colours):
        look = replace(product.look, colour=colour, second=second)
        made.append(
            Item(
                index=first + k,
                sku=f"S{first + k:07d}",
                parent_sku=f"P{number:07d}",
                name=title(model, look, leaf),
                leaf=leaf,
                product=replace(product, look=look),
                price=round(price * float(rng.uniform(0.92, 1.08)), 2),
                sales=int(rng.lognormal(3.0, 1.5)),
                rating=round(rating, 1),
                updated=NEW_YEAR + timedelta(seconds=int(rng.integers(90 * 86400))),
                photos=min(max_photos, 1 + _weighted(rng, _PHOTO_COUNTS)),
            )
        )
    return made


def _design(leaf: Leaf, variants: int, rng: np.random.Generator) -> tuple[Product, list[tuple[str, str]]]:
    """Return a product somewhere in its leaf, and the (first, second) colours of its variants, all different."""
    archetype = leaf.archetype
    labels = {axis.name: list(axis.values)[_one_of(rng, len(axis.values))] for axis in archetype.axes}
    labels.update(leaf.fixed)
    place = Variant({axis.name: axis.values[labels[axis.name]] for axis in archetype.axes}, float(rng.uniform(-1, 1)))
    material = archetype.materials[_one_of(rng, len(archetype.materials))]
    plain = material in _PLAIN_MATERIALS and rng.random() < 0.7
    pattern = "solid" if plain else PATTERNS[_weighted(rng, PATTERN_WEIGHTS)]
    # The largest of u^(1/w) are a weighted draw without replacement (Efraimidis and Spirakis, 2006).
    order = np.argsort(-(rng.random(len(COLOURS)) ** (1.0 / np.array(COLOUR_WEIGHTS))))
    names = [_COLOUR_NAMES[int(k)] for k in order[: 2 * variants]]
    size, turn = float(rng.uniform(0.75, 1.35)), _TURNS[_one_of(rng, len(_TURNS))]
    look = Look(names[0], names[1], pattern, material, size, turn, _one_of(rng, 60))
    shape = _SHAPE_NAMES[_weighted(rng, SHAPE_WEIGHTS)]
    return Product(archetype, place, look, shape), list(zip(names[::2], names[1::2], strict=True))


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


def _one_of(rng: np.random.Generator, count: int) -> int:
    return int(rng.random() * count)


def _weighted(rng: np.random.Generator, weights: Sequence[float]) -> int:
    # Ten times faster than Generator.choice, which checks its weights each time.
    left = float(rng.random()) * sum(weights)
    for number, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return number
    return len(weights) - 1
