"""Vectors as a model gives them, drawn: leaf categories of uneven size, products in them, photos of a product.

A vector is the sum of a place of its leaf's department, its leaf, its product and its photo, each drawn along axes
whose spread falls as a power law, as in the spectra of real embeddings; a leaf's products spread along axes of its own.
Queries are further photos of products that the index holds. What a model says of a query's leaf is the likelihood of
what it sees, which is the photo's place blurred until the right leaf comes first as often as for a real model; it is
calibrated by the pipeline's own code.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainer.calibration import calibrate, masked_log_softmax

DIM = 512
SEED = 7
BLOCK_PRODUCTS = 8_192
DECAY = 0.75
"""Axis n spreads as (n + 1) to the power of minus this."""
DEPARTMENT, LEAF, PRODUCT, PHOTO = 0.8, 0.75, 0.8, 0.42
"""How far the places of each spread."""
COMMON = 0.9
"""How far all lie from the origin: two photos of a shop are a little alike whatever they show."""
OWN_AXES = 0.5
"""How much a leaf's axes differ from those of all."""
LEAVES_A_DEPARTMENT = 20
UNEVEN = 1.2
"""Spread of the logarithm of a leaf's size."""
MORE_PHOTOS = 2.0
"""A product has one photo and so many more on average."""
SEEN_AXES = 64
LARGEST_BLUR = 64.0

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Photos:
    """Places float32 `[n, dim]` before they are made unit vectors, and the leaf and product int64 `[n]` of each."""

    places: Floats
    leaf: Ints
    product: Ints

    @property
    def vectors(self) -> Floats:
        """Return the unit vectors."""
        vectors: Floats = self.places / np.linalg.norm(self.places, axis=1, keepdims=True)
        return vectors


class World:
    """Draws photos of products, block by block; a block is the same whatever was drawn before."""

    def __init__(self, leaves: int, seed: int = SEED) -> None:
        chance = np.random.default_rng(seed)
        spread = (np.arange(DIM) + 1.0) ** -DECAY
        self._spread = (spread / np.linalg.norm(spread)).astype(np.float32)
        self._turn = np.linalg.qr(chance.normal(size=(DIM, DIM)))[0].astype(np.float32)
        departments = DEPARTMENT * self._draw(chance, math.ceil(leaves / LEAVES_A_DEPARTMENT))
        own = LEAF * self._draw(chance, leaves)
        common = np.zeros(DIM, np.float32)
        common[0] = COMMON
        self.centres: Floats = common + departments[chance.integers(len(departments), size=leaves)] + own
        self._axes = np.exp(OWN_AXES * chance.normal(size=(leaves, DIM)) - OWN_AXES**2).astype(np.float32)
        shares = np.exp(UNEVEN * chance.normal(size=leaves))
        self._shares = shares / shares.sum()
        self._seed = seed

    def blocks(self, count: int, queries: int) -> Iterator[tuple[Photos, Photos]]:
        """Give `count` photos and about `queries` further ones of the same products, in blocks."""
        drawn = products = 0
        share = queries / count
        while drawn < count:
            chance = np.random.default_rng([self._seed, products])
            leaf = chance.choice(len(self._shares), size=BLOCK_PRODUCTS, p=self._shares)
            product = self.centres[leaf] + PRODUCT * self._axes[leaf] * self._draw(chance, BLOCK_PRODUCTS)
            which = np.repeat(np.arange(BLOCK_PRODUCTS), 1 + chance.poisson(MORE_PHOTOS, BLOCK_PRODUCTS))
            which = which[: count - drawn]
            asked = which[chance.random(len(which)) < share]
            yield (
                self._photos(chance, product, leaf, which, products),
                self._photos(chance, product, leaf, asked, products),
            )
            drawn, products = drawn + len(which), products + BLOCK_PRODUCTS

    def _draw(self, chance: np.random.Generator, count: int) -> Floats:
        return chance.standard_normal((count, DIM), np.float32) * self._spread

    def _photos(self, chance: np.random.Generator, product: Floats, leaf: Ints, which: Ints, first: int) -> Photos:
        places = product[which] + PHOTO * self._draw(chance, len(which))
        return Photos(places, leaf[which], first + which)

    def turned(self, places: Floats) -> Floats:
        """Return places along other axes than those they were drawn by, so that no dimension tells more than others."""
        return places @ self._turn

    def logits(self, photos: Photos, blur: float, seed: int) -> Floats:
        """Return the log likelihood float32 `[n, leaves]` of what a model sees of photos."""
        chance = np.random.default_rng([self._seed, seed])
        axes = slice(0, SEEN_AXES)
        seen = photos.places[:, axes] + blur * self._draw(chance, len(photos.leaf))[:, axes]
        scale = self._spread[axes] * math.sqrt(PRODUCT**2 + PHOTO**2 + blur**2)
        seen, centres = seen / scale, self.centres[:, axes] / scale
        squares = (centres**2).sum(axis=1) - 2 * seen @ centres.T
        logits: Floats = (np.log(self._shares) - squares / 2).astype(np.float32)
        return logits


