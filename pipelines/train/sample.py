"""Which photos a training learns from when there are more than `train.max_images`: a sample, stratified by leaf.

A photo's place is a number that its digest and the seed give; a stratum takes all places up to its limit. So a photo is
decided upon where it is read, and nothing but a few numbers a stratum travels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

LAST: Final = 2**64 - 1
"""The last place there is: a limit up to which everything is taken."""
HALVINGS: Final = 64

Key = tuple[str, str, bool]
"""Split, leaf, and whether the photos are new since the live model."""


@dataclass(frozen=True)
class Stratum:
    """How many photos there are of a kind, and the lowest of their places, in order, as many as the floor."""

    count: int
    lowest: tuple[int, ...]


Strata = dict[Key, Stratum]


@dataclass(frozen=True)
class Sample:
    """The last place that is taken of each stratum, of places by this seed."""

    seed: str
    limits: Mapping[Key, int]

    def takes(self, photos: pa.Table) -> pa.Array:
        """Return which photos (columns split, leaf, new, digest) are in the sample: booleans [len(photos)]."""
        limits = np.array([self.limits[key] for key in _keys(photos)], np.uint64)
        return pa.array(_places(photos, self.seed) <= limits)


def strata_of(photos: pa.Table, seed: str, floor: int) -> Strata:
    """Return the strata of photos (columns split, leaf, new, digest)."""
    places: dict[Key, list[int]] = {}
    for key, place in zip(_keys(photos), _places(photos, seed).tolist(), strict=True):
        places.setdefault(key, []).append(place)
    return {key: Stratum(len(found), tuple(sorted(found)[:floor])) for key, found in places.items()}


def merged(parts: Iterable[Strata], floor: int) -> Strata:
    """Return the strata of all parts together, whatever their order."""
    total: Strata = {}
    for part in parts:
        for key, stratum in part.items():
            held = total.get(key, Stratum(0, ()))
            lowest = tuple(sorted(held.lowest + stratum.lowest)[:floor])
            total[key] = Stratum(held.count + stratum.count, lowest)
    return total


def draw(strata: Strata, most: int, seed: str) -> Sample:
    """Return the sample of about `most` photos: all that are new, and of the rest the same share of each stratum.

    A stratum keeps its lowest places whatever its share, so that a rare leaf stays above its floor; these may come on
    top of `most`. New photos are sampled as the rest is when they alone are more than `most`.
    """
    new = sum(stratum.count for key, stratum in strata.items() if key[2])
    favoured = {key for key in strata if key[2]} if new <= most else set()
    rest = [stratum for key, stratum in strata.items() if key not in favoured]
    share = _share(rest, most - new if favoured else most)
    return Sample(seed, {key: LAST if key in favoured else _limit(stratum, share) for key, stratum in strata.items()})


def _share(strata: Iterable[Stratum], budget: int) -> float:
    """Return the share of every stratum at which all together, with their floors, come to the budget; at most 1."""
    strata = list(strata)
    counts = np.array([stratum.count for stratum in strata], np.float64)
    floors = np.array([len(stratum.lowest) for stratum in strata], np.float64)
    if counts.sum() <= budget:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        share = (low + high) / 2
        low, high = (share, high) if np.maximum(floors, share * counts).sum() <= budget else (low, share)
    return low


def _limit(stratum: Stratum, share: float) -> int:
    return max([min(LAST, int(share * 2**64)), *stratum.lowest[-1:]])


def _keys(photos: pa.Table) -> Iterable[Key]:
    leaves = (leaf or "" for leaf in photos["leaf"].to_pylist())
    return zip(photos["split"].to_pylist(), leaves, photos["new"].to_pylist(), strict=True)


def _places(photos: pa.Table, seed: str) -> npt.NDArray[np.uint64]:
    salt = f"sample:{seed}:".encode()
    hashes = (hashlib.sha256(salt + digest).digest()[:8] for digest in photos["digest"].to_pylist())
    return np.fromiter((int.from_bytes(found, "big") for found in hashes), np.uint64, len(photos))