def blur_of(world: World, photos: Photos, top1: float) -> float:
    """Return the blur by which the right leaf of photos comes first in a share `top1` of them."""
    low, high = 0.0, LARGEST_BLUR
    for _ in range(16):
        blur = (low + high) / 2
        right = float(np.mean(world.logits(photos, blur, 1).argmax(axis=1) == photos.leaf))
        low, high = (blur, high) if right > top1 else (low, blur)
    return (low + high) / 2


def draw(folder: Path, count: int, queries: int, leaves: int, top1: float) -> dict[str, Any]:
    """Draw into `folder`: vectors.npy, leaf.npy, product.npy, queries.npy, query_leaf.npy and probabilities.npy.

    Returns what is to be known of them. Half of the further photos calibrate the probabilities, the others ask.
    """
    world, asked, done = World(leaves), [], 0
    vectors = np.lib.format.open_memmap(folder / "vectors.npy", "w+", np.float32, (count, DIM))
    labels = np.empty((2, count), np.int64)
    for photos, further in world.blocks(count, 2 * queries):
        part = slice(done, done + len(photos.leaf))
        vectors[part] = world.turned(photos.vectors)
        labels[:, part] = photos.leaf, photos.product
        asked.append(further)
        done = part.stop
    vectors.flush()
    np.save(folder / "leaf.npy", labels[0])
    np.save(folder / "product.npy", labels[1])
    every = Photos(*(np.concatenate([getattr(p, name) for p in asked]) for name in ("places", "leaf", "product")))
    order = np.random.default_rng(SEED).permutation(len(every.leaf))
    half = len(order) // 2
    validation, test = (Photos(every.places[r], every.leaf[r], every.product[r]) for r in (order[:half], order[half:]))
    blur = blur_of(world, validation, top1)
    learned = np.ones(leaves, bool)
    calibration = calibrate(world.logits(validation, blur, 1), validation.leaf, learned)
    said = masked_log_softmax(world.logits(test, blur, 2), learned, calibration.temperature)
    np.save(folder / "probabilities.npy", np.exp(said).astype(np.float32))
    np.save(folder / "queries.npy", world.turned(test.vectors))
    np.save(folder / "query_leaf.npy", test.leaf)
    return {
        "count": count,
        "dim": DIM,
        "products": len(np.unique(labels[1])),
        "leaves": leaves,
        "largest_leaf_share": round(float(np.bincount(labels[0]).max() / count), 4),
        "queries": len(test.leaf),
        "leaf_top1": round(float(np.mean(said.argmax(axis=1) == test.leaf)), 4),
        "category_mass": calibration.category_mass,
        "temperature": calibration.temperature,
    }


def shape_of(vectors: npt.NDArray[Any], rows: Ints, sample: int = 5_000, most: int = 2_000) -> dict[str, float]:
    """Return how a sample of some rows of vectors lies: its intrinsic dimension by two estimates, spectrum, likeness.

    By the distances of the two nearest neighbours (Facco et al. 2017) and of the twenty nearest (Levina and Bickel
    2004). A sample of equal size is to be compared: the dimension depends on the scale.
    """
    chance = np.random.default_rng(SEED)
    rows = np.sort(chance.choice(rows, min(sample, len(rows)), replace=False))
    drawn = np.asarray(vectors[rows], np.float32)
    asked = np.arange(min(most, len(drawn)))
    likeness = drawn[asked] @ drawn.T
    likeness[asked, asked] = -2
    best = -np.sort(-likeness, axis=1)[:, :20]
    distances = np.sqrt(np.maximum(2 - 2 * best, 1e-9))
    apart = distances[distances[:, 0] > 1e-2]  # the same photo twice has no distance
    spectrum = np.linalg.eigvalsh(np.cov(drawn.T))[::-1]
    return {
        "vectors": len(drawn),
        "dimension_two_nearest": round(float(1 / np.mean(np.log(apart[:, 1] / apart[:, 0]))), 1),
        "dimension_twenty_nearest": round(float(1 / np.mean(np.log(apart[:, 19:] / apart[:, :19]))), 1),
        "variance_in_128_axes": round(float(spectrum[:128].sum() / spectrum.sum()), 4),
        "similarity_nearest": round(float(np.median(best[:, 0])), 3),
        "similarity_tenth": round(float(np.median(best[:, 9])), 3),
        "similarity_any_two": round(float(np.median(likeness)), 3),
    }
